/* rules_credits: who draws on which credits, in the oracle. SPDX-License-Identifier: MIT
 * It knows no pool: it keeps every single taking of credits and where it counts, and adds them up;
 * as unit.credits does for one plan. Of core it uses the calendar, which has a test of its own. */
#include "tests/model/rules.h"

#include "daemon/core/calendar.h"
#include "schema/base/check.h"
#include "schema/limits.h"

struct o_plan *o_plan_of(struct o_world *w, uint64_t account)
{
    for (size_t i = 0; i < w->plan_count; i++) {
        if (w->plans[i].account == account) return &w->plans[i];
    }
    return NULL;
}

struct o_plan *o_plan_over(struct o_world *w, uint64_t account)
{
    for (uint64_t a = account; a != 0; a = o_account(w, a)->parent) {
        struct o_plan *plan = o_plan_of(w, a);
        if (plan != NULL) return plan;
    }
    return NULL;
}

struct o_holding *o_holding(struct o_world *w, uint64_t account)
{
    return &w->holdings[o_account(w, account) - w->accounts];
}

uint64_t o_taken(const struct o_world *w, uint64_t plan, uint64_t holder, bool reserved)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->taking_count; i++) {
        const struct o_taking *t = &w->takings[i];
        if (t->plan == plan && t->counts && t->holder == holder && (t->id != 0) == reserved) {
            sum += t->amount;
        }
    }
    return sum;
}

static bool finite(const struct o_holding *h, uint64_t plan)
{
    return h->plan == plan && h->type != CH_allocation_type_unlimited;
}

uint64_t o_remains(struct o_world *w, const struct o_plan *plan, uint64_t holder)
{
    uint64_t total = holder == 0 ? plan->total : o_holding(w, holder)->total;
    for (size_t i = 0; i < w->account_count && holder == 0; i++) {
        if (finite(&w->holdings[i], plan->id)) total -= w->holdings[i].total;
    }
    return total - o_taken(w, plan->id, holder, false) - o_taken(w, plan->id, holder, true);
}

/* In whose allocation the account's use counts; 0: in the pool. */
static uint64_t draws_on(struct o_world *w, const struct o_plan *plan, uint64_t account)
{
    for (uint64_t a = account; a != plan->account; a = o_account(w, a)->parent) {
        const struct o_holding *h = o_holding(w, a);
        if (h->plan == 0) continue;
        return finite(h, plan->id) ? a : 0;
    }
    return 0;
}

static uint64_t end_of(const struct o_plan *plan, uint8_t frequency)
{
    return ch_calendar_next(plan->anchor, (enum ch_frequency)frequency, plan->since[frequency]);
}

static bool is_recurring(const struct o_holding *h, const struct o_plan *plan)
{
    return h->plan == plan->id && h->type == CH_allocation_type_recurring;
}

/* While the plan's own account is closed, no period ends. */
uint64_t o_next_end(struct o_world *w, const struct o_plan *plan)
{
    if (plan->id == 0 || o_account(w, plan->account)->closed) return UINT64_MAX;
    uint64_t first = end_of(plan, plan->frequency);
    for (size_t i = 0; i < w->account_count; i++) {
        if (!is_recurring(&w->holdings[i], plan)) continue;
        const uint64_t end = end_of(plan, w->holdings[i].frequency);
        if (end < first) first = end;
    }
    return first;
}

