/* apply_plan: plans and their periods; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"

/* A period row holds a rate in each of its places. */
enum { RATES_MOST = sizeof((struct ch_row_period *)NULL)->rate_from / sizeof(uint64_t) };

static void put_rates(struct ch_row_period *period, const uint64_t *from, const uint64_t *price,
                      uint32_t count)
{
    CH_CHECK(count <= RATES_MOST);
    memset(period->rate_from, 0, sizeof period->rate_from);
    memset(period->rate_price, 0, sizeof period->rate_price);
    for (uint32_t i = 0; i < count; i++) {
        period->rate_from[i] = from[i];
        period->rate_price[i] = price[i];
    }
    period->rate_count = count;
}

/* Begins the newest period of a plan. */
static struct ch_row_period *begin_period(struct ch_state *state, uint32_t plan_row, uint64_t seq,
                                          uint64_t from, uint64_t to)
{
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, plan_row);
    const uint32_t before = plan->present;
    const uint32_t row = ch_row_take(&state->store, CH_T_PERIOD);
    struct ch_row_period *period = ch_row_edit(&state->store, CH_T_PERIOD, row);
    period->plan = plan_row;
    period->from = from;
    period->to = to;
    period->changed = seq;
    period->older = before;
    plan->present = row;
    plan->period_count++;
    plan->changed = seq;
    if (before == 0) {
        plan->oldest = row;
        return period;
    }
    struct ch_row_period *older = ch_row_edit(&state->store, CH_T_PERIOD, before);
    older->newer = row;
    older->changed = seq;
    put_rates(period, older->rate_from, older->rate_price, older->rate_count);
    return period;
}

/* A period and what was used in it. */
static void drop_period(struct ch_state *state, uint32_t row)
{
    uint32_t usage = ch_period_row(state, row)->first_usage;
    while (usage != 0) {
        const struct ch_row_usage used = *ch_usage_row(state, usage);
        ch_index_remove(&state->store, CH_I_USAGE, ch_hash_usage(used.period, used.account), usage);
        ch_row_give(&state->store, CH_T_USAGE, usage);
        usage = used.next;
    }
    ch_row_give(&state->store, CH_T_PERIOD, row);
}

static void drop_oldest(struct ch_state *state, uint32_t plan_row)
{
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, plan_row);
    const struct ch_row_period period = *ch_period_row(state, plan->oldest);
    CH_CHECK(period.newer != 0 && period.reserved == 0);
    drop_period(state, plan->oldest);
    struct ch_row_period *newer = ch_row_edit(&state->store, CH_T_PERIOD, period.newer);
    newer->older = 0;
    plan->oldest = period.newer;
    plan->period_count--;
}

static void set_ends(struct ch_row_plan *plan, uint64_t at)
{
    for (uint32_t f = CH_frequency_daily; f <= CH_frequency_monthly; f++) {
        plan->ends[f] = ch_calendar_next(plan->anchor, (enum ch_frequency)f, at);
    }
}

/* A plan that is not paid takes rights away from its account and all below: access.h. */
static void set_paid(struct ch_state *state, struct ch_row_plan *plan, bool paid, uint64_t seq)
{
    const struct ch_row_account *known = ch_account_row(state, plan->account);
    plan->paid = paid;
    if ((known->unpaid_seq == 0) == paid) return;
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, plan->account);
    account->unpaid_seq = paid ? 0 : seq;
    account->changed = seq;
}

void ch_apply_plan_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_plan_set *body = event->body;
    const uint32_t row = ch_row_take(&state->store, CH_T_PLAN);
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, row);
    plan->account = ch_find_account(state, event->account);
    plan->id = event->seq;
    plan->total = body->total;
    plan->next_total = body->total;
    plan->remain = body->total;
    plan->anchor = body->anchor;
    plan->name = ch_text_take(state, body->name);
    plan->period = body->period;
    set_ends(plan, event->at);
    set_paid(state, plan, body->paid, event->seq);
    ch_index_insert(&state->store, CH_I_PLAN, ch_hash_mix(plan->account, 0), row);
    put_rates(begin_period(state, row, event->seq, event->at, body->to), body->rate_from,
              body->rate_price, body->rate_from_len);
    ch_due_set(state, CH_DUE_PERIOD, row, ch_plan_due(state, row));
}

static uint32_t plan_of(const struct ch_state *state, const struct ch_event *event)
{
    const uint32_t plan = ch_find_plan(state, ch_find_account(state, event->account));
    CH_CHECK(plan != 0);
    return plan;
}

