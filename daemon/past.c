/* past: requests about an earlier moment, state hashes, filtered events, activity logs, proofs and
 * what users had made, by the worker; see line.h. SPDX-License-Identifier: MIT
 * The worker's state is its own, so the live loop goes on. Who may ask about the past is judged by
 * what they may do now: a person needs access.explain on an account they ask about, and sees there
 * what they would see of the present; see ch_admit. */
#include "daemon/line.h"

#include <stdlib.h>

#include "daemon/activity.h"
#include "daemon/checkpoints.h"
#include "daemon/explaining.h"
#include "daemon/orphans.h"
#include "daemon/page.h"
#include "daemon/proving.h"
#include "daemon/receipts.h"
#include "daemon/replay/shadow.h"
#include "daemon/telling.h"
#include "daemon/waiting.h"
#include "schema/limits.h"

struct ch_past {
    struct ch_shadow_job job;
    struct ch_ingress_arrival arrival;
    struct ch_arena arena;
    struct ch_request request;
    struct ch_moment moment;
    struct ch_judge judge;
    struct ch_buf reply;
    bool present;                   /* it is about now, and answered here for what the log tells */
    bool again;                     /* the request is taken again when what follows is there */
    bool hash;                      /* a state hash is wanted */
    struct ch_page *pages;          /* by call, where filtered events are wanted; NULL: nowhere */
    struct ch_activity *activities; /* by call, with pages: where an activity log is wanted */
    struct ch_made *made;           /* by call, for a message that is sent again; NULL: not one */
    uint64_t session;               /* by which it came; 0: none */
    struct ch_proved *proofs;       /* by call, with pages: where a proof is wanted */
    const struct ch_directory *directory;
    struct ch_vault *vault;
    bool receipt; /* one is wanted */
    bool now;     /* the state is an earlier one, the moment is that of the question */
    struct ch_receipts receipts; /* what it is made with */
    struct ch_evlog *log;
    struct ch_prover *prover;
    struct ch_why page_why;
    uint8_t state_hash[CH_STATE_HASH_BYTES];
};

static bool wants_hash(const struct ch_request *request)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why != NULL || call->type != CH_QRY_status) continue;
        const struct ch_qry_status *args = call->args;
        if (args->has_state_hash && args->state_hash) return true;
    }
    return false;
}

static const struct ch_qry_events_read *filtered(const struct ch_call *call)
{
    if (call->why != NULL || call->type != CH_QRY_events_read) return NULL;
    const struct ch_qry_events_read *args = call->args;
    return ch_page_filtered(args) ? args : NULL;
}

/* An activity log that the asker may see; one they may not is refused when the request is run. */
static bool wants_activity(const struct ch_pipeline *line, const struct ch_call *call,
                           const struct ch_moment *moment)
{
    if (call->why != NULL || call->type != CH_QRY_activity_list) return false;
    return ch_line_may(line, call, moment, CH_SCOPE_activity_read);
}

/* A proof that the asker may have. */
static bool wants_proof(const struct ch_call *call, const struct ch_moment *moment)
{
    return ch_proving_wanted(call) &&
           (!ch_is_bound(moment) || ch_calls[call->type].who == CH_WHO_ANYONE);
}

/* Activity logs and proofs are wanted, and filtered events that may be durable. Of users nobody
 * asks the worker for events: they are refused. */
static bool wants_pages(const struct ch_pipeline *line, const struct ch_request *request,
                        const struct ch_moment *moment)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        if (wants_activity(line, &request->calls[i], moment)) return true;
        if (wants_proof(&request->calls[i], moment)) return true;
    }
    if (ch_is_bound(moment)) return false;
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_qry_events_read *args = filtered(&request->calls[i]);
        if (args != NULL && (!args->has_from || args->from <= line->durable)) return true;
    }
    return false;
}

static void find_pages(struct ch_past *past, const struct ch_shadow_view *view)
{
    for (uint32_t i = 0; i < past->request.call_count; i++) {
        struct ch_call *call = &past->request.calls[i];
        bool good = true;
        if (filtered(call) != NULL) {
            good = ch_page_find(&past->pages[i], view, past->vault, call, &past->arena,
                                &past->page_why);
        } else if (call->why == NULL && call->type == CH_QRY_activity_list) {
            good =
                ch_activity_find(&past->activities[i], view, past->vault,
                                 ch_is_bound(&past->moment), call, &past->arena, &past->page_why);
        } else if (ch_proving_wanted(call)) {
            good = ch_proving_find(past->log, past->prover, call, &past->arena, &past->proofs[i],
                                   &past->page_why);
        }
        if (!good) return;
    }
}

