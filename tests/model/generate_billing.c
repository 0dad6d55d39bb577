/* generate_billing: arguments of commands about plans and credits. SPDX-License-Identifier: MIT */
#include "tests/model/generate_impl.h"

#include "schema/base/check.h"

static const char *const plan_names[] = {"Small", "Large", "Agency"};

static void some_terms(struct m_random *random, struct o_command *c)
{
    const bool changes = c->type == CH_CMD_plan_change;
    m_put(c->name, sizeof c->name, plan_names[m_below(random, COUNT(plan_names))]);
    c->has_name = m_chance(random, 40);
    c->has_amount[0] = !changes || m_chance(random, 60);
    c->amount[0] = c->has_amount[0] ? 100 + m_below(random, 900) : 0;
    if (m_chance(random, 5)) c->amount[0] = changes ? 1 + m_below(random, 20) : 0;
    c->has_amount[1] = changes && m_chance(random, 40);
    c->amount[1] = c->has_amount[1] ? m_below(random, 30) * 40 : 0;
    c->has_flag = m_chance(random, 30);
    c->flag = c->has_flag && m_chance(random, 60);
    c->has_frequency = m_chance(random, 50);
    c->frequency = c->has_frequency ? (uint8_t)m_below(random, 3) : 0;
    c->has_anchor = m_chance(random, 25);
    if (c->has_anchor) c->anchor = c->now + m_below(random, 40) * O_DAY_NS;
    c->rates = m_chance(random, 50) ? 0 : 1;
    if (m_chance(random, 5)) c->rates = 2 + m_below(random, 2);
    c->price = m_below(random, 4);
}

/* An account that has a plan, or is billed as is asked for; with who sees to it. */
static void go_to_plan(struct m_random *random, struct o_world *w, struct o_command *c,
                       bool of_its_own)
{
    for (int i = 0; i < 60 && w->plan_count > 0 && m_chance(random, 98); i++) {
        const struct o_plan *p = &w->plans[m_below(random, (uint32_t)w->plan_count)];
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        if (p->id == 0) continue;
        if (!of_its_own && !o_stands_in(w, a->id, p->account)) continue;
        m_go_to(c, of_its_own ? p->account : a->id);
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, c->on.id), c);
        }
        return;
    }
}

static void pick_below(struct m_random *random, struct o_world *w, struct o_command *c)
{
    (void)m_pick_account(random, w, &c->below);
    for (int i = 0; i < 100 && c->on.id != 0 && m_chance(random, 98); i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        if (a->id == c->on.id && !m_chance(random, 3)) continue;
        if (!o_stands_in(w, a->id, c->on.id)) continue;
        if (c->type == CH_CMD_credits_withdraw && o_holding(w, a->id)->plan == 0 &&
            !m_chance(random, 4)) {
            continue;
        }
        m_pick_id(&c->below, a->id);
        return;
    }
}

static void fill_allocation(struct m_random *random, struct o_world *w, struct o_command *c)
{
    go_to_plan(random, w, c, /* of_its_own= */ true);
    pick_below(random, w, c);
    if (c->type == CH_CMD_credits_withdraw) return;
    c->allocation = (uint8_t)m_below(random, 3);
    c->has_amount[0] = c->allocation != CH_allocation_type_unlimited;
    c->amount[0] = c->has_amount[0] ? 1 + m_below(random, 200) : 0;
    c->has_frequency = c->allocation == CH_allocation_type_recurring;
    c->frequency = c->has_frequency ? (uint8_t)m_below(random, 3) : 0;
    if (m_chance(random, 4)) c->has_amount[0] = !c->has_amount[0];
    if (m_chance(random, 3)) c->amount[0] = 0;
}

static void fill_use(struct m_random *random, struct o_world *w, struct o_command *c)
{
    if (c->type == CH_CMD_credits_spend || c->type == CH_CMD_credits_reserve) {
        go_to_plan(random, w, c, /* of_its_own= */ false);
        c->amount[0] = m_chance(random, 80) ? 1 + m_below(random, 40) : m_below(random, 1000);
        if (m_chance(random, 40)) m_some_expiry(random, c);
        return;
    }
    c->has_thing = true;
    c->thing = NOBODY;
    if (m_chance(random, 5)) return;
    for (EACH(i, random, w->takings)) {
        const struct o_taking *t = &w->takings[i];
        if (t->id == 0) continue;
        c->thing = t->id;
        c->amount[0] = m_below(random, (uint32_t)t->amount + 2);
        return;
    }
}

static void go_to_asked(struct m_random *random, struct o_world *w, struct o_command *c,
                        uint8_t status)
{
    for (int i = 0; i < 60 && m_chance(random, 97); i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        if (a->separation == status) m_go_to(c, a->id);
    }
}

/* By the owner, most often: it is theirs to ask. */
static void go_to_sub(struct m_random *random, struct o_world *w, struct o_command *c)
{
    for (int i = 0; i < 60; i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        if (a->parent == 0 && !m_chance(random, 3)) continue;
        m_go_to(c, a->id);
        const uint64_t owner = o_owner(w, a->id);
        if (owner != 0 && m_chance(random, 60)) m_act_as(c, CH_actor_kind_user, owner);
        return;
    }
}

void m_fill_billing(struct m_random *random, struct o_world *w, const struct o_account *on,
                    struct o_command *c)
{
    (void)on;
    switch (c->type) {
    case CH_CMD_plan_set:
        some_terms(random, c);
        for (int i = 0; i < 60 && m_chance(random, 96); i++) {
            const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
            if (a->parent == 0 && !a->closed) m_go_to(c, a->id);
        }
        break;
    case CH_CMD_plan_change:
        some_terms(random, c);
        go_to_plan(random, w, c, /* of_its_own= */ true);
        break;
    case CH_CMD_billing_grant_separation:
        some_terms(random, c);
        go_to_asked(random, w, c, CH_separation_status_requested);
        break;
    case CH_CMD_billing_refuse_separation:
        go_to_asked(random, w, c, CH_separation_status_requested);
        break;
    case CH_CMD_billing_end_separation:
        go_to_asked(random, w, c, CH_separation_status_granted);
        break;
    case CH_CMD_plan_end: go_to_plan(random, w, c, /* of_its_own= */ true); break;
    case CH_CMD_billing_request_separation: go_to_sub(random, w, c); break;
    case CH_CMD_credits_allocate:
    case CH_CMD_credits_withdraw: fill_allocation(random, w, c); break;
    case CH_CMD_credits_spend:
    case CH_CMD_credits_reserve:
    case CH_CMD_credits_settle:
    case CH_CMD_credits_release: fill_use(random, w, c); break;
    default: break;
    }
}
