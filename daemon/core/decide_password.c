/* decide_password: rules of passwords; see decide_impl.h. SPDX-License-Identifier: MIT
 * A password itself is never seen here: of a new one there is its verifier, of a present one
 * whether it is the one that was set by a certain event. */
#include "daemon/core/decide_impl.h"

bool ch_password_is(const struct ch_state *state, uint32_t user, const struct ch_secret *password)
{
    return password->good && password->of != 0 &&
           password->of == ch_user_row(state, user)->password_seq;
}

enum ch_rejection_code ch_decide_user_set_password(struct ch_case *c)
{
    const struct ch_cmd_user_set_password *args = c->call->args;
    const bool person = c->moment->actor.kind == CH_actor_kind_user;
    const bool platform = c->moment->actor.kind == CH_actor_kind_operator ||
                          c->moment->actor.kind == CH_actor_kind_service;
    const uint32_t user =
        args->has_user ? ch_find_user(c->state, args->user.id) : c->moment->user_row;
    if (person && user != c->moment->user_row) return ch_reject(c, CH_REJ_not_found, "user");
    if (!person && !platform) return ch_reject(c, CH_REJ_self_only, NULL);
    if (user == 0) return ch_reject(c, CH_REJ_not_found, "user");
    const struct ch_row_user *row = ch_user_row(c->state, user);
    if (person && row->status == CH_user_status_locked) {
        return ch_reject(c, CH_REJ_user_locked, NULL);
    }
    if (person && row->password_seq != 0 &&
        !(args->has_old && ch_password_is(c->state, user, &args->old))) {
        return ch_reject(c, CH_REJ_wrong_credentials, "old");
    }
    if (c->moment->actor.kind == CH_actor_kind_service && row->password_seq != 0) {
        return ch_reject(c, CH_REJ_password_known, "user");
    }
    struct ch_ev_password_set *body = ch_emit(c, CH_EV_password_set, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    CH_CHECK(args->password.verifier.len > 0);
    body->user.seq = row->id;
    body->has_session = c->moment->session_row != 0;
    if (body->has_session) {
        body->session.seq = ch_session_row(c->state, c->moment->session_row)->id;
    }
    body->has_verifier = true;
    body->verifier.text = args->password.verifier;
    return CH_REJ_none;
}
