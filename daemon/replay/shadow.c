/* shadow: see shadow.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/shadow.h"

#include <pthread.h>
#include <stdlib.h>

struct ch_shadow {
    struct ch_follower follower;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards waiting, done and stopping */
    pthread_cond_t woken;
    struct ch_shadow_job *waiting;
    struct ch_shadow_job *done_first;
    struct ch_shadow_job **done_end;
    bool stopping;
    void (*on_done)(void *arg);
    void *arg;
};

/* Finds the seq and the moment of a job. */
static void locate(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    if (job->by_time) {
        job->now_ns = job->as_of;
        job->err = ch_follower_seq_at(&shadow->follower, job->as_of, &job->seq, &job->why);
        if (job->err == CH_OK && job->seq > job->durable) job->seq = job->durable;
        return;
    }
    const bool head = job->as_of == UINT64_MAX;
    job->seq = head ? job->durable : job->as_of;
    if (job->seq == 0) return;
    job->err = ch_follower_time_of(&shadow->follower, job->seq, &job->now_ns, &job->why);
}

/* Inserts by seq, so that a pass only goes forward. */
static void insert_sorted(struct ch_shadow_job **list, struct ch_shadow_job *job)
{
    while (*list != NULL && (*list)->seq <= job->seq) {
        list = &(*list)->next;
    }
    job->next = *list;
    *list = job;
}

static void finish(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    job->next = NULL;
    (void)pthread_mutex_lock(&shadow->mutex);
    *shadow->done_end = job;
    shadow->done_end = &job->next;
    (void)pthread_mutex_unlock(&shadow->mutex);
    shadow->on_done(shadow->arg);
}

static bool may_go_on(void *arg, uint64_t seq)
{
    struct ch_shadow *shadow = arg;
    (void)seq;
    (void)pthread_mutex_lock(&shadow->mutex);
    bool stopping = shadow->stopping;
    (void)pthread_mutex_unlock(&shadow->mutex);
    return !stopping;
}

static void serve(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    struct ch_follower *follower = &shadow->follower;
    if (job->err == CH_OK && ch_follower_seq(follower) > job->seq) {
        job->err = ch_follower_rewind(follower, &job->why);
    }
    if (job->err == CH_OK) {
        job->err = ch_follower_go(follower, job->seq, may_go_on, shadow, &job->why);
    }
    if (job->err == CH_OK && ch_follower_seq(follower) != job->seq) {
        job->err =
            ch_fail_field(&job->why, CH_ERR_NOT_YET, "as_of",
                          "as_of: the log does not reach event %llu", (unsigned long long)job->seq);
    }
    if (job->err == CH_OK) job->answer(job, &follower->state, job->now_ns);
    finish(shadow, job);
}

static void refuse_all(struct ch_shadow *shadow, struct ch_shadow_job *jobs)
{
    while (jobs != NULL) {
        struct ch_shadow_job *job = jobs;
        jobs = job->next;
        job->err = ch_fail(&job->why, CH_ERR_STOPPED, 0, "the daemon is stopping");
        finish(shadow, job);
    }
}

static void *run(void *arg)
{
    struct ch_shadow *shadow = arg;
    for (;;) {
        (void)pthread_mutex_lock(&shadow->mutex);
        while (shadow->waiting == NULL && !shadow->stopping) {
            (void)pthread_cond_wait(&shadow->woken, &shadow->mutex);
        }
        struct ch_shadow_job *taken = shadow->waiting;
        shadow->waiting = NULL;
        bool stopping = shadow->stopping;
        (void)pthread_mutex_unlock(&shadow->mutex);
        if (stopping) {
            refuse_all(shadow, taken);
            return NULL;
        }
        struct ch_shadow_job *sorted = NULL;
        while (taken != NULL) {
            struct ch_shadow_job *job = taken;
            taken = job->next;
            locate(shadow, job);
            insert_sorted(&sorted, job);
        }
        while (sorted != NULL) {
            struct ch_shadow_job *job = sorted;
            sorted = job->next;
            serve(shadow, job);
        }
    }
}

enum ch_err ch_shadow_start(struct ch_evlog *log, const struct ch_directory *directory,
                            void (*on_done)(void *arg), void *arg, struct ch_shadow **ret,
                            struct ch_why *why)
{
    struct ch_shadow *shadow = calloc(1, sizeof *shadow);
    if (shadow == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the worker");
    shadow->on_done = on_done;
    shadow->arg = arg;
    shadow->done_end = &shadow->done_first;
    enum ch_err err = ch_follower_open(&shadow->follower, log, directory, why);
    if (err != CH_OK) {
        free(shadow);
        return err;
    }
    (void)pthread_mutex_init(&shadow->mutex, NULL);
    (void)pthread_cond_init(&shadow->woken, NULL);
    int rc = pthread_create(&shadow->thread, NULL, run, shadow);
    if (rc != 0) {
        ch_follower_close(&shadow->follower);
        free(shadow);
        return ch_fail(why, CH_ERR_NO_MEMORY, rc, "the worker's thread does not start");
    }
    *ret = shadow;
    return CH_OK;
}

void ch_shadow_stop(struct ch_shadow *shadow)
{
    if (shadow == NULL) return;
    (void)pthread_mutex_lock(&shadow->mutex);
    shadow->stopping = true;
    (void)pthread_cond_signal(&shadow->woken);
    (void)pthread_mutex_unlock(&shadow->mutex);
    (void)pthread_join(shadow->thread, NULL);
}

void ch_shadow_destroy(struct ch_shadow *shadow)
{
    if (shadow == NULL) return;
    (void)pthread_mutex_destroy(&shadow->mutex);
    (void)pthread_cond_destroy(&shadow->woken);
    ch_follower_close(&shadow->follower);
    free(shadow);
}

void ch_shadow_submit(struct ch_shadow *shadow, struct ch_shadow_job *job)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    job->next = shadow->waiting;
    shadow->waiting = job;
    (void)pthread_cond_signal(&shadow->woken);
    (void)pthread_mutex_unlock(&shadow->mutex);
}

struct ch_shadow_job *ch_shadow_collect(struct ch_shadow *shadow)
{
    (void)pthread_mutex_lock(&shadow->mutex);
    struct ch_shadow_job *job = shadow->done_first;
    if (job != NULL) {
        shadow->done_first = job->next;
        if (shadow->done_first == NULL) shadow->done_end = &shadow->done_first;
        job->next = NULL;
    }
    (void)pthread_mutex_unlock(&shadow->mutex);
    return job;
}
