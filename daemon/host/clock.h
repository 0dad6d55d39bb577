/* clock: what time it is. SPDX-License-Identifier: MIT
 * The only file that asks the machine for the time of day. A manual clock stands until it is moved,
 * for tests and rehearsals. Times of day are nanoseconds UTC since 1970; monotonic times are
 * nanoseconds since some fixed moment and serve only to measure and to wait.
 * Threads: a struct ch_clock belongs to one; ch_clock_monotonic_ns may be called by any. */
#ifndef CH_HOST_CLOCK_H
#define CH_HOST_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

/* A zeroed struct ch_clock is the machine's clock, ready. */
struct ch_clock {
    bool is_manual;
    uint64_t manual_ns;
};

/* The machine's clock. */
struct ch_clock ch_clock_real(void);

/* A clock that stands at `start_ns`. */
struct ch_clock ch_clock_manual(uint64_t start_ns);

/* The time of day. It may step back when the machine's clock is corrected; a machine set before
 * 1970 reads 0. */
uint64_t ch_clock_now_ns(const struct ch_clock *clock);

/* Moves a manual clock. false, and nothing moved, when the clock is the machine's or `to_ns` lies
 * before the time it shows. */
bool ch_clock_set(struct ch_clock *clock, uint64_t to_ns);

/* Never steps back. */
uint64_t ch_clock_monotonic_ns(void);
#endif
