/* rules_group: groups and roles in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include <stdlib.h>

#include "schema/base/check.h"
#include "schema/limits.h"

static uint64_t depth_of(struct o_world *w, uint64_t group)
{
    uint64_t depth = 0;
    for (; group != 0; group = o_group(w, group)->parent) {
        depth++;
    }
    return depth;
}

/* Levels from the group down to the deepest one below it. */
static uint64_t height_of(struct o_world *w, uint64_t group)
{
    uint64_t most = 0;
    for (size_t i = 0; i < O_GROUPS; i++) {
        uint64_t id = w->groups[i].id;
        if (id == 0 || !o_group_in(w, id, group)) continue;
        uint64_t levels = depth_of(w, id) - depth_of(w, group) + 1;
        if (levels > most) most = levels;
    }
    return most;
}

/* Whether the actor is a member of the group or of one below it. */
static bool has_actor(struct o_case *k, uint64_t group)
{
    if (k->c->actor_kind != CH_actor_kind_user) return false;
    for (size_t i = 0; i < O_MEMBERS; i++) {
        const struct o_member *m = &k->w->members[i];
        if (m->group != 0 && m->user == k->c->actor && o_group_in(k->w, m->group, group)) {
            return true;
        }
    }
    return false;
}

static void create_group(struct o_case *k)
{
    struct o_world *w = k->w;
    for (size_t i = 0; i < O_GROUPS; i++) {
        const struct o_group *g = &w->groups[i];
        o_break_if(k, g->id != 0 && g->account == k->on->id && strcmp(g->name, k->c->name) == 0,
                   CH_REJ_name_taken);
    }
    uint64_t parent = k->parent == NULL ? 0 : k->parent->id;
    o_break_if(k, depth_of(w, parent) + 1 > LIMIT_GROUP_DEPTH, CH_REJ_too_deep);
    if (k->code != 0) return;
    for (size_t i = 0; i < O_GROUPS; i++) {
        struct o_group *g = &w->groups[i];
        if (g->id != 0) continue;
        g->id = o_event(k, CH_EV_group_created, k->on->id);
        g->account = k->on->id;
        g->parent = parent;
        memcpy(g->name, k->c->name, sizeof g->name);
        return;
    }
    CH_CHECK(false);
}

/* Whether the actor covers what a group and those above it deny: its members would have it back. */
static bool covers_all_denied(struct o_case *k, uint64_t group)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_group) continue;
        if (o_group_in(k->w, group, s->subject) && !o_covers_denied(k, s)) return false;
    }
    return true;
}

static void move_group(struct o_case *k)
{
    struct o_world *w = k->w;
    struct o_group *g = k->group;
    uint64_t parent = k->parent == NULL ? 0 : k->parent->id;
    if (parent == g->parent) return;
    bool cycle = parent != 0 && o_group_in(w, parent, g->id);
    o_break_if(k, !o_covers_group(k, parent), CH_REJ_uncovered_scopes);
    o_break_if(k, !covers_all_denied(k, g->parent), CH_REJ_uncovered_scopes);
    o_break_if(k, cycle, CH_REJ_cycle);
    o_break_if(k, !cycle && depth_of(w, parent) + height_of(w, g->id) > LIMIT_GROUP_DEPTH,
               CH_REJ_too_deep);
    if (k->code != 0) return;
    o_event(k, CH_EV_group_moved, k->on->id);
    g->parent = parent;
}

static void delete_group(struct o_case *k)
{
    o_break_if(k, !covers_all_denied(k, k->group->id), CH_REJ_uncovered_scopes);
    for (size_t i = 0; i < O_GROUPS; i++) {
        o_break_if(k, k->w->groups[i].parent == k->group->id, CH_REJ_has_children);
    }
    if (k->code != 0) return;
    o_event(k, CH_EV_group_deleted, k->on->id);
    o_end_group(k->w, k->group);
}

static void add_member(struct o_case *k)
{
    struct o_world *w = k->w;
    const struct o_command *c = k->c;
    bool member = o_is_member(w, k->user->id, k->group->id);
    o_break_if(k, c->actor_kind == CH_actor_kind_user && c->actor == k->user->id,
               CH_REJ_own_rights);
    o_break_if(k, !o_covers_group(k, k->group->id), CH_REJ_uncovered_scopes);
    o_break_if(k, o_owner(w, k->on->id) == k->user->id, CH_REJ_owner_share);
    o_break_if(k, o_share(w, CH_subject_kind_user, k->user->id, k->on->id) == NULL,
               CH_REJ_not_a_member);
    if (k->code != 0 || member) return;
    for (size_t i = 0; i < O_MEMBERS; i++) {
        struct o_member *m = &w->members[i];
        if (m->group != 0) continue;
        o_event(k, CH_EV_group_member_added, k->on->id);
        *m = (struct o_member){.group = k->group->id, .user = k->user->id};
        return;
    }
    CH_CHECK(false);
}

