/* pipeline: see pipeline.h. SPDX-License-Identifier: MIT */
#include "daemon/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/checkpoints.h"
#include "daemon/core/apply.h"
#include "daemon/edge/authenticate.h"
#include "daemon/edge/doorbell.h"
#include "daemon/log/committer.h"
#include "daemon/log/digest.h"
#include "daemon/log/evlog.h"
#include "daemon/log/password.h"
#include "daemon/log/seal.h"
#include "daemon/log/secret.h"
#include "daemon/log/shown.h"
#include "daemon/replay/shadow.h"
#include "daemon/uses.h"
#include "schema/limits.h"

enum { ARRIVALS = 64, FOLLOW_EVENTS = 1024, LAST_CHECKPOINT_MS = 10000 };

/* One failure for the whole message, or none. */
static enum ch_err check_request(struct ch_pipeline *line, const struct ch_request *request,
                                 bool commands, struct ch_why *why)
{
    const bool past = request->as_of_kind != CH_AS_OF_NOW;
    if (commands && past) {
        return ch_fail_field(why, CH_ERR_BAD_COMBINATION, "as_of",
                             "as_of: a command cannot be done in the past");
    }
    if (request->has_at && (!commands || past || request->mode != CH_MODE_EACH)) {
        return ch_fail_field(why, CH_ERR_BAD_COMBINATION, "at",
                             "at: only import messages have it, with commands and mode each");
    }
    if (ch_whatif_asked(request)) return ch_whatif_check(request, why);
    const uint32_t most = ch_ingress_slots(line->ingress) * 3 / 4;
    if (commands && line->held_commands >= (most == 0 ? 1 : most)) {
        line->busy_answers++;
        return ch_fail(why, CH_ERR_BUSY, 0, "too many commands wait to be durable; try again");
    }
    return CH_OK;
}

/* The moment of a message: the clock's, or an import message's own. */
static enum ch_rejection_code set_time(const struct ch_pipeline *line,
                                       const struct ch_request *request, struct ch_moment *moment)
{
    moment->now = ch_line_now(line);
    if (!request->has_at) return CH_REJ_none;
    const struct ch_call *first = &request->calls[0];
    const bool begins = first->why == NULL && first->type == CH_CMD_import_begin;
    const struct ch_row_meta *meta = ch_meta(line->state);
    if (moment->actor.kind != CH_actor_kind_operator) return CH_REJ_operator_only;
    if (meta->importing == 0 && !begins) return CH_REJ_no_import;
    if (request->at < meta->last_at) return CH_REJ_time_goes_back;
    moment->now = request->at;
    moment->imported = true;
    return CH_REJ_none;
}

static void fingerprint(struct ch_pipeline *line, const struct ch_request *request,
                        struct ch_moment *moment)
{
    ch_buf_reset(&line->reply);
    ch_request_fingerprint(&line->reply, request);
    ch_seal_fingerprint(line->directory->fingerprint_key, ch_buf_view(&line->reply),
                        moment->fingerprint);
    ch_wipe(line->reply.ptr, line->reply.len); /* it may hold a password */
    memcpy(moment->id, request->id, sizeof moment->id);
    ch_buf_reset(&line->reply);
}

static void reject_all(struct ch_pipeline *line, const struct ch_request *request,
                       enum ch_rejection_code code, const char *field)
{
    const struct ch_reject reject = {.code = code, .field = field};
    ch_buf_reset(&line->reply);
    ch_reply_begin(&line->reply, request->id, false, ch_meta(line->state)->head,
                   request->call_count);
    for (uint32_t i = 0; i < request->call_count; i++) {
        ch_reply_rejection(&line->reply, &reject);
    }
}

/* The reply goes, or waits. */
static void let_go(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                   const struct ch_request *request, const struct ch_ran *ran)
{
    uint64_t seq = ran->read_seq;
    if (line->reply.failed) {
        ch_ingress_drop(line->ingress, arrival->slot);
        return;
    }
    if (request->has_at_least && request->at_least > seq) seq = request->at_least;
    if (ran->changed || seq > line->durable) {
        ch_line_hold(line, arrival, request->id, ran->changed, seq);
    } else {
        ch_line_send(line, arrival->slot, ch_buf_view(&line->reply));
    }
}

