/* rules_share: shares in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include <stdlib.h>

#include "schema/base/check.h"
#include "schema/limits.h"

static bool covers_grants(const struct o_case *k, const struct o_share *s, uint8_t reach)
{
    bool covered = true;
    for (uint32_t kind = 0; kind < O_KINDS; kind++) {
        for (uint32_t n = 0; n < O_RESOURCES; n++) {
            const uint8_t r = (uint8_t)n;
            covered = covered && (!s->granted[kind][r] ||
                                  o_covers(k, s->account, reach, s->grant[kind][r], &r));
        }
    }
    return covered;
}

/* All that a share's role and grants name, whatever it is limited to or loses by restrictions. */
static bool covers_share(const struct o_case *k, const struct o_share *s)
{
    const struct o_role *role = o_role(k->w, s->role);
    if (role != NULL && !o_covers(k, s->account, s->reach, role->scopes, NULL)) return false;
    if (!o_covers(k, s->account, s->reach, s->own, NULL)) return false;
    return covers_grants(k, s, s->reach);
}

bool o_covers_group(const struct o_case *k, uint64_t group)
{
    for (; group != 0; group = o_group(k->w, group)->parent) {
        for (size_t i = 0; i < O_SHARES; i++) {
            const struct o_share *s = &k->w->shares[i];
            if (s->id == 0 || s->subject_kind != CH_subject_kind_group || s->subject != group) {
                continue;
            }
            if (!covers_share(k, s)) return false;
        }
    }
    return true;
}

/* Whether the share is the actor's own, or that of a group that the actor is in. */
static bool is_of_actor(const struct o_case *k, uint8_t subject_kind, uint64_t subject)
{
    if (k->c->actor_kind != CH_actor_kind_user) return false;
    if (subject_kind == CH_subject_kind_user) return subject == k->c->actor;
    for (size_t i = 0; i < O_MEMBERS; i++) {
        const struct o_member *m = &k->w->members[i];
        if (m->group != 0 && m->user == k->c->actor && o_group_in(k->w, m->group, subject)) {
            return true;
        }
    }
    return false;
}

static bool is_owners(struct o_world *w, const struct o_share *s)
{
    const struct o_role *role = o_role(w, s->role);
    return role != NULL && role->account == 0 && strcmp(role->name, "owner") == 0;
}

uint64_t o_owner(struct o_world *w, uint64_t account)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id != 0 && is_owners(w, s) && o_stands_in(w, account, s->account)) return s->subject;
    }
    return 0;
}

/* One owner for a tree, on its root, appointed by the operator; by a plain share without an end. */
static bool may_own(const struct o_case *k, const struct o_share *made)
{
    return k->c->actor_kind != CH_actor_kind_user && k->on->parent == 0 &&
           o_owner(k->w, k->on->id) == 0 && made->subject_kind == CH_subject_kind_user &&
           made->reach == CH_reach_subtree && made->kind == CH_share_kind_member &&
           made->expires_at == 0;
}

static void give(struct o_case *k, uint8_t subject_kind, uint64_t subject)
{
    const struct o_command *c = k->c;
    struct o_world *w = k->w;
    uint8_t reach = c->has_reach ? c->reach : CH_reach_account;
    struct o_share made = {.account = k->on->id, .subject_kind = subject_kind, .subject = subject};
    made.kind = c->has_share_kind ? c->share_kind : CH_share_kind_member;
    made.reach = reach;
    made.role = k->role == NULL ? 0 : k->role->id;
    made.expires_at = c->has_expiry ? c->expires_at : 0;
    o_break_if(k, is_of_actor(k, subject_kind, subject), CH_REJ_own_rights);
    if (k->role != NULL) {
        o_break_if(k, !o_covers(k, k->on->id, reach, k->role->scopes, NULL),
                   CH_REJ_uncovered_scopes);
        o_break_if(k, is_owners(w, &made) && !may_own(k, &made), CH_REJ_owner_share);
    }
    /* The owner has all there is; a second share could only take from it. */
    o_break_if(k, subject_kind == CH_subject_kind_user && o_owner(w, k->on->id) == subject,
               CH_REJ_owner_share);
    o_break_if(k, o_share(w, subject_kind, subject, k->on->id) != NULL, CH_REJ_share_exists);
    o_break_if(k, c->has_expiry && c->expires_at <= c->now, CH_REJ_in_the_past);
    if (k->code != 0) return;
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0) continue;
        *s = made;
        s->id = o_event(k, CH_EV_share_given, k->on->id);
        return;
    }
    CH_CHECK(false);
}

