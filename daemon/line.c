/* line: see line.h. SPDX-License-Identifier: MIT */
#include "daemon/line.h"

#include "daemon/core/apply.h"
#include "daemon/uses.h"
#include "schema/limits.h"

uint64_t ch_line_now(const struct ch_pipeline *line)
{
    const struct ch_row_meta *meta = ch_meta(line->state);
    if (meta->importing != 0) return meta->last_at; /* the clock stands at the last imported line */
    const uint64_t now = ch_clock_now_ns(line->clock);
    return now > meta->last_at ? now : meta->last_at;
}

void ch_line_send(struct ch_pipeline *line, struct ch_ingress_slot slot, struct ch_bytes reply)
{
    struct ch_why why;
    if (ch_ingress_reply(line->ingress, slot, &reply, 1, &why) != CH_OK) {
        ch_ingress_drop(line->ingress, slot); /* the client asks again, with the same id */
    }
}

void ch_line_refuse(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                    const uint8_t *id, const struct ch_why *why)
{
    ch_buf_reset(&line->reply);
    ch_reply_error(&line->reply, id, ch_meta(line->state)->head, why);
    ch_line_send(line, arrival->slot, ch_buf_view(&line->reply));
}

struct ch_ground ch_line_ground(struct ch_pipeline *line)
{
    return (struct ch_ground){.state = line->state,
                              .batch = line->open,
                              .directory = line->directory,
                              .entropy = line->entropy,
                              .reader = line->reader,
                              .shown = line->shown,
                              .uses = ch_meta(line->state)->importing == 0 ? line->uses : NULL,
                              .mailer_key = line->config->has_mailer ? line->config->mailer : NULL,
                              .answer = ch_worldly_answer,
                              .arg = line};
}

void ch_line_keep(struct ch_pipeline *line, struct ch_buf *list, const void *entry, size_t bytes,
                  const struct ch_ingress_arrival *arrival)
{
    ch_buf_put(list, entry, bytes);
    if (!list->failed) return;
    list->failed = false;
    ch_ingress_drop(line->ingress, arrival->slot);
}

bool ch_line_next(struct ch_buf *list, size_t *at, void *ret, size_t bytes)
{
    if (*at == list->len) {
        *at = 0;
        ch_buf_reset(list);
        return false;
    }
    memcpy(ret, list->ptr + *at, bytes);
    *at += bytes;
    return true;
}

void ch_line_hold(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const uint8_t id[16], bool changes, uint64_t seq)
{
    struct ch_open_batch *batch = line->open;
    if (!changes && line->flying != NULL && (batch->count == 0 || seq < batch->first_seq)) {
        batch = line->flying;
    }
    struct ch_held held = {.arrival = *arrival,
                           .reply_at = batch->replies.len,
                           .reply_len = line->reply.len,
                           .changes = changes};
    memcpy(held.id, id, sizeof held.id);
    ch_buf_put(&batch->replies, line->reply.ptr, line->reply.len);
    if (!batch->replies.failed) ch_buf_put(&batch->held, &held, sizeof held);
    if (batch->replies.failed || batch->held.failed) {
        batch->replies.len = held.reply_at;
        batch->replies.failed = batch->held.failed = false;
        ch_ingress_drop(line->ingress, arrival->slot);
        return;
    }
    line->held_commands++;
}

enum ch_err ch_line_worker_room(struct ch_pipeline *line, struct ch_why *why)
{
    if (line->past_jobs < LIMIT_WORKER_QUEUE) return CH_OK;
    line->busy_answers++;
    return ch_fail(why, CH_ERR_BUSY, 0, "too many questions wait for the worker; try again");
}

/* A timer that cannot be set for want of memory is set again at the end of the next turn. */
void ch_line_set_timer(struct ch_loop_timer *timer, uint64_t at_ns)
{
    struct ch_why why;
    if (ch_loop_timer_set(timer, at_ns, &why) != CH_OK) ch_loop_timer_clear(timer);
}

/* Without memory the daemon's own events wait, and meanwhile the loop does not turn for them. */
static void retry_later(struct ch_pipeline *line)
{
    enum { RETRY_NS = 500000000 };
    line->own_retry_ns = ch_clock_monotonic_ns() + RETRY_NS;
}

