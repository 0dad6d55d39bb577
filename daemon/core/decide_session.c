/* decide_session: rules of logging in and switching; see decide_impl.h.
 * SPDX-License-Identifier: MIT
 * A user who is not there, has no password or says a wrong one is told the same. */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

static const uint64_t second_ns = 1000000000u;

static bool may_switch(const struct ch_case *c, uint32_t user, uint32_t account)
{
    const struct ch_question question = {.user = user,
                                         .account = account,
                                         .wanted = ch_scopes_of(CH_SCOPE_account_switch),
                                         .channel = CH_channel_web,
                                         .now = c->moment->now};
    struct ch_answer answer;
    ch_access(c->state, &question, &answer, NULL, NULL);
    return answer.decision == CH_decision_allowed;
}

/* The account a session begins with: that of the user's oldest share that still leads there. */
static uint32_t first_account(const struct ch_case *c, uint32_t user)
{
    uint32_t found = 0;
    uint64_t oldest = UINT64_MAX;
    for (uint32_t s = ch_user_row(c->state, user)->first_share; s != 0;
         s = ch_share_row(c->state, s)->next_of_subject) {
        const struct ch_row_share *share = ch_share_row(c->state, s);
        if (share->id >= oldest || !may_switch(c, user, share->account)) continue;
        oldest = share->id;
        found = share->account;
    }
    return found;
}

static void close_session(struct ch_case *c, uint32_t row)
{
    const struct ch_row_session *session = ch_session_row(c->state, row);
    struct ch_ev_session_closed *body = ch_emit(c, CH_EV_session_closed, /* account= */ 0);
    if (body == NULL) return;
    body->session.seq = session->id;
    body->user.seq = ch_user_row(c->state, session->user)->id;
}

