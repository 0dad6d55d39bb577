/* query_plan: plans, as they are and as the turn that is due leaves them; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_ledger.h"

#include "daemon/core/calendar.h"

void ch_present_period(const struct ch_turn *turn, uint64_t *ret_from, uint64_t *ret_to)
{
    const struct ch_row_plan *plan = ch_plan_row(turn->state, turn->plan);
    const struct ch_row_period *present = ch_period_row(turn->state, plan->present);
    *ret_from = present->from;
    *ret_to = present->to;
    if (!turn->whole) return;
    const enum ch_frequency period = (enum ch_frequency)plan->period;
    *ret_from = ch_calendar_last(plan->anchor, period, turn->at);
    *ret_to = ch_calendar_next(plan->anchor, period, turn->at);
}

void ch_query_plan_show(struct ch_asking *q)
{
    const uint32_t row = ch_find_plan(q->state, q->on);
    ch_saw_account(q, q->on);
    if (row == 0) {
        (void)ch_refuse(q, CH_REJ_no_plan, "on");
        return;
    }
    const struct ch_row_plan *plan = ch_plan_row(q->state, row);
    const struct ch_row_period *present = ch_period_row(q->state, plan->present);
    struct ch_holding held;
    const struct ch_turn turn = ch_turn_at(q->state, row, q->moment->now, 0, &held);
    struct ch_qry_plan_show_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_rate_row *rates = ch_take(q, present->rate_count, sizeof *rates);
    if (result == NULL || rates == NULL) return;
    ch_saw(q, plan->changed);
    for (uint32_t i = 0; i < present->rate_count; i++) {
        rates[i].from = present->rate_from[i];
        rates[i].price = present->rate_price[i];
    }
    uint64_t from;
    uint64_t to;
    ch_present_period(&turn, &from, &to);
    result->plan = (struct ch_rec_plan_row){.plan = {plan->id},
                                            .account = {ch_account_row(q->state, q->on)->id},
                                            .name = ch_copy_text(q, plan->name),
                                            .paid = plan->paid != 0,
                                            .period = (uint8_t)plan->period,
                                            .anchor = plan->anchor,
                                            .from = from,
                                            .has_to = to != 0,
                                            .to = to,
                                            .total = turn.pool.total,
                                            .used = turn.pool.used,
                                            .reserved = turn.pool.reserved,
                                            .remain = turn.pool.remain,
                                            .allocated = turn.pool.allocated,
                                            .next_total = plan->next_total,
                                            .rates = rates,
                                            .rates_len = present->rate_count};
    q->ret->result = result;
}
