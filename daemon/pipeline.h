/* pipeline: THE LINE, from a request to its reply. SPDX-License-Identifier: MIT
 *
 *   socket -> decode -> authenticate -> decide -> seal -> append -> apply
 *          -> commit (one fsync for the batch) -> doorbell -> reply
 *
 * One command's way: edge/ingress hands a request to take(). decode (schema/request.h) makes a
 * struct of it; authenticate (edge/authenticate.h) finds the actor; ch_message_run (message.h)
 * resolves, admits and decides each call (core/decide.h), seals what is personal (personal.h),
 * appends the records to the open batch and applies them (core/apply.h). At the end of the loop's
 * turn the batch goes to the commit thread (commit.h), if that is idle; what arrives meanwhile
 * forms the next one. When it is durable, the doorbell is rung and the replies go.
 * A query is answered at once, unless it read a row newer than what is durable: then its answer is
 * held as a command's is.
 * A request that cannot be served now leaves the line for a side road (waiting.h, checkpoints.h and
 * those in line.h: past, passwords, whatif), and is taken again when that has what it needs.
 * Threads: all of it is the loop's. */
#ifndef CH_DAEMON_PIPELINE_H
#define CH_DAEMON_PIPELINE_H
#include "daemon/line.h"

/* Starts commit thread, worker and watches. The line's first part is set.
 * errors: CH_ERR_NO_MEMORY, CH_ERR_FILE_IO, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_pipeline_start(struct ch_pipeline *line, struct ch_why *why);
/* Makes durable what was decided, answers it, stops the threads. The loop has ended. */
void ch_pipeline_stop(struct ch_pipeline *line);
#endif
