/* seat: the place of a user in the list of an account's users; see apply.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"

static struct ch_row_seat *edit(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_seat *seat = ch_row_edit(&state->store, CH_T_SEAT, row);
    CH_CHECK(seq <= CH_MAX_INTEGER);
    seat->status_seq = seq & (UINT64_MAX >> 8);
    return seat;
}

static struct ch_row_invitation *edit_invitation(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_INVITATION, row);
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
    struct ch_row_seat *seat = edit(state, row, seq);
    if (ch_seat_role_name(seat) != 0) ch_text_drop(state, seat->holds);
    seat->holds = share_row;
    seat->ended = false;
    seat->by_date = false;
    return row;
}

void ch_seat_leave(struct ch_state *state, uint32_t share_row, uint64_t seq)
{
    const struct ch_row_share *share = ch_share_row(state, share_row);
    struct ch_row_seat *seat = edit(state, share->seat, seq);
    seat->holds = 0;
    seat->ended = true;
    seat->kind = share->kind;
    if (share->role != 0) { /* the role may be deleted while its name stays here */
        char name[128];
        const uint32_t text = ch_role_row(state, share->role)->name;
        const size_t len = ch_chain_get(state, CH_T_TEXT, text, name, sizeof name);
        seat->holds = ch_text_take(state, (struct ch_text){name, len});
    }
    if (seat->invitation == 0) return;
    const uint32_t status = ch_invitation_row(state, seat->invitation)->status;
    if (status != CH_invitation_open && status != CH_invitation_expired) return;
    edit_invitation(state, seat->invitation)->status = CH_invitation_cancelled;
    ch_due_set(state, CH_DUE_INVITATION, seat->invitation, 0);
}

static void end_invitation(struct ch_state *state, uint32_t row)
{
    const struct ch_row_invitation *last = ch_invitation_row(state, row);
    CH_CHECK(last->due == 0);
    ch_index_remove(&state->store, CH_I_TOKEN, ch_hash_token(last->token_hash), row);
    ch_row_give(&state->store, CH_T_INVITATION, row);
}

void ch_end_seat(struct ch_state *state, uint32_t row)
{
    const struct ch_row_seat seat = *ch_seat_row(state, row);
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, seat.account);
    CH_CHECK(owner->first_seat == row && seat.ended);
    owner->first_seat = seat.next_of_account;
    owner->seat_count--;
    ch_index_remove(&state->store, CH_I_SEAT, ch_hash_seat(seat.user, seat.account), row);
    if (seat.invitation != 0) end_invitation(state, seat.invitation);
    if (seat.holds != 0) ch_text_drop(state, seat.holds);
    ch_row_give(&state->store, CH_T_SEAT, row);
}

void ch_seat_ran_out(struct ch_state *state, uint32_t row, uint64_t seq)
{
    edit(state, row, seq)->by_date = true;
}

void ch_seat_stands(struct ch_state *state, uint32_t row, uint64_t seq)
{
    (void)edit(state, row, seq);
}

void ch_seat_activate(struct ch_state *state, uint32_t row, const struct ch_event *event)
{
    struct ch_row_seat *seat = edit(state, row, event->seq);
    if (seat->first_at == 0) seat->first_at = event->at == 0 ? 1 : event->at;
}

/* The seat's invitation, made with the first one; its token is out of the index. */
static uint32_t invitation_to(struct ch_state *state, uint32_t seat_row, uint64_t seq)
{
    struct ch_row_seat *seat = edit(state, seat_row, seq);
    if (seat->invitation == 0) {
        seat->invitation = ch_row_take(&state->store, CH_T_INVITATION);
        edit_invitation(state, seat->invitation)->seat = seat_row;
        return seat->invitation;
    }
    const struct ch_row_invitation *last = ch_invitation_row(state, seat->invitation);
    ch_index_remove(&state->store, CH_I_TOKEN, ch_hash_token(last->token_hash), seat->invitation);
    return seat->invitation;
}

void ch_seat_invite(struct ch_state *state, uint32_t row, const struct ch_event *event,
                    struct ch_bytes token_hash, uint64_t open_until)
{
    const uint32_t invitation = invitation_to(state, row, event->seq);
    struct ch_row_invitation *last = edit_invitation(state, invitation);
    const bool anew = event->tag == CH_EV_invitation_sent && last->invited_at != 0;
    memcpy(last->token_hash, token_hash.ptr, sizeof last->token_hash);
    ch_index_insert(&state->store, CH_I_TOKEN, ch_hash_token(last->token_hash), invitation);
    last->status = CH_invitation_open;
    if (!anew) last->invited_at = event->at;
    last->open_until = open_until;
    ch_due_set(state, CH_DUE_INVITATION, invitation, open_until);
}

void ch_seat_answer(struct ch_state *state, uint32_t row, enum ch_invitation status)
{
    const uint32_t invitation = ch_seat_row(state, row)->invitation;
    CH_CHECK(invitation != 0);
    edit_invitation(state, invitation)->status = status;
    ch_due_set(state, CH_DUE_INVITATION, invitation, 0);
}
