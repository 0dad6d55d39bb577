/* group_commit: the commit thread of the bare prototype. SPDX-License-Identifier: MIT
 * Group commit without timers: all that was handed over while one batch was being made durable is
 * the next batch. What is durable comes back through ch_group_commit_take, after a ring of the
 * server's loop. A record that cannot be stored ends the process, as it would end charterd.
 * Threads: give and take on the loop thread; the thread itself touches only the log. */
#ifndef CH_BENCH_GROUP_COMMIT_H
#define CH_BENCH_GROUP_COMMIT_H
#include <pthread.h>
#include "tools/bench/bare_log.h"
#include "tools/bench/rep.h"

struct ch_group_commit {
    struct ch_bare_log *log; /* borrowed */
    struct ch_rep *rep;      /* borrowed; rung when something became durable */
    size_t record_bytes;     /* a request is stored as records of this size */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;
    struct ch_rep_list given;
    struct ch_rep_list durable;
    bool stopping;
};

/* errors: CH_ERR_NO_MEMORY (no thread). group: must not move until ch_group_commit_stop. */
CH_MUST_USE enum ch_err ch_group_commit_start(struct ch_group_commit *group,
                                              struct ch_bare_log *log, struct ch_rep *rep,
                                              size_t record_bytes, struct ch_why *why);
void ch_group_commit_stop(struct ch_group_commit *group); /* finishes the batch that it is at */

void ch_group_commit_give(struct ch_group_commit *group, struct ch_rep_list *take);
void ch_group_commit_take(struct ch_group_commit *group, struct ch_rep_list *ret);
#endif
