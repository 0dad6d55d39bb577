/* stalls: charter-bench stalls: how long the daemon's loop stops while its state grows.
 * SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_STALLS_H
#define CH_BENCH_STALLS_H
#include "tools/bench/options.h"

extern const char ch_stalls_help[];

/* errors: those of ch_daemon_start and ch_feed_call */
CH_MUST_USE enum ch_err ch_stalls_run(const struct ch_options *options, struct ch_why *why);
#endif
