/* waiting: requests that wait before they are served: for a seq to become durable, or for the next
 * event; none longer than its time. SPDX-License-Identifier: MIT
 * Threads: all of it is the loop's. */
#ifndef CH_DAEMON_WAITING_H
#define CH_DAEMON_WAITING_H
#include "daemon/line.h"

/* Takes the request again when the seq is durable; when its time has run out, for the last time. */
void ch_line_wait(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival, uint64_t seq,
                  uint64_t wait_ms);
/* A request that names a seq the log does not reach, or asks for events that are not there yet.
 * True: it waits, or was refused. */
bool ch_waiting_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                     const struct ch_request *request);

/* Those whose seq is durable or whose time has run out need not wait any more. */
void ch_waiting_end(struct ch_pipeline *line);
/* This one is to be taken again now: it saw what was taken back. */
void ch_waiting_again(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival);
/* True: a request (ret) waits no more and must be taken again with line->last_try set; call again
 * for the rest. */
bool ch_waiting_collect(struct ch_pipeline *line, struct ch_ingress_arrival *ret);

void ch_waiting_deinit(struct ch_pipeline *line);
#endif
