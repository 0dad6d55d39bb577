/* decide_share: rules of shares and their grants; see decide_impl.h. SPDX-License-Identifier:
 * MIT */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

/* Never more than one owner for a tree: the operator may appoint one, a user, on a root that has
 * none, with reach subtree; by an ordinary share, and for good. */
static bool may_be_owner(const struct ch_case *c, const struct ch_cmd_share_give *args)
{
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    if (account->parent != 0 || ch_is_bound(c->moment)) return false;
    if (account->owner != 0 || args->has_expires_at) return false;
    if (args->has_kind && args->kind != CH_share_kind_member) return false;
    return args->has_user && args->has_reach && args->reach == CH_reach_subtree;
}

/* What of a share's grants the actor does not have. What they have on every resource they have on
 * each: so only the rest is asked for grant by grant, of which there may be thousands. */
static struct ch_scopes uncovered_grants(struct ch_case *c, const struct ch_row_share *share,
                                         uint8_t reach)
{
    struct ch_scopes all = {{0, 0}};
    struct ch_scopes missing = {{0, 0}};
    if (!ch_is_bound(c->moment)) return missing;
    for (uint32_t g = share->first_grant; g != 0; g = ch_grant_row(c->state, g)->next) {
        all = ch_scopes_or(all, ch_scopes_at(c->state, ch_grant_row(c->state, g)->scopes));
    }
    if (ch_scopes_empty(all)) return missing;
    const struct ch_scopes rest = ch_uncovered(c, share->account, reach, all, NULL);
    for (uint32_t g = share->first_grant; g != 0 && !ch_scopes_empty(rest);
         g = ch_grant_row(c->state, g)->next) {
        const struct ch_row_grant *grant = ch_grant_row(c->state, g);
        const struct ch_scopes scopes =
            ch_scopes_and(ch_scopes_at(c->state, grant->scopes), ch_scopes_but(rest, missing));
        char text[128];
        if (ch_scopes_empty(scopes)) continue;
        const size_t len = ch_chain_get(c->state, CH_T_TEXT, grant->resource, text, sizeof text);
        const struct ch_text resource = {text, len};
        missing = ch_scopes_or(missing, ch_uncovered(c, share->account, reach, scopes, &resource));
    }
    return missing;
}

struct ch_scopes ch_uncovered_share(struct ch_case *c, uint32_t share_row)
{
    const struct ch_row_share *share = ch_share_row(c->state, share_row);
    struct ch_scopes missing = {{0, 0}};
    struct ch_scopes gives = ch_scopes_at(c->state, ch_terms_of(c->state, share)->own);
    if (share->role != 0) {
        const struct ch_row_role *role = ch_role_row(c->state, share->role);
        gives = ch_scopes_or(gives, ch_scopes_at(c->state, role->scopes));
    }
    if (!ch_scopes_empty(gives)) {
        missing = ch_uncovered(c, share->account, share->reach, gives, NULL);
    }
    return ch_scopes_or(missing, uncovered_grants(c, share, share->reach));
}

/* The rules that every change of an existing share meets: there is one, it is not the actor's own,
 * not the owner's. 0 after refusing. */
uint32_t ch_share_to_change(struct ch_case *c, bool has_user, const struct ch_ref *user,
                            bool has_group, const struct ch_ref *group)
{
    uint32_t share = ch_subject_share(c, has_user, user, has_group, group);
    if (share == 0) return 0;
    const char *field = has_user ? "user" : "group";
    const struct ch_row_share *row = ch_share_row(c->state, share);
    if (ch_is_own(c, row->subject_kind, row->subject)) {
        (void)ch_reject(c, CH_REJ_own_rights, field);
        return 0;
    }
    if (share == ch_account_row(c->state, row->account)->owner) {
        (void)ch_reject(c, CH_REJ_owner_share, field);
        return 0;
    }
    return share;
}
#define SHARE_TO_CHANGE(c, args)                                                                   \
    ch_share_to_change((c), (args)->has_user, &(args)->user, (args)->has_group, &(args)->group)

static bool covers(struct ch_case *c, uint8_t reach, struct ch_scopes scopes,
                   const struct ch_text *resource, const char *field)
{
    struct ch_scopes missing = ch_uncovered(c, c->on, reach, scopes, resource);
    if (ch_scopes_empty(missing)) return true;
    (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, field, missing);
    return false;
}

/* Whether the share may stop counting: not where somebody would get more by it than the actor has.
 */
static bool may_lift(struct ch_case *c, uint32_t row, const char *field)
{
    const struct ch_scopes missing = ch_lifted_by_share(c, row);
    if (ch_scopes_empty(missing)) return true;
    (void)ch_reject_scopes(c, CH_REJ_uncovered_scopes, field, missing);
    return false;
}

