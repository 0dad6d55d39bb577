/* apply_ownership: offers of ownership, and its passing; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_account *edit_account(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t row = ch_find_account(state, event->account);
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
    account->changed = event->seq;
    return account;
}

static void touch_user(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->changed = seq;
}

static void end_offer(struct ch_state *state, const struct ch_event *event)
{
    struct ch_row_account *account = edit_account(state, event);
    const uint32_t row = account->offer;
    if (row == 0) return;
    touch_user(state, ch_offer_row(state, row)->user, event->seq);
    ch_due_set(state, CH_DUE_OFFER, row, 0);
    account->offer = 0;
    ch_row_give(&state->store, CH_T_OFFER, row);
}

void ch_apply_ownership_offered(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_ownership_offered *body = event->body;
    const uint32_t row = ch_row_take(&state->store, CH_T_OFFER);
    struct ch_row_offer *offer = ch_row_edit(&state->store, CH_T_OFFER, row);
    offer->account = ch_find_account(state, event->account);
    offer->user = ch_find_user(state, body->user.seq);
    offer->seq = event->seq;
    offer->until = body->until;
    edit_account(state, event)->offer = row;
    touch_user(state, offer->user, event->seq);
    ch_due_set(state, CH_DUE_OFFER, row, body->until);
}

void ch_apply_ownership_withdrawn(struct ch_state *state, const struct ch_event *event)
{
    end_offer(state, event);
}

void ch_apply_ownership_declined(struct ch_state *state, const struct ch_event *event)
{
    end_offer(state, event);
}

void ch_apply_ownership_offer_expired(struct ch_state *state, const struct ch_event *event)
{
    end_offer(state, event);
}

/* What else somebody has in a tree that they own could only restrict them. */
static void end_shares(struct ch_state *state, uint32_t user, uint32_t root, uint64_t seq)
{
    uint32_t row = ch_user_row(state, user)->first_share;
    while (row != 0) {
        const uint32_t next = ch_share_row(state, row)->next_of_subject;
        if (ch_root_of(state, ch_share_row(state, row)->account) == root) {
            ch_end_share(state, row, seq);
        }
        row = next;
    }
}

void ch_apply_ownership_transferred(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_ownership_transferred *body = event->body;
    end_offer(state, event);
    end_shares(state, ch_find_user(state, body->user.seq), ch_find_account(state, event->account),
               event->seq);
    if (body->has_former) {
        const uint32_t row = ch_find_share_id(state, body->former.seq);
        struct ch_row_share *former = ch_row_edit(&state->store, CH_T_SHARE, row);
        former->role = ch_find_role(state, body->former_role.seq);
        former->role_seq = event->seq;
        former->changed = event->seq;
    }
    const struct ch_ev_share_given share = {.subject_kind = CH_subject_kind_user,
                                            .subject = body->user.seq,
                                            .kind = CH_share_kind_member,
                                            .has_role = true,
                                            .role = body->role,
                                            .reach = CH_reach_subtree};
    struct ch_event given = *event;
    given.body = &share;
    ch_apply_share_given(state, &given);
}