/* Everything taken from one's allocation counts in the pool from now on. */
static void to_pool(struct o_world *w, uint64_t plan, uint64_t holder)
{
    for (size_t i = 0; i < w->taking_count; i++) {
        struct o_taking *t = &w->takings[i];
        if (t->plan == plan && t->counts && t->holder == holder) t->holder = 0;
    }
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The plan's own period is over: the pool begins anew, allocations that are not due keep what
 * remains to them. */
static void turn_whole(struct o_world *w, struct o_plan *plan, const size_t *order, size_t count,
                       const bool *due)
{
    uint64_t kept[O_ACCOUNTS];
    for (size_t i = 0; i < count; i++) {
        kept[i] = o_remains(w, plan, w->accounts[order[i]].id);
    }
    for (size_t i = 0; i < w->taking_count; i++) {
        if (w->takings[i].plan == plan->id) w->takings[i].counts = false;
    }
    uint64_t left = plan->total = plan->next_total;
    for (size_t i = 0; i < count; i++) {
        struct o_holding *h = &w->holdings[order[i]];
        h->total = due[i] ? 0 : least(kept[i], left);
        if (!due[i] && h->total < kept[i]) h->is_short = true;
        left -= h->total;
    }
}

bool o_turn(struct o_world *w, struct o_plan *plan, uint64_t now)
{
    if (o_next_end(w, plan) > now) return false;
    size_t order[O_ACCOUNTS], count = 0;
    bool due[O_ACCOUNTS];
    for (size_t i = 0; i < w->account_count; i++) { /* as they were opened */
        const struct o_holding *h = &w->holdings[i];
        if (!finite(h, plan->id)) continue;
        due[count] = is_recurring(h, plan) && end_of(plan, h->frequency) <= now;
        order[count++] = i;
    }
    if (end_of(plan, plan->frequency) <= now) turn_whole(w, plan, order, count, due);
    for (size_t i = 0; i < count; i++) {
        struct o_holding *h = &w->holdings[order[i]];
        const uint64_t account = w->accounts[order[i]].id;
        if (!due[i]) continue;
        to_pool(w, plan->id, account);
        h->total = 0;
        const uint64_t wanted = o_closed(w, account) ? 0 : h->grant;
        const uint64_t got = least(wanted, o_remains(w, plan, 0));
        h->total = got;
        h->is_short = got < wanted;
    }
    for (uint32_t f = 0; f < 3; f++) {
        plan->since[f] = now;
    }
    return true;
}

void o_drop_holding(struct o_world *w, uint64_t account)
{
    struct o_holding *h = o_holding(w, account);
    to_pool(w, h->plan, account);
    memset(h, 0, sizeof *h);
}

/* What was reserved is free, what accounts below had is gone, and so is the plan. */
void o_drop_plan(struct o_world *w, struct o_plan *plan)
{
    for (size_t i = 0; i < w->account_count; i++) {
        if (w->holdings[i].plan == plan->id) o_drop_holding(w, w->accounts[i].id);
    }
    for (size_t i = 0; i < w->taking_count; i++) {
        if (w->takings[i].plan == plan->id) w->takings[i] = (struct o_taking){0};
    }
    memset(plan, 0, sizeof *plan);
}

static void set_holding(struct o_world *w, struct o_plan *plan, uint64_t account,
                        const struct o_command *c)
{
    struct o_holding *h = o_holding(w, account);
    bool first = c->frequency != plan->frequency;
    for (size_t i = 0; i < w->account_count; i++) {
        if (is_recurring(&w->holdings[i], plan) && w->holdings[i].frequency == c->frequency) {
            first = false;
        }
    }
    if (c->allocation == CH_allocation_type_recurring && first) plan->since[c->frequency] = c->now;
    if (c->allocation == CH_allocation_type_unlimited) to_pool(w, plan->id, account);
    *h = (struct o_holding){.plan = plan->id,
                            .type = c->allocation,
                            .grant = c->has_amount[0] ? c->amount[0] : 0,
                            .total = c->has_amount[0] ? c->amount[0] : 0,
                            .frequency = c->has_frequency ? c->frequency : 0};
}

/* ---- commands ------------------------------------------------------------------------------- */

/* The turn that a credit command makes first, where it makes anything: on a copy, until it does. */
struct sight {
    struct o_world *w; /* behind the turn */
    struct o_plan *plan;
    bool turned;
};

static void look(struct o_case *k, struct sight *s, struct o_plan *plan, struct o_world *copy)
{
    *copy = *k->w;
    s->w = copy;
    s->plan = &copy->plans[plan - k->w->plans];
    s->turned = o_turn(copy, s->plan, k->c->now);
}

/* Accepted: the turn takes effect. */
static void begin(struct o_case *k, const struct sight *s)
{
    if (!s->turned) return;
    struct o_plan *plan = o_plan_of(k->w, s->plan->account);
    (void)o_turn(k->w, plan, k->c->now);
    o_event(k, CH_EV_period_closed, plan->account);
}

static void use(struct o_case *k, struct o_world *copy, bool spends)
{
    const struct o_command *c = k->c;
    struct o_plan *plan = o_plan_over(k->w, k->on->id);
    const uint64_t until =
        c->has_expiry ? c->expires_at : c->now + LIMIT_RESERVATION_MS * UINT64_C(1000000);
    struct sight s;
    for (const struct o_account *a = k->on; a != NULL; a = o_account(k->w, a->parent)) {
        o_break_if(k, a->suspended[0] || a->suspended[1], CH_REJ_account_suspended);
    }
    o_break_if(k, plan == NULL, CH_REJ_no_plan);
    if (k->code != 0) return;
    look(k, &s, plan, copy);
    const uint64_t left = o_remains(s.w, s.plan, draws_on(s.w, s.plan, k->on->id));
    o_break_if(k, !spends && until <= c->now, CH_REJ_in_the_past);
    o_break_if(k, c->amount[0] == 0, CH_REJ_amount_zero);
    o_break_if(k, c->amount[0] > left, CH_REJ_credits_exhausted);
    o_break_if(k, !spends && until > c->now + LIMIT_RESERVATION_MOST_MS * UINT64_C(1000000),
               CH_REJ_limit_reached);
    if (k->code != 0) return;
    begin(k, &s);
    const uint64_t seq =
        o_event(k, spends ? CH_EV_credits_spent : CH_EV_credits_reserved, k->on->id);
    CH_CHECK(k->w->taking_count < O_TAKINGS);
    k->w->takings[k->w->taking_count++] =
        (struct o_taking){.id = spends ? 0 : seq,
                          .plan = plan->id,
                          .amount = c->amount[0],
                          .expires_at = spends ? 0 : until,
                          .account = k->on->id,
                          .counts = true,
                          .holder = draws_on(k->w, plan, k->on->id)};
}

static void end_reservation(struct o_case *k, struct o_world *copy, bool settles)
{
    const struct o_command *c = k->c;
    struct o_taking *t = NULL;
    struct sight s;
    for (size_t i = 0; i < k->w->taking_count; i++) {
        if (c->thing != 0 && k->w->takings[i].id == c->thing) t = &k->w->takings[i];
    }
    o_break_if(k, t == NULL, CH_REJ_not_found);
    if (t == NULL) return;
    o_break_if(k, t->expires_at <= c->now, CH_REJ_reservation_over);
    o_break_if(k, settles && c->amount[0] > t->amount, CH_REJ_over_reserved);
    if (k->code != 0) return;
    struct o_plan *plan = NULL;
    for (size_t i = 0; i < k->w->plan_count; i++) {
        if (k->w->plans[i].id == t->plan) plan = &k->w->plans[i];
    }
    look(k, &s, plan, copy);
    begin(k, &s);
    o_event(k, settles ? CH_EV_credits_settled : CH_EV_credits_released, t->account);
    t->id = 0;
    t->amount = settles ? c->amount[0] : 0;
}

/* The account below `on` that is meant, under its plan. */
static void account_below(struct o_case *k, bool open)
{
    struct o_world *w = k->w;
    const uint64_t account = k->below->id;
    const struct o_plan *plan = o_plan_of(w, k->on->id);
    const bool inside = o_stands_in(w, account, k->on->id);
    o_break_if(k, !inside, CH_REJ_not_found);
    for (uint64_t a = account; inside && open && a != k->on->id; a = o_account(w, a)->parent) {
        o_break_if(k, o_account(w, a)->closed, CH_REJ_account_closed);
    }
    o_break_if(k, plan == NULL, CH_REJ_no_plan);
    if (k->code != 0) return;
    o_break_if(k, account == k->on->id || o_plan_over(w, account) != plan, CH_REJ_outside_plan);
}

static void allocate(struct o_case *k, struct o_world *copy)
{
    const struct o_command *c = k->c;
    const bool own = c->allocation != CH_allocation_type_unlimited;
    const bool recurring = c->allocation == CH_allocation_type_recurring;
    struct sight s;
    account_below(k, true);
    if (k->code != 0) return;
    o_break_if(k, c->has_amount[0] != own || c->has_frequency != recurring, CH_REJ_fields_disagree);
    o_break_if(k, own && c->has_amount[0] && c->amount[0] == 0, CH_REJ_amount_zero);
    if (k->code != 0) return;
    const uint64_t account = k->below->id;
    look(k, &s, o_plan_of(k->w, k->on->id), copy);
    const struct o_holding *h = o_holding(s.w, account);
    const bool holds = finite(h, s.plan->id);
    const uint64_t in_use =
        o_taken(s.w, s.plan->id, account, false) + o_taken(s.w, s.plan->id, account, true);
    const bool same = !s.turned && h->plan == s.plan->id && h->type == c->allocation &&
                      (!own || (h->grant == c->amount[0] && h->total == c->amount[0])) &&
                      (!recurring || h->frequency == c->frequency);
    if (same) return;
    o_break_if(k, own && c->amount[0] < in_use, CH_REJ_credits_in_use);
    o_break_if(k, own && c->amount[0] > o_remains(s.w, s.plan, 0) + (holds ? h->total : 0),
               CH_REJ_credits_exhausted);
    if (k->code != 0) return;
    begin(k, &s);
    o_event(k, CH_EV_credits_allocated, k->on->id);
    set_holding(k->w, o_plan_of(k->w, k->on->id), account, c);
}

static void withdraw(struct o_case *k, struct o_world *copy)
{
    struct sight s;
    account_below(k, false);
    if (k->code != 0) return;
    o_break_if(k, o_holding(k->w, k->below->id)->plan == 0, CH_REJ_no_allocation);
    if (k->code != 0) return;
    look(k, &s, o_plan_of(k->w, k->on->id), copy);
    begin(k, &s);
    o_event(k, CH_EV_allocation_withdrawn, k->on->id);
    o_drop_holding(k->w, k->below->id);
}

void o_credit_rules(struct o_case *k)
{
    static struct o_world copy;
    switch (k->c->type) {
    case CH_CMD_credits_spend: use(k, &copy, true); break;
    case CH_CMD_credits_reserve: use(k, &copy, false); break;
    case CH_CMD_credits_settle: end_reservation(k, &copy, true); break;
    case CH_CMD_credits_release: end_reservation(k, &copy, false); break;
    case CH_CMD_credits_allocate: allocate(k, &copy); break;
    case CH_CMD_credits_withdraw: withdraw(k, &copy); break;
    default: break;
    }
}
