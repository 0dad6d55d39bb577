/* apply_review: how often shares are certified, and when they were certified and used; see
 * apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/use.h"

void ch_apply_review_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_review_set *body = event->body;
    struct ch_row_settings *settings =
        ch_edit_settings(state, ch_find_account(state, event->account));
    settings->review_days = body->has_every_days ? (uint32_t)body->every_days : 0;
    settings->review_seq = event->seq;
}

static struct ch_row_share *edit(struct ch_state *state, struct ch_share_id id)
{
    const uint32_t row = ch_find_share_id(state, id.seq);
    CH_CHECK(row != 0);
    return ch_row_edit(&state->store, CH_T_SHARE, row);
}

void ch_apply_access_certified(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_certified *body = event->body;
    const uint32_t person = ch_person_behind(state, &event->actor);
    for (uint32_t i = 0; i < body->shares_len; i++) {
        const uint32_t row = ch_find_share_id(state, body->shares[i].seq);
        edit(state, body->shares[i])->certified_day = ch_day_of(event->at);
        ch_edit_terms(state, row)->certified_by = person;
        ch_settle_terms(state, row);
    }
}

/* A share that was made active again since keeps the later day. */
void ch_apply_access_used(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_used *body = event->body;
    const uint32_t day = ch_day_of(body->day);
    for (uint32_t i = 0; i < body->shares_len; i++) {
        struct ch_row_share *share = edit(state, body->shares[i]);
        if (day >= ch_day_in(share->used_day)) share->used_day = day;
    }
}
