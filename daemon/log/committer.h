/* committer: the thread that makes batches durable. SPDX-License-Identifier: MIT
 * One batch at a time: submit, then on_done is called on the commit thread, then collect. For each
 * batch: vault sync if asked, then the log's append, then the checkpoint, then on_done;
 * after that, off the critical path, the file is allocated ahead. While it works, the caller
 * decides the next batch.
 * Threads: submit, collect and stop belong to one thread (the loop). */
#ifndef CH_LOG_COMMITTER_H
#define CH_LOG_COMMITTER_H
#include "daemon/log/head.h"

struct ch_evlog;
struct ch_vault;
struct ch_committer; /* opaque */

/* Called on the commit thread when a batch is finished, whatever its result; must not block: it
 * writes an eventfd. */
typedef void ch_committer_done_fn(void *arg);

struct ch_batch {
    uint64_t first_seq;
    uint64_t at_ns;                 /* of the last record */
    const struct ch_bytes *records; /* array and bytes borrowed until collected */
    size_t count;                   /* 0: nothing to append; only the vault, after an erase */
    bool sync_vault;                /* the batch made users */
    const uint8_t *erased;          /* uint64_t in the machine's order: vault slots to destroy when
                                     * the records are durable; borrowed until collected */
    size_t erased_len;
    bool sync_head;                 /* make the head file durable too; with a checkpoint */
    uint64_t checkpoint;            /* the number of one to store behind the records; 0: none */
    uint64_t checkpoint_at_ns;      /* see stored.h */
    struct ch_text checkpoint_note; /* borrowed until collected */
};

struct ch_batch_result {
    enum ch_err err; /* CH_OK; CH_ERR_STORAGE_FULL, CH_ERR_NO_MEMORY: nothing was stored, roll back;
                      * CH_ERR_VAULT_IO: nothing was stored, roll back; CH_ERR_COMMIT_FAILED, and
                      * CH_ERR_FILE_IO of sync_head: the process must stop */
    struct ch_why why;          /* set unless CH_OK */
    enum ch_err checkpoint_err; /* CH_OK where there was none, or it is durable; the records may be
                                 * durable although it is not, but with CH_ERR_COMMIT_FAILED */
    struct ch_why checkpoint_why; /* set unless CH_OK */
    struct ch_log_end end;        /* of the log after the batch */
    uint64_t log_bytes;           /* see ch_evlog_bytes */
    uint64_t commit_ns; /* how long the batch took, on CLOCK_MONOTONIC; for metrics only */
};

/* Starts the thread.
 * log, vault: borrowed until stop; vault may be NULL when no batch asks for it
 * on_done:    borrowed until stop
 * errors:     CH_ERR_NO_MEMORY (code = what pthread_create said) */
CH_MUST_USE enum ch_err ch_committer_start(struct ch_evlog *log, struct ch_vault *vault,
                                           ch_committer_done_fn *on_done, void *arg,
                                           struct ch_committer **ret, struct ch_why *why);

/* Waits for the batch in progress, joins the thread, frees. A result that was not collected is
 * lost. NULL is a no-op. */
void ch_committer_stop(struct ch_committer *committer);

/* Whether submit may be called: nothing in progress and nothing to collect. */
bool ch_committer_idle(struct ch_committer *committer);

/* Gives one batch to the thread; CH_CHECKs that it is idle. The struct is copied, the records are
 * not. */
void ch_committer_submit(struct ch_committer *committer, const struct ch_batch *batch);

/* Takes the result of the finished batch; false while it is in progress, or when there is none. */
bool ch_committer_collect(struct ch_committer *committer, struct ch_batch_result *ret);
#endif