/* Whether a share may stop counting: nobody then has more than the actor has. */
static bool may_go(struct o_case *k, const struct o_share *s)
{
    const bool counts =
        s->status == CH_share_status_active && (s->expires_at == 0 || s->expires_at > k->c->now);
    if (!counts || k->c->actor_kind != CH_actor_kind_user) return true;
    if (s->subject_kind == CH_subject_kind_group) return o_covers_denied(k, s);
    struct o_world *after = malloc(sizeof *after);
    CH_CHECK(after != NULL);
    *after = *k->w;
    o_end_share(after, o_share(after, s->subject_kind, s->subject, s->account));
    const bool may = o_gives_nothing_back(k, after, s->subject);
    free(after);
    return may;
}

/* Who counts again has again what their groups have. */
static bool covers_memberships(struct o_case *k, const struct o_share *s)
{
    for (size_t i = 0; i < O_MEMBERS && s->subject_kind == CH_subject_kind_user; i++) {
        const struct o_member *m = &k->w->members[i];
        if (m->group == 0 || m->user != s->subject) continue;
        if (o_group(k->w, m->group)->account != s->account) continue;
        if (!o_covers_group(k, m->group)) return false;
    }
    return true;
}

static void set_role(struct o_case *k, struct o_share *s)
{
    uint8_t reach = k->c->has_reach ? k->c->reach : s->reach;
    uint64_t role = k->role == NULL ? 0 : k->role->id;
    if (k->role != NULL) {
        o_break_if(k, !o_covers(k, k->on->id, reach, k->role->scopes, NULL),
                   CH_REJ_uncovered_scopes);
    }
    bool wider = reach == CH_reach_subtree && s->reach != reach;
    o_break_if(k, wider && !covers_grants(k, s, reach), CH_REJ_uncovered_scopes);
    o_break_if(k, wider && !o_covers(k, s->account, reach, s->own, NULL), CH_REJ_uncovered_scopes);
    bool narrower = reach == CH_reach_account && s->reach != reach;
    o_break_if(k, narrower && !o_covers(k, s->account, CH_reach_subtree, o_denies(s), NULL),
               CH_REJ_uncovered_scopes);
    if (k->code == 0 && role == s->role && reach == s->reach) return;
    const struct o_share as_owner = {.role = role};
    o_break_if(k, role != s->role && is_owners(k->w, &as_owner), CH_REJ_owner_share);
    if (k->code != 0) return;
    o_event(k, CH_EV_share_role_set, k->on->id);
    s->role = role;
    s->reach = reach;
}

static void set_expiry(struct o_case *k, struct o_share *s)
{
    uint64_t at = k->c->has_expiry ? k->c->expires_at : 0;
    if (at == s->expires_at) return;
    bool longer = at == 0 || (s->expires_at != 0 && at > s->expires_at);
    o_break_if(k, longer && !(covers_share(k, s) && covers_memberships(k, s)),
               CH_REJ_uncovered_scopes);
    o_break_if(k, !longer && !may_go(k, s), CH_REJ_uncovered_scopes);
    o_break_if(k, k->c->has_expiry && at <= k->c->now, CH_REJ_in_the_past);
    if (k->code != 0) return;
    o_event(k, CH_EV_share_expiry_set, k->on->id);
    s->expires_at = at;
}

static void limit(struct o_case *k, struct o_share *s)
{
    const struct o_command *c = k->c;
    bool all = c->has_flag && c->flag;
    uint8_t chosen = all ? 0 : c->resources;
    o_break_if(k, !covers_share(k, s), CH_REJ_uncovered_scopes);
    o_break_if(k, c->resource_kind == 0, CH_REJ_wrong_resource);
    if (k->code != 0 || (all && !s->limited[c->resource_kind])) return;
    o_event(k, CH_EV_share_limited, k->on->id);
    s->limited[c->resource_kind] = !all;
    s->chosen[c->resource_kind] = chosen;
}

static void restrict_share(struct o_case *k, struct o_share *s)
{
    struct ch_scopes denied = k->hidden;
    if (k->c->has_scopes) denied = ch_scopes_or(denied, k->c->scopes);
    struct ch_scopes lifted = ch_scopes_but(s->denied, denied);
    o_break_if(k, !o_covers(k, s->account, s->reach, lifted, NULL), CH_REJ_uncovered_scopes);
    /* Choosing a list goes with sending to it: it is not taken away alone. */
    o_break_if(k,
               !ch_scopes_equal(denied, s->denied) &&
                   ch_scopes_has(denied, CH_SCOPE_lists_select) &&
                   !ch_scopes_has(denied, CH_SCOPE_campaigns_send),
               CH_REJ_implied_scope);
    if (k->code != 0 || ch_scopes_equal(denied, s->denied)) return;
    o_event(k, CH_EV_share_restricted, k->on->id);
    s->denied = denied;
}

