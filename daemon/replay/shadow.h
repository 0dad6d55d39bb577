/* shadow: the worker that follows the log, keeps its index and its snapshots, answers questions
 * about the past, and hashes the state. SPDX-License-Identifier: MIT
 * One thread owns two followers. `head` follows the log and feeds the index (streams.h) with what
 * each event touches (touched.h); it goes on in slices between jobs, and is brought to where a job
 * needs it. Snapshots are made of it (keeper.h). It begins at the newest snapshot behind which the
 * index lacks nothing. `past` is opened at the first question about a moment before head; it goes
 * to a snapshot where that is a shorter way, and back to an empty state where there is none. A
 * question that few events decide is answered from these alone (strand.h). Jobs that wait are
 * sorted by the seq they ask about. The live loop is never stalled: it only submits, tells and
 * collects. Beside all that the log is slowly verified again, with a state of its own (scrub.h).
 * Threads: submit, follow, collect and stop belong to one thread (the loop). */
#ifndef CH_REPLAY_SHADOW_H
#define CH_REPLAY_SHADOW_H
#include "daemon/replay/follower.h"
#include "daemon/replay/scrub.h"
#include "daemon/replay/strand.h"

struct ch_shadow;  /* opaque */
struct ch_streams; /* log/streams.h */

/* What a job is answered from; the worker's own. */
struct ch_shadow_view {
    const struct ch_state *state; /* at seq */
    uint64_t seq;
    uint64_t now_ns;
    const struct ch_snapshot *made; /* the newest that the worker has made; NULL: none */
    struct ch_streams *streams;     /* knows every seq up to the head's */
    struct ch_reader *reader;
    struct ch_follower
        *head; /* finds seqs by time; between two calls its reader is free. Its state is
                               * the present one, up to `durable` of a job that is judged */
};

struct ch_shadow_job {
    struct ch_shadow_job *next;
    /* what to ask; set by the submitter */
    bool by_time;
    uint64_t as_of;   /* seq, or nanoseconds if by_time; UINT64_MAX seq: the head */
    bool judged;      /* the view's head is to be at `durable` at least: it judges who asks */
    uint64_t durable; /* the durable seq when it was submitted: the head for this job, or later */
    struct ch_strand_asked asked; /* what is answered, where a part of the state may do; request
                                   * NULL: the whole state is needed */
    /* Answers on the worker's thread from the state at `seq`, as seen at the moment `now_ns`. Where
     * it sets `then`, it is called once more at that later seq. */
    uint64_t then;
    void (*answer)(struct ch_shadow_job *job, const struct ch_shadow_view *view);
    void *arg;
    /* the worker's */
    bool by_strand; /* a part of the state was enough */
    uint64_t seq;
    uint64_t now_ns;
    enum ch_err err; /* not CH_OK: answer was not called; why says so */
    struct ch_why why;
};

/* What a worker needs; borrowed, must outlive it, but dir only for the call. */
struct ch_shadow_options {
    const char *dir; /* the data directory; index and snapshots lie below it */
    struct ch_evlog *log;
    const struct ch_directory *directory;
    uint64_t snapshot_events; /* as ch_keeper_options */
    uint64_t snapshot_bytes;
    uint64_t scrub_rate; /* as ch_scrub_options */
    uint64_t scrub_again_ns;
    const char *fault;                         /* that the start met, for status; NULL: none */
    void (*tell)(void *arg, const char *text); /* a line to write; on the worker's thread */
    void (*on_done)(void *arg); /* on the worker's thread: jobs can be collected; must not block */
    void *arg;
};
/* errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_shadow_start(const struct ch_shadow_options *options,
                                        struct ch_shadow **ret, struct ch_why *why);
/* What the worker did, for status. */
struct ch_shadow_facts {
    uint64_t snapshot; /* the seq of the newest; 0: none */
    uint64_t snapshots;
    uint64_t snapshot_bytes;
    struct ch_scrub_facts scrub;
};
void ch_shadow_tell_facts(struct ch_shadow *shadow, struct ch_shadow_facts *ret);

/* Before stop: a last snapshot is made at its end, if that is worth it. durable: the log's end */
void ch_shadow_keep_last(struct ch_shadow *shadow, uint64_t durable);

/* Ends the job in progress and joins the thread. What was not answered is finished with
 * CH_ERR_STOPPED; collect it all, then destroy. NULL: no-op. */
void ch_shadow_stop(struct ch_shadow *shadow);
void ch_shadow_destroy(struct ch_shadow *shadow); /* after stop; NULL is a no-op */

/* The log is durable up to here: the head may follow, when there is nothing else to do. */
void ch_shadow_follow(struct ch_shadow *shadow, uint64_t durable);
/* Somebody's key was destroyed: their names go from the worker's memory soon; in an answer they are
 * not any more. */
void ch_shadow_forget(struct ch_shadow *shadow);
/* job: borrowed until collected. */
void ch_shadow_submit(struct ch_shadow *shadow, struct ch_shadow_job *job);
/* A finished job, or NULL. */
struct ch_shadow_job *ch_shadow_collect(struct ch_shadow *shadow);
#endif
