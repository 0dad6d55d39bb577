/* query_key: API keys, and what they may do; see query.h. SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"

#include "schema/limits.h"

struct ch_rec_key_row ch_key_record(struct ch_asking *q, uint32_t row)
{
    const struct ch_row_key *key = ch_key_row(q->state, row);
    ch_saw(q, key->changed);
    struct ch_rec_key_row record = {.name = ch_copy_text(q, key->name),
                                    .kind = key->kind,
                                    .scopes = ch_scopes_at(q->state, key->scopes),
                                    .has_expires_at = key->expires_at != 0,
                                    .expires_at = key->expires_at,
                                    .has_old_until = key->old_until > q->moment->now,
                                    .old_until = key->old_until,
                                    .made_by_kind = key->made_by_kind,
                                    .made_by = key->made_by,
                                    .rotated = key->secret_seq};
    record.key.seq = key->id;
    record.account.seq = ch_account_row(q->state, key->account)->id;
    return record;
}

void ch_query_key_list(struct ch_asking *q)
{
    const struct ch_qry_key_list *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t k = ch_account_row(q->state, q->on)->first_key; k != 0;
         k = ch_key_row(q->state, k)->next_of_account) {
        if (!ch_rows_add(q, &rows, k)) return;
    }
    struct ch_qry_key_list_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 ch_id_of_key, &result->has_next, &result->next);
    struct ch_rec_key_row *keys = ch_take(q, rows.count, sizeof *keys);
    if (keys == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        keys[i] = ch_key_record(q, rows.row[i]);
    }
    result->keys = keys;
    result->keys_len = rows.count;
    q->ret->result = result;
}

void ch_query_key_show(struct ch_asking *q)
{
    const struct ch_qry_key_show *args = q->call->args;
    const uint32_t row = ch_find_key(q->state, args->key.seq);
    ch_saw_account(q, q->on);
    if (row == 0 || ch_key_row(q->state, row)->account != q->on) {
        (void)ch_refuse(q, CH_REJ_not_found, "key");
        return;
    }
    struct ch_qry_key_show_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->key = ch_key_record(q, row);
    q->ret->result = result;
}

uint32_t ch_key_asked(struct ch_asking *q, struct ch_key_id id)
{
    ch_saw_account(q, q->on);
    const uint32_t row = ch_find_key(q->state, id.seq);
    if (row != 0 && ch_key_leads(q->state, row, q->on)) return row;
    (void)ch_refuse(q, CH_REJ_not_found, "key");
    return 0;
}

/* Every scope there is. */
static struct ch_scopes all_scopes(void)
{
    struct ch_scopes all = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name != NULL) ch_scopes_add(&all, (uint8_t)scope);
    }
    return all;
}

void ch_query_key_scopes(struct ch_asking *q)
{
    const struct ch_qry_key_scopes *args = q->call->args;
    uint32_t row = q->moment->key_row;
    if (args->has_key && (row == 0 || args->key.seq != ch_key_row(q->state, row)->id)) {
        const struct ch_scopes read = ch_scopes_of(CH_SCOPE_api_keys_read);
        if (!ch_actor_has(q, q->on, read)) {
            (void)ch_refuse_scopes(q, CH_REJ_not_allowed, "on", read);
            return;
        }
        row = ch_key_asked(q, args->key);
        if (row == 0) return;
    }
    if (row == 0) {
        (void)ch_refuse(q, CH_REJ_not_found, "key");
        return;
    }
    const struct ch_question question = {.key = row,
                                         .account = q->on,
                                         .wanted = all_scopes(),
                                         .channel = CH_channel_api,
                                         .now = q->moment->now};
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    struct ch_qry_key_scopes_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->key = ch_key_record(q, row);
    result->scopes = answer.given;
    result->revision = ch_meta(q->state)->head;
    result->has_valid_until = answer.valid_until != 0;
    result->valid_until = answer.valid_until;
    q->ret->result = result;
}

void ch_query_command_needs(struct ch_asking *q)
{
    static const char *const who[] = {[CH_WHO_OPERATOR] = "operator",
                                      [CH_WHO_SERVICE] = "service",
                                      [CH_WHO_SCOPE] = "scope",
                                      [CH_WHO_SELF] = "self",
                                      [CH_WHO_ANYONE] = "anyone"};
    const struct ch_qry_command_needs *args = q->call->args;
    const int type = ch_call_find(args->type);
    if (type < 0) {
        (void)ch_refuse(q, CH_REJ_not_found, "type");
        return;
    }
    const struct ch_call_row *row = &ch_calls[type];
    const enum ch_mint mints = ch_call_mints(type);
    struct ch_qry_command_needs_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->who = ch_text_of(who[row->who]);
    result->has_scope = row->who == CH_WHO_SCOPE;
    result->scope = row->scope;
    result->on = row->on;
    result->query = row->query;
    result->secret = mints == CH_MINT_key || mints == CH_MINT_session;
    q->ret->result = result;
}
