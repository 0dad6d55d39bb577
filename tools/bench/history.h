/* history: a long log of years of a platform by chance of a seed. SPDX-License-Identifier: MIT
 * Masters with sub-accounts, whose sizes follow Zipf's law, their groups, people, and what happens
 * to them in six years (life.h), made through the daemon's own line in big messages. The daemon's
 * clock must be a manual one. Threads: none. */
#ifndef CH_BENCH_HISTORY_H
#define CH_BENCH_HISTORY_H
#include <stdint.h>
#include "client/include/charter/charter.h"
#include "schema/base/err.h"

/* What it is made of. */
struct ch_history {
    uint64_t joined, left, moved, mistakes, expired;
    uint64_t grants; /* that are there at the end */
};

/* Makes the log `events` long, or a little longer.
 * events: at least 1,000
 * errors: those of ch_feed_call */
CH_MUST_USE enum ch_err ch_history_make(struct charter *connection, uint64_t events, uint64_t seed,
                                        struct ch_history *ret, struct ch_why *why);
#endif
