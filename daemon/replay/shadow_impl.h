/* shadow_impl: what shadow.c (the queue and the thread) and shadow_answer.c (the answers) share;
 * only for these. SPDX-License-Identifier: MIT */
#ifndef CH_REPLAY_SHADOW_IMPL_H
#define CH_REPLAY_SHADOW_IMPL_H
#include "daemon/replay/shadow.h"

#include <limits.h>
#include <pthread.h>

#include "daemon/log/streams.h"
#include "daemon/replay/keeper.h"
#include "daemon/replay/resume.h"

struct ch_shadow {
    struct ch_follower head;
    struct ch_follower past; /* opened when it is needed first */
    struct ch_streams *streams;
    struct ch_strands *strands;
    struct ch_keeper *keeper;
    struct ch_scrub *scrub;
    struct ch_evlog *log;
    char dir[PATH_MAX];
    struct ch_check_replay replay;
    bool tells_damage; /* that it met itself; no pass will */
    uint64_t snapshot_events;
    uint64_t erasures; /* of the vault, that head and past know of */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows, but on_done and arg */
    uint64_t follow;       /* how far the head may go by itself */
    uint64_t told;         /* the log reaches at least so far */
    pthread_cond_t woken;
    struct ch_shadow_job *waiting;
    struct ch_shadow_job *done_first;
    struct ch_shadow_job **done_end;
    bool stopping;
    bool forget;   /* somebody was erased */
    uint64_t last; /* above 0: a last snapshot is wanted of this seq */
    struct ch_shadow_facts facts;
    void (*on_done)(void *arg);
    void *arg;
};

/* shadow.c: as ch_follower_progress, of the worker: false once it is to stop. */
bool ch_shadow_may_go_on(void *arg, uint64_t seq);
/* shadow.c: what status is told is made anew. */
void ch_shadow_note_facts(struct ch_shadow *shadow);

/* What follows is in shadow_answer.c, on the worker's thread. */
/* Loads the newest good snapshot that is not above `seq`, into a follower at seq 0, unless there is
 * none. One that is false is deleted, and the one before it is tried.
 * errors: CH_ERR_NO_MEMORY, CH_ERR_STOPPED */
CH_MUST_USE enum ch_err ch_shadow_load_before(struct ch_shadow *shadow,
                                              struct ch_follower *follower, uint64_t seq,
                                              struct ch_why *why);
/* Lets a follower go on to a seq. What a snapshot needs of the head is written first.
 * errors: those of ch_follower_go */
CH_MUST_USE enum ch_err ch_shadow_go_to(struct ch_shadow *shadow, struct ch_follower *follower,
                                        uint64_t seq, struct ch_why *why);
/* Whoever was erased since then is erased in every past. */
void ch_shadow_forget_erased(struct ch_shadow *shadow);
/* Finds the seq and the moment of a job. */
void ch_shadow_locate(struct ch_shadow *shadow, struct ch_shadow_job *job);
/* Answers it, or notes in it why not. */
void ch_shadow_answer(struct ch_shadow *shadow, struct ch_shadow_job *job);
#endif
