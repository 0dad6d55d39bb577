/* rules_plan: plans and separate billing in the oracle. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

static void rates_and_total(struct o_case *k)
{
    o_break_if(k, k->c->rates > 1, CH_REJ_fields_disagree);
    o_break_if(k, k->c->has_amount[0] && k->c->amount[0] == 0, CH_REJ_amount_zero);
    o_break_if(k, k->c->has_amount[1] && k->c->amount[1] == 0, CH_REJ_amount_zero);
}

static void new_plan(struct o_case *k)
{
    const struct o_command *c = k->c;
    CH_CHECK(k->w->plan_count < O_PLANS);
    struct o_plan *p = &k->w->plans[k->w->plan_count++];
    *p = (struct o_plan){.account = k->on->id,
                         .paid = c->has_flag ? c->flag : true,
                         .total = c->amount[0],
                         .next_total = c->amount[0],
                         .anchor = c->has_anchor ? c->anchor : c->now,
                         .frequency = c->has_frequency ? c->frequency : CH_frequency_monthly,
                         .since = {c->now, c->now, c->now},
                         .rated = c->rates == 1,
                         .price = c->price};
    memcpy(p->name, c->name, sizeof p->name);
    p->id = o_event(k, CH_EV_plan_set, k->on->id);
}

static void set_plan(struct o_case *k)
{
    o_break_if(k, o_plan_of(k->w, k->on->id) != NULL, CH_REJ_plan_exists);
    o_break_if(k, k->on->parent != 0, CH_REJ_not_separated);
    rates_and_total(k);
    if (k->code == 0) new_plan(k);
}

static bool is_same_plan(const struct o_plan *a, const struct o_plan *b)
{
    return a->id == b->id && a->account == b->account &&
           memcmp(a->name, b->name, sizeof a->name) == 0 && a->paid == b->paid &&
           a->total == b->total && a->next_total == b->next_total && a->anchor == b->anchor &&
           a->frequency == b->frequency && memcmp(a->since, b->since, sizeof a->since) == 0 &&
           a->rated == b->rated && a->price == b->price;
}

static void change_plan(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_plan *p = o_plan_of(k->w, k->on->id);
    o_break_if(k, p == NULL, CH_REJ_no_plan);
    rates_and_total(k);
    if (k->code != 0) return;
    CH_CHECK(p != NULL);
    static struct o_world copy;
    struct o_world *later = &copy;
    *later = *k->w;
    struct o_plan *then = &later->plans[p - k->w->plans];
    const bool turned = o_turn(later, then, c->now);
    const uint64_t in_use = then->total - o_remains(later, then, 0);
    struct o_plan to = *then;
    o_break_if(k, c->has_amount[0] && c->amount[0] < in_use, CH_REJ_credits_in_use);
    if (k->code != 0) return;
    if (c->has_name) memcpy(to.name, c->name, sizeof to.name);
    if (c->has_flag) to.paid = c->flag;
    if (c->has_amount[0]) to.total = to.next_total = c->amount[0];
    if (c->has_amount[1]) to.next_total = c->amount[1];
    if (c->has_frequency) to.frequency = c->frequency;
    if (c->has_anchor) to.anchor = c->anchor;
    if (c->rates == 1) {
        to.rated = true;
        to.price = c->price;
    }
    if (!turned && is_same_plan(&to, p)) return;
    if (turned) {
        (void)o_turn(k->w, p, c->now);
        o_event(k, CH_EV_period_closed, k->on->id);
    }
    for (uint32_t f = 0; f < 3 && (to.anchor != p->anchor || to.frequency != p->frequency); f++) {
        to.since[f] = c->now;
    }
    o_event(k, CH_EV_plan_changed, k->on->id);
    *p = to;
}

static void ask_separation(struct o_case *k)
{
    o_break_if(k, k->on->parent == 0 || o_plan_of(k->w, k->on->id) != NULL, CH_REJ_own_billing);
    o_break_if(k, k->on->separation == CH_separation_status_requested, CH_REJ_separation_pending);
    if (k->code != 0) return;
    o_event(k, CH_EV_separation_requested, k->on->id);
    k->on->separation = CH_separation_status_requested;
}

/* What accounts here had of the plan above returns to it. */
static void grant_separation(struct o_case *k)
{
    struct o_world *w = k->w;
    struct o_plan *above = o_plan_over(w, k->on->id);
    o_break_if(k, k->on->separation != CH_separation_status_requested,
               CH_REJ_no_separation_request);
    rates_and_total(k);
    if (k->code != 0) return;
    if (above != NULL && o_turn(w, above, k->c->now)) {
        o_event(k, CH_EV_period_closed, above->account);
    }
    o_event(k, CH_EV_separation_granted, k->on->id);
    k->on->separation = CH_separation_status_granted;
    for (size_t i = 0; i < w->account_count && above != NULL; i++) {
        if (w->holdings[i].plan != above->id) continue;
        if (o_stands_in(w, w->accounts[i].id, k->on->id)) o_drop_holding(w, w->accounts[i].id);
    }
    new_plan(k);
}

static void refuse_separation(struct o_case *k)
{
    o_break_if(k, k->on->separation != CH_separation_status_requested,
               CH_REJ_no_separation_request);
    if (k->code != 0) return;
    o_event(k, CH_EV_separation_refused, k->on->id);
    k->on->separation = CH_separation_status_refused;
}

static void end_plan(struct o_case *k, bool separated)
{
    struct o_world *w = k->w;
    struct o_plan *p = o_plan_of(w, k->on->id);
    const bool granted = k->on->separation == CH_separation_status_granted;
    o_break_if(k, separated && (!granted || p == NULL), CH_REJ_not_separated);
    o_break_if(k, !separated && p == NULL, CH_REJ_no_plan);
    o_break_if(k, !separated && p != NULL && k->on->parent != 0, CH_REJ_own_billing);
    if (k->code != 0) return;
    CH_CHECK(p != NULL);
    for (size_t i = 0; i < w->taking_count; i++) {
        const struct o_taking *t = &w->takings[i];
        o_break_if(k, t->plan == p->id && t->id != 0, CH_REJ_reservations_open);
    }
    if (k->code != 0) return;
    if (o_turn(w, p, k->c->now)) o_event(k, CH_EV_period_closed, k->on->id);
    if (separated) {
        o_event(k, CH_EV_separation_ended, k->on->id);
        k->on->separation = CH_separation_status_none;
    }
    o_event(k, CH_EV_plan_ended, k->on->id);
    o_drop_plan(w, p);
}

void o_plan_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_plan_set) set_plan(k);
    if (type == CH_CMD_plan_change) change_plan(k);
    if (type == CH_CMD_billing_request_separation) ask_separation(k);
    if (type == CH_CMD_billing_grant_separation) grant_separation(k);
    if (type == CH_CMD_billing_refuse_separation) refuse_separation(k);
    if (type == CH_CMD_plan_end) end_plan(k, false);
    if (type == CH_CMD_billing_end_separation) end_plan(k, true);
}
