/* query_credits: what accounts can send, as it is and as the turn that is due leaves it; see
 * query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/calendar.h"
#include "daemon/core/query_ledger.h"

/* The plan over the account asked about; 0 after refusing. */
static uint32_t plan_over(struct ch_asking *q)
{
    const uint32_t plan = ch_plan_over(q->state, q->on);
    ch_saw_account(q, q->on);
    if (plan == 0) {
        (void)ch_refuse(q, CH_REJ_no_plan, "on");
        return 0;
    }
    ch_saw(q, ch_plan_row(q->state, plan)->changed);
    return plan;
}

/* An account's use in the present period; none yet when the turn is due. */
static void put_use(struct ch_asking *q, const struct ch_turn *turn, uint32_t account,
                    struct ch_rec_allocation_row *record)
{
    const uint32_t present = ch_plan_row(q->state, turn->plan)->present;
    const uint32_t usage = turn->whole ? 0 : ch_find_usage(q->state, present, account);
    if (usage == 0) return;
    record->used = ch_usage_row(q->state, usage)->used;
    record->reserved = ch_usage_row(q->state, usage)->reserved;
}

/* held: what a finite allocation holds after the turn. row 0: the account has no allocation. */
static struct ch_rec_allocation_row record_of(struct ch_asking *q, const struct ch_turn *turn,
                                              uint32_t account, uint32_t row,
                                              const struct ch_holding *held)
{
    const struct ch_row_account *named = ch_account_row(q->state, account);
    struct ch_rec_allocation_row record = {.account = {named->id},
                                           .name = ch_copy_text(q, named->name)};
    ch_saw(q, named->changed);
    if (row == 0 || !ch_is_finite(q->state, row)) {
        put_use(q, turn, account, &record);
        return record;
    }
    const struct ch_row_allocation *allocation = ch_allocation_row(q->state, row);
    record.type = (uint8_t)allocation->type;
    record.has_total = true;
    record.total = held->total;
    record.used = held->used;
    record.reserved = held->reserved;
    record.has_remain = true;
    record.remain = held->remain;
    record.credits_short = held->is_short;
    if (allocation->type != CH_allocation_type_recurring) return record;
    record.has_reset_frequency = true;
    record.reset_frequency = (uint8_t)allocation->frequency;
    record.resets_at = ch_calendar_next(ch_plan_row(q->state, turn->plan)->anchor,
                                        (enum ch_frequency)allocation->frequency, q->moment->now);
    record.has_resets_at = record.resets_at != 0;
    return record;
}

void ch_query_credits_show(struct ch_asking *q)
{
    const uint32_t plan_row = plan_over(q);
    if (plan_row == 0) return;
    const struct ch_row_plan *plan = ch_plan_row(q->state, plan_row);
    const uint32_t from = ch_drawn_from(q->state, plan_row, q->on);
    const uint32_t own = ch_find_allocation(q->state, q->on);
    struct ch_holding held;
    const struct ch_turn turn = ch_turn_at(q->state, plan_row, q->moment->now, from, &held);
    struct ch_qry_credits_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->allocation = record_of(q, &turn, q->on, own, &held); /* a finite own one is `from` */
    result->available = from != 0 ? held.remain : turn.pool.remain;
    result->paid = plan->paid != 0;
    ch_present_period(&turn, &result->from, &result->to);
    result->has_to = result->to != 0;
    q->ret->result = result;
}

/* The plan of the account asked about itself; 0 after refusing. */
static uint32_t own_plan(struct ch_asking *q)
{
    const uint32_t plan = plan_over(q);
    if (plan == 0 || ch_plan_row(q->state, plan)->account == q->on) return plan;
    (void)ch_refuse(q, CH_REJ_no_plan, "on");
    return 0;
}

/* In the order of the plan's list, and the cursor. */
static uint64_t account_of(const struct ch_state *state, uint32_t row)
{
    return ch_id_of_account(state, ch_allocation_row(state, row)->account);
}

void ch_query_credits_list(struct ch_asking *q)
{
    const struct ch_qry_credits_list *args = q->call->args;
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    const uint32_t plan_row = own_plan(q);
    if (plan_row == 0) return;
    const struct ch_row_plan *plan = ch_plan_row(q->state, plan_row);
    struct ch_turn turn = ch_turn_begin(q->state, plan_row, q->moment->now);
    struct ch_holding *held = ch_take(q, plan->allocation_count, sizeof *held);
    struct ch_qry_credits_list_result *result = ch_take(q, 1, sizeof *result);
    if (held == NULL || result == NULL) return;
    struct ch_rows rows = {0};
    for (uint32_t a = plan->first_allocation; a != 0; a = ch_allocation_row(q->state, a)->next) {
        const struct ch_holding one = ch_turn_pass(&turn, a);
        if (account_of(q->state, a) <= page.after) continue;
        held[rows.count] = one;
        if (!ch_rows_add(q, &rows, a)) return; /* ascending, as the list is */
    }
    ch_rows_page(q, &rows, page, account_of, &result->has_next, &result->next);
    struct ch_rec_allocation_row *allocations = ch_take(q, rows.count, sizeof *allocations);
    if (allocations == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        allocations[i] = record_of(q, &turn, ch_allocation_row(q->state, rows.row[i])->account,
                                   rows.row[i], &held[i]);
    }
    result->allocations = allocations;
    result->allocations_len = rows.count;
    q->ret->result = result;
}

static uint64_t id_of_reservation(const struct ch_state *state, uint32_t row)
{
    return ch_reservation_row(state, row)->id;
}

void ch_query_credits_reservations(struct ch_asking *q)
{
    const struct ch_qry_credits_reservations *args = q->call->args;
    const uint32_t plan_row = plan_over(q);
    if (plan_row == 0) return;
    const struct ch_row_plan *plan = ch_plan_row(q->state, plan_row);
    struct ch_rows rows = {0};
    for (uint32_t r = plan->first_reservation; r != 0; r = ch_reservation_row(q->state, r)->next) {
        const struct ch_row_reservation *reservation = ch_reservation_row(q->state, r);
        if (plan->account != q->on && reservation->account != q->on) continue;
        if (reservation->expires_at <= q->moment->now) continue;
        if (!ch_rows_add(q, &rows, r)) return;
    }
    struct ch_qry_credits_reservations_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 id_of_reservation, &result->has_next, &result->next);
    struct ch_rec_reservation_row *reservations = ch_take(q, rows.count, sizeof *reservations);
    if (reservations == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_reservation *row = ch_reservation_row(q->state, rows.row[i]);
        reservations[i] = (struct ch_rec_reservation_row){
            .reservation = {row->id},
            .account = {ch_account_row(q->state, row->account)->id},
            .amount = row->amount,
            .expires_at = row->expires_at,
            .has_reference = row->reference != 0,
        };
        if (row->reference == 0) continue;
        reservations[i].reference = ch_copy_text(q, row->reference);
    }
    result->reservations = reservations;
    result->reservations_len = rows.count;
    q->ret->result = result;
}
