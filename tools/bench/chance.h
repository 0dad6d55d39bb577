/* chance: a small generator of numbers that look random, the same for a seed everywhere.
 * SPDX-License-Identifier: MIT
 * SplitMix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014). */
#ifndef CH_BENCH_CHANCE_H
#define CH_BENCH_CHANCE_H
#include <stdint.h>

struct ch_chance {
    uint64_t state;
};

static inline uint64_t ch_chance_next(struct ch_chance *chance)
{
    chance->state += 0x9e3779b97f4a7c15u;
    uint64_t x = chance->state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* 0..below-1; of nothing 0. The bias for numbers far below 2^64 does not matter here. */
static inline uint64_t ch_chance_below(struct ch_chance *chance, uint64_t below)
{
    return below == 0 ? 0 : ch_chance_next(chance) % below;
}

/* 0..below-1, small ones far more often: the square of an even draw. */
static inline uint64_t ch_chance_skewed(struct ch_chance *chance, uint64_t below)
{
    double even = (double)(ch_chance_next(chance) >> 11) * 0x1p-53;
    return (uint64_t)(even * even * (double)below);
}
#endif