static void leave(struct o_world *w, uint64_t user, uint64_t group)
{
    for (size_t i = 0; i < O_MEMBERS; i++) {
        struct o_member *m = &w->members[i];
        if (m->group == group && m->user == user) memset(m, 0, sizeof *m);
    }
}

static void remove_member(struct o_case *k)
{
    bool member = o_is_member(k->w, k->user->id, k->group->id);
    o_break_if(k, !member, CH_REJ_not_a_member);
    if (k->code != 0) return;
    struct o_world *after = malloc(sizeof *after);
    CH_CHECK(after != NULL);
    *after = *k->w;
    leave(after, k->user->id, k->group->id);
    o_break_if(k, !o_gives_nothing_back(k, after, k->user->id), CH_REJ_uncovered_scopes);
    free(after);
    if (k->code != 0) return;
    o_event(k, CH_EV_group_member_removed, k->on->id);
    leave(k->w, k->user->id, k->group->id);
}

/* Whether the role is one by which the actor has rights. */
static bool is_of_actor(struct o_case *k, uint64_t role)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || s->role != role || k->c->actor_kind != CH_actor_kind_user) continue;
        if (s->subject_kind == CH_subject_kind_user ? s->subject == k->c->actor
                                                    : has_actor(k, s->subject)) {
            return true;
        }
    }
    return false;
}

static void define_role(struct o_case *k)
{
    struct o_world *w = k->w;
    struct o_role *own = NULL;
    for (size_t i = 0; i < w->role_count; i++) {
        struct o_role *r = &w->roles[i];
        if (strcmp(r->name, k->c->name) != 0) continue;
        o_break_if(k, r->account == 0, CH_REJ_built_in);
        if (r->account == k->on->id) own = r;
    }
    o_break_if(k, own != NULL && is_of_actor(k, own->id), CH_REJ_own_rights);
    o_break_if(k, !o_covers(k, k->on->id, CH_reach_account, k->c->scopes, NULL),
               CH_REJ_uncovered_scopes);
    for (size_t i = 0; i < O_SHARES && own != NULL; i++) {
        /* Who has the role below the account, too, would get there what it gives. */
        const struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->role != own->id || s->reach != CH_reach_subtree) continue;
        o_break_if(k, !o_covers(k, k->on->id, CH_reach_subtree, k->c->scopes, NULL),
                   CH_REJ_uncovered_scopes);
    }
    o_break_if(k, o_owners_alone(k->c->scopes), CH_REJ_owners_alone);
    if (k->code != 0) return;
    if (own != NULL) {
        if (ch_scopes_equal(own->scopes, k->c->scopes)) return;
        o_event(k, CH_EV_role_changed, k->on->id);
        own->scopes = k->c->scopes;
        return;
    }
    CH_CHECK(w->role_count < O_ROLES);
    struct o_role *r = &w->roles[w->role_count++];
    memset(r, 0, sizeof *r);
    r->id = o_event(k, CH_EV_role_defined, k->on->id);
    r->account = k->on->id;
    r->scopes = k->c->scopes;
    memcpy(r->name, k->c->name, sizeof r->name);
}

void o_group_rules(struct o_case *k)
{
    int type = k->c->type;
    bool group = type == CH_CMD_group_create || type == CH_CMD_group_move ||
                 type == CH_CMD_group_delete || type == CH_CMD_group_add ||
                 type == CH_CMD_group_remove;
    if (group) {
        /* A group of another account is not there for this one. */
        o_break_if(k, k->group != NULL && k->group->account != k->on->id, CH_REJ_not_found);
        o_break_if(k, k->parent != NULL && k->parent->account != k->on->id, CH_REJ_not_found);
        if (k->code != 0) return;
    }
    if (type == CH_CMD_group_create) {
        create_group(k);
    } else if (type == CH_CMD_group_move) {
        move_group(k);
    } else if (type == CH_CMD_group_delete) {
        delete_group(k);
    } else if (type == CH_CMD_group_add) {
        add_member(k);
    } else if (type == CH_CMD_group_remove) {
        remove_member(k);
    } else if (type == CH_CMD_role_define) {
        define_role(k);
    }
}
