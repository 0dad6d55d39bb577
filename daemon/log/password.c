/* password: see password.h. SPDX-License-Identifier: MIT */
#include "daemon/log/password.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/thread.h"
#include "schema/base/check.h"

_Static_assert((int)CH_VERIFIER_BYTES == crypto_pwhash_STRBYTES, "a verifier fits");

enum { THREADS_MOST = 16, ALIGNMENT = 64 };

struct ch_password_pool {
    pthread_mutex_t mutex; /* guards the lists and `stopping` */
    pthread_cond_t woken;
    struct ch_password_job *waiting, **waiting_end;
    struct ch_password_job *done, **done_end;
    bool stopping;
    struct ch_password_cost cost;
    void (*on_done)(void *arg);
    void *arg;
    pthread_t threads[THREADS_MOST];
    uint32_t count;
};

struct ch_password_job *ch_password_job_create(uint32_t count)
{
    struct ch_password_job *job = NULL;
    size_t bytes = sizeof *job + count * sizeof job->passwords[0];
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; /* its end lies on a page's */
    job = sodium_malloc(bytes);
    if (job == NULL) return NULL;
    memset(job, 0, bytes);
    job->count = count;
    return job;
}

void ch_password_job_destroy(struct ch_password_job *job)
{
    sodium_free(job); /* wipes it */
}

/* libsodium says the same where a password is wrong and where it had no memory to compare it. */
static bool had_memory(const char *verifier)
{
    const char *kib = strstr(verifier, "$m=");
    if (kib == NULL) return true; /* it is no verifier: none is right for it */
    const unsigned long needed = strtoul(kib + 3, NULL, 10);
    void *room = malloc((size_t)needed * 1024);
    free(room);
    return room != NULL;
}

enum ch_err ch_password_work(struct ch_password *password, struct ch_password_cost cost,
                             struct ch_why *why)
{
    CH_CHECK(password->len <= sizeof password->text);
    const bool known = password->compare && password->verifier[0] != '\0';
    char made[CH_VERIFIER_BYTES];
    int code = 0;
    if (known) {
        password->good =
            crypto_pwhash_str_verify(password->verifier, password->text, password->len) == 0;
        if (!password->good && !had_memory(password->verifier)) code = ENOMEM;
    } else {
        code = crypto_pwhash_str(made, password->text, password->len, cost.passes,
                                 (size_t)cost.kib * 1024);
        password->good = false;
        if (!password->compare && code == 0) memcpy(password->verifier, made, sizeof made);
        sodium_memzero(made, sizeof made);
    }
    sodium_memzero(password->text, sizeof password->text);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a password; try again");
}

static void finish(struct ch_password_pool *pool, struct ch_password_job *job)
{
    job->next = NULL;
    (void)pthread_mutex_lock(&pool->mutex);
    *pool->done_end = job;
    pool->done_end = &job->next;
    (void)pthread_mutex_unlock(&pool->mutex);
    pool->on_done(pool->arg);
}

/* Takes the first of a list; its mutex is held. */
static struct ch_password_job *take_first(struct ch_password_job **list,
                                          struct ch_password_job ***end)
{
    struct ch_password_job *job = *list;
    if (job == NULL) return NULL;
    *list = job->next;
    if (*list == NULL) *end = list;
    job->next = NULL;
    return job;
}

static void *run(void *arg)
{
    struct ch_password_pool *pool = arg;
    for (;;) {
        (void)pthread_mutex_lock(&pool->mutex);
        while (pool->waiting == NULL && !pool->stopping) {
            (void)pthread_cond_wait(&pool->woken, &pool->mutex);
        }
        const bool stopping = pool->stopping;
        struct ch_password_job *job = take_first(&pool->waiting, &pool->waiting_end);
        (void)pthread_mutex_unlock(&pool->mutex);
        if (job == NULL) return NULL;
        if (stopping) job->err = ch_fail(&job->why, CH_ERR_STOPPED, 0, "the daemon is stopping");
        for (uint32_t i = 0; job->err == CH_OK && i < job->count; i++) {
            job->err = ch_password_work(&job->passwords[i], pool->cost, &job->why);
        }
        finish(pool, job);
    }
}

enum ch_err ch_password_pool_start(uint32_t threads, struct ch_password_cost cost,
                                   void (*on_done)(void *arg), void *arg,
                                   struct ch_password_pool **ret, struct ch_why *why)
{
    CH_CHECK(threads > 0 && threads <= THREADS_MOST);
    struct ch_password_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the password pool");
    pool->cost = cost;
    pool->on_done = on_done;
    pool->arg = arg;
    pool->waiting_end = &pool->waiting;
    pool->done_end = &pool->done;
    (void)pthread_mutex_init(&pool->mutex, NULL);
    (void)pthread_cond_init(&pool->woken, NULL);
    for (; pool->count < threads; pool->count++) {
        const int rc = ch_thread_start(&pool->threads[pool->count], "password", run, pool);
        if (rc == 0) continue;
        ch_password_pool_stop(pool);
        ch_password_pool_destroy(pool);
        return ch_fail(why, CH_ERR_NO_MEMORY, rc, "a thread for passwords does not start");
    }
    *ret = pool;
    return CH_OK;
}

void ch_password_pool_stop(struct ch_password_pool *pool)
{
    if (pool == NULL) return;
    (void)pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->woken);
    (void)pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; i < pool->count; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    pool->count = 0;
}

void ch_password_pool_destroy(struct ch_password_pool *pool)
{
    if (pool == NULL) return;
    CH_CHECK(pool->count == 0 && pool->waiting == NULL && pool->done == NULL);
    (void)pthread_mutex_destroy(&pool->mutex);
    (void)pthread_cond_destroy(&pool->woken);
    free(pool);
}

void ch_password_submit(struct ch_password_pool *pool, struct ch_password_job *job)
{
    (void)pthread_mutex_lock(&pool->mutex);
    *pool->waiting_end = job;
    pool->waiting_end = &job->next;
    (void)pthread_cond_signal(&pool->woken);
    (void)pthread_mutex_unlock(&pool->mutex);
}

struct ch_password_job *ch_password_collect(struct ch_password_pool *pool)
{
    (void)pthread_mutex_lock(&pool->mutex);
    struct ch_password_job *job = take_first(&pool->done, &pool->done_end);
    (void)pthread_mutex_unlock(&pool->mutex);
    return job;
}
