/* apply_reputation: statistics, alerts, thresholds and stopped streams; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/reputation.h"

/* Days that one event takes away at most; as each event adds one at most, they stay few. */
enum { DAYS_FOLDED = 2 };

static struct ch_row_stream *edit(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_stream *stream = ch_row_edit(&state->store, CH_T_STREAM, row);
    stream->changed = seq;
    return stream;
}

/* The row of a stream, made when it is met first. */
static uint32_t stream_of(struct ch_state *state, uint32_t account, uint64_t key, uint8_t kind)
{
    const uint32_t known = ch_find_stream(state, account, key, kind);
    if (known != 0) return known;
    const uint32_t row = ch_row_take(&state->store, CH_T_STREAM);
    struct ch_row_stream *stream = ch_row_edit(&state->store, CH_T_STREAM, row);
    stream->account = account;
    stream->key = key;
    stream->stream = kind;
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    stream->next_of_account = owner->first_stream;
    owner->first_stream = row;
    owner->stream_count++;
    ch_index_insert(&state->store, CH_I_STREAM, ch_hash_stream(account, key, kind), row);
    return row;
}

/* The row of today, at the end of the stream's days. */
static uint32_t day_of(struct ch_state *state, uint32_t row, uint32_t today)
{
    const uint32_t last = ch_stream_row(state, row)->last_day;
    if (last != 0 && ch_day_row(state, last)->day >= today) return last;
    const uint32_t fresh = ch_row_take(&state->store, CH_T_DAY);
    struct ch_row_day *day = ch_row_edit(&state->store, CH_T_DAY, fresh);
    day->stream = row;
    day->day = today;
    day->prev = last;
    struct ch_row_stream *stream = ch_row_edit(&state->store, CH_T_STREAM, row);
    stream->last_day = fresh;
    stream->day_count++;
    if (last == 0) {
        stream->first_day = fresh;
    } else {
        struct ch_row_day *before = ch_row_edit(&state->store, CH_T_DAY, last);
        before->next = fresh;
    }
    return fresh;
}

/* Days that are too old stay in the totals only. */
static void fold_days(struct ch_state *state, uint32_t row, uint32_t today)
{
    const uint32_t from = ch_series_from(state, today);
    for (uint32_t folded = 0; folded < DAYS_FOLDED; folded++) {
        const uint32_t first = ch_stream_row(state, row)->first_day;
        if (first == 0 || ch_day_row(state, first)->day >= from) return;
        const uint32_t next = ch_day_row(state, first)->next;
        struct ch_row_stream *stream = ch_row_edit(&state->store, CH_T_STREAM, row);
        stream->first_day = next;
        stream->day_count--;
        if (next == 0) {
            stream->last_day = 0;
        } else {
            struct ch_row_day *after = ch_row_edit(&state->store, CH_T_DAY, next);
            after->prev = 0;
        }
        ch_row_give(&state->store, CH_T_DAY, first);
    }
}

static void add(struct ch_state *state, const struct ch_event *event, uint64_t key)
{
    const struct ch_ev_stats_added *body = event->body;
    const uint64_t more[CH_COUNTS] = {body->sent,        body->delivered, body->bounced,
                                      body->complained,  body->opened,    body->clicked,
                                      body->unsubscribed};
    const uint32_t today = ch_day_of(event->at);
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row = stream_of(state, account, key, body->stream);
    const uint32_t place = day_of(state, row, today);
    struct ch_row_stream *stream = edit(state, row, event->seq);
    struct ch_row_day *day = ch_row_edit(&state->store, CH_T_DAY, place);
    for (uint32_t i = 0; i < CH_COUNTS; i++) {
        stream->total[i] += more[i];
        day->count[i] += more[i];
    }
    fold_days(state, row, today);
}

void ch_apply_stats_added(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_stats_added *body = event->body;
    add(state, event, 0);
    if (body->has_key) add(state, event, body->key.seq);
}

void ch_apply_reputation_alert(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_reputation_alert *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row =
        ch_find_stream(state, account, body->has_key ? body->key.seq : 0, body->stream);
    CH_CHECK(body->measure < CH_MEASURES);
    edit(state, row, event->seq)->alert_seq[body->measure] = event->seq;
}

void ch_apply_reputation_recovered(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_reputation_recovered *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row =
        ch_find_stream(state, account, body->has_key ? body->key.seq : 0, body->stream);
    CH_CHECK(body->measure < CH_MEASURES);
    edit(state, row, event->seq)->alert_seq[body->measure] = 0;
}

void ch_apply_thresholds_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_thresholds_set *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    uint32_t row = ch_find_threshold(state, account);
    const uint32_t own = (body->has_bounce_ppm ? 1u : 0) | (body->has_complaint_ppm ? 2u : 0) |
                         (body->has_volume ? 4u : 0);
    struct ch_row_account *owner = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    owner->changed = event->seq;
    if (own == 0) {
        if (row == 0) return;
        ch_index_remove(&state->store, CH_I_THRESHOLD, ch_hash_mix(account, 0), row);
        ch_row_give(&state->store, CH_T_THRESHOLD, row);
        return;
    }
    if (row == 0) {
        row = ch_row_take(&state->store, CH_T_THRESHOLD);
        ch_index_insert(&state->store, CH_I_THRESHOLD, ch_hash_mix(account, 0), row);
    }
    struct ch_row_threshold *threshold = ch_row_edit(&state->store, CH_T_THRESHOLD, row);
    threshold->account = account;
    threshold->own = own;
    threshold->seq = event->seq;
    threshold->bounce_ppm = body->has_bounce_ppm ? body->bounce_ppm : 0;
    threshold->complaint_ppm = body->has_complaint_ppm ? body->complaint_ppm : 0;
    threshold->volume = body->has_volume ? body->volume : 0;
}

/* Beside the stream's row the account says which of its streams are stopped, so that a check need
 * not look for them. */
static void mark_stopped(struct ch_state *state, uint32_t row, uint64_t seq, bool was)
{
    const struct ch_row_stream *stream = ch_stream_row(state, row);
    const bool is = (stream->stopped_seq[0] | stream->stopped_seq[1]) != 0;
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, stream->account);
    account->changed = seq;
    if (is == was) return;
    const uint32_t bit = UINT32_C(1) << stream->stream;
    if (stream->key != 0) {
        account->stopped_keys += is ? 1 : UINT32_MAX; /* one less */
    } else if (is) {
        account->stopped |= bit;
    } else {
        account->stopped &= ~bit;
    }
}

void ch_apply_stream_stopped(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_stream_stopped *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row = stream_of(state, account, body->has_key ? body->key.seq : 0, body->stream);
    struct ch_row_stream *stream = edit(state, row, event->seq);
    const bool was = (stream->stopped_seq[0] | stream->stopped_seq[1]) != 0;
    stream->stopped_seq[body->by_operator] = event->seq;
    mark_stopped(state, row, event->seq, was);
    ch_sealed_keep(state, event);
}

void ch_apply_stream_resumed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_stream_resumed *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row =
        ch_find_stream(state, account, body->has_key ? body->key.seq : 0, body->stream);
    struct ch_row_stream *stream = edit(state, row, event->seq);
    const uint64_t stopped = stream->stopped_seq[body->by_operator];
    stream->stopped_seq[body->by_operator] = 0;
    mark_stopped(state, row, event->seq, true);
    ch_sealed_drop(state, stopped);
}
