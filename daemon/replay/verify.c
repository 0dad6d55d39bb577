/* verify: see verify.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/verify_impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/reader.h"
#include "daemon/replay/follower.h"
#include "schema/event.h"

enum { EVENT_ITEMS = 9 }; /* of a record; schema/README.md, "Events in the log" */

void ch_verify_fault(struct ch_verify_report *report, enum ch_verify_part part, uint64_t number,
                     const char *format, ...)
{
    va_list args;
    if (report->part != CH_VERIFY_NOTHING) return;
    report->part = part;
    report->number = number;
    va_start(args, format);
    (void)vsnprintf(report->text, sizeof report->text, format, args);
    va_end(args);
}

/* ---- records ------------------------------------------------------------------------------ */

bool ch_verify_told_to_stop(const struct ch_verifying *v)
{
    const struct ch_verify_progress *progress = v->options->progress;
    if (v->unwanted != NULL && atomic_load_explicit(v->unwanted, memory_order_relaxed)) return true;
    return progress != NULL && atomic_load_explicit(&progress->stop, memory_order_relaxed);
}

static enum ch_err stop(const struct ch_verifying *v, struct ch_why *why)
{
    return ch_fail(why, CH_ERR_STOPPED, 0, "stopped at record %" PRIu64, v->report->records);
}

/* What every record begins with, of whatever type it is. */
struct head {
    uint64_t seq;
    uint64_t at;
    uint64_t tag;
    bool good; /* it begins so, and has as many items as a record */
};

static struct head head_of(struct ch_bytes record)
{
    struct ch_cursor c = ch_cursor_of(record);
    const uint32_t items = ch_read_array(&c);
    const uint64_t seq = ch_read_uint(&c);
    const uint64_t at = ch_read_uint(&c);
    const uint64_t tag = ch_read_uint(&c);
    return (struct head){
        .seq = seq, .at = at, .tag = tag, .good = items == EVENT_ITEMS && c.err == CH_OK};
}

uint64_t ch_verify_time_of(struct ch_bytes record)
{
    return head_of(record).at;
}

static bool is_newer(const struct head *head)
{
    if (!head->good || head->tag > UINT16_MAX) return false;
    return head->tag >= CH_EVENT_TAGS || ch_events[head->tag].record.name == NULL;
}

bool ch_verify_is_newer(struct ch_bytes record)
{
    const struct head head = head_of(record);
    return is_newer(&head);
}

/* Two halves count together, and seldom, for each of them waits for the other then. */
static void show_progress(const struct ch_verifying *v)
{
    enum { SELDOM = 1024 };
    struct ch_verify_progress *progress = v->options->progress;
    const uint64_t records = v->report->records;
    if (progress == NULL) return;
    if (!v->half) {
        atomic_store_explicit(&progress->done, records, memory_order_relaxed);
    } else if (records % SELDOM == 0) {
        atomic_fetch_add_explicit(&progress->done, SELDOM, memory_order_relaxed);
    }
}

enum ch_err ch_verify_take(struct ch_verifying *v, struct ch_bytes record, uint64_t at_ns,
                           struct ch_why *why)
{
    const struct ch_verify_copy *copy = v->options->copy;
    if (ch_verify_told_to_stop(v)) return stop(v, why);
    if (copy != NULL) {
        enum ch_err err = copy->record(copy->arg, v->report->records + 1, at_ns, record, why);
        if (err != CH_OK) return err;
    }
    v->report->records++;
    v->report->bytes += record.len;
    show_progress(v);
    v->tree_over = !ch_verify_tree_add(v->tree, record);
    return v->tree_over ? stop(v, why) : CH_OK;
}

enum ch_err ch_verify_before(void *arg, const struct ch_state *state, const struct ch_event *event,
                             struct ch_bytes record, struct ch_why *why)
{
    (void)state;
    return ch_verify_take(arg, record, event->at, why);
}

