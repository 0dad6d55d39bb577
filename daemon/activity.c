/* activity: see activity.h. SPDX-License-Identifier: MIT
 * The newest act comes first, as people look for what has just happened. The acts are found in the
 * account's stream, which also holds events that name the account and stand in another's. */
#include "daemon/activity.h"

#include "daemon/core/decide.h"
#include "daemon/log/streams.h"
#include "daemon/opened.h"
#include "daemon/replay/shadow.h"
#include "daemon/replay/touched.h"
#include "daemon/telling.h"
#include "schema/activity.h"
#include "schema/limits.h"

enum {
    FOUND_AT_ONCE = 1024,   /* seqs taken from the index in one go */
    LOOKED_AT_MOST = 16384, /* records read for one page; the cursor leads on */
};

/* A page being made. */
struct search {
    struct ch_activity *page;
    const struct ch_shadow_view *view;
    const struct ch_qry_activity_list *args;
    struct ch_telling telling;
    struct ch_why *why;
    uint64_t account; /* id */
    uint64_t low;     /* seqs that may be on it */
    uint64_t high;
    uint64_t limit;
    uint64_t bytes;
    uint64_t looked_at;
    bool upwards;
    bool bound; /* a person or a key asks */
};

static bool no_memory(struct ch_why *why)
{
    (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the activity log");
    return false;
}

static uint8_t folded(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool same_section(struct ch_text a, struct ch_text b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (folded(a.ptr[i]) != folded(b.ptr[i])) return false;
    }
    return true;
}

static bool wanted(const struct search *s, const struct ch_event *event)
{
    const struct ch_qry_activity_list *args = s->args;
    if (event->account != s->account || !ch_activity_is_act(event->tag)) return false;
    if (args->has_user &&
        (event->actor.kind != CH_actor_kind_user || event->actor.id != args->user.id)) {
        return false;
    }
    return !args->has_section || same_section(ch_tell_section(event), args->section);
}

/* The seqs between the times, and behind the last page. */
static bool set_bounds(struct search *s)
{
    const struct ch_qry_activity_list *args = s->args;
    uint64_t seq = 0;
    s->low = 1;
    s->high = s->view->seq;
    if (args->has_from && args->from > 0) {
        if (ch_follower_seq_at(s->view->head, args->from - 1, &seq, s->why) != CH_OK) return false;
        s->low = seq + 1;
    }
    if (args->has_to) {
        if (ch_follower_seq_at(s->view->head, args->to, &seq, s->why) != CH_OK) return false;
        if (seq < s->high) s->high = seq;
    }
    if (args->has_after && s->upwards) {
        if (args->after >= s->low) s->low = args->after + 1;
    } else if (args->has_after && args->after <= s->high) {
        s->high = args->after == 0 ? 0 : args->after - 1;
    }
    return true;
}

/* What was written with the act: its note, and the reason given. */
static bool show_written(struct search *s, struct ch_event *event, union ch_event_body *body,
                         struct ch_rec_activity_row *row)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    const bool own =
        event->actor.kind == CH_actor_kind_user || event->actor.kind == CH_actor_kind_key;
    enum ch_seal_state seal = CH_SEAL_OPEN;
    if (s->bound && !own) return true;
    if (ch_opened(s->telling.vault, event, body, s->telling.arena, &seal, s->why) != CH_OK) {
        return false;
    }
    row->has_note = event->note.len > 0;
    row->note = event->note;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!field->personal || strcmp(field->name, "reason") != 0) continue;
        row->has_reason = ch_field_present(field, event->body);
        if (row->has_reason) {
            row->reason = ((const struct ch_named *)ch_field_at(field, event->body))->text;
        }
    }
    s->bytes += row->note.len + row->reason.len;
    return true;
}

