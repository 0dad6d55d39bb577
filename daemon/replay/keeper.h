/* keeper: the snapshots that a worker has, and the one that it makes. SPDX-License-Identifier: MIT
 * One is made every so many events from a state that follows the log, piece by piece, so that other
 * work of the worker goes on between; of the older ones fewer and fewer stay (ch_snapshot_surplus).
 * What goes wrong here costs a later start some time: it is told, and tried again later.
 * Threads: the worker's. */
#ifndef CH_REPLAY_KEEPER_H
#define CH_REPLAY_KEEPER_H
#include "daemon/log/snapshot.h"
#include "daemon/replay/follower.h"

struct ch_keeper; /* opaque */

/* A line for whoever reads what the daemon writes; on the worker's thread. */
typedef void ch_keeper_tell(void *arg, const char *text);

struct ch_keeper_options {
    const char *dir;      /* the data directory; copied */
    struct ch_evlog *log; /* borrowed */
    uint64_t events;      /* one is made after so many; 0: none is made */
    uint64_t bytes;       /* what all of them may take on the disk, but the newest stays */
    ch_keeper_tell *tell;
    void *arg;
};

/* errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_keeper_open(const struct ch_keeper_options *options,
                                       struct ch_keeper **ret, struct ch_why *why);
void ch_keeper_close(struct ch_keeper *keeper); /* drops one that is not whole; NULL is a no-op */

/* Looks at what is there. What is damaged, or of a log that this one is not, is deleted.
 * log_end: the log's last seq */
void ch_keeper_survey(struct ch_keeper *keeper, uint64_t log_end);

/* The newest that is not above `seq`; the first above it; NULL: there is none. Until the keeper is
 * next used. */
const struct ch_snapshot *ch_keeper_before(const struct ch_keeper *keeper, uint64_t seq);
const struct ch_snapshot *ch_keeper_after(const struct ch_keeper *keeper, uint64_t seq);
/* The newest that this keeper has made, also where it was deleted since; NULL: none. */
const struct ch_snapshot *ch_keeper_made(const struct ch_keeper *keeper);
/* Files, and the bytes of them. */
size_t ch_keeper_count(const struct ch_keeper *keeper, uint64_t *ret_bytes);

/* Deletes one that was found to be false, and tells of it. */
void ch_keeper_drop(struct ch_keeper *keeper, uint64_t seq, const char *text);

/* How far the state should go before it is asked whether one is due. */
uint64_t ch_keeper_due_at(const struct ch_keeper *keeper);
/* Whether there is something to do with a state at `seq`. */
bool ch_keeper_has_work(const struct ch_keeper *keeper, uint64_t seq);
/* Whether the state must stay as it is, because a snapshot of it is half made. */
bool ch_keeper_holds(const struct ch_keeper *keeper);
/* Some of the work; has_work was true. */
void ch_keeper_step(struct ch_keeper *keeper, const struct ch_state *state);
/* The rest of what needs the state at once, so that it can go on. */
void ch_keeper_release(struct ch_keeper *keeper, const struct ch_state *state);
/* At the end: makes one, if at least so many events came since the newest. */
void ch_keeper_last(struct ch_keeper *keeper, const struct ch_state *state, uint64_t events);
#endif
