/* rules_account: accounts, users, guardrails in the oracle. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

static bool name_taken(struct o_world *w, uint64_t parent, const char *name)
{
    for (size_t i = 0; i < w->account_count; i++) {
        if (w->accounts[i].parent == parent && strcmp(w->accounts[i].name, name) == 0) return true;
    }
    return false;
}

static void open_account(struct o_case *k, uint64_t parent, uint64_t sub_depth)
{
    struct o_world *w = k->w;
    CH_CHECK(w->account_count < O_ACCOUNTS);
    struct o_account *a = &w->accounts[w->account_count++];
    memset(a, 0, sizeof *a);
    a->id = w->head + 1;
    a->parent = parent;
    a->sub_depth = sub_depth;
    memcpy(a->name, k->c->name, sizeof a->name);
    o_event(k, CH_EV_account_opened, a->id);
    o_event(k, CH_EV_key_created, a->id); /* its first key */
}

static void open_master(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_world *w = k->w;
    uint64_t depth = c->has_depth ? c->depth : 1;
    o_break_if(k, name_taken(w, 0, c->name), CH_REJ_name_taken);
    o_break_if(k, depth > LIMIT_ACCOUNT_DEPTH, CH_REJ_too_deep);
    if (k->code != 0) return;
    open_account(k, 0, depth);
    uint64_t account = w->accounts[w->account_count - 1].id;
    if (k->user == NULL) return;
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0) continue;
        s->id = o_event(k, CH_EV_share_given, account);
        s->account = account;
        s->subject = k->user->id;
        s->reach = CH_reach_subtree;
        for (size_t r = 0; r < w->role_count; r++) {
            if (w->roles[r].account == 0 && strcmp(w->roles[r].name, "owner") == 0) {
                s->role = w->roles[r].id;
            }
        }
        return;
    }
    CH_CHECK(false);
}

/* What the operator allowed an account holds for all that stands below it, as far as it goes. */
static uint64_t levels_left(struct o_world *w, const struct o_account *a)
{
    uint64_t most = 0, steps = 0;
    for (; a != NULL; a = o_account(w, a->parent), steps++) {
        if (a->sub_depth >= steps + most) most = a->sub_depth - steps;
    }
    return most;
}

static uint64_t depth_of(struct o_world *w, const struct o_account *a)
{
    return a->parent == 0 ? 0 : 1 + depth_of(w, o_account(w, a->parent));
}

/* The event stands for what differs; none where nothing does. */
static void set_switches(struct o_case *k, struct o_account *a)
{
    const struct o_command *c = k->c;
    bool differs =
        (c->has_lock && c->lock != a->content_locked) || (c->has_take && c->take != a->takes_feeds);
    if (!differs) return;
    if (c->has_lock) a->content_locked = c->lock;
    if (c->has_take) a->takes_feeds = c->take;
    o_event(k, CH_EV_switches_set, a->id);
}

static void change_switches(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_account *a = k->below;
    const bool child = a->parent == k->on->id;
    o_break_if(k, !child && !o_is_led(k, a->id), CH_REJ_not_found);
    o_break_if(k, a->closed, CH_REJ_account_closed);
    o_break_if(k, !child, CH_REJ_not_a_sub_account);
    /* Lifting a lock gives what it took. */
    o_break_if(k,
               a->content_locked && c->has_lock && !c->lock &&
                   !o_covers(k, a->id, CH_reach_account, o_content_edits(), NULL),
               CH_REJ_uncovered_scopes);
    o_break_if(k, !c->has_lock && !c->has_take, CH_REJ_nothing_to_set);
    if (k->code == 0) set_switches(k, a);
}

static void open_sub(struct o_case *k)
{
    o_break_if(k, levels_left(k->w, k->on) == 0, CH_REJ_not_a_master);
    o_break_if(k, name_taken(k->w, k->on->id, k->c->name), CH_REJ_name_taken);
    if (k->code != 0) return;
    open_account(k, k->on->id, 0);
    set_switches(k, &k->w->accounts[k->w->account_count - 1]);
}

static void grant_master(struct o_case *k)
{
    uint64_t depth = k->c->has_depth ? k->c->depth : 1;
    o_break_if(k, depth_of(k->w, k->on) + depth > LIMIT_ACCOUNT_DEPTH, CH_REJ_too_deep);
    if (k->code != 0 || (k->on->sub_depth == depth && !k->on->asks_master)) return;
    o_event(k, CH_EV_master_granted, k->on->id);
    k->on->sub_depth = depth;
    k->on->asks_master = false;
}

static void ask_master(struct o_case *k)
{
    o_break_if(k, levels_left(k->w, k->on) > 0, CH_REJ_master_already);
    o_break_if(k, k->on->asks_master, CH_REJ_already_asked);
    o_break_if(k, depth_of(k->w, k->on) == LIMIT_ACCOUNT_DEPTH, CH_REJ_too_deep);
    if (k->code != 0) return;
    o_event(k, CH_EV_master_requested, k->on->id);
    k->on->asks_master = true;
}

