/* rules_share: shares in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

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
bool o_covers_share(const struct o_case *k, const struct o_share *s)
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
            if (!o_covers_share(k, s)) return false;
        }
    }
    return true;
}

/* Whether the share is of the person who acts or made the key that does, or of a group they are
 * in. */
bool o_is_of_actor(const struct o_case *k, uint8_t subject_kind, uint64_t subject)
{
    const uint64_t person = o_person(k->w, k->c->actor_kind, k->c->actor);
    if (person == 0) return false;
    if (subject_kind == CH_subject_kind_user) return subject == person;
    for (size_t i = 0; i < O_MEMBERS; i++) {
        const struct o_member *m = &k->w->members[i];
        if (m->group != 0 && m->user == person && o_group_in(k->w, m->group, subject)) {
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
    return !o_is_bound(k) && k->on->parent == 0 && o_owner(k->w, k->on->id) == 0 &&
           made->subject_kind == CH_subject_kind_user && made->reach == CH_reach_subtree &&
           made->kind == CH_share_kind_member && made->expires_at == 0;
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
    o_break_if(k, o_is_of_actor(k, subject_kind, subject), CH_REJ_own_rights);
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
    if (k->code == 0) (void)o_new_share(k, &made, o_event(k, CH_EV_share_given, k->on->id));
}

struct o_share *o_new_share(struct o_case *k, const struct o_share *made, uint64_t seq)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &k->w->shares[i];
        if (s->id != 0) continue;
        *s = *made;
        s->id = seq;
        s->made_by = o_person(k->w, k->c->actor_kind, k->c->actor);
        s->used_day = s->certified_day = k->c->now / O_DAY_NS;
        return s;
    }
    CH_CHECK(false);
    return NULL;
}

bool o_may_go(struct o_case *k, const struct o_share *s)
{
    if (!o_counts(s, k->c->now) || o_is_operator(k)) return true;
    if (s->subject_kind == CH_subject_kind_group) return o_covers_denied(k, s);
    static struct o_world copy;
    struct o_world *after = &copy;
    *after = *k->w;
    o_end_share(after, o_share(after, s->subject_kind, s->subject, s->account));
    const bool may = o_gives_nothing_back(k, after, s->subject);
    return may;
}

/* Who counts again has again what their groups have. */
bool o_covers_memberships(struct o_case *k, const struct o_share *s)
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
    o_break_if(k, narrower && !o_covers(k, s->account, CH_reach_subtree, o_denies(k->w, s), NULL),
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
    o_break_if(k, longer && !(o_covers_share(k, s) && o_covers_memberships(k, s)),
               CH_REJ_uncovered_scopes);
    o_break_if(k, !longer && !o_may_go(k, s), CH_REJ_uncovered_scopes);
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
    o_break_if(k, !o_covers_share(k, s), CH_REJ_uncovered_scopes);
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
    s->grant_by[c->resource_kind][c->resource] = o_person(k->w, c->actor_kind, c->actor);
}

struct ch_scopes o_owners_own(void)
{
    struct ch_scopes own = ch_scopes_of(CH_SCOPE_account_close);
    ch_scopes_add(&own, CH_SCOPE_account_transfer);
    ch_scopes_add(&own, CH_SCOPE_master_keys_create);
    return own;
}

bool o_owners_alone(struct ch_scopes scopes)
{
    return !ch_scopes_empty(ch_scopes_and(scopes, o_owners_own()));
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

/* Whether the key is one that its maker leaves behind here or below. */
static bool goes_with(struct o_case *k, const struct o_key *key, uint64_t maker)
{
    return key->id != 0 && key->person == maker && !o_closed(k->w, key->account) &&
           o_stands_in(k->w, key->account, k->on->id);
}

/* What somebody made goes with them, if the command says so: their shares, and their grants on
 * shares that stay, but the owner's share and the actor's own; and their keys. */
static void end_made(struct o_case *k, uint64_t maker, const struct o_share *but)
{
    struct o_world *w = k->w;
    static struct o_world copy;
    struct o_world *after = &copy;
    *after = *w;
    o_end_share(after, o_share_id(after, but->id));
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->id == but->id || !o_stands_in(w, s->account, k->on->id)) continue;
        if (o_closed(w, s->account) || is_owners(w, s)) continue;
        if (o_is_of_actor(k, s->subject_kind, s->subject)) continue;
        const bool whole = s->made_by == maker;
        bool any = whole;
        for (uint32_t n = 0; n < O_KINDS * O_RESOURCES; n++) {
            const uint32_t kind = n / O_RESOURCES, r = n % O_RESOURCES;
            any = any || (s->granted[kind][r] && s->grant_by[kind][r] == maker);
        }
        if (!any) continue;
        if (s->account != k->on->id) {
            const int there = o_may_there(k, s->account, CH_SCOPE_shares_delete);
            o_break_if(k, there != 0, there);
            k->out->also[there] = true;
        }
        const bool may_go = !whole || o_may_go(k, s);
        o_break_if(k, !may_go, CH_REJ_uncovered_scopes);
        if (!may_go) k->out->also[CH_REJ_uncovered_scopes] = true;
        if (whole) o_end_share(after, o_share_id(after, s->id));
    }
    for (size_t i = 0; i < O_KEYS; i++) {
        const struct o_key *key = &w->keys[i];
        if (!goes_with(k, key, maker)) continue;
        const int there = o_may_there(k, key->account, CH_SCOPE_api_keys_revoke);
        o_break_if(k, there != 0, there);
        k->out->also[there] = true;
        const bool owners = key->kind == CH_key_kind_master && !o_acts_as_owner(k);
        o_break_if(k, owners, CH_REJ_owner_only);
        if (owners) k->out->also[CH_REJ_owner_only] = true;
    }
    /* All of them at once give nothing back either. */
    for (size_t u = 0; u < w->user_count; u++) {
        if (o_gives_nothing_back(k, after, w->users[u].id)) continue;
        o_break_if(k, true, CH_REJ_uncovered_scopes);
        k->out->also[CH_REJ_uncovered_scopes] = true;
    }
}