/* Puts a wanted event on the page. ret_full: there was no room, the page ends before it. */
static bool show(struct search *s, struct ch_bytes record, bool *ret_full)
{
    union ch_event_body body;
    struct ch_event event;
    struct ch_activity *page = s->page;
    *ret_full = page->count == s->limit || s->bytes > LIMIT_EVENTS_PAGE_BYTES;
    if (*ret_full) return true;
    /* Telling it reads others, so its bytes must be our own. */
    const struct ch_bytes own = {ch_arena_copy(s->telling.arena, record.ptr, record.len),
                                 record.len};
    if (own.ptr == NULL) return no_memory(s->why);
    if (ch_event_decode(own, s->telling.arena, &body, &event, s->why) != CH_OK) return false;
    struct ch_rec_activity_row row = {.at = event.at};
    if (!ch_tell(&s->telling, &event, &body, &row, s->why)) return false;
    const bool full = s->args->has_full && s->args->full;
    row.has_seq = row.has_type = row.has_actor_kind = row.has_actor = row.has_channel = full;
    if (full && !show_written(s, &event, &body, &row)) return false;
    row.seq = event.seq;
    row.type = ch_text_of(ch_events[event.tag].record.name);
    row.actor_kind = event.actor.kind;
    row.actor = event.actor.id;
    row.channel = event.channel;
    s->bytes += row.user.len + row.details.len;
    page->rows[page->count++] = row;
    return true;
}

/* Looks at one found seq. ret_end: the page ends here; has_next says whether there is another. */
static bool look_at(struct search *s, uint64_t seq, bool *ret_end)
{
    struct ch_log_record record;
    union ch_event_body body;
    struct ch_event event;
    *ret_end = false;
    if (ch_reader_read(s->view->reader, seq, &record, s->why) != CH_OK) return false;
    if (record.bytes.ptr == NULL) {
        (void)ch_fail(s->why, CH_ERR_LOG_CORRUPT, 0, "event %llu is missing",
                      (unsigned long long)seq);
        return false;
    }
    if (ch_event_decode(record.bytes, s->telling.arena, &body, &event, s->why) != CH_OK) {
        return false;
    }
    bool full = false;
    if (wanted(s, &event) && !show(s, record.bytes, &full)) return false;
    s->looked_at++;
    if (full || s->looked_at == LOOKED_AT_MOST) {
        s->page->has_next = true;
        if (!full) s->page->next = seq;
        *ret_end = true;
        return true;
    }
    s->page->next = seq;
    return true;
}

/* The next found seqs, in the page's order. */
static bool find_some(struct search *s, uint64_t *seqs, size_t *ret_count)
{
    const uint64_t key = ch_stream_key(CH_TOUCH_ACCOUNT, s->account);
    const enum ch_err err =
        s->upwards
            ? ch_streams_find(s->view->streams, key, s->low, seqs, FOUND_AT_ONCE, ret_count, s->why)
            : ch_streams_find_last(s->view->streams, key, s->high + 1, seqs, FOUND_AT_ONCE,
                                   ret_count, s->why);
    return err == CH_OK;
}

static bool fill(struct search *s)
{
    uint64_t *seqs = ch_arena_take(s->telling.arena, FOUND_AT_ONCE * sizeof *seqs);
    if (seqs == NULL) return no_memory(s->why);
    while (s->low <= s->high) {
        size_t count = 0;
        if (!find_some(s, seqs, &count)) return false;
        for (size_t i = 0; i < count; i++) {
            bool end = false;
            if (seqs[i] < s->low || seqs[i] > s->high) return true;
            if (!look_at(s, seqs[i], &end)) return false;
            if (end) return true;
        }
        if (count < FOUND_AT_ONCE) return true;
        if (s->upwards) {
            s->low = seqs[count - 1] + 1;
        } else {
            s->high = seqs[count - 1] - 1;
        }
    }
    return true;
}

bool ch_activity_find(struct ch_activity *page, const struct ch_shadow_view *view,
                      struct ch_vault *vault, bool bound, struct ch_call *call,
                      struct ch_arena *arena, struct ch_why *why)
{
    const struct ch_qry_activity_list *args = call->args;
    struct ch_reject reject = {.code = CH_REJ_none};
    uint64_t limit = args->has_limit && args->limit > 0 ? args->limit : 100;
    if (limit > LIMIT_LIST_ITEMS) limit = LIMIT_LIST_ITEMS;
    *page = (struct ch_activity){.rows = ch_arena_take(arena, limit * sizeof *page->rows)};
    if (page->rows == NULL) return no_memory(why);
    if (!ch_resolve(view->state, call, &reject)) return true;
    struct search s = {
        .page = page,
        .view = view,
        .args = args,
        .telling = {.state = view->state, .vault = vault, .reader = view->reader, .arena = arena},
        .why = why,
        .account = call->on.id,
        .bound = bound,
        .limit = limit,
        .upwards = args->has_oldest_first && args->oldest_first};
    return set_bounds(&s) && fill(&s);
}
