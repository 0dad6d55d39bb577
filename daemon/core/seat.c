/* seat: the place of a user in the list of an account's users; see apply.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"

static struct ch_row_seat *edit(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_seat *seat = ch_row_edit(&state->store, CH_T_SEAT, row);
    seat->changed = seq;
    return seat;
}

static uint32_t make(struct ch_state *state, uint32_t user, uint32_t account, uint64_t seq)
{
    const uint32_t row = ch_row_take(&state->store, CH_T_SEAT);
    struct ch_row_seat *seat = edit(state, row, seq);
    seat->user = user;
    seat->account = account;
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    seat->next_of_account = owner->first_seat;
    owner->first_seat = row;
    owner->seat_count++;
    ch_index_insert(&state->store, CH_I_SEAT, ch_hash_seat(user, account), row);
    return row;
}

uint32_t ch_seat_sit(struct ch_state *state, uint32_t share_row, uint64_t seq)
{
    const struct ch_row_share *share = ch_share_row(state, share_row);
    uint32_t row = ch_find_seat(state, share->subject, share->account);
    if (row == 0) row = make(state, share->subject, share->account, seq);
    edit(state, row, seq)->share = share_row;
    return row;
}

void ch_seat_leave(struct ch_state *state, uint32_t share_row, uint64_t seq)
{
    const struct ch_row_share *share = ch_share_row(state, share_row);
    struct ch_row_seat *seat = edit(state, share->seat, seq);
    seat->share = 0;
    seat->kind = share->kind;
    if (seat->role_name != 0) ch_text_drop(state, seat->role_name);
    seat->role_name = 0;
    if (share->role != 0) { /* the role may be deleted while its name stays here */
        char name[128];
        const uint32_t text = ch_role_row(state, share->role)->name;
        const size_t len = ch_chain_get(state, CH_T_TEXT, text, name, sizeof name);
        seat->role_name = ch_text_take(state, (struct ch_text){name, len});
    }
    const bool waits =
        seat->invitation == CH_invitation_open || seat->invitation == CH_invitation_expired;
    if (waits) seat->invitation = CH_invitation_cancelled;
    ch_due_set(state, CH_DUE_INVITATION, share->seat, 0);
}

void ch_end_seat(struct ch_state *state, uint32_t row)
{
    const struct ch_row_seat seat = *ch_seat_row(state, row);
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, seat.account);
    CH_CHECK(owner->first_seat == row && seat.share == 0 && seat.due == 0);
    owner->first_seat = seat.next_of_account;
    owner->seat_count--;
    ch_index_remove(&state->store, CH_I_SEAT, ch_hash_seat(seat.user, seat.account), row);
    if (seat.invitation != CH_invitation_none) {
        ch_index_remove(&state->store, CH_I_TOKEN, ch_hash_token(seat.token_hash), row);
    }
    if (seat.role_name != 0) ch_text_drop(state, seat.role_name);
    ch_row_give(&state->store, CH_T_SEAT, row);
}

void ch_seat_activate(struct ch_state *state, uint32_t row, const struct ch_event *event)
{
    struct ch_row_seat *seat = edit(state, row, event->seq);
    if (seat->first_at == 0) seat->first_at = event->at == 0 ? 1 : event->at;
}

void ch_seat_invite(struct ch_state *state, uint32_t row, const struct ch_event *event,
                    struct ch_bytes token_hash, uint64_t open_until)
{
    struct ch_row_seat *seat = edit(state, row, event->seq);
    const bool anew = event->tag == CH_EV_invitation_sent && seat->invited_at != 0;
    if (seat->invitation != CH_invitation_none) {
        ch_index_remove(&state->store, CH_I_TOKEN, ch_hash_token(seat->token_hash), row);
    }
    memcpy(seat->token_hash, token_hash.ptr, sizeof seat->token_hash);
    ch_index_insert(&state->store, CH_I_TOKEN, ch_hash_token(seat->token_hash), row);
    seat->invitation = CH_invitation_open;
    if (!anew) seat->invited_at = event->at;
    seat->invited_seq = event->seq;
    seat->open_until = open_until;
    ch_due_set(state, CH_DUE_INVITATION, row, open_until);
}

void ch_seat_answer(struct ch_state *state, uint32_t row, const struct ch_event *event,
                    enum ch_invitation invitation)
{
    edit(state, row, event->seq)->invitation = invitation;
    ch_due_set(state, CH_DUE_INVITATION, row, 0);
}
