/* decide_group: rules of groups; see decide_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

static uint32_t depth_of(const struct ch_state *state, uint32_t group)
{
    uint32_t depth = 0;
    for (uint32_t g = group; g != 0; g = ch_group_row(state, g)->parent) {
        depth++;
    }
    return depth;
}

/* Levels from the group down, itself included; walks the account's groups once a level. */
static uint32_t height_of(const struct ch_state *state, uint32_t group)
{
    uint32_t height = 1;
    const struct ch_row_group *row = ch_group_row(state, group);
    if (row->child_count == 0) return height;
    for (uint32_t g = ch_account_row(state, row->account)->first_group; g != 0;
         g = ch_group_row(state, g)->next_of_account) {
        uint32_t levels = 1;
        for (uint32_t up = g; up != 0 && up != group; up = ch_group_row(state, up)->parent) {
            levels++;
            if (ch_group_row(state, up)->parent == group && levels > height) height = levels;
        }
    }
    return height;
}

static bool stands_below(const struct ch_state *state, uint32_t group, uint32_t above)
{
    for (uint32_t g = group; g != 0; g = ch_group_row(state, g)->parent) {
        if (g == above) return true;
    }
    return false;
}

/* The row of a group named in args, which must be the account's own; 0 after refusing. */
static uint32_t own_group(struct ch_case *c, const struct ch_ref *ref, const char *field)
{
    uint32_t group = ch_find_group(c->state, ref->id);
    if (ch_group_row(c->state, group)->account == c->on) return group;
    (void)ch_reject(c, CH_REJ_not_found, field);
    return 0;
}

struct ch_scopes ch_uncovered_group(struct ch_case *c, uint32_t group)
{
    struct ch_scopes missing = {{0, 0}};
    if (c->moment->actor.kind == CH_actor_kind_operator) return missing;
    for (uint32_t g = group; g != 0; g = ch_group_row(c->state, g)->parent) {
        for (uint32_t s = ch_group_row(c->state, g)->first_share; s != 0;
             s = ch_share_row(c->state, s)->next_of_subject) {
            missing = ch_scopes_or(missing, ch_uncovered_share(c, s));
        }
    }
    return missing;
}

struct ch_scopes ch_uncovered_memberships(struct ch_case *c, uint32_t share)
{
    struct ch_scopes missing = {{0, 0}};
    for (uint32_t m = ch_share_row(c->state, share)->first_member; m != 0;
         m = ch_member_row(c->state, m)->next_of_share) {
        missing = ch_scopes_or(missing, ch_uncovered_group(c, ch_member_row(c->state, m)->group));
    }
    return missing;
}

/* False after refusing. */
static bool is_covered(struct ch_case *c, struct ch_scopes missing, const char *field)
{
    if (ch_scopes_empty(missing)) return true;
    (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, field, missing);
    return false;
}

/* Joining or standing below a group gives what it has. */
static bool covers_group(struct ch_case *c, uint32_t group, const char *field)
{
    return is_covered(c, ch_uncovered_group(c, group), field);
}

