/* batch: events that become durable together, and the answers that wait for them.
 * SPDX-License-Identifier: MIT
 * The loop fills one while the commit thread makes the one before durable. */
#ifndef CH_DAEMON_BATCH_H
#define CH_DAEMON_BATCH_H
#include "daemon/core/store.h"
#include "daemon/edge/ingress.h"
#include "schema/base/arena.h"
#include "schema/base/buf.h"

struct ch_event;

/* An answer that may leave when the batch is durable. */
struct ch_held {
    struct ch_ingress_arrival arrival;
    size_t reply_at; /* its bytes in `replies` */
    size_t reply_len;
    bool
        /* its events are in this batch: if that fails, so has it; else it is asked again */
        changes;
    uint8_t id[16];
};

/* What subscribers are told of one event. */
struct ch_ring {
    uint64_t seq;
    uint64_t at;
    uint64_t account;
    uint16_t tag;
};

struct ch_open_batch {
    struct ch_mark mark; /* the state before its first event */
    uint64_t first_seq;
    uint64_t last_at;
    uint32_t count;
    bool sync_vault;
    struct ch_buf records; /* one after another */
    struct ch_buf ends;    /* size_t: where each record ends */
    struct ch_buf rings;   /* struct ch_ring */
    struct ch_buf
        views; /* struct ch_bytes, made when the batch is submitted, in room made before */
    struct ch_buf replies;
    struct ch_buf held;   /* struct ch_held */
    struct ch_buf erased; /* uint64_t: vault slots to destroy when the batch is durable */
};

void ch_batch_deinit(struct ch_open_batch *batch);
/* Empty again; keeps its memory. */
void ch_batch_reset(struct ch_open_batch *batch, struct ch_mark mark, uint64_t first_seq);

/* Where the batch stands, to come back to when a message is taken back. */
struct ch_batch_place {
    size_t records, ends, rings, erased;
    uint32_t count;
};
struct ch_batch_place ch_batch_place(const struct ch_open_batch *batch);
void ch_batch_back_to(struct ch_open_batch *batch, struct ch_batch_place place);

/* Appends an event's record, and makes room for its view; it is not counted yet. Check
 * ch_batch_failed. */
void ch_batch_put(struct ch_open_batch *batch, const struct ch_event *event);
/* The records that are counted, as views; borrowed until reset. */
const struct ch_bytes *ch_batch_views(struct ch_open_batch *batch);

static inline size_t ch_batch_held(const struct ch_open_batch *batch)
{
    return batch->held.len / sizeof(struct ch_held);
}

static inline bool ch_batch_failed(const struct ch_open_batch *batch)
{
    return batch->records.failed || batch->ends.failed || batch->rings.failed ||
           batch->erased.failed || batch->views.failed;
}
#endif
