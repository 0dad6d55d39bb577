/* rules_invitation: invitations in the oracle's world. SPDX-License-Identifier: MIT
 * An invitation is a pending share, and a token by which it is answered. */
#include "tests/model/rules.h"

#include "schema/base/check.h"

static struct o_seat *sit(struct o_case *k, uint64_t user, uint64_t account)
{
    struct o_seat *seat = o_seat(k->w, user, account);
    for (size_t i = 0; i < O_SEATS && seat == NULL; i++) {
        if (k->w->seats[i].user == 0) seat = &k->w->seats[i];
    }
    CH_CHECK(seat != NULL);
    return seat;
}

/* A token replaces the one before; the n-th of the command is its number's. */
static void send_token(struct o_case *k, uint64_t user, uint64_t account, uint32_t n)
{
    struct o_seat *seat = sit(k, user, account);
    *seat = (struct o_seat){.user = user,
                            .account = account,
                            .invitation = CH_invitation_open,
                            .token = k->c->number * O_PICKED_ACCOUNTS + n,
                            .open_until = k->c->now + k->w->invitation_days * O_DAY_NS};
}

static struct o_account *account_at(const struct o_case *k, uint32_t i)
{
    return k->c->account_count == 0 ? k->on : k->accounts[i];
}

/* What the invitation gives. */
static struct ch_scopes given(const struct o_case *k)
{
    struct ch_scopes set = k->c->has_scopes ? k->c->scopes : (struct ch_scopes){{0, 0}};
    if (k->role != NULL) set = ch_scopes_or(set, k->role->scopes);
    return ch_scopes_but(set, k->hidden);
}

/* Each account stands for itself: the first that may not be shared is the answer. */
static void may_share(struct o_case *k, uint32_t count)
{
    for (uint32_t i = 0; i < k->c->account_count; i++) {
        const int there = o_may_there(k, account_at(k, i)->id, CH_SCOPE_shares_create);
        if (there == 0) continue;
        o_break_if(k, true, there);
        return;
    }
    const uint8_t reach = k->c->has_reach ? k->c->reach : CH_reach_account;
    for (uint32_t i = 0; i < count; i++) {
        o_break_if(k, !o_covers(k, account_at(k, i)->id, reach, given(k), NULL),
                   CH_REJ_uncovered_scopes);
    }
}

static struct o_user *user_by_email(struct o_world *w, const char *email)
{
    for (size_t i = 0; i < w->user_count; i++) {
        if (strcmp(w->users[i].email, email) == 0) return &w->users[i];
    }
    return NULL;
}

/* The actions that take a chosen resource hold on those only, the others everywhere. */
static void give_custom(struct o_case *k, struct o_share *s)
{
    const struct o_command *c = k->c;
    struct ch_scopes own = c->has_scopes ? c->scopes : (struct ch_scopes){{0, 0}};
    for (uint32_t kind = 1; kind < O_KINDS; kind++) {
        if (c->chosen[kind] == 0) continue;
        o_event(k, CH_EV_share_limited, s->account);
        s->limited[kind] = true;
        s->chosen[kind] = c->chosen[kind];
        const struct ch_scopes scopes = o_of_kind(own, (uint8_t)kind);
        own = ch_scopes_but(own, scopes);
        for (uint32_t r = 0; r < O_RESOURCES && !ch_scopes_empty(scopes); r++) {
            if ((c->chosen[kind] >> r & 1) == 0) continue;
            o_event(k, CH_EV_grant_set, s->account);
            s->granted[kind][r] = true;
            s->grant[kind][r] = scopes;
            s->grant_by[kind][r] = o_person(k->w, c->actor_kind, c->actor);
        }
    }
    if (ch_scopes_empty(own)) return;
    o_event(k, CH_EV_share_scopes_set, s->account);
    s->own = own;
}

/* The user's pending share there, if its invitation can be accepted no longer: another replaces it.
 */
