/* query_login: other logins, and what a user made; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"

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
    const struct ch_row_terms *terms = ch_terms_of(q->state, share);
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
                                   .has_expires_at = terms->expires_at != 0,
                                   .expires_at = terms->expires_at};
    row.share.seq = share->id;
    if (restrictions == NULL) return row;
    row.restrictions = restrictions;
    row.restrictions_len = restrictions_of(q, ch_scopes_at(q->state, terms->denied), restrictions);
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
    struct ch_qry_login_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 ch_id_of_share, &result->has_next, &result->next);
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

/* What a user made, by kind, in the order in which it is told. */
enum made_kind { MADE_SHARE, MADE_GRANT, MADE_KEY, MADE_KINDS };

static bool gather_of_share(struct ch_asking *q, uint32_t user, uint32_t share,
                            struct ch_rows *made)
{
    ch_saw(q, ch_share_row(q->state, share)->changed);
    if (ch_share_row(q->state, share)->made_by == user) {
        return ch_rows_add(q, &made[MADE_SHARE], share);
    }
    for (uint32_t g = ch_share_row(q->state, share)->first_grant; g != 0;
         g = ch_grant_row(q->state, g)->next) {
        if (ch_grant_row(q->state, g)->made_by != user) continue;
        if (!ch_rows_add(q, &made[MADE_GRANT], g)) return false;
    }
    return true;
}

/* Gathers what the user made; false when there is no memory. */
static bool gather(struct ch_asking *q, uint32_t user, struct ch_rows *made)
{
    const struct ch_state *state = q->state;
    for (uint32_t a = ch_next_in_tree(state, q->on, 0); a != 0;
         a = ch_next_in_tree(state, q->on, a)) {
        ch_saw_account(q, a);
        for (uint32_t s = ch_account_row(state, a)->first_share; s != 0;
             s = ch_share_row(state, s)->next_of_account) {
            if (!gather_of_share(q, user, s, made)) return false;
        }
        for (uint32_t k = ch_account_row(state, a)->first_key; k != 0;
             k = ch_key_row(state, k)->next_of_account) {
            if (ch_key_row(state, k)->person != user) continue;
            if (!ch_rows_add(q, &made[MADE_KEY], k)) return false;
        }
    }
    return true;
}

/* Cuts one page out of all three: a cursor is a kind, and the id of what was shown last of it. Ids
 * stay far below the bits of the kind. */
enum { ID_BITS = 51 };

static void cut(struct ch_asking *q, struct ch_rows *made, uint64_t after, uint32_t limit,
                bool *has_next, uint64_t *next)
{
    static ch_id_fn *const id_of[MADE_KINDS] = {ch_id_of_share, ch_id_of_grant, ch_id_of_key};
    uint32_t left = limit;
    for (uint32_t kind = MADE_SHARE; kind < MADE_KINDS; kind++) {
        struct ch_page page = {.limit = left == 0 ? 1 : left};
        bool more = false;
        uint64_t last = 0;
        if (after >> ID_BITS > kind) made[kind].count = 0;
        if (after >> ID_BITS == kind) page.after = after & ((UINT64_C(1) << ID_BITS) - 1);
        ch_rows_page(q, &made[kind], page, id_of[kind], &more, &last);
        *has_next = *has_next || more || (left == 0 && made[kind].count > 0);
        if (left == 0) made[kind].count = 0;
        left -= made[kind].count;
        if (left > 0 || made[kind].count == 0) continue;
        last = id_of[kind](q->state, made[kind].row[made[kind].count - 1]);
        *next = (uint64_t)kind << ID_BITS | last;
    }
}

static void tell(struct ch_asking *q, const struct ch_rows *made,
                 struct ch_qry_access_orphans_result *result)
{
    struct ch_rec_orphan_row *shares = ch_take(q, made[MADE_SHARE].count, sizeof *shares);
    struct ch_rec_orphan_row *grants = ch_take(q, made[MADE_GRANT].count, sizeof *grants);
    struct ch_rec_key_row *keys = ch_take(q, made[MADE_KEY].count, sizeof *keys);
    if (shares == NULL || grants == NULL || keys == NULL) return;
    for (uint32_t i = 0; i < made[MADE_SHARE].count; i++) {
        shares[i] = orphan(q, made[MADE_SHARE].row[i]);
    }
    for (uint32_t i = 0; i < made[MADE_GRANT].count; i++) {
        grants[i] = orphan_grant(q, made[MADE_GRANT].row[i]);
    }
    for (uint32_t i = 0; i < made[MADE_KEY].count; i++) {
        keys[i] = ch_key_record(q, made[MADE_KEY].row[i]);
    }
    result->shares = shares;
    result->shares_len = made[MADE_SHARE].count;
    result->grants = grants;
    result->grants_len = made[MADE_GRANT].count;
    result->keys = keys;
    result->keys_len = made[MADE_KEY].count;
    result->revision = ch_meta(q->state)->head;
    q->ret->result = result;
}

void ch_query_access_orphans(struct ch_asking *q)
{
    const struct ch_qry_access_orphans *args = q->call->args;
    const uint32_t user = ch_find_user(q->state, args->user.id);
    const struct ch_page page = ch_page_of(false, 0, args->has_limit, args->limit);
    struct ch_rows made[MADE_KINDS] = {0};
    const bool was_here = ch_find_seat(q->state, user, q->on) != 0;
    if (!was_here && !ch_is_known_here(q, user)) {
        (void)ch_refuse(q, CH_REJ_not_found, "user");
        return;
    }
    if (!gather(q, user, made)) return;
    struct ch_qry_access_orphans_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    cut(q, made, args->has_after ? args->after : 0, page.limit, &result->has_next, &result->next);
    tell(q, made, result);
}
