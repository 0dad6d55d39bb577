/* flips_impl: between flips.c and flips_reach.c. SPDX-License-Identifier: MIT */
#ifndef CH_CORE_FLIPS_IMPL_H
#define CH_CORE_FLIPS_IMPL_H
#include "daemon/core/flips.h"
#include "schema/base/arena.h"

/* One thing to be asked of both states: ids, since rows of one may be others in the other. */
struct ch_flip_item {
    uint64_t account;
    uint64_t subject; /* a user's or a key's id */
    uint64_t is_key;
    struct ch_text resource; /* no length: all */
    struct ch_scopes had;
    struct ch_scopes has;
};

struct ch_flip_ledger {
    uint64_t account;
    uint64_t is_allocation; /* else the pool */
    struct ch_ledger_side had;
    struct ch_ledger_side has;
};

/* What is touched, and whom that concerns. */
struct ch_concern {
    const struct ch_state *state; /* the one that is looked at */
    struct ch_arena *arena;
    size_t most;
    uint64_t uncompared;
    struct ch_buf touched; /* struct ch_flip_touch */
    struct ch_buf pairs;   /* struct ch_flip_item without resource, of this state */
    struct ch_buf items;   /* struct ch_flip_item, of both states */
    struct ch_buf ledgers; /* struct ch_flip_ledger */
};

/* Notes the rows written since `mark` that answers are made of; the state is the one after. */
void ch_reach_touch(struct ch_concern *reach, const struct ch_state *state, struct ch_mark mark);

/* Adds the questions, and the ledgers, that read one of these rows in this state. */
void ch_reach_gather(struct ch_concern *reach, const struct ch_state *state);

/* Sorts items and ledgers, each once. */
void ch_reach_settle(struct ch_concern *reach);
void ch_reach_deinit(struct ch_concern *reach);

static inline bool ch_reach_failed(const struct ch_concern *reach)
{
    return reach->touched.failed || reach->pairs.failed || reach->items.failed ||
           reach->ledgers.failed;
}

static inline size_t ch_reach_items(const struct ch_concern *reach)
{
    return reach->items.len / sizeof(struct ch_flip_item);
}

static inline size_t ch_reach_ledgers(const struct ch_concern *reach)
{
    return reach->ledgers.len / sizeof(struct ch_flip_ledger);
}
#endif
