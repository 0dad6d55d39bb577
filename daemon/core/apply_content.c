/* apply_content: content that is fed to accounts below; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_feed *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_FEED, row);
}

void ch_apply_content_fed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_content_fed *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    struct ch_row_settings *settings = ch_edit_settings(state, account);
    const uint32_t row = ch_row_take(&state->store, CH_T_FEED);
    struct ch_row_feed *feed = edit(state, row);
    feed->account = account;
    feed->kind = body->kind;
    feed->resource = ch_text_take(state, body->resource);
    feed->to = body->has_to ? ch_find_account(state, body->to.seq) : 0;
    feed->seq = event->seq;
    feed->next = settings->first_feed;
    if (feed->next != 0) edit(state, feed->next)->prev = row;
    settings->first_feed = row;
    settings->feed_count++;
    ch_index_insert(&state->store, CH_I_FEED,
                    ch_hash_feed(account, body->kind, feed->resource, feed->to), row);
}

void ch_apply_content_unfed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_content_unfed *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t to = body->has_to ? ch_find_account(state, body->to.seq) : 0;
    const uint32_t row =
        ch_find_feed(state, account, body->kind, ch_text_find(state, body->resource), to);
    const struct ch_row_feed gone = *ch_feed_row(state, row);
    struct ch_row_settings *settings = ch_edit_settings(state, account);
    if (gone.next != 0) edit(state, gone.next)->prev = gone.prev;
    if (gone.prev != 0) {
        edit(state, gone.prev)->next = gone.next;
    } else {
        settings->first_feed = gone.next;
    }
    settings->feed_count--;
    ch_index_remove(&state->store, CH_I_FEED,
                    ch_hash_feed(account, (uint8_t)gone.kind, gone.resource, to), row);
    ch_text_drop(state, gone.resource);
    ch_row_give(&state->store, CH_T_FEED, row);
}
