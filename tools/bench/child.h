/* child: a server process that never outlives the bench. SPDX-License-Identifier: MIT
 * The kernel kills it when the bench dies (PR_SET_PDEATHSIG), however that happens. It stands in a
 * process group of its own, so Ctrl-C reaches only the bench, which then stops it in order.
 * Threads: start from the main thread only; the death signal is bound to the thread that started
 * it. */
#ifndef CH_BENCH_CHILD_H
#define CH_BENCH_CHILD_H
#include <stdbool.h>
#include <sys/types.h>
#include "schema/base/err.h"

/* The descriptor on which a child that knows it says "ready" by writing one byte. */
enum { CH_CHILD_READY_FD = 3 };

struct ch_child {
    pid_t pid; /* 0: none */
};

/* Starts `program` and, if `waits_ready`, waits until it wrote its byte.
 * argv:   NULL-terminated, argv[0] included; borrowed for the call
 * log:    a file that takes its standard error, emptied before; NULL: it shares the bench's
 * errors: CH_ERR_FILE_IO (cannot start it), CH_ERR_STOPPED (it ended before it was ready),
 *         CH_ERR_TIMED_OUT (not ready in 10 s; it was killed) */
CH_MUST_USE enum ch_err ch_child_start(const char *program, char *const argv[], const char *log,
                                       bool waits_ready, struct ch_child *ret, struct ch_why *why);

/* Waits until it ends by itself. ret: whether that was with status 0. */
bool ch_child_wait(struct ch_child *child);

/* Whether it still runs; reaps it if not. */
bool ch_child_runs(struct ch_child *child);

/* Asks it to end (SIGTERM), waits up to a minute (a last snapshot
 * may take seconds), then kills it; reaps it. NULL and zeroed are no-ops.
 * ret: whether it ended by itself with status 0. */
bool ch_child_stop(struct ch_child *child);

/* Kills it without asking, as a crash would; reaps it. NULL and zeroed are no-ops. */
void ch_child_kill(struct ch_child *child);

/* In the child: tells the parent that it listens. */
void ch_child_ready(void);
#endif