enum ch_rejection_code ch_decide_group_create(struct ch_case *c)
{
    const struct ch_cmd_group_create *args = c->call->args;
    uint32_t parent = args->has_parent ? own_group(c, &args->parent, "parent") : 0;
    if (args->has_parent && parent == 0) return CH_REJ_none;
    if (ch_find_group_name(c->state, c->on, args->name) != 0) {
        return ch_reject(c, CH_REJ_name_taken, "name");
    }
    if (depth_of(c->state, parent) >= LIMIT_GROUP_DEPTH) {
        return ch_reject(c, CH_REJ_too_deep, "parent");
    }
    struct ch_ev_group_created *body =
        ch_emit(c, CH_EV_group_created, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->name = args->name;
    body->has_parent = args->has_parent;
    body->parent.seq = args->parent.id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_group_move(struct ch_case *c)
{
    const struct ch_cmd_group_move *args = c->call->args;
    uint32_t group = own_group(c, &args->group, "group");
    if (group == 0) return CH_REJ_none;
    uint32_t parent = args->has_parent ? own_group(c, &args->parent, "parent") : 0;
    if (args->has_parent && parent == 0) return CH_REJ_none;
    if (ch_group_row(c->state, group)->parent == parent) return CH_REJ_none;
    if (parent != 0 && !covers_group(c, parent, "parent")) return CH_REJ_none;
    const uint32_t above = ch_group_row(c->state, group)->parent;
    if (above != 0 && !is_covered(c, ch_lifted_by_group(c, above), "group")) return CH_REJ_none;
    if (stands_below(c->state, parent, group)) return ch_reject(c, CH_REJ_cycle, "parent");
    if (depth_of(c->state, parent) + height_of(c->state, group) > LIMIT_GROUP_DEPTH) {
        return ch_reject(c, CH_REJ_too_deep, "parent");
    }
    struct ch_ev_group_moved *body =
        ch_emit(c, CH_EV_group_moved, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->group.seq = args->group.id;
    body->has_parent = args->has_parent;
    body->parent.seq = args->parent.id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_group_delete(struct ch_case *c)
{
    const struct ch_cmd_group_delete *args = c->call->args;
    uint32_t group = own_group(c, &args->group, "group");
    if (group == 0) return CH_REJ_none;
    if (!is_covered(c, ch_lifted_by_group(c, group), "group")) return CH_REJ_none;
    if (ch_group_row(c->state, group)->child_count > 0) {
        return ch_reject(c, CH_REJ_has_children, "group");
    }
    struct ch_ev_group_deleted *body =
        ch_emit(c, CH_EV_group_deleted, ch_account_row(c->state, c->on)->id);
    if (body != NULL) body->group.seq = args->group.id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_group_add(struct ch_case *c)
{
    const struct ch_cmd_group_add *args = c->call->args;
    uint32_t group = own_group(c, &args->group, "group");
    if (group == 0) return CH_REJ_none;
    uint32_t user = ch_find_user(c->state, args->user.id);
    if (ch_is_own(c, CH_subject_kind_user, user)) return ch_reject(c, CH_REJ_own_rights, "user");
    if (!covers_group(c, group, "group")) return CH_REJ_none;
    if (ch_is_owner(c->state, user, c->on)) return ch_reject(c, CH_REJ_owner_share, "user");
    uint32_t share = ch_find_share(c->state, CH_subject_kind_user, user, c->on);
    if (share == 0) return ch_reject(c, CH_REJ_not_a_member, "user");
    if (ch_find_member(c->state, share, group) != 0) return CH_REJ_none; /* is in it already */
    if (ch_share_row(c->state, share)->member_count >= LIMIT_GROUPS_OF_USER) {
        return ch_reject_limit(c, "GROUPS_OF_USER", "group");
    }
    struct ch_ev_group_member_added *body =
        ch_emit(c, CH_EV_group_member_added, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->group.seq = args->group.id;
    body->user.seq = args->user.id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_group_remove(struct ch_case *c)
{
    const struct ch_cmd_group_remove *args = c->call->args;
    uint32_t group = own_group(c, &args->group, "group");
    if (group == 0) return CH_REJ_none;
    uint32_t user = ch_find_user(c->state, args->user.id);
    uint32_t share = ch_find_share(c->state, CH_subject_kind_user, user, c->on);
    const uint32_t member = share == 0 ? 0 : ch_find_member(c->state, share, group);
    if (member == 0) return ch_reject(c, CH_REJ_not_a_member, "user");
    if (!is_covered(c, ch_lifted_by_leaving(c, member), "user")) return CH_REJ_none;
    struct ch_ev_group_member_removed *body =
        ch_emit(c, CH_EV_group_member_removed, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->group.seq = args->group.id;
    body->user.seq = args->user.id;
    return CH_REJ_none;
}
