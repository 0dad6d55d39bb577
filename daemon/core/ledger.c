/* ledger: see ledger.h. SPDX-License-Identifier: MIT */
#include "daemon/core/ledger.h"

#include "schema/limits.h"

uint32_t ch_find_plan(const struct ch_state *state, uint32_t account)
{
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_PLAN, ch_hash_mix(account, 0));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (ch_plan_row(state, row)->account == account) return row;
    }
    return 0;
}

uint32_t ch_plan_over(const struct ch_state *state, uint32_t account)
{
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        const uint32_t plan = ch_find_plan(state, a);
        if (plan != 0) return plan;
    }
    return 0;
}

static bool is_due(const struct ch_row_plan *plan, uint32_t frequency, uint64_t at)
{
    return plan->ends[frequency] != 0 && plan->ends[frequency] <= at;
}

struct ch_turn ch_turn_at(const struct ch_state *state, uint32_t plan_row, uint64_t at)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    struct ch_turn turn = {.state = state,
                           .plan = plan_row,
                           .whole = is_due(plan, plan->period, at),
                           .at = at,
                           .pool = {.total = plan->total,
                                    .used = plan->used,
                                    .reserved = plan->reserved,
                                    .remain = plan->remain,
                                    .allocated = plan->allocated}};
    for (uint32_t f = CH_frequency_daily; f <= CH_frequency_monthly; f++) {
        turn.due[f] = is_due(plan, f, at);
        turn.any = turn.any || (turn.due[f] && plan->recurring[f] > 0);
    }
    turn.any = turn.any || turn.whole;
    if (!turn.whole) return turn;
    turn.pool = (struct ch_pool){.total = plan->next_total, .remain = plan->next_total};
    return turn;
}

uint64_t ch_plan_due(const struct ch_state *state, uint32_t plan_row)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    uint64_t due = 0;
    for (uint32_t f = CH_frequency_daily; f <= CH_frequency_monthly; f++) {
        if (f != plan->period && plan->recurring[f] == 0) continue;
        if (plan->ends[f] != 0 && (due == 0 || plan->ends[f] < due)) due = plan->ends[f];
    }
    return due;
}

uint32_t ch_periods_to_drop(const struct ch_state *state, uint32_t plan_row)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    uint32_t kept = plan->period_count + 1;
    uint32_t oldest = plan->oldest;
    uint32_t drop = 0;
    for (; kept > LIMIT_PERIODS_KEPT && ch_period_row(state, oldest)->reserved == 0; kept--) {
        oldest = ch_period_row(state, oldest)->newer;
        drop++;
    }
    return drop;
}

/* Rows of a cascade are ten writes each: an allocation is one write, a use that is dropped two. The
 * rest is for the periods themselves and for a place in a heap of any size. */
size_t ch_cascade_of_turn(const struct ch_state *state, uint32_t plan_row)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    size_t rows = (size_t)32 + plan->allocation_count / 4;
    uint32_t drop = ch_periods_to_drop(state, plan_row);
    for (uint32_t p = plan->oldest; drop > 0; p = ch_period_row(state, p)->newer, drop--) {
        rows += 1 + ch_period_row(state, p)->usage_count / 4;
    }
    return rows;
}
