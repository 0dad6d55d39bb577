/* reputation: see reputation.h. SPDX-License-Identifier: MIT */
#include "daemon/core/reputation.h"

uint64_t ch_hash_stream(uint32_t account, uint64_t key, uint8_t stream)
{
    return ch_hash_mix((uint64_t)account << 8 | stream, key);
}

uint32_t ch_find_stream(const struct ch_state *state, uint32_t account, uint64_t key,
                        uint8_t stream)
{
    struct ch_probe probe =
        ch_probe_start(&state->store, CH_I_STREAM, ch_hash_stream(account, key, stream));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        const struct ch_row_stream *found = ch_stream_row(state, row);
        if (found->account == account && found->key == key && found->stream == stream) return row;
    }
    return 0;
}

uint32_t ch_find_threshold(const struct ch_state *state, uint32_t account)
{
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_THRESHOLD, ch_hash_mix(account, 0));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (ch_threshold_row(state, row)->account == account) return row;
    }
    return 0;
}

struct ch_thresholds ch_thresholds_of(const struct ch_state *state, uint32_t account)
{
    const struct ch_row_meta *meta = ch_meta(state);
    struct ch_thresholds ret = {.ppm = {meta->bounce_ppm, meta->complaint_ppm},
                                .volume = meta->rate_volume};
    const uint32_t row = ch_find_threshold(state, account);
    if (row == 0) return ret;
    const struct ch_row_threshold *own = ch_threshold_row(state, row);
    if ((own->own & 1) != 0) ret.ppm[CH_measure_bounces] = own->bounce_ppm;
    if ((own->own & 2) != 0) ret.ppm[CH_measure_complaints] = own->complaint_ppm;
    if ((own->own & 4) != 0) ret.volume = own->volume;
    ret.seq = own->seq;
    return ret;
}

/* The first of `days` days up to and with today; without a limit every day counts. */
static uint32_t first_of(uint64_t days, uint32_t today)
{
    return days == 0 || days > today ? 0 : today + 1 - (uint32_t)days;
}

uint32_t ch_rate_from(const struct ch_state *state, uint32_t today)
{
    return first_of(ch_meta(state)->rate_days, today);
}

uint32_t ch_series_from(const struct ch_state *state, uint32_t today)
{
    return first_of(ch_meta(state)->series_days, today);
}

void ch_counted_from(const struct ch_state *state, uint32_t stream, uint32_t from,
                     uint64_t ret[CH_COUNTS])
{
    memset(ret, 0, CH_COUNTS * sizeof *ret);
    uint32_t day = stream == 0 ? 0 : ch_stream_row(state, stream)->last_day;
    while (day != 0 && ch_day_row(state, day)->day >= from) {
        const struct ch_row_day *row = ch_day_row(state, day);
        for (uint32_t i = 0; i < CH_COUNTS; i++) {
            ret[i] += row->count[i];
        }
        day = row->prev;
    }
}

/* Long division, digit by digit: part * 1,000,000 does not fit into 64 bits. */
uint64_t ch_ppm(uint64_t part, uint64_t whole)
{
    if (part == 0) return 0;
    if (part >= whole) return CH_PPM;
    uint64_t ppm = 0;
    for (uint32_t digit = 0; digit < 6; digit++) {
        part *= 10;
        ppm = ppm * 10 + part / whole;
        part %= whole;
    }
    return ppm;
}

struct ch_rate ch_rate_of(const uint64_t count[CH_COUNTS], const struct ch_thresholds *thresholds,
                          enum ch_measure measure)
{
    const bool bounces = measure == CH_measure_bounces;
    const uint64_t part = count[bounces ? CH_COUNT_BOUNCED : CH_COUNT_COMPLAINED];
    const uint64_t whole = count[bounces ? CH_COUNT_SENT : CH_COUNT_DELIVERED];
    struct ch_rate rate = {.whole = whole,
                           .ppm = ch_ppm(part, whole),
                           .counts = whole > 0 && whole >= thresholds->volume};
    const uint64_t threshold = thresholds->ppm[measure];
    rate.passed = rate.counts && threshold > 0 && rate.ppm > threshold;
    return rate;
}

uint32_t ch_tree_next(const struct ch_state *state, uint32_t top, uint32_t at)
{
    const struct ch_row_account *row = ch_account_row(state, at);
    if (row->first_child != 0) return row->first_child;
    while (at != top && ch_account_row(state, at)->next_sibling == 0) {
        at = ch_account_row(state, at)->parent;
    }
    return at == top ? 0 : ch_account_row(state, at)->next_sibling;
}
