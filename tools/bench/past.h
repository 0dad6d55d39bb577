/* past: how long a question about the past takes. SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_PAST_H
#define CH_BENCH_PAST_H
#include "tools/bench/options.h"

extern const char ch_past_help[];
CH_MUST_USE enum ch_err ch_past_run(const struct ch_options *options, struct ch_why *why);
#endif
