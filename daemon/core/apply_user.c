/* apply_user: who was invited, what people call themselves, deleted logins, erasure; see
 * apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

void ch_apply_user_invited(struct ch_state *state, const struct ch_event *event)
{
    ch_apply_user_created(state, event); /* the same but for what the user may do */
    struct ch_row_user *user =
        ch_row_edit(&state->store, CH_T_USER, ch_find_user(state, event->seq));
    user->status = CH_user_status_invited;
    user->status_seq = event->seq;
}
_Static_assert(offsetof(struct ch_ev_user_invited, number) ==
                   offsetof(struct ch_ev_user_created, number),
               "both begin with the number");

void ch_apply_profile_changed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_profile_changed *body = event->body;
    struct ch_row_user *user =
        ch_row_edit(&state->store, CH_T_USER, ch_find_user(state, body->user.seq));
    ch_sealed_drop(state, user->profile_seq);
    ch_sealed_keep(state, event);
    user->profile_seq = event->seq;
    user->changed = event->seq;
}

void ch_apply_login_created(struct ch_state *state, const struct ch_event *event)
{
    ch_apply_user_created(state, event);
    struct ch_row_user *user =
        ch_row_edit(&state->store, CH_T_USER, ch_find_user(state, event->seq));
    user->is_login = 1;
}
_Static_assert(offsetof(struct ch_ev_login_created, number) ==
                   offsetof(struct ch_ev_user_created, number),
               "both begin with the number");

void ch_apply_login_deleted(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_login_deleted *body = event->body;
    struct ch_row_user *user =
        ch_row_edit(&state->store, CH_T_USER, ch_find_user(state, body->user.seq));
    ch_sealed_free_names(state, user->profile_seq);
    user->changed = event->seq;
    if (user->status == CH_user_status_erased) return; /* that stays known */
    user->status = CH_user_status_deleted;
    user->status_seq = event->seq;
}

/* Shares stay: whose they were is a number from now on. */
void ch_apply_user_erased(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_user_erased *body = event->body;
    const uint32_t row = ch_find_user(state, body->user.seq);
    ch_end_sessions(state, row, /* but= */ 0, event->seq);
    if (ch_user_row(state, row)->password_seq != 0) {
        ch_sealed_drop(state, ch_user_row(state, row)->password_seq);
    }
    ch_sealed_free_names(state, ch_user_row(state, row)->profile_seq);
    ch_sealed_close(state, row);
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->password_seq = 0;
    user->status = CH_user_status_erased;
    user->status_seq = event->seq;
    user->changed = event->seq;
}
