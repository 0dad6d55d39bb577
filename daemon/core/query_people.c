/* query_people: the users of an account, and what an invitation would say; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/calendar.h"
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

/* A user on the list, with what it is ordered by. */
struct place {
    uint64_t at;
    uint32_t standing;
    uint32_t seat;
    uint32_t user; /* their rows are in the order in which they came */
};

static bool comes_before(const struct place *a, const struct place *b)
{
    if (a->standing != b->standing) return a->standing < b->standing;
    return a->at != b->at ? a->at < b->at : a->user < b->user;
}

static void sift_down(struct place *place, uint32_t at, uint32_t count)
{
    for (;;) {
        uint32_t last = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (comes_before(&place[last], &place[child])) last = child;
        }
        if (last == at) return;
        const struct place held = place[at];
        place[at] = place[last];
        place[last] = held;
        at = last;
    }
}

static void sort(struct place *place, uint32_t count)
{
    for (uint32_t at = count / 2; at > 0; at--) {
        sift_down(place, at - 1, count);
    }
    for (uint32_t last = count; last > 1; last--) {
        const struct place held = place[0];
        place[0] = place[last - 1];
        place[last - 1] = held;
        sift_down(place, 0, last - 1);
    }
}

static bool is_owner(const struct ch_state *state, const struct ch_row_share *share)
{
    if (share->role == 0) return false;
    const struct ch_row_role *role = ch_role_row(state, share->role);
    return role->account == 0 && ch_chain_is(state, CH_T_TEXT, role->name, "owner", 5);
}

static enum ch_standing standing_of(const struct ch_asking *q, const struct ch_row_seat *seat)
{
    if (seat->ended) return CH_standing_inactive;
    const struct ch_row_share *share = ch_share_row(q->state, seat->holds);
    if (share->status == CH_share_status_pending) return CH_standing_pending;
    if (is_owner(q->state, share)) return CH_standing_owner;
    const bool ended = ch_is_over(q->state, share, q->moment->now);
    if (share->status == CH_share_status_inactive || ended) return CH_standing_inactive;
    return CH_standing_active;
}

/* Everybody who was ever active on the account, or is invited, in order. */
static uint32_t everybody(struct ch_asking *q, struct place **ret)
{
    ch_saw_account(q, q->on);
    const struct ch_row_account *account = ch_account_row(q->state, q->on);
    struct place *place = ch_take(q, account->seat_count, sizeof *place);
    uint32_t count = 0;
    if (place == NULL) return 0;
    for (uint32_t s = account->first_seat; s != 0; s = ch_seat_row(q->state, s)->next_of_account) {
        const struct ch_row_seat *seat = ch_seat_row(q->state, s);
        if (seat->first_at == 0 && seat->ended) continue; /* was invited, never came */
        const enum ch_standing standing = standing_of(q, seat);
        const bool pending = standing == CH_standing_pending;
        place[count++] = (struct place){.at = pending ? ch_invitation_of(q->state, s)->invited_at
                                                      : seat->first_at,
                                        .standing = (uint32_t)standing,
                                        .seat = s,
                                        .user = seat->user};
    }
    sort(place, count);
    *ret = place;
    return count;
}

/* The name of a role, or "custom" where there is none. */
static struct ch_text permission_of(struct ch_asking *q, uint32_t role)
{
    if (role == 0) return ch_text_of("custom");
    ch_saw(q, ch_role_row(q->state, role)->changed);
    return ch_copy_text(q, ch_role_row(q->state, role)->name);
}

static struct ch_rec_person_row person(struct ch_asking *q, const struct place *place)
{
    const struct ch_row_seat *seat = ch_seat_row(q->state, place->seat);
    const struct ch_rec_user_row user = ch_user_record(q, seat->user);
    const struct ch_row_share *share = seat->ended ? NULL : ch_share_row(q->state, seat->holds);
    const bool veiled = ch_is_veiled(q, seat->user);
    const uint64_t login_at = veiled ? 0 : ch_user_row(q->state, seat->user)->last_login_at;
    const struct ch_row_invitation *last = ch_invitation_of(q->state, place->seat);
    const bool invited = last->status != CH_invitation_none;
    const bool waits = last->status == CH_invitation_open;
    const struct ch_text permission = share != NULL      ? permission_of(q, share->role)
                                      : seat->holds == 0 ? ch_text_of("custom")
                                                         : ch_copy_text(q, seat->holds);
    ch_saw(q, seat->status_seq);
    if (share != NULL) ch_saw(q, share->changed);
    struct ch_rec_person_row row = {.user = user.user,
                                    .has_full_name = user.has_full_name,
                                    .full_name = user.full_name,
                                    .has_email = user.has_email,
                                    .email = user.email,
                                    .has_username = user.has_username,
                                    .username = user.username,
                                    .permission = permission,
                                    .standing = (uint8_t)place->standing,
                                    .status = user.status,
                                    .kind = share == NULL ? (uint8_t)seat->kind : share->kind,
                                    .has_invited_at = invited,
                                    .invited_at = last->invited_at,
                                    .has_open_until = waits,
                                    .open_until = last->open_until,
                                    .has_first_active_at = seat->first_at != 0,
                                    .first_active_at = seat->first_at,
                                    .has_last_login_at = login_at != 0,
                                    .last_login_at = login_at,
                                    .has_share = share != NULL};
    if (share != NULL) row.share.seq = share->id;
    /* Its time may have run out before anything said so. */
    row.invitation = waits && last->open_until <= q->moment->now ? (uint8_t)CH_invitation_expired
                                                                 : (uint8_t)last->status;
    return row;
}