/* Whether the record that replay stopped at is one of those. */
static bool stopped_at_newer(struct ch_verifying *v)
{
    struct ch_reader *reader = NULL;
    struct ch_log_record record = {.seq = 0};
    if (ch_reader_open(v->log, &reader, NULL) != CH_OK) return false;
    const bool newer = ch_reader_read(reader, v->report->records + 1, &record, NULL) == CH_OK &&
                       record.bytes.ptr != NULL && ch_verify_is_newer(record.bytes);
    ch_reader_close(reader);
    return newer;
}

/* A record that cannot be read, has another form or another place, is a fault of the log. */
enum ch_err ch_verify_judge(struct ch_verifying *v, enum ch_err err, const struct ch_why *why)
{
    if (err == CH_ERR_STOPPED && v->tree_over) return CH_OK;
    if (err != CH_ERR_LOG_CORRUPT) return err;
    const uint64_t seq = v->report->records + 1;
    if (strncmp(why->text, "record ", strlen("record ")) == 0) {
        ch_verify_fault(v->report, CH_VERIFY_RECORD, seq, "%s", why->text);
    } else {
        ch_verify_fault(v->report, CH_VERIFY_RECORD, seq, "record %" PRIu64 ": %s", seq, why->text);
    }
    return CH_OK;
}

enum ch_err ch_verify_state_is(struct ch_verifying *v, const uint8_t hash[CH_STATE_HASH_BYTES],
                               bool *ret, struct ch_why *why)
{
    const uint64_t seq = ch_follower_seq(&v->follower);
    if (v->hashed_seq != seq) {
        const enum ch_err err = ch_state_hash(&v->follower.state, v->hashed, why);
        if (err != CH_OK) return err;
    }
    v->hashed_seq = seq;
    *ret = memcmp(v->hashed, hash, sizeof v->hashed) == 0;
    return CH_OK;
}

enum ch_err ch_verify_check_state(struct ch_verifying *v, const struct ch_expected_state *expected,
                                  struct ch_why *why)
{
    if (expected->part == CH_VERIFY_SNAPSHOT) return ch_verify_snapshot(v, expected, why);
    bool same = false;
    const enum ch_err err = ch_verify_state_is(v, expected->hash, &same, why);
    if (err != CH_OK) return err;
    v->report->states++;
    if (same) return CH_OK;
    ch_verify_fault(v->report, CH_VERIFY_STATE, expected->seq,
                    "replay gives another state behind record %" PRIu64 " than checkpoint %" PRIu64
                    " says",
                    expected->seq, expected->number);
    return CH_OK;
}

/* With a state: goes from one that is expected to the next. */
static enum ch_err replay(struct ch_verifying *v, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    while (err == CH_OK && !ch_verify_over(v)) {
        const struct ch_expected_state *due =
            v->next_state < v->expected.state_count ? &v->expected.states[v->next_state] : NULL;
        const uint64_t to = due == NULL ? v->to : due->seq;
        err = ch_follower_go(&v->follower, to, NULL, NULL, why);
        v->newer = err == CH_ERR_LOG_CORRUPT && stopped_at_newer(v);
        if (v->newer) err = CH_OK;
        err = ch_verify_judge(v, err, why);
        if (err != CH_OK || v->newer || ch_verify_over(v)) break;
        if (due == NULL) break;
        if (ch_follower_seq(&v->follower) == due->seq) err = ch_verify_check_state(v, due, why);
        v->next_state++;
    }
    if (v->newer) v->last_at = ch_meta(&v->follower.state)->last_at;
    return err;
}

/* What a record says of its place and its time. */
static enum ch_err check_place(uint64_t seq, uint64_t said_seq, uint64_t at, uint64_t *last_at,
                               struct ch_why *why)
{
    if (said_seq != seq) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "record %" PRIu64 " says that it is event %" PRIu64, seq, said_seq);
    }
    if (at < *last_at) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "event %" PRIu64 " is earlier than the one before", seq);
    }
    *last_at = at;
    return CH_OK;
}

enum ch_err ch_verify_record(uint64_t seq, struct ch_bytes record, uint64_t *last_at,
                             struct ch_arena *arena, struct ch_why *why)
{
    union ch_event_body body;
    struct ch_event event;
    enum ch_err err = ch_event_decode(record, arena, &body, &event, why);
    ch_arena_reset(arena);
    return err == CH_OK ? check_place(seq, event.seq, event.at, last_at, why) : err;
}