/* Whether the message was accepted before; then it is answered from its events, or waits. */
static bool repeats(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                    const struct ch_request *request, struct ch_moment *moment)
{
    moment->now = ch_line_now(line);
    fingerprint(line, request, moment);
    const enum ch_repeat repeat = ch_repeat_answer(line, arrival, request, moment, &line->reply);
    /* Its queries were asked again, and may have seen what is not durable yet. */
    const struct ch_ran ran = {.read_seq = ch_meta(line->state)->head};
    if (repeat == CH_REPEAT_ANSWERED) let_go(line, arrival, request, &ran);
    return repeat != CH_REPEAT_NONE;
}

/* decide -> seal -> append -> apply, for the whole message; then its reply goes, or waits. */
static void run(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                struct ch_request *request, struct ch_moment *moment)
{
    struct ch_ran ran = {0};
    const enum ch_rejection_code code = set_time(line, request, moment);
    ch_buf_reset(&line->reply);
    if (code != CH_REJ_none) {
        reject_all(line, request, code, "at");
        ran.read_seq = ch_meta(line->state)->head;
    } else {
        const struct ch_ground ground = ch_line_ground(line);
        ch_message_run(&ground, request, moment, &line->arena, &line->reply, &ran);
    }
    let_go(line, arrival, request, &ran);
}

/* The seq that an events.read with wait_ms waits for; 0: it need not or may not wait. Only
 * while few
 * others wait, so that waiting readers never take the contexts that commands need. */
static uint64_t waits_for(const struct ch_pipeline *line, const struct ch_request *request,
                          uint64_t *ret_wait_ms)
{
    if (request->call_count != 1 || request->calls[0].why != NULL || line->last_try) return 0;
    if (request->calls[0].type != CH_QRY_events_read) return 0;
    const struct ch_qry_events_read *args = request->calls[0].args;
    const uint64_t from = args->has_from && args->from > 0 ? args->from : 1;
    const size_t waiting = line->waiters.len / sizeof(struct ch_waiter);
    if (!args->has_wait_ms || from <= line->durable) return 0;
    if (waiting >= ch_ingress_slots(line->ingress) / 4) return 0;
    *ret_wait_ms = args->wait_ms < LIMIT_WAIT_MS ? args->wait_ms : LIMIT_WAIT_MS;
    return from;
}

/* Bytes to structs, with the keyed hash beside every user's name. */
static enum ch_err decode(struct ch_pipeline *line, struct ch_bytes message,
                          struct ch_request *request, struct ch_why *why)
{
    if (message.len > LIMIT_MESSAGE_BYTES) {
        *request = (struct ch_request){0};
        return ch_fail(why, CH_ERR_TOO_LARGE, 0, "the message has %zu bytes; the limit is %llu",
                       message.len, (unsigned long long)LIMIT_MESSAGE_BYTES);
    }
    enum ch_err err = ch_request_decode(message, &line->arena, request, why);
    for (uint32_t i = 0; err == CH_OK && i < request->call_count; i++) {
        struct ch_call *call = &request->calls[i];
        if (call->why == NULL) ch_directory_hash_call(line->directory, call->type, call->args);
    }
    if (err == CH_OK && request->auth == CH_AUTH_AS_USER && request->auth_user.id == 0) {
        ch_directory_hash_ref(line->directory, &request->auth_user);
    }
    if (err == CH_OK && request->auth_secret.text.len > 0) {
        ch_secret_hash(request->auth_secret.text, request->auth_secret.hash);
    }
    return err;
}

/* Requests that wait before they are served: for a seq of theirs, or for the next event. */
static bool waits(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const struct ch_request *request)
{
    uint64_t wait_ms = LIMIT_WAIT_MS;
    const bool ahead = request->has_at_least && request->at_least > ch_meta(line->state)->head;
    const uint64_t seq = ahead ? request->at_least : waits_for(line, request, &wait_ms);
    if (seq == 0) return false;
    if (!line->last_try) {
        ch_line_wait(line, arrival, seq, wait_ms);
        return true;
    }
    struct ch_why why = {0};
    (void)ch_fail_field(&why, CH_ERR_NOT_YET, "at_least", "at_least: the log ends at %llu",
                        (unsigned long long)ch_meta(line->state)->head);
    ch_line_refuse(line, arrival, request->id, &why);
    return true;
}

