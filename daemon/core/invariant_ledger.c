/* invariant_ledger: what must hold of plans and their credits; see invariant.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"
#include "daemon/core/invariant_impl.h"
#include "daemon/core/ledger.h"
#include "schema/limits.h"

/* the credits of a plan are conserved. */
static const char *conserved(const struct ch_row_plan *plan)
{
    HOLDS(plan->used <= plan->total && plan->reserved <= plan->total &&
              plan->remain <= plan->total && plan->allocated <= plan->total,
          "no part of a plan's credits is more than all");
    HOLDS(plan->total == plan->used + plan->reserved + plan->remain + plan->allocated,
          "a plan's total is used, reserved, remaining and allocated credits together");
    HOLDS(plan->total <= CH_MAX_INTEGER && plan->next_total <= CH_MAX_INTEGER,
          "credits stay below 2^53");
    return NULL;
}

static const char *periods(const struct ch_state *s, uint32_t row, uint64_t *sum)
{
    const struct ch_row_plan *plan = ch_plan_row(s, row);
    uint32_t count = 0;
    uint32_t newer = 0;
    for (uint32_t p = plan->present; p != 0; p = ch_period_row(s, p)->older) {
        HOLDS(live(s, CH_T_PERIOD, p) && count++ < plan->period_count, "a plan counts its periods");
        const struct ch_row_period *period = ch_period_row(s, p);
        HOLDS(period->plan == row && period->newer == newer,
              "a plan's periods are linked both ways");
        HOLDS(newer == 0 || period->from < ch_period_row(s, newer)->from,
              "a plan's periods follow each other");
        HOLDS(period->older != 0 || plan->oldest == p, "a plan knows its oldest period");
        newer = p;
    }
    HOLDS(count == plan->period_count && count > 0, "a plan counts its periods");
    *sum += count;
    return NULL;
}

static const char *plan_is_whole(struct tally *t, uint32_t row)
{
    const struct ch_state *s = t->state;
    const struct ch_row_plan *plan = ch_plan_row(s, row);
    HOLDS(live(s, CH_T_ACCOUNT, plan->account) && ch_find_plan(s, plan->account) == row,
          "a plan is an account's, which has one");
    HOLDS(count_text(t, plan->name), "a plan has a name");
    HOLDS((ch_account_row(s, plan->account)->unpaid_seq == 0) == (plan->paid != 0),
          "an account knows whether its plan is paid");
    HOLDS((ch_plan_due(s, row) != 0) == (plan->due != 0),
          "a plan whose period ends is in the heap");
    t->dues += plan->due != 0;
    return conserved(plan);
}

const char *ch_ledger_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t sum = 0;
    for (uint32_t row = next(s, CH_T_PLAN, 0); row != 0; row = next(s, CH_T_PLAN, row)) {
        const char *broken = plan_is_whole(t, row);
        if (broken == NULL) broken = periods(s, row, &sum);
        if (broken != NULL) return broken;
    }
    HOLDS(sum == live_rows(s, CH_T_PERIOD), "every period is in its plan's list");
    return NULL;
}