/* Appends an event of the daemon's own, or leaves no trace. False: for want of memory */
static bool append_own(struct ch_pipeline *line, const struct ch_verdict *verdict, uint64_t now,
                       struct ch_arena *arena)
{
    struct ch_why why;
    const struct ch_moment moment = {.now = now};
    const struct ch_ground ground = ch_line_ground(line);
    const struct ch_mark mark = ch_store_mark(&line->state->store);
    const struct ch_batch_place place = ch_batch_place(line->open);
    if (!verdict->no_memory &&
        ch_message_append(&ground, verdict, NULL, &moment, arena, &why) == CH_OK) {
        return true;
    }
    ch_store_rollback(&line->state->store, mark);
    ch_batch_back_to(line->open, place);
    retry_later(line);
    return false;
}

enum { USES_PER_TURN = 4 }; /* events; each names up to a thousand shares */

void ch_line_tell_uses(struct ch_pipeline *line, bool at_end)
{
    struct ch_arena arena = {0};
    const uint64_t now = ch_line_now(line);
    struct ch_uses_page page;
    uint32_t told = 0;
    while ((at_end || told < USES_PER_TURN) && ch_meta(line->state)->importing == 0 &&
           ch_uses_take(line->uses, line->state, now, at_end, &page)) {
        told++;
        if (page.count > 0 || page.unnoted > 0) {
            struct ch_verdict verdict;
            if (!ch_used_reserve(line->state, page.count)) {
                retry_later(line);
                break;
            }
            ch_decide_used(line->state, now, page.day_at, page.shares, page.count, page.unnoted,
                           &arena, &verdict);
            if (!append_own(line, &verdict, now, &arena)) break;
            ch_arena_reset(&arena);
        }
        ch_uses_told(line->uses, &page);
    }
    ch_arena_deinit(&arena);
}

void ch_line_fire_due(struct ch_pipeline *line)
{
    struct ch_arena arena = {0};
    const uint64_t now = ch_line_now(line);
    if (ch_uses_due(line->uses) <= now) ch_line_tell_uses(line, /* at_end= */ false);
    for (uint64_t i = 0; i < LIMIT_TIMERS_PER_TURN; i++) {
        const struct ch_row_due *due = ch_due_first(line->state);
        if (due == NULL || due->at > now) break;
        if (!ch_due_reserve(line->state)) {
            retry_later(line);
            break;
        }
        struct ch_verdict verdict;
        ch_decide_due(line->state, now, &arena, &verdict);
        if (!append_own(line, &verdict, now, &arena)) break;
        ch_arena_reset(&arena);
    }
    ch_arena_deinit(&arena);
}

void ch_line_set_due_timer(struct ch_pipeline *line)
{
    const struct ch_row_due *due = ch_due_first(line->state);
    const uint64_t told_at = ch_uses_due(line->uses);
    const uint64_t at = due != NULL && due->at < told_at ? due->at : told_at;
    if (line->clock->is_manual || ch_meta(line->state)->importing != 0 || at == UINT64_MAX) {
        ch_loop_timer_clear(line->due_timer);
        return;
    }
    const uint64_t now = ch_clock_now_ns(line->clock);
    const uint64_t wait = at > now ? at - now : 0;
    const uint64_t when = ch_clock_monotonic_ns() + wait;
    ch_line_set_timer(line->due_timer, when > line->own_retry_ns ? when : line->own_retry_ns);
}

bool ch_line_may(const struct ch_pipeline *line, const struct ch_call *call,
                 const struct ch_moment *moment, enum ch_scope scope)
{
    uint32_t on = 0;
    if (!ch_is_bound(moment)) return true;
    if (!call->has_on && moment->key_row != 0) {
        on = ch_key_row(line->state, moment->key_row)->account;
    } else if (!call->has_on && moment->session_row != 0) {
        on = ch_session_account(line->state, moment->session_row);
    }
    if (call->has_on) {
        on = ch_find_account_ref(line->state, &call->on);
    }
    if (on == 0) return false;
    const struct ch_question question = {.user = moment->user_row,
                                         .key = moment->key_row,
                                         .account = on,
                                         .wanted = ch_scopes_of((uint8_t)scope),
                                         .channel = moment->channel,
                                         .now = moment->now};
    struct ch_answer judged;
    ch_access(line->state, &question, &judged, NULL, NULL);
    return judged.decision == CH_decision_allowed;
}
