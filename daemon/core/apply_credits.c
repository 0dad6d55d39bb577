/* apply_credits: allocations, reservations and what is used; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"

static struct ch_row_plan *edit_plan(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, row);
    plan->changed = seq;
    return plan;
}

static struct ch_row_allocation *edit_allocation(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_allocation *allocation = ch_row_edit(&state->store, CH_T_ALLOCATION, row);
    allocation->changed = seq;
    return allocation;
}

/* ---- allocations ---------------------------------------------------------------------------- */

/* Into the plan's list, the account opened first before the others: their rows are never given
 * back, those of allocations are. */
static void link_allocation(struct ch_state *state, uint32_t plan_row, uint32_t row)
{
    const uint32_t account = ch_allocation_row(state, row)->account;
    uint32_t before = 0;
    uint32_t after = ch_plan_row(state, plan_row)->first_allocation;
    while (after != 0 && ch_allocation_row(state, after)->account < account) {
        before = after;
        after = ch_allocation_row(state, after)->next;
    }
    struct ch_row_allocation *allocation = ch_row_edit(&state->store, CH_T_ALLOCATION, row);
    allocation->next = after;
    allocation->prev = before;
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, plan_row);
    plan->allocation_count++;
    if (before == 0) {
        plan->first_allocation = row;
    } else {
        struct ch_row_allocation *prev = ch_row_edit(&state->store, CH_T_ALLOCATION, before);
        prev->next = row;
    }
    if (after == 0) return;
    struct ch_row_allocation *next = ch_row_edit(&state->store, CH_T_ALLOCATION, after);
    next->prev = row;
}

static uint32_t new_allocation(struct ch_state *state, uint32_t plan, uint32_t account)
{
    const uint32_t row = ch_row_take(&state->store, CH_T_ALLOCATION);
    struct ch_row_allocation *allocation = ch_row_edit(&state->store, CH_T_ALLOCATION, row);
    allocation->plan = plan;
    allocation->account = account;
    allocation->type = CH_allocation_type_unlimited;
    link_allocation(state, plan, row);
    ch_index_insert(&state->store, CH_I_ALLOCATION, ch_hash_mix(account, 0), row);
    return row;
}

/* What a finite allocation holds becomes the pool's; it is unlimited then. Reservations taken from
 * it count in the pool from now on: ch_counted_in. */
static void fold(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_allocation *allocation = edit_allocation(state, row, seq);
    struct ch_row_plan *plan = edit_plan(state, allocation->plan, seq);
    if (allocation->type == CH_allocation_type_recurring) plan->recurring[allocation->frequency]--;
    plan->used += allocation->used;
    plan->reserved += allocation->reserved;
    plan->remain += allocation->remain;
    plan->allocated -= allocation->total;
    allocation->type = CH_allocation_type_unlimited;
    allocation->frequency = 0;
    allocation->grant = 0;
    allocation->total = 0;
    allocation->used = 0;
    allocation->reserved = 0;
    allocation->remain = 0;
    allocation->since = 0;
    allocation->is_short = 0;
}

/* A finite allocation of `total`; what is used or reserved of it stays so. */
static void give(struct ch_state *state, uint32_t row, uint8_t type, uint32_t frequency,
                 uint64_t total, uint64_t seq)
{
    struct ch_row_allocation *allocation = edit_allocation(state, row, seq);
    struct ch_row_plan *plan = edit_plan(state, allocation->plan, seq);
    if (allocation->type == CH_allocation_type_recurring) plan->recurring[allocation->frequency]--;
    if (type == CH_allocation_type_recurring) plan->recurring[frequency]++;
    CH_CHECK(plan->remain + allocation->total >= total);
    CH_CHECK(allocation->used + allocation->reserved <= total);
    plan->remain = plan->remain + allocation->total - total;
    plan->allocated = plan->allocated - allocation->total + total;
    if (allocation->type == CH_allocation_type_unlimited) allocation->since = seq;
    allocation->type = type;
    allocation->frequency = frequency;
    allocation->grant = total;
    allocation->total = total;
    allocation->remain = total - allocation->used - allocation->reserved;
    allocation->is_short = 0;
}

/* Ends that nobody asked about may lie in the past; the turn before this event left no other such.
 * They must not make a new allocation begin anew at once. */
