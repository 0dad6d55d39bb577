/* decide_login: rules of other logins; see decide_impl.h. SPDX-License-Identifier: MIT
 * An other login is a username of its own on an account that is there: role full, less what is
 * restricted, and less what the log's mask takes from every login (keys, smtp, ftp). */
#include "daemon/core/decide_impl.h"

/* The scopes that restrictions take away: the pages of these names, as the log defines them. */
static struct ch_scopes restricted(const struct ch_state *state, const uint8_t *restrictions,
                                   uint32_t count)
{
    struct ch_scopes scopes = {{0, 0}};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t page = ch_find_page_name(
            state, ch_text_of(ch_enum_name(CH_KIND_restriction, restrictions[i])));
        if (page == 0) continue; /* an older log lacks it, and what it would take */
        scopes = ch_scopes_or(scopes, ch_scopes_at(state, ch_page_row(state, page)->scopes));
    }
    return scopes;
}

/* Whether the actor has all that the login gets, as far as it reaches; refuses otherwise. */
static bool covers(struct ch_case *c, uint8_t reach, struct ch_scopes gets)
{
    const struct ch_scopes mask = ch_mask(c->state, CH_mask_kind_login);
    const struct ch_scopes missing = ch_uncovered(c, c->on, reach, ch_scopes_but(gets, mask), NULL);
    if (ch_scopes_empty(missing)) return true;
    (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, "restrictions", missing);
    return false;
}

static void emit_password(struct ch_case *c, const struct ch_cmd_login_create *args, uint64_t user)
{
    if (!args->has_password) return;
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    struct ch_ev_password_set *body = ch_emit(c, CH_EV_password_set, account);
    if (body == NULL) return;
    CH_CHECK(args->password.verifier.len > 0);
    body->user.seq = user;
    body->has_verifier = true;
    body->verifier.text = args->password.verifier;
}

static void emit_restricted(struct ch_case *c, uint64_t share, struct ch_scopes denied)
{
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    struct ch_ev_share_restricted *body = ch_emit(c, CH_EV_share_restricted, account);
    if (body == NULL) return;
    body->share.seq = share;
    body->denied = denied;
}

static uint64_t last_seq(const struct ch_case *c)
{
    return c->ret->events[c->ret->count - 1].seq;
}

enum ch_rejection_code ch_decide_login_create(struct ch_case *c)
{
    const struct ch_cmd_login_create *args = c->call->args;
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    const uint32_t full = ch_find_role_name(c->state, 0, ch_text_of("full"));
    if (full == 0) return ch_reject(c, CH_REJ_not_found, "username"); /* an older log lacks it */
    const struct ch_row_role *role = ch_role_row(c->state, full);
    const struct ch_scopes denied =
        restricted(c->state, args->restrictions, args->restrictions_len);
    const struct ch_scopes gets = ch_scopes_but(ch_scopes_at(c->state, role->scopes), denied);
    if (!covers(c, CH_reach_account, gets)) {
        return CH_REJ_none;
    }
    if (ch_find_user_hash(c->state, CH_KIND_username, args->username.hash) != 0) {
        return ch_reject(c, CH_REJ_username_taken, "username");
    }
    if (args->has_expires_at && args->expires_at <= c->moment->now) {
        return ch_reject(c, CH_REJ_in_the_past, "expires_at");
    }
    struct ch_ev_login_created *user = ch_emit(c, CH_EV_login_created, account);
    if (user == NULL) return CH_REJ_none;
    const uint64_t user_id = last_seq(c);
    user->number = ch_meta(c->state)->next_user_number;
    user->has_username = true;
    user->username = args->username;
    user->has_full_name = args->has_full_name;
    user->full_name = args->full_name;
    struct ch_ev_share_given *share = ch_emit(c, CH_EV_share_given, account);
    if (share == NULL) return CH_REJ_none;
    const uint64_t share_id = last_seq(c);
    share->subject_kind = CH_subject_kind_user;
    share->subject = user_id;
    share->kind = CH_share_kind_login;
    share->has_role = true;
    share->role.seq = role->id;
    share->has_expires_at = args->has_expires_at;
    share->expires_at = args->expires_at;
    if (!ch_scopes_empty(denied)) emit_restricted(c, share_id, denied);
    emit_password(c, args, user_id);
    return CH_REJ_none;
}

/* The share of the other login that args name; 0 after refusing. */
static uint32_t login_to_change(struct ch_case *c, const struct ch_ref *user)
{
    const uint32_t row = ch_share_to_change(c, true, user, false, NULL);
    if (row == 0 || ch_share_row(c->state, row)->kind == CH_share_kind_login) return row;
    (void)ch_reject(c, CH_REJ_not_a_login, "user");
    return 0;
}

enum ch_rejection_code ch_decide_login_edit(struct ch_case *c)
{
    const struct ch_cmd_login_edit *args = c->call->args;
    const uint32_t row = login_to_change(c, &args->user);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const struct ch_scopes now = ch_scopes_at(c->state, ch_terms_of(c->state, share)->denied);
    const struct ch_scopes denied =
        restricted(c->state, args->restrictions, args->restrictions_len);
    if (!covers(c, share->reach, ch_scopes_but(now, denied))) return CH_REJ_none;
    if (!ch_scopes_equal(now, denied)) emit_restricted(c, share->id, denied);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_login_delete(struct ch_case *c)
{
    const struct ch_cmd_login_delete *args = c->call->args;
    const uint32_t row = login_to_change(c, &args->user);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const struct ch_row_user *user = ch_user_row(c->state, share->subject);
    const struct ch_scopes lifted = ch_lifted_by_share(c, row);
    if (!ch_scopes_empty(lifted)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "user", lifted);
    }
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    struct ch_ev_share_ended *ended = ch_emit(c, CH_EV_share_ended, account);
    if (ended == NULL) return CH_REJ_none;
    ended->share.seq = share->id;
    if (user->is_login == 0 || user->share_count > 1) return CH_REJ_none; /* a person elsewhere */
    struct ch_ev_login_deleted *body = ch_emit(c, CH_EV_login_deleted, account);
    if (body != NULL) body->user.seq = user->id;
    return CH_REJ_none;
}
