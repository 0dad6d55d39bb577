/* long_log: a data directory with a log of many events, made or found. SPDX-License-Identifier: MIT
 * Threads: none. */
#ifndef CH_BENCH_LONG_LOG_H
#define CH_BENCH_LONG_LOG_H
#include "tools/bench/daemon.h"

/* Names a daemon (ch_daemon_init) with a manual clock and a log of history.h, and says on standard
 * output what is in it. With options->log that is its data directory: made if it is not there, used
 * as it is if it is, and left there in the end.
 * ret:    stopped; release with ch_daemon_discard
 * errors: those of ch_daemon_start and ch_history_make */
CH_MUST_USE enum ch_err ch_long_log_open(const struct ch_options *options, uint64_t events,
                                         const struct ch_workdir *workdir, struct ch_daemon *ret,
                                         struct ch_why *why);

/* Puts the snapshots aside, so that a start replays the whole log and makes none, and back.
 * errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_long_log_hide_snapshots(struct ch_daemon *daemon, struct ch_why *why);
CH_MUST_USE enum ch_err ch_long_log_show_snapshots(struct ch_daemon *daemon, struct ch_why *why);
#endif