/* One request, from its bytes to its reply. */
static void take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival)
{
    struct ch_request request;
    struct ch_moment moment = {.now = 0};
    struct ch_why why = {0};
    ch_arena_reset(&line->arena);
    enum ch_err err = decode(line, arrival->message, &request, &why);
    const bool commands = err == CH_OK && ch_message_commands(&request);
    if (err == CH_OK) err = check_request(line, &request, commands, &why);
    if (err == CH_OK) {
        err = ch_authenticate(line->config, line->own_uid, arrival->peer_uid, ch_line_now(line),
                              line->state, &request, &moment, &why);
    }
    if (err != CH_OK) {
        ch_line_refuse(line, arrival, request.has_id ? request.id : NULL, &why);
        return;
    }
    if (waits(line, arrival, &request)) return;
    if (ch_checkpoints_take(line->checkpoints, arrival, &request, &moment)) return;
    if (ch_past_take(line, arrival, &request, &moment)) return;
    if (commands && !request.dry_run && repeats(line, arrival, &request, &moment)) return;
    if (ch_passwords_take(line, arrival, &request, &moment)) return;
    if (ch_whatif_take(line, arrival, &request, &moment)) return;
    if (commands && ch_meta(line->state)->importing == 0) ch_line_fire_due(line);
    run(line, arrival, &request, &moment);
}

static void on_arrivals(void *arg)
{
    struct ch_pipeline *line = arg;
    struct ch_ingress_arrival arrivals[ARRIVALS];
    const size_t count = ch_ingress_drain(line->ingress, arrivals, ARRIVALS);
    for (size_t i = 0; i < count; i++) {
        take(line, &arrivals[i]);
    }
}

static void set_due_timer(struct ch_pipeline *line)
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
    ch_line_set_timer(line->due_timer, ch_clock_monotonic_ns() + wait);
}

static void on_due(void *arg)
{
    ch_line_fire_due(arg);
}

/* Gives the open batch to the commit thread, when that is idle. */
static void submit(struct ch_pipeline *line)
{
    const bool checkpoint = ch_checkpoints_ready(line->checkpoints);
    if (line->flying != NULL) return;
    if (line->open->count == 0 && line->open->held.len == 0 && !checkpoint) return;
    const struct ch_bytes *records;
    if (!ch_batch_views(line->open, &records)) return; /* tried again at the next turn */
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

static void on_turn_end(void *arg)
{
    struct ch_pipeline *line = arg;
    submit(line);
    ch_ingress_flush(line->ingress); /* after the commit has begun */
    set_due_timer(line);
}

/* Asks again what waited for a seq that is durable now, or for its time. */
static void ask_again(struct ch_pipeline *line)
{
    const uint64_t now = ch_clock_monotonic_ns();
    struct ch_buf waiting = line->waiters;
    line->waiters = (struct ch_buf){0};
    for (size_t i = 0; i < waiting.len / sizeof(struct ch_waiter); i++) {
        struct ch_waiter waiter;
        memcpy(&waiter, waiting.ptr + i * sizeof waiter, sizeof waiter);
        if (waiter.seq > line->durable && waiter.deadline_ns > now) {
            ch_buf_put(&line->waiters, &waiter, sizeof waiter);
            continue;
        }
        line->last_try = waiter.deadline_ns <= now;
        take(line, &waiter.arrival);
        line->last_try = false;
    }
    ch_buf_deinit(&waiting);
    ch_line_set_waiter_timer(line);
}

static void on_waiter_timer(void *arg)
{
    ask_again(arg);
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

static void stop_for(struct ch_pipeline *line, const struct ch_batch_result *result)
{
    line->stop_err = result->err;
    line->stop_why = result->why;
    ch_loop_stop(line->loop);
}

/* A batch is durable: doorbell, replies, and what waited for it. */
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
    ask_again(line);
}

/* A batch that could not be stored is taken back, with the one decided after it. Its commands are
 * told
 * so; queries and refusals that saw it are answered again. */
static void take_back(struct ch_pipeline *line, struct ch_open_batch *batch,
                      const struct ch_batch_result *result)
{
    struct ch_open_batch *both[2] = {batch, line->open};
    struct ch_buf again = {0};
    ch_store_rollback(&line->state->store, batch->mark);
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; i < ch_batch_held(both[b]); i++) {
            struct ch_held held;
            memcpy(&held, both[b]->held.ptr + i * sizeof held, sizeof held);
            line->held_commands--;
            if (held.changes) {
                ch_line_refuse(line, &held.arrival, held.id, &result->why);
            } else {
                ch_buf_put(&again, &held.arrival, sizeof held.arrival);
            }
        }
    }
    ch_batch_reset(line->open, ch_store_mark(&line->state->store), ch_meta(line->state)->head + 1);
    for (size_t i = 0; i < again.len / sizeof(struct ch_ingress_arrival); i++) {
        struct ch_ingress_arrival arrival;
        memcpy(&arrival, again.ptr + i * sizeof arrival, sizeof arrival);
        take(line, &arrival);
    }
    ch_buf_deinit(&again);
}

