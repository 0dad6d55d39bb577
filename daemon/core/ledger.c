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

uint32_t ch_find_allocation(const struct ch_state *state, uint32_t account)
{
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_ALLOCATION, ch_hash_mix(account, 0));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (ch_allocation_row(state, row)->account == account) return row;
    }
    return 0;
}

uint64_t ch_hash_usage(uint32_t period, uint32_t account)
{
    return ch_hash_mix(period, account);
}

uint32_t ch_find_usage(const struct ch_state *state, uint32_t period, uint32_t account)
{
    struct ch_probe probe =
        ch_probe_start(&state->store, CH_I_USAGE, ch_hash_usage(period, account));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        const struct ch_row_usage *usage = ch_usage_row(state, row);
        if (usage->period == period && usage->account == account) return row;
    }
    return 0;
}

uint32_t ch_find_reservation(const struct ch_state *state, uint64_t id)
{
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_RESERVATION, ch_hash_mix(id, 0));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (ch_reservation_row(state, row)->id == id) return row;
    }
    return 0;
}

uint32_t ch_find_separation(const struct ch_state *state, uint32_t account)
{
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_SEPARATION, ch_hash_mix(account, 0));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (ch_separation_row(state, row)->account == account) return row;
    }
    return 0;
}

bool ch_is_finite(const struct ch_state *state, uint32_t allocation)
{
    return ch_allocation_row(state, allocation)->type != CH_allocation_type_unlimited;
}

uint32_t ch_drawn_from(const struct ch_state *state, uint32_t plan, uint32_t account)
{
    const uint32_t top = ch_plan_row(state, plan)->account;
    for (uint32_t a = account; a != 0 && a != top; a = ch_account_row(state, a)->parent) {
        const uint32_t allocation = ch_find_allocation(state, a);
        if (allocation == 0) continue;
        return ch_is_finite(state, allocation) ? allocation : 0;
    }
    return 0;
}

enum ch_counted ch_counted_in(const struct ch_state *state, uint32_t row, uint32_t *ret_allocation)
{
    const struct ch_row_reservation *reservation = ch_reservation_row(state, row);
    const uint32_t period = ch_usage_row(state, reservation->usage)->period;
    *ret_allocation = 0;
    if (period != ch_plan_row(state, reservation->plan)->present) return CH_COUNTED_NOWHERE;
    if (reservation->holder == 0) return CH_COUNTED_POOL;
    const uint32_t allocation = ch_find_allocation(state, reservation->holder);
    if (allocation == 0 || !ch_is_finite(state, allocation)) return CH_COUNTED_POOL;
    if (ch_allocation_row(state, allocation)->since != reservation->since) return CH_COUNTED_POOL;
    *ret_allocation = allocation;
    return CH_COUNTED_ALLOCATION;
}

static bool is_over(const struct ch_row_plan *plan, uint32_t frequency, uint64_t at)
{
    return plan->ends[frequency] != 0 && plan->ends[frequency] <= at;
}

static bool is_closed(const struct ch_state *state, uint32_t account)
{
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        if (ch_account_row(state, a)->status != CH_account_status_open) return true;
    }
    return false;
}

static bool is_due(const struct ch_turn *turn, const struct ch_row_allocation *allocation)
{
    return allocation->type == CH_allocation_type_recurring && turn->due[allocation->frequency];
}

