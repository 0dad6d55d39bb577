/* whatif: what the commands of a message would change, by the worker; see line.h.
 * SPDX-License-Identifier: MIT
 * A message with dry_run and the query `whatif` is decided on the worker's state, whose head is the
 * durable present: there the commands are run under a mark, twice (core/flips.h), and taken back,
 * so the live loop goes on meanwhile, nothing is appended, and the state's hash is the same. No
 * secret is drawn, no key goes to the vault: what is supposed has names, and is sealed with
 * nothing. Who asks is found again in the worker's state; what they may see of the difference,
 * core/difference.h says. */
#include "daemon/line.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/apply.h"
#include "daemon/core/difference.h"
#include "daemon/outcome.h"
#include "daemon/replay/shadow.h"
#include "daemon/waiting.h"
#include "schema/limits.h"

struct simulation {
    struct ch_shadow_job job;
    struct ch_ingress_arrival arrival;
    struct ch_arena arena;
    struct ch_request request;
    struct ch_moment asked; /* the rows are the live state's, and not used */
    struct ch_moment moment;
    uint64_t session; /* id; 0: none */
    struct ch_directory directory;
    const uint8_t *mailer_key;
    struct ch_state *state; /* the worker's */
    struct ch_open_batch batch;
    struct ch_outcome_of_call *outcomes;
    bool done; /* no call of a message of mode "all" was refused */
    struct ch_difference difference;
    struct ch_buf reply;
    struct ch_why why;
};

static bool is_whatif(const struct ch_call *call)
{
    return call->why == NULL && call->type == CH_QRY_whatif;
}

bool ch_whatif_asked(const struct ch_request *request)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        if (is_whatif(&request->calls[i])) return true;
    }
    return false;
}

enum ch_err ch_whatif_check(const struct ch_request *request, struct ch_why *why)
{
    if (request->as_of_kind != CH_AS_OF_NOW) {
        return ch_fail_field(why, CH_ERR_BAD_COMBINATION, "as_of",
                             "as_of: whatif is about the present");
    }
    if (!request->dry_run) {
        return ch_fail_field(why, CH_ERR_BAD_COMBINATION, "dry_run",
                             "dry_run: whatif is asked in a message that changes nothing");
    }
    if (request->has_at) {
        return ch_fail_field(why, CH_ERR_BAD_COMBINATION, "at",
                             "at: whatif is about the present, not about an import");
    }
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why != NULL || is_whatif(call) || !ch_calls[call->type].daemon) continue;
        char field[CH_WHY_FIELD_BYTES];
        (void)snprintf(field, sizeof field, "calls[%u].type", i);
        return ch_fail_field(why, CH_ERR_BAD_COMBINATION, field,
                             "%s: %s cannot be asked beside whatif", field,
                             ch_calls[call->type].args.name);
    }
    return CH_OK;
}

/* ---- on the worker's thread ------------------------------------------------------------------ */

/* What `whatif` answers is known only when all commands were run. */
static bool answer_later(void *arg, const struct ch_moment *moment, const struct ch_call *call,
                         struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why)
{
    (void)arg;
    (void)moment;
    (void)buf;
    (void)reject;
    (void)why;
    CH_CHECK(is_whatif(call));
    return true;
}

static struct ch_ground ground_of(struct simulation *s)
{
    return (struct ch_ground){.state = s->state,
                              .batch = &s->batch,
                              .directory = &s->directory,
                              .mailer_key = s->mailer_key,
                              .answer = answer_later};
}

/* The rows of who asks, in the state as it is now; 0: they are not there (any more). */
static void find_asker(const struct simulation *s, struct ch_moment *moment)
{
    const struct ch_actor *actor = &s->asked.actor;
    *moment = s->asked;
    moment->user_row = actor->kind == CH_actor_kind_user ? ch_find_user(s->state, actor->id) : 0;
    moment->key_row = actor->kind == CH_actor_kind_key ? ch_find_key(s->state, actor->id) : 0;
    moment->session_row = s->session == 0 ? 0 : ch_find_session(s->state, s->session);
}