static struct ch_scopes role_scopes(const struct ch_state *state, uint64_t role_id)
{
    uint32_t role = ch_find_role(state, role_id);
    return ch_scopes_at(state, ch_role_row(state, role)->scopes);
}

/* Whether a group's share of the account may be: the account is the group's own or stands below. */
static bool in_tree(const struct ch_state *state, uint32_t account, uint32_t group)
{
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        if (a == ch_group_row(state, group)->account) return true;
    }
    return false;
}

static uint64_t account_id(const struct ch_case *c)
{
    return ch_account_row(c->state, c->on)->id;
}

enum ch_rejection_code ch_decide_share_give(struct ch_case *c)
{
    const struct ch_cmd_share_give *args = c->call->args;
    if (args->has_user == args->has_group) return ch_reject(c, CH_REJ_one_subject, "user");
    const uint8_t kind = args->has_user ? CH_subject_kind_user : CH_subject_kind_group;
    const uint32_t subject = args->has_user ? ch_find_user(c->state, args->user.id)
                                            : ch_find_group(c->state, args->group.id);
    if (ch_is_own(c, kind, subject)) {
        return ch_reject(c, CH_REJ_own_rights, args->has_user ? "user" : "group");
    }
    const uint8_t reach = args->has_reach ? args->reach : CH_reach_account;
    if (args->has_role && !covers(c, reach, role_scopes(c->state, args->role.id), NULL, "role")) {
        return CH_REJ_none;
    }
    if (args->has_user && ch_is_owner(c->state, subject, c->on)) {
        return ch_reject(c, CH_REJ_owner_share, "user"); /* another could only restrict them */
    }
    const uint32_t role = args->has_role ? ch_find_role(c->state, args->role.id) : 0;
    if (ch_is_built_in(c->state, role, "owner") && !may_be_owner(c, args))
        return ch_reject(c, CH_REJ_owner_share, "role");
    if (args->has_group && !in_tree(c->state, c->on, subject)) {
        return ch_reject(c, CH_REJ_outside_tree, "group");
    }
    if (ch_find_share(c->state, kind, subject, c->on) != 0) {
        return ch_reject(c, CH_REJ_share_exists, args->has_user ? "user" : "group");
    }
    if (args->has_expires_at && args->expires_at <= c->moment->now) {
        return ch_reject(c, CH_REJ_in_the_past, "expires_at");
    }
    if (args->has_group && ch_group_row(c->state, subject)->share_count >= LIMIT_SHARES_OF_GROUP) {
        return ch_reject_limit(c, "SHARES_OF_GROUP", "group");
    }
    struct ch_ev_share_given *body = ch_emit(c, CH_EV_share_given, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->subject_kind = kind;
    body->subject = args->has_user ? args->user.id : args->group.id;
    body->kind = args->has_kind ? args->kind : CH_share_kind_member;
    body->has_role = args->has_role;
    body->role.seq = args->has_role ? args->role.id : 0;
    body->reach = reach;
    body->has_expires_at = args->has_expires_at;
    body->expires_at = args->expires_at;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_set_role(struct ch_case *c)
{
    const struct ch_cmd_share_set_role *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const uint32_t role = args->has_role ? ch_find_role(c->state, args->role.id) : 0;
    const uint8_t reach = args->has_reach ? args->reach : share->reach;
    if (args->has_role && !covers(c, reach, role_scopes(c->state, args->role.id), NULL, "role")) {
        return CH_REJ_none;
    }
    if (reach != share->reach && reach == CH_reach_subtree) { /* all else reaches further, too */
        struct ch_scopes missing = ch_scopes_or(
            uncovered_grants(c, share, reach),
            ch_uncovered(c, c->on, reach, ch_scopes_at(c->state, ch_terms_of(c->state, share)->own),
                         NULL));
        if (!ch_scopes_empty(missing)) {
            return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "reach", missing);
        }
    }
    if (reach != share->reach && reach == CH_reach_account) { /* nor does it deny below any more */
        const struct ch_scopes denied = ch_share_denies(c->state, share);
        if (!covers(c, CH_reach_subtree, denied, NULL, "reach")) return CH_REJ_none;
    }
    if (share->role == role && share->reach == reach) return CH_REJ_none;
    if (ch_is_built_in(c->state, role, "owner") && share->role != role) {
        return ch_reject(c, CH_REJ_owner_share, "role");
    }
    struct ch_ev_share_role_set *body = ch_emit(c, CH_EV_share_role_set, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = share->id;
    body->has_role = args->has_role;
    body->role.seq = args->has_role ? args->role.id : 0;
    body->reach = reach;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_set_expiry(struct ch_case *c)
{
    const struct ch_cmd_share_set_expiry *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const uint64_t wanted = args->has_expires_at ? args->expires_at : 0;
    const uint64_t end = ch_terms_of(c->state, share)->expires_at;
    if (end == wanted) return CH_REJ_none;
    bool longer = wanted == 0 || (end != 0 && wanted > end);
    struct ch_scopes missing = {{0, 0}};
    if (longer) {
        missing = ch_scopes_or(ch_uncovered_share(c, row), ch_uncovered_memberships(c, row));
    } else {
        missing = ch_lifted_by_share(c, row);
    }
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "expires_at", missing);
    }
    if (args->has_expires_at && args->expires_at <= c->moment->now) {
        return ch_reject(c, CH_REJ_in_the_past, "expires_at");
    }
    struct ch_ev_share_expiry_set *body = ch_emit(c, CH_EV_share_expiry_set, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = share->id;
    body->has_expires_at = args->has_expires_at;
    body->expires_at = args->expires_at;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_limit(struct ch_case *c)
{
    const struct ch_cmd_share_limit *args = c->call->args;
    const bool all = args->has_all && args->all;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    struct ch_scopes missing = ch_uncovered_share(c, row);
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "resources", missing);
    }
    if (args->kind == CH_resource_kind_none) return ch_reject(c, CH_REJ_wrong_resource, "kind");
    if (all && args->resources_len > 0) return ch_reject(c, CH_REJ_wrong_resource, "resources");
    const uint32_t limited = ch_terms_of(c->state, share)->limited_kinds;
    if (all && (limited >> args->kind & 1) == 0) return CH_REJ_none;
    struct ch_ev_share_limited *body = ch_emit(c, CH_EV_share_limited, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = share->id;
    body->kind = args->kind;
    body->all = all;
    body->resources = args->resources;
    body->resources_len = args->resources_len;
    return CH_REJ_none;
}

struct ch_scopes ch_pages_scopes(const struct ch_state *state, const struct ch_ref *pages,
                                 uint32_t count)
{
    struct ch_scopes scopes = {{0, 0}};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t page = ch_find_page(state, pages[i].id);
        scopes = ch_scopes_or(scopes, ch_scopes_at(state, ch_page_row(state, page)->scopes));
    }
    return scopes;
}

enum ch_rejection_code ch_decide_share_restrict(struct ch_case *c)
{
    const struct ch_cmd_share_restrict *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    struct ch_scopes denied = ch_pages_scopes(c->state, args->pages, args->pages_len);
    if (args->has_scopes) denied = ch_scopes_or(denied, args->scopes);
    const struct ch_scopes now = ch_scopes_at(c->state, ch_terms_of(c->state, share)->denied);
    if (ch_scopes_equal(now, denied)) return CH_REJ_none;
    /* What is no longer taken away is given, so it must be covered. */
    if (!covers(c, share->reach, ch_scopes_but(now, denied), NULL, "scopes")) return CH_REJ_none;
    if (ch_scopes_has(denied, CH_SCOPE_lists_select) &&
        !ch_scopes_has(denied, CH_SCOPE_campaigns_send)) {
        return ch_reject_scopes(c, CH_REJ_implied_scope, "scopes",
                                ch_scopes_of(CH_SCOPE_lists_select));
    }
    struct ch_ev_share_restricted *body = ch_emit(c, CH_EV_share_restricted, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = share->id;
    body->denied = denied;
    return CH_REJ_none;
}

/* Scopes that do not take this kind of resource. */
static struct ch_scopes of_other_kinds(const struct ch_state *state, struct ch_scopes scopes,
                                       uint8_t kind)
{
    struct ch_scopes other = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_has(scopes, (uint8_t)scope) && ch_meta(state)->scope_kinds[scope] != kind) {
            ch_scopes_add(&other, (uint8_t)scope);
        }
    }
    return other;
}

