/* rules_group: groups in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

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
    o_break_if(k, o_person(w, c->actor_kind, c->actor) == k->user->id, CH_REJ_own_rights);
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
    static struct o_world copy;
    struct o_world *after = &copy;
    *after = *k->w;
    leave(after, k->user->id, k->group->id);
    o_break_if(k, !o_gives_nothing_back(k, after, k->user->id), CH_REJ_uncovered_scopes);
    if (k->code != 0) return;
    o_event(k, CH_EV_group_member_removed, k->on->id);
    leave(k->w, k->user->id, k->group->id);
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
    }
}
