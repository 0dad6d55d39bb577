/* message: see message.h. SPDX-License-Identifier: MIT */
#include "daemon/message.h"

#include <stdio.h>

#include "daemon/core/apply.h"
#include "daemon/core/query.h"
#include "daemon/explaining.h"
#include "daemon/log/digest.h"
#include "daemon/log/secret.h"
#include "daemon/log/shown.h"
#include "daemon/orphans.h"
#include "daemon/outcome.h"
#include "daemon/personal.h"
#include "daemon/receipts.h"
#include "daemon/uses.h"
#include "schema/limits.h"
#include "schema/pack.h"

bool ch_message_commands(const struct ch_request *request)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why == NULL && !ch_calls[call->type].query) return true;
    }
    return false;
}

/* Appends a record to the batch and applies it: seal -> append -> apply. */
static enum ch_err append_event(const struct ch_ground *ground, struct ch_event *event,
                                const struct ch_call *call, const struct ch_moment *moment,
                                struct ch_arena *arena, struct ch_why *why)
{
    struct ch_open_batch *batch = ground->batch;
    const bool supposes = ground->directory->supposes;
    struct ch_bytes plain;
    enum ch_err err = supposes
                          ? ch_personal_suppose(ground, event, call, moment, arena, &plain, why)
                          : ch_personal_seal(ground, event, call, moment, arena, why);
    if (err != CH_OK) return err;
    ch_batch_put(batch, event);
    const struct ch_ring ring = {
        .seq = event->seq, .at = event->at, .account = event->account, .tag = event->tag};
    ch_buf_put(&batch->rings, &ring, sizeof ring);
    if (event->tag == CH_EV_user_erased) {
        const struct ch_ev_user_erased *body = event->body;
        const uint32_t user = ch_find_user(ground->state, body->user.seq);
        const uint64_t number = ch_user_row(ground->state, user)->number;
        ch_buf_put(&batch->erased, &number, sizeof number);
    }
    if (ch_batch_failed(batch)) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for an event");
    batch->count++;
    batch->last_at = event->at;
    ch_apply(ground->state, event);
    if (supposes) return ch_directory_suppose(ground->directory, ground->state, event, plain, why);
    return ch_directory_learn(ground->directory, ground->state, event, why);
}

