/* invariant_impl: what the invariant_* files share; see invariant.h. SPDX-License-Identifier: MIT
 * Each part walks its tables and gives NULL, or the sentence that does not hold. */
#ifndef CH_CORE_INVARIANT_IMPL_H
#define CH_CORE_INVARIANT_IMPL_H
#include "daemon/core/invariant.h"
#include "daemon/core/state.h"

#define HOLDS(condition, sentence)                                                                 \
    do {                                                                                           \
        if (!(condition)) return (sentence);                                                       \
    } while (0)

/* What was counted on the way, by row number; memory is the arena's. */
struct tally {
    const struct ch_state *state;
    uint32_t *texts;    /* references to each interned text */
    uint32_t *scopes;   /* references to each interned set */
    uint32_t *children; /* groups below each group */
    uint32_t *parts;    /* how often each row of the chain table at hand was met */
    uint64_t addresses; /* suppressed ones, each once for each tree of accounts */
    uint64_t offers;    /* of ownership, open */
    uint64_t unnamed;   /* dissolved accounts */
    uint64_t dues;      /* rows that say they are in the heap of what is due */
    uint64_t olds;      /* keys that remember the secret before */
    uint32_t *made;     /* shares, grants and keys of each user's making */
};

static inline bool live(const struct ch_state *state, uint32_t table, uint32_t row)
{
    return row != 0 && row <= state->store.tables[table].used &&
           ch_row_is_live(&state->store, table, row);
}

static inline uint32_t next(const struct ch_state *state, uint32_t table, uint32_t row)
{
    return ch_row_next(&state->store, table, row);
}

static inline uint32_t live_rows(const struct ch_state *state, uint32_t table)
{
    return ch_table_live(&state->store, table);
}

/* A reference to an interned text or set, counted; false if nothing is there. */
static inline bool count_text(struct tally *t, uint32_t row)
{
    if (!live(t->state, CH_T_TEXT, row)) return false;
    t->texts[row]++;
    return true;
}

static inline bool count_scopes(struct tally *t, uint32_t row)
{
    if (row == 0) return true;
    if (!live(t->state, CH_T_SCOPES, row)) return false;
    t->scopes[row]++;
    return true;
}

struct short_text {
    size_t len;
    char chars[256];
};

static inline struct ch_text text_at(const struct ch_state *s, uint32_t row,
                                     struct short_text *space)
{
    space->len = ch_chain_get(s, CH_T_TEXT, row, space->chars, sizeof space->chars);
    return (struct ch_text){space->chars, space->len};
}

/* Walks one chain, counting its rows; then, after all chains of a table: each row was met once. */
const char *ch_chain_broken(struct tally *t, uint32_t table, uint32_t first);
const char *ch_parts_broken(struct tally *t, uint32_t table);

/* invariant_account.c */
const char *ch_accounts_broken(struct tally *t);
/* invariant_share.c */
const char *ch_shares_broken(struct tally *t);
const char *ch_seats_broken(struct tally *t);
/* invariant_request.c */
const char *ch_requests_broken(struct tally *t);
const char *ch_submissions_broken(struct tally *t);
/* invariant_settings.c */
bool ch_days_are_right(const struct ch_state *state, const struct ch_row_share *share);
const char *ch_settings_broken(struct tally *t);
/* invariant_ledger.c */
const char *ch_ledger_broken(struct tally *t);
/* invariant_key.c */
const char *ch_keys_broken(struct tally *t);
const char *ch_sessions_broken(struct tally *t);
const char *ch_made_broken(struct tally *t);
#endif
