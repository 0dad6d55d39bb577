/* history: a long log of mixed events by chance of a seed. SPDX-License-Identifier: MIT
 * Masters with sub-accounts, whose sizes follow Zipf's law; people, their shares and roles, groups,
 * members, restrictions, and mostly grants, given and changed. Made through the
 * daemon's own line in big messages. Threads: none. */
#ifndef CH_BENCH_HISTORY_H
#define CH_BENCH_HISTORY_H
#include <stdint.h>
#include "client/include/charter/charter.h"
#include "schema/base/err.h"

/* Makes the log `events` long, or a little longer.
 * events: at least 1,000
 * errors: those of ch_feed_call */
CH_MUST_USE enum ch_err ch_history_make(struct charter *connection, uint64_t events, uint64_t seed,
                                        struct ch_why *why);
#endif
