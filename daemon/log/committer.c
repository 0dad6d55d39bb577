/* committer: see committer.h. SPDX-License-Identifier: MIT */
#include "daemon/log/committer.h"

#include "daemon/log/evlog.h"
#include "daemon/log/stored.h"
#include "daemon/log/thread.h"
#include "daemon/log/vault.h"
#include "schema/base/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum stage { IDLE, SUBMITTED, FINISHED };

struct ch_committer {
    struct ch_evlog *log;
    struct ch_vault *vault;
    ch_committer_done_fn *on_done;
    void *arg;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards stage and stopping; batch and result go with the stage */
    pthread_cond_t submitted;
    enum stage stage;
    bool stopping;
    struct ch_batch batch;
    struct ch_batch_result result;
};

static void lock(struct ch_committer *committer)
{
    CH_CHECK(pthread_mutex_lock(&committer->mutex) == 0);
}

static void unlock(struct ch_committer *committer)
{
    CH_CHECK(pthread_mutex_unlock(&committer->mutex) == 0);
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    CH_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The event first: the next start then does what could not be done here. So a failure does not take
 * the batch back; it stops the process. */
static enum ch_err erase(struct ch_committer *committer, const struct ch_batch *batch,
                         struct ch_why *why)
{
    enum ch_err err = CH_OK;
    for (size_t i = 0; err == CH_OK && i < batch->erased_len; i++) {
        uint64_t number;
        memcpy(&number, batch->erased + i * sizeof number, sizeof number);
        err = ch_vault_erase(committer->vault, number, why);
    }
    if (err == CH_OK) err = ch_vault_sync(committer->vault, why);
    if (err == CH_OK) return CH_OK;
    return ch_fail(why, CH_ERR_COMMIT_FAILED, why == NULL ? 0 : why->code,
                   "a key that was to be destroyed is still in the vault; the next start does it");
}

/* The vault first: a key that no event needs does no harm, an event without its key does. */
static enum ch_err commit(struct ch_committer *committer, struct ch_why *why)
{
    const struct ch_batch *batch = &committer->batch;
    if (batch->sync_vault) {
        enum ch_err err = ch_vault_sync(committer->vault, why);
        if (err != CH_OK) return err;
    }
    if (batch->count > 0) {
        enum ch_err err = ch_evlog_append(committer->log, batch->first_seq, batch->records,
                                          batch->count, batch->at_ns, why);
        if (err != CH_OK) return err;
    }
    return batch->erased_len == 0 ? CH_OK : erase(committer, batch, why);
}

/* What the records rest on is durable now, whatever becomes of the checkpoint; a commit that failed
 * ends the process all the same. */
static enum ch_err store_checkpoint(struct ch_committer *committer, struct ch_batch_result *result)
{
    const struct ch_batch *batch = &committer->batch;
    if (batch->checkpoint == 0) return CH_OK;
    result->checkpoint_err =
        ch_stored_put(committer->log, batch->checkpoint, batch->checkpoint_at_ns,
                      batch->checkpoint_note, &result->checkpoint_why);
    if (result->checkpoint_err != CH_ERR_COMMIT_FAILED) return CH_OK;
    result->why = result->checkpoint_why;
    return CH_ERR_COMMIT_FAILED;
}

static void run_batch(struct ch_committer *committer)
{
    struct ch_batch_result result = {0};
    uint64_t start_ns = monotonic_ns();
    result.err = commit(committer, &result.why);
    if (result.err == CH_OK) {
        result.err = store_checkpoint(committer, &result);
    } else {
        result.checkpoint_err = committer->batch.checkpoint == 0 ? CH_OK : result.err;
        result.checkpoint_why = result.why;
    }
    if (result.err == CH_OK && committer->batch.sync_head) {
        result.err = ch_evlog_sync_head(committer->log, &result.why);
    }
    result.end = *ch_evlog_end(committer->log);
    result.log_bytes = ch_evlog_bytes(committer->log);
    result.commit_ns = monotonic_ns() - start_ns;
    lock(committer);
    committer->result = result;
    committer->stage = FINISHED;
    unlock(committer);
    committer->on_done(committer->arg);
    if (result.err == CH_OK) ch_evlog_room_ahead(committer->log);
}

static void *run(void *arg)
{
    struct ch_committer *committer = arg;
    for (;;) {
        lock(committer);
        while (committer->stage != SUBMITTED && !committer->stopping) {
            CH_CHECK(pthread_cond_wait(&committer->submitted, &committer->mutex) == 0);
        }
        bool work = committer->stage == SUBMITTED;
        unlock(committer);
        if (!work) return NULL;
        run_batch(committer);
    }
}

enum ch_err ch_committer_start(struct ch_evlog *log, struct ch_vault *vault,
                               ch_committer_done_fn *on_done, void *arg, struct ch_committer **ret,
                               struct ch_why *why)
{
    struct ch_committer *committer = calloc(1, sizeof *committer);
    if (committer == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "commit thread");
    committer->log = log;
    committer->vault = vault;
    committer->on_done = on_done;
    committer->arg = arg;
    committer->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    committer->submitted = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    int code = ch_thread_start(&committer->thread, "commit", run, committer);
    if (code != 0) {
        free(committer);
        return ch_fail(why, CH_ERR_NO_MEMORY, code, "commit thread: %s", strerror(code));
    }
    *ret = committer;
    return CH_OK;
}

void ch_committer_stop(struct ch_committer *committer)
{
    if (committer == NULL) return;
    lock(committer);
    committer->stopping = true;
    CH_CHECK(pthread_cond_signal(&committer->submitted) == 0);
    unlock(committer);
    CH_CHECK(pthread_join(committer->thread, NULL) == 0);
    (void)pthread_cond_destroy(&committer->submitted);
    (void)pthread_mutex_destroy(&committer->mutex);
    free(committer);
}

bool ch_committer_idle(struct ch_committer *committer)
{
    lock(committer);
    bool idle = committer->stage == IDLE;
    unlock(committer);
    return idle;
}

void ch_committer_submit(struct ch_committer *committer, const struct ch_batch *batch)
{
    CH_CHECK((!batch->sync_vault && batch->erased_len == 0) || committer->vault != NULL);
    lock(committer);
    CH_CHECK(committer->stage == IDLE);
    committer->batch = *batch;
    committer->stage = SUBMITTED;
    CH_CHECK(pthread_cond_signal(&committer->submitted) == 0);
    unlock(committer);
}

bool ch_committer_collect(struct ch_committer *committer, struct ch_batch_result *ret)
{
    lock(committer);
    bool finished = committer->stage == FINISHED;
    if (finished) {
        *ret = committer->result;
        committer->stage = IDLE;
    }
    unlock(committer);
    return finished;
}
