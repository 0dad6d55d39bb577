/* query_role: roles, their versions, whom a change concerns, and pages; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

static struct ch_rec_role_row role_record(struct ch_asking *q, uint32_t row)
{
    const struct ch_row_role *role = ch_role_row(q->state, row);
    ch_saw(q, role->changed);
    struct ch_rec_role_row record = {.name = ch_copy_text(q, role->name),
                                     .built_in = role->account == 0,
                                     .version = role->version,
                                     .scopes = ch_scopes_at(q->state, role->scopes)};
    record.role.seq = role->id;
    return record;
}

/* An account's own roles are shown to those who may read them there. */
static bool may_see_roles(struct ch_asking *q, uint32_t account)
{
    if (account == 0 || !ch_is_bound(q->moment)) return true;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_roles_read);
    const struct ch_answer answer = ch_ask_actor(q, account, wanted);
    if (!answer.led) return ch_refuse(q, CH_REJ_not_found, "account");
    if (answer.decision == CH_decision_allowed) return true;
    return ch_refuse_scopes(q, CH_REJ_not_allowed, "account", wanted);
}

static uint64_t id_of_role(const struct ch_state *state, uint32_t row)
{
    return ch_role_row(state, row)->id;
}

void ch_query_role_list(struct ch_asking *q)
{
    const struct ch_qry_role_list *args = q->call->args;
    const uint32_t account = args->has_account ? ch_find_account(q->state, args->account.id) : 0;
    if (!may_see_roles(q, account)) return;
    struct ch_rows rows = {0};
    const struct ch_store *store = &q->state->store;
    for (uint32_t r = ch_row_next(store, CH_T_ROLE, 0); r != 0;
         r = ch_row_next(store, CH_T_ROLE, r)) {
        const uint32_t owner = ch_role_row(q->state, r)->account;
        if (owner != 0 && owner != account) continue;
        if (!ch_rows_add(q, &rows, r)) return;
    }
    if (rows.count > LIMIT_LIST_ITEMS) {
        (void)ch_refuse_limit(q, "LIST_ITEMS", "account");
        return;
    }
    ch_rows_order(q, &rows, id_of_role);
    struct ch_qry_role_list_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_role_row *roles = ch_take(q, rows.count, sizeof *roles);
    if (result == NULL || roles == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        roles[i] = role_record(q, rows.row[i]);
    }
    result->roles = roles;
    result->roles_len = rows.count;
    q->ret->result = result;
}

/* Versions that stand before the cursor, the newest first. */
static uint32_t pick_versions(struct ch_asking *q, const struct ch_row_role *role,
                              struct ch_page page, struct ch_rec_role_version_row *ret)
{
    uint32_t count = 0;
    for (uint32_t v = role->last_version; v != 0 && count < page.limit;) {
        const struct ch_row_role_version *row = ch_role_version_row(q->state, v);
        const struct ch_scopes scopes = ch_scopes_at(q->state, row->scopes);
        v = row->before;
        if (page.after != 0 && row->version >= page.after) continue;
        struct ch_scopes before = {{0, 0}};
        if (v != 0) before = ch_scopes_at(q->state, ch_role_version_row(q->state, v)->scopes);
        ret[count++] = (struct ch_rec_role_version_row){.version = row->version,
                                                        .since = row->seq,
                                                        .scopes = scopes,
                                                        .added = ch_scopes_but(scopes, before),
                                                        .removed = ch_scopes_but(before, scopes)};
    }
    return count;
}

/* The next share of the account with the role, in the order of its list; of every account, in the
 * order of the rows, where `account` is 0. */
static uint32_t next_holder(const struct ch_asking *q, uint32_t role, uint32_t account,
                            uint32_t after)
{
    uint32_t s = after;
    do {
        if (account == 0) {
            s = ch_row_next(&q->state->store, CH_T_SHARE, s);
        } else {
            s = s == 0 ? ch_account_row(q->state, account)->first_share
                       : ch_share_row(q->state, s)->next_of_account;
        }
    } while (s != 0 && ch_share_row(q->state, s)->role != role);
    return s;
}

void ch_query_role_show(struct ch_asking *q)
{
    const struct ch_qry_role_show *args = q->call->args;
    const uint32_t row = ch_find_role(q->state, args->role.id);
    const struct ch_row_role *role = ch_role_row(q->state, row);
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    ch_saw_account(q, q->on);
    struct ch_qry_role_show_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_role_version_row *versions = ch_take(q, page.limit, sizeof *versions);
    if (result == NULL || versions == NULL) return;
    result->role = role_record(q, row);
    result->versions = versions;
    result->versions_len = pick_versions(q, role, page, versions);
    for (uint32_t s = next_holder(q, row, q->on, 0); s != 0; s = next_holder(q, row, q->on, s)) {
        result->shares++;
    }
    const uint32_t last =
        result->versions_len == 0 ? 1 : (uint32_t)versions[result->versions_len - 1].version;
    result->has_next = last > 1;
    result->next = last;
    q->ret->result = result;
}

/* What a change of a role comes to for one share with it: its own scopes stay, and what it is
 * denied it does not get. */
struct effect {
    struct ch_scopes widened;
    struct ch_scopes narrowed;
};