struct ch_turn ch_turn_begin(const struct ch_state *state, uint32_t plan_row, uint64_t at)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    struct ch_turn turn = {.state = state,
                           .plan = plan_row,
                           .whole = is_over(plan, plan->period, at),
                           .at = at,
                           .pool = {.total = plan->total,
                                    .used = plan->used,
                                    .reserved = plan->reserved,
                                    .remain = plan->remain,
                                    .allocated = plan->allocated}};
    if (ch_account_row(state, plan->account)->status != CH_account_status_open) {
        turn.whole = false;
        return turn;
    }
    for (uint32_t f = CH_frequency_daily; f <= CH_frequency_monthly; f++) {
        turn.due[f] = is_over(plan, f, at);
        turn.any = turn.any || (turn.due[f] && plan->recurring[f] > 0);
    }
    turn.any = turn.any || turn.whole;
    if (!turn.whole) return turn;
    for (uint32_t a = plan->first_allocation; a != 0; a = ch_allocation_row(state, a)->next) {
        const struct ch_row_allocation *allocation = ch_allocation_row(state, a);
        if (!is_due(&turn, allocation)) turn.carried += allocation->remain;
    }
    if (turn.carried > plan->next_total) turn.carried = plan->next_total;
    turn.pool = (struct ch_pool){.total = plan->next_total,
                                 .remain = plan->next_total - turn.carried,
                                 .allocated = turn.carried};
    return turn;
}

struct ch_holding ch_turn_pass(struct ch_turn *turn, uint32_t row)
{
    const struct ch_row_allocation *allocation = ch_allocation_row(turn->state, row);
    struct ch_holding held = {.total = allocation->total,
                              .used = allocation->used,
                              .reserved = allocation->reserved,
                              .remain = allocation->remain,
                              .is_short = allocation->is_short != 0};
    const bool due = is_due(turn, allocation);
    if (!due && (!turn->whole || allocation->type == CH_allocation_type_unlimited)) return held;
    struct ch_pool *pool = &turn->pool;
    uint64_t take = held.remain < turn->carried ? held.remain : turn->carried;
    if (!due) {
        turn->carried -= take;
        held.is_short = held.is_short || take < held.remain;
    } else {
        if (!turn->whole) { /* the plan's own period goes on */
            pool->allocated -= held.total;
            pool->used += held.used;
            pool->reserved += held.reserved;
            pool->remain += held.remain;
        }
        const uint64_t grant = is_closed(turn->state, allocation->account) ? 0 : allocation->grant;
        take = grant < pool->remain ? grant : pool->remain;
        pool->remain -= take;
        pool->allocated += take;
        held.is_short = take < grant;
    }
    held =
        (struct ch_holding){.total = take, .remain = take, .is_short = held.is_short, .anew = true};
    return held;
}

struct ch_turn ch_turn_at(const struct ch_state *state, uint32_t plan, uint64_t at,
                          uint32_t allocation, struct ch_holding *ret)
{
    struct ch_turn turn = ch_turn_begin(state, plan, at);
    *ret = (struct ch_holding){0};
    if (!turn.any) {
        if (allocation != 0) *ret = ch_turn_pass(&turn, allocation);
        return turn;
    }
    for (uint32_t a = ch_plan_row(state, plan)->first_allocation; a != 0;
         a = ch_allocation_row(state, a)->next) {
        const struct ch_holding held = ch_turn_pass(&turn, a);
        if (a == allocation) *ret = held;
    }
    return turn;
}

uint64_t ch_plan_due(const struct ch_state *state, uint32_t plan_row)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    uint64_t due = 0;
    if (ch_account_row(state, plan->account)->status != CH_account_status_open) return 0;
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

_Static_assert(sizeof(struct ch_row_period) <= sizeof(struct ch_row_meta) &&
                   sizeof(struct ch_row_plan) <= sizeof(struct ch_row_meta),
               "ch_state_reserve takes the meta row for the largest");

/* Rows of a cascade are ten writes each: an allocation is one write, a use that is dropped two. The
 * rest is for the periods themselves and for a place in a heap of any size. */
size_t ch_cascade_of_turn(const struct ch_state *state, uint32_t plan_row)
{
    const struct ch_row_plan *plan = ch_plan_row(state, plan_row);
    size_t rows = (size_t)CH_PLACE_ROWS + plan->allocation_count / 4;
    uint32_t drop = ch_periods_to_drop(state, plan_row);
    for (uint32_t p = plan->oldest; drop > 0; p = ch_period_row(state, p)->newer, drop--) {
        rows += 1 + ch_period_row(state, p)->usage_count / 4;
    }
    return rows;
}
