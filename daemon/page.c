/* page: see page.h. SPDX-License-Identifier: MIT */
#include "daemon/page.h"

#include "daemon/core/decide.h"
#include "daemon/log/streams.h"
#include "daemon/opened.h"
#include "daemon/replay/shadow.h"
#include "daemon/replay/touched.h"
#include "schema/event.h"
#include "schema/limits.h"

enum {
    FOUND_AT_ONCE = 1024,   /* seqs taken from the index in one go */
    LOOKED_AT_MOST = 16384, /* records read for one page; the cursor leads on */
};

static bool no_memory(struct ch_why *why)
{
    (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a page of events");
    return false;
}

bool ch_page_begin(struct ch_page *page, const struct ch_qry_events_read *args,
                   struct ch_vault *vault, struct ch_arena *arena, struct ch_why *why)
{
    uint64_t limit = args->has_limit ? args->limit : 100;
    if (limit == 0 || limit > LIMIT_LIST_ITEMS) limit = LIMIT_LIST_ITEMS;
    *page = (struct ch_page){.vault = vault,
                             .limit = limit,
                             .next = args->has_from && args->from > 0 ? args->from : 1,
                             .rows = ch_arena_take(arena, limit * sizeof *page->rows)};
    return page->rows != NULL || no_memory(why);
}

/* What is sealed goes into the body, the note and the row; what a password is compared with does
 * not. */
static bool open_sealed(struct ch_page *page, struct ch_event *event, union ch_event_body *body,
                        struct ch_arena *arena, enum ch_seal_state *ret, struct ch_why *why)
{
    *ret = CH_SEAL_OPEN;
    for (uint16_t i = 0; i < ch_events[event->tag].record.count; i++) {
        if (ch_events[event->tag].record.fields[i].kind == CH_KIND_verifier) return true;
    }
    if (ch_opened(page->vault, event, body, arena, ret, why) != CH_OK) return false;
    page->bytes += event->personal.cipher.len;
    return true;
}

/* What an event is shown as; `fields` is a map copied into the arena. */
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

bool ch_page_take(struct ch_page *page, const struct ch_qry_events_read *args,
                  const struct ch_log_record *record, struct ch_arena *arena, bool *ret_full,
                  struct ch_why *why)
{
    union ch_event_body body;
    struct ch_event event;
    *ret_full = false;
    if (ch_event_decode(record->bytes, arena, &body, &event, why) != CH_OK) return false;
    if (wanted(&event, args)) {
        enum ch_seal_state seal = CH_SEAL_OPEN;
        page->bytes += record->bytes.len * 4;
        *ret_full = page->bytes > LIMIT_EVENTS_PAGE_BYTES && page->count > 0;
        if (*ret_full) return true;
        const bool opened = args->has_opened && args->opened;
        if (opened && !open_sealed(page, &event, &body, arena, &seal, why)) return false;
        struct ch_rec_event_row *row = &page->rows[page->count];
        if (!show(&event, arena, row)) return no_memory(why);
        row->has_note = event.note.len > 0;
        row->note = event.note;
        row->has_sealed = seal != CH_SEAL_OPEN;
        row->sealed = ch_text_of(seal == CH_SEAL_ERASED ? "erased" : "lost");
        page->count++;
    }
    page->next = record->seq + 1;
    return true;
}

/* Reads the records of found seqs onto the page. ret_full: the page ends here. */
static bool take_found(struct ch_page *page, const struct ch_shadow_view *view,
                       const struct ch_qry_events_read *args, const uint64_t *seqs, size_t count,
                       struct ch_arena *arena, bool *ret_full, struct ch_why *why)
{
    *ret_full = false;
    for (size_t i = 0; i < count && !*ret_full; i++) {
        struct ch_log_record record;
        if (ch_reader_read(view->reader, seqs[i], &record, why) != CH_OK) return false;
        if (record.bytes.ptr == NULL) {
            (void)ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu is missing",
                          (unsigned long long)seqs[i]);
            return false;
        }
        if (!ch_page_take(page, args, &record, arena, ret_full, why)) return false;
        if (!ch_page_open(page)) *ret_full = true;
    }
    return true;
}

bool ch_page_find(struct ch_page *page, const struct ch_shadow_view *view, struct ch_vault *vault,
                  struct ch_call *call, struct ch_arena *arena, struct ch_why *why)
{
    const struct ch_qry_events_read *args = call->args;
    struct ch_reject reject = {.code = CH_REJ_none};
    if (!ch_page_begin(page, args, vault, arena, why)) return false;
    if (page->next > view->seq) return true;
    if (!ch_resolve(view->state, call, &reject)) {
        page->next = view->seq + 1;
        return true;
    }
    /* With both filters the user's stream is searched: it is the shorter one as a rule. */
    const uint64_t key = args->has_user ? ch_stream_key(CH_TOUCH_USER, args->user.id)
                                        : ch_stream_key(CH_TOUCH_ACCOUNT, args->account.id);
    uint64_t *seqs = ch_arena_take(arena, FOUND_AT_ONCE * sizeof *seqs);
    if (seqs == NULL) return no_memory(why);
    for (size_t looked_at = 0; looked_at < LOOKED_AT_MOST; looked_at += FOUND_AT_ONCE) {
        size_t count = 0;
        bool full = false;
        if (ch_streams_find(view->streams, key, page->next, seqs, FOUND_AT_ONCE, &count, why) !=
            CH_OK) {
            return false;
        }
        const bool last = count < FOUND_AT_ONCE || seqs[count - 1] >= view->seq;
        while (count > 0 && seqs[count - 1] > view->seq) {
            count--;
        }
        if (!take_found(page, view, args, seqs, count, arena, &full, why)) return false;
        if (full) return true;
        if (last) {
            page->next = view->seq + 1;
            return true;
        }
    }
    return true;
}
