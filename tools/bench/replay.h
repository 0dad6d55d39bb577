/* replay: how fast a charterd starts on a long log. SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_REPLAY_H
#define CH_BENCH_REPLAY_H
#include "tools/bench/options.h"

extern const char ch_replay_help[];

/* errors: those of ch_daemon_start and ch_feed_call */
CH_MUST_USE enum ch_err ch_replay_run(const struct ch_options *options, struct ch_why *why);
#endif