static void take_made(struct o_case *k, uint64_t maker, uint64_t but)
{
    struct o_world *w = k->w;
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->id == but || !o_stands_in(w, s->account, k->on->id)) continue;
        if (o_closed(w, s->account) || is_owners(w, s)) continue;
        if (o_is_of_actor(k, s->subject_kind, s->subject)) continue;
        if (s->made_by == maker) {
            const bool pending = s->status == CH_share_status_pending;
            o_event(k, pending ? CH_EV_invitation_cancelled : CH_EV_share_ended, s->account);
            o_end_share(w, s);
            continue;
        }
        for (uint32_t n = 0; n < O_KINDS * O_RESOURCES; n++) {
            const uint32_t kind = n / O_RESOURCES, r = n % O_RESOURCES;
            if (!s->granted[kind][r] || s->grant_by[kind][r] != maker) continue;
            o_event(k, CH_EV_grant_revoked, s->account);
            s->granted[kind][r] = false;
            s->grant[kind][r] = (struct ch_scopes){{0, 0}};
        }
    }
    for (size_t i = 0; i < O_KEYS; i++) {
        if (!goes_with(k, &w->keys[i], maker)) continue;
        o_event(k, CH_EV_key_revoked, w->keys[i].account);
        memset(&w->keys[i], 0, sizeof w->keys[i]);
    }
}

/* Ends access, for good or until activated. */
static void take_access(struct o_case *k, struct o_share *s, bool for_good)
{
    const bool made = k->c->has_flag && k->c->flag && s->subject_kind == CH_subject_kind_user;
    const uint64_t subject = s->subject, id = s->id;
    const bool pending = s->status == CH_share_status_pending;
    const bool ends = for_good || pending;
    if (s->status == CH_share_status_active) {
        o_break_if(k, !o_may_go(k, s), CH_REJ_uncovered_scopes);
    }
    if (made) end_made(k, subject, s);
    if (k->code != 0) return;
    if (for_good) {
        o_event(k, CH_EV_share_ended, k->on->id);
    } else if (pending) {
        o_event(k, CH_EV_invitation_cancelled, k->on->id);
    } else if (s->status == CH_share_status_active) {
        o_event(k, CH_EV_share_deactivated, k->on->id);
    }
    /* What is judged is the world before: nothing of it counts on what ends here. */
    if (made) take_made(k, subject, id);
    s = o_share_id(k->w, id);
    s->status = CH_share_status_inactive;
    if (ends) o_end_share(k->w, s);
}

static void activate(struct o_case *k, struct o_share *s)
{
    if (s->status == CH_share_status_active) return;
    o_break_if(k, s->status == CH_share_status_pending, CH_REJ_not_accepted);
    o_break_if(k, !o_covers_share(k, s) || !o_covers_memberships(k, s), CH_REJ_uncovered_scopes);
    if (k->code != 0) return;
    o_event(k, CH_EV_share_activated, k->on->id);
    s->status = CH_share_status_active;
    s->used = false;
    s->used_day = k->c->now / O_DAY_NS;
}

static void change(struct o_case *k, struct o_share *s)
{
    switch (k->c->type) {
    case CH_CMD_share_set_role: set_role(k, s); break;
    case CH_CMD_share_set_expiry: set_expiry(k, s); break;
    case CH_CMD_share_limit: limit(k, s); break;
    case CH_CMD_share_restrict: restrict_share(k, s); break;
    case CH_CMD_share_grant: grant(k, s); break;
    case CH_CMD_share_set_scopes: set_scopes(k, s); break;
    case CH_CMD_share_revoke: revoke(k, s); break;
    case CH_CMD_share_deactivate: take_access(k, s, false); break;
    case CH_CMD_share_activate: activate(k, s); break;
    default: CH_CHECK(k->c->type == CH_CMD_share_end); take_access(k, s, true);
    }
}

struct o_share *o_share_to_change(struct o_case *k, uint8_t subject_kind, uint64_t subject)
{
    struct o_share *s = o_share(k->w, subject_kind, subject, k->on->id);
    o_break_if(k, s == NULL, CH_REJ_not_a_member);
    if (s == NULL) return NULL;
    o_break_if(k, o_is_of_actor(k, s->subject_kind, s->subject), CH_REJ_own_rights);
    o_break_if(k, is_owners(k->w, s), CH_REJ_owner_share);
    return k->code == 0 ? s : NULL; /* whatever was asked of such a share */
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
    struct o_share *s = o_share_to_change(k, kind, subject);
    if (s != NULL) change(k, s);
}
