/* hist: a histogram of latencies with buckets of even relative width. SPDX-License-Identifier: MIT
 * Log-linear, as in HdrHistogram: each power of two is cut into 32 buckets, so a value read back is
 * within 3 % of the one put in. Adding is a shift and an increment, cheap enough for every message.
 * Threads: none; keep one per writer and merge them afterwards. */
#ifndef CH_BENCH_HIST_H
#define CH_BENCH_HIST_H
#include <stdint.h>

enum {
    CH_HIST_SUB_BITS = 5, /* 32 buckets a power of two */
    CH_HIST_MAX_BITS =
        40, /* values are nanoseconds below 2^40: 18 minutes; larger ones count as that */
    CH_HIST_BUCKETS = (CH_HIST_MAX_BITS - CH_HIST_SUB_BITS + 1) << CH_HIST_SUB_BITS,
};

/* A zeroed struct ch_hist is empty and ready. */
struct ch_hist {
    uint64_t count;
    uint64_t buckets[CH_HIST_BUCKETS];
};

void ch_hist_add(struct ch_hist *hist, uint64_t value_ns);
void ch_hist_merge(struct ch_hist *into, const struct ch_hist *from);

/* The value below or at which `fraction` (0..1) of all values lie, in nanoseconds; 0 when empty. */
double ch_hist_quantile_ns(const struct ch_hist *hist, double fraction);
#endif
