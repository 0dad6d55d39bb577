/* decide_billing: rules of separate billing; see decide_impl.h. SPDX-License-Identifier: MIT
 * The owner asks, the operator grants or refuses: the master cannot switch it alone. */
#include "daemon/core/decide_plan.h"

static enum ch_separation_status status_of(const struct ch_case *c)
{
    const uint32_t row = ch_find_separation(c->state, c->on);
    if (row == 0) return CH_separation_status_none;
    return (enum ch_separation_status)ch_separation_row(c->state, row)->status;
}

static uint64_t account_id(const struct ch_case *c)
{
    return ch_account_row(c->state, c->on)->id;
}

enum ch_rejection_code ch_decide_billing_request_separation(struct ch_case *c)
{
    const struct ch_cmd_billing_request_separation *args = c->call->args;
    if (ch_account_row(c->state, c->on)->parent == 0 || ch_find_plan(c->state, c->on) != 0) {
        return ch_reject(c, CH_REJ_own_billing, "on");
    }
    if (status_of(c) == CH_separation_status_requested) {
        return ch_reject(c, CH_REJ_separation_pending, "on");
    }
    struct ch_ev_separation_requested *body = ch_emit(c, CH_EV_separation_requested, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->has_user = c->moment->actor.kind == CH_actor_kind_user;
    if (body->has_user) body->user.seq = c->moment->actor.id;
    body->has_reason = args->has_reason;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_billing_grant_separation(struct ch_case *c)
{
    const struct ch_cmd_billing_grant_separation *args = c->call->args;
    const struct ch_plan_terms terms = CH_PLAN_TERMS_OF(c, args);
    if (status_of(c) != CH_separation_status_requested) {
        return ch_reject(c, CH_REJ_no_separation_request, "on");
    }
    if (!ch_plan_is_good(c, &terms)) return CH_REJ_none;
    const uint32_t above = ch_plan_over(c->state, c->on);
    if (above != 0) {
        const struct ch_turn turn = ch_turn_begin(c->state, above, c->moment->now);
        ch_emit_turn(c, &turn);
    }
    struct ch_ev_separation_granted *body = ch_emit(c, CH_EV_separation_granted, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->has_above = above != 0;
    if (above != 0) body->above.seq = ch_plan_row(c->state, above)->id;
    ch_emit_plan(c, &terms);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_billing_refuse_separation(struct ch_case *c)
{
    const struct ch_cmd_billing_refuse_separation *args = c->call->args;
    if (status_of(c) != CH_separation_status_requested) {
        return ch_reject(c, CH_REJ_no_separation_request, "on");
    }
    struct ch_ev_separation_refused *body = ch_emit(c, CH_EV_separation_refused, account_id(c));
    if (body == NULL) return CH_REJ_none;
    const uint64_t user = ch_separation_row(c->state, ch_find_separation(c->state, c->on))->user;
    body->has_user = user != 0;
    body->user.seq = user;
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}