enum ch_err ch_message_append(const struct ch_ground *ground, const struct ch_verdict *verdict,
                              const struct ch_call *call, const struct ch_moment *moment,
                              struct ch_arena *arena, struct ch_why *why)
{
    for (uint32_t i = 0; i < verdict->count; i++) {
        enum ch_err err = append_event(ground, &verdict->events[i], call, moment, arena, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

static void run_query(const struct ch_ground *ground, const struct ch_state *state,
                      const struct ch_moment *moment, const struct ch_call *call,
                      struct ch_arena *arena, struct ch_outcome_of_call *ret, uint64_t *read_seq)
{
    struct ch_query_answer answer = {0};
    ch_query(state, moment, call, arena, &answer);
    if (answer.read_seq > *read_seq) *read_seq = answer.read_seq;
    if (answer.no_memory) {
        ch_outcome_failed(ret, arena, CH_ERR_NO_MEMORY, "", "no memory for the answer");
    } else if (answer.reject.code != CH_REJ_none) {
        ch_outcome_rejected(ret, &answer.reject);
    } else {
        ret->kind = CH_CALL_ANSWERED;
        ret->type = call->type;
        ret->result = answer.result;
        const bool is_use = answer.through.count > 0 && ground != NULL && ground->uses != NULL;
        if (is_use && state == ground->state) {
            ch_uses_note(ground->uses, state, &answer, moment->now);
        }
    }
}

/* status, events.read, clock.set: what the world says, not the state. */
static void run_worldly(const struct ch_ground *ground, const struct ch_moment *moment,
                        const struct ch_call *call, struct ch_arena *arena,
                        struct ch_outcome_of_call *ret)
{
    struct ch_buf value = {0};
    struct ch_why why = {0};
    struct ch_reject reject = {.code = CH_REJ_none};
    if (ground == NULL || ground->answer == NULL) {
        ch_outcome_failed(ret, arena, CH_ERR_BAD_COMBINATION, "as_of",
                          "as_of: this type has no answer about the past");
    } else if (!ground->answer(ground->arg, moment, call, &value, &reject, &why)) {
        if (reject.code != CH_REJ_none) {
            ch_outcome_rejected(ret, &reject);
        } else {
            char field[CH_WHY_FIELD_BYTES] = "";
            if (why.field[0] != '\0') { /* an argument's name */
                (void)snprintf(field, sizeof field, "calls[%u].args.%.32s", moment->index,
                               why.field);
            }
            ch_outcome_failed(ret, arena, why.err, field, why.text);
        }
    } else {
        ret->kind = CH_CALL_RAW;
        ret->raw.ptr = ch_arena_copy(arena, value.ptr, value.len);
        ret->raw.len = value.len;
        if (ret->raw.ptr == NULL || value.failed) {
            ch_outcome_failed(ret, arena, CH_ERR_NO_MEMORY, "", "no memory for the answer");
        }
    }
    ch_buf_deinit(&value);
}

/* Secrets of a call: one for each account of a list it names, else one. */
static uint32_t secrets_of(const struct ch_call *call)
{
    const struct ch_record *record = &ch_calls[call->type].args;
    if (ch_call_mints(call->type) == CH_MINT_nothing) return 0;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!field->list || field->kind != CH_KIND_account_ref) continue;
        const uint32_t items = ch_field_items(field, call->args);
        return items == 0 ? 1 : items;
    }
    return 1;
}

/* Random bytes of one secret of a call; where nothing is meant, bytes that are the same each time
 * and no secret's. */
static void fill_random(const struct ch_ground *ground, uint32_t call, uint32_t secret,
                        uint8_t ret[CH_SECRET_RANDOM_BYTES])
{
    if (!ground->directory->supposes) {
        ch_entropy_fill(ground->entropy, ret, CH_SECRET_RANDOM_BYTES);
        return;
    }
    memset(ret, 0, CH_SECRET_RANDOM_BYTES);
    ch_put_be64(ret, call);
    ch_put_be64(ret + sizeof(uint64_t), secret);
}

/* Without a mailer, or with one whose key is none, a token is not sealed, and that is refused. */
static bool seal_token(const struct ch_ground *ground, struct ch_text token, uint32_t call,
                       struct ch_arena *arena, struct ch_minted *minted)
{
    if (ground->mailer_key == NULL) return true;
    uint8_t random[CH_SECRET_RANDOM_BYTES];
    uint8_t *sealed = ch_arena_take(arena, token.len + CH_TOKEN_SEAL_BYTES);
    if (sealed == NULL) return false;
    fill_random(ground, call, 0, random);
    if (ch_secret_seal(ground->mailer_key, random, token, sealed)) {
        minted->sealed = (struct ch_bytes){sealed, token.len + CH_TOKEN_SEAL_BYTES};
    }
    ch_wipe(random, sizeof random);
    return true;
}

/* Makes the secrets that a command needs before it is decided. A token is never shown: it goes,
 * sealed, to the mailer; a key or a session is shown once. False when out of memory. */
static bool mint(const struct ch_ground *ground, const struct ch_call *call,
                 struct ch_moment *moment, struct ch_arena *arena, struct ch_text *ret_shown)
{
    const enum ch_mint sort = ch_call_mints(call->type);
    const uint32_t count = secrets_of(call);
    if (count == 0) return true;
    struct ch_minted *minted = ch_arena_take(arena, count * sizeof *minted);
    char *text = ch_arena_take(arena, CH_SECRET_TEXT_BYTES);
    if (minted == NULL || text == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t random[CH_SECRET_RANDOM_BYTES];
        fill_random(ground, moment->index, i, random);
        const struct ch_text made = {text, ch_secret_write(sort, random, text)};
        ch_secret_hash(made, minted[i].hash);
        ch_wipe(random, sizeof random);
        if (sort != CH_MINT_token) {
            *ret_shown = made;
        } else if (!seal_token(ground, made, moment->index, arena, &minted[i])) {
            return false;
        }
    }
    moment->minted = minted;
    moment->minted_count = count;
    return true;
}

static void run_command(const struct ch_ground *ground, const struct ch_moment *when,
                        const struct ch_call *call, struct ch_arena *arena,
                        struct ch_outcome_of_call *ret)
{
    struct ch_moment moment = *when;
    if (!ch_decide_reserve(ground->state, call) ||
        !mint(ground, call, &moment, arena, &ret->secret)) {
        ch_outcome_failed(ret, arena, CH_ERR_NO_MEMORY, "", "no memory to decide the command");
        return;
    }
    struct ch_verdict verdict;
    ch_decide(ground->state, &moment, call, arena, &verdict);
    if (verdict.no_memory) {
        ch_outcome_failed(ret, arena, CH_ERR_NO_MEMORY, "", "no memory to decide the command");
        return;
    }
    if (verdict.reject.code != CH_REJ_none) {
        ch_outcome_rejected(ret, &verdict.reject);
        return;
    }
    ret->kind = CH_CALL_DONE;
    ret->first_seq = ch_meta(ground->state)->head + (verdict.count > 0 ? 1 : 0);
    ret->events = verdict.count;
    ret->tags = ch_arena_take(arena, (verdict.count + 1) * sizeof *ret->tags);
    struct ch_why why = {0};
    enum ch_err err = ret->tags == NULL ? CH_ERR_NO_MEMORY : CH_OK;
    for (uint32_t i = 0; err == CH_OK && i < verdict.count; i++) {
        ret->tags[i] = verdict.events[i].tag;
    }
    bool no_memory = false;
    ret->result = ch_orphans_of(ground->state, &moment, call, arena, &no_memory);
    if (no_memory) err = CH_ERR_NO_MEMORY;
    if (err == CH_OK) err = ch_message_append(ground, &verdict, call, &moment, arena, &why);
    if (err != CH_OK) ch_outcome_failed(ret, arena, err, why.field, why.text);
}

/* One call: resolved in the state after the calls before it, admitted, then decided or answered. */
static void run_call(const struct ch_ground *ground, const struct ch_directory *directory,
                     const struct ch_state *state, const struct ch_moment *when,
                     struct ch_call *call, struct ch_arena *arena, struct ch_outcome_of_call *ret,
                     uint64_t *read_seq)
{
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    struct ch_moment moment = *when;
    struct ch_why why = {0};
    moment.address = hashes;
    struct ch_reject reject = {.code = CH_REJ_none};
    *ret = (struct ch_outcome_of_call){.type = call->type};
    if (call->why != NULL) {
        ret->kind = CH_CALL_FAILED;
        ret->why = call->why;
        return;
    }
    if (!ch_default_on(state, &moment, call, read_seq, &reject)) {
        ch_outcome_rejected(ret, &reject);
    } else if (!ch_enter(state, &moment, call, read_seq, &reject)) {
        /* A user is told no more of what is not there than of what no share leads to. */
        const bool may_know = !ch_is_bound(&moment) && reject.code == CH_REJ_not_found;
        const bool misplaced = ch_receipts_wanted(call) && ground != NULL;
        if (may_know && !misplaced && ch_outcome_absent(ret, call, &reject, arena, state)) return;
        ch_outcome_rejected(ret, &reject);
    } else if (ch_directory_hash_address(directory, state, call, hashes, &moment.address_count,
                                         &why) != CH_OK) {
        ch_outcome_failed(ret, arena, why.err, "", why.text);
    } else if (ch_calls[call->type].daemon) {
        run_worldly(ground, &moment, call, arena, ret);
    } else if (ch_receipts_wanted(call) && ground != NULL) {
        ch_outcome_failed(
            ret, arena, CH_ERR_BAD_COMBINATION, "",
            "a receipt is asked for without commands and without queries that are not "
            "answered from state");
    } else if (ch_calls[call->type].query) {
        run_query(ground, state, &moment, call, arena, ret, read_seq);
    } else if (ground != NULL) {
        run_command(ground, &moment, call, arena, ret);
    } else {
        ch_outcome_failed(ret, arena, CH_ERR_BAD_COMBINATION, "as_of",
                          "as_of: a command cannot be done in the past");
    }
}

void ch_message_query(const struct ch_ground *ground, const struct ch_state *state,
                      const struct ch_moment *moment, struct ch_call *call, struct ch_arena *arena,
                      struct ch_outcome_of_call *ret)
{
    uint64_t read_seq = 0;
    CH_CHECK(call->why != NULL || ch_calls[call->type].query);
    run_call(ground, ground->directory, state, moment, call, arena, ret, &read_seq);
}

static bool succeeded(const struct ch_outcome_of_call *outcome)
{
    return outcome->kind != CH_CALL_REJECTED && outcome->kind != CH_CALL_FAILED;
}

/* A rejection for want of a right may be logged, after the message itself was taken back. */
static void log_refusals(const struct ch_ground *ground, const struct ch_request *request,
                         const struct ch_moment *moment, struct ch_arena *arena,
                         const struct ch_outcome_of_call *outcomes, uint32_t count)
{
    if (ch_meta(ground->state)->importing != 0) return;
    for (uint32_t i = 0; i < count; i++) {
        if (outcomes[i].kind != CH_CALL_REJECTED) continue;
        if (!ch_rejections[outcomes[i].reject.code].rights) continue;
        const struct ch_call *call = &request->calls[i];
        if (ch_calls[call->type].query) continue;
        struct ch_verdict verdict;
        struct ch_why why;
        ch_decide_refused(ground->state, moment, call, &outcomes[i].reject, arena, &verdict);
        if (verdict.no_memory || !ch_decide_reserve(ground->state, call)) return;
        const struct ch_mark mark = ch_store_mark(&ground->state->store);
        const struct ch_batch_place place = ch_batch_place(ground->batch);
        if (ch_message_append(ground, &verdict, NULL, moment, arena, &why) != CH_OK) {
            ch_store_rollback(&ground->state->store, mark);
            ch_batch_back_to(ground->batch, place);
            return;
        }
        return; /* one for a message */
    }
}

/* For the same message, should it come again. */
static void keep_secrets(const struct ch_ground *ground, const struct ch_request *request,
                         const struct ch_moment *moment, const struct ch_outcome_of_call *outcomes)
{
    for (uint32_t i = 0; i < request->call_count && ground->shown != NULL; i++) {
        const struct ch_outcome_of_call *outcome = &outcomes[i];
        if (outcome->kind != CH_CALL_DONE || outcome->events == 0 || outcome->secret.len == 0) {
            continue;
        }
        struct ch_shown_key key = {
            .actor_id = moment->actor.id, .actor_kind = moment->actor.kind, .call = i};
        memcpy(key.id, request->id, sizeof key.id);
        ch_shown_put(ground->shown, &key, outcome->secret);
    }
}

static void not_decided(struct ch_outcome_of_call *outcome, struct ch_arena *arena)
{
    *outcome = (struct ch_outcome_of_call){0};
    ch_outcome_failed(outcome, arena, CH_ERR_NOT_DECIDED, "",
                      "another call of the message failed, so this one was not done");
}

static void reply_no_memory(struct ch_buf *reply, const struct ch_request *request, uint64_t seq)
{
    struct ch_why why = {0};
    (void)ch_fail(&why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
    ch_reply_error(reply, request->id, seq, &why);
}

/* Runs the calls of a message that has commands. Returns false if a message of mode "all"
 * failed. */
static bool run_calls(const struct ch_ground *ground, struct ch_request *request,
                      struct ch_moment *moment, struct ch_arena *arena,
                      struct ch_outcome_of_call *outcomes, uint64_t *read_seq)
{
    struct ch_store *store = &ground->state->store;
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_mark mark = ch_store_mark(store);
        const struct ch_batch_place place = ch_batch_place(ground->batch);
        moment->index = i;
        run_call(ground, ground->directory, ground->state, moment, &request->calls[i], arena,
                 &outcomes[i], read_seq);
        if (succeeded(&outcomes[i])) continue;
        ch_store_rollback(store, mark); /* an event of a call may have failed half way */
        ch_batch_back_to(ground->batch, place);
        if (request->mode == CH_MODE_EACH) continue;
        for (uint32_t other = 0; other < request->call_count; other++) {
            if (other != i && (other > i || succeeded(&outcomes[other]))) {
                not_decided(&outcomes[other], arena);
            }
        }
        return false;
    }
    return true;
}

bool ch_message_try(const struct ch_ground *ground, struct ch_request *request,
                    struct ch_moment *moment, struct ch_arena *arena,
                    struct ch_outcome_of_call *outcomes)
{
    uint64_t read_seq = 0;
    const struct ch_mark mark = ch_store_mark(&ground->state->store);
    if (run_calls(ground, request, moment, arena, outcomes, &read_seq)) return true;
    ch_store_rollback(&ground->state->store, mark);
    return false;
}

void ch_message_run(const struct ch_ground *where, struct ch_request *request,
                    struct ch_moment *moment, struct ch_arena *arena, struct ch_buf *reply,
                    struct ch_ran *ret)
{
    struct ch_ground mine = *where;
    const struct ch_ground *ground = &mine;
    *ret = (struct ch_ran){0};
    if (request->dry_run) mine.uses = NULL; /* what it saw may never be */
    struct ch_store *store = &ground->state->store;
    struct ch_outcome_of_call *outcomes =
        ch_arena_take(arena, request->call_count * sizeof *outcomes);
    if (outcomes == NULL) {
        reply_no_memory(reply, request, ch_meta(ground->state)->head);
        return;
    }
    const struct ch_mark mark = ch_store_mark(store);
    const struct ch_batch_place place = ch_batch_place(ground->batch);
    const bool commands = ch_message_commands(request);
    const bool done = run_calls(ground, request, moment, arena, outcomes, &ret->read_seq);
    if (!done || request->dry_run) {
        ch_store_rollback(store, mark);
        ch_batch_back_to(ground->batch, place);
    }
    /* A refusal is as durable as what it was decided from: everything before it. */
    if (commands) ret->read_seq = ch_meta(ground->state)->head;
    if (commands && !request->dry_run) {
        log_refusals(ground, request, moment, arena, outcomes, request->call_count);
    }
    if (done && !request->dry_run) keep_secrets(ground, request, moment, outcomes);
    ret->changed = ground->batch->count > place.count;
    ch_outcomes_reply(reply, request, outcomes, ch_meta(ground->state)->head);
}

/* The facts of an answer get their times and actors, a receipt its file. */
static void tell(const struct ch_telling *telling, const struct ch_moment *moment,
                 const struct ch_call *call, const struct ch_receipts_named *named,
                 struct ch_arena *arena, struct ch_outcome_of_call *ret)
{
    struct ch_why why = {0};
    if (ret->kind != CH_CALL_ANSWERED) return;
    if (ch_receipts_wanted(call) && telling->receipts == NULL) return;
    if (ch_receipts_wanted(call)) {
        struct ch_reject reject = {.code = CH_REJ_none};
        if (ch_receipts_make(telling->receipts, telling, moment, call, named, &ret->result, &reject,
                             &why)) {
            return;
        }
        if (why.err == CH_OK) {
            ch_outcome_rejected(ret, &reject);
        } else {
            ch_outcome_failed(ret, arena, why.err, why.field, why.text);
        }
        return;
    }
    if (call->on.id == 0 || ret->absent) return;
    if (ch_explain_told(telling, moment, call, &ret->result, &why)) return;
    ch_outcome_failed(ret, arena, why.err, why.field, why.text);
}

void ch_message_ask(const struct ch_directory *directory, const struct ch_state *state,
                    struct ch_request *request, struct ch_moment *moment,
                    const struct ch_telling *telling, struct ch_arena *arena, struct ch_buf *reply)
{
    uint64_t read_seq = 0;
    struct ch_outcome_of_call *outcomes =
        ch_arena_take(arena, request->call_count * sizeof *outcomes);
    if (outcomes == NULL) {
        reply_no_memory(reply, request, ch_meta(state)->head);
        return;
    }
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_receipts_named named = ch_receipts_name(&request->calls[i]);
        run_call(NULL, directory, state, moment, &request->calls[i], arena, &outcomes[i],
                 &read_seq);
        tell(telling, moment, &request->calls[i], &named, arena, &outcomes[i]);
    }
    ch_outcomes_reply(reply, request, outcomes, ch_meta(state)->head);
}
