/* scrub: verifies the log again, in the background. SPDX-License-Identifier: MIT
 * A pass begins with the signatures of the checkpoints. Then it goes on slowly from the first
 * event, with a state of its own: each record's checksum, form, place and time; the tree against
 * the stored tiles and the roots of checkpoints and head file; the state against every snapshot on
 * the way, whose bytes are read again, too, and against the last checkpoint. A record is applied
 * only when a tile or a root vouches for it: one that was changed is told and not applied, since it
 * could break any assertion. Behind the end of a pass its state is let go, and new records are
 * checked without one until the next pass.
 * A fault is told and counted, and stops nothing but the pass; charter-verify says more.
 * Threads: the worker's. */
#ifndef CH_REPLAY_SCRUB_H
#define CH_REPLAY_SCRUB_H
#include "daemon/replay/keeper.h"

struct ch_scrub; /* opaque */

enum { CH_SCRUB_TEXT_BYTES = 480 };

struct ch_scrub_options {
    struct ch_evlog *log;     /* borrowed */
    const char *dir;          /* the data directory; copied */
    struct ch_keeper *keeper; /* borrowed */
    uint64_t rate;            /* events a second; 0: nothing is verified */
    uint64_t again_ns;        /* from the end of a pass to the next */
    ch_keeper_tell *tell;
    void *arg;
};

struct ch_scrub_facts {
    uint64_t seq;    /* every event up to here was verified since the start */
    uint64_t passes; /* from the first event to the end of the log */
    uint64_t faults;
    char fault[CH_SCRUB_TEXT_BYTES]; /* the last one; empty: none */
};

/* errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_scrub_open(const struct ch_scrub_options *options, struct ch_scrub **ret,
                                      struct ch_why *why);
void ch_scrub_close(struct ch_scrub *scrub); /* NULL is a no-op */

/* When the next slice is due, on the monotonic clock; UINT64_MAX: when the log goes on.
 * end: the log's durable end, as far as it is known */
uint64_t ch_scrub_due_ns(const struct ch_scrub *scrub, uint64_t end);
/* Does one: some milliseconds of work. */
void ch_scrub_slice(struct ch_scrub *scrub, uint64_t now_ns, uint64_t end);

/* A fault that somebody else found: told and counted as its own. */
void ch_scrub_tell(struct ch_scrub *scrub, const char *text);

const struct ch_scrub_facts *ch_scrub_facts(const struct ch_scrub *scrub);
#endif