/* What users had made when the message came first; each call in the state before it. In that state
 * the rows of who asks are others. */
static void find_made(struct ch_past *past, const struct ch_shadow_view *view)
{
    const struct ch_state *state = view->state;
    struct ch_moment moment = past->moment;
    uint64_t read_seq = 0;
    bool no_memory = false;
    if (moment.user_row != 0) moment.user_row = ch_find_user(state, moment.actor.id);
    if (moment.key_row != 0) moment.key_row = ch_find_key(state, moment.actor.id);
    if (past->session != 0) moment.session_row = ch_find_session(state, past->session);
    moment.now = view->now_ns;
    for (uint32_t i = 0; i < past->request.call_count; i++) {
        struct ch_call *call = &past->request.calls[i];
        struct ch_made *made = &past->made[i];
        if (made->at > view->seq) {
            past->job.then = made->at;
            break;
        }
        struct ch_reject reject = {.code = CH_REJ_none};
        if (made->at != view->seq || !ch_default_on(state, &moment, call, &read_seq, &reject) ||
            !ch_resolve(state, call, &reject)) {
            continue;
        }
        made->result = ch_orphans_of(state, &moment, call, &past->arena, &no_memory);
    }
    if (no_memory) (void)ch_fail(&past->page_why, CH_ERR_NO_MEMORY, 0, "no memory for the answer");
}

/* The rows of who asks in another state than the one they were found in; 0: they are not there. */
static uint32_t user_there(const struct ch_moment *moment, const struct ch_state *state)
{
    return moment->actor.kind == CH_actor_kind_user ? ch_find_user(state, moment->actor.id) : 0;
}

static uint32_t key_there(const struct ch_moment *moment, const struct ch_state *state)
{
    return moment->actor.kind == CH_actor_kind_key ? ch_find_key(state, moment->actor.id) : 0;
}

/* Whoever asks about the past sees of it what they may see now. */
static void set_moment(struct ch_past *past, const struct ch_shadow_view *view)
{
    struct ch_moment *moment = &past->moment;
    const struct ch_state *now = past->present ? view->state : &view->head->state;
    if (ch_is_bound(moment)) {
        past->judge = (struct ch_judge){.state = now,
                                        .user_row = user_there(moment, now),
                                        .key_row = key_there(moment, now),
                                        .now = moment->now};
        moment->judge = past->present ? NULL : &past->judge;
        moment->user_row = user_there(moment, view->state);
        moment->key_row = key_there(moment, view->state);
        moment->session_row = 0;
    }
    if (!past->present && !past->now) moment->now = view->now_ns;
}

/* On the worker's thread. */
static void answer(struct ch_shadow_job *job, const struct ch_shadow_view *view)
{
    struct ch_past *past = job->arg;
    if (past->made != NULL) {
        find_made(past, view);
        return;
    }
    if (past->hash && ch_state_hash(view->state, past->state_hash, &past->page_why) != CH_OK)
        return;
    if (past->pages != NULL) find_pages(past, view);
    if (past->again) return;
    set_moment(past, view);
    if (ch_is_bound(&past->moment) && past->judge.user_row == 0 && past->judge.key_row == 0) {
        (void)ch_fail(&past->page_why, CH_ERR_BUSY, 0, "who asks is not durable yet; try again");
        return;
    }
    const struct ch_telling telling = {.state = view->state,
                                       .vault = past->vault,
                                       .reader = view->reader,
                                       .arena = &past->arena,
                                       .receipts = past->receipt ? &past->receipts : NULL};
    ch_message_ask(past->directory, view->state, &past->request, &past->moment, &telling,
                   &past->arena, &past->reply);
}

static void destroy(struct ch_past *past)
{
    /* Names may stand in it, of somebody who is erased later. */
    ch_arena_reset(&past->arena);
    ch_arena_wipe(&past->arena);
    ch_arena_deinit(&past->arena);
    ch_buf_reset(&past->reply);
    ch_buf_wipe(&past->reply);
    ch_buf_deinit(&past->reply);
    ch_signer_deinit(&past->receipts.signer);
    free(past);
}

/* Explanations that nothing else of the message keeps from being answered by the worker. */
static bool wants_explained(const struct ch_request *request)
{
    bool wanted = false;
    if (ch_message_commands(request)) return false;
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        if (call->why != NULL) continue;
        if (ch_calls[call->type].daemon) return false;
        wanted = wanted || ch_is_explained(call->type);
    }
    return wanted;
}

