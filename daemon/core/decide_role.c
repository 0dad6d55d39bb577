/* decide_role: rules of roles and of this version's texts of roles and pages; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

/* Whether the share has the role: every share of the log for a built-in one, else its account's. */
static uint32_t next_holder(const struct ch_state *state, uint32_t role, uint32_t after)
{
    const uint32_t account = ch_role_row(state, role)->account;
    uint32_t s = 0;
    if (account == 0) {
        s = ch_row_next(&state->store, CH_T_SHARE, after);
    } else if (after == 0) {
        s = ch_account_row(state, account)->first_share;
    } else {
        s = ch_share_row(state, after)->next_of_account;
    }
    while (s != 0 && ch_share_row(state, s)->role != role) {
        s = account == 0 ? ch_row_next(&state->store, CH_T_SHARE, s)
                         : ch_share_row(state, s)->next_of_account;
    }
    return s;
}

/* Whether a share with the role reaches below its account. */
static bool reaches_below(const struct ch_state *state, uint32_t role)
{
    for (uint32_t s = next_holder(state, role, 0); s != 0; s = next_holder(state, role, s)) {
        if (ch_share_row(state, s)->reach == CH_reach_subtree) return true;
    }
    return false;
}

/* A new version of a role, if it differs: what it adds and removes, and for how many shares. */
static void change_role(struct ch_case *c, uint32_t row, struct ch_scopes scopes, uint64_t account)
{
    const struct ch_row_role *role = ch_role_row(c->state, row);
    const struct ch_scopes now = ch_scopes_at(c->state, role->scopes);
    if (ch_scopes_equal(now, scopes)) return;
    struct ch_ev_role_changed *body = ch_emit(c, CH_EV_role_changed, account);
    if (body == NULL) return;
    body->role.seq = role->id;
    body->version = role->version + 1;
    body->scopes = scopes;
    body->added = ch_scopes_but(scopes, now);
    body->removed = ch_scopes_but(now, scopes);
    for (uint32_t s = next_holder(c->state, row, 0); s != 0; s = next_holder(c->state, row, s)) {
        body->shares++;
    }
}

/* Whether the person who acts, also by a key of theirs, has the account's own role, by a share of
 * theirs or of a group they are in. */
static bool has_role(const struct ch_case *c, uint32_t role)
{
    const uint32_t person = ch_person_behind(c->state, &c->moment->actor);
    if (person == 0) return false;
    for (uint32_t a = c->on; a != 0; a = ch_account_row(c->state, a)->parent) {
        uint32_t mine = ch_find_share(c->state, CH_subject_kind_user, person, a);
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
    if (known != 0 && reaches_below(c->state, known)) {
        missing =
            ch_scopes_or(missing, ch_uncovered(c, c->on, CH_reach_subtree, args->scopes, NULL));
    }
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "scopes", missing);
    }
    if (!ch_is_givable(c, args->scopes, "scopes")) return CH_REJ_none;
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
    change_role(c, known, args->scopes, account);
    return CH_REJ_none;
}

/* An own role of the account that args name; 0 after refusing. */
static uint32_t own_role(struct ch_case *c, const struct ch_ref *ref)
{
    const uint32_t role = ch_find_role(c->state, ref->id);
    if (ch_role_row(c->state, role)->account != 0) return role;
    (void)ch_reject(c, CH_REJ_built_in, "role");
    return 0;
}

enum ch_rejection_code ch_decide_role_rename(struct ch_case *c)
{
    const struct ch_cmd_role_rename *args = c->call->args;
    const uint32_t known = ch_find_role_name(c->state, c->on, args->name);
    const uint32_t role = ch_find_role(c->state, args->role.id);
    if (known != 0 && known != role) return ch_reject(c, CH_REJ_name_taken, "name");
    if (own_role(c, &args->role) == 0) return CH_REJ_none;
    if (ch_find_role_name(c->state, 0, args->name) != 0) {
        return ch_reject(c, CH_REJ_built_in, "name");
    }
    if (known == role) return CH_REJ_none;
    struct ch_ev_role_renamed *body =
        ch_emit(c, CH_EV_role_renamed, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->role.seq = args->role.id;
    body->name = args->name;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_role_delete(struct ch_case *c)
{
    const struct ch_cmd_role_delete *args = c->call->args;
    const uint32_t role = own_role(c, &args->role);
    if (role == 0) return CH_REJ_none;
    if (next_holder(c->state, role, 0) != 0) return ch_reject(c, CH_REJ_role_in_use, "role");
    struct ch_ev_role_deleted *body =
        ch_emit(c, CH_EV_role_deleted, ch_account_row(c->state, c->on)->id);
    if (body != NULL) body->role.seq = args->role.id;
    return CH_REJ_none;
}

/* What this version's text says of a name; false: it has none such. */
static bool text_of(size_t count, struct ch_set_row (*at)(size_t place), struct ch_text name,
                    struct ch_scopes *ret)
{
    for (size_t i = 0; i < count; i++) {
        const struct ch_set_row row = at(i);
        if (!ch_text_is(name, row.name)) continue;
        *ret = row.scopes;
        return true;
    }
    return false;
}

static void change_page(struct ch_case *c, uint32_t row, struct ch_scopes scopes)
{
    const struct ch_row_page *page = ch_page_row(c->state, row);
    const struct ch_scopes now = ch_scopes_at(c->state, page->scopes);
    if (ch_scopes_equal(now, scopes)) return;
    struct ch_ev_page_changed *body = ch_emit(c, CH_EV_page_changed, /* account= */ 0);
    if (body == NULL) return;
    body->page.seq = page->id;
    body->version = page->version + 1;
    body->scopes = scopes;
    body->added = ch_scopes_but(scopes, now);
    body->removed = ch_scopes_but(now, scopes);
}

enum ch_rejection_code ch_decide_role_publish(struct ch_case *c)
{
    const struct ch_cmd_role_publish *args = c->call->args;
    if (args->has_role == args->has_page) return ch_reject(c, CH_REJ_one_of_two, "role");
    const uint32_t row = args->has_role ? ch_find_role(c->state, args->role.id)
                                        : ch_find_page(c->state, args->page.id);
    const uint32_t name =
        args->has_role ? ch_role_row(c->state, row)->name : ch_page_row(c->state, row)->name;
    char chars[128];
    const struct ch_text text = {chars,
                                 ch_chain_get(c->state, CH_T_TEXT, name, chars, sizeof chars)};
    struct ch_scopes scopes = {{0, 0}};
    const bool known = args->has_role ? text_of(ch_role_count(), ch_role_at, text, &scopes)
                                      : text_of(ch_page_count(), ch_page_at, text, &scopes);
    if (!known) {
        return ch_reject(c, CH_REJ_not_in_this_version, args->has_role ? "role" : "page");
    }
    if (args->has_role) {
        change_role(c, row, scopes, /* account= */ 0);
    } else {
        change_page(c, row, scopes);
    }
    return CH_REJ_none;
}
