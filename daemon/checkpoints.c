/* checkpoints: see checkpoints.h. SPDX-License-Identifier: MIT */
#include "daemon/checkpoints_impl.h"

#include "daemon/core/dump.h"
#include "daemon/log/committer.h"
#include "daemon/log/digest.h"
#include "daemon/log/prover.h"
#include "daemon/receipts.h"
#include "daemon/waiting.h"
#include "schema/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A verifier hashes the state wherever a checkpoint tells of a new one, at about a nanosecond a
 * byte; it replays an event in about a microsecond. So a state is hashed so seldom that this adds
 * an eighth to its time at most. */
enum { STATE_BYTES_PER_EVENT = 128 };

/* A request that waits. */
struct waiting {
    struct ch_ingress_arrival arrival;
    struct ch_checkpoint_wish wish;
    uint8_t id[16];
};

/* ---- the worker's part -------------------------------------------------------------------- */

/* A log that does not go on from what was signed before is never signed. */
static enum ch_err check_beginning(const struct ch_checkpoints *checkpoints, struct ch_why *why)
{
    struct ch_hash root;
    if (checkpoints->size == 0) return CH_OK;
    enum ch_err err = ch_prover_root(checkpoints->prover, checkpoints->size, &root, why);
    if (err != CH_OK || ch_hash_equal(&root, &checkpoints->root)) return err;
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                   "the first %" PRIu64 " events have another root than checkpoint %" PRIu64,
                   checkpoints->size, checkpoints->number);
}

static void sign(struct ch_checkpoints *checkpoints, const struct ch_checkpoint *made)
{
    struct ch_buf *note = &checkpoints->note;
    ch_buf_reset(note);
    ch_checkpoint_put(note, made);
    struct ch_buf lines = {0};
    const struct ch_text text = {(const char *)note->ptr, note->len};
    ch_signer_put_line(&checkpoints->keys.signer, text, &lines);
    if (made->has_next_key) ch_signer_put_line(&checkpoints->next.signer, text, &lines);
    ch_buf_put(note, "\n", 1);
    ch_buf_put(note, lines.ptr, lines.len);
    note->failed = note->failed || lines.failed;
    ch_buf_deinit(&lines);
}

/* The state as it is now; or that of a snapshot, which costs neither us nor whoever verifies both
 * another hash; or, where a new one is not worth its cost yet, the one told of before. */
static enum ch_err state_of(const struct ch_checkpoints *checkpoints,
                            const struct ch_shadow_view *view, struct ch_checkpoint_state *ret,
                            struct ch_why *why)
{
    const struct ch_checkpoint_state *last = &checkpoints->state;
    const struct ch_snapshot *made = checkpoints->with_state ? NULL : view->made;
    const bool same_form = last->known && last->dump_version == CH_DUMP_VERSION;
    const uint64_t from = same_form ? last->seq : 0;
    if (!checkpoints->with_state && same_form &&
        (view->seq - from) * STATE_BYTES_PER_EVENT < ch_dump_bytes(view->state)) {
        *ret = *last;
        return CH_OK;
    }
    *ret = (struct ch_checkpoint_state){
        .known = true, .dump_version = CH_DUMP_VERSION, .seq = view->seq};
    if (made != NULL && made->seq <= view->seq && made->seq > from + (view->seq - from) / 2) {
        ret->seq = made->seq;
        memcpy(ret->hash, made->hash, sizeof ret->hash);
        return CH_OK;
    }
    return ch_state_hash(view->state, ret->hash, why);
}

static enum ch_err make(struct ch_checkpoints *checkpoints, const struct ch_shadow_view *view,
                        struct ch_why *why)
{
    struct ch_checkpoint made = {.origin = ch_text_of(checkpoints->keys.signer.verifier.name),
                                 .size = view->seq,
                                 .has_state = true};
    if (view->seq < checkpoints->size || view->seq == 0) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the log is shorter than its checkpoints");
    }
    enum ch_err err = check_beginning(checkpoints, why);
    if (err == CH_OK) err = ch_prover_root(checkpoints->prover, view->seq, &made.root, why);
    if (err == CH_OK && checkpoints->rotating) {
        err = ch_keys_prepare(checkpoints->line->config->data, &checkpoints->keys,
                              checkpoints->seed, &checkpoints->next, why);
        made.has_next_key = true;
        made.next_key = checkpoints->next.signer.verifier;
    }
    if (err == CH_OK) err = state_of(checkpoints, view, &checkpoints->put_state, why);
    if (err != CH_OK) return err;
    made.dump_version = checkpoints->put_state.dump_version;
    made.state_seq = checkpoints->put_state.seq;
    memcpy(made.state_hash, checkpoints->put_state.hash, sizeof made.state_hash);
    sign(checkpoints, &made);
    if (checkpoints->note.failed) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a checkpoint");
    }
    checkpoints->put_number = checkpoints->number + 1;
    checkpoints->put_at_ns = view->now_ns;
    checkpoints->put_size = view->seq;
    checkpoints->put_root = made.root;
    return CH_OK;
}

