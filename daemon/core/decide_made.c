/* decide_made: what a user made, and the room that the end of access needs; see decide_impl.h.
 * SPDX-License-Identifier: MIT
 * What somebody made belongs to the account and stays when they go, unless whoever takes their
 * access away ends it in the same act. */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

/* What a person may not end on the way: the owner's share and their own. */
static bool stays(const struct ch_case *c, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(c->state, row);
    return ch_is_built_in(c->state, share->role, "owner") ||
           ch_is_own(c, share->subject_kind, share->subject);
}

static void emit_end(struct ch_case *c, uint32_t row, uint64_t account)
{
    const struct ch_row_share *share = ch_share_row(c->state, row);
    if (share->status == CH_share_status_pending) {
        struct ch_ev_invitation_cancelled *body = ch_emit(c, CH_EV_invitation_cancelled, account);
        if (body != NULL) body->share.seq = share->id;
        return;
    }
    struct ch_ev_share_ended *body = ch_emit(c, CH_EV_share_ended, account);
    if (body != NULL) body->share.seq = share->id;
}

static void emit_revoked(struct ch_case *c, uint32_t row, uint64_t account)
{
    const struct ch_row_grant *grant = ch_grant_row(c->state, row);
    const size_t len = ch_chain_len(c->state, CH_T_TEXT, grant->resource);
    char *text = ch_arena_take(c->arena, len + 1);
    struct ch_ev_grant_revoked *body = ch_emit(c, CH_EV_grant_revoked, account);
    if (text == NULL) c->ret->no_memory = true;
    if (text == NULL || body == NULL) return;
    body->share.seq = ch_share_row(c->state, grant->share)->id;
    body->kind = (uint8_t)grant->kind;
    body->resource =
        (struct ch_text){text, ch_chain_get(c->state, CH_T_TEXT, grant->resource, text, len)};
}

/* Ends the keys of one account that the user made; false after refusing. */
static bool end_keys(struct ch_case *c, uint32_t user, uint32_t account)
{
    const struct ch_state *state = c->state;
    bool asked = false;
    for (uint32_t k = ch_account_row(state, account)->first_key; k != 0;
         k = ch_key_row(state, k)->next_of_account) {
        const struct ch_row_key *key = ch_key_row(state, k);
        if (key->person != user) continue;
        if (!asked && !ch_may_there(c, account, CH_SCOPE_api_keys_revoke, "end_made")) return false;
        asked = true;
        if (key->kind == CH_key_kind_master && !ch_acts_as_owner(c)) {
            (void)ch_reject(c, CH_REJ_owner_only, "end_made");
            return false;
        }
        struct ch_ev_key_revoked *body =
            ch_emit(c, CH_EV_key_revoked, ch_account_row(state, account)->id);
        if (body != NULL) body->key.seq = key->id;
    }
    return true;
}

bool ch_end_made(struct ch_case *c, uint32_t user, uint32_t but)
{
    const struct ch_state *state = c->state;
    if (ch_user_row(state, user)->made == 0) return true;
    for (uint32_t a = ch_next_in_tree(state, c->on, 0); a != 0;
         a = ch_next_in_tree(state, c->on, a)) {
        bool asked = a == c->on;                         /* admission asked there */
        if (!ch_is_open(state, a)) continue;             /* nothing counts there, nor changes */
        if (c->ret->count > LIMIT_MESSAGE_EVENTS) break; /* refused by ch_decide */
        const uint64_t id = ch_account_row(state, a)->id;
        for (uint32_t s = ch_account_row(state, a)->first_share; s != 0;
             s = ch_share_row(state, s)->next_of_account) {
            if (s == but || stays(c, s)) continue;
            const bool whole = ch_share_row(state, s)->made_by == user;
            uint32_t grant = ch_share_row(state, s)->first_grant;
            while (!whole && grant != 0 && ch_grant_row(state, grant)->made_by != user) {
                grant = ch_grant_row(state, grant)->next;
            }
            if (!whole && grant == 0) continue;
            if (!asked && !ch_may_there(c, a, CH_SCOPE_shares_delete, "end_made")) return false;
            asked = true;
            const struct ch_scopes lifted =
                whole ? ch_lifted_with_made(c, s, user) : (struct ch_scopes){{0, 0}};
            if (!ch_scopes_empty(lifted)) {
                (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, "end_made", lifted);
                return false;
            }
            if (whole) emit_end(c, s, id);
            for (uint32_t g = grant; !whole && g != 0; g = ch_grant_row(state, g)->next) {
                if (ch_grant_row(state, g)->made_by == user) emit_revoked(c, g, id);
            }
        }
        if (!end_keys(c, user, a)) return false;
    }
    return true;
}