/* errors (NULL): CH_ERR_BUSY, CH_ERR_NO_MEMORY */
static struct ch_past *make(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                            const struct ch_moment *moment, bool pages, struct ch_why *why)
{
    if (ch_line_worker_room(line, why) != CH_OK) return NULL;
    struct ch_past *past = calloc(1, sizeof *past);
    if (past == NULL) {
        (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a question about the past");
        return NULL;
    }
    past->arrival = *arrival;
    past->moment = *moment;
    past->directory = line->directory;
    past->job.arg = past;
    past->job.answer = answer;
    past->job.durable = line->durable;
    /* Read once more into memory of its own: the line's arena is the next message's. */
    if (ch_request_decode(arrival->message, &past->arena, &past->request, why) != CH_OK) {
        destroy(past);
        return NULL;
    }
    past->vault = line->directory->vault;
    for (uint32_t i = 0; i < past->request.call_count; i++) {
        struct ch_call *call = &past->request.calls[i];
        if (call->why == NULL) ch_directory_hash_call(line->directory, call->type, call->args);
    }
    if (!pages) return past;
    past->log = line->log;
    past->prover = ch_checkpoints_prover(line->checkpoints);
    past->pages = ch_arena_take(&past->arena, past->request.call_count * sizeof *past->pages);
    past->activities =
        ch_arena_take(&past->arena, past->request.call_count * sizeof *past->activities);
    past->proofs = ch_arena_take(&past->arena, past->request.call_count * sizeof *past->proofs);
    if (past->pages == NULL || past->activities == NULL || past->proofs == NULL) {
        (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a page of events");
        destroy(past);
        return NULL;
    }
    return past;
}

/* What a session or a key stands for is what it stands for now; where that is no account, the call
 * is refused when it is run. */
static void fill_in(struct ch_pipeline *line, struct ch_past *past)
{
    for (uint32_t i = 0; i < past->request.call_count; i++) {
        uint64_t read_seq = 0;
        struct ch_reject reject;
        struct ch_call *call = &past->request.calls[i];
        if (call->why == NULL) {
            (void)ch_default_on(line->state, &past->moment, call, &read_seq, &reject);
        }
    }
}

/* On trial the answer is made, but no file. */
static bool wants_receipt(const struct ch_request *request)
{
    for (uint32_t i = 0; i < request->call_count; i++) {
        if (!request->dry_run && ch_receipts_wanted(&request->calls[i])) return true;
    }
    return false;
}

/* A receipt is about a state that a checkpoint covers; what was not there in time was made before.
 * So one about now is about the newest checkpoint's. errors: CH_ERR_NOT_YET, CH_ERR_NO_MEMORY */
static enum ch_err set_receipts(struct ch_pipeline *line, const struct ch_request *request,
                                struct ch_past *past, struct ch_why *why)
{
    const bool now = request->as_of_kind == CH_AS_OF_NOW;
    past->receipts = (struct ch_receipts){.log = line->log,
                                          .prover = ch_checkpoints_prover(line->checkpoints),
                                          .made_at = past->moment.now};
    past->receipt = true;
    past->now = now;
    past->present = false;
    enum ch_err err = ch_checkpoints_signer(line->checkpoints, &past->receipts.signer,
                                            &past->receipts.number, &past->receipts.size, why);
    if (err == CH_OK && now && request->has_at_least && request->at_least > past->receipts.size) {
        err = ch_fail_field(why, CH_ERR_NOT_YET, "at_least",
                            "at_least: the newest checkpoint is of event %llu",
                            (unsigned long long)past->receipts.size);
    }
    if (now) {
        past->job.as_of = past->receipts.size;
        past->job.asked =
            (struct ch_strand_asked){.request = &past->request, .asker = past->moment.actor};
    }
    past->job.judged = ch_is_bound(&past->moment);
    return err;
}

bool ch_past_take(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const struct ch_request *request, const struct ch_moment *moment)
{
    const bool past_asked = request->as_of_kind != CH_AS_OF_NOW;
    const bool hash = !past_asked && line->served == NULL && wants_hash(request);
    const bool pages = !past_asked && line->served == NULL && wants_pages(line, request, moment);
    const bool explained =
        !past_asked && line->served == NULL && !hash && !pages && wants_explained(request);
    if (!past_asked && !hash && !pages && !explained) return false;
    if ((pages || explained) && !line->last_try && request->has_at_least &&
        request->at_least > line->durable) {
        ch_line_wait(line, arrival, request->at_least, LIMIT_WAIT_MS);
        return true;
    }
    struct ch_why why = {0};
    struct ch_moment judged = *moment;
    judged.now = ch_line_now(line);
    struct ch_past *past = NULL;
    if (request->as_of_kind == CH_AS_OF_TIME && request->as_of > judged.now) {
        (void)ch_fail_field(&why, CH_ERR_NOT_YET, "as_of",
                            "as_of: this time has not come; what was is known, not what will be");
    } else {
        past = make(line, arrival, &judged, pages, &why);
    }
    if (past == NULL) {
        ch_line_refuse(line, arrival, request->id, &why);
        return true;
    }
    fill_in(line, past);
    past->again = !past_asked && !explained;
    past->present = explained;
    past->hash = hash;
    past->job.by_time = request->as_of_kind == CH_AS_OF_TIME;
    past->job.as_of = past_asked ? request->as_of : UINT64_MAX;
    past->job.judged = past_asked && ch_is_bound(moment);
    if (past_asked) {
        past->job.asked =
            (struct ch_strand_asked){.request = &past->request, .asker = moment->actor};
    }
    if (!past->again && wants_receipt(request) &&
        set_receipts(line, request, past, &why) != CH_OK) {
        ch_line_refuse(line, arrival, request->id, &why);
        destroy(past);
        return true;
    }
    line->past_jobs++;
    ch_shadow_submit(line->shadow, &past->job);
    return true;
}

void ch_past_made(struct ch_pipeline *line, const struct ch_ingress_arrival *arrival,
                  const struct ch_request *request, const struct ch_moment *moment,
                  const struct ch_made *wanted)
{
    struct ch_why why = {0};
    struct ch_past *past = make(line, arrival, moment, /* pages= */ false, &why);
    if (past != NULL) {
        const size_t bytes = request->call_count * sizeof *past->made;
        past->made = ch_arena_copy(&past->arena, wanted, bytes);
        if (past->made == NULL) {
            (void)ch_fail(&why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
            destroy(past);
            past = NULL;
        }
    }
    if (past == NULL) {
        ch_line_refuse(line, arrival, request->id, &why);
        return;
    }
    const uint32_t session = moment->session_row;
    past->session = session == 0 ? 0 : ch_session_row(line->state, session)->id;
    past->again = true;
    for (uint32_t i = request->call_count; i > 0; i--) {
        if (wanted[i - 1].at != 0) past->job.as_of = wanted[i - 1].at;
    }
    line->past_jobs++;
    ch_shadow_submit(line->shadow, &past->job);
}

/* True: the request must be taken again, with what the worker made. */
static bool deliver(struct ch_pipeline *line, struct ch_past *past)
{
    if (past->job.err == CH_OK && past->job.asked.request != NULL) {
        line->past_strands += past->job.by_strand;
        line->past_wholes += !past->job.by_strand;
    }
    if (past->job.err != CH_OK) {
        ch_line_refuse(line, &past->arrival, past->request.id, &past->job.why);
    } else if (past->page_why.err != CH_OK) {
        ch_line_refuse(line, &past->arrival, past->request.id, &past->page_why);
    } else if (past->again) {
        line->served = past;
        line->hash_ready = past->hash;
        line->state_seq = past->job.seq;
        memcpy(line->state_hash, past->state_hash, sizeof line->state_hash);
        line->pages = past->pages;
        line->activities = past->activities;
        line->made = past->made;
        line->proofs = past->proofs;
        return true;
    } else if (past->reply.failed) {
        ch_ingress_drop(line->ingress, past->arrival.slot);
    } else {
        ch_line_send(line, past->arrival.slot, ch_buf_view(&past->reply));
    }
    return false;
}

bool ch_past_collect(struct ch_pipeline *line, struct ch_ingress_arrival *ret)
{
    if (line->served != NULL) destroy(line->served);
    line->served = NULL;
    line->pages = NULL;
    line->activities = NULL;
    line->made = NULL;
    line->proofs = NULL;
    line->hash_ready = false;
    if (line->shadow == NULL) return false;
    struct ch_shadow_job *job = ch_shadow_collect(line->shadow);
    while (job != NULL) {
        if (ch_checkpoints_made(line->checkpoints, job)) {
            job = ch_shadow_collect(line->shadow);
            continue;
        }
        line->past_jobs--;
        if (ch_whatif_made(line, job)) {
            job = ch_shadow_collect(line->shadow);
            continue;
        }
        struct ch_past *past = job->arg;
        if (deliver(line, past)) {
            *ret = past->arrival;
            return true;
        }
        destroy(past);
        job = ch_shadow_collect(line->shadow);
    }
    return false;
}
