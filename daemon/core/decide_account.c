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
    ch_emit_first_key(c, c->ret->events[c->ret->count - 1].seq, parent);
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

static void set_domain(struct ch_case *c, uint64_t account, const struct ch_text *domain)
{
    struct ch_ev_from_domain_set *body = ch_emit(c, CH_EV_from_domain_set, account);
    if (body == NULL) return;
    body->account.seq = account;
    body->has_from_domain = domain != NULL;
    if (domain != NULL) body->from_domain = *domain;
}

/* The rules of a login that comes with a sub-account; its person has role `full` there, and nobody
 * gives what they do not have. False after refusing. */
static bool may_have_login(struct ch_case *c, const struct ch_cmd_account_open_sub *args,
                           uint32_t role)
{
    if (!args->has_username) return true;
    const struct ch_scopes full = ch_scopes_at(c->state, ch_role_row(c->state, role)->scopes);
    const struct ch_scopes missing = ch_uncovered(c, c->on, CH_reach_subtree, full, NULL);
    if (ch_scopes_empty(missing)) return true;
    (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, "username", missing);
    return false;
}

/* A user of the sub-account's own, who logs in by name, and their share. */
static void make_login(struct ch_case *c, const struct ch_cmd_account_open_sub *args,
                       uint64_t account, uint32_t role)
{
    struct ch_ev_user_created *user = ch_emit(c, CH_EV_user_created, account);
    if (user == NULL) return;
    const uint64_t id = c->ret->events[c->ret->count - 1].seq;
    user->number = ch_meta(c->state)->next_user_number;
    user->has_username = true;
    user->username = args->username;
    user->has_full_name = args->has_full_name;
    user->full_name = args->full_name;
    struct ch_ev_share_given *share = ch_emit(c, CH_EV_share_given, account);
    if (share == NULL) return;
    share->subject_kind = CH_subject_kind_user;
    share->subject = id;
    share->has_role = true;
    share->role.seq = ch_role_row(c->state, role)->id;
    if (!args->has_password) return;
    struct ch_ev_password_set *password = ch_emit(c, CH_EV_password_set, account);
    if (password == NULL) return;
    CH_CHECK(args->password.verifier.len > 0);
    password->user.seq = id;
    password->has_verifier = true;
    password->verifier.text = args->password.verifier;
}

enum ch_rejection_code ch_decide_account_open_sub(struct ch_case *c)
{
    const struct ch_cmd_account_open_sub *args = c->call->args;
    const struct ch_row_account *above = ch_account_row(c->state, c->on);
    const uint32_t full = ch_find_role_name(c->state, 0, ch_text_of("full"));
    if (full == 0) return ch_reject(c, CH_REJ_not_found, "username"); /* an older log lacks it */
    if (ch_levels_below(c->state, c->on) == 0) return ch_reject(c, CH_REJ_not_a_master, "on");
    if (!may_have_login(c, args, full)) return CH_REJ_none;
    if (ch_find_account_name(c->state, c->on, args->name) != 0) {
        return ch_reject(c, CH_REJ_name_taken, "name");
    }
    if (args->has_username &&
        ch_find_user_hash(c->state, CH_KIND_username, args->username.hash) != 0) {
        return ch_reject(c, CH_REJ_username_taken, "username");
    }
    if (!args->has_username && (args->has_password || args->has_full_name)) {
        return ch_reject(c, CH_REJ_name_missing, "username");
    }
    if (above->depth + 1 > LIMIT_ACCOUNT_DEPTH) return ch_reject(c, CH_REJ_too_deep, "on");
    open_account(c, args->name, c->on, /* depth= */ 0);
    if (c->ret->no_memory) return CH_REJ_none;
    const uint64_t account = c->ret->events[0].seq;
    if (args->has_username) make_login(c, args, account, full);
    if (args->has_from_domain) set_domain(c, account, &args->from_domain);
    const struct ch_switches wanted = CH_SWITCHES_OF(args);
    (void)ch_emit_switches(c, account, /* now= */ 0, &wanted);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_rename(struct ch_case *c)
{
    const struct ch_cmd_account_rename *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    const uint32_t holder = ch_find_account_name(c->state, account->parent, args->name);
    if (holder == c->on) return CH_REJ_none;
    if (holder != 0) return ch_reject(c, CH_REJ_name_taken, "name");
    struct ch_ev_account_renamed *body = ch_emit(c, CH_EV_account_renamed, account->id);
    if (body == NULL) return CH_REJ_none;
    body->account.seq = account->id;
    body->name = args->name;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_set_from_domain(struct ch_case *c)
{
    const struct ch_cmd_account_set_from_domain *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    const uint32_t text = args->has_from_domain ? ch_text_find(c->state, args->from_domain) : 0;
    const bool known = text != 0 || !args->has_from_domain;
    if (known && account->from_domain == text) return CH_REJ_none;
    set_domain(c, account->id, args->has_from_domain ? &args->from_domain : NULL);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_request_master(struct ch_case *c)
{
    const struct ch_cmd_account_request_master *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    if (ch_levels_below(c->state, c->on) > 0) return ch_reject(c, CH_REJ_master_already, "on");
    if (account->master_asked_seq != 0) return ch_reject(c, CH_REJ_already_asked, "on");
    if (account->depth == LIMIT_ACCOUNT_DEPTH) return ch_reject(c, CH_REJ_too_deep, "on");
    struct ch_ev_master_requested *body = ch_emit(c, CH_EV_master_requested, account->id);
    if (body == NULL) return CH_REJ_none;
    body->account.seq = account->id;
    body->has_reason = args->has_reason;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_grant_master(struct ch_case *c)
{
    const struct ch_cmd_account_grant_master *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    const uint64_t depth = args->has_sub_depth ? args->sub_depth : 1;
    if (depth > LIMIT_ACCOUNT_DEPTH - account->depth) {
        return ch_reject(c, CH_REJ_too_deep, "sub_depth");
    }
    if (account->sub_depth == depth && account->master_asked_seq == 0) return CH_REJ_none;
    struct ch_ev_master_granted *body = ch_emit(c, CH_EV_master_granted, account->id);
    if (body == NULL) return CH_REJ_none;
    body->account.seq = account->id;
    body->sub_depth = depth;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_decline_master(struct ch_case *c)
{
    const struct ch_cmd_account_decline_master *args = c->call->args;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    if (account->master_asked_seq == 0) return ch_reject(c, CH_REJ_nothing_asked, "on");
    struct ch_ev_master_declined *body = ch_emit(c, CH_EV_master_declined, account->id);
    if (body == NULL) return CH_REJ_none;
    body->account.seq = account->id;
    body->has_reason = true;
    body->reason = args->reason;
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