static void grant(struct o_case *k, struct o_share *s)
{
    const struct o_command *c = k->c;
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        o_break_if(
            k,
            ch_scopes_has(c->scopes, scope) &&
                (c->resource_kind == 0 || ch_scopes_table[scope].resource_kind != c->resource_kind),
            CH_REJ_wrong_resource);
    }
    o_break_if(k, c->resource_kind == 0 || ch_scopes_empty(c->scopes), CH_REJ_wrong_resource);
    o_break_if(k, !o_covers(k, s->account, s->reach, c->scopes, &c->resource),
               CH_REJ_uncovered_scopes);
    if (k->code != 0) return;
    struct ch_scopes *at = &s->grant[c->resource_kind][c->resource];
    bool *has = &s->granted[c->resource_kind][c->resource];
    if (*has && ch_scopes_equal(*at, c->scopes)) return;
    o_event(k, CH_EV_grant_set, k->on->id);
    *has = true;
    *at = c->scopes;
}

bool o_owners_alone(struct ch_scopes scopes)
{
    return ch_scopes_has(scopes, CH_SCOPE_account_close) ||
           ch_scopes_has(scopes, CH_SCOPE_account_transfer) ||
           ch_scopes_has(scopes, CH_SCOPE_master_keys_create);
}

static void set_scopes(struct o_case *k, struct o_share *s)
{
    const struct ch_scopes added = ch_scopes_but(k->c->scopes, s->own);
    o_break_if(k, !o_covers(k, s->account, s->reach, added, NULL), CH_REJ_uncovered_scopes);
    o_break_if(k, o_owners_alone(added), CH_REJ_owners_alone);
    if (k->code != 0 || ch_scopes_equal(s->own, k->c->scopes)) return;
    o_event(k, CH_EV_share_scopes_set, k->on->id);
    s->own = k->c->scopes;
}

static void revoke(struct o_case *k, struct o_share *s)
{
    const struct o_command *c = k->c;
    o_break_if(k, !s->granted[c->resource_kind][c->resource], CH_REJ_no_such_grant);
    if (k->code != 0) return;
    o_event(k, CH_EV_grant_revoked, k->on->id);
    s->granted[c->resource_kind][c->resource] = false;
    s->grant[c->resource_kind][c->resource] = (struct ch_scopes){{0, 0}};
}

static void set_status(struct o_case *k, struct o_share *s, uint8_t status, uint16_t tag)
{
    if (s->status == status) return;
    if (status == CH_share_status_active) {
        o_break_if(k, !covers_share(k, s) || !covers_memberships(k, s), CH_REJ_uncovered_scopes);
    } else {
        o_break_if(k, !may_go(k, s), CH_REJ_uncovered_scopes);
    }
    if (k->code != 0) return;
    o_event(k, tag, k->on->id);
    s->status = status;
}

static void change(struct o_case *k, struct o_share *s)
{
    o_break_if(k, is_of_actor(k, s->subject_kind, s->subject), CH_REJ_own_rights);
    o_break_if(k, is_owners(k->w, s), CH_REJ_owner_share);
    if (k->code != 0) return; /* whatever was asked of such a share */
    switch (k->c->type) {
    case CH_CMD_share_set_role: set_role(k, s); break;
    case CH_CMD_share_set_expiry: set_expiry(k, s); break;
    case CH_CMD_share_limit: limit(k, s); break;
    case CH_CMD_share_restrict: restrict_share(k, s); break;
    case CH_CMD_share_grant: grant(k, s); break;
    case CH_CMD_share_set_scopes: set_scopes(k, s); break;
    case CH_CMD_share_revoke: revoke(k, s); break;
    case CH_CMD_share_deactivate:
        set_status(k, s, CH_share_status_inactive, CH_EV_share_deactivated);
        break;
    case CH_CMD_share_activate:
        set_status(k, s, CH_share_status_active, CH_EV_share_activated);
        break;
    default:
        CH_CHECK(k->c->type == CH_CMD_share_end);
        o_break_if(k, !may_go(k, s), CH_REJ_uncovered_scopes);
        if (k->code != 0) return;
        o_event(k, CH_EV_share_ended, k->on->id);
        o_end_share(k->w, s);
    }
}

