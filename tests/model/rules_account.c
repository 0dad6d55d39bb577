/* rules_account: accounts and guardrails in the oracle. SPDX-License-Identifier: MIT */
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

static uint64_t open_account(struct o_case *k, uint64_t parent, uint64_t sub_depth)
{
    struct o_world *w = k->w;
    const struct ch_scopes scopes = o_first_key_scopes(k, parent);
    CH_CHECK(w->account_count < O_ACCOUNTS);
    struct o_account *a = &w->accounts[w->account_count++];
    memset(a, 0, sizeof *a);
    a->id = w->head + 1;
    a->parent = parent;
    a->sub_depth = sub_depth;
    memcpy(a->name, k->c->name, sizeof a->name);
    o_event(k, CH_EV_account_opened, a->id);
    o_first_key(k, a->id, scopes);
    return a->id;
}

static void give_owner(struct o_case *k, uint64_t account, uint64_t user)
{
    const struct o_share made = {.account = account,
                                 .subject_kind = CH_subject_kind_user,
                                 .subject = user,
                                 .reach = CH_reach_subtree,
                                 .role = o_built_in(k->w, "owner")->id};
    (void)o_new_share(k, &made, o_event(k, CH_EV_share_given, account));
}

static void open_master(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_world *w = k->w;
    uint64_t depth = c->has_depth ? c->depth : 1;
    o_break_if(k, name_taken(w, 0, c->name), CH_REJ_name_taken);
    o_break_if(k, depth > LIMIT_ACCOUNT_DEPTH, CH_REJ_too_deep);
    if (k->code != 0) return;
    const uint64_t account = open_account(k, 0, depth);
    if (k->user != NULL) give_owner(k, account, k->user->id);
}

/* A root of the person's own; who may have accounts below it the operator says. */
static void open_own(struct o_case *k)
{
    o_break_if(k, name_taken(k->w, 0, k->c->name), CH_REJ_name_taken);
    if (k->code == 0) give_owner(k, open_account(k, 0, 0), k->c->actor);
}

static uint64_t depth_of(struct o_world *w, const struct o_account *a)
{
    return a->parent == 0 ? 0 : 1 + depth_of(w, o_account(w, a->parent));
}

/* The event stands for what differs; none where nothing does. */
static void set_switches(struct o_case *k, struct o_account *a)
{
    const struct o_command *c = k->c;
    bool differs = false;
    for (uint32_t i = 0; i < O_SWITCHES; i++) {
        differs = differs || (c->has_switch[i] && c->switch_on[i] != a->switches[i]);
        if (c->has_switch[i]) a->switches[i] = c->switch_on[i];
    }
    if (differs) o_event(k, CH_EV_switches_set, a->id);
}

static void change_switches(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_account *a = k->below;
    const uint32_t lock = CH_setting_switch_content_locked;
    const bool child = a->parent == k->on->id;
    bool any = false;
    for (uint32_t i = 0; i < O_SWITCHES; i++) {
        any = any || c->has_switch[i];
    }
    o_break_if(k, !child && !o_is_led(k, a->id), CH_REJ_not_found);
    o_break_if(k, a->closed, CH_REJ_account_closed);
    o_break_if(k, !child, CH_REJ_not_a_sub_account);
    /* Lifting a lock gives what it took. */
    o_break_if(k,
               a->switches[lock] && c->has_switch[lock] && !c->switch_on[lock] &&
                   !o_covers(k, a->id, CH_reach_account, o_content_edits(), NULL),
               CH_REJ_uncovered_scopes);
    o_break_if(k, !any, CH_REJ_nothing_to_set);
    if (k->code == 0) set_switches(k, a);
}

/* A person of the sub-account's own, with role full there. */
static void make_login(struct o_case *k, uint64_t account)
{
    struct o_user *u = o_new_user(k, CH_EV_user_created, account);
    memcpy(u->username, k->c->login, sizeof u->username);
    if (k->c->has_full_name) memcpy(u->full_name, k->c->full_name, sizeof u->full_name);
    const struct o_share made = {.account = account,
                                 .subject_kind = CH_subject_kind_user,
                                 .subject = u->id,
                                 .role = o_built_in(k->w, "full")->id};
    (void)o_new_share(k, &made, o_event(k, CH_EV_share_given, account));
    if (k->c->has_password) o_set_password(k, u, account, 0);
}

static void open_sub(struct o_case *k)
{
    const struct o_command *c = k->c;
    o_break_if(k, o_levels_left(k->w, k->on->id) == 0, CH_REJ_not_a_master);
    o_break_if(k, name_taken(k->w, k->on->id, c->name), CH_REJ_name_taken);
    o_break_if(k, !c->has_name && (c->has_password || c->has_full_name), CH_REJ_name_missing);
    o_break_if(k, depth_of(k->w, k->on) + 1 > LIMIT_ACCOUNT_DEPTH, CH_REJ_too_deep);
    if (c->has_name) {
        o_break_if(k, o_username_taken(k->w, c->login), CH_REJ_username_taken);
        o_break_if(
            k, !o_covers(k, k->on->id, CH_reach_subtree, o_built_in(k->w, "full")->scopes, NULL),
            CH_REJ_uncovered_scopes);
    }
    if (k->code != 0) return;
    const uint64_t account = open_account(k, k->on->id, 0);
    if (c->has_name) make_login(k, account);
    struct o_account *a = o_account(k->w, account);
    if (c->domain[0] != 0) {
        o_event(k, CH_EV_from_domain_set, account);
        memcpy(a->from_domain, c->domain, sizeof a->from_domain);
    }
    set_switches(k, a);
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
    o_break_if(k, o_levels_left(k->w, k->on->id) > 0, CH_REJ_master_already);
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

void o_account_rules(struct o_case *k)
{
    int type = k->c->type;
    if (type == CH_CMD_account_open_master) {
        open_master(k);
    } else if (type == CH_CMD_account_open_own) {
        open_own(k);
    } else if (type == CH_CMD_account_open_sub) {
        open_sub(k);
    } else if (type == CH_CMD_account_set_switches) {
        change_switches(k);
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
    }
}
