/* group_commit: see group_commit.h. SPDX-License-Identifier: MIT */
#include "tools/bench/group_commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum ch_err store(struct ch_group_commit *group, const struct ch_rep_list *batch,
                         struct ch_why *why)
{
    size_t step = group->record_bytes;
    for (const struct ch_rep_slot *slot = batch->head; slot != NULL; slot = slot->next) {
        struct ch_bytes request = ch_rep_request(slot);
        for (size_t at = 0; at + step <= request.len; at += step) {
            struct ch_bytes record = {.ptr = request.ptr + at, .len = step};
            enum ch_err err = ch_bare_log_append(group->log, record, why);
            if (err != CH_OK) return err;
        }
    }
    /* Only requests too short for one record: nothing to make durable. */
    return group->log->txn == NULL ? CH_OK : ch_bare_log_commit(group->log, why);
}

static void *commit_thread(void *arg)
{
    struct ch_group_commit *group = arg;
    (void)pthread_mutex_lock(&group->lock);
    for (;;) {
        while (group->given.head == NULL && !group->stopping) {
            (void)pthread_cond_wait(&group->work, &group->lock);
        }
        if (group->stopping) break;
        struct ch_rep_list batch = group->given;
        group->given = (struct ch_rep_list){0};
        (void)pthread_mutex_unlock(&group->lock);
        struct ch_why why;
        if (store(group, &batch, &why) != CH_OK) {
            (void)fprintf(stderr, "charter-bench: prototype: %s\n", why.text);
            _exit(EXIT_FAILURE);
        }
        (void)pthread_mutex_lock(&group->lock);
        if (ch_rep_list_append(&group->durable, &batch)) {
            (void)pthread_mutex_unlock(&group->lock);
            ch_rep_ring(group->rep);
            (void)pthread_mutex_lock(&group->lock);
        }
    }
    (void)pthread_mutex_unlock(&group->lock);
    return NULL;
}

enum ch_err ch_group_commit_start(struct ch_group_commit *group, struct ch_bare_log *log,
                                  struct ch_rep *rep, size_t record_bytes, struct ch_why *why)
{
    *group = (struct ch_group_commit){.log = log,
                                      .rep = rep,
                                      .record_bytes = record_bytes,
                                      .lock = PTHREAD_MUTEX_INITIALIZER,
                                      .work = PTHREAD_COND_INITIALIZER};
    int code = pthread_create(&group->thread, NULL, commit_thread, group);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, code, "commit thread: %s", strerror(code));
}

void ch_group_commit_stop(struct ch_group_commit *group)
{
    (void)pthread_mutex_lock(&group->lock);
    group->stopping = true;
    (void)pthread_cond_signal(&group->work);
    (void)pthread_mutex_unlock(&group->lock);
    (void)pthread_join(group->thread, NULL);
}

void ch_group_commit_give(struct ch_group_commit *group, struct ch_rep_list *take)
{
    if (take->head == NULL) return;
    (void)pthread_mutex_lock(&group->lock);
    bool wake = ch_rep_list_append(&group->given, take);
    (void)pthread_mutex_unlock(&group->lock);
    if (wake) (void)pthread_cond_signal(&group->work);
}

void ch_group_commit_take(struct ch_group_commit *group, struct ch_rep_list *ret)
{
    (void)pthread_mutex_lock(&group->lock);
    *ret = group->durable;
    group->durable = (struct ch_rep_list){0};
    (void)pthread_mutex_unlock(&group->lock);
}
