/* query_login: other logins, and what a user made; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

/* The pages that are wholly taken away, of those that can be restricted. */
static uint32_t restrictions_of(struct ch_asking *q, struct ch_scopes denied, uint8_t *ret)
{
    uint32_t count = 0;
    for (const struct ch_enum_value *v = ch_kinds[CH_KIND_restriction].values; v->name != NULL;
         v++) {
        const uint32_t page = ch_find_page_name(q->state, ch_text_of(v->name));
        if (page == 0) continue;
        const struct ch_scopes scopes = ch_scopes_at(q->state, ch_page_row(q->state, page)->scopes);
        if (ch_scopes_empty(ch_scopes_but(scopes, denied))) ret[count++] = v->number;
    }
    return count;
}

static struct ch_rec_login_row login(struct ch_asking *q, uint32_t share_row)
{
    const struct ch_row_share *share = ch_share_row(q->state, share_row);
    const struct ch_rec_user_row user = ch_user_record(q, share->subject);
    const uint64_t login_at = ch_user_row(q->state, share->subject)->last_login_at;
    uint8_t *restrictions = ch_take(q, CH_restriction_surveys + 1, sizeof *restrictions);
    ch_saw(q, share->changed);
    struct ch_rec_login_row row = {.user = user.user,
                                   .has_username = user.has_username,
                                   .username = user.username,
                                   .has_full_name = user.has_full_name,
                                   .full_name = user.full_name,
                                   .status = share->status,
                                   .has_last_login_at = login_at != 0,
                                   .last_login_at = login_at,
                                   .has_expires_at = share->expires_at != 0,
                                   .expires_at = share->expires_at};
    row.share.seq = share->id;
    if (restrictions == NULL) return row;
    row.restrictions = restrictions;
    row.restrictions_len = restrictions_of(q, ch_scopes_at(q->state, share->denied), restrictions);
    return row;
}

void ch_query_login_list(struct ch_asking *q)
{
    const struct ch_qry_login_list *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t s = ch_account_row(q->state, q->on)->first_share; s != 0;
         s = ch_share_row(q->state, s)->next_of_account) {
        const struct ch_row_share *share = ch_share_row(q->state, s);
        if (share->kind != CH_share_kind_login || share->subject_kind != CH_subject_kind_user) {
            continue;
        }
        if (!ch_rows_add(q, &rows, s)) return;
    }
    ch_rows_sort(&rows);
    struct ch_qry_login_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_cut(&rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                &result->has_next, &result->next);
    struct ch_rec_login_row *logins = ch_take(q, rows.count, sizeof *logins);
    if (logins == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        logins[i] = login(q, rows.row[i]);
    }
    result->logins = logins;
    result->logins_len = rows.count;
    q->ret->result = result;
}

static struct ch_rec_orphan_row orphan(struct ch_asking *q, uint32_t share_row)
{
    const struct ch_rec_share_row share = ch_share_record(q, share_row);
    return (struct ch_rec_orphan_row){.account = share.account,
                                      .account_name = share.account_name,
                                      .share = share.share,
                                      .subject_kind = share.subject_kind,
                                      .subject = share.subject,
                                      .subject_name = share.subject_name,
                                      .has_role = share.has_role,
                                      .role = share.role};
}

static struct ch_rec_orphan_row orphan_grant(struct ch_asking *q, uint32_t grant_row)
{
    const struct ch_row_grant *grant = ch_grant_row(q->state, grant_row);
    struct ch_rec_orphan_row row = orphan(q, grant->share);
    row.has_kind = true;
    row.kind = (uint8_t)grant->kind;
    row.has_resource = true;
    row.resource = ch_copy_text(q, grant->resource);
    row.has_scopes = true;
    row.scopes = ch_scopes_at(q->state, grant->scopes);
    return row;
}

/* Gathers what the user made; false when there is no memory. */
static bool gather(struct ch_asking *q, uint32_t user, struct ch_rows *shares,
                   struct ch_rows *grants)
{
    const struct ch_state *state = q->state;
    for (uint32_t a = ch_next_in_tree(state, q->on, 0); a != 0;
         a = ch_next_in_tree(state, q->on, a)) {
        ch_saw_account(q, a);
        for (uint32_t s = ch_account_row(state, a)->first_share; s != 0;
             s = ch_share_row(state, s)->next_of_account) {
            ch_saw(q, ch_share_row(state, s)->changed);
            if (ch_share_row(state, s)->made_by == user) {
                if (!ch_rows_add(q, shares, s)) return false;
                continue;
            }
            for (uint32_t g = ch_share_row(state, s)->first_grant; g != 0;
                 g = ch_grant_row(state, g)->next) {
                if (ch_grant_row(state, g)->made_by != user) continue;
                if (!ch_rows_add(q, grants, g)) return false;
            }
        }
    }
    ch_rows_sort(shares);
    ch_rows_sort(grants);
    return true;
}

void ch_query_access_orphans(struct ch_asking *q)
{
    const struct ch_qry_access_orphans *args = q->call->args;
    const uint32_t user = ch_find_user(q->state, args->user.id);
    struct ch_rows shares = {0}, grants = {0};
    const bool was_here = ch_find_seat(q->state, user, q->on) != 0;
    if (!was_here && !ch_is_known_here(q, user)) {
        (void)ch_refuse(q, CH_REJ_not_found, "user");
        return;
    }
    if (!gather(q, user, &shares, &grants)) return;
    if (shares.count > LIMIT_LIST_ITEMS || grants.count > LIMIT_LIST_ITEMS) {
        (void)ch_refuse_limit(q, "LIST_ITEMS", "user");
        return;
    }
    struct ch_qry_access_orphans_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_orphan_row *share_rows = ch_take(q, shares.count, sizeof *share_rows);
    struct ch_rec_orphan_row *grant_rows = ch_take(q, grants.count, sizeof *grant_rows);
    if (result == NULL || share_rows == NULL || grant_rows == NULL) return;
    for (uint32_t i = 0; i < shares.count; i++) {
        share_rows[i] = orphan(q, shares.row[i]);
    }
    for (uint32_t i = 0; i < grants.count; i++) {
        grant_rows[i] = orphan_grant(q, grants.row[i]);
    }
    result->shares = share_rows;
    result->shares_len = shares.count;
    result->grants = grant_rows;
    result->grants_len = grants.count;
    q->ret->result = result;
}
