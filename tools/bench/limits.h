/* limits: charter-bench limits: what lies under charterd on this machine. SPDX-License-Identifier:
 * MIT */
#ifndef CH_BENCH_LIMITS_H
#define CH_BENCH_LIMITS_H
#include "tools/bench/options.h"

extern const char ch_limits_help[];

/* errors: those of the rows; what was measured before one is printed all the same. */
CH_MUST_USE enum ch_err ch_limits_run(const struct ch_options *options, struct ch_why *why);
#endif
