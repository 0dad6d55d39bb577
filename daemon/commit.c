/* commit: see commit.h. SPDX-License-Identifier: MIT */
#include "daemon/commit.h"

#include "daemon/checkpoints.h"
#include "daemon/edge/doorbell.h"
#include "daemon/log/committer.h"
#include "daemon/replay/shadow.h"
#include "daemon/waiting.h"

void ch_commit_submit(struct ch_pipeline *line)
{
    const bool checkpoint = ch_checkpoints_ready(line->checkpoints);
    if (line->flying != NULL) return;
    if (line->open->count == 0 && line->open->held.len == 0 && !checkpoint) return;
    const struct ch_bytes *records = ch_batch_views(line->open);
    line->flying = line->open;
    line->open = line->flying == &line->batches[0] ? &line->batches[1] : &line->batches[0];
    ch_batch_reset(line->open, ch_store_mark(&line->state->store), ch_meta(line->state)->head + 1);
    struct ch_batch batch = {.first_seq = line->flying->first_seq,
                             .at_ns = line->flying->last_at,
                             .records = records,
                             .count = line->flying->count,
                             .sync_vault = line->flying->sync_vault,
                             .erased = line->flying->erased.ptr,
                             .erased_len = line->flying->erased.len / sizeof(uint64_t)};
    if (checkpoint) ch_checkpoints_fill(line->checkpoints, &batch);
    ch_committer_submit(line->committer, &batch);
}

static void ring(struct ch_pipeline *line, const struct ch_open_batch *batch)
{
    if (line->doorbell == NULL) return;
    for (size_t i = 0; i < batch->rings.len / sizeof(struct ch_ring); i++) {
        struct ch_ring one;
        memcpy(&one, batch->rings.ptr + i * sizeof one, sizeof one);
        const struct ch_doorbell_ring told = {.seq = one.seq,
                                              .at_ns = one.at,
                                              .account = one.account,
                                              .type = ch_text_of(ch_events[one.tag].record.name)};
        ch_doorbell_ring(line->doorbell, &told);
    }
}

/* Somebody was erased, and the key is gone: what was said of them goes from memory, too. State has
 * dropped it already; the worker's states do so now, and what messages left is cleared. */
static void wipe_erased(struct ch_pipeline *line, struct ch_open_batch *batch)
{
    ch_arena_reset(&line->arena); /* no message is under way */
    ch_arena_wipe(&line->arena);
    ch_buf_reset(&line->reply);
    ch_buf_wipe(&line->reply);
    ch_buf_reset(&batch->replies); /* they have left */
    ch_buf_wipe(&batch->replies);
    ch_buf_wipe(&line->open->replies);
    ch_shadow_forget(line->shadow);
}

/* A batch is durable: doorbell and replies leave, and nobody waits for it any more. */
static void finish(struct ch_pipeline *line, struct ch_open_batch *batch,
                   const struct ch_batch_result *result)
{
    line->durable = result->end.seq;
    line->log_bytes = result->log_bytes;
    memcpy(line->root, result->end.root.bytes, sizeof line->root);
    ch_store_forget(&line->state->store, line->open->mark);
    if (line->durable - line->followed >= line->follow_events) {
        line->followed = line->durable;
        ch_shadow_follow(line->shadow, line->durable);
    }
    ring(line, batch);
    ch_checkpoints_durable(line->checkpoints);
    for (size_t i = 0; i < ch_batch_held(batch); i++) {
        struct ch_held held;
        memcpy(&held, batch->held.ptr + i * sizeof held, sizeof held);
        line->held_commands--;
        ch_line_send(line, held.arrival.slot,
                     (struct ch_bytes){batch->replies.ptr + held.reply_at, held.reply_len});
    }
    ch_waiting_end(line);
    if (batch->erased.len > 0) wipe_erased(line, batch);
}

/* A batch that could not be stored is taken back, with the one decided after it. Its commands are
 * told so; queries and refusals that saw it are answered again. */
static void take_back(struct ch_pipeline *line, struct ch_open_batch *batch,
                      const struct ch_batch_result *result)
{
    struct ch_open_batch *both[2] = {batch, line->open};
    ch_store_rollback(&line->state->store, batch->mark);
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; i < ch_batch_held(both[b]); i++) {
            struct ch_held held;
            memcpy(&held, both[b]->held.ptr + i * sizeof held, sizeof held);
            line->held_commands--;
            if (held.changes) {
                ch_line_refuse(line, &held.arrival, held.id, &result->why);
            } else {
                ch_waiting_again(line, &held.arrival);
            }
        }
    }
    ch_batch_reset(line->open, ch_store_mark(&line->state->store), ch_meta(line->state)->head + 1);
}

static void stop_for(struct ch_pipeline *line, const struct ch_batch_result *result)
{
    line->stop_err = result->err;
    line->stop_why = result->why;
    ch_loop_stop(line->loop);
}

bool ch_commit_collect(struct ch_pipeline *line)
{
    struct ch_batch_result result;
    if (!ch_committer_collect(line->committer, &result)) return false;
    struct ch_open_batch *batch = line->flying;
    line->flying = NULL;
    if (result.err == CH_OK) {
        finish(line, batch, &result);
    } else if (result.err == CH_ERR_STORAGE_FULL || result.err == CH_ERR_NO_MEMORY ||
               result.err == CH_ERR_VAULT_IO) {
        take_back(line, batch, &result);
    } else {
        stop_for(line, &result);
        return true;
    }
    ch_checkpoints_stored(line->checkpoints, &result);
    return true;
}