enum ch_rejection_code ch_decide_share_grant(struct ch_case *c)
{
    const struct ch_cmd_share_grant *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    if (!covers(c, share->reach, args->scopes, &args->resource, "scopes")) return CH_REJ_none;
    const struct ch_scopes other = of_other_kinds(c->state, args->scopes, args->kind);
    if (args->kind == CH_resource_kind_none) return ch_reject(c, CH_REJ_wrong_resource, "kind");
    if (!ch_scopes_empty(other) || ch_scopes_empty(args->scopes)) {
        return ch_reject_scopes(c, CH_REJ_wrong_resource, "scopes", other);
    }
    const uint32_t text = ch_text_find(c->state, args->resource);
    const uint32_t known = text == 0 ? 0 : ch_find_grant(c->state, row, args->kind, text);
    if (known != 0) {
        struct ch_scopes now = ch_scopes_at(c->state, ch_grant_row(c->state, known)->scopes);
        if (ch_scopes_equal(now, args->scopes)) return CH_REJ_none;
    } else if (share->grant_count >= LIMIT_GRANTS_OF_SHARE) {
        return ch_reject_limit(c, "GRANTS_OF_SHARE", "resource");
    }
    struct ch_ev_grant_set *body = ch_emit(c, CH_EV_grant_set, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = share->id;
    body->kind = args->kind;
    body->resource = args->resource;
    body->scopes = args->scopes;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_set_scopes(struct ch_case *c)
{
    const struct ch_cmd_share_set_scopes *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_share *share = ch_share_row(c->state, row);
    const struct ch_scopes now = ch_scopes_at(c->state, ch_terms_of(c->state, share)->own);
    if (ch_scopes_equal(now, args->scopes)) return CH_REJ_none;
    const struct ch_scopes added = ch_scopes_but(args->scopes, now);
    if (!covers(c, share->reach, added, NULL, "scopes")) return CH_REJ_none;
    if (!ch_is_givable(c, added, "scopes")) return CH_REJ_none;
    struct ch_ev_share_scopes_set *body = ch_emit(c, CH_EV_share_scopes_set, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = share->id;
    body->scopes = args->scopes;
    return CH_REJ_none;
}

bool ch_may_add_scopes(struct ch_case *c, struct ch_scopes scopes, const struct ch_text *resource)
{
    return covers(c, CH_reach_account, scopes, resource, "scopes") &&
           (resource != NULL || ch_is_givable(c, scopes, "scopes"));
}

enum ch_rejection_code ch_decide_share_revoke(struct ch_case *c)
{
    const struct ch_cmd_share_revoke *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const uint32_t text = ch_text_find(c->state, args->resource);
    if (text == 0 || ch_find_grant(c->state, row, args->kind, text) == 0) {
        return ch_reject(c, CH_REJ_no_such_grant, "resource");
    }
    struct ch_ev_grant_revoked *body = ch_emit(c, CH_EV_grant_revoked, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->share.seq = ch_share_row(c->state, row)->id;
    body->kind = args->kind;
    body->resource = args->resource;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_deactivate(struct ch_case *c)
{
    const struct ch_cmd_share_deactivate *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0) return CH_REJ_none;
    const uint8_t status = ch_share_row(c->state, row)->status;
    if (status == CH_share_status_pending) (void)ch_cancel_invitation(c, row);
    if (status == CH_share_status_active) {
        if (!may_lift(c, row, args->has_user ? "user" : "group")) return CH_REJ_none;
        struct ch_ev_share_deactivated *body = ch_emit(c, CH_EV_share_deactivated, account_id(c));
        if (body != NULL) body->share.seq = ch_share_row(c->state, row)->id;
    }
    if (args->has_end_made && args->end_made && args->has_user) {
        (void)ch_end_made(c, ch_share_row(c->state, row)->subject, row);
    }
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_activate(struct ch_case *c)
{
    const struct ch_cmd_share_activate *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0 || ch_share_row(c->state, row)->status == CH_share_status_active)
        return CH_REJ_none;
    if (ch_share_row(c->state, row)->status == CH_share_status_pending) {
        return ch_reject(c, CH_REJ_not_accepted, args->has_user ? "user" : "group");
    }
    struct ch_scopes missing =
        ch_scopes_or(ch_uncovered_share(c, row), ch_uncovered_memberships(c, row));
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, args->has_user ? "user" : "group",
                                missing);
    }
    struct ch_ev_share_activated *body = ch_emit(c, CH_EV_share_activated, account_id(c));
    if (body != NULL) body->share.seq = ch_share_row(c->state, row)->id;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_share_end(struct ch_case *c)
{
    const struct ch_cmd_share_end *args = c->call->args;
    uint32_t row = SHARE_TO_CHANGE(c, args);
    if (row == 0 || !may_lift(c, row, args->has_user ? "user" : "group")) return CH_REJ_none;
    struct ch_ev_share_ended *body = ch_emit(c, CH_EV_share_ended, account_id(c));
    if (body != NULL) body->share.seq = ch_share_row(c->state, row)->id;
    if (args->has_end_made && args->end_made && args->has_user) {
        (void)ch_end_made(c, ch_share_row(c->state, row)->subject, row);
    }
    return CH_REJ_none;
}
