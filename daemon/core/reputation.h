/* reputation: what is counted of an account's mail, and the rates made of it.
 * SPDX-License-Identifier: MIT
 * A stream row is one sort of mail of an account (key 0) or of one of its keys; what a key sent is
 * counted in both. Rates are made of the last RATE_DAYS days, today's included, in whole parts per
 * million, rounded down. */
#ifndef CH_CORE_REPUTATION_H
#define CH_CORE_REPUTATION_H
#include "daemon/core/state.h"

#define CH_DAY_NS UINT64_C(86400000000000)
enum { CH_PPM = 1000000, CH_MEASURES = 2 };

static inline uint32_t ch_day_of(uint64_t at)
{
    return (uint32_t)(at / CH_DAY_NS);
}

/* account: a row; key: an id, 0 for the whole account's. 0: nothing was counted or stopped yet. */
uint32_t ch_find_stream(const struct ch_state *state, uint32_t account, uint64_t key,
                        uint8_t stream);
uint64_t ch_hash_stream(uint32_t account, uint64_t key, uint8_t stream);
uint32_t ch_find_threshold(const struct ch_state *state, uint32_t account);

/* What an account's rates are measured against: its own thresholds, or the limits of the log. */
struct ch_thresholds {
    uint64_t ppm[CH_MEASURES]; /* by enum ch_measure; 0: never */
    uint64_t volume;
    uint64_t seq; /* the event that gave it its own; 0: it has none */
};
struct ch_thresholds ch_thresholds_of(const struct ch_state *state, uint32_t account);

/* The first day that a rate is made of, and the first one kept singly, on a day. */
uint32_t ch_rate_from(const struct ch_state *state, uint32_t today);
uint32_t ch_series_from(const struct ch_state *state, uint32_t today);

/* What was counted of a stream (row 0: nothing) from a day on. */
void ch_counted_from(const struct ch_state *state, uint32_t stream, uint32_t from,
                     uint64_t ret[CH_COUNTS]);

/* part of whole in parts per million; at most a million, also where there is no whole. */
uint64_t ch_ppm(uint64_t part, uint64_t whole);

struct ch_rate {
    uint64_t whole; /* the messages it is made of: sent, or delivered */
    uint64_t ppm;
    bool counts; /* there are enough of them */
    bool passed; /* it counts and is above the threshold */
};
struct ch_rate ch_rate_of(const uint64_t count[CH_COUNTS], const struct ch_thresholds *thresholds,
                          enum ch_measure measure);

/* The account after `at` in the tree of `top`, top first; 0: that was the last. */
uint32_t ch_tree_next(const struct ch_state *state, uint32_t top, uint32_t at);
#endif
