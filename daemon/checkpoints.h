/* checkpoints: signed tree heads, from the wish for one to the disk. SPDX-License-Identifier: MIT
 * One at a time. The loop asks the worker, which has the state behind an event hashed, makes the
 * root of the log up to that event, sees that it goes on from the checkpoint before, and signs;
 * the commit thread stores the note and makes the head file durable; then those who waited are
 * answered.
 * A checkpoint is made after so many events, after so much time, at shutdown, and when asked for.
 * Cosignatures and rotations of the key take the same way.
 * Threads: all of it is the loop's, but for what the worker does for a job of ours. */
#ifndef CH_DAEMON_CHECKPOINTS_H
#define CH_DAEMON_CHECKPOINTS_H
#include "daemon/line.h"

struct ch_batch;
struct ch_batch_result;
struct ch_checkpoints; /* opaque */
struct ch_prover;
struct ch_shadow_job;
struct ch_signer;

/* Reads the signing key, or makes one, and the last checkpoint. The line's owner has set its part.
 * ret:    destroy it after the worker has ended
 * errors: those of ch_keys_open, ch_stored_get; CH_ERR_CONFIG (a witness is no verifier key) */
CH_MUST_USE enum ch_err ch_checkpoints_create(struct ch_pipeline *line, struct ch_checkpoints **ret,
                                              struct ch_why *why);
void ch_checkpoints_destroy(struct ch_checkpoints *checkpoints); /* NULL is a no-op */

/* The size of the newest stored one; 0: there is none. */
uint64_t ch_checkpoints_size(const struct ch_checkpoints *checkpoints);
/* A copy of the key that signs, and the newest stored checkpoint, which it signed.
 * ret: deinit it. errors: CH_ERR_NO_MEMORY; CH_ERR_BUSY (there is no such checkpoint yet) */
CH_MUST_USE enum ch_err ch_checkpoints_signer(const struct ch_checkpoints *checkpoints,
                                              struct ch_signer *ret, uint64_t *ret_number,
                                              uint64_t *ret_size, struct ch_why *why);
/* For jobs of the worker only. */
struct ch_prover *ch_checkpoints_prover(struct ch_checkpoints *checkpoints);

/* More is durable: makes one if it is time. */
void ch_checkpoints_durable(struct ch_checkpoints *checkpoints);

/* A request that wants one made, a rotation, a cosignature or a receipt and must wait for it. True:
 * it waits, or was refused. */
bool ch_checkpoints_take(struct ch_checkpoints *checkpoints,
                         const struct ch_ingress_arrival *arrival, const struct ch_request *request,
                         const struct ch_moment *moment);
/* True: a request (ret) comes back and must be taken again; call again for the rest. */
bool ch_checkpoints_collect(struct ch_checkpoints *checkpoints, struct ch_ingress_arrival *ret);

/* The worker has done a job. True: it was ours. */
bool ch_checkpoints_made(struct ch_checkpoints *checkpoints, const struct ch_shadow_job *job);
/* Whether there is a note for the commit thread; fill puts it into the batch. With NULL, as in a
 * start that failed, there is none, and nothing is stored or comes back. */
bool ch_checkpoints_ready(const struct ch_checkpoints *checkpoints);
void ch_checkpoints_fill(struct ch_checkpoints *checkpoints, struct ch_batch *batch);
/* The batch that it was put into is done. */
void ch_checkpoints_stored(struct ch_checkpoints *checkpoints,
                           const struct ch_batch_result *result);

/* Begins the last one before the end. True: it is under way, and ready soon, or never. */
bool ch_checkpoints_last(struct ch_checkpoints *checkpoints);
/* Whether something is under way. */
bool ch_checkpoints_busy(const struct ch_checkpoints *checkpoints);

/* checkpoint_query.c: the answers of checkpoint.*; as ch_worldly_answer. */
bool ch_checkpoints_answer(struct ch_checkpoints *checkpoints, const struct ch_call *call,
                           struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why);
#endif
