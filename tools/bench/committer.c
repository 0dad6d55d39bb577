/* committer: see committer.h. SPDX-License-Identifier: MIT */
#include "tools/bench/committer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum ch_err store(struct ch_committer *committer, const struct ch_rep_list *batch,
                         struct ch_why *why)
{
    size_t step = committer->record_bytes;
    for (const struct ch_rep_slot *slot = batch->head; slot != NULL; slot = slot->next) {
        struct ch_bytes request = ch_rep_request(slot);
        for (size_t at = 0; at + step <= request.len; at += step) {
            struct ch_bytes record = {.ptr = request.ptr + at, .len = step};
            enum ch_err err = ch_bare_log_append(committer->log, record, why);
            if (err != CH_OK) return err;
        }
    }
    /* Only requests too short for one record: nothing to make durable. */
    return committer->log->txn == NULL ? CH_OK : ch_bare_log_commit(committer->log, why);
}

static void *commit_thread(void *arg)
{
    struct ch_committer *committer = arg;
    (void)pthread_mutex_lock(&committer->lock);
    for (;;) {
        while (committer->given.head == NULL && !committer->stopping) {
            (void)pthread_cond_wait(&committer->work, &committer->lock);
        }
        if (committer->stopping) break;
        struct ch_rep_list batch = committer->given;
        committer->given = (struct ch_rep_list){0};
        (void)pthread_mutex_unlock(&committer->lock);
        struct ch_why why;
        if (store(committer, &batch, &why) != CH_OK) {
            (void)fprintf(stderr, "charter-bench: prototype: %s\n", why.text);
            _exit(EXIT_FAILURE);
        }
        (void)pthread_mutex_lock(&committer->lock);
        if (ch_rep_list_append(&committer->durable, &batch)) {
            (void)pthread_mutex_unlock(&committer->lock);
            ch_rep_ring(committer->rep);
            (void)pthread_mutex_lock(&committer->lock);
        }
    }
    (void)pthread_mutex_unlock(&committer->lock);
    return NULL;
}

enum ch_err ch_committer_start(struct ch_committer *committer, struct ch_bare_log *log,
                               struct ch_rep *rep, size_t record_bytes, struct ch_why *why)
{
    *committer = (struct ch_committer){.log = log,
                                       .rep = rep,
                                       .record_bytes = record_bytes,
                                       .lock = PTHREAD_MUTEX_INITIALIZER,
                                       .work = PTHREAD_COND_INITIALIZER};
    int code = pthread_create(&committer->thread, NULL, commit_thread, committer);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, code, "commit thread: %s", strerror(code));
}

void ch_committer_stop(struct ch_committer *committer)
{
    (void)pthread_mutex_lock(&committer->lock);
    committer->stopping = true;
    (void)pthread_cond_signal(&committer->work);
    (void)pthread_mutex_unlock(&committer->lock);
    (void)pthread_join(committer->thread, NULL);
}

void ch_committer_give(struct ch_committer *committer, struct ch_rep_list *take)
{
    if (take->head == NULL) return;
    (void)pthread_mutex_lock(&committer->lock);
    bool wake = ch_rep_list_append(&committer->given, take);
    (void)pthread_mutex_unlock(&committer->lock);
    if (wake) (void)pthread_cond_signal(&committer->work);
}

void ch_committer_take(struct ch_committer *committer, struct ch_rep_list *ret)
{
    (void)pthread_mutex_lock(&committer->lock);
    *ret = committer->durable;
    committer->durable = (struct ch_rep_list){0};
    (void)pthread_mutex_unlock(&committer->lock);
}