/* What is due happens before any command, here as there; it is no effect of theirs. */
static bool fire_due(struct simulation *s)
{
    const struct ch_moment moment = {.now = s->asked.now};
    const struct ch_ground ground = ground_of(s);
    if (ch_meta(s->state)->importing != 0) return true;
    for (uint64_t i = 0; i < LIMIT_TIMERS_PER_TURN; i++) {
        struct ch_verdict verdict;
        const struct ch_row_due *due = ch_due_first(s->state);
        if (due == NULL || due->at > moment.now) return true;
        if (!ch_due_reserve(s->state)) return false;
        ch_decide_due(s->state, moment.now, &s->arena, &verdict);
        if (verdict.no_memory ||
            ch_message_append(&ground, &verdict, NULL, &moment, &s->arena, &s->why) != CH_OK) {
            return false;
        }
    }
    return true;
}

static bool run_commands(void *arg)
{
    struct simulation *s = arg;
    const struct ch_ground ground = ground_of(s);
    s->moment = s->asked;
    find_asker(s, &s->moment);
    ch_batch_reset(&s->batch, ch_store_mark(&s->state->store), ch_meta(s->state)->head + 1);
    s->done = ch_message_try(&ground, &s->request, &s->moment, &s->arena, s->outcomes);
    return true;
}

static void note(void *arg, const struct ch_flips *found)
{
    struct simulation *s = arg;
    struct ch_moment moment;
    s->difference.flips = found;
    find_asker(s, &moment);
    ch_difference_note(&s->difference, s->state, &moment);
}

static bool no_memory(struct simulation *s)
{
    (void)ch_fail(&s->why, CH_ERR_NO_MEMORY, 0, "no memory to suppose the commands");
    return false;
}

/* The answer of each call that asks. */
static void tell(struct simulation *s)
{
    struct ch_moment moment;
    find_asker(s, &moment);
    for (uint32_t i = 0; s->done && i < s->request.call_count; i++) {
        if (!is_whatif(&s->request.calls[i])) continue;
        struct ch_outcome_of_call *outcome = &s->outcomes[i];
        *outcome = (struct ch_outcome_of_call){
            .kind = CH_CALL_ANSWERED,
            .type = CH_QRY_whatif,
            .result =
                ch_difference_tell(&s->difference, s->state, &moment, s->request.calls[i].args)};
        if (outcome->result != NULL) continue;
        ch_outcome_failed(outcome, &s->arena, CH_ERR_NO_MEMORY, "", "no memory for the answer");
    }
}

static bool simulate(struct simulation *s)
{
    struct ch_flips flips = {0};
    const struct ch_flips_way way = {.now = s->asked.now,
                                     .most = LIMIT_WHATIF_QUESTIONS,
                                     .arena = &s->arena,
                                     .run = run_commands,
                                     .there = note,
                                     .arg = s};
    s->outcomes = ch_arena_take(&s->arena, s->request.call_count * sizeof *s->outcomes);
    if (s->outcomes == NULL || !fire_due(s)) return no_memory(s);
    s->difference.head = ch_meta(s->state)->head;
    s->difference.arena = &s->arena;
    const bool found = ch_flips_find(s->state, &way, &flips);
    if (found) tell(s);
    ch_flips_deinit(&flips);
    return found || no_memory(s);
}

static void answer(struct ch_shadow_job *job, const struct ch_shadow_view *view)
{
    struct simulation *s = job->arg;
    s->state = &view->head->state; /* as late as `durable`, or later */
    const uint64_t last_at = ch_meta(s->state)->last_at;
    const uint64_t head = ch_meta(s->state)->head;
    s->difference.revision = head;
    if (s->asked.now < last_at) s->asked.now = last_at;
    find_asker(s, &s->moment);
    const bool missing =
        ch_is_bound(&s->moment) && s->moment.user_row == 0 && s->moment.key_row == 0;
    if (missing || (s->session != 0 && s->moment.session_row == 0)) {
        (void)ch_fail(&s->why, CH_ERR_BUSY, 0, "who asks is not durable yet; try again");
        return;
    }
    if (!ch_store_journal(&s->state->store, true)) {
        (void)no_memory(s);
        return;
    }
    const struct ch_mark mark = ch_store_mark(&s->state->store);
    if (simulate(s)) ch_outcomes_reply(&s->reply, &s->request, s->outcomes, head);
    ch_store_rollback(&s->state->store, mark);
    CH_CHECK(ch_store_journal(&s->state->store, false));
    CH_CHECK(ch_meta(s->state)->head == head);
}

