/* decide_credits: rules of allocations, reservations and what is used; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_plan.h"
#include "schema/limits.h"

static const uint64_t ms = 1000000;

/* ---- what an account can draw on ------------------------------------------------------------ */

struct draw {
    uint32_t plan;
    uint32_t allocation; /* 0: the pool */
    uint64_t available;
    struct ch_turn turn;
};

/* What the account `on` draws on; false after refusing. */
static bool find_draw(struct ch_case *c, struct draw *ret)
{
    *ret = (struct draw){.plan = ch_plan_over(c->state, c->on)};
    if (ch_is_suspended(c->state, c->on)) { /* it sends nothing, whoever suspended it */
        (void)ch_reject(c, CH_REJ_account_suspended, "on");
        return false;
    }
    if (ret->plan == 0) {
        (void)ch_reject(c, CH_REJ_no_plan, "on");
        return false;
    }
    struct ch_holding held;
    ret->allocation = ch_drawn_from(c->state, ret->plan, c->on);
    ret->turn = ch_turn_at(c->state, ret->plan, c->moment->now, ret->allocation, &held);
    ret->available = ret->allocation != 0 ? held.remain : ret->turn.pool.remain;
    return true;
}

/* Whether `amount` can be taken; false after refusing. */
static bool covers(struct ch_case *c, const struct draw *draw, uint64_t amount)
{
    if (amount > 0 && amount <= draw->available) return true;
    (void)ch_reject(c, amount == 0 ? CH_REJ_amount_zero : CH_REJ_credits_exhausted, "amount");
    return false;
}

static uint64_t account_id(const struct ch_case *c, uint32_t account)
{
    return ch_account_row(c->state, account)->id;
}

/* Whose allocation it is; 0: the pool. */
static uint64_t drawn_from(const struct ch_case *c, const struct draw *draw)
{
    if (draw->allocation == 0) return 0;
    return account_id(c, ch_allocation_row(c->state, draw->allocation)->account);
}