enum ch_rejection_code ch_decide_session_log_in(struct ch_case *c)
{
    const struct ch_cmd_session_log_in *args = c->call->args;
    const uint64_t seconds = args->has_seconds ? args->seconds : LIMIT_SESSION_USUAL_S;
    const uint32_t user = args->user.id == 0 ? 0 : ch_find_user(c->state, args->user.id);
    if (user == 0 || !ch_password_is(c->state, user, &args->password)) {
        return ch_reject(c, CH_REJ_wrong_credentials, NULL);
    }
    const struct ch_row_user *row = ch_user_row(c->state, user);
    if (row->status != CH_user_status_active) return ch_reject(c, CH_REJ_user_locked, NULL);
    if (seconds == 0 || seconds > LIMIT_SESSION_S)
        return ch_reject_limit(c, "SESSION_S", "seconds");
    if (row->session_count >= LIMIT_SESSIONS_OF_USER) {
        uint32_t oldest = row->first_session;
        while (ch_session_row(c->state, oldest)->next_of_user != 0) {
            oldest = ch_session_row(c->state, oldest)->next_of_user;
        }
        close_session(c, oldest);
    }
    const uint32_t account = first_account(c, user);
    struct ch_ev_session_opened *body = ch_emit(c, CH_EV_session_opened, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    body->user.seq = row->id;
    body->hash = ch_minted_hash(c);
    body->expires_at = c->moment->now + seconds * second_ns;
    body->has_current = account != 0;
    body->current.seq = account == 0 ? 0 : ch_account_row(c->state, account)->id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_session_log_out(struct ch_case *c)
{
    const struct ch_cmd_session_log_out *args = c->call->args;
    if (args->has_all && args->all) {
        for (uint32_t s = ch_user_row(c->state, c->moment->user_row)->first_session; s != 0;
             s = ch_session_row(c->state, s)->next_of_user) {
            close_session(c, s);
        }
        return CH_REJ_none;
    }
    const uint32_t row =
        args->has_session ? ch_find_session(c->state, args->session.seq) : c->moment->session_row;
    if (row == 0 || ch_session_row(c->state, row)->user != c->moment->user_row) {
        return ch_reject(c, CH_REJ_not_found, "session");
    }
    close_session(c, row);
    return CH_REJ_none;
}

bool ch_was_revoked(const struct ch_state *state, const struct ch_moment *moment, uint32_t account)
{
    for (uint32_t a = moment->user_row == 0 ? 0 : account; a != 0;
         a = ch_account_row(state, a)->parent) {
        const uint32_t row = ch_find_share(state, CH_subject_kind_user, moment->user_row, a);
        if (row == 0) continue;
        const struct ch_row_share *share = ch_share_row(state, row);
        if (a != account && share->reach != CH_reach_subtree) continue;
        if (share->status == CH_share_status_inactive) return true;
        if (ch_is_over(state, share, moment->now)) return true;
    }
    return false;
}

enum ch_rejection_code ch_decide_account_switch(struct ch_case *c)
{
    const uint32_t session = c->moment->session_row;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_account_switch);
    const struct ch_question question = {.user = c->moment->user_row,
                                         .account = c->on,
                                         .wanted = wanted,
                                         .channel = c->moment->channel,
                                         .now = c->moment->now};
    struct ch_answer answer;
    ch_access(c->state, &question, &answer, NULL, NULL);
    if (!answer.led) return ch_reject(c, CH_REJ_access_revoked, "on");
    if (answer.decision != CH_decision_allowed) {
        return ch_reject_scopes(c, CH_REJ_not_allowed, "on", wanted);
    }
    if (session == 0) return ch_reject(c, CH_REJ_not_found, "session");
    if (ch_session_row(c->state, session)->account == c->on) return CH_REJ_none;
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    struct ch_ev_session_moved *body = ch_emit(c, CH_EV_session_moved, account);
    if (body == NULL) return CH_REJ_none;
    body->session.seq = ch_session_row(c->state, session)->id;
    body->user.seq = ch_user_row(c->state, c->moment->user_row)->id;
    body->current.seq = account;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_open_own(struct ch_case *c)
{
    const struct ch_cmd_account_open_own *args = c->call->args;
    const struct ch_row_user *user = ch_user_row(c->state, c->moment->user_row);
    const uint32_t role = ch_find_role_name(c->state, 0, ch_text_of("owner"));
    if (role == 0) return ch_reject(c, CH_REJ_not_found, "name"); /* an older log lacks it */
    if (user->status != CH_user_status_active) return ch_reject(c, CH_REJ_user_locked, NULL);
    if (ch_find_account_name(c->state, 0, args->name) != 0) {
        return ch_reject(c, CH_REJ_name_taken, "name");
    }
    uint64_t owned = 0;
    for (uint32_t s = user->first_share; s != 0; s = ch_share_row(c->state, s)->next_of_subject) {
        owned += ch_share_row(c->state, s)->role == role;
    }
    if (owned >= LIMIT_OWN_ACCOUNTS) return ch_reject_limit(c, "OWN_ACCOUNTS", NULL);
    struct ch_ev_account_opened *opened = ch_emit(c, CH_EV_account_opened, /* account= */ 0);
    if (opened == NULL) return CH_REJ_none;
    const uint64_t account = c->ret->events[0].seq;
    c->ret->events[0].account = account;
    opened->name = args->name;
    ch_emit_first_key(c, account, /* above= */ 0);
    struct ch_ev_share_given *share = ch_emit(c, CH_EV_share_given, account);
    if (share == NULL) return CH_REJ_none;
    share->subject_kind = CH_subject_kind_user;
    share->subject = user->id;
    share->has_role = true;
    share->role.seq = ch_role_row(c->state, role)->id;
    share->reach = CH_reach_subtree;
    return CH_REJ_none;
}

void ch_session_due(struct ch_case *c, uint32_t row)
{
    const struct ch_row_session *session = ch_session_row(c->state, row);
    struct ch_ev_session_expired *body = ch_emit(c, CH_EV_session_expired, /* account= */ 0);
    if (body == NULL) return;
    body->session.seq = session->id;
    body->user.seq = ch_user_row(c->state, session->user)->id;
}
