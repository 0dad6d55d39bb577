/* apply_user: people who were invited, what they call themselves, deleted logins; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
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
    user->status = CH_user_status_deleted;
    user->status_seq = event->seq;
    user->changed = event->seq;
}
