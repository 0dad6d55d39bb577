/* invariant_reputation: what must hold of statistics and stopped streams; see invariant.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/invariant.h"
#include "daemon/core/reputation.h"

#define HOLDS(condition, sentence)                                                                 \
    do {                                                                                           \
        if (!(condition)) return (sentence);                                                       \
    } while (0)

static bool live(const struct ch_state *state, uint32_t table, uint32_t row)
{
    return row != 0 && row <= state->store.tables[table].used &&
           ch_row_is_live(&state->store, table, row);
}

static const char *days_of(const struct ch_state *s, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(s, row);
    uint64_t sum[CH_COUNTS] = {0};
    uint32_t count = 0;
    uint32_t before = 0;
    for (uint32_t d = stream->first_day; d != 0; d = ch_day_row(s, d)->next) {
        HOLDS(count < stream->day_count && live(s, CH_T_DAY, d), "a stream has the days it counts");
        const struct ch_row_day *day = ch_day_row(s, d);
        HOLDS(day->stream == row && day->prev == before, "a stream's days are linked both ways");
        HOLDS(before == 0 || ch_day_row(s, before)->day < day->day, "a stream's days ascend");
        for (uint32_t i = 0; i < CH_COUNTS; i++) {
            sum[i] += day->count[i];
        }
        before = d;
        count++;
    }
    HOLDS(count == stream->day_count && stream->last_day == before, "a stream's days end");
    for (uint32_t i = 0; i < CH_COUNTS; i++) {
        HOLDS(sum[i] <= stream->total[i], "the days are part of the total");
        HOLDS(stream->total[i] <= CH_MAX_INTEGER, "a total fits the wire");
    }
    return NULL;
}

static const char *one_stream(const struct ch_state *s, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(s, row);
    HOLDS(live(s, CH_T_ACCOUNT, stream->account), "a stream has an account");
    HOLDS(stream->stream <= CH_mail_stream_transactional, "a stream is of a sort");
    HOLDS(ch_find_stream(s, stream->account, stream->key, (uint8_t)stream->stream) == row,
          "a stream is found, and is there once");
    HOLDS(stream->changed <= ch_meta(s)->head, "a stream changed by an event");
    for (uint32_t i = 0; i < 2; i++) {
        HOLDS(stream->alert_seq[i] <= stream->changed && stream->stopped_seq[i] <= stream->changed,
              "what is said of a stream was said by an event");
    }
    if (stream->key == 0) return days_of(s, row);
    const uint32_t whole = ch_find_stream(s, stream->account, 0, (uint8_t)stream->stream);
    for (uint32_t i = 0; i < CH_COUNTS; i++) {
        HOLDS(stream->total[i] == 0 ||
                  (whole != 0 && stream->total[i] <= ch_stream_row(s, whole)->total[i]),
              "what a key sent is counted for its account, too");
    }
    return days_of(s, row);
}

static const char *streams_of(const struct ch_state *s, uint32_t account, uint64_t *ret_count)
{
    const struct ch_row_account *row = ch_account_row(s, account);
    uint32_t count = 0;
    uint32_t stopped = 0;
    uint32_t stopped_keys = 0;
    for (uint32_t t = row->first_stream; t != 0; t = ch_stream_row(s, t)->next_of_account) {
        HOLDS(count < row->stream_count && live(s, CH_T_STREAM, t) &&
                  ch_stream_row(s, t)->account == account,
              "an account has the streams it counts");
        count++;
        const struct ch_row_stream *stream = ch_stream_row(s, t);
        if ((stream->stopped_seq[0] | stream->stopped_seq[1]) == 0) continue;
        if (stream->key == 0) {
            stopped |= UINT32_C(1) << stream->stream;
        } else {
            stopped_keys++;
        }
    }
    HOLDS(count == row->stream_count, "an account has the streams it counts");
    HOLDS(stopped == row->stopped && stopped_keys == row->stopped_keys,
          "an account knows which of its streams are stopped");
    *ret_count += count;
    return NULL;
}

const char *ch_invariant_reputation(const struct ch_state *s)
{
    const char *broken = NULL;
    uint64_t days = 0;
    uint64_t streams = 0;
    for (uint32_t r = ch_row_next(&s->store, CH_T_STREAM, 0); r != 0 && broken == NULL;
         r = ch_row_next(&s->store, CH_T_STREAM, r)) {
        broken = one_stream(s, r);
        days += ch_stream_row(s, r)->day_count;
    }
    for (uint32_t a = ch_row_next(&s->store, CH_T_ACCOUNT, 0); a != 0 && broken == NULL;
         a = ch_row_next(&s->store, CH_T_ACCOUNT, a)) {
        broken = streams_of(s, a, &streams);
    }
    if (broken != NULL) return broken;
    HOLDS(days == ch_table_live(&s->store, CH_T_DAY), "a day is of one stream");
    HOLDS(streams == ch_table_live(&s->store, CH_T_STREAM), "a stream is of one account");
    for (uint32_t r = ch_row_next(&s->store, CH_T_THRESHOLD, 0); r != 0;
         r = ch_row_next(&s->store, CH_T_THRESHOLD, r)) {
        const struct ch_row_threshold *own = ch_threshold_row(s, r);
        HOLDS(live(s, CH_T_ACCOUNT, own->account) && ch_find_threshold(s, own->account) == r,
              "an account's thresholds are found, and are there once");
        HOLDS(own->own != 0 && own->own < 8 && own->seq <= ch_meta(s)->head,
              "thresholds of an account's own say something");
    }
    return NULL;
}