static struct effect effect_on(const struct ch_asking *q, uint32_t share, struct ch_scopes added,
                               struct ch_scopes removed)
{
    const struct ch_row_share *row = ch_share_row(q->state, share);
    const struct ch_row_terms *terms = ch_terms_of(q->state, row);
    const struct ch_scopes aside =
        ch_scopes_or(ch_scopes_at(q->state, terms->own), ch_scopes_at(q->state, terms->denied));
    return (struct effect){.widened = ch_scopes_but(added, aside),
                           .narrowed = ch_scopes_but(removed, aside)};
}

/* What a change of the role to `scopes` comes to for the shares of an account, or of all. */
static void tell_effect(struct ch_asking *q, uint32_t role, uint32_t account,
                        struct ch_scopes scopes, struct ch_page page,
                        struct ch_qry_role_change_effect_result *result)
{
    const struct ch_scopes now = ch_scopes_at(q->state, ch_role_row(q->state, role)->scopes);
    ch_saw(q, ch_role_row(q->state, role)->changed);
    result->added = ch_scopes_but(scopes, now);
    result->removed = ch_scopes_but(now, scopes);
    struct ch_rows rows = {0};
    for (uint32_t s = next_holder(q, role, account, 0); s != 0;
         s = next_holder(q, role, account, s)) {
        const struct effect effect = effect_on(q, s, result->added, result->removed);
        ch_saw(q, ch_share_row(q->state, s)->changed);
        result->widened += !ch_scopes_empty(effect.widened);
        result->narrowed += !ch_scopes_empty(effect.narrowed);
        if (ch_scopes_empty(ch_scopes_or(effect.widened, effect.narrowed))) continue;
        if (!ch_rows_add(q, &rows, s)) return;
    }
    ch_rows_page(q, &rows, page, ch_id_of_share, &result->has_next, &result->next);
    struct ch_rec_role_effect_row *shares = ch_take(q, rows.count, sizeof *shares);
    if (shares == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct effect effect = effect_on(q, rows.row[i], result->added, result->removed);
        const struct ch_rec_share_row share = ch_share_record(q, rows.row[i]);
        shares[i] = (struct ch_rec_role_effect_row){.share = share.share,
                                                    .account = share.account,
                                                    .subject_kind = share.subject_kind,
                                                    .subject = share.subject,
                                                    .subject_name = share.subject_name,
                                                    .widened = effect.widened,
                                                    .narrowed = effect.narrowed};
    }
    result->shares = shares;
    result->shares_len = rows.count;
}

void ch_query_role_change_effect(struct ch_asking *q)
{
    const struct ch_qry_role_change_effect *args = q->call->args;
    struct ch_qry_role_change_effect_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_saw_account(q, q->on);
    tell_effect(q, ch_find_role(q->state, args->role.id), q->on, args->scopes,
                ch_page_of(args->has_after, args->after, args->has_limit, args->limit), result);
    q->ret->result = result;
}

/* The same of role.publish, for all accounts. */
void ch_query_role_publish_effect(struct ch_asking *q)
{
    const struct ch_qry_role_publish_effect *args = q->call->args;
    const uint32_t role = ch_find_role(q->state, args->role.id);
    const struct ch_text name = ch_copy_text(q, ch_role_row(q->state, role)->name);
    for (size_t i = 0; i < ch_role_count(); i++) {
        const struct ch_set_row row = ch_role_at(i);
        if (!ch_text_is(name, row.name)) continue;
        struct ch_qry_role_publish_effect_result *result = ch_take(q, 1, sizeof *result);
        struct ch_qry_role_change_effect_result effect = {0};
        if (result == NULL) return;
        tell_effect(q, role, /* account= */ 0, row.scopes,
                    ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                    &effect);
        result->added = effect.added;
        result->removed = effect.removed;
        result->widened = effect.widened;
        result->narrowed = effect.narrowed;
        result->shares = effect.shares;
        result->shares_len = effect.shares_len;
        result->has_next = effect.has_next;
        result->next = effect.next;
        q->ret->result = result;
        return;
    }
    (void)ch_refuse(q, CH_REJ_not_in_this_version, "role");
}

static uint64_t id_of_page(const struct ch_state *state, uint32_t row)
{
    return ch_page_row(state, row)->id;
}

void ch_query_page_list(struct ch_asking *q)
{
    const struct ch_store *store = &q->state->store;
    struct ch_rows rows = {0};
    for (uint32_t p = ch_row_next(store, CH_T_PAGE, 0); p != 0;
         p = ch_row_next(store, CH_T_PAGE, p)) {
        if (!ch_rows_add(q, &rows, p)) return;
    }
    ch_rows_order(q, &rows, id_of_page);
    struct ch_qry_page_list_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_page_row *pages = ch_take(q, rows.count, sizeof *pages);
    if (result == NULL || pages == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_page *page = ch_page_row(q->state, rows.row[i]);
        ch_saw(q, page->changed);
        pages[i].page.seq = page->id;
        pages[i].name = ch_copy_text(q, page->name);
        pages[i].version = page->version;
        pages[i].scopes = ch_scopes_at(q->state, page->scopes);
    }
    result->pages = pages;
    result->pages_len = rows.count;
    q->ret->result = result;
}
