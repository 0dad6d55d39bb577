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

/* What lists hold, added up over all plans. */
struct sums {
    uint64_t periods;
    uint64_t usages;
    uint64_t allocations;
    uint64_t reservations;
};

static const char *usages(const struct ch_state *s, uint32_t row, struct sums *sums)
{
    const struct ch_row_period *period = ch_period_row(s, row);
    uint64_t used = 0;
    uint64_t reserved = 0;
    uint32_t count = 0;
    for (uint32_t u = period->first_usage; u != 0; u = ch_usage_row(s, u)->next) {
        HOLDS(live(s, CH_T_USAGE, u) && count++ < period->usage_count,
              "a period counts the accounts that used credits");
        const struct ch_row_usage *usage = ch_usage_row(s, u);
        HOLDS(usage->period == row && live(s, CH_T_ACCOUNT, usage->account) &&
                  ch_find_usage(s, row, usage->account) == u,
              "an account's use in a period is found, and is there once");
        used += usage->used;
        reserved += usage->reserved;
    }
    HOLDS(count == period->usage_count, "a period counts the accounts that used credits");
    HOLDS(used == period->used && reserved == period->reserved && used <= CH_MAX_INTEGER &&
              reserved <= CH_MAX_INTEGER,
          "what accounts used in a period adds up to its use");
    sums->usages += count;
    return NULL;
}

static const char *periods(const struct ch_state *s, uint32_t row, struct sums *sums)
{
    const struct ch_row_plan *plan = ch_plan_row(s, row);
    uint32_t count = 0;
    uint32_t newer = 0;
    for (uint32_t p = plan->present; p != 0; p = ch_period_row(s, p)->older) {
        HOLDS(live(s, CH_T_PERIOD, p) && count++ < plan->period_count, "a plan counts its periods");
        const struct ch_row_period *period = ch_period_row(s, p);
        HOLDS(period->plan == row && period->newer == newer,
              "a plan's periods are linked both ways");
        HOLDS(newer == 0 ||
                  (period->from < period->to && period->to <= ch_period_row(s, newer)->from),
              "a plan's periods follow each other");
        HOLDS(period->older != 0 || plan->oldest == p, "a plan knows its oldest period");
        const char *broken = usages(s, p, sums);
        if (broken != NULL) return broken;
        newer = p;
    }
    HOLDS(count == plan->period_count && count > 0, "a plan counts its periods");
    HOLDS(ch_period_row(s, plan->present)->to == plan->ends[plan->period],
          "the present period ends when the plan's next one begins");
    sums->periods += count;
    return NULL;
}

static const char *allocation_is_whole(const struct ch_state *s, uint32_t plan_row, uint32_t row)
{
    const struct ch_row_plan *plan = ch_plan_row(s, plan_row);
    const struct ch_row_allocation *allocation = ch_allocation_row(s, row);
    HOLDS(allocation->plan == plan_row && ch_find_allocation(s, allocation->account) == row,
          "an allocation is found, and an account has one");
    HOLDS(live(s, CH_T_ACCOUNT, allocation->account) && allocation->account != plan->account &&
              ch_plan_over(s, allocation->account) == plan_row,
          "an allocation is of an account below the plan's and under no other");
    HOLDS(allocation->used <= allocation->total && allocation->reserved <= allocation->total &&
              allocation->total == allocation->used + allocation->reserved + allocation->remain,
          "an allocation's total is used, reserved and remaining credits together");
    const bool finite = allocation->type != CH_allocation_type_unlimited;
    HOLDS(finite || (allocation->total == 0 && allocation->grant == 0 && allocation->since == 0),
          "an unlimited allocation holds nothing");
    HOLDS(finite == (allocation->since != 0), "a finite allocation has begun");
    HOLDS(allocation->frequency == 0 || allocation->type == CH_allocation_type_recurring,
          "only a recurring allocation has a frequency");
    return NULL;
}

/* Σ of what the finite ones hold, and how many begin anew how often. */
static const char *allocations(const struct ch_state *s, uint32_t row, struct sums *sums)
{
    const struct ch_row_plan *plan = ch_plan_row(s, row);
    uint64_t allocated = 0;
    uint64_t used = plan->used;
    uint32_t recurring[3] = {0, 0, 0};
    uint32_t count = 0;
    uint32_t before = 0;
    for (uint32_t a = plan->first_allocation; a != 0; a = ch_allocation_row(s, a)->next) {
        HOLDS(live(s, CH_T_ALLOCATION, a) && count++ < plan->allocation_count,
              "a plan counts its allocations");
        const struct ch_row_allocation *allocation = ch_allocation_row(s, a);
        HOLDS(allocation->prev == before &&
                  (before == 0 || ch_allocation_row(s, before)->account < allocation->account),
              "a plan's allocations are linked both ways, in the order of their accounts");
        const char *broken = allocation_is_whole(s, row, a);
        if (broken != NULL) return broken;
        recurring[allocation->frequency] += allocation->type == CH_allocation_type_recurring;
        allocated += allocation->total;
        used += allocation->used;
        before = a;
    }
    HOLDS(count == plan->allocation_count, "a plan counts its allocations");
    HOLDS(allocated == plan->allocated, "what is allocated is the finite totals together");
    HOLDS(memcmp(recurring, plan->recurring, sizeof recurring) == 0,
          "a plan counts the allocations that begin anew");
    HOLDS(used == ch_period_row(s, plan->present)->used,
          "what is used of the plan is what its accounts used");
    sums->allocations += count;
    return NULL;
}

