/* apply_password: passwords; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

void ch_apply_password_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_password_set *body = event->body;
    const uint32_t row = ch_find_user(state, body->user.seq);
    const uint64_t old = ch_user_row(state, row)->password_seq;
    const uint32_t stays = body->has_session ? ch_find_session(state, body->session.seq) : 0;
    ch_end_sessions(state, row, stays, event->seq);
    if (old != 0) ch_sealed_drop(state, old);
    ch_sealed_keep(state, event);
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->password_seq = event->seq;
    user->changed = event->seq;
}
