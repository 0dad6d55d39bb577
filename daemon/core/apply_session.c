/* apply_session: sessions; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_session *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_SESSION, row);
}

static struct ch_row_user *edit_user(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->changed = seq;
    return user;
}

void ch_apply_session_opened(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_session_opened *body = event->body;
    const uint32_t owner = ch_find_user(state, body->user.seq);
    const uint32_t row = ch_row_take(&state->store, CH_T_SESSION);
    struct ch_row_session *session = edit(state, row);
    session->user = owner;
    session->id = event->seq;
    session->changed = event->seq;
    session->expires_at = body->expires_at;
    session->account = body->has_current ? ch_find_account(state, body->current.seq) : 0;
    memcpy(session->hash, body->hash.ptr, sizeof session->hash);
    struct ch_row_user *user = edit_user(state, owner, event->seq);
    user->last_login_at = event->at;
    session->next_of_user = user->first_session;
    user->first_session = row;
    user->session_count++;
    if (session->next_of_user != 0) edit(state, session->next_of_user)->prev_of_user = row;
    ch_index_insert(&state->store, CH_I_SESSION_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_SESSION_HASH, ch_hash_secret(body->hash.ptr), row);
    ch_due_set(state, CH_DUE_SESSION, row, body->expires_at);
}

void ch_apply_session_moved(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_session_moved *body = event->body;
    struct ch_row_session *session = edit(state, ch_find_session(state, body->session.seq));
    session->account = ch_find_account(state, body->current.seq);
    session->changed = event->seq;
}

void ch_end_session(struct ch_state *state, uint32_t row, uint64_t seq)
{
    ch_due_set(state, CH_DUE_SESSION, row, 0);
    const struct ch_row_session session = *ch_session_row(state, row);
    if (session.next_of_user != 0) {
        edit(state, session.next_of_user)->prev_of_user = session.prev_of_user;
    }
    struct ch_row_user *user = edit_user(state, session.user, seq);
    if (session.prev_of_user != 0) {
        edit(state, session.prev_of_user)->next_of_user = session.next_of_user;
    } else {
        user->first_session = session.next_of_user;
    }
    user->session_count--;
    ch_index_remove(&state->store, CH_I_SESSION_ID, ch_hash_mix(session.id, 0), row);
    ch_index_remove(&state->store, CH_I_SESSION_HASH, ch_hash_secret(session.hash), row);
    ch_row_give(&state->store, CH_T_SESSION, row);
}

void ch_end_sessions(struct ch_state *state, uint32_t user, uint32_t but, uint64_t seq)
{
    uint32_t row = ch_user_row(state, user)->first_session;
    while (row != 0) {
        const uint32_t next = ch_session_row(state, row)->next_of_user;
        if (row != but) ch_end_session(state, row, seq);
        row = next;
    }
}

void ch_apply_session_closed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_session_closed *body = event->body;
    ch_end_session(state, ch_find_session(state, body->session.seq), event->seq);
}

void ch_apply_session_expired(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_session_expired *body = event->body;
    ch_end_session(state, ch_find_session(state, body->session.seq), event->seq);
}
