/* worldly: status, events.read and clock.set: answers that come from the log and the machine, not
 * from the state; see line.h. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "daemon/edge/ingress.h"
#include "daemon/log/reader.h"
#include "daemon/line.h"
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
    struct ch_qry_status_result result = {
        .version = ch_text_of(CH_VERSION),
        .revision = ch_meta(line->state)->head,
        .durable = line->durable,
        .log_bytes = line->log_bytes,
        .resident_bytes = resident_bytes(),
        .uptime_s = (ch_clock_monotonic_ns() - line->started_ns) / 1000000000u,
        .clock_manual = line->clock->is_manual,
        .now = ch_line_now(line),
        .root = {line->root, sizeof line->root},
        .replayed = line->replayed,
        .replay_ms = line->replay_ms,
        .longest_turn_us = ch_loop_longest_turn_ns(line->loop) / 1000,
        .busy_answers = line->busy_answers,
        .accounts = ch_table_live(store, CH_T_ACCOUNT),
        .users = ch_table_live(store, CH_T_USER),
        .shares = ch_table_live(store, CH_T_SHARE),
        .has_state_hash = line->hash_ready,
        .state_hash = {line->state_hash, sizeof line->state_hash},
        .has_state_seq = line->hash_ready,
        .state_seq = line->state_seq,
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

/* What an event is shown as; `fields` is a map made into buf's arena by ch_encode_map. */
static bool show(const struct ch_event *event, struct ch_arena *arena, struct ch_rec_event_row *row)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    struct ch_buf fields = {0};
    ch_encode_map(&fields, record, event->body);
    *row = (struct ch_rec_event_row){.seq = event->seq,
                                     .at = event->at,
                                     .type = ch_text_of(record->name),
                                     .actor_kind = event->actor.kind,
                                     .actor = event->actor.id,
                                     .channel = event->channel,
                                     .account = {event->account}};
    row->fields.ptr = ch_arena_copy(arena, fields.ptr, fields.len);
    row->fields.len = fields.len;
    bool good = !fields.failed && row->fields.ptr != NULL;
    ch_buf_deinit(&fields);
    return good;
}

static bool wanted(const struct ch_event *event, const struct ch_qry_events_read *args)
{
    if (args->has_account && event->account != args->account.id) return false;
    return !args->has_type || ch_text_is(args->type, ch_events[event->tag].record.name);
}

enum { SCAN_MOST = 65536 }; /* events looked at for one page; the cursor leads on */

static bool read_page(struct ch_pipeline *line, const struct ch_qry_events_read *args,
                      struct ch_rec_event_row *rows, uint64_t limit,
                      struct ch_qry_events_read_result *result, struct ch_why *why)
{
    uint64_t bytes = 0;
    ch_reader_seek(line->reader, result->next);
    for (uint32_t scanned = 0; scanned < SCAN_MOST && result->events_len < limit; scanned++) {
        struct ch_log_record record;
        union ch_event_body body;
        struct ch_event event;
        if (ch_reader_next(line->reader, &record, why) != CH_OK) return false;
        if (record.bytes.ptr == NULL || record.seq > line->durable) break;
        if (ch_event_decode(record.bytes, &line->arena, &body, &event, why) != CH_OK) return false;
        if (wanted(&event, args)) {
            bytes += record.bytes.len * 4;
            if (bytes > LIMIT_EVENTS_PAGE_BYTES && result->events_len > 0) break;
            if (!show(&event, &line->arena, &rows[result->events_len])) {
                (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a page of events");
                return false;
            }
            result->events_len++;
        }
        result->next = record.seq + 1;
    }
    return true;
}

static bool events_read(struct ch_pipeline *line, const struct ch_qry_events_read *args,
                        struct ch_buf *buf, struct ch_why *why)
{
    uint64_t limit = args->has_limit ? args->limit : 100;
    if (limit == 0 || limit > LIMIT_LIST_ITEMS) limit = LIMIT_LIST_ITEMS;
    struct ch_rec_event_row *rows = ch_arena_take(&line->arena, limit * sizeof *rows);
    if (rows == NULL) {
        (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a page of events");
        return false;
    }
    struct ch_qry_events_read_result result = {.events = rows, .head = line->durable};
    result.next = args->has_from && args->from > 0 ? args->from : 1;
    if (!read_page(line, args, rows, limit, &result, why)) return false;
    if (result.events_len == 0 && args->has_wait_ms && result.next > line->durable) {
        result.has_retry_ms = true;
        result.retry_ms = LIMIT_RETRY_MS * 10;
    }
    ch_encode_map(buf, &ch_calls[CH_QRY_events_read].result, &result);
    return true;
}

bool ch_worldly_answer(void *arg, const struct ch_moment *moment, const struct ch_call *call,
                       struct ch_buf *buf, struct ch_why *why)
{
    struct ch_pipeline *line = arg;
    (void)moment;
    if (call->type == CH_QRY_status) {
        status(line, buf);
        return true;
    }
    if (call->type == CH_QRY_clock_set) return clock_set(line, call->args, buf, why);
    return events_read(line, call->args, buf, why);
}
