/* threads: those beside the loop that work for the line: commit, the worker, the passwords' pool.
 * SPDX-License-Identifier: MIT
 * Each rings a descriptor of its own when something can be collected. */
#ifndef CH_DAEMON_THREADS_H
#define CH_DAEMON_THREADS_H
#include "daemon/line.h"

/* Starts them all; destroy them in any case.
 * errors: CH_ERR_NO_MEMORY, CH_ERR_FILE_IO, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_threads_start(struct ch_pipeline *line, struct ch_why *why);
/* The pool and the worker were stopped, and all was collected; zeroed is a no-op. */
void ch_threads_destroy(struct ch_pipeline *line);
/* Takes the ring off a descriptor. False: it did not ring. */
bool ch_threads_rang(int fd);
#endif