/* The cursor is the last user shown: wherever they stand now, the next page goes on behind them.
 * Whose invitation has ended without them stands nowhere. */
void ch_query_user_list(struct ch_asking *q)
{
    const struct ch_qry_user_list *args = q->call->args;
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    struct place *all = NULL;
    const uint32_t count = everybody(q, &all);
    uint32_t first = 0;
    while (page.after != 0 && first < count &&
           ch_id_of_user(q->state, all[first].user) != page.after) {
        first++;
    }
    if (page.after != 0 && first == count && !q->ret->no_memory) {
        (void)ch_refuse(q, CH_REJ_list_changed, "after");
        return;
    }
    if (page.after != 0 && first < count) first++;
    const uint32_t shown = count - first < page.limit ? count - first : page.limit;
    struct ch_qry_user_list_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_person_row *users = ch_take(q, shown, sizeof *users);
    if (result == NULL || users == NULL || all == NULL) return;
    for (uint32_t i = 0; i < shown; i++) {
        users[i] = person(q, &all[first + i]);
    }
    result->users = users;
    result->users_len = shown;
    result->has_next = first + shown < count;
    if (result->has_next) result->next = ch_id_of_user(q->state, all[first + shown - 1].user);
    q->ret->result = result;
}

/* The accounts that an invitation would name, where the asker may share each. */
static const struct ch_text *account_names(struct ch_asking *q,
                                           const struct ch_qry_invitation_preview *args)
{
    const uint32_t count = args->accounts_len == 0 ? 1 : args->accounts_len;
    struct ch_text *names = ch_take(q, count, sizeof *names);
    for (uint32_t i = 0; names != NULL && i < count; i++) {
        const uint32_t account =
            args->accounts_len == 0 ? q->on : ch_find_account(q->state, args->accounts[i].id);
        ch_saw_account(q, account);
        names[i] = ch_copy_text(q, ch_account_row(q->state, account)->name);
        if (args->accounts_len == 0 || !ch_is_bound(q->moment)) continue;
        const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_shares_create);
        const struct ch_answer answer = ch_ask_actor(q, account, wanted);
        if (answer.decision == CH_decision_allowed) continue;
        if (answer.led) {
            (void)ch_refuse_scopes(q, CH_REJ_not_allowed, "accounts", wanted);
        } else {
            (void)ch_refuse(q, CH_REJ_not_found, "accounts");
        }
        return NULL;
    }
    return names;
}

void ch_query_invitation_preview(struct ch_asking *q)
{
    const struct ch_qry_invitation_preview *args = q->call->args;
    const struct ch_text *names = account_names(q, args);
    struct ch_qry_invitation_preview_result *result = ch_take(q, 1, sizeof *result);
    if (names == NULL || result == NULL) return;
    const uint32_t user = ch_find_user_hash(q->state, CH_KIND_email, args->email.hash);
    ch_saw(
        q,
        ch_meta(q->state)->head); /* whether the address is known is as new as the newest event */
    /* Whom the asker does not know by the address may have an account elsewhere. */
    const bool known = user != 0 && ch_is_known_here(q, user) && !ch_is_veiled(q, user);
    result->email = args->email.text;
    result->has_new_person = known || !ch_is_bound(q->moment);
    result->new_person = user == 0 || ch_user_row(q->state, user)->status == CH_user_status_invited;
    result->has_full_name = !known && args->has_full_name;
    result->full_name = args->full_name.text;
    if (q->moment->user_row != 0) {
        const struct ch_rec_user_row inviter = ch_user_record(q, q->moment->user_row);
        result->has_inviter = inviter.has_full_name || inviter.has_username || inviter.has_email;
        result->inviter = inviter.has_full_name  ? inviter.full_name
                          : inviter.has_username ? inviter.username
                                                 : inviter.email;
    }
    result->accounts = names;
    result->accounts_len = args->accounts_len == 0 ? 1 : args->accounts_len;
    result->permission =
        permission_of(q, args->has_role ? ch_find_role(q->state, args->role.id) : 0);
    result->open_until = q->moment->now + ch_limit(q->state, "INVITATION_DAYS") * CH_DAY_NS;
    q->ret->result = result;
}
