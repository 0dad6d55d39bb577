/* apply_share: shares, their grants, limits and ends; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/use.h"

/* A share's fields of two bits. */
#define SET(field, value)                                                                          \
    do {                                                                                           \
        CH_CHECK((uint32_t)(value) <= 3u);                                                         \
        (field) = (uint32_t)(value)&3u;                                                            \
    } while (0)

static struct ch_row_share *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_SHARE, row);
}

/* The share that an event names first, as every event of an existing share does. */
static uint32_t share_of(const struct ch_state *state, const struct ch_event *event)
{
    const struct ch_share_id *id = event->body;
    const uint32_t row = ch_find_share_id(state, id->seq);
    CH_CHECK(row != 0);
    return row;
}

static struct ch_row_share *edit_changed(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_share *share = edit(state, row);
    share->changed = seq;
    return share;
}

static void set_expiry(struct ch_state *state, uint32_t row, uint64_t at, uint64_t seq)
{
    struct ch_row_terms *terms = ch_edit_terms(state, row);
    terms->expires_at = at;
    terms->expiry_seq = at == 0 ? 0 : seq;
    ch_due_set(state, CH_DUE_SHARE, ch_share_row(state, row)->terms, at);
    ch_settle_terms(state, row);
}

static void set_denied(struct ch_state *state, uint32_t row, struct ch_scopes denied, uint64_t seq)
{
    struct ch_row_terms *terms = ch_edit_terms(state, row);
    const uint32_t old = terms->denied;
    terms->denied = ch_scopes_take(state, denied);
    terms->denied_seq = terms->denied == 0 ? 0 : seq;
    ch_scopes_drop(state, old);
    ch_settle_terms(state, row);
}

uint32_t ch_begin_share(struct ch_state *state, const struct ch_event *event, uint8_t subject_kind,
                        uint32_t subject)
{
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row = ch_row_take(&state->store, CH_T_SHARE);
    struct ch_row_share *share = edit_changed(state, row, event->seq);
    share->account = account;
    share->subject = subject;
    SET(share->subject_kind, subject_kind);
    share->id = event->seq;
    share->role_seq = event->seq;
    share->used_day = share->certified_day = ch_day_of(event->at) | CH_DAY_GIVEN;
    share->made_by = ch_person_behind(state, &event->actor);
    ch_count_made(state, share->made_by, 1);
    share->next_of_subject = ch_first_of_subject(state, subject_kind, subject);
    if (share->next_of_subject != 0) edit(state, share->next_of_subject)->prev_of_subject = row;
    ch_link_subject(state, subject_kind, subject, row, 1, event->seq);
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    share->next_of_account = owner->first_share;
    owner->first_share = row;
    owner->share_count++;
    if (share->next_of_account != 0) edit(state, share->next_of_account)->prev_of_account = row;
    ch_index_insert(&state->store, CH_I_SHARE_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_SHARE, ch_hash_share(subject_kind, subject, account), row);
    if (subject_kind == CH_subject_kind_user) share->seat = ch_seat_sit(state, row, event->seq);
    return row;
}

void ch_apply_share_given(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_given *body = event->body;
    const bool of_user = body->subject_kind == CH_subject_kind_user;
    const uint32_t subject =
        of_user ? ch_find_user(state, body->subject) : ch_find_group(state, body->subject);
    const uint32_t row = ch_begin_share(state, event, body->subject_kind, subject);
    struct ch_row_share *share = edit(state, row);
    SET(share->kind, body->kind);
    SET(share->reach, body->reach);
    share->role = body->has_role ? ch_find_role(state, body->role.seq) : 0;
    const struct ch_row_account *account = ch_account_row(state, share->account);
    if (ch_is_built_in(state, share->role, "owner") && account->parent == 0) {
        struct ch_row_account *owned = ch_row_edit(&state->store, CH_T_ACCOUNT, share->account);
        owned->owner = row;
    }
    if (body->has_expires_at) set_expiry(state, row, body->expires_at, event->seq);
    if (of_user) ch_seat_activate(state, share->seat, event);
}