static struct o_share *lapsed(const struct o_case *k, const struct o_user *u, uint64_t account)
{
    struct o_share *s = o_share(k->w, CH_subject_kind_user, u->id, account);
    if (s == NULL || s->status != CH_share_status_pending) return NULL;
    const struct o_seat *seat = o_seat(k->w, u->id, account);
    const bool open = seat->invitation == CH_invitation_open && seat->open_until > k->c->now;
    return open ? NULL : s;
}

/* The user to invite: one who was only invited before, and no longer is, is somebody new. */
static struct o_user *replace_lapsed(struct o_case *k, struct o_user *u, uint32_t count)
{
    for (uint32_t i = 0; u != NULL && i < count; i++) {
        const uint64_t account = account_at(k, i)->id;
        struct o_share *s = lapsed(k, u, account);
        if (s == NULL) continue;
        o_event(k, CH_EV_invitation_cancelled, account);
        o_end_share(k->w, s);
    }
    return user_by_email(k->w, k->c->email);
}

static void invite(struct o_case *k)
{
    const struct o_command *c = k->c;
    const uint32_t count = c->account_count == 0 ? 1 : c->account_count;
    struct o_user *u = user_by_email(k->w, c->email);
    bool chosen = false;
    for (uint32_t kind = 0; kind < O_KINDS; kind++) {
        chosen = chosen || c->chosen[kind] != 0;
    }
    may_share(k, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct o_account *a = account_at(k, i);
        o_break_if(k, k->role != NULL && k->role->account != 0 && k->role->account != a->id,
                   CH_REJ_not_found);
        o_break_if(k, u != NULL && o_owner(k->w, a->id) == u->id, CH_REJ_owner_share);
        o_break_if(k,
                   u != NULL && o_share(k->w, CH_subject_kind_user, u->id, a->id) != NULL &&
                       lapsed(k, u, a->id) == NULL,
                   CH_REJ_share_exists);
        for (uint32_t j = 0; j < i; j++) {
            o_break_if(k, account_at(k, j) == a, CH_REJ_share_exists);
        }
    }
    o_break_if(k, u != NULL && u->id == o_person(k->w, c->actor_kind, c->actor), CH_REJ_own_rights);
    o_break_if(k, c->has_scopes && o_owners_alone(c->scopes), CH_REJ_owners_alone);
    o_break_if(k, k->role == o_built_in(k->w, "owner"), CH_REJ_owner_share);
    o_break_if(k, k->role == NULL && !c->has_scopes, CH_REJ_no_permission);
    o_break_if(k, count > 1 && chosen, CH_REJ_one_account);
    o_break_if(k, c->has_expiry && c->expires_at <= c->now, CH_REJ_in_the_past);
    o_break_if(k, !c->mailer, CH_REJ_mailer_missing);
    if (k->code != 0) return;
    u = replace_lapsed(k, u, count);
    if (u == NULL) {
        u = o_new_user(k, CH_EV_user_invited, k->on->id);
        u->status = CH_user_status_invited;
        memcpy(u->email, c->email, sizeof u->email);
        if (c->has_full_name) memcpy(u->full_name, c->full_name, sizeof u->full_name);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t account = account_at(k, i)->id;
        const struct o_share made = {.account = account,
                                     .subject_kind = CH_subject_kind_user,
                                     .subject = u->id,
                                     .status = CH_share_status_pending,
                                     .reach = c->has_reach ? c->reach : CH_reach_account,
                                     .role = k->role == NULL ? 0 : k->role->id,
                                     .denied = k->hidden,
                                     .expires_at = c->has_expiry ? c->expires_at : 0};
        struct o_share *s = o_new_share(k, &made, o_event(k, CH_EV_share_invited, account));
        send_token(k, u->id, account, i);
        give_custom(k, s);
    }
}