static void on_worker(struct ch_shadow_job *job, const struct ch_shadow_view *view)
{
    struct ch_checkpoints *checkpoints = job->arg;
    job->err = make(checkpoints, view, &job->why);
}

/* ---- the way of one ----------------------------------------------------------------------- */

/* with_state: somebody asked for a checkpoint, or it may be the last for a long time. */
static void begin(struct ch_checkpoints *checkpoints, bool rotating, bool with_state)
{
    CH_CHECK(checkpoints->stage == CH_CHECKPOINT_NONE);
    checkpoints->stage = CH_CHECKPOINT_WORKING;
    checkpoints->rotating = rotating;
    checkpoints->with_state = with_state;
    if (rotating) {
        ch_entropy_fill(checkpoints->line->entropy, checkpoints->seed, sizeof checkpoints->seed);
    }
    checkpoints->job = (struct ch_shadow_job){.as_of = UINT64_MAX,
                                              .durable = checkpoints->line->durable,
                                              .answer = on_worker,
                                              .arg = checkpoints};
    ch_shadow_submit(checkpoints->line->shadow, &checkpoints->job);
}

/* Nothing is under way any more. Those who waited come back, or are told why it failed. */
static void end(struct ch_checkpoints *checkpoints, const struct ch_why *failed)
{
    struct ch_pipeline *line = checkpoints->line;
    checkpoints->stage = CH_CHECKPOINT_NONE;
    ch_wipe(checkpoints->seed, sizeof checkpoints->seed);
    if (checkpoints->rotating) {
        if (failed != NULL && checkpoints->next.signer.secret != NULL) {
            ch_keys_drop(line->config->data);
        }
        ch_keys_deinit(&checkpoints->next);
        checkpoints->rotating = false;
    }
    if (failed == NULL) {
        CH_CHECK(checkpoints->back.len == 0); /* all that came back are taken before the next */
        const struct ch_buf empty = checkpoints->back;
        checkpoints->back = checkpoints->waiting;
        checkpoints->waiting = empty;
        ch_checkpoints_durable(checkpoints);
        return;
    }
    checkpoints->tried = line->durable;
    if (failed->err != CH_ERR_STOPPED) {
        (void)fprintf(stderr, "charterd: no checkpoint: %s: %s\n", ch_err_code(failed->err),
                      failed->text);
    }
    for (size_t i = 0; i < checkpoints->waiting.len / sizeof(struct waiting); i++) {
        struct waiting one;
        memcpy(&one, checkpoints->waiting.ptr + i * sizeof one, sizeof one);
        ch_line_refuse(line, &one.arrival, one.id, failed);
    }
    ch_buf_reset(&checkpoints->waiting);
    ch_checkpoints_durable(checkpoints); /* the timer, for the next try */
}

bool ch_checkpoints_made(struct ch_checkpoints *checkpoints, const struct ch_shadow_job *job)
{
    if (job != &checkpoints->job) return false;
    CH_CHECK(checkpoints->stage == CH_CHECKPOINT_WORKING);
    checkpoints->stage = CH_CHECKPOINT_READY;
    if (job->err != CH_OK) end(checkpoints, &job->why);
    return true;
}

bool ch_checkpoints_ready(const struct ch_checkpoints *checkpoints)
{
    return checkpoints != NULL && checkpoints->stage == CH_CHECKPOINT_READY;
}

void ch_checkpoints_fill(struct ch_checkpoints *checkpoints, struct ch_batch *batch)
{
    checkpoints->stage = CH_CHECKPOINT_STORING;
    batch->sync_head = true;
    batch->checkpoint = checkpoints->put_number;
    batch->checkpoint_at_ns = checkpoints->put_at_ns;
    batch->checkpoint_note =
        (struct ch_text){(const char *)checkpoints->note.ptr, checkpoints->note.len};
}