enum ch_err ch_verify_check_record(struct ch_verifying *v, uint64_t seq, struct ch_bytes record,
                                   uint64_t *ret_at, struct ch_why *why)
{
    const struct head head = head_of(record);
    *ret_at = head.at;
    if (is_newer(&head)) {
        v->report->newer++;
        return CH_OK;
    }
    if (!v->options->forms_later) {
        return ch_verify_record(seq, record, &v->last_at, &v->arena, why);
    }
    if (head.good) return check_place(seq, head.seq, head.at, &v->last_at, why);
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " has another form", seq);
}

/* From where replay stopped, or all. */
static enum ch_err scan(struct ch_verifying *v, struct ch_why *why)
{
    struct ch_reader *reader = NULL;
    enum ch_err err = ch_reader_open(v->log, &reader, why);
    if (err == CH_OK) ch_reader_seek(reader, v->report->records + 1);
    while (err == CH_OK && v->report->records < v->to) {
        struct ch_log_record record;
        uint64_t at_ns = 0;
        err = ch_reader_next(reader, &record, why);
        if (err == CH_OK && record.bytes.ptr == NULL) break;
        if (err == CH_OK) err = ch_verify_check_record(v, record.seq, record.bytes, &at_ns, why);
        if (err == CH_OK) err = ch_verify_take(v, record.bytes, at_ns, why);
    }
    ch_reader_close(reader);
    return ch_verify_judge(v, err, why);
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* What no record and no tile told: something is there that does not belong there. */
static void check_counts(struct ch_verifying *v, const struct ch_evlog_counts *counts)
{
    if (counts->last != counts->events) {
        ch_verify_fault(v->report, CH_VERIFY_LOG, 0,
                        "the last record is %" PRIu64 ", and there are %" PRIu64, counts->last,
                        counts->events);
    } else if (counts->tiles != ch_tiles_stored(counts->last)) {
        ch_verify_fault(v->report, CH_VERIFY_LOG, 0,
                        "there are %" PRIu64 " tiles and not %" PRIu64 " for %" PRIu64 " records",
                        counts->tiles, ch_tiles_stored(counts->last), counts->last);
    }
}

/* Which of the records is missing, or what stands among them. */
static enum ch_err check_keys(struct ch_verifying *v, struct ch_why *why)
{
    uint64_t missing = 0;
    const struct ch_evlog_counts *counts = &v->begin.counts;
    if (counts->last == counts->events) return CH_OK;
    const enum ch_err err = ch_evlog_check_keys(v->log, &missing, why);
    if (err != CH_ERR_LOG_CORRUPT) return err;
    ch_verify_fault(v->report, missing > 0 ? CH_VERIFY_RECORD : CH_VERIFY_LOG, missing, "%s",
                    why->text);
    return CH_OK;
}

/* A log that does not open is a fault of it, where it is not the machine's. */
static enum ch_err open_log(struct ch_verifying *v, struct ch_why *why)
{
    enum ch_err err = ch_evlog_open_read(v->options->dir, &v->log, why);
    if (err == CH_OK) err = ch_evlog_read_head(v->log, &v->begin.head, &v->begin.has_head, why);
    if (err == CH_OK) err = ch_evlog_look_at_head(v->log, &v->begin.look, why);
    if (err == CH_OK) err = ch_evlog_count(v->log, &v->begin.counts, why);
    if (err == CH_OK) err = check_keys(v, why);
    if (err != CH_ERR_LOG_CORRUPT) return err;
    ch_verify_fault(v->report, CH_VERIFY_LOG, 0, "%s", why->text);
    return CH_OK;
}

enum ch_err ch_verify_end_tree(struct ch_verifying *v, enum ch_err err, struct ch_why *why)
{
    struct ch_why tree_why;
    if (v->tree == NULL) return err;
    const enum ch_err tree_err = ch_verify_tree_finish(v->tree, v->report, &tree_why);
    ch_verify_tree_destroy(v->tree);
    v->tree = NULL;
    if (err == CH_OK && tree_err != CH_OK) {
        *why = tree_why;
        err = tree_err;
    }
    return err;
}

enum ch_err ch_verify_go(struct ch_verifying *v, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    if (v->follower.open && !v->newer) err = replay(v, why);
    if (err == CH_OK && (v->newer || !v->follower.open)) err = scan(v, why);
    return err;
}

/* What a run begins with. */
static enum ch_err begin_run(struct ch_verifying *v, struct ch_why *why)
{
    const unsigned threads = v->half ? 1 : v->options->threads;
    enum ch_err err =
        ch_verify_tree_create(v->log, CH_TILES_STORED, &v->expected, threads, &v->tree, why);
    if (err != CH_OK || !v->options->replay) return err;
    err = ch_follower_open(&v->follower, v->log, NULL, why);
    v->follower.before = ch_verify_before;
    v->follower.before_arg = v;
    v->follower.alone = threads <= 1;
    return err;
}

static enum ch_err check_records(struct ch_verifying *v, struct ch_why *why)
{
    struct ch_verify_half *second = ch_verify_half_start(v);
    enum ch_err err = begin_run(v, why);
    if (err == CH_OK) err = ch_verify_go(v, why);
    if (second != NULL) err = ch_verify_half_join(second, v, err, why);
    if (err == CH_OK) err = ch_verify_snapshots_left(v, why);
    err = ch_verify_end_tree(v, err, why);
    if (err == CH_OK && v->report->part == CH_VERIFY_NOTHING &&
        v->report->records != v->begin.counts.last) {
        ch_verify_fault(v->report, CH_VERIFY_RECORD, v->report->records + 1,
                        "record %" PRIu64 " is missing", v->report->records + 1);
    }
    return err;
}

static enum ch_err get_stored(void *arg, uint64_t number, struct ch_buf *copy,
                              struct ch_stored *ret, struct ch_why *why)
{
    return ch_stored_get(arg, number, copy, ret, why);
}

static enum ch_err check_directory(struct ch_verifying *v, struct ch_why *why)
{
    const struct ch_verify_options *options = v->options;
    const struct ch_verify_copy *copy = options->copy;
    enum ch_err err = CH_OK;
    if (copy == NULL) { /* what is copied is the log */
        err = ch_verify_list_snapshots(options->dir, &v->begin, v->report, why);
    }
    if (err == CH_OK) err = open_log(v, why);
    const struct ch_evlog_counts counts = v->begin.counts;
    /* A key that was changed is found by the record it lacks. */
    v->begin.whole = v->begin.counts.last = counts.events;
    if (options->size > 0 && options->size < counts.events) v->begin.counts.last = options->size;
    if (err == CH_OK && v->report->part == CH_VERIFY_NOTHING && copy != NULL) {
        err = copy->begin(copy->arg, v->log, v->begin.counts.last, why);
    }
    if (err == CH_OK && v->report->part == CH_VERIFY_NOTHING) {
        const struct ch_verify_checkpoints from = {
            .get = get_stored, .arg = v->log, .count = counts.checkpoints};
        if (options->progress != NULL) {
            atomic_store(&options->progress->total, v->begin.counts.last);
        }
        err = ch_verify_notes(&from, options, &v->begin, &v->expected, v->report, why);
    }
    v->to = v->begin.counts.last;
    if (err == CH_OK && v->report->part == CH_VERIFY_NOTHING) err = check_records(v, why);
    if (err == CH_OK) check_counts(v, &counts);
    return err;
}

enum ch_err ch_verify(const struct ch_verify_options *options, struct ch_verify_report *ret,
                      struct ch_why *why)
{
    struct ch_verifying v = {.options = options, .report = ret};
    *ret = (struct ch_verify_report){.part = CH_VERIFY_NOTHING};
    enum ch_err err =
        options->source == NULL ? check_directory(&v, why) : ch_verify_from_source(&v, why);
    if (options->copy != NULL && options->copy->end != NULL) {
        options->copy->end(options->copy->arg);
    }
    ch_follower_close(&v.follower);
    ch_expected_deinit(&v.expected);
    ch_arena_deinit(&v.arena);
    ch_evlog_close(v.log);
    return err;
}
