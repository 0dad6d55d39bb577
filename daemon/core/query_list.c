/* query_list: what there is; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

static bool rows_of_shares(struct ch_asking *q, struct ch_rows *rows)
{
    ch_saw_account(q, q->on);
    for (uint32_t s = ch_account_row(q->state, q->on)->first_share; s != 0;
         s = ch_share_row(q->state, s)->next_of_account) {
        if (!ch_rows_add(q, rows, s)) return false;
    }
    return true;
}

static const struct ch_rec_share_row *share_records(struct ch_asking *q, const struct ch_rows *rows)
{
    struct ch_rec_share_row *shares = ch_take(q, rows->count, sizeof *shares);
    for (uint32_t i = 0; shares != NULL && i < rows->count; i++) {
        shares[i] = ch_share_record(q, rows->row[i]);
    }
    return shares;
}

void ch_query_share_list(struct ch_asking *q)
{
    const struct ch_qry_share_list *args = q->call->args;
    struct ch_rows rows = {0};
    if (!rows_of_shares(q, &rows)) return;
    struct ch_qry_share_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 ch_id_of_share, &result->has_next, &result->next);
    result->shares = share_records(q, &rows);
    result->shares_len = rows.count;
    q->ret->result = result;
}

void ch_query_user_show(struct ch_asking *q)
{
    const struct ch_qry_user_show *args = q->call->args;
    const uint32_t user = ch_find_user(q->state, args->user.id);
    const struct ch_row_user *row = ch_user_row(q->state, user);
    ch_saw(q, row->changed);
    if (row->share_count > LIMIT_LIST_ITEMS) {
        (void)ch_refuse_limit(q, "LIST_ITEMS", "user");
        return;
    }
    struct ch_rows rows = {0};
    for (uint32_t s = row->first_share; s != 0; s = ch_share_row(q->state, s)->next_of_subject) {
        if (!ch_rows_add(q, &rows, s)) return;
    }
    ch_rows_order(q, &rows, ch_id_of_share);
    struct ch_qry_user_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->user = ch_user_record(q, user);
    result->shares = share_records(q, &rows);
    result->shares_len = rows.count;
    q->ret->result = result;
}

/* The share that args name, on the account asked about; 0 after refusing. */
static uint32_t named_share(struct ch_asking *q, const struct ch_qry_share_show *args)
{
    if (args->has_user == args->has_group) {
        (void)ch_refuse(q, CH_REJ_one_subject, "user");
        return 0;
    }
    uint32_t share = 0;
    if (args->has_user) {
        const uint32_t user = ch_find_user(q->state, args->user.id);
        if (!ch_is_known_here(q, user)) {
            (void)ch_refuse(q, CH_REJ_not_found, "user");
            return 0;
        }
        share = ch_find_share(q->state, CH_subject_kind_user, user, q->on);
    } else {
        const uint32_t group = ch_find_group(q->state, args->group.id);
        ch_saw(q, ch_group_row(q->state, group)->changed);
        share = ch_find_share(q->state, CH_subject_kind_group, group, q->on);
    }
    if (share == 0) (void)ch_refuse(q, CH_REJ_not_a_member, args->has_user ? "user" : "group");
    return share;
}

/* The grant that was set first stands first. */
void ch_query_share_show(struct ch_asking *q)
{
    const uint32_t share = named_share(q, q->call->args);
    if (share == 0) return;
    struct ch_rows rows = {0};
    for (uint32_t g = ch_share_row(q->state, share)->first_grant; g != 0;
         g = ch_grant_row(q->state, g)->next) {
        if (!ch_rows_add(q, &rows, g)) return;
    }
    ch_rows_order(q, &rows, ch_id_of_grant);
    struct ch_qry_share_show_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_grant_row *grants = ch_take(q, rows.count, sizeof *grants);
    if (result == NULL || grants == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_grant *grant = ch_grant_row(q->state, rows.row[i]);
        grants[i].kind = (uint8_t)grant->kind;
        grants[i].resource = ch_copy_text(q, grant->resource);
        grants[i].scopes = ch_scopes_at(q->state, grant->scopes);
        grants[i].since = grant->seq;
    }
    result->share = ch_share_record(q, share);
    result->grants = grants;
    result->grants_len = rows.count;
    q->ret->result = result;
}

void ch_query_group_list(struct ch_asking *q)
{
    const struct ch_qry_group_list *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t g = ch_account_row(q->state, q->on)->first_group; g != 0;
         g = ch_group_row(q->state, g)->next_of_account) {
        if (!ch_rows_add(q, &rows, g)) return;
    }
    struct ch_qry_group_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 ch_id_of_group, &result->has_next, &result->next);
    struct ch_rec_group_row *groups = ch_take(q, rows.count, sizeof *groups);
    if (groups == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_row_group *group = ch_group_row(q->state, rows.row[i]);
        ch_saw(q, group->changed);
        groups[i].group.seq = group->id;
        groups[i].name = ch_copy_text(q, group->name);
        groups[i].members = group->member_count;
        groups[i].has_parent = group->parent != 0;
        if (group->parent == 0) continue;
        groups[i].parent = ch_copy_text(q, ch_group_row(q->state, group->parent)->name);
    }
    result->groups = groups;
    result->groups_len = rows.count;
    q->ret->result = result;
}

static uint64_t user_of_member(const struct ch_state *state, uint32_t row)
{
    const uint32_t share = ch_member_row(state, row)->share;
    return ch_id_of_user(state, ch_share_row(state, share)->subject);
}

void ch_query_group_members(struct ch_asking *q)
{
    const struct ch_qry_group_members *args = q->call->args;
    const uint32_t group = ch_find_group(q->state, args->group.id);
    ch_saw(q, ch_group_row(q->state, group)->changed);
    if (ch_group_row(q->state, group)->account != q->on) { /* an account's above: not shown here */
        (void)ch_refuse(q, CH_REJ_not_found, "group");
        return;
    }
    struct ch_rows rows = {0};
    for (uint32_t m = ch_group_row(q->state, group)->first_member; m != 0;
         m = ch_member_row(q->state, m)->next_of_group) {
        if (!ch_rows_add(q, &rows, m)) return;
    }
    struct ch_qry_group_members_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 user_of_member, &result->has_next, &result->next);
    struct ch_rec_user_row *users = ch_take(q, rows.count, sizeof *users);
    if (users == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const uint32_t share = ch_member_row(q->state, rows.row[i])->share;
        users[i] = ch_user_record(q, ch_share_row(q->state, share)->subject);
    }
    result->users = users;
    result->users_len = rows.count;
    q->ret->result = result;
}

void ch_query_import_status(struct ch_asking *q)
{
    const struct ch_row_meta *meta = ch_meta(q->state);
    struct ch_qry_import_status_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_saw(q, meta->head); /* `at` is the last event's time */
    result->running = meta->importing != 0;
    result->line = meta->import_line;
    result->at = meta->last_at;
    result->has_digest = meta->import_line != 0;
    if (result->has_digest) {
        const uint8_t *digest =
            ch_arena_copy(q->arena, meta->import_digest, sizeof meta->import_digest);
        if (digest == NULL) q->ret->no_memory = true;
        result->digest = (struct ch_bytes){digest, sizeof meta->import_digest};
    }
    q->ret->result = result;
}