/* ---- on the loop's --------------------------------------------------------------------------- */

static void destroy(struct simulation *s)
{
    ch_directory_deinit(&s->directory);
    ch_batch_deinit(&s->batch);
    /* Names may stand in it, of somebody who is erased later. */
    ch_arena_reset(&s->arena);
    ch_arena_wipe(&s->arena);
    ch_arena_deinit(&s->arena);
    ch_buf_reset(&s->reply);
    ch_buf_wipe(&s->reply);
    ch_buf_deinit(&s->reply);
    free(s);
}

/* What was found out about a password of the message that came back with it. */
static bool lend_passwords(const struct ch_call *from, struct ch_call *to, struct ch_arena *arena)
{
    const struct ch_record *record = &ch_calls[to->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_password && field->kind != CH_KIND_own_password) continue;
        if (field->list || !ch_field_present(field, to->args)) continue;
        const struct ch_secret *found = ch_field_at(field, from->args);
        struct ch_secret *secret =
            (struct ch_secret *)(void *)((uint8_t *)to->args + field->offset);
        secret->good = found->good;
        secret->of = found->of;
        secret->verifier.len = found->verifier.len;
        secret->verifier.ptr = ch_arena_copy(arena, found->verifier.ptr, found->verifier.len);
        if (secret->verifier.ptr == NULL) return false;
    }
    return true;
}

static struct simulation *make(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                               const struct ch_request *request, const struct ch_moment *moment,
                               struct ch_why *why)
{
    struct simulation *s = calloc(1, sizeof *s);
    bool good = s != NULL;
    if (good) {
        s->arrival = *arrival;
        s->asked = *moment;
        s->asked.now = ch_line_now(line);
        s->session =
            moment->session_row == 0 ? 0 : ch_session_row(line->state, moment->session_row)->id;
        s->directory = *line->directory;
        s->directory.supposes = true;
        s->mailer_key = ch_line_ground(line).mailer_key;
        s->job.arg = s;
        s->job.answer = answer;
        s->job.as_of = UINT64_MAX;
        s->job.durable = line->durable;
        /* Read once more into memory of its own: the line's arena is the next message's. */
        if (ch_request_decode(arrival->message, &s->arena, &s->request, why) != CH_OK) {
            destroy(s);
            return NULL;
        }
    }
    for (uint32_t i = 0; good && i < s->request.call_count; i++) {
        struct ch_call *call = &s->request.calls[i];
        if (call->why != NULL) continue;
        ch_directory_hash_call(line->directory, call->type, call->args);
        good = lend_passwords(&request->calls[i], call, &s->arena);
    }
    if (good) return s;
    (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to suppose the commands");
    if (s != NULL) destroy(s);
    return NULL;
}

bool ch_whatif_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                    const struct ch_request *request, const struct ch_moment *moment)
{
    struct ch_why why = {0};
    struct simulation *s = NULL;
    if (!ch_whatif_asked(request)) return false;
    if (!line->last_try && request->has_at_least && request->at_least > line->durable) {
        ch_line_wait(line, arrival, request->at_least, LIMIT_WAIT_MS);
        return true;
    }
    if (ch_line_worker_room(line, &why) == CH_OK) {
        s = make(line, arrival, request, moment, &why);
    }
    if (s == NULL) {
        ch_line_refuse(line, arrival, request->id, &why);
        return true;
    }
    line->past_jobs++;
    ch_shadow_submit(line->shadow, &s->job);
    return true;
}

bool ch_whatif_made(struct ch_pipeline *line, struct ch_shadow_job *job)
{
    if (job->answer != answer) return false;
    struct simulation *s = job->arg;
    if (job->err != CH_OK) {
        ch_line_refuse(line, &s->arrival, s->request.id, &job->why);
    } else if (s->why.err != CH_OK) {
        ch_line_refuse(line, &s->arrival, s->request.id, &s->why);
    } else if (s->reply.failed) {
        ch_ingress_drop(line->ingress, s->arrival.slot);
    } else {
        ch_line_send(line, s->arrival.slot, ch_buf_view(&s->reply));
    }
    destroy(s);
    return true;
}
