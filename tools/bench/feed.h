/* feed: many commands in big messages, several messages in flight. SPDX-License-Identifier: MIT
 * For making a population or a long log fast, through the daemon's own line. Every command must be
 * done: a rejection ends the feed as failed. Threads: none. */
#ifndef CH_BENCH_FEED_H
#define CH_BENCH_FEED_H
#include <stdint.h>
#include "client/include/charter/charter.h"
#include "schema/base/err.h"

enum { CH_FEED_CALLS = 1024, CH_FEED_IN_FLIGHT = 3 };

struct ch_feed; /* opaque */

/* connection: borrowed until ch_feed_destroy; nothing else may be in flight on it
 * errors:     CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_feed_create(struct charter *connection, struct ch_feed **ret,
                                       struct ch_why *why);
void ch_feed_destroy(struct ch_feed *feed); /* NULL is a no-op; what is not finished is given up */

/* Begins the next command; its arguments are then added to *ret_message by charter_arg_*.
 * ret_seq: takes the seq of the command's first event, which is the id of what it made, at the
 *          latest in ch_feed_finish; borrowed until then; NULL: not wanted
 * errors:  CH_ERR_NET_IO (also: the daemon refused a command), CH_ERR_NO_MEMORY, CH_ERR_STOPPED */
CH_MUST_USE enum ch_err ch_feed_call(struct ch_feed *feed, const struct charter_call_head *head,
                                     uint64_t *ret_seq, struct charter_message **ret_message,
                                     struct ch_why *why);

/* Sends what is left and waits for all answers. errors: as ch_feed_call */
CH_MUST_USE enum ch_err ch_feed_finish(struct ch_feed *feed, struct ch_why *why);
#endif