void ch_checkpoints_stored(struct ch_checkpoints *checkpoints, const struct ch_batch_result *result)
{
    if (checkpoints == NULL || checkpoints->stage != CH_CHECKPOINT_STORING) return;
    if (result->checkpoint_err != CH_OK) {
        end(checkpoints, &result->checkpoint_why);
        return;
    }
    if (checkpoints->put_number > checkpoints->number) {
        checkpoints->number = checkpoints->put_number;
        checkpoints->size = checkpoints->put_size;
        checkpoints->root = checkpoints->put_root;
        checkpoints->state = checkpoints->put_state;
        checkpoints->stale = false;
    }
    if (checkpoints->rotating) {
        struct ch_why why;
        if (ch_keys_settle(checkpoints->line->config->data, &why) != CH_OK) {
            (void)fprintf(stderr,
                          "charterd: the new signing key's file keeps its old name until "
                          "the next start: %s\n",
                          why.text);
        }
        ch_keys_deinit(&checkpoints->keys);
        checkpoints->keys = checkpoints->next;
        checkpoints->next = (struct ch_keys){.retired_count = 0};
        checkpoints->rotations++;
    }
    end(checkpoints, NULL);
}

/* ---- when --------------------------------------------------------------------------------- */

/* Whether there is anything that no checkpoint by our key covers. */
static bool is_due(const struct ch_checkpoints *checkpoints)
{
    return checkpoints->line->durable > checkpoints->size || checkpoints->stale;
}

static void on_timer(void *arg)
{
    struct ch_checkpoints *checkpoints = arg;
    checkpoints->timer_set = false;
    if (checkpoints->stage != CH_CHECKPOINT_NONE) return; /* its end sets the timer again */
    if (is_due(checkpoints)) begin(checkpoints, /* rotating= */ false, /* with_state= */ false);
}

void ch_checkpoints_durable(struct ch_checkpoints *checkpoints)
{
    const struct ch_pipeline *line = checkpoints->line;
    if (checkpoints->stage != CH_CHECKPOINT_NONE || !is_due(checkpoints)) return;
    if (checkpoints->stale && checkpoints->tried == 0) {
        begin(checkpoints, /* rotating= */ false, /* with_state= */ false);
        return;
    }
    const uint64_t from =
        checkpoints->tried > checkpoints->size ? checkpoints->tried : checkpoints->size;
    if (line->durable >= from && line->durable - from >= line->config->checkpoint_events) {
        begin(checkpoints, /* rotating= */ false, /* with_state= */ false);
        return;
    }
    if (checkpoints->timer_set || line->clock->is_manual) return;
    checkpoints->timer_set = true;
    ch_line_set_timer(checkpoints->timer,
                      ch_clock_monotonic_ns() + line->config->checkpoint_seconds * 1000000000u);
}

bool ch_checkpoints_last(struct ch_checkpoints *checkpoints)
{
    ch_loop_timer_clear(checkpoints->timer);
    if (checkpoints->stage == CH_CHECKPOINT_NONE && is_due(checkpoints)) {
        begin(checkpoints, /* rotating= */ false, /* with_state= */ true);
    }
    return checkpoints->stage != CH_CHECKPOINT_NONE;
}

bool ch_checkpoints_busy(const struct ch_checkpoints *checkpoints)
{
    return checkpoints->stage != CH_CHECKPOINT_NONE;
}

/* ---- requests ----------------------------------------------------------------------------- */

static bool may(const struct ch_checkpoints *checkpoints, const struct ch_moment *moment,
                const struct ch_call *call)
{
    const bool operator= moment->actor.kind == CH_actor_kind_operator;
    if (ch_receipts_wanted(call)) {
        return ch_line_may(checkpoints->line, call, moment, CH_SCOPE_access_explain);
    }
    if (ch_calls[call->type].who == CH_WHO_OPERATOR) return operator;
    return operator|| moment->actor.kind == CH_actor_kind_service;
}

/* A cosignature that is new and good goes to the commit thread. True: the request waits for it. */
static bool begin_cosign(struct ch_checkpoints *checkpoints,
                         const struct ch_qry_checkpoint_cosign *args)
{
    struct ch_stored stored;
    struct ch_reject reject;
    bool is_new = false;
    const uint64_t number = args->has_number ? args->number : 0;
    if (args->has_number && number == 0) return false;
    if (ch_stored_get(checkpoints->line->log, number, &checkpoints->scratch, &stored, NULL) !=
        CH_OK) {
        return false;
    }
    struct ch_buf joined = {0};
    if (stored.number == 0 ||
        !ch_checkpoint_join(checkpoints, stored.note, args->lines, &joined, &is_new, &reject)) {
        is_new = false;
    }
    if (is_new && !joined.failed && checkpoints->stage == CH_CHECKPOINT_NONE) {
        ch_buf_deinit(&checkpoints->note);
        checkpoints->note = joined;
        joined = (struct ch_buf){0}; /* moved */
        checkpoints->put_number = stored.number;
        checkpoints->put_at_ns = stored.at_ns;
        checkpoints->stage = CH_CHECKPOINT_READY;
    }
    ch_buf_deinit(&joined);
    return is_new;
}

