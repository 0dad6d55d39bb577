/* activity: one page of the activity log, as activity.list answers it. SPDX-License-Identifier: MIT
 * The worker makes it from the derived index before the request is run (past.c); whether the asker
 * may see it was judged before that, and is judged again when the request is run. */
#ifndef CH_DAEMON_ACTIVITY_H
#define CH_DAEMON_ACTIVITY_H
#include "schema/base/arena.h"
#include "schema/records.h"
#include "schema/request.h"

struct ch_shadow_view;
struct ch_vault;

struct ch_activity {
    struct ch_rec_activity_row *rows; /* in the arena */
    uint32_t count;
    bool has_next;
    uint64_t next; /* the after of the next page */
};

/* A page of the acts in an account up to view->seq.
 * call: an activity.list; its references are resolved in the view's state. What does not exist
 *       there did nothing.
 * bound: a person or a key asks: what the operator or a service noted is not for them.
 * False: it failed, why says so. */
CH_MUST_USE bool ch_activity_find(struct ch_activity *page, const struct ch_shadow_view *view,
                                  struct ch_vault *vault, bool bound, struct ch_call *call,
                                  struct ch_arena *arena, struct ch_why *why);
#endif