static void pass_ends(struct ch_state *state, uint32_t plan_row, uint64_t at)
{
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, plan_row);
    for (uint32_t f = CH_frequency_daily; f <= CH_frequency_monthly; f++) {
        if (plan->ends[f] == 0 || plan->ends[f] > at) continue;
        CH_CHECK(f != plan->period && plan->recurring[f] == 0);
        plan->ends[f] = ch_calendar_next(plan->anchor, (enum ch_frequency)f, at);
    }
}

void ch_apply_credits_allocated(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_credits_allocated *body = event->body;
    const uint32_t plan = ch_find_plan(state, ch_find_account(state, event->account));
    const uint32_t account = ch_find_account(state, body->to.seq);
    uint32_t row = ch_find_allocation(state, account);
    pass_ends(state, plan, event->at);
    if (row == 0) row = new_allocation(state, plan, account);
    if (body->type != CH_allocation_type_unlimited) {
        give(state, row, body->type, body->has_reset_frequency ? body->reset_frequency : 0,
             body->total, event->seq);
    } else {
        fold(state, row, event->seq); /* of a new one: nothing */
    }
    ch_due_set(state, CH_DUE_PERIOD, plan, ch_plan_due(state, plan));
}

void ch_end_allocation(struct ch_state *state, uint32_t row, uint64_t seq)
{
    if (ch_is_finite(state, row)) fold(state, row, seq);
    const struct ch_row_allocation allocation = *ch_allocation_row(state, row);
    struct ch_row_plan *plan = edit_plan(state, allocation.plan, seq);
    plan->allocation_count--;
    if (allocation.next != 0) {
        edit_allocation(state, allocation.next, seq)->prev = allocation.prev;
    }
    if (allocation.prev != 0) {
        edit_allocation(state, allocation.prev, seq)->next = allocation.next;
    } else {
        plan->first_allocation = allocation.next;
    }
    ch_index_remove(&state->store, CH_I_ALLOCATION, ch_hash_mix(allocation.account, 0), row);
    ch_row_give(&state->store, CH_T_ALLOCATION, row);
}

void ch_apply_allocation_withdrawn(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_allocation_withdrawn *body = event->body;
    const uint32_t row = ch_find_allocation(state, ch_find_account(state, body->to.seq));
    const uint32_t plan = ch_allocation_row(state, row)->plan;
    ch_end_allocation(state, row, event->seq);
    ch_due_set(state, CH_DUE_PERIOD, plan, ch_plan_due(state, plan));
}

/* ---- use -------------------------------------------------------------------------------------*/

/* The account's use in the plan's present period; made when first needed. */
static uint32_t usage_of(struct ch_state *state, uint32_t plan, uint32_t account)
{
    const uint32_t present = ch_plan_row(state, plan)->present;
    const uint32_t known = ch_find_usage(state, present, account);
    if (known != 0) return known;
    const uint32_t row = ch_row_take(&state->store, CH_T_USAGE);
    struct ch_row_usage *usage = ch_row_edit(&state->store, CH_T_USAGE, row);
    struct ch_row_period *period = ch_row_edit(&state->store, CH_T_PERIOD, present);
    usage->period = present;
    usage->account = account;
    usage->next = period->first_usage;
    period->first_usage = row;
    period->usage_count++;
    ch_index_insert(&state->store, CH_I_USAGE, ch_hash_usage(present, account), row);
    return row;
}

/* More or less used and reserved in a period; amounts are added modulo 2^64. */
static void count_use(struct ch_state *state, uint32_t usage_row, uint64_t used, uint64_t reserved,
                      uint64_t seq)
{
    struct ch_row_usage *usage = ch_row_edit(&state->store, CH_T_USAGE, usage_row);
    struct ch_row_period *period = ch_row_edit(&state->store, CH_T_PERIOD, usage->period);
    usage->used += used;
    usage->reserved += reserved;
    period->used += used;
    period->reserved += reserved;
    period->changed = seq;
}

/* Moves credits between what is used, reserved and remains, in an allocation or (0) the pool. */
static void move(struct ch_state *state, uint32_t plan_row, uint32_t allocation_row, uint64_t used,
                 uint64_t reserved, uint64_t seq)
{
    struct ch_row_plan *plan = edit_plan(state, plan_row, seq);
    if (allocation_row == 0) {
        plan->used += used;
        plan->reserved += reserved;
        plan->remain -= used + reserved;
        return;
    }
    struct ch_row_allocation *allocation = edit_allocation(state, allocation_row, seq);
    allocation->used += used;
    allocation->reserved += reserved;
    allocation->remain -= used + reserved;
}