enum ch_rejection_code ch_decide_credits_spend(struct ch_case *c)
{
    const struct ch_cmd_credits_spend *args = c->call->args;
    struct draw draw;
    if (!find_draw(c, &draw) || !covers(c, &draw, args->amount)) return CH_REJ_none;
    ch_emit_turn(c, &draw.turn);
    struct ch_ev_credits_spent *body = ch_emit(c, CH_EV_credits_spent, account_id(c, c->on));
    if (body == NULL) return CH_REJ_none;
    body->amount = args->amount;
    body->from.seq = drawn_from(c, &draw);
    body->has_from = body->from.seq != 0;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_credits_reserve(struct ch_case *c)
{
    const struct ch_cmd_credits_reserve *args = c->call->args;
    const uint64_t now = c->moment->now;
    const uint64_t expires_at =
        args->has_expires_at ? args->expires_at : now + LIMIT_RESERVATION_MS * ms;
    struct draw draw;
    if (!find_draw(c, &draw)) return CH_REJ_none;
    if (expires_at <= now) return ch_reject(c, CH_REJ_in_the_past, "expires_at");
    if (!covers(c, &draw, args->amount)) return CH_REJ_none;
    if (expires_at - now > LIMIT_RESERVATION_MOST_MS * ms || expires_at > CH_MAX_TIME) {
        return ch_reject_limit(c, "RESERVATION_MOST_MS", "expires_at");
    }
    if (ch_plan_row(c->state, draw.plan)->reservation_count >= LIMIT_RESERVATIONS_OF_PLAN) {
        return ch_reject_limit(c, "RESERVATIONS_OF_PLAN", "on");
    }
    ch_emit_turn(c, &draw.turn);
    struct ch_ev_credits_reserved *body = ch_emit(c, CH_EV_credits_reserved, account_id(c, c->on));
    if (body == NULL) return CH_REJ_none;
    body->amount = args->amount;
    body->expires_at = expires_at;
    body->from.seq = drawn_from(c, &draw);
    body->has_from = body->from.seq != 0;
    body->has_reference = args->has_reference;
    body->reference = args->reference;
    return CH_REJ_none;
}

/* ---- the end of a reservation --------------------------------------------------------------- */

/* The open reservation of that id, after its plan's turn; 0 after refusing. */
static uint32_t open_reservation(struct ch_case *c, struct ch_reservation_id id)
{
    const uint32_t row = ch_find_reservation(c->state, id.seq);
    if (row == 0) {
        (void)ch_reject(c, CH_REJ_not_found, "reservation");
        return 0;
    }
    if (ch_reservation_row(c->state, row)->expires_at <= c->moment->now) {
        (void)ch_reject(c, CH_REJ_reservation_over, "reservation");
        return 0;
    }
    return row;
}

static void turn_of(struct ch_case *c, uint32_t reservation)
{
    const struct ch_turn turn =
        ch_turn_begin(c->state, ch_reservation_row(c->state, reservation)->plan, c->moment->now);
    ch_emit_turn(c, &turn);
}

enum ch_rejection_code ch_decide_credits_settle(struct ch_case *c)
{
    const struct ch_cmd_credits_settle *args = c->call->args;
    const uint32_t row = open_reservation(c, args->reservation);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_reservation *reservation = ch_reservation_row(c->state, row);
    if (args->used > reservation->amount) return ch_reject(c, CH_REJ_over_reserved, "used");
    turn_of(c, row);
    struct ch_ev_credits_settled *body =
        ch_emit(c, CH_EV_credits_settled, account_id(c, reservation->account));
    if (body == NULL) return CH_REJ_none;
    body->reservation = args->reservation;
    body->used = args->used;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_credits_release(struct ch_case *c)
{
    const struct ch_cmd_credits_release *args = c->call->args;
    const uint32_t row = open_reservation(c, args->reservation);
    if (row == 0) return CH_REJ_none;
    turn_of(c, row);
    struct ch_ev_credits_released *body = ch_emit(
        c, CH_EV_credits_released, account_id(c, ch_reservation_row(c->state, row)->account));
    if (body != NULL) body->reservation = args->reservation;
    return CH_REJ_none;
}

void ch_due_reservation(struct ch_case *c, uint32_t row)
{
    const struct ch_row_reservation *reservation = ch_reservation_row(c->state, row);
    struct ch_ev_reservation_expired *body =
        ch_emit(c, CH_EV_reservation_expired, account_id(c, reservation->account));
    if (body != NULL) body->reservation.seq = reservation->id;
}

/* ---- allocations ---------------------------------------------------------------------------- */

/* The account that a command names, below `on` and under its plan; 0 after refusing. */
static uint32_t account_below(struct ch_case *c, const struct ch_ref *ref, bool open)
{
    const uint32_t plan = ch_find_plan(c->state, c->on);
    const uint32_t account = ch_find_account(c->state, ref->id);
    uint32_t above = account;
    bool closed = false;
    while (above != 0 && above != c->on) {
        closed = closed || ch_account_row(c->state, above)->status != CH_account_status_open;
        above = ch_account_row(c->state, above)->parent;
    }
    if (above == 0) { /* another tree's, or another branch's: as one that is not there */
        (void)ch_reject(c, CH_REJ_not_found, "account");
        return 0;
    }
    if (open && closed) {
        (void)ch_reject(c, CH_REJ_account_closed, "account");
        return 0;
    }
    if (plan == 0) {
        (void)ch_reject(c, CH_REJ_no_plan, "on");
        return 0;
    }
    if (account == c->on || ch_plan_over(c->state, account) != plan) {
        (void)ch_reject(c, CH_REJ_outside_plan, "account");
        return 0;
    }
    return account;
}

static enum ch_rejection_code wrong_terms(struct ch_case *c,
                                          const struct ch_cmd_credits_allocate *args)
{
    const bool finite = args->type != CH_allocation_type_unlimited;
    const bool recurring = args->type == CH_allocation_type_recurring;
    if (args->has_total != finite) return ch_reject(c, CH_REJ_fields_disagree, "total");
    if (args->has_reset_frequency != recurring) {
        return ch_reject(c, CH_REJ_fields_disagree, "reset_frequency");
    }
    if (finite && args->total == 0) return ch_reject(c, CH_REJ_amount_zero, "total");
    return CH_REJ_none;
}

/* Whether the allocation is already as the command wants it. */
static bool is_so(const struct ch_case *c, const struct ch_cmd_credits_allocate *args, uint32_t row,
                  const struct ch_holding *held)
{
    if (row == 0) return false;
    const struct ch_row_allocation *allocation = ch_allocation_row(c->state, row);
    if (allocation->type != args->type) return false;
    if (args->type == CH_allocation_type_unlimited) return true;
    if (args->has_reset_frequency && allocation->frequency != args->reset_frequency) return false;
    return allocation->grant == args->total && held->total == args->total;
}

enum ch_rejection_code ch_decide_credits_allocate(struct ch_case *c)
{
    const struct ch_cmd_credits_allocate *args = c->call->args;
    const uint32_t account = account_below(c, &args->account, /* open= */ true);
    if (account == 0) return CH_REJ_none;
    if (wrong_terms(c, args) != CH_REJ_none) return CH_REJ_none;
    const uint32_t plan = ch_find_plan(c->state, c->on);
    const uint32_t row = ch_find_allocation(c->state, account);
    struct ch_holding held;
    const struct ch_turn turn = ch_turn_at(c->state, plan, c->moment->now, row, &held);
    if (!turn.any && is_so(c, args, row, &held)) return CH_REJ_none;
    if (args->has_total && args->total < held.used + held.reserved) {
        return ch_reject(c, CH_REJ_credits_in_use, "total");
    }
    if (args->has_total && args->total > turn.pool.remain + held.total) {
        return ch_reject(c, CH_REJ_credits_exhausted, "total");
    }
    const uint32_t count = ch_plan_row(c->state, plan)->allocation_count;
    if (row == 0 && count >= LIMIT_ALLOCATIONS_OF_PLAN) {
        return ch_reject_limit(c, "ALLOCATIONS_OF_PLAN", "account");
    }
    ch_emit_turn(c, &turn);
    struct ch_ev_credits_allocated *body =
        ch_emit(c, CH_EV_credits_allocated, account_id(c, c->on));
    if (body == NULL) return CH_REJ_none;
    body->plan.seq = ch_plan_row(c->state, plan)->id;
    body->to.seq = args->account.id;
    body->type = args->type;
    body->has_total = args->has_total;
    body->total = args->total;
    body->has_reset_frequency = args->has_reset_frequency;
    body->reset_frequency = args->reset_frequency;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_credits_withdraw(struct ch_case *c)
{
    const struct ch_cmd_credits_withdraw *args = c->call->args;
    const uint32_t account = account_below(c, &args->account, /* open= */ false);
    if (account == 0) return CH_REJ_none;
    if (ch_find_allocation(c->state, account) == 0) {
        return ch_reject(c, CH_REJ_no_allocation, "account");
    }
    const uint32_t plan = ch_find_plan(c->state, c->on);
    const struct ch_turn turn = ch_turn_begin(c->state, plan, c->moment->now);
    ch_emit_turn(c, &turn);
    struct ch_ev_allocation_withdrawn *body =
        ch_emit(c, CH_EV_allocation_withdrawn, account_id(c, c->on));
    if (body == NULL) return CH_REJ_none;
    body->plan.seq = ch_plan_row(c->state, plan)->id;
    body->to.seq = args->account.id;
    return CH_REJ_none;
}

/* ---- room ----------------------------------------------------------------------------------- */

/* The plan that a credit command is about; 0: none, or it is no credit command. */
static uint32_t plan_of(const struct ch_state *state, const struct ch_call *call, bool *ret_credits)
{
    struct ch_reservation_id id = {0};
    *ret_credits = true;
    switch (call->type) {
    case CH_CMD_credits_settle: {
        const struct ch_cmd_credits_settle *args = call->args;
        id = args->reservation;
        break;
    }
    case CH_CMD_credits_release: {
        const struct ch_cmd_credits_release *args = call->args;
        id = args->reservation;
        break;
    }
    case CH_CMD_plan_set:
    case CH_CMD_plan_change:
    case CH_CMD_plan_end:
    case CH_CMD_billing_end_separation:
    case CH_CMD_billing_grant_separation:
    case CH_CMD_credits_allocate:
    case CH_CMD_credits_withdraw:
    case CH_CMD_credits_reserve:
    case CH_CMD_credits_spend: {
        const uint32_t on = call->has_on ? ch_find_account(state, call->on.id) : 0;
        return on == 0 ? 0 : ch_plan_over(state, on);
    }
    default: *ret_credits = false; return 0;
    }
    const uint32_t reservation = ch_find_reservation(state, id.seq);
    return reservation == 0 ? 0 : ch_reservation_row(state, reservation)->plan;
}

size_t ch_cascade_of_credits(const struct ch_state *state, const struct ch_call *call)
{
    bool credits;
    const uint32_t plan = plan_of(state, call, &credits);
    if (!credits) return 0;
    if (plan == 0) return CH_PLACE_ROWS;
    size_t rows = CH_PLACE_ROWS + ch_cascade_of_turn(state, plan);
    if (call->type == CH_CMD_billing_grant_separation) { /* may end all: ten writes each */
        rows += ch_plan_row(state, plan)->allocation_count;
    }
    if (call->type == CH_CMD_plan_end || call->type == CH_CMD_billing_end_separation) {
        rows += ch_cascade_of_plan(state, plan, UINT64_MAX);
    }
    return rows;
}
