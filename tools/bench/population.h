/* population: accounts, users and shares to work on. SPDX-License-Identifier: MIT
 * Root accounts with as many users each; every user has one share, on the user's own account. Made
 * through the daemon's own line. Threads: none. */
#ifndef CH_BENCH_POPULATION_H
#define CH_BENCH_POPULATION_H
#include <stddef.h>
#include <stdint.h>
#include "tools/bench/feed.h"

struct ch_population {
    uint32_t accounts_len;
    uint32_t users_len; /* user u belongs to account u % accounts_len */
    uint64_t *accounts; /* ids */
    uint64_t *users;    /* ids */
};

/* ret: the caller's, release with ch_population_deinit. role: of every share; NULL: none.
 * errors: those of ch_feed_call */
CH_MUST_USE enum ch_err ch_population_make(struct charter *connection, uint32_t accounts,
                                           uint32_t users, const char *role,
                                           struct ch_population *ret, struct ch_why *why);
void ch_population_deinit(struct ch_population *population); /* zeroed is a no-op */
#endif