/* Reserved credits are those of the open reservations, wherever they count. */
static const char *reservations(struct tally *t, uint32_t row, struct sums *sums)
{
    const struct ch_state *s = t->state;
    const struct ch_row_plan *plan = ch_plan_row(s, row);
    uint64_t in_pool = 0;
    uint64_t in_period = 0;
    uint32_t count = 0;
    uint32_t before = 0;
    for (uint32_t r = plan->first_reservation; r != 0; r = ch_reservation_row(s, r)->next) {
        HOLDS(live(s, CH_T_RESERVATION, r) && count++ < plan->reservation_count,
              "a plan counts its reservations");
        const struct ch_row_reservation *reservation = ch_reservation_row(s, r);
        HOLDS(reservation->plan == row && reservation->prev == before,
              "a plan's reservations are linked both ways");
        HOLDS(ch_find_reservation(s, reservation->id) == r && reservation->amount > 0,
              "a reservation is found by id");
        HOLDS(live(s, CH_T_USAGE, reservation->usage) &&
                  ch_usage_row(s, reservation->usage)->account == reservation->account,
              "a reservation is in its account's use");
        HOLDS(reservation->due != 0, "a reservation is in the heap");
        t->dues++;
        if (reservation->reference != 0) {
            HOLDS(count_text(t, reservation->reference), "a reservation's reference is there");
        }
        uint32_t allocation;
        const enum ch_counted counted = ch_counted_in(s, r, &allocation);
        if (counted != CH_COUNTED_NOWHERE) in_period += reservation->amount;
        if (counted == CH_COUNTED_POOL) in_pool += reservation->amount;
        before = r;
    }
    HOLDS(count == plan->reservation_count, "a plan counts its reservations");
    HOLDS(in_pool == plan->reserved, "what is reserved in the pool is reserved by somebody");
    HOLDS(in_period == ch_period_row(s, plan->present)->reserved,
          "what is reserved in the present period is reserved by somebody");
    uint64_t in_allocations = 0;
    for (uint32_t a = plan->first_allocation; a != 0; a = ch_allocation_row(s, a)->next) {
        in_allocations += ch_allocation_row(s, a)->reserved;
    }
    HOLDS(in_pool + in_allocations == in_period,
          "what is reserved in allocations is reserved by somebody");
    sums->reservations += count;
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

static const char *separations(const struct ch_state *s)
{
    for (uint32_t row = next(s, CH_T_SEPARATION, 0); row != 0;
         row = next(s, CH_T_SEPARATION, row)) {
        const struct ch_row_separation *separation = ch_separation_row(s, row);
        HOLDS(live(s, CH_T_ACCOUNT, separation->account) &&
                  ch_find_separation(s, separation->account) == row,
              "a separation is an account's, and is there once");
        HOLDS(ch_account_row(s, separation->account)->parent != 0,
              "only an account below another is separated");
    }
    return NULL;
}

const char *ch_ledger_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    struct sums sums = {0};
    const char *apart = separations(s);
    if (apart != NULL) return apart;
    for (uint32_t row = next(s, CH_T_PLAN, 0); row != 0; row = next(s, CH_T_PLAN, row)) {
        const char *broken = plan_is_whole(t, row);
        if (broken == NULL) broken = periods(s, row, &sums);
        if (broken == NULL) broken = allocations(s, row, &sums);
        if (broken == NULL) broken = reservations(t, row, &sums);
        if (broken != NULL) return broken;
    }
    HOLDS(sums.periods == live_rows(s, CH_T_PERIOD), "every period is in its plan's list");
    HOLDS(sums.usages == live_rows(s, CH_T_USAGE), "every use is in its period's list");
    HOLDS(sums.allocations == live_rows(s, CH_T_ALLOCATION),
          "every allocation is in its plan's list");
    HOLDS(sums.reservations == live_rows(s, CH_T_RESERVATION),
          "every reservation is in its plan's list");
    return NULL;
}
