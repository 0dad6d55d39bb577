/* commands: charter-bench commands: durable commands a second, beside what limits them.
 * SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_COMMANDS_H
#define CH_BENCH_COMMANDS_H
#include "tools/bench/options.h"

extern const char ch_commands_help[];

/* errors: those of the rows; what was measured before one is printed all the same. */
CH_MUST_USE enum ch_err ch_commands_run(const struct ch_options *options, struct ch_why *why);
#endif