/* Whether a call must wait; begins what it waits for, unless something else is under way. */
static bool must_wait(struct ch_checkpoints *checkpoints, const struct ch_request *request,
                      const struct ch_call *call, const struct ch_checkpoint_wish *wish)
{
    if (call->type == CH_QRY_checkpoint_cosign) return begin_cosign(checkpoints, call->args);
    const bool rotate = call->type == CH_QRY_checkpoint_rotate;
    uint64_t seq = wish->seq;
    /* A receipt about a seq needs one that covers it, of seq 0 any; beyond the end it is
     * refused. */
    if (request->as_of_kind == CH_AS_OF_SEQ && request->as_of < seq) {
        seq = request->as_of == 0 ? 1 : request->as_of;
    }
    if (rotate ? checkpoints->rotations > wish->rotations
               : checkpoints->size >= seq && !checkpoints->stale) {
        return false;
    }
    /* Receipts, which many may ask for, need no state hash. */
    if (checkpoints->stage == CH_CHECKPOINT_NONE) {
        begin(checkpoints, rotate, /* with_state= */ !ch_receipts_wanted(call));
    }
    return true;
}

bool ch_checkpoints_take(struct ch_checkpoints *checkpoints,
                         const struct ch_ingress_arrival *arrival, const struct ch_request *request,
                         const struct ch_moment *moment)
{
    struct ch_pipeline *line = checkpoints->line;
    struct waiting one = {.arrival = *arrival,
                          .wish = {.seq = line->durable, .rotations = checkpoints->rotations}};
    if (checkpoints->served != NULL) one.wish = *checkpoints->served;
    memcpy(one.id, request->id, sizeof one.id);
    if (line->served != NULL) return false; /* it waited for us before it went to the worker */
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct ch_call *call = &request->calls[i];
        const bool receipt = ch_receipts_wanted(call);
        const bool ours = call->why == NULL && (call->type == CH_QRY_checkpoint_make ||
                                                call->type == CH_QRY_checkpoint_rotate ||
                                                call->type == CH_QRY_checkpoint_cosign);
        if (!receipt && (!ours || request->as_of_kind != CH_AS_OF_NOW)) continue;
        if (!may(checkpoints, moment, call) || (receipt && request->dry_run)) continue;
        if (receipt && request->has_at_least && request->at_least > checkpoints->line->durable &&
            !checkpoints->line->last_try) {
            ch_line_wait(checkpoints->line, arrival, request->at_least, LIMIT_WAIT_MS);
            return true;
        }
        if (request->dry_run) {
            struct ch_why why = {0};
            (void)ch_fail_field(&why, CH_ERR_BAD_COMBINATION, "dry_run",
                                "dry_run: a checkpoint cannot be tried");
            ch_line_refuse(line, arrival, request->id, &why);
            return true;
        }
        if (!must_wait(checkpoints, request, call, &one.wish)) continue;
        ch_line_keep(line, &checkpoints->waiting, &one, sizeof one, arrival);
        return true;
    }
    return false;
}

bool ch_checkpoints_collect(struct ch_checkpoints *checkpoints, struct ch_ingress_arrival *ret)
{
    struct waiting one;
    if (checkpoints == NULL) return false;
    checkpoints->served = NULL;
    if (!ch_line_next(&checkpoints->back, &checkpoints->back_at, &one, sizeof one)) return false;
    checkpoints->served_wish = one.wish;
    checkpoints->served = &checkpoints->served_wish;
    *ret = one.arrival;
    return true;
}

/* ---- begin and end ------------------------------------------------------------------------ */

static enum ch_err read_witnesses(struct ch_checkpoints *checkpoints, struct ch_why *why)
{
    const struct ch_config_list *list = &checkpoints->line->config->witness;
    for (size_t i = 0; i < list->count; i++) {
        struct ch_verifier *witness = &checkpoints->witnesses[i];
        if (!ch_verifier_read(ch_text_of(list->items[i]), witness) ||
            witness->type != CH_NOTE_COSIGNATURE) {
            return ch_fail(why, CH_ERR_CONFIG, 0,
                           "setting witness: %s is no verifier key of a witness", list->items[i]);
        }
    }
    checkpoints->witness_count = list->count;
    return CH_OK;
}

