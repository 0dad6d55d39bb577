/* uses: which shares checks were allowed by, until the log is told. SPDX-License-Identifier: MIT
 * A check writes nothing: what it used is kept here, one number for each share that it used, and
 * goes into the log once a day, as access_used events. So a daemon that dies loses what checks used
 * since the last midnight; one that is stopped tells it before. Memory is taken as it is touched,
 * for two days: the running one, and the one before until all of it is told. It is bounded by
 * LIMIT_USED_SHARES.
 * Threads: the loop's. */
#ifndef CH_DAEMON_USES_H
#define CH_DAEMON_USES_H
#include "daemon/core/query.h"

struct ch_uses; /* opaque */

struct ch_uses *ch_uses_create(void); /* NULL when out of memory */
void ch_uses_destroy(struct ch_uses *uses);

/* Notes what an answered query used, at `now`. On the way of every check: one store a share. */
void ch_uses_note(struct ch_uses *uses, const struct ch_state *state,
                  const struct ch_query_answer *answer, uint64_t now);

/* When there will be something to tell; UINT64_MAX: nothing was used. */
uint64_t ch_uses_due(const struct ch_uses *uses);

/* What to tell next: a part of a day that is over. */
struct ch_uses_page {
    uint64_t day_at;
    struct ch_share_id *shares; /* borrowed, until the next page */
    uint32_t count;             /* with unnoted 0, too: nothing, but look again */
    uint64_t unnoted;
    uint32_t at; /* its own */
    bool last;
};
/* at_end: the running day, too. False: there is nothing. The page is given again until ch_uses_told
 * says that the log has it. */
bool ch_uses_take(struct ch_uses *uses, const struct ch_state *state, uint64_t now, bool at_end,
                  struct ch_uses_page *ret);
void ch_uses_told(struct ch_uses *uses, const struct ch_uses_page *page);
#endif