void ch_apply_plan_changed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_plan_changed *body = event->body;
    const uint32_t row = plan_of(state, event);
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, row);
    CH_CHECK(plan->id == body->plan.seq && plan->remain + body->total >= plan->total);
    const uint32_t old_name = plan->name;
    plan->changed = event->seq;
    plan->name = ch_text_take(state, body->name);
    ch_text_drop(state, old_name);
    plan->remain = plan->remain + body->total - plan->total;
    plan->total = body->total;
    plan->next_total = body->next_total;
    const bool moved = plan->anchor != body->anchor || plan->period != body->period;
    plan->anchor = body->anchor;
    plan->period = body->period;
    if (moved) set_ends(plan, event->at);
    set_paid(state, plan, body->paid, event->seq);
    struct ch_row_period *period = ch_row_edit(&state->store, CH_T_PERIOD, plan->present);
    period->to = body->to;
    period->changed = event->seq;
    put_rates(period, body->rate_from, body->rate_price, body->rate_from_len);
    ch_due_set(state, CH_DUE_PERIOD, row, ch_plan_due(state, row));
}

static void begin_allocation(struct ch_state *state, uint32_t row, const struct ch_holding *held,
                             uint64_t seq)
{
    struct ch_row_allocation *allocation = ch_row_edit(&state->store, CH_T_ALLOCATION, row);
    allocation->total = held->total;
    allocation->used = held->used;
    allocation->reserved = held->reserved;
    allocation->remain = held->remain;
    allocation->is_short = held->is_short;
    allocation->since = seq;
    allocation->changed = seq;
}

void ch_apply_period_closed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_period_closed *body = event->body;
    const uint32_t row = plan_of(state, event);
    struct ch_turn turn = ch_turn_begin(state, row, event->at);
    CH_CHECK(turn.any && turn.whole == body->whole);
    for (uint32_t a = ch_plan_row(state, row)->first_allocation; a != 0;
         a = ch_allocation_row(state, a)->next) {
        const struct ch_holding held = ch_turn_pass(&turn, a);
        if (held.anew) begin_allocation(state, a, &held, event->seq);
    }
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, row);
    plan->changed = event->seq;
    plan->total = turn.pool.total;
    plan->used = turn.pool.used;
    plan->reserved = turn.pool.reserved;
    plan->remain = turn.pool.remain;
    plan->allocated = turn.pool.allocated;
    set_ends(plan, event->at);
    if (turn.whole) {
        (void)begin_period(state, row, event->seq, body->from, body->to);
        for (uint64_t i = 0; i < body->dropped; i++) {
            drop_oldest(state, row);
        }
    }
    ch_due_set(state, CH_DUE_PERIOD, row, ch_plan_due(state, row));
}

/* The plan itself, with its last period. Without a plan an account has none that is unpaid. */
static void end_plan(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_plan *plan = ch_row_edit(&state->store, CH_T_PLAN, row);
    CH_CHECK(plan->first_allocation == 0 && plan->first_reservation == 0 &&
             plan->present == plan->oldest);
    set_paid(state, plan, true, seq);
    ch_due_set(state, CH_DUE_PERIOD, row, 0);
    drop_period(state, plan->present);
    ch_index_remove(&state->store, CH_I_PLAN, ch_hash_mix(plan->account, 0), row);
    ch_text_drop(state, plan->name);
    ch_row_give(&state->store, CH_T_PLAN, row);
}

void ch_end_plan_part(struct ch_state *state, uint32_t row, uint64_t seq)
{
    const struct ch_row_plan *plan = ch_plan_row(state, row);
    if (plan->first_allocation != 0) {
        ch_end_allocation(state, plan->first_allocation, seq);
    } else if (plan->first_reservation != 0) {
        ch_end_reservation(state, plan->first_reservation, seq);
    } else if (plan->oldest != plan->present) {
        drop_oldest(state, row);
    } else {
        end_plan(state, row, seq);
    }
}

void ch_apply_plan_ended(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t account = ch_find_account(state, event->account);
    for (uint32_t plan = plan_of(state, event); plan != 0; plan = ch_find_plan(state, account)) {
        ch_end_plan_part(state, plan, event->seq);
    }
    struct ch_row_account *row = ch_row_edit(&state->store, CH_T_ACCOUNT, account);
    row->changed = event->seq;
}
