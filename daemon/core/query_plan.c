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

static struct ch_rec_plan_row record_of(struct ch_asking *q, uint32_t row)
{
    const struct ch_row_plan *plan = ch_plan_row(q->state, row);
    const struct ch_row_period *present = ch_period_row(q->state, plan->present);
    struct ch_holding held;
    const struct ch_turn turn = ch_turn_at(q->state, row, q->moment->now, 0, &held);
    ch_saw(q, plan->changed);
    struct ch_rec_plan_row record = {.plan = {plan->id},
                                     .account = {ch_account_row(q->state, plan->account)->id},
                                     .name = ch_copy_text(q, plan->name),
                                     .paid = plan->paid != 0,
                                     .period = (uint8_t)plan->period,
                                     .anchor = plan->anchor,
                                     .total = turn.pool.total,
                                     .used = turn.pool.used,
                                     .reserved = turn.pool.reserved,
                                     .remain = turn.pool.remain,
                                     .allocated = turn.pool.allocated,
                                     .next_total = plan->next_total};
    ch_present_period(&turn, &record.from, &record.to);
    record.has_to = record.to != 0;
    struct ch_rec_rate_row *rates = ch_take(q, present->rate_count, sizeof *rates);
    if (rates == NULL) return record;
    for (uint32_t i = 0; i < present->rate_count; i++) {
        rates[i].from = present->rate_from[i];
        rates[i].price = present->rate_price[i];
    }
    record.rates = rates;
    record.rates_len = present->rate_count;
    return record;
}

void ch_query_plan_show(struct ch_asking *q)
{
    const uint32_t row = ch_find_plan(q->state, q->on);
    ch_saw_account(q, q->on);
    if (row == 0) {
        (void)ch_refuse(q, CH_REJ_no_plan, "on");
        return;
    }
    struct ch_qry_plan_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->plan = record_of(q, row);
    q->ret->result = result;
}

/* No more than a page of plans is read: one turn of each is worked out. */
void ch_query_plan_list(struct ch_asking *q)
{
    const struct ch_qry_plan_list *args = q->call->args;
    const struct ch_store *store = &q->state->store;
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    struct ch_rows rows = {0};
    uint32_t p = page.after >= store->tables[CH_T_PLAN].used
                     ? 0
                     : ch_row_next(store, CH_T_PLAN, (uint32_t)page.after);
    for (; p != 0 && rows.count <= page.limit; p = ch_row_next(store, CH_T_PLAN, p)) {
        if (args->has_paid && (ch_plan_row(q->state, p)->paid != 0) != args->paid) continue;
        if (!ch_rows_add(q, &rows, p)) return;
    }
    struct ch_qry_plan_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_cut(&rows, page, &result->has_next, &result->next);
    struct ch_rec_plan_row *plans = ch_take(q, rows.count, sizeof *plans);
    if (plans == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        plans[i] = record_of(q, rows.row[i]);
    }
    result->plans = plans;
    result->plans_len = rows.count;
    q->ret->result = result;
}
