/* vouch: whether records are those that the stored tiles were made of. SPDX-License-Identifier: MIT
 * A record that was changed, and its checksum put right, could break any assertion of apply. The
 * worker, whose end would be the daemon's, asks here before it applies. Behind the last full tile
 * nothing vouches: these records were hashed at the start, or come from this process.
 * Threads: one at a time. */
#ifndef CH_REPLAY_VOUCH_H
#define CH_REPLAY_VOUCH_H
#include "daemon/log/reader.h"

struct ch_vouch; /* opaque */

/* log: borrowed; must outlive it. errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_vouch_open(struct ch_evlog *log, struct ch_vouch **ret,
                                      struct ch_why *why);
void ch_vouch_close(struct ch_vouch *vouch); /* NULL is a no-op */

/* Lowers *count to the records before the first that is not what its tile says, unless it is the
 * tile that is false.
 * records: following each other
 * errors:  CH_ERR_LOG_CORRUPT (it is the first of them; the text names it), CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_vouch_check(struct ch_vouch *vouch, const struct ch_log_record *records,
                                       size_t *count, struct ch_why *why);
#endif
