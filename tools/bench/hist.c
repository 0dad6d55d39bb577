/* hist: see hist.h. SPDX-License-Identifier: MIT */
#include "tools/bench/hist.h"

#include <stddef.h>

enum { SUB = 1 << CH_HIST_SUB_BITS };

static size_t bucket_of(uint64_t value)
{
    if (value < SUB) return (size_t)value;
    if (value >> CH_HIST_MAX_BITS != 0) return CH_HIST_BUCKETS - 1;
    int top = 63 - __builtin_clzll(value); /* 5..39 */
    int shift = top - CH_HIST_SUB_BITS;
    return (size_t)(shift + 1) * SUB + (size_t)(value >> shift & (SUB - 1));
}

/* The middle of a bucket, so that rounding does not lean to one side. */
static double middle_of(size_t bucket)
{
    if (bucket < SUB) return (double)bucket;
    int shift = (int)(bucket / SUB) - 1;
    double width = (double)(1ULL << shift);
    return ((double)(SUB + bucket % SUB) + 0.5) * width;
}

void ch_hist_add(struct ch_hist *hist, uint64_t value_ns)
{
    hist->count++;
    hist->buckets[bucket_of(value_ns)]++;
}

void ch_hist_merge(struct ch_hist *into, const struct ch_hist *from)
{
    into->count += from->count;
    for (size_t i = 0; i < CH_HIST_BUCKETS; i++) {
        into->buckets[i] += from->buckets[i];
    }
}

double ch_hist_quantile_ns(const struct ch_hist *hist, double fraction)
{
    if (hist->count == 0) return 0;
    uint64_t wanted = (uint64_t)(fraction * (double)hist->count);
    if (wanted >= hist->count) wanted = hist->count - 1;
    uint64_t seen = 0;
    for (size_t i = 0; i < CH_HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (seen > wanted) return middle_of(i);
    }
    return middle_of(CH_HIST_BUCKETS - 1);
}
