/* backup: how fast a backup is, and what it costs commands. SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_BACKUP_H
#define CH_BENCH_BACKUP_H
#include "tools/bench/options.h"

extern const char ch_backup_help[];

/* errors: those of ch_daemon_start, ch_feed_call and ch_load_run */
CH_MUST_USE enum ch_err ch_backup_run(const struct ch_options *options, struct ch_why *why);
#endif
