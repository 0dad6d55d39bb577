/* resume: a follower that goes on from a snapshot and not from the first event.
 * SPDX-License-Identifier: MIT
 * A snapshot is taken only where it is whole, of this program's form, and of this log: the root of
 * the log's first events is the one that it names. Its state hash is made of what was loaded, by a
 * second thread while the indexes are made, and must be the one that it names, too. Then the names
 * are opened. A snapshot that fails any of this costs time, nothing else.
 * Threads: as the follower. */
#ifndef CH_REPLAY_RESUME_H
#define CH_REPLAY_RESUME_H
#include "daemon/log/snapshot.h"
#include "daemon/replay/follower.h"

struct ch_prover;

enum { CH_SNAPSHOTS_READ = 256 }; /* files looked at, the newest */

enum ch_resume_fit {
    CH_RESUME_GOOD,
    CH_RESUME_OTHER,   /* of another program version: no use here, but not wrong */
    CH_RESUME_DAMAGED, /* its bytes are not what was written */
    CH_RESUME_FOREIGN, /* of a log that is not this one, or was longer */
};

/* Reads the head of a snapshot of directory `dir`, and compares it with the log.
 * log_end: the log's last seq
 * ret_fit: not GOOD: why says what is wrong with it
 * errors:  CH_ERR_NO_MEMORY, CH_ERR_FILE_IO, CH_ERR_LOG_IO, CH_ERR_LOG_CORRUPT (the log's tiles or
 *          records that the root is made of are damaged) */
CH_MUST_USE enum ch_err ch_resume_check(const char *dir, uint64_t seq, uint64_t log_end,
                                        struct ch_prover *prover, struct ch_snapshot *head,
                                        enum ch_resume_fit *ret_fit, struct ch_why *why);

/* Loads one that was checked, in place of the follower's state. After a failure the follower is at
 * seq 0.
 * go_on:  as ch_follower_progress, with the seq of the snapshot; NULL: nobody stops it
 * errors: CH_ERR_LOG_CORRUPT (it is not what it says; the text says how), CH_ERR_SEAL_BROKEN,
 *         CH_ERR_FILE_IO, CH_ERR_NO_MEMORY, CH_ERR_STOPPED */
CH_MUST_USE enum ch_err ch_resume_load(struct ch_follower *follower, const char *dir,
                                       const struct ch_snapshot *head, ch_follower_progress *go_on,
                                       void *arg, struct ch_why *why);

/* Told of a snapshot that is not taken, and why. */
typedef void ch_resume_refused(void *arg, uint64_t seq, const char *text);

/* Loads the newest good one that is not above `at_most`. The follower is at seq 0 before, and after
 * it where there is none: that is no failure.
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_resume_newest(struct ch_follower *follower, const char *dir,
                                         uint64_t at_most, ch_resume_refused *refused, void *arg,
                                         struct ch_why *why);
#endif
