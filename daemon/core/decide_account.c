/* decide_account: rules of accounts, guardrails and roles; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

static void open_account(struct ch_case *c, struct ch_text name, uint32_t parent, uint64_t depth)
{
    struct ch_ev_account_opened *body = ch_emit(c, CH_EV_account_opened, /* account= */ 0);
    if (body == NULL) return;
    c->ret->events[c->ret->count - 1].account = c->ret->events[c->ret->count - 1].seq;
    body->name = name;
    body->sub_depth = depth;
    body->has_parent = parent != 0;
    if (parent != 0) body->parent.seq = ch_account_row(c->state, parent)->id;
}

enum ch_rejection_code ch_decide_account_open_master(struct ch_case *c)
{
    const struct ch_cmd_account_open_master *args = c->call->args;
    const uint64_t depth = args->has_sub_depth ? args->sub_depth : 1;
    if (ch_find_account_name(c->state, 0, args->name) != 0) {
        return ch_reject(c, CH_REJ_name_taken, "name");
    }
    if (depth > LIMIT_ACCOUNT_DEPTH) return ch_reject(c, CH_REJ_too_deep, "sub_depth");
    uint64_t owner_role = 0;
    if (args->has_owner) {
        uint32_t role = ch_find_role_name(c->state, 0, ch_text_of("owner"));
        if (role == 0) return ch_reject(c, CH_REJ_not_found, "owner");
        owner_role = ch_role_row(c->state, role)->id;
    }
    open_account(c, args->name, 0, depth);
    if (!args->has_owner || c->ret->no_memory) return CH_REJ_none;
    struct ch_ev_share_given *share = ch_emit(c, CH_EV_share_given, c->ret->events[0].seq);
    if (share == NULL) return CH_REJ_none;
    share->subject_kind = CH_subject_kind_user;
    share->subject = args->owner.id;
    share->has_role = true;
    share->role.seq = owner_role;
    share->reach = CH_reach_subtree;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_open_sub(struct ch_case *c)
{
    const struct ch_cmd_account_open_sub *args = c->call->args;
    const struct ch_row_account *above = ch_account_row(c->state, c->on);
    if (above->sub_depth == 0) return ch_reject(c, CH_REJ_not_a_master, "on");
    if (ch_find_account_name(c->state, c->on, args->name) != 0) {
        return ch_reject(c, CH_REJ_name_taken, "name");
    }
    if (above->depth + 1 > LIMIT_ACCOUNT_DEPTH) return ch_reject(c, CH_REJ_too_deep, "on");
    open_account(c, args->name, c->on, above->sub_depth - 1);
    if (c->ret->no_memory) return CH_REJ_none;
    const struct ch_switches wanted = CH_SWITCHES_OF(args);
    (void)ch_emit_switches(c, c->ret->events[0].seq, /* now= */ 0, &wanted);
    return CH_REJ_none;
}

/* Closes from the leaves up, so that none is open below a closed one on the way. */
static void close_below(struct ch_case *c, uint32_t account)
{
    const struct ch_row_account *row = ch_account_row(c->state, account);
    for (uint32_t child = row->first_child; child != 0;
         child = ch_account_row(c->state, child)->next_sibling) {
        if (ch_account_row(c->state, child)->status == CH_account_status_open) {
            close_below(c, child); /* LIMIT_ACCOUNT_DEPTH deep at most */
        }
    }
    if (c->ret->count > LIMIT_MESSAGE_EVENTS || c->ret->no_memory) return;
    struct ch_ev_account_closed *body = ch_emit(c, CH_EV_account_closed, row->id);
    if (body != NULL) body->account.seq = row->id;
}

enum ch_rejection_code ch_decide_account_close(struct ch_case *c)
{
    const struct ch_cmd_account_close *args = c->call->args;
    const bool below = args->has_below && args->below;
    if (!below && ch_account_row(c->state, c->on)->open_children > 0) {
        return ch_reject(c, CH_REJ_has_children, "below");
    }
    close_below(c, c->on);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_guardrail_set(struct ch_case *c)
{
    const struct ch_cmd_guardrail_set *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    struct ch_scopes now = ch_scopes_at(c->state, account->guardrail);
    if (ch_scopes_equal(now, args->scopes)) return CH_REJ_none;
    /* Lifting a guardrail gives what it took, so it must be covered as a grant is. */
    struct ch_scopes lifted = ch_scopes_but(now, args->scopes);
    struct ch_scopes missing =
        ch_uncovered(c, c->on, CH_reach_subtree, lifted, /* resource= */ NULL);
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "scopes", missing);
    }
    struct ch_ev_guardrail_set *body = ch_emit(c, CH_EV_guardrail_set, account->id);
    if (body != NULL) body->denied = args->scopes;
    return CH_REJ_none;
}

/* Whether the actor has the account's own role, by a share of theirs or of a group they are in. */
static bool has_role(const struct ch_case *c, uint32_t role)
{
    if (c->moment->actor.kind != CH_actor_kind_user) return false;
    for (uint32_t a = c->on; a != 0; a = ch_account_row(c->state, a)->parent) {
        uint32_t mine = ch_find_share(c->state, CH_subject_kind_user, c->moment->user_row, a);
        if (mine == 0) continue;
        if (ch_share_row(c->state, mine)->role == role) return true;
        for (uint32_t m = ch_share_row(c->state, mine)->first_member; m != 0;
             m = ch_member_row(c->state, m)->next_of_share) {
            for (uint32_t g = ch_member_row(c->state, m)->group; g != 0;
                 g = ch_group_row(c->state, g)->parent) {
                uint32_t share = ch_find_share(c->state, CH_subject_kind_group, g, c->on);
                if (share != 0 && ch_share_row(c->state, share)->role == role) return true;
            }
        }
    }
    return false;
}

enum ch_rejection_code ch_decide_role_define(struct ch_case *c)
{
    const struct ch_cmd_role_define *args = c->call->args;
    uint32_t known = ch_find_role_name(c->state, c->on, args->name);
    if (known != 0 && has_role(c, known)) return ch_reject(c, CH_REJ_own_rights, "name");
    struct ch_scopes missing = ch_uncovered(c, c->on, CH_reach_account, args->scopes, NULL);
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "scopes", missing);
    }
    if (ch_find_role_name(c->state, 0, args->name) != 0) {
        return ch_reject(c, CH_REJ_built_in, "name");
    }
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    if (known == 0) {
        struct ch_ev_role_defined *body = ch_emit(c, CH_EV_role_defined, account);
        if (body == NULL) return CH_REJ_none;
        body->name = args->name;
        body->scopes = args->scopes;
        return CH_REJ_none;
    }
    const struct ch_row_role *role = ch_role_row(c->state, known);
    if (ch_scopes_equal(ch_scopes_at(c->state, role->scopes), args->scopes)) return CH_REJ_none;
    struct ch_ev_role_changed *body = ch_emit(c, CH_EV_role_changed, account);
    if (body == NULL) return CH_REJ_none;
    body->role.seq = role->id;
    body->version = role->version + 1;
    body->scopes = args->scopes;
    return CH_REJ_none;
}
