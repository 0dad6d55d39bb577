/* ledger: who draws on which credits, and what is left of them at a moment.
 * SPDX-License-Identifier: MIT
 * A plan has credits for a period: its pool, and allocations of accounts below. At every seq
 *   plan total = pool used + reserved + remain + the finite allocations' totals.
 * When a period is over, its next event is period_closed, whenever that is decided: the turn.
 * decide and query look at what the turn will leave, apply writes it: one function for all. */
#ifndef CH_CORE_LEDGER_H
#define CH_CORE_LEDGER_H
#include "daemon/core/state.h"

/* Rows; 0: none. The plan of the account itself, and the one it stands under. */
uint32_t ch_find_plan(const struct ch_state *state, uint32_t account);
uint32_t ch_plan_over(const struct ch_state *state, uint32_t account);

/* The pool of a plan. */
struct ch_pool {
    uint64_t total;
    uint64_t used;
    uint64_t reserved;
    uint64_t remain;
    uint64_t allocated;
};

/* What the next period_closed of a plan does at a moment. */
struct ch_turn {
    const struct ch_state *state;
    uint32_t plan;
    bool any;    /* something is over; false: the pool is as it stands */
    bool whole;  /* the plan's own period is */
    bool due[3]; /* enum ch_frequency: these ends have passed */
    uint64_t at;
    struct ch_pool pool;
};
struct ch_turn ch_turn_at(const struct ch_state *state, uint32_t plan, uint64_t at);

/* When the plan's next period_closed is due; 0: never. */
uint64_t ch_plan_due(const struct ch_state *state, uint32_t plan);

/* How many of the oldest periods a whole turn lets go, so that PERIODS_KEPT stay; one with open
 * reservations stays until they end. */
uint32_t ch_periods_to_drop(const struct ch_state *state, uint32_t plan);

/* Rows that the turn would touch, for ch_state_reserve; more than enough. */
size_t ch_cascade_of_turn(const struct ch_state *state, uint32_t plan);
#endif