static void decline_master(struct o_case *k)
{
    o_break_if(k, !k->on->asks_master, CH_REJ_nothing_asked);
    if (k->code != 0) return;
    o_event(k, CH_EV_master_declined, k->on->id);
    k->on->asks_master = false;
}

static void rename_account(struct o_case *k)
{
    if (strcmp(k->on->name, k->c->name) == 0) return;
    o_break_if(k, name_taken(k->w, k->on->parent, k->c->name), CH_REJ_name_taken);
    if (k->code != 0) return;
    o_event(k, CH_EV_account_renamed, k->on->id);
    memcpy(k->on->name, k->c->name, sizeof k->on->name);
}

static void set_from_domain(struct o_case *k)
{
    if (strcmp(k->on->from_domain, k->c->domain) == 0) return;
    o_event(k, CH_EV_from_domain_set, k->on->id);
    memcpy(k->on->from_domain, k->c->domain, sizeof k->on->from_domain);
}

/* Closing leaves everything in its place, to be there again after reopening. */
static void close_one(struct o_case *k, struct o_account *a, uint64_t act)
{
    o_event(k, CH_EV_account_closed, a->id);
    a->closed = true;
    a->closed_act = act;
}

/* Those closed in the same act stand below it, and come after it here. */
static void reopen_account(struct o_case *k)
{
    struct o_world *w = k->w;
    struct o_account *top = k->on;
    bool below = k->c->has_flag && k->c->flag;
    o_break_if(k, o_closed(w, top->parent), CH_REJ_account_closed);
    o_break_if(k, !top->closed, CH_REJ_not_closed);
    if (k->code != 0) return;
    for (size_t i = 0; i < w->account_count; i++) {
        struct o_account *a = &w->accounts[i];
        bool asked = a == top || (below && o_stands_in(w, a->id, top->id));
        if (!asked || !a->closed || a->closed_act != top->closed_act) continue;
        o_event(k, CH_EV_account_reopened, a->id);
        a->closed = false;
    }
}

static void suspend(struct o_case *k)
{
    bool operator= k->c->actor_kind == CH_actor_kind_operator;
    o_event(k, CH_EV_account_suspended, k->on->id);
    k->on->suspended[operator] = true;
}

static void resume(struct o_case *k)
{
    bool operator= k->c->actor_kind == CH_actor_kind_operator;
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

static void set_guardrail(struct o_case *k)
{
    struct ch_scopes now = k->c->scopes, before = k->on->guardrail;
    /* What is lifted is given to those below. */
    o_break_if(k, !o_covers(k, k->on->id, CH_reach_subtree, ch_scopes_but(before, now), NULL),
               CH_REJ_uncovered_scopes);
    if (k->code != 0 || ch_scopes_equal(before, now)) return;
    o_event(k, CH_EV_guardrail_set, k->on->id);
    k->on->guardrail = now;
}

static void create_user(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_world *w = k->w;
    for (size_t i = 0; i < w->user_count; i++) {
        const struct o_user *u = &w->users[i];
        o_break_if(k, c->has_name && strcmp(u->username, c->name) == 0, CH_REJ_username_taken);
        o_break_if(k, c->has_email && strcmp(u->email, c->email) == 0, CH_REJ_email_taken);
    }
    o_break_if(k, !c->has_name && !c->has_email, CH_REJ_name_missing);
    if (k->code != 0) return;
    CH_CHECK(w->user_count < O_USERS);
    struct o_user *u = &w->users[w->user_count++];
    memset(u, 0, sizeof *u);
    u->id = o_event(k, CH_EV_user_created, 0);
    if (c->has_name) memcpy(u->username, c->name, sizeof u->username);
    if (c->has_email) memcpy(u->email, c->email, sizeof u->email);
}

void o_account_rules(struct o_case *k)
{
    int type = k->c->type;
    if (type == CH_CMD_account_open_master) {
        open_master(k);
    } else if (type == CH_CMD_account_open_sub) {
        open_sub(k);
    } else if (type == CH_CMD_account_set_switches) {
        change_switches(k);
    } else if (type == CH_CMD_account_close) {
        close_account(k);
    } else if (type == CH_CMD_account_reopen) {
        reopen_account(k);
    } else if (type == CH_CMD_account_suspend) {
        suspend(k);
    } else if (type == CH_CMD_account_resume) {
        resume(k);
    } else if (type == CH_CMD_account_rename) {
        rename_account(k);
    } else if (type == CH_CMD_account_set_from_domain) {
        set_from_domain(k);
    } else if (type == CH_CMD_account_request_master) {
        ask_master(k);
    } else if (type == CH_CMD_account_grant_master) {
        grant_master(k);
    } else if (type == CH_CMD_account_decline_master) {
        decline_master(k);
    } else if (type == CH_CMD_guardrail_set) {
        set_guardrail(k);
    } else if (type == CH_CMD_user_create) {
        create_user(k);
    } else if (type == CH_CMD_user_lock || type == CH_CMD_user_unlock) {
        bool lock = type == CH_CMD_user_lock;
        if (k->user->locked == lock) return;
        o_event(k, lock ? CH_EV_user_locked : CH_EV_user_unlocked, 0);
        k->user->locked = lock;
    }
}
