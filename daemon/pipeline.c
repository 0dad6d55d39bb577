/* pipeline: see pipeline.h. SPDX-License-Identifier: MIT */
#include "daemon/pipeline.h"

#include <unistd.h>

#include "daemon/checkpoints.h"
#include "daemon/commit.h"
#include "daemon/core/apply.h"
#include "daemon/edge/authenticate.h"
#include "daemon/log/digest.h"
#include "daemon/log/evlog.h"
#include "daemon/log/password.h"
#include "daemon/log/seal.h"
#include "daemon/log/secret.h"
#include "daemon/log/shown.h"
#include "daemon/replay/shadow.h"
#include "daemon/threads.h"
#include "daemon/uses.h"
#include "daemon/waiting.h"
#include "schema/limits.h"

enum { ARRIVALS = 64, LAST_CHECKPOINT_MS = 10000 };

/* ---- one message -------------------------------------------------------------------------- */

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
    if (ch_waiting_take(line, arrival, &request)) return;
    if (ch_checkpoints_take(line->checkpoints, arrival, &request, &moment)) return;
    if (ch_past_take(line, arrival, &request, &moment)) return;
    if (commands && !request.dry_run && repeats(line, arrival, &request, &moment)) return;
    if (ch_passwords_take(line, arrival, &request, &moment)) return;
    if (ch_whatif_take(line, arrival, &request, &moment)) return;
    if (commands && ch_meta(line->state)->importing == 0) ch_line_fire_due(line);
    run(line, arrival, &request, &moment);
}

/* ---- what wakes the loop ------------------------------------------------------------------ */

static void on_arrivals(void *arg)
{
    struct ch_pipeline *line = arg;
    struct ch_ingress_arrival arrivals[ARRIVALS];
    const size_t count = ch_ingress_drain(line->ingress, arrivals, ARRIVALS);
    for (size_t i = 0; i < count; i++) {
        take(line, &arrivals[i]);
    }
}

static void on_due(void *arg)
{
    ch_line_fire_due(arg);
}

static void on_turn_end(void *arg)
{
    struct ch_pipeline *line = arg;
    ch_commit_submit(line);
    ch_ingress_flush(line->ingress); /* after the commit has begun */
    ch_line_set_due_timer(line);
}

/* Requests that wait no more. */
static void take_again(struct ch_pipeline *line)
{
    struct ch_ingress_arrival again;
    while (ch_waiting_collect(line, &again)) {
        take(line, &again);
    }
}

static void on_waiter_timer(void *arg)
{
    ch_waiting_end(arg);
    take_again(arg);
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
static bool collect_batch(struct ch_pipeline *line)
{
    if (!ch_commit_collect(line)) return false;
    take_again(line);
    take_checkpointed(line);
    return true;
}

static void on_committed(void *arg)
{
    struct ch_pipeline *line = arg;
    if (ch_threads_rang(line->commit_fd)) (void)collect_batch(line);
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
    if (ch_threads_rang(line->shadow_fd)) take_past(line);
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
    if (ch_threads_rang(line->password_fd)) take_entered(line);
}

/* ---- begin and end ------------------------------------------------------------------------ */

static enum ch_err watch(struct ch_pipeline *line, struct ch_why *why)
{
    struct ch_loop *loop = line->loop;
    enum ch_err err = ch_loop_timer_create(loop, on_waiter_timer, line, &line->waiter_timer, why);
    if (err == CH_OK) err = ch_loop_timer_create(loop, on_due, line, &line->due_timer, why);
    if (err == CH_OK) {
        err = ch_loop_watch_fd(loop, ch_ingress_fd(line->ingress), on_arrivals, line,
                               &line->arrivals_watch, why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(loop, line->commit_fd, on_committed, line, &line->commit_watch, why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(loop, line->shadow_fd, on_shadow, line, &line->shadow_watch, why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_fd(loop, line->password_fd, on_passwords, line, &line->password_watch,
                               why);
    }
    return err;
}

enum ch_err ch_pipeline_start(struct ch_pipeline *line, struct ch_why *why)
{
    line->started_ns = ch_clock_monotonic_ns();
    line->durable = ch_meta(line->state)->head;
    line->log_bytes = ch_evlog_bytes(line->log);
    memcpy(line->root, ch_evlog_end(line->log)->root.bytes, sizeof line->root);
    line->open = &line->batches[0];
    ch_batch_reset(line->open, ch_store_mark(&line->state->store), line->durable + 1);
    enum ch_err err = ch_threads_start(line, why);
    if (err == CH_OK) err = ch_checkpoints_create(line, &line->checkpoints, why);
    line->shown = ch_shown_create();
    line->uses = ch_uses_create();
    if (err == CH_OK && (line->shown == NULL || line->uses == NULL)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for secrets shown and shares used");
    }
    if (err == CH_OK) err = watch(line, why);
    if (err == CH_OK) {
        ch_loop_set_turn_hook(line->loop, on_turn_end, line);
        ch_line_set_due_timer(line);
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
        ch_commit_submit(line);
        if (line->flying == NULL) return;
        while (!collect_batch(line)) {
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
    ch_checkpoints_destroy(line->checkpoints);
    ch_shown_destroy(line->shown);
    ch_uses_destroy(line->uses);
    ch_loop_watch_destroy(line->arrivals_watch);
    ch_loop_watch_destroy(line->commit_watch);
    ch_loop_watch_destroy(line->shadow_watch);
    ch_loop_watch_destroy(line->password_watch);
    ch_loop_timer_destroy(line->waiter_timer);
    ch_loop_timer_destroy(line->due_timer);
    ch_threads_destroy(line);
    ch_waiting_deinit(line);
    for (size_t i = 0; i < 2; i++) {
        ch_batch_deinit(&line->batches[i]);
    }
    ch_arena_deinit(&line->arena);
    ch_buf_deinit(&line->reply);
}
