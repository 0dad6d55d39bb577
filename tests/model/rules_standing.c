/* rules_standing: how accounts stand in the oracle: closed, reopened, suspended, resumed.
 * SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

/* Closing leaves everything in its place, to be there again after reopening. */
static void close_one(struct o_case *k, struct o_account *a, uint64_t act)
{
    o_event(k, CH_EV_account_closed, a->id);
    a->closed = true;
    a->closed_act = act;
    a->reopen_until = k->c->now + k->w->grace_days * O_DAY_NS;
}

/* Those closed in the same act stand below it, and come after it here. */
static void reopen_account(struct o_case *k)
{
    struct o_world *w = k->w;
    struct o_account *top = k->on;
    bool below = k->c->has_flag && k->c->flag;
    o_break_if(k, o_closed(w, top->parent), CH_REJ_account_closed);
    o_break_if(k, !top->closed, CH_REJ_not_closed);
    o_break_if(k, top->reopen_until <= k->c->now, CH_REJ_grace_over);
    if (k->code != 0) return;
    for (size_t i = 0; i < w->account_count; i++) {
        struct o_account *a = &w->accounts[i];
        bool asked = a == top || (below && o_stands_in(w, a->id, top->id));
        if (!asked || !a->closed || a->dissolved || a->closed_act != top->closed_act) continue;
        o_event(k, CH_EV_account_reopened, a->id);
        a->closed = false;
    }
}

static void suspend(struct o_case *k)
{
    const bool operator= o_is_operator(k);
    o_event(k, CH_EV_account_suspended, k->on->id);
    k->on->suspended[operator] = true;
}

static void resume(struct o_case *k)
{
    const bool operator= o_is_operator(k);
    o_break_if(k, !k->on->suspended[operator], CH_REJ_not_suspended);
    if (k->code != 0) return;
    o_event(k, CH_EV_account_resumed, k->on->id);
    k->on->suspended[operator] = false;
}

static void close_account(struct o_case *k)
{
    struct o_world *w = k->w;
    bool below = k->c->has_flag && k->c->flag;
    uint64_t owner = o_owner(w, k->on->id);
    bool by_owner = k->c->actor_kind == CH_actor_kind_user && k->c->actor == owner;
    o_break_if(k, owner != 0 && !by_owner, CH_REJ_owner_only);
    for (size_t i = 0; i < w->account_count; i++) {
        const struct o_account *a = &w->accounts[i];
        o_break_if(k, !below && !a->closed && a->parent == k->on->id, CH_REJ_has_children);
    }
    if (k->code != 0) return;
    uint64_t act = w->head + 1;
    /* A younger account never stands above an older one. */
    for (size_t i = w->account_count; i-- > 0;) {
        struct o_account *a = &w->accounts[i];
        if (!a->closed && o_stands_in(w, a->id, k->on->id)) close_one(k, a, act);
    }
}

void o_standing_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_account_close) close_account(k);
    if (type == CH_CMD_account_reopen) reopen_account(k);
    if (type == CH_CMD_account_suspend) suspend(k);
    if (type == CH_CMD_account_resume) resume(k);
}
