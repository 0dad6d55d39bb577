/* decide_plan: rules of plans; see decide_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/decide_plan.h"

#include "daemon/core/calendar.h"

void ch_emit_turn(struct ch_case *c, const struct ch_turn *turn)
{
    if (!turn->any) return;
    const struct ch_row_plan *plan = ch_plan_row(c->state, turn->plan);
    const struct ch_row_period *present = ch_period_row(c->state, plan->present);
    struct ch_ev_period_closed *body =
        ch_emit(c, CH_EV_period_closed, ch_account_row(c->state, plan->account)->id);
    if (body == NULL) return;
    body->plan.seq = plan->id;
    body->whole = turn->whole;
    body->from = present->from;
    body->to = present->to;
    if (!turn->whole) return;
    const enum ch_frequency period = (enum ch_frequency)plan->period;
    body->from = ch_calendar_last(plan->anchor, period, turn->at);
    body->to = ch_calendar_next(plan->anchor, period, turn->at);
    body->dropped = ch_periods_to_drop(c->state, turn->plan);
}

void ch_due_period(struct ch_case *c, uint32_t plan)
{
    const struct ch_turn turn = ch_turn_begin(c->state, plan, c->moment->now);
    ch_emit_turn(c, &turn);
}

/* Rates begin at 0 and ascend, each with its price. */
static bool rates_are_good(struct ch_case *c, const uint64_t *from, uint32_t from_len,
                           uint32_t price_len)
{
    if (from_len != price_len) {
        (void)ch_reject(c, CH_REJ_fields_disagree, "rate_price");
        return false;
    }
    for (uint32_t i = 0; i < from_len; i++) {
        if (i == 0 ? from[0] == 0 : from[i] > from[i - 1]) continue;
        (void)ch_reject(c, CH_REJ_fields_disagree, "rate_from");
        return false;
    }
    return true;
}

bool ch_plan_is_good(struct ch_case *c, const struct ch_plan_terms *terms)
{
    if (!rates_are_good(c, terms->rate_from, terms->rate_from_len, terms->rate_price_len)) {
        return false;
    }
    if (terms->total > 0) return true;
    (void)ch_reject(c, CH_REJ_amount_zero, "total");
    return false;
}