static void resend(struct o_case *k)
{
    struct o_share *s = o_share_to_change(k, CH_subject_kind_user, k->user->id);
    if (s == NULL) return;
    o_break_if(k, !o_covers_share(k, s) || !o_covers_memberships(k, s), CH_REJ_uncovered_scopes);
    o_break_if(k, s->status == CH_share_status_active, CH_REJ_no_invitation);
    o_break_if(k, !k->c->mailer, CH_REJ_mailer_missing);
    if (k->code != 0) return;
    o_event(k, CH_EV_invitation_sent, k->on->id);
    s->status = CH_share_status_pending;
    send_token(k, s->subject, s->account, 0);
}

static void cancel(struct o_case *k)
{
    struct o_share *s = o_share_to_change(k, CH_subject_kind_user, k->user->id);
    if (s == NULL) return;
    o_break_if(k, s->status != CH_share_status_pending, CH_REJ_no_invitation);
    if (k->code != 0) return;
    o_event(k, CH_EV_invitation_cancelled, k->on->id);
    o_end_share(k->w, s);
}

/* The seat whose invitation has the token and waits. */
static struct o_seat *waiting(struct o_case *k)
{
    struct o_seat *seat = NULL;
    for (size_t i = 0; i < O_SEATS; i++) {
        if (k->w->seats[i].user != 0 && k->w->seats[i].token == k->c->token) {
            seat = &k->w->seats[i];
        }
    }
    o_break_if(k, seat == NULL, CH_REJ_token_wrong);
    if (seat == NULL) return NULL;
    const uint8_t state = seat->invitation;
    o_break_if(k, state == CH_invitation_accepted || state == CH_invitation_declined,
               CH_REJ_token_used);
    o_break_if(k, state == CH_invitation_cancelled, CH_REJ_token_cancelled);
    o_break_if(k,
               state == CH_invitation_expired ||
                   (state == CH_invitation_open && seat->open_until <= k->c->now),
               CH_REJ_token_expired);
    o_break_if(k, o_is_person(k) && k->c->actor != seat->user, CH_REJ_other_person);
    return k->code == 0 ? seat : NULL;
}

static void accept(struct o_case *k)
{
    struct o_seat *seat = waiting(k);
    if (seat == NULL) return;
    struct o_user *u = o_user(k->w, seat->user);
    const bool fresh = u->status == CH_user_status_invited;
    o_break_if(k, !fresh && !o_is_person(k), CH_REJ_log_in_first);
    o_break_if(k, fresh && !k->c->has_password, CH_REJ_password_missing);
    o_break_if(k, o_closed(k->w, seat->account), CH_REJ_account_closed);
    o_break_if(k, u->status == CH_user_status_locked, CH_REJ_user_locked);
    o_break_if(k, !fresh && k->c->has_password, CH_REJ_password_known);
    if (k->code != 0) return;
    o_event(k, CH_EV_invitation_accepted, seat->account);
    seat->invitation = CH_invitation_accepted;
    struct o_share *share = o_share(k->w, CH_subject_kind_user, u->id, seat->account);
    share->status = CH_share_status_active;
    share->used = true;
    share->used_day = k->c->now / O_DAY_NS;
    if (!fresh) return;
    u->status = CH_user_status_active;
    o_set_password(k, u, 0, 0);
}

static void decline(struct o_case *k)
{
    struct o_seat *seat = waiting(k);
    if (seat == NULL) return;
    o_event(k, CH_EV_invitation_declined, seat->account);
    seat->invitation = CH_invitation_declined;
    o_end_share(k->w, o_share(k->w, CH_subject_kind_user, seat->user, seat->account));
}

void o_invitation_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_share_invite) invite(k);
    if (type == CH_CMD_invitation_resend) resend(k);
    if (type == CH_CMD_invitation_cancel) cancel(k);
    if (type == CH_CMD_invitation_accept) accept(k);
    if (type == CH_CMD_invitation_decline) decline(k);
}