/* Requests that waited for a checkpoint. */
static void take_checkpointed(struct ch_pipeline *line)
{
    struct ch_ingress_arrival again;
    while (ch_checkpoints_collect(line->checkpoints, &again)) {
        take(line, &again);
    }
}

/* The batch that was flying is done, if the commit thread says so. */
static bool collect(struct ch_pipeline *line)
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
    take_checkpointed(line);
    return true;
}

static void on_committed(void *arg)
{
    struct ch_pipeline *line = arg;
    uint64_t counter;
    if (read(line->commit_fd, &counter, sizeof counter) < 0) return;
    (void)collect(line);
}

static void take_past(struct ch_pipeline *line)
{
    struct ch_ingress_arrival again;
    while (ch_past_collect(line, &again)) {
        take(line, &again);
    }
}

static void on_shadow(void *arg)
{
    struct ch_pipeline *line = arg;
    uint64_t counter;
    if (read(line->shadow_fd, &counter, sizeof counter) < 0) return;
    take_past(line);
}

static void take_entered(struct ch_pipeline *line)
{
    struct ch_ingress_arrival again;
    while (ch_passwords_collect(line, &again)) {
        take(line, &again);
    }
}

static void on_passwords(void *arg)
{
    struct ch_pipeline *line = arg;
    uint64_t counter;
    if (read(line->password_fd, &counter, sizeof counter) < 0) return;
    take_entered(line);
}

/* Called on other threads: only rings the loop's descriptor. */
static void wake(void *arg)
{
    const int *fd = arg;
    const uint64_t one = 1;
    ssize_t written = write(*fd, &one, sizeof one);
    (void)written; /* a counter that is full wakes as well */
}

/* A line of the worker's; on its thread. */
static void tell(void *arg, const char *text)
{
    (void)arg;
    (void)fprintf(stderr, "charterd: %s\n", text);
}

static enum ch_err start_shadow(struct ch_pipeline *line, struct ch_why *why)
{
    const struct ch_config *config = line->config;
    const uint64_t often = config->snapshot_events;
    const struct ch_shadow_options options = {.dir = config->data,
                                              .log = line->log,
                                              .directory = line->directory,
                                              .snapshot_events = config->snapshot_events,
                                              .snapshot_bytes = config->snapshot_mib << 20,
                                              .scrub_rate = config->scrub_rate,
                                              .scrub_again_ns =
                                                  config->scrub_hours * 3600u * 1000000000u,
                                              .tell = tell,
                                              .on_done = wake,
                                              .arg = &line->shadow_fd};
    line->follow_events = often > 0 && often < FOLLOW_EVENTS ? often : FOLLOW_EVENTS;
    return ch_shadow_start(&options, &line->shadow, why);
}