void o_share_rules(struct o_case *k)
{
    int type = k->c->type;
    if (type < CH_CMD_share_give || type > CH_CMD_share_end) return;
    /* Without the one subject there is nothing that the other rules could look at. */
    o_break_if(k, (k->user != NULL) == (k->group != NULL), CH_REJ_one_subject);
    if (k->code != 0) return;
    uint8_t kind = k->group != NULL ? CH_subject_kind_group : CH_subject_kind_user;
    uint64_t subject = k->group != NULL ? k->group->id : k->user->id;
    if (type == CH_CMD_share_give) {
        give(k, kind, subject);
        return;
    }
    struct o_share *s = o_share(k->w, kind, subject, k->on->id);
    o_break_if(k, s == NULL, CH_REJ_not_a_member);
    if (s != NULL) change(k, s);
}

/* One event: the new owner's only share in the tree is that of its root, and who owned it before
 * manages it. */
static void pass_ownership(struct o_case *k, struct o_account *root, uint64_t user)
{
    struct o_world *w = k->w;
    uint64_t owner = 0, manager = 0;
    for (size_t i = 0; i < w->role_count; i++) {
        if (w->roles[i].account != 0) continue;
        if (strcmp(w->roles[i].name, "owner") == 0) owner = w->roles[i].id;
        if (strcmp(w->roles[i].name, "account_manager") == 0) manager = w->roles[i].id;
    }
    uint64_t seq = o_event(k, CH_EV_ownership_transferred, root->id);
    root->offered_to = 0;
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id == 0 || !o_stands_in(w, s->account, root->id)) continue;
        if (s->subject_kind == CH_subject_kind_user && s->subject == user) {
            o_end_share(w, s);
        } else if (s->role == owner) {
            s->role = manager;
        }
    }
    for (size_t i = 0; i < O_SHARES; i++) {
        if (w->shares[i].id != 0) continue;
        w->shares[i] = (struct o_share){.id = seq,
                                        .account = root->id,
                                        .subject_kind = CH_subject_kind_user,
                                        .subject = user,
                                        .role = owner,
                                        .reach = CH_reach_subtree};
        return;
    }
    CH_CHECK(false);
}

static void offer(struct o_case *k)
{
    uint64_t owner = o_owner(k->w, k->on->id);
    o_break_if(k, k->on->parent != 0, CH_REJ_not_a_root);
    o_break_if(k, k->on->offered_to != 0, CH_REJ_already_asked);
    o_break_if(k, k->user->locked, CH_REJ_user_locked);
    o_break_if(k, k->c->actor_kind != CH_actor_kind_user || k->c->actor != owner,
               CH_REJ_owner_only);
    o_break_if(k, k->user->id == owner, CH_REJ_own_rights);
    if (k->code != 0) return;
    o_event(k, CH_EV_ownership_offered, k->on->id);
    k->on->offered_to = k->user->id;
}

static void withdraw(struct o_case *k)
{
    uint64_t owner = o_owner(k->w, k->on->id);
    o_break_if(k, k->on->offered_to == 0, CH_REJ_nothing_asked);
    o_break_if(k, k->c->actor_kind != CH_actor_kind_user || k->c->actor != owner,
               CH_REJ_owner_only);
    if (k->code != 0) return;
    o_event(k, CH_EV_ownership_withdrawn, k->on->id);
    k->on->offered_to = 0;
}

/* To everybody but the one it was made to, the offer is not there. */
static void answer_offer(struct o_case *k, bool accepts)
{
    struct o_account *root = k->account;
    o_break_if(k, root->offered_to != k->c->actor, CH_REJ_not_found);
    if (k->code != 0) return;
    if (accepts) {
        o_break_if(k, o_closed(k->w, root->id), CH_REJ_account_closed);
        if (k->code == 0) pass_ownership(k, root, k->c->actor);
        return;
    }
    o_event(k, CH_EV_ownership_declined, root->id);
    root->offered_to = 0;
}

void o_ownership_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_ownership_offer) offer(k);
    if (type == CH_CMD_ownership_withdraw) withdraw(k);
    if (type == CH_CMD_ownership_accept) answer_offer(k, true);
    if (type == CH_CMD_ownership_decline) answer_offer(k, false);
    if (type != CH_CMD_ownership_assign) return;
    o_break_if(k, k->on->parent != 0, CH_REJ_not_a_root);
    o_break_if(k, k->user->locked, CH_REJ_user_locked);
    if (k->code != 0 || o_owner(k->w, k->on->id) == k->user->id) return;
    pass_ownership(k, k->on, k->user->id);
}
