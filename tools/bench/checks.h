/* checks: charter-bench checks: answered questions a second. SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_CHECKS_H
#define CH_BENCH_CHECKS_H
#include "tools/bench/options.h"

extern const char ch_checks_help[];

/* errors: those of the rows; what was measured before one is printed all the same. */
CH_MUST_USE enum ch_err ch_checks_run(const struct ch_options *options, struct ch_why *why);
#endif