enum ch_err ch_pipeline_start(struct ch_pipeline *line, struct ch_why *why)
{
    line->started_ns = ch_clock_monotonic_ns();
    line->durable = ch_meta(line->state)->head;
    line->log_bytes = ch_evlog_bytes(line->log);
    memcpy(line->root, ch_evlog_end(line->log)->root.bytes, sizeof line->root);
    line->open = &line->batches[0];
    ch_batch_reset(line->open, ch_store_mark(&line->state->store), line->durable + 1);
    line->commit_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    line->shadow_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    line->password_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (line->commit_fd < 0 || line->shadow_fd < 0 || line->password_fd < 0) {
        return ch_fail(why, CH_ERR_FILE_IO, 0, "eventfd failed");
    }
    enum ch_err err = ch_committer_start(line->log, line->directory->vault, wake, &line->commit_fd,
                                         &line->committer, why);
    if (err == CH_OK) err = start_shadow(line, why);
    if (err == CH_OK) err = ch_checkpoints_create(line, &line->checkpoints, why);
    line->shown = ch_shown_create();
    line->uses = ch_uses_create();
    if (err == CH_OK && (line->shown == NULL || line->uses == NULL)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for secrets shown and shares used");
    }
    if (err == CH_OK) err = ch_passwords_start(line, wake, &line->password_fd, why);
    if (err == CH_OK) {
        err = ch_loop_timer_create(line->loop, on_waiter_timer, line, &line->waiter_timer, why);
    }
    if (err == CH_OK) {
        err = ch_loop_timer_create(line->loop, on_due, line, &line->due_timer, why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(line->loop, ch_ingress_fd(line->ingress), on_arrivals, line,
                               &line->arrivals_watch, why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(line->loop, line->commit_fd, on_committed, line, &line->commit_watch,
                               why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(line->loop, line->shadow_fd, on_shadow, line, &line->shadow_watch,
                               why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(line->loop, line->password_fd, on_passwords, line,
                               &line->password_watch, why);
    }
    if (err == CH_OK) {
        ch_loop_set_turn_hook(line->loop, on_turn_end, line);
        set_due_timer(line);
        ch_checkpoints_durable(line->checkpoints);
        ch_shadow_follow(line->shadow, line->durable); /* what index and snapshots lack */
        line->followed = line->durable;
    }
    return err;
}

/* What was decided becomes durable before the end, unless the log itself failed. */
static void drain(struct ch_pipeline *line)
{
    while (line->committer != NULL && line->stop_err == CH_OK) {
        submit(line);
        if (line->flying == NULL) return;
        while (!collect(line)) {
            (void)usleep(100);
        }
    }
}

/* What is durable at the end is covered by a checkpoint, unless the worker is too far behind. */
static void checkpoint_last(struct ch_pipeline *line)
{
    if (line->checkpoints == NULL || line->stop_err != CH_OK) return;
    if (!ch_checkpoints_last(line->checkpoints)) return;
    for (unsigned waited_ms = 0; waited_ms < LAST_CHECKPOINT_MS; waited_ms++) {
        take_past(line);
        drain(line);
        if (!ch_checkpoints_busy(line->checkpoints)) return;
        (void)usleep(1000);
    }
}

/* What checks used today is not lost by a stop. With a manual clock the day goes on afterwards. */
static void tell_last_uses(struct ch_pipeline *line)
{
    if (line->uses == NULL || line->committer == NULL || line->stop_err != CH_OK) return;
    if (!line->clock->is_manual) ch_line_tell_uses(line, /* at_end= */ true);
}

void ch_pipeline_stop(struct ch_pipeline *line)
{
    ch_password_pool_stop(line->password_pool); /* what is done by now is decided */
    take_entered(line);
    tell_last_uses(line);
    drain(line);
    checkpoint_last(line);
    if (line->stop_err == CH_OK) ch_shadow_keep_last(line->shadow, line->durable);
    ch_shadow_stop(line->shadow);
    take_past(line);
    ch_ingress_flush(line->ingress);
    ch_shadow_destroy(line->shadow);
    ch_checkpoints_destroy(line->checkpoints);
    ch_password_pool_destroy(line->password_pool);
    ch_shown_destroy(line->shown);
    ch_uses_destroy(line->uses);
    ch_committer_stop(line->committer);
    ch_loop_watch_destroy(line->arrivals_watch);
    ch_loop_watch_destroy(line->commit_watch);
    ch_loop_watch_destroy(line->shadow_watch);
    ch_loop_watch_destroy(line->password_watch);
    ch_loop_timer_destroy(line->waiter_timer);
    ch_loop_timer_destroy(line->due_timer);
    if (line->commit_fd > 0) (void)close(line->commit_fd);
    if (line->shadow_fd > 0) (void)close(line->shadow_fd);
    if (line->password_fd > 0) (void)close(line->password_fd);
    for (size_t i = 0; i < 2; i++) {
        ch_batch_deinit(&line->batches[i]);
    }
    ch_arena_deinit(&line->arena);
    ch_buf_deinit(&line->reply);
    ch_buf_deinit(&line->waiters);
}
