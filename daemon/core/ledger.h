/* ledger: who draws on which credits, and what is left of them at a moment.
 * SPDX-License-Identifier: MIT
 * A plan has credits for a period: its pool, and allocations of accounts below. At every seq
 *   plan total = pool used + reserved + remain + the finite allocations' totals,
 *   allocation total = used + reserved + remain.
 * An account draws on its own finite allocation, else on the nearest one above it, else on the
 * pool; one whose allocation is `unlimited` draws on the pool whatever stands above.
 *
 * The turn. When a period is over, the plan's next event is period_closed, whenever that is decided
 * and however many periods have passed. The plan's own period: the pool begins anew with the plan's
 * total; open reservations belong to the period that is over, and no longer count in the ledger;
 * allocations that are not due keep what remains to them, and it is their total. Then those that
 * are due begin anew, that of the account opened first before the others: what remains returns to
 * the pool, what was used or is reserved is the pool's, and `total` is taken anew, or what the pool
 * has. An account that is closed takes nothing; while the plan's own account is closed there is no
 * turn.
 * decide and query look at what the turn will leave, apply writes it: one function for all. */
#ifndef CH_CORE_LEDGER_H
#define CH_CORE_LEDGER_H
#include "daemon/core/state.h"

/* Rows; 0: none. The plan of the account itself, and the one it stands under. */
uint32_t ch_find_plan(const struct ch_state *state, uint32_t account);
uint32_t ch_plan_over(const struct ch_state *state, uint32_t account);
uint32_t ch_find_allocation(const struct ch_state *state, uint32_t account);
uint32_t ch_find_usage(const struct ch_state *state, uint32_t period, uint32_t account);
uint32_t ch_find_reservation(const struct ch_state *state, uint64_t id);
uint32_t ch_find_separation(const struct ch_state *state, uint32_t account);
uint64_t ch_hash_usage(uint32_t period, uint32_t account);

/* The finite allocation that an account under the plan draws on; 0: the pool. */
uint32_t ch_drawn_from(const struct ch_state *state, uint32_t plan, uint32_t account);
bool ch_is_finite(const struct ch_state *state, uint32_t allocation);

/* Where an open reservation counts now. */
enum ch_counted { CH_COUNTED_NOWHERE, CH_COUNTED_POOL, CH_COUNTED_ALLOCATION };
enum ch_counted ch_counted_in(const struct ch_state *state, uint32_t reservation,
                              uint32_t *ret_allocation);

/* The pool of a plan. */
struct ch_pool {
    uint64_t total;
    uint64_t used;
    uint64_t reserved;
    uint64_t remain;
    uint64_t allocated;
};

/* The amounts of a finite allocation. */
struct ch_holding {
    uint64_t total;
    uint64_t used;
    uint64_t reserved;
    uint64_t remain;
    bool is_short;
    bool anew; /* the turn begins it anew */
};

/* What the next period_closed of a plan does at a moment. Begun, then every allocation of the plan
 * is passed in the order of its list, then `pool` is what the turn leaves. */
struct ch_turn {
    const struct ch_state *state;
    uint32_t plan;
    bool any;    /* something is over; false: all is as it stands */
    bool whole;  /* the plan's own period is */
    bool due[3]; /* enum ch_frequency: these ends have passed */
    uint64_t at;
    uint64_t carried; /* what those that are not due keep, as far as there is */
    struct ch_pool pool;
};
struct ch_turn ch_turn_begin(const struct ch_state *state, uint32_t plan, uint64_t at);
struct ch_holding ch_turn_pass(struct ch_turn *turn, uint32_t allocation);

/* The whole of a turn. allocation: of which the holding is wanted; 0: none. */
struct ch_turn ch_turn_at(const struct ch_state *state, uint32_t plan, uint64_t at,
                          uint32_t allocation, struct ch_holding *ret);

/* When the plan's next period_closed is due; 0: never. */
uint64_t ch_plan_due(const struct ch_state *state, uint32_t plan);

/* How many of the oldest periods a whole turn lets go, so that PERIODS_KEPT stay; one with open
 * reservations stays until they end. */
uint32_t ch_periods_to_drop(const struct ch_state *state, uint32_t plan);

/* Room, in rows of a cascade, to find a place in a heap of any size, and for the few rows of a
 * plan. */
enum { CH_PLACE_ROWS = 32 };

/* Rows that the turn would touch, for ch_state_reserve; more than enough. */
size_t ch_cascade_of_turn(const struct ch_state *state, uint32_t plan);
#endif
