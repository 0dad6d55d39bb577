/* page: one page of the log's events, as events.read answers it. SPDX-License-Identifier: MIT
 * Without a filter by account or user the loop reads it (worldly.c); with one the worker does, from
 * the derived index, before the request is run (past.c). */
#ifndef CH_DAEMON_PAGE_H
#define CH_DAEMON_PAGE_H
#include "daemon/log/reader.h"
#include "schema/base/arena.h"
#include "schema/records.h"
#include "schema/request.h"

struct ch_shadow_view;
struct ch_vault;

struct ch_page {
    struct ch_vault *vault;        /* that events are opened with; borrowed */
    struct ch_rec_event_row *rows; /* in the arena */
    uint32_t count;
    uint64_t limit; /* of count */
    uint64_t bytes;
    uint64_t next; /* the from of the next page */
};

static inline bool ch_page_filtered(const struct ch_qry_events_read *args)
{
    return args->has_account || args->has_user;
}

/* An empty page that begins where args say. False: no memory, why says so. */
CH_MUST_USE bool ch_page_begin(struct ch_page *page, const struct ch_qry_events_read *args,
                               struct ch_vault *vault, struct ch_arena *arena, struct ch_why *why);

/* Whether there is room for another event. */
static inline bool ch_page_open(const struct ch_page *page)
{
    return page->count < page->limit;
}

/* Looks at a record, puts its event on the page if it is wanted, and moves `next` behind it.
 * ret_full: there was no room for it; the page ends before it. False: it failed, why says so. */
CH_MUST_USE bool ch_page_take(struct ch_page *page, const struct ch_qry_events_read *args,
                              const struct ch_log_record *record, struct ch_arena *arena,
                              bool *ret_full, struct ch_why *why);

/* A page of the events up to view->seq that touch an account, a user or both, from the index.
 * call: an events.read with a filter; its references are resolved in the view's state. What does
 *       not exist there is touched by nothing. False: it failed, why says so. */
CH_MUST_USE bool ch_page_find(struct ch_page *page, const struct ch_shadow_view *view,
                              struct ch_vault *vault, struct ch_call *call, struct ch_arena *arena,
                              struct ch_why *why);
#endif
