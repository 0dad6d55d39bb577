/* commit: a batch's way to the commit thread and back, and what then leaves: rings of the doorbell
 * and the answers that were held. SPDX-License-Identifier: MIT
 * Threads: all of it is the loop's; log/committer.h has the thread. */
#ifndef CH_DAEMON_COMMIT_H
#define CH_DAEMON_COMMIT_H
#include "daemon/line.h"

/* Gives the open batch to the commit thread, when that is idle and there is anything to do. */
void ch_commit_submit(struct ch_pipeline *line);
/* Takes the batch that was flying from the commit thread, if that has done with it. True: it has,
 * and the batch went one of three ways; the requests that ch_waiting_collect gives are to be taken
 * again.
 * Durable: the doorbell was rung, and the answers it held have left.
 * Nothing was stored, for want of room or memory: it was taken back, with what was decided after
 * it; its commands were told so, and queries and refusals that saw it are among those taken again.
 * Any other failure: the loop stops, line->stop_err says why; the next start finds out what the
 * disk holds. */
bool ch_commit_collect(struct ch_pipeline *line);
#endif
