/* daemon: a charterd of the bench's own. SPDX-License-Identifier: MIT
 * A child process (child.h) with a data directory and an ipc socket in the bench's work directory.
 * What it writes to standard error stands in a file there; its last line is told when it fails.
 * Threads: the main thread only. */
#ifndef CH_BENCH_DAEMON_H
#define CH_BENCH_DAEMON_H
#include "tools/bench/child.h"
#include "tools/bench/options.h"
#include "tools/bench/workdir.h"

struct charter;
struct charter_error;

struct ch_daemon {
    char program[512];
    char dir[CH_WORKDIR_NAME_BYTES];
    char socket[CH_WORKDIR_NAME_BYTES];
    char log[CH_WORKDIR_NAME_BYTES];
    char url[CH_WORKDIR_NAME_BYTES + 8];
    bool manual_clock; /* set it before a start */
    bool no_snapshots; /* none is made; set it before a start */
    bool stays;        /* the data directory is not removed in the end */
    struct ch_child child;
};

/* What the query `status` says, as far as the bench wants it. */
struct ch_daemon_status {
    uint64_t revision;
    uint64_t log_bytes;
    uint64_t resident_bytes; /* with the pages of log.mdb that it has mapped */
    uint64_t state_bytes;
    uint64_t resumed; /* the seq of the snapshot that the start went on from; 0: none */
    uint64_t replayed;
    uint64_t replay_ms;
    uint64_t longest_turn_us; /* since the status before */
    uint64_t users;
    uint64_t shares;
};

/* Names everything; nothing is made or started.
 * errors: CH_ERR_CONFIG (no such program) */
CH_MUST_USE enum ch_err ch_daemon_init(const struct ch_options *options,
                                       const struct ch_workdir *workdir, struct ch_daemon *ret,
                                       struct ch_why *why);

/* A program that stands beside the bench's own. ret: at least 512 bytes.
 * errors: CH_ERR_CONFIG */
CH_MUST_USE enum ch_err ch_daemon_program(const char *name, char ret[512], struct ch_why *why);

/* Starts it on what the data directory holds (made if it is not there) and connects to it.
 * ret:    release with charter_close
 * errors: those of ch_child_start, CH_ERR_STOPPED (it ended, or the wait was interrupted) */
CH_MUST_USE enum ch_err ch_daemon_start(struct ch_daemon *daemon, struct charter **ret,
                                        struct ch_why *why);

/* Stops it in order. errors: CH_ERR_STOPPED (it had to be killed, or ended with a failure) */
CH_MUST_USE enum ch_err ch_daemon_stop(struct ch_daemon *daemon, struct ch_why *why);

/* Kills it if it runs and removes all it wrote; zeroed is a no-op. */
void ch_daemon_discard(struct ch_daemon *daemon);

CH_MUST_USE enum ch_err ch_daemon_status(struct charter *connection, struct ch_daemon_status *ret,
                                         struct ch_why *why);

/* libcharter's failure as the bench's own. */
CH_MUST_USE enum ch_err ch_daemon_fail(struct ch_why *why, const char *doing,
                                       const struct charter_error *error);
#endif
