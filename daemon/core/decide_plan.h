/* decide_plan: what rules of plans and of credits share. SPDX-License-Identifier: MIT */
#ifndef CH_CORE_DECIDE_PLAN_H
#define CH_CORE_DECIDE_PLAN_H
#include "daemon/core/decide_impl.h"
#include "daemon/core/ledger.h"

/* period_closed, where the turn has any; a credit command's first event, after all its rules. */
void ch_emit_turn(struct ch_case *c, const struct ch_turn *turn);

/* The daemon's clock: a period of the plan is over, a reservation was not settled in time. */
void ch_due_period(struct ch_case *c, uint32_t plan);
void ch_due_reservation(struct ch_case *c, uint32_t reservation);

/* What a plan begins with; lists are borrowed. */
struct ch_plan_terms {
    struct ch_text name;
    bool paid;
    uint64_t total;
    uint8_t period; /* enum ch_frequency */
    uint64_t anchor;
    const uint64_t *rate_from;
    uint32_t rate_from_len;
    const uint64_t *rate_price;
    uint32_t rate_price_len;
};
/* The same for every command that begins one. */
#define CH_PLAN_TERMS_OF(c, args)                                                                  \
    {                                                                                              \
        .name = (args)->name, .paid = (args)->has_paid ? (args)->paid : true,                      \
        .total = (args)->total,                                                                    \
        .period = (args)->has_period ? (args)->period : (uint8_t)CH_frequency_monthly,             \
        .anchor = (args)->has_anchor ? (args)->anchor : (c)->moment->now,                          \
        .rate_from = (args)->rate_from, .rate_from_len = (args)->rate_from_len,                    \
        .rate_price = (args)->rate_price, .rate_price_len = (args)->rate_price_len                 \
    }
/* The rules of a new plan; false after refusing. */
bool ch_plan_is_good(struct ch_case *c, const struct ch_plan_terms *terms);
void ch_emit_plan(struct ch_case *c, const struct ch_plan_terms *terms);

/* Rows that a credit command may touch beyond the usual, its period's turn included. */
size_t ch_cascade_of_credits(const struct ch_state *state, const struct ch_call *call);
#endif