void ch_emit_plan(struct ch_case *c, const struct ch_plan_terms *terms)
{
    struct ch_ev_plan_set *body = ch_emit(c, CH_EV_plan_set, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return;
    body->name = terms->name;
    body->paid = terms->paid;
    body->total = terms->total;
    body->period = terms->period;
    body->anchor = terms->anchor;
    body->to = ch_calendar_next(terms->anchor, (enum ch_frequency)terms->period, c->moment->now);
    body->rate_from = terms->rate_from;
    body->rate_from_len = terms->rate_from_len;
    body->rate_price = terms->rate_price;
    body->rate_price_len = terms->rate_price_len;
}

enum ch_rejection_code ch_decide_plan_set(struct ch_case *c)
{
    const struct ch_cmd_plan_set *args = c->call->args;
    const struct ch_plan_terms terms = CH_PLAN_TERMS_OF(c, args);
    if (ch_find_plan(c->state, c->on) != 0) return ch_reject(c, CH_REJ_plan_exists, "on");
    if (ch_account_row(c->state, c->on)->parent != 0) {
        return ch_reject(c, CH_REJ_not_separated, "on");
    }
    if (ch_plan_is_good(c, &terms)) ch_emit_plan(c, &terms);
    return CH_REJ_none;
}

/* The plan as plan.change would leave it, over what the turn leaves. False when out of memory. */
static bool change(const struct ch_case *c, const struct ch_cmd_plan_change *args,
                   const struct ch_turn *turn, struct ch_ev_plan_changed *ret)
{
    const struct ch_row_plan *plan = ch_plan_row(c->state, turn->plan);
    const struct ch_row_period *present = ch_period_row(c->state, plan->present);
    ret->plan.seq = plan->id;
    ret->paid = args->has_paid ? args->paid : plan->paid != 0;
    ret->total = args->has_total ? args->total : turn->pool.total;
    ret->next_total = args->has_next_total ? args->next_total
                      : args->has_total    ? args->total
                                           : plan->next_total;
    ret->period = args->has_period ? args->period : (uint8_t)plan->period;
    ret->anchor = args->has_anchor ? args->anchor : plan->anchor;
    const bool moved = ret->period != plan->period || ret->anchor != plan->anchor;
    ret->to = moved || turn->whole
                  ? ch_calendar_next(ret->anchor, (enum ch_frequency)ret->period, turn->at)
                  : present->to;
    const bool rated = args->rate_from_len > 0;
    ret->rate_from_len = rated ? args->rate_from_len : present->rate_count;
    ret->rate_price_len = ret->rate_from_len;
    ret->rate_from = args->rate_from;
    ret->rate_price = args->rate_price;
    if (rated) return true;
    /* An event does not borrow from the row that it is about to change. */
    const size_t bytes = present->rate_count * sizeof *ret->rate_from;
    ret->rate_from = ch_arena_copy(c->arena, present->rate_from, bytes);
    ret->rate_price = ch_arena_copy(c->arena, present->rate_price, bytes);
    return ret->rate_from != NULL && ret->rate_price != NULL;
}

static bool is_as_before(const struct ch_case *c, uint32_t plan_row,
                         const struct ch_ev_plan_changed *to, bool renamed)
{
    const struct ch_row_plan *plan = ch_plan_row(c->state, plan_row);
    const struct ch_row_period *present = ch_period_row(c->state, plan->present);
    if (renamed || (plan->paid != 0) != to->paid || plan->total != to->total ||
        plan->next_total != to->next_total || plan->period != to->period ||
        plan->anchor != to->anchor || present->rate_count != to->rate_from_len) {
        return false;
    }
    for (uint32_t i = 0; i < to->rate_from_len; i++) {
        if (present->rate_from[i] != to->rate_from[i]) return false;
        if (present->rate_price[i] != to->rate_price[i]) return false;
    }
    return true;
}

enum ch_rejection_code ch_decide_plan_change(struct ch_case *c)
{
    const struct ch_cmd_plan_change *args = c->call->args;
    const uint32_t row = ch_find_plan(c->state, c->on);
    if (row == 0) return ch_reject(c, CH_REJ_no_plan, "on");
    if (!rates_are_good(c, args->rate_from, args->rate_from_len, args->rate_price_len)) {
        return CH_REJ_none;
    }
    if (args->has_total && args->total == 0) return ch_reject(c, CH_REJ_amount_zero, "total");
    if (args->has_next_total && args->next_total == 0) {
        return ch_reject(c, CH_REJ_amount_zero, "next_total");
    }
    const struct ch_row_plan *plan = ch_plan_row(c->state, row);
    struct ch_holding held;
    const struct ch_turn turn = ch_turn_at(c->state, row, c->moment->now, 0, &held);
    struct ch_ev_plan_changed to = {0};
    c->ret->no_memory = !change(c, args, &turn, &to);
    if (c->ret->no_memory) return CH_REJ_none;
    if (to.total < turn.pool.total - turn.pool.remain) {
        return ch_reject(c, CH_REJ_credits_in_use, "total");
    }
    const bool renamed = args->has_name && !ch_chain_is(c->state, CH_T_TEXT, plan->name,
                                                        args->name.ptr, args->name.len);
    if (!turn.any && is_as_before(c, row, &to, renamed)) return CH_REJ_none;
    to.name = args->name;
    if (!args->has_name) {
        const size_t len = ch_chain_len(c->state, CH_T_TEXT, plan->name);
        char *text = ch_arena_take(c->arena, len + 1);
        c->ret->no_memory = text == NULL;
        if (text == NULL) return CH_REJ_none;
        to.name = (struct ch_text){text, ch_chain_get(c->state, CH_T_TEXT, plan->name, text, len)};
    }
    ch_emit_turn(c, &turn);
    struct ch_ev_plan_changed *body =
        ch_emit(c, CH_EV_plan_changed, ch_account_row(c->state, c->on)->id);
    if (body != NULL) *body = to;
    return CH_REJ_none;
}

/* Ends the plan, whose present period is told; or refuses. */
static void end_plan(struct ch_case *c, uint32_t row, bool separated)
{
    const struct ch_row_plan *plan = ch_plan_row(c->state, row);
    const struct ch_row_period *present = ch_period_row(c->state, plan->present);
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    if (plan->reservation_count > 0) {
        (void)ch_reject(c, CH_REJ_reservations_open, "on");
        return;
    }
    const struct ch_turn turn = ch_turn_begin(c->state, row, c->moment->now);
    ch_emit_turn(c, &turn);
    if (separated) {
        const uint32_t above = ch_plan_over(c->state, ch_account_row(c->state, c->on)->parent);
        struct ch_ev_separation_ended *body = ch_emit(c, CH_EV_separation_ended, account);
        if (body == NULL) return;
        body->has_above = above != 0;
        if (above != 0) body->above.seq = ch_plan_row(c->state, above)->id;
    }
    struct ch_ev_plan_ended *body = ch_emit(c, CH_EV_plan_ended, account);
    if (body == NULL) return;
    body->plan.seq = plan->id;
    body->from = turn.whole
                     ? ch_calendar_last(plan->anchor, (enum ch_frequency)plan->period, turn.at)
                     : present->from;
    body->used = turn.whole ? 0 : present->used;
}

enum ch_rejection_code ch_decide_plan_end(struct ch_case *c)
{
    const uint32_t row = ch_find_plan(c->state, c->on);
    if (row == 0) return ch_reject(c, CH_REJ_no_plan, "on");
    if (ch_account_row(c->state, c->on)->parent != 0) return ch_reject(c, CH_REJ_own_billing, "on");
    end_plan(c, row, /* separated= */ false);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_billing_end_separation(struct ch_case *c)
{
    const uint32_t separation = ch_find_separation(c->state, c->on);
    const uint32_t row = ch_find_plan(c->state, c->on);
    const bool granted = separation != 0 && ch_separation_row(c->state, separation)->status ==
                                                CH_separation_status_granted;
    if (!granted || row == 0) return ch_reject(c, CH_REJ_not_separated, "on");
    end_plan(c, row, /* separated= */ true);
    return CH_REJ_none;
}