static enum ch_err read_last(struct ch_checkpoints *checkpoints, struct ch_stored *stored,
                             struct ch_why *why)
{
    struct ch_note note;
    struct ch_checkpoint last;
    enum ch_err err = ch_stored_get(checkpoints->line->log, 0, &checkpoints->scratch, stored, why);
    if (err != CH_OK || stored->number == 0) return err;
    if (!ch_checkpoint_read_note(stored->note, &note, &last)) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                       stored->number);
    }
    checkpoints->number = stored->number;
    checkpoints->size = last.size;
    checkpoints->root = last.root;
    checkpoints->state = (struct ch_checkpoint_state){
        .known = last.has_state, .dump_version = last.dump_version, .seq = last.state_seq};
    memcpy(checkpoints->state.hash, last.state_hash, sizeof last.state_hash);
    return CH_OK;
}

enum ch_err ch_checkpoints_create(struct ch_pipeline *line, struct ch_checkpoints **ret,
                                  struct ch_why *why)
{
    struct ch_checkpoints *checkpoints = calloc(1, sizeof *checkpoints);
    if (checkpoints == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "checkpoints");
    struct ch_stored last = {.number = 0};
    uint8_t seed[CH_NOTE_SEED_BYTES];
    checkpoints->line = line;
    enum ch_err err = read_witnesses(checkpoints, why);
    if (err == CH_OK) err = read_last(checkpoints, &last, why);
    if (err == CH_OK) {
        ch_entropy_fill(line->entropy, seed, sizeof seed);
        const struct ch_keys_options options = {.dir = line->config->data,
                                                .name = ch_text_of(line->config->origin),
                                                .seed = seed,
                                                .last = last.note,
                                                .may_replace = line->config->accept_new_key};
        err = ch_keys_open(&options, &checkpoints->keys, why);
        ch_wipe(seed, sizeof seed);
    }
    if (err == CH_OK && checkpoints->keys.unlinked) {
        (void)fprintf(stderr, "charterd: the log's last checkpoint does not lead to the signing "
                              "key, so from here on whoever verifies needs this key, too: charter "
                              "checkpoint key\n");
    }
    if (err == CH_OK && last.number != 0) {
        struct ch_note note;
        checkpoints->stale =
            !ch_note_split(last.note, &note) ||
            ch_note_check(note.text, note.lines, &checkpoints->keys.signer.verifier, NULL) !=
                CH_NOTE_GOOD;
    }
    if (err == CH_OK) err = ch_prover_open(line->log, &checkpoints->prover, why);
    if (err == CH_OK) {
        err = ch_loop_timer_create(line->loop, on_timer, checkpoints, &checkpoints->timer, why);
    }
    if (err != CH_OK) {
        ch_checkpoints_destroy(checkpoints);
        return err;
    }
    *ret = checkpoints;
    return CH_OK;
}

void ch_checkpoints_destroy(struct ch_checkpoints *checkpoints)
{
    if (checkpoints == NULL) return;
    ch_loop_timer_destroy(checkpoints->timer);
    ch_prover_close(checkpoints->prover);
    ch_keys_deinit(&checkpoints->keys);
    ch_keys_deinit(&checkpoints->next);
    ch_buf_deinit(&checkpoints->note);
    ch_buf_deinit(&checkpoints->waiting);
    ch_buf_deinit(&checkpoints->back);
    ch_buf_deinit(&checkpoints->scratch);
    free(checkpoints);
}

uint64_t ch_checkpoints_size(const struct ch_checkpoints *checkpoints)
{
    return checkpoints->size;
}

enum ch_err ch_checkpoints_signer(const struct ch_checkpoints *checkpoints, struct ch_signer *ret,
                                  uint64_t *ret_number, uint64_t *ret_size, struct ch_why *why)
{
    uint8_t seed[CH_NOTE_SEED_BYTES];
    const struct ch_signer *signer = &checkpoints->keys.signer;
    if (checkpoints->number == 0 || checkpoints->stale) {
        return ch_fail(why, CH_ERR_BUSY, 0, "there is no checkpoint yet; try again");
    }
    *ret_number = checkpoints->number;
    *ret_size = checkpoints->size;
    ch_signer_seed(signer, seed);
    enum ch_err err = ch_signer_init(ch_text_of(signer->verifier.name), seed, ret, why);
    ch_wipe(seed, sizeof seed);
    return err;
}

struct ch_prover *ch_checkpoints_prover(struct ch_checkpoints *checkpoints)
{
    return checkpoints->prover;
}
