/* repeat: a message whose id was used before; see line.h. SPDX-License-Identifier: MIT
 * The answer is rebuilt from the message's events, so it survives restart and replay. */
#include "daemon/core/query.h"
#include "daemon/log/reader.h"
#include "daemon/log/shown.h"
#include "daemon/line.h"
#include "daemon/orphans.h"
#include "daemon/outcome.h"
#include "daemon/waiting.h"
#include "schema/limits.h"

static void all_rejected(struct ch_buf *reply, const struct ch_request *request, uint64_t seq,
                         enum ch_rejection_code code)
{
    const struct ch_reject reject = {.code = code, .field = "id"};
    ch_reply_begin(reply, request->id, false, seq, request->call_count);
    for (uint32_t i = 0; i < request->call_count; i++) {
        ch_reply_rejection(reply, &reject);
    }
}

/* Puts one event of the message to the call that made it. */
static enum ch_err assign(const struct ch_event *event, const struct ch_request *request,
                          struct ch_outcome_of_call *outcomes, uint32_t *call,
                          struct ch_arena *arena, uint64_t most, struct ch_why *why)
{
    if (event->cause.kind == CH_CAUSE_COMMAND) *call = event->cause.index;
    if (*call >= request->call_count) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu does not fit its message",
                       (unsigned long long)event->seq);
    }
    struct ch_outcome_of_call *outcome = &outcomes[*call];
    if (outcome->tags == NULL) {
        outcome->tags = ch_arena_take(arena, most * sizeof *outcome->tags);
        if (outcome->tags == NULL) {
            return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
        }
        outcome->kind = CH_CALL_DONE;
        outcome->first_seq = event->seq;
    }
    outcome->tags[outcome->events++] = event->tag;
    return CH_OK;
}

static enum ch_err read_events(struct ch_pipeline *line, const struct ch_request *request,
                               const struct ch_row_seen *seen, struct ch_outcome_of_call *outcomes,
                               struct ch_why *why)
{
    uint32_t call = UINT32_MAX;
    for (uint64_t i = 0; i < seen->count; i++) {
        struct ch_log_record record;
        union ch_event_body body;
        struct ch_event event;
        enum ch_err err = ch_reader_read(line->reader, seen->first_seq + i, &record, why);
        if (err != CH_OK) return err;
        err = ch_event_decode(record.bytes, &line->arena, &body, &event, why);
        if (err != CH_OK) return err;
        err = assign(&event, request, outcomes, &call, &line->arena, seen->count, why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

/* What a call without events had been: a query is asked again; a command changed nothing, or, in a
 * message of mode "each", may have been refused. */
static void fill_rest(struct ch_pipeline *line, const struct ch_request *request,
                      const struct ch_moment *moment, uint64_t first_seq,
                      struct ch_outcome_of_call *outcomes)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        struct ch_outcome_of_call *outcome = &outcomes[i];
        struct ch_call *call = &request->calls[i];
        if (outcome->tags != NULL) continue;
        if (call->why != NULL) {
            outcome->kind = CH_CALL_FAILED;
            outcome->why = call->why;
        } else if (ch_calls[call->type].query) {
            const struct ch_ground ground = {
                .directory = line->directory, .answer = ch_worldly_answer, .arg = line};
            struct ch_moment asked = *moment;
            asked.index = i;
            ch_message_query(&ground, line->state, &asked, call, &line->arena, outcome);
        } else if (request->mode == CH_MODE_ALL) {
            outcome->kind = CH_CALL_DONE;
            outcome->first_seq = first_seq;
        } else {
            const struct ch_reject reject = {.code = CH_REJ_rejected_before};
            ch_outcome_rejected(outcome, &reject);
        }
    }
}

/* The secrets that were shown with the first answer, as long as they are kept. */
static void fill_secrets(struct ch_pipeline *line, const struct ch_request *request,
                         const struct ch_moment *moment, struct ch_outcome_of_call *outcomes)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        const int type = request->calls[i].type;
        if (outcomes[i].tags == NULL || ch_calls[type].query) continue;
        const enum ch_mint mints = ch_call_mints(type);
        if (mints != CH_MINT_key && mints != CH_MINT_session) continue;
        struct ch_shown_key key = {
            .actor_id = moment->actor.id, .actor_kind = moment->actor.kind, .call = i};
        memcpy(key.id, request->id, sizeof key.id);
        outcomes[i].secret = ch_shown_find(line->shown, &key);
        outcomes[i].secret_gone = outcomes[i].secret.len == 0;
    }
}

/* Calls that took somebody's access away told what they had made: from the state before each.
 * ret_away: the request went to the worker for it
 * errors:   CH_ERR_NO_MEMORY */
static enum ch_err fill_made(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                             const struct ch_request *request, const struct ch_moment *moment,
                             uint64_t first_seq, struct ch_outcome_of_call *outcomes,
                             bool *ret_away, struct ch_why *why)
{
    struct ch_made *wanted = ch_arena_take(&line->arena, request->call_count * sizeof *wanted);
    uint64_t at = first_seq - 1;
    bool any = false;
    *ret_away = false;
    if (wanted == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
    for (uint32_t i = 0; i < request->call_count; i++) {
        const bool done = outcomes[i].tags != NULL || request->mode == CH_MODE_ALL;
        if (done && ch_orphans_asked(&request->calls[i])) wanted[i].at = at;
        any = any || wanted[i].at != 0;
        at += outcomes[i].events;
    }
    if (any && line->made == NULL) {
        ch_past_made(line, arrival, request, moment, wanted);
        *ret_away = true;
        return CH_OK;
    }
    for (uint32_t i = 0; any && i < request->call_count; i++) {
        outcomes[i].result = line->made[i].result;
    }
    return CH_OK;
}

enum ch_repeat ch_repeat_answer(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                                const struct ch_request *request, const struct ch_moment *moment,
                                struct ch_buf *reply)
{
    const uint32_t row =
        ch_find_seen(line->state, moment->actor.kind, moment->actor.id, request->id);
    if (row == 0) return CH_REPEAT_NONE;
    const struct ch_row_seen *seen = ch_seen_row(line->state, row);
    const uint64_t last = seen->first_seq + seen->count - 1;
    const uint64_t head = ch_meta(line->state)->head;
    if (last > line->durable) {
        ch_line_wait(line, arrival, last, LIMIT_WAIT_MS);
        return CH_REPEAT_AWAY;
    }
    if (memcmp(seen->fingerprint, moment->fingerprint, sizeof seen->fingerprint) != 0) {
        all_rejected(reply, request, head, CH_REJ_id_reused);
        return CH_REPEAT_ANSWERED;
    }
    struct ch_why why = {0};
    bool away = false;
    struct ch_outcome_of_call *outcomes =
        ch_arena_take(&line->arena, request->call_count * sizeof *outcomes);
    if (outcomes == NULL) {
        (void)ch_fail(&why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
        ch_reply_error(reply, request->id, head, &why);
        return CH_REPEAT_ANSWERED;
    }
    enum ch_err err = read_events(line, request, seen, outcomes, &why);
    if (err == CH_OK) {
        err = fill_made(line, arrival, request, moment, seen->first_seq, outcomes, &away, &why);
    }
    if (err != CH_OK) {
        ch_reply_error(reply, request->id, head, &why);
        return CH_REPEAT_ANSWERED;
    }
    if (away) return CH_REPEAT_AWAY;
    fill_secrets(line, request, moment, outcomes);
    fill_rest(line, request, moment, seen->first_seq, outcomes);
    ch_outcomes_reply(reply, request, outcomes, head);
    return CH_REPEAT_ANSWERED;
}
