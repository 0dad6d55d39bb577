/* rules_role: an account's own roles in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

/* Whether the actor is a member of the group or of one below it. */
static bool has_actor(struct o_case *k, uint64_t group)
{
    const uint64_t person = o_person(k->w, k->c->actor_kind, k->c->actor);
    for (size_t i = 0; i < O_MEMBERS && person != 0; i++) {
        const struct o_member *m = &k->w->members[i];
        if (m->group != 0 && m->user == person && o_group_in(k->w, m->group, group)) {
            return true;
        }
    }
    return false;
}

/* Whether the role is one by which the actor has rights. */
static bool is_of_actor(struct o_case *k, uint64_t role)
{
    const uint64_t person = o_person(k->w, k->c->actor_kind, k->c->actor);
    for (size_t i = 0; i < O_SHARES && person != 0; i++) {
        const struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || s->role != role) continue;
        if (s->subject_kind == CH_subject_kind_user ? s->subject == person
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

static bool is_built_in_name(const struct o_world *w, const char *name)
{
    for (size_t i = 0; i < w->role_count; i++) {
        if (w->roles[i].account == 0 && strcmp(w->roles[i].name, name) == 0) return true;
    }
    return false;
}

static void rename_role(struct o_case *k)
{
    for (size_t i = 0; i < k->w->role_count; i++) {
        const struct o_role *r = &k->w->roles[i];
        o_break_if(k, r != k->role && r->account == k->on->id && strcmp(r->name, k->c->name) == 0,
                   CH_REJ_name_taken);
    }
    o_break_if(k, k->role->account == 0, CH_REJ_built_in);
    o_break_if(k, is_built_in_name(k->w, k->c->name), CH_REJ_built_in);
    if (k->code != 0 || strcmp(k->role->name, k->c->name) == 0) return;
    o_event(k, CH_EV_role_renamed, k->on->id);
    memcpy(k->role->name, k->c->name, sizeof k->role->name);
}

static void delete_role(struct o_case *k)
{
    o_break_if(k, k->role->account == 0, CH_REJ_built_in);
    for (size_t i = 0; i < O_SHARES && k->role->account != 0; i++) {
        const struct o_share *s = &k->w->shares[i];
        o_break_if(k, s->id != 0 && s->role == k->role->id, CH_REJ_role_in_use);
    }
    if (k->code != 0) return;
    o_event(k, CH_EV_role_deleted, k->on->id);
    *k->role = (struct o_role){.account = UINT64_MAX};
}

void o_role_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_role_define) define_role(k);
    if (type == CH_CMD_role_rename) rename_role(k);
    if (type == CH_CMD_role_delete) delete_role(k);
    /* This version's text is what the log began with, so publishing it changes nothing. */
    if (type == CH_CMD_role_publish) {
        o_break_if(k, k->c->role.given == k->c->page.given, CH_REJ_one_of_two);
    }
}