/* Rows that ending all that a user made would touch, at most. */
static size_t cascade_of_made(const struct ch_state *state, uint32_t on, uint32_t user)
{
    size_t rows = 0;
    if (ch_user_row(state, user)->made == 0) return 0;
    for (uint32_t a = ch_next_in_tree(state, on, 0); a != 0; a = ch_next_in_tree(state, on, a)) {
        for (uint32_t s = ch_account_row(state, a)->first_share; s != 0;
             s = ch_share_row(state, s)->next_of_account) {
            const struct ch_row_share *share = ch_share_row(state, s);
            if (share->made_by == user) rows += ch_cascade_of_share(state, s);
            for (uint32_t g = share->first_grant; g != 0; g = ch_grant_row(state, g)->next) {
                if (ch_grant_row(state, g)->made_by == user) rows += 2;
            }
        }
        for (uint32_t k = ch_account_row(state, a)->first_key; k != 0;
             k = ch_key_row(state, k)->next_of_account) {
            if (ch_key_row(state, k)->person == user) rows += 8;
        }
    }
    return rows;
}

static size_t cascade_of_user(const struct ch_state *state, uint32_t on, const struct ch_ref *user,
                              bool made)
{
    const uint32_t row = ch_find_user(state, user->id);
    if (row == 0 || on == 0) return 0;
    const uint32_t share = ch_find_share(state, CH_subject_kind_user, row, on);
    return (share == 0 ? 0 : ch_cascade_of_share(state, share)) +
           (made ? cascade_of_made(state, on, row) : 0);
}

/* Pending shares that an invitation may replace. */
static size_t cascade_of_replaced(const struct ch_state *state, uint32_t on,
                                  const struct ch_cmd_share_invite *args)
{
    const uint32_t user = ch_find_user_hash(state, CH_KIND_email, args->email.hash);
    const uint32_t count = args->accounts_len == 0 ? 1 : args->accounts_len;
    size_t rows = 0;
    for (uint32_t i = 0; user != 0 && i < count; i++) {
        const uint32_t account =
            args->accounts_len == 0 ? on : ch_find_account(state, args->accounts[i].id);
        const uint32_t share =
            account == 0 ? 0 : ch_find_share(state, CH_subject_kind_user, user, account);
        if (share != 0) rows += ch_cascade_of_share(state, share);
    }
    return rows;
}

size_t ch_cascade_of_people(const struct ch_state *state, const struct ch_call *call)
{
    const uint32_t on = call->has_on ? ch_find_account(state, call->on.id) : 0;
    if (call->type == CH_CMD_share_deactivate) {
        const struct ch_cmd_share_deactivate *args = call->args;
        return args->has_user ? cascade_of_user(state, on, &args->user, args->has_end_made) : 0;
    }
    if (call->type == CH_CMD_share_end) {
        const struct ch_cmd_share_end *args = call->args;
        return args->has_user ? cascade_of_user(state, on, &args->user, args->has_end_made) : 0;
    }
    if (call->type == CH_CMD_invitation_cancel) {
        const struct ch_cmd_invitation_cancel *args = call->args;
        return cascade_of_user(state, on, &args->user, /* made= */ false);
    }
    if (call->type == CH_CMD_login_delete) {
        const struct ch_cmd_login_delete *args = call->args;
        return cascade_of_user(state, on, &args->user, /* made= */ false);
    }
    if (call->type == CH_CMD_invitation_decline) {
        const struct ch_cmd_invitation_decline *args = call->args;
        const uint32_t row = ch_find_token(state, args->token.hash);
        if (row == 0) return 0;
        const uint32_t share =
            ch_seat_share(ch_seat_row(state, ch_invitation_row(state, row)->seat));
        return share == 0 ? 0 : ch_cascade_of_share(state, share);
    }
    if (call->type == CH_CMD_share_invite) { /* a limit and a grant for each resource */
        const struct ch_cmd_share_invite *args = call->args;
        return cascade_of_replaced(state, on, args) +
               (size_t)4 * (args->accounts_len + args->lists_len + args->campaigns_len +
                            args->automations_len + args->contact_groups_len + args->templates_len);
    }
    return 0;
}
