/* uses: see uses.h. SPDX-License-Identifier: MIT */
#include "daemon/uses.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "daemon/core/use.h"
#include "schema/limits.h"

enum { SCAN_MOST = 65536, PAGE_SHARES = 1024 }; /* rows looked at for one page; its room */

static const size_t ids_bytes = ((size_t)LIMIT_USED_SHARES + 1) * sizeof(uint32_t);

/* One day. A share is noted at its row by the low half of its id, so that another share in the same
 * row is not taken for it. */
struct noted {
    uint64_t day_at;
    uint64_t until; /* 0: nothing was noted yet */
    uint64_t unnoted;
    uint32_t last; /* highest row */
    uint32_t *id;  /* mapped, small page by small page as it is touched: most stay untouched */
};

struct ch_uses {
    struct noted days[2];
    uint32_t open;
    bool telling; /* the other one */
    uint32_t at;  /* its rows up to here are told */
    struct ch_share_id page[PAGE_SHARES];
};

struct ch_uses *ch_uses_create(void)
{
    CH_CHECK(LIMIT_USED_PAGE <= PAGE_SHARES);
    struct ch_uses *uses = calloc(1, sizeof *uses);
    for (uint32_t i = 0; uses != NULL && i < 2; i++) {
        void *id = mmap(NULL, ids_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (id == MAP_FAILED) {
            ch_uses_destroy(uses);
            return NULL;
        }
        uses->days[i].id = id;
    }
    return uses;
}

void ch_uses_destroy(struct ch_uses *uses)
{
    if (uses == NULL) return;
    for (uint32_t i = 0; i < 2; i++) {
        if (uses->days[i].id != NULL) (void)munmap(uses->days[i].id, ids_bytes);
    }
    free(uses);
}

/* The running day is over; while the one before is still being told, it lasts. */
static void turn(struct ch_uses *uses)
{
    if (uses->telling || uses->days[uses->open].until == 0) return;
    uses->telling = true;
    uses->at = 0;
    uses->open = 1 - uses->open;
}

void ch_uses_note(struct ch_uses *uses, const struct ch_state *state,
                  const struct ch_query_answer *answer, uint64_t now)
{
    if (now >= uses->days[uses->open].until) turn(uses);
    struct noted *day = &uses->days[uses->open];
    if (day->until == 0) {
        day->day_at = now - now % CH_DAY_NS;
        day->until = day->day_at + CH_DAY_NS;
    }
    const uint32_t *rows =
        answer->through_more == NULL ? answer->through.share : answer->through_more;
    for (uint32_t i = 0; i < answer->through.count; i++) {
        const uint32_t row = rows[i];
        if (row > LIMIT_USED_SHARES) {
            day->unnoted++;
            continue;
        }
        if (row > day->last) day->last = row;
        day->id[row] = (uint32_t)ch_share_row(state, row)->id;
    }
}

uint64_t ch_uses_due(const struct ch_uses *uses)
{
    if (uses->telling) return 0;
    const uint64_t until = uses->days[uses->open].until;
    return until == 0 ? UINT64_MAX : until;
}

/* Whether the share in the row is the one that was noted, and is not known to be used that day. */
static bool is_news(const struct ch_state *state, const struct noted *day, uint32_t row)
{
    if (day->id[row] == 0 || row > state->store.tables[CH_T_SHARE].used) return false;
    if (!ch_row_is_live(&state->store, CH_T_SHARE, row)) return false;
    const struct ch_row_share *share = ch_share_row(state, row);
    const uint32_t number = ch_day_of(day->day_at);
    if ((uint32_t)share->id != day->id[row] || number < ch_day_in(share->used_day)) return false;
    return share->used_day != number;
}

bool ch_uses_take(struct ch_uses *uses, const struct ch_state *state, uint64_t now, bool at_end,
                  struct ch_uses_page *ret)
{
    if (at_end || now >= uses->days[uses->open].until) turn(uses);
    if (!uses->telling) return false;
    const struct noted *day = &uses->days[1 - uses->open];
    *ret = (struct ch_uses_page){.day_at = day->day_at, .shares = uses->page, .at = uses->at};
    const uint32_t end = day->last - uses->at > SCAN_MOST ? uses->at + SCAN_MOST : day->last;
    while (ret->at < end && ret->count < LIMIT_USED_PAGE) {
        ret->at++;
        if (!is_news(state, day, ret->at)) continue;
        uses->page[ret->count++].seq = ch_share_row(state, ret->at)->id;
    }
    ret->last = ret->at == day->last;
    if (ret->last) ret->unnoted = day->unnoted;
    return true;
}

void ch_uses_told(struct ch_uses *uses, const struct ch_uses_page *page)
{
    struct noted *day = &uses->days[1 - uses->open];
    for (uint32_t row = uses->at + 1; row <= page->at; row++) { /* what was told, page by page */
        if (day->id[row] != 0) day->id[row] = 0;                /* else it is not touched */
    }
    uses->at = page->at;
    if (!page->last) return;
    *day = (struct noted){.id = day->id};
    uses->telling = false;
}