/* What an event says it takes from. */
static uint32_t taken_from(const struct ch_state *state, bool has_from, struct ch_account_id from)
{
    return has_from ? ch_find_allocation(state, ch_find_account(state, from.seq)) : 0;
}

void ch_apply_credits_spent(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_credits_spent *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t plan = ch_plan_over(state, account);
    move(state, plan, taken_from(state, body->has_from, body->from), body->amount, 0, event->seq);
    count_use(state, usage_of(state, plan, account), body->amount, 0, event->seq);
}

void ch_apply_credits_reserved(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_credits_reserved *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t plan_row = ch_plan_over(state, account);
    const uint32_t allocation = taken_from(state, body->has_from, body->from);
    const uint32_t row = ch_row_take(&state->store, CH_T_RESERVATION);
    struct ch_row_reservation *reservation = ch_row_edit(&state->store, CH_T_RESERVATION, row);
    reservation->plan = plan_row;
    reservation->id = event->seq;
    reservation->amount = body->amount;
    reservation->expires_at = body->expires_at;
    reservation->account = account;
    reservation->usage = usage_of(state, plan_row, account);
    if (allocation != 0) {
        reservation->holder = ch_allocation_row(state, allocation)->account;
        reservation->since = ch_allocation_row(state, allocation)->since;
    }
    if (body->has_reference) reservation->reference = ch_text_take(state, body->reference);
    struct ch_row_plan *plan = edit_plan(state, plan_row, event->seq);
    reservation->next = plan->first_reservation;
    plan->first_reservation = row;
    plan->reservation_count++;
    if (reservation->next != 0) {
        struct ch_row_reservation *next =
            ch_row_edit(&state->store, CH_T_RESERVATION, reservation->next);
        next->prev = row;
    }
    ch_index_insert(&state->store, CH_I_RESERVATION, ch_hash_mix(event->seq, 0), row);
    move(state, plan_row, allocation, 0, body->amount, event->seq);
    count_use(state, reservation->usage, 0, body->amount, event->seq);
    ch_due_set(state, CH_DUE_RESERVATION, row, body->expires_at);
}

static void end_reservation(struct ch_state *state, uint64_t id, uint64_t used, uint64_t seq)
{
    const uint32_t row = ch_find_reservation(state, id);
    const struct ch_row_reservation reservation = *ch_reservation_row(state, row);
    CH_CHECK(used <= reservation.amount);
    uint32_t allocation;
    if (ch_counted_in(state, row, &allocation) != CH_COUNTED_NOWHERE) {
        move(state, reservation.plan, allocation, used, (uint64_t)0 - reservation.amount, seq);
    }
    count_use(state, reservation.usage, used, (uint64_t)0 - reservation.amount, seq);
    ch_due_set(state, CH_DUE_RESERVATION, row, 0);
    struct ch_row_plan *plan = edit_plan(state, reservation.plan, seq);
    plan->reservation_count--;
    if (reservation.next != 0) {
        struct ch_row_reservation *next =
            ch_row_edit(&state->store, CH_T_RESERVATION, reservation.next);
        next->prev = reservation.prev;
    }
    if (reservation.prev != 0) {
        struct ch_row_reservation *prev =
            ch_row_edit(&state->store, CH_T_RESERVATION, reservation.prev);
        prev->next = reservation.next;
    } else {
        plan->first_reservation = reservation.next;
    }
    if (reservation.reference != 0) ch_text_drop(state, reservation.reference);
    ch_index_remove(&state->store, CH_I_RESERVATION, ch_hash_mix(id, 0), row);
    ch_row_give(&state->store, CH_T_RESERVATION, row);
}

void ch_end_reservation(struct ch_state *state, uint32_t row, uint64_t seq)
{
    end_reservation(state, ch_reservation_row(state, row)->id, 0, seq);
}

void ch_apply_credits_settled(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_credits_settled *body = event->body;
    end_reservation(state, body->reservation.seq, body->used, event->seq);
}

void ch_apply_credits_released(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_credits_released *body = event->body;
    end_reservation(state, body->reservation.seq, 0, event->seq);
}

void ch_apply_reservation_expired(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_reservation_expired *body = event->body;
    end_reservation(state, body->reservation.seq, 0, event->seq);
}
