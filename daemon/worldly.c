/* worldly: status, events.read, activity.list, clock.set, proofs: answers that come from the log
 * and the machine, not from the state; see line.h. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "daemon/activity.h"
#include "daemon/checkpoints.h"
#include "daemon/edge/ingress.h"
#include "daemon/line.h"
#include "daemon/log/reader.h"
#include "daemon/page.h"
#include "daemon/proving.h"
#include "daemon/replay/shadow.h"
#include "schema/limits.h"

/* Pages of memory that the process holds, in bytes. source: man 5 proc, /proc/self/statm */
static uint64_t resident_bytes(void)
{
    char text[128];
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return 0;
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    uint64_t pages = 0;
    size_t at = 0;
    while (at < len && text[at] != ' ') {
        at++;
    }
    for (at++; at < len && text[at] >= '0' && text[at] <= '9'; at++) {
        pages = pages * 10 + (uint64_t)(text[at] - '0');
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void status(struct ch_pipeline *line, struct ch_buf *buf)
{
    const struct ch_store *store = &line->state->store;
    struct ch_shadow_facts facts;
    ch_shadow_tell_facts(line->shadow, &facts);
    struct ch_qry_status_result result = {
        .version = ch_text_of(CH_VERSION),
        .revision = ch_meta(line->state)->head,
        .durable = line->durable,
        .log_bytes = line->log_bytes,
        .resident_bytes = resident_bytes(),
        .state_bytes = ch_store_bytes(&line->state->store),
        .uptime_s = (ch_clock_monotonic_ns() - line->started_ns) / 1000000000u,
        .clock_manual = line->clock->is_manual,
        .now = ch_line_now(line),
        .root = {line->root, sizeof line->root},
        .replayed = line->replayed,
        .replay_ms = line->replay_ms,
        .longest_turn_us = ch_loop_longest_turn_ns(line->loop) / 1000,
        .busy_answers = line->busy_answers,
        .passwords = line->passwords,
        .accounts = ch_table_live(store, CH_T_ACCOUNT),
        .users = ch_table_live(store, CH_T_USER),
        .shares = ch_table_live(store, CH_T_SHARE),
        .has_state_hash = line->hash_ready,
        .state_hash = {line->state_hash, sizeof line->state_hash},
        .has_state_seq = line->hash_ready,
        .state_seq = line->state_seq,
        .has_checkpoint = ch_checkpoints_size(line->checkpoints) > 0,
        .checkpoint = ch_checkpoints_size(line->checkpoints),
        .has_resumed = line->resumed > 0,
        .resumed = line->resumed,
        .has_snapshot = facts.snapshot > 0,
        .snapshot = facts.snapshot,
        .snapshots = facts.snapshots,
        .snapshot_bytes = facts.snapshot_bytes,
        .as_of_strands = line->past_strands,
        .as_of_wholes = line->past_wholes,
        .has_scrubbed = facts.scrub.seq > 0,
        .scrubbed = facts.scrub.seq,
        .scrubs = facts.scrub.passes,
        .faults = facts.scrub.faults,
        .has_fault = facts.scrub.faults > 0,
        .fault = ch_text_of(facts.scrub.fault),
    };
    ch_loop_longest_turn_reset(line->loop);
    ch_encode_map(buf, &ch_calls[CH_QRY_status].result, &result);
}

static bool clock_set(struct ch_pipeline *line, const struct ch_qry_clock_set *args,
                      struct ch_buf *buf, struct ch_why *why)
{
    if (!line->clock->is_manual) {
        (void)ch_fail_field(why, CH_ERR_BAD_COMBINATION, "to",
                            "to: the clock is the machine's; start charterd with --clock manual");
        return false;
    }
    if (!ch_clock_set(line->clock, args->to)) {
        (void)ch_fail_field(why, CH_ERR_OUT_OF_BOUNDS, "to", "to: time does not go back");
        return false;
    }
    uint64_t before;
    do { /* in steps, so that each has the room it needs */
        before = ch_meta(line->state)->head;
        ch_line_fire_due(line);
    } while (ch_meta(line->state)->head != before);
    const struct ch_qry_clock_set_result result = {.now = ch_line_now(line),
                                                   .revision = ch_meta(line->state)->head};
    ch_encode_map(buf, &ch_calls[CH_QRY_clock_set].result, &result);
    return true;
}

enum { SCAN_MOST = 65536 }; /* events looked at for one page; the cursor leads on */

static bool read_page(struct ch_pipeline *line, const struct ch_qry_events_read *args,
                      struct ch_page *page, struct ch_why *why)
{
    bool full = false;
    if (!ch_page_begin(page, args, line->directory->vault, &line->arena, why)) return false;
    ch_reader_seek(line->reader, page->next);
    for (uint32_t scanned = 0; scanned < SCAN_MOST && ch_page_open(page) && !full; scanned++) {
        struct ch_log_record record;
        if (ch_reader_next(line->reader, &record, why) != CH_OK) return false;
        if (record.bytes.ptr == NULL || record.seq > line->durable) break;
        if (!ch_page_take(page, args, &record, &line->arena, &full, why)) return false;
    }
    return true;
}

/* A filtered page was made by the worker, unless the seq asked from is not durable yet. */
static bool made_page(struct ch_pipeline *line, const struct ch_moment *moment,
                      const struct ch_qry_events_read *args, struct ch_page *page,
                      struct ch_why *why)
{
    if (line->pages != NULL) {
        *page = line->pages[moment->index];
        return true;
    }
    if (!ch_page_begin(page, args, line->directory->vault, &line->arena, why)) return false;
    if (page->next > line->durable) return true;
    (void)ch_fail(why, CH_ERR_BUSY, 0, "the index was not asked; try again");
    return false;
}

static bool events_read(struct ch_pipeline *line, const struct ch_moment *moment,
                        const struct ch_qry_events_read *args, struct ch_buf *buf,
                        struct ch_why *why)
{
    struct ch_page page;
    if (ch_page_filtered(args) ? !made_page(line, moment, args, &page, why)
                               : !read_page(line, args, &page, why)) {
        return false;
    }
    struct ch_qry_events_read_result result = {
        .events = page.rows, .events_len = page.count, .next = page.next, .head = line->durable};
    if (result.events_len == 0 && args->has_wait_ms && result.next > line->durable) {
        result.has_retry_ms = true;
        result.retry_ms = LIMIT_RETRY_MS * 10;
    }
    ch_encode_map(buf, &ch_calls[CH_QRY_events_read].result, &result);
    return true;
}

/* Whether somebody who asks may learn that a user is there: who has to do with the account now, or
 * did something in it. */
static bool is_known(const struct ch_pipeline *line, const struct ch_moment *moment,
                     const struct ch_call *call, const struct ch_activity *page)
{
    const struct ch_qry_activity_list *args = call->args;
    if (!args->has_user || !ch_is_bound(moment)) return true;
    if (page->count > 0 || page->has_next || args->user.id == moment->actor.id) return true;
    const uint32_t user = ch_find_user(line->state, args->user.id);
    for (uint32_t a = ch_find_account(line->state, call->on.id); a != 0;
         a = ch_account_row(line->state, a)->parent) {
        if (ch_find_share(line->state, CH_subject_kind_user, user, a) != 0) return true;
    }
    return false;
}

static bool activity_list(struct ch_pipeline *line, const struct ch_moment *moment,
                          const struct ch_call *call, struct ch_buf *buf, struct ch_reject *reject,
                          struct ch_why *why)
{
    if (line->activities == NULL) {
        (void)ch_fail(why, CH_ERR_BUSY, 0, "the index was not asked; try again");
        return false;
    }
    const struct ch_activity *page = &line->activities[moment->index];
    if (!is_known(line, moment, call, page)) {
        *reject = (struct ch_reject){.code = CH_REJ_not_found, .field = "user"};
        return false;
    }
    const struct ch_qry_activity_list_result result = {.acts = page->rows,
                                                       .acts_len = page->count,
                                                       .has_next = page->has_next,
                                                       .next = page->next};
    ch_encode_map(buf, &ch_calls[CH_QRY_activity_list].result, &result);
    return true;
}

static bool proof(struct ch_pipeline *line, const struct ch_moment *moment, struct ch_buf *buf,
                  struct ch_reject *reject, struct ch_why *why)
{
    if (line->proofs == NULL) {
        (void)ch_fail(why, CH_ERR_BUSY, 0, "the worker was not asked; try again");
        return false;
    }
    const struct ch_proved *proved = &line->proofs[moment->index];
    *reject = proved->reject;
    if (reject->code != CH_REJ_none) return false;
    ch_buf_put(buf, proved->value.ptr, proved->value.len);
    return true;
}

bool ch_worldly_answer(void *arg, const struct ch_moment *moment, const struct ch_call *call,
                       struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why)
{
    struct ch_pipeline *line = arg;
    if (call->type == CH_QRY_status) {
        status(line, buf);
        return true;
    }
    if (call->type == CH_QRY_clock_set) return clock_set(line, call->args, buf, why);
    if (call->type == CH_QRY_activity_list) {
        return activity_list(line, moment, call, buf, reject, why);
    }
    if (call->type == CH_QRY_events_read) return events_read(line, moment, call->args, buf, why);
    if (ch_proving_wanted(call)) return proof(line, moment, buf, reject, why);
    return ch_checkpoints_answer(line->checkpoints, call, buf, reject, why);
}