void ch_apply_share_limited(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_limited *body = event->body;
    const uint32_t row = share_of(state, event);
    const uint32_t bit = 1u << body->kind;
    CH_CHECK(body->kind >= 1 && body->kind <= CH_LIMITED_KINDS);
    ch_end_limits(state, row, body->kind);
    (void)edit_changed(state, row, event->seq);
    struct ch_row_terms *terms = ch_edit_terms(state, row);
    terms->limited_seq[body->kind - 1] = body->all ? 0 : event->seq;
    if (body->all) {
        terms->limited_kinds = terms->limited_kinds & ~bit & 0xffu;
        ch_settle_terms(state, row);
        return;
    }
    terms->limited_kinds = (terms->limited_kinds | bit) & 0xffu;
    for (uint32_t i = 0; i < body->resources_len; i++) {
        uint32_t text = ch_text_find(state, body->resources[i]);
        if (ch_is_limited_to(state, row, body->kind, text)) continue; /* named twice */
        uint32_t fresh = ch_row_take(&state->store, CH_T_LIMITED);
        struct ch_row_limited *limited = ch_row_edit(&state->store, CH_T_LIMITED, fresh);
        limited->share = row;
        limited->kind = body->kind;
        limited->seq = event->seq;
        limited->resource = ch_text_take(state, body->resources[i]);
        limited->next = terms->first_limited;
        terms->first_limited = fresh;
        terms->limited_count++;
        ch_index_insert(&state->store, CH_I_LIMITED,
                        ch_hash_resource(row, body->kind, limited->resource), fresh);
    }
}

_Static_assert(CH_MAX_INTEGER <= UINT64_MAX >> 8, "a grant's row has bits for every seq");

/* What a grant has of the event that set it last. */
static void fill_grant(struct ch_state *state, struct ch_row_grant *grant,
                       const struct ch_event *event)
{
    const struct ch_ev_grant_set *body = event->body;
    CH_CHECK(event->seq <= CH_MAX_INTEGER);
    grant->scopes = ch_scopes_take(state, body->scopes);
    grant->seq = event->seq & (UINT64_MAX >> 8);
    grant->made_by = ch_person_behind(state, &event->actor);
    ch_count_made(state, grant->made_by, 1);
}

void ch_apply_grant_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_grant_set *body = event->body;
    const uint32_t row = share_of(state, event);
    uint32_t text = ch_text_find(state, body->resource);
    uint32_t known = text == 0 ? 0 : ch_find_grant(state, row, body->kind, text);
    struct ch_row_share *share = edit_changed(state, row, event->seq);
    if (known != 0) {
        struct ch_row_grant *grant = ch_row_edit(&state->store, CH_T_GRANT, known);
        const uint32_t old = grant->scopes;
        ch_count_made(state, grant->made_by, -1);
        fill_grant(state, grant, event);
        ch_scopes_drop(state, old);
        return;
    }
    uint32_t fresh = ch_row_take(&state->store, CH_T_GRANT);
    struct ch_row_grant *grant = ch_row_edit(&state->store, CH_T_GRANT, fresh);
    grant->share = row;
    grant->kind = body->kind;
    grant->resource = ch_text_take(state, body->resource);
    fill_grant(state, grant, event);
    CH_CHECK(share->grant_count < UINT16_MAX);
    grant->next = share->first_grant;
    share->first_grant = fresh;
    share->grant_count++;
    ch_index_insert(&state->store, CH_I_GRANT, ch_hash_resource(row, body->kind, grant->resource),
                    fresh);
}

void ch_apply_grant_revoked(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_grant_revoked *body = event->body;
    const uint32_t row = share_of(state, event);
    uint32_t text = ch_text_find(state, body->resource);
    uint32_t grant = ch_find_grant(state, row, body->kind, text);
    ch_end_grant(state, grant);
    (void)edit_changed(state, row, event->seq);
}

void ch_apply_share_role_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_role_set *body = event->body;
    const uint32_t row = share_of(state, event);
    struct ch_row_share *share = edit_changed(state, row, event->seq);
    share->role = body->has_role ? ch_find_role(state, body->role.seq) : 0;
    SET(share->reach, body->reach);
    share->role_seq = event->seq;
}

void ch_apply_share_restricted(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_restricted *body = event->body;
    const uint32_t row = share_of(state, event);
    (void)edit_changed(state, row, event->seq);
    set_denied(state, row, body->denied, event->seq);
}

void ch_apply_share_scopes_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_scopes_set *body = event->body;
    const uint32_t row = share_of(state, event);
    (void)edit_changed(state, row, event->seq);
    struct ch_row_terms *terms = ch_edit_terms(state, row);
    const uint32_t old = terms->own;
    terms->own = ch_scopes_take(state, body->scopes);
    terms->own_seq = terms->own == 0 ? 0 : event->seq;
    ch_scopes_drop(state, old);
    ch_settle_terms(state, row);
}

void ch_apply_share_expiry_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_expiry_set *body = event->body;
    const uint32_t row = share_of(state, event);
    (void)edit_changed(state, row, event->seq);
    set_expiry(state, row, body->has_expires_at ? body->expires_at : 0, event->seq);
}

