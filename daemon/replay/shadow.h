/* shadow: the worker that answers questions about the past, and hashes the state.
 * SPDX-License-Identifier: MIT
 * One thread owns one follower. Jobs that wait are sorted by the seq they ask about and answered in
 * one pass over the log; a pass that must go back starts from an empty state again. The live loop
 * is
 * never stalled: it only submits and collects.
 * Threads: submit, collect and stop belong to one thread (the loop). */
#ifndef CH_REPLAY_SHADOW_H
#define CH_REPLAY_SHADOW_H
#include "daemon/replay/follower.h"

struct ch_shadow; /* opaque */

struct ch_shadow_job {
    struct ch_shadow_job *next;
    /* what to ask; set by the submitter */
    bool by_time;
    uint64_t as_of;   /* seq, or nanoseconds if by_time; UINT64_MAX seq: the head */
    uint64_t durable; /* the durable seq when it was submitted: the head for this job */
    /* Answers on the worker's thread from the state at `seq`, as seen at the moment `now_ns`. */
    void (*answer)(struct ch_shadow_job *job, const struct ch_state *state, uint64_t now_ns);
    void *arg;
    /* the worker's */
    uint64_t seq;
    uint64_t now_ns;
    enum ch_err err; /* not CH_OK: answer was not called; why says so */
    struct ch_why why;
};

/* on_done: called on the worker's thread when jobs can be collected; must not block. */
CH_MUST_USE enum ch_err ch_shadow_start(struct ch_evlog *log, const struct ch_directory *directory,
                                        void (*on_done)(void *arg), void *arg,
                                        struct ch_shadow **ret, struct ch_why *why);
/* Ends the job in progress and joins the thread. What was not answered is finished with
 * CH_ERR_STOPPED; collect it all, then destroy. NULL: no-op. */
void ch_shadow_stop(struct ch_shadow *shadow);
void ch_shadow_destroy(struct ch_shadow *shadow); /* after stop; NULL is a no-op */

/* job: borrowed until collected. */
void ch_shadow_submit(struct ch_shadow *shadow, struct ch_shadow_job *job);
/* A finished job, or NULL. */
struct ch_shadow_job *ch_shadow_collect(struct ch_shadow *shadow);
#endif