static void share_status(struct ch_state *state, const struct ch_event *event,
                         enum ch_share_status status)
{
    const uint32_t row = share_of(state, event);
    struct ch_row_share *share = edit_changed(state, row, event->seq);
    SET(share->status, status);
    if (share->seat != 0) {
        ch_seat_stands(state, share->seat, event->seq);
    } else {
        ch_edit_terms(state, row)->status_seq = event->seq;
    }
}

void ch_apply_share_deactivated(struct ch_state *state, const struct ch_event *event)
{
    share_status(state, event, CH_share_status_inactive);
}

void ch_apply_share_activated(struct ch_state *state, const struct ch_event *event)
{
    share_status(state, event, CH_share_status_active);
    /* It could not be used before: from now on it is counted how long it was not. */
    struct ch_row_share *share = edit(state, share_of(state, event));
    share->used_day = ch_day_of(event->at) | CH_DAY_GIVEN;
}

void ch_apply_share_invited(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_share_invited *body = event->body;
    const uint32_t subject = ch_find_user(state, body->user.seq);
    const uint32_t row = ch_begin_share(state, event, CH_subject_kind_user, subject);
    struct ch_row_share *share = edit(state, row);
    share->status = CH_share_status_pending;
    SET(share->reach, body->reach);
    share->role = body->has_role ? ch_find_role(state, body->role.seq) : 0;
    set_denied(state, row, body->denied, event->seq);
    if (body->has_expires_at) set_expiry(state, row, body->expires_at, event->seq);
    ch_seat_invite(state, share->seat, event, body->token_hash, body->open_until);
}

void ch_apply_invitation_sent(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_invitation_sent *body = event->body;
    const uint32_t seat = ch_share_row(state, share_of(state, event))->seat;
    share_status(state, event, CH_share_status_pending);
    ch_seat_invite(state, seat, event, body->token_hash, body->open_until);
}

void ch_apply_invitation_accepted(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t seat = ch_share_row(state, share_of(state, event))->seat;
    share_status(state, event, CH_share_status_active);
    /* Whoever followed the link used it, however they came. */
    struct ch_row_share *share = edit(state, share_of(state, event));
    share->used_day = ch_day_of(event->at);
    ch_seat_answer(state, seat, CH_invitation_accepted);
    ch_seat_activate(state, seat, event);
    const uint32_t row = ch_seat_row(state, seat)->user;
    if (ch_user_row(state, row)->status != CH_user_status_invited) return;
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->status = CH_user_status_active;
    user->status_seq = event->seq;
    user->changed = event->seq;
}

static void end_pending(struct ch_state *state, const struct ch_event *event,
                        enum ch_invitation invitation)
{
    const uint32_t row = share_of(state, event);
    ch_seat_answer(state, ch_share_row(state, row)->seat, invitation);
    ch_end_share(state, row, event->seq);
}

void ch_apply_invitation_declined(struct ch_state *state, const struct ch_event *event)
{
    end_pending(state, event, CH_invitation_declined);
}

void ch_apply_invitation_cancelled(struct ch_state *state, const struct ch_event *event)
{
    end_pending(state, event, CH_invitation_cancelled);
}

void ch_apply_invitation_expired(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t seat = edit_changed(state, share_of(state, event), event->seq)->seat;
    ch_seat_answer(state, seat, CH_invitation_expired);
}

void ch_apply_share_ended(struct ch_state *state, const struct ch_event *event)
{
    ch_end_share(state, share_of(state, event), event->seq);
}

void ch_apply_share_expired(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t row = share_of(state, event);
    const uint32_t seat = ch_share_row(state, row)->seat;
    ch_end_share(state, row, event->seq);
    if (seat != 0) ch_seat_ran_out(state, seat, event->seq);
}

#define SHARE_FIRST(name)                                                                          \
    _Static_assert(offsetof(struct ch_ev_##name, share) == 0, "the share is the first field")
SHARE_FIRST(share_role_set);
SHARE_FIRST(share_expiry_set);
SHARE_FIRST(share_limited);
SHARE_FIRST(share_restricted);
SHARE_FIRST(share_scopes_set);
SHARE_FIRST(grant_set);
SHARE_FIRST(grant_revoked);
SHARE_FIRST(share_deactivated);
SHARE_FIRST(share_activated);
SHARE_FIRST(share_ended);
SHARE_FIRST(invitation_sent);
SHARE_FIRST(invitation_accepted);
SHARE_FIRST(invitation_declined);
SHARE_FIRST(invitation_cancelled);
SHARE_FIRST(invitation_expired);
SHARE_FIRST(share_expired);
