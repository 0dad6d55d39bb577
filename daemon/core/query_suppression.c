/* query_suppression: who gets no mail, and by whose list; see query.h. SPDX-License-Identifier: MIT
 * suppressed(A) = own(A), and by its switch own(master), and own(each sub-account) by the switch of
 * that one: one step up, one step down, live, never further. */
#include "daemon/core/query_impl.h"
#include "schema/limits.h"

static void saw_lists(struct ch_asking *q, uint32_t account)
{
    const uint32_t row = ch_account_row(q->state, account)->settings;
    if (row != 0) ch_saw(q, ch_settings_row(q->state, row)->lists_seq);
}

/* Whether the list of `owner` counts for the account asked about; *ret_through: by which switch. */
static bool counts(const struct ch_asking *q, uint32_t owner, struct ch_rec_suppressed_by *ret)
{
    const struct ch_row_account *account = ch_account_row(q->state, q->on);
    ret->has_through = owner != q->on;
    if (owner == q->on) return true;
    if (owner == account->parent) {
        ret->through = CH_setting_switch_use_master_unsubscribe_list;
        return ch_is_on(q->state, q->on, CH_setting_switch_use_master_unsubscribe_list);
    }
    ret->through = CH_setting_switch_honour_list_in_master;
    return ch_account_row(q->state, owner)->parent == q->on &&
           ch_is_on(q->state, owner, CH_setting_switch_honour_list_in_master);
}

static uint64_t seq_of_suppressed(const struct ch_state *state, uint32_t row)
{
    return ch_suppressed_row(state, row)->seq;
}

void ch_query_suppression_check(struct ch_asking *q)
{
    const struct ch_row_account *account = ch_account_row(q->state, q->on);
    ch_saw(q, account->changed); /* its switches, and those of the accounts below it */
    saw_lists(q, q->on);
    if (ch_is_on(q->state, q->on, CH_setting_switch_use_master_unsubscribe_list)) {
        saw_lists(q, account->parent);
    }
    struct ch_rows rows = {0};
    struct ch_rec_suppressed_by by = {.seq = 0};
    CH_CHECK(q->moment->address_count > 0);
    for (uint32_t i = 0; i < q->moment->address_count; i++) {
        for (uint32_t s = ch_first_suppressed(q->state, q->on, q->moment->address[i].hash); s != 0;
             s = ch_suppressed_row(q->state, s)->same) {
            if (!counts(q, ch_suppressed_row(q->state, s)->account, &by)) continue;
            if (!ch_rows_add(q, &rows, s)) return;
        }
    }
    ch_rows_order(q, &rows, seq_of_suppressed);
    const uint32_t count = rows.count < LIMIT_LIST_ITEMS ? rows.count : (uint32_t)LIMIT_LIST_ITEMS;
    struct ch_qry_suppression_check_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_suppressed_by *lists = ch_take(q, count, sizeof *lists);
    if (result == NULL || lists == NULL) return;
    for (uint32_t i = 0; i < count; i++) {
        const struct ch_row_suppressed *row = ch_suppressed_row(q->state, rows.row[i]);
        (void)counts(q, row->account, &lists[i]);
        lists[i].account.seq = ch_account_row(q->state, row->account)->id;
        lists[i].reason = row->reason;
        lists[i].seq = row->seq;
    }
    result->suppressed = rows.count > 0;
    result->lists = lists;
    result->lists_len = count;
    result->list_count = rows.count;
    result->revision = ch_meta(q->state)->head;
    q->ret->result = result;
}

/* A cursor is the row of the last item shown, and the low bits of its seq, so that one is known
 * whose row was given to another address meanwhile. A page is found without a walk. */
enum { SEQ_BITS = 22 };

static uint64_t cursor_of(const struct ch_state *state, uint32_t row)
{
    const uint64_t seq = ch_suppressed_row(state, row)->seq;
    return (uint64_t)row << SEQ_BITS | (seq & ((1u << SEQ_BITS) - 1));
}

/* The row after the cursor's. False: that one is gone. */
static bool follow(const struct ch_asking *q, uint64_t cursor, uint32_t *ret)
{
    const struct ch_store *store = &q->state->store;
    const uint64_t row = cursor >> SEQ_BITS;
    if (row == 0 || row > store->tables[CH_T_SUPPRESSED].used) return false;
    if (!ch_row_is_live(store, CH_T_SUPPRESSED, (uint32_t)row)) return false;
    const struct ch_row_suppressed *last = ch_suppressed_row(q->state, (uint32_t)row);
    *ret = last->next;
    return last->account == q->on && cursor_of(q->state, (uint32_t)row) == cursor;
}

void ch_query_suppression_list(struct ch_asking *q)
{
    const struct ch_qry_suppression_list *args = q->call->args;
    const struct ch_page page = ch_page_of(false, 0, args->has_limit, args->limit);
    const uint32_t known = ch_account_row(q->state, q->on)->settings;
    ch_saw_account(q, q->on);
    struct ch_qry_suppression_list_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rec_suppression_row *addresses = ch_take(q, page.limit, sizeof *addresses);
    if (result == NULL || addresses == NULL) return;
    uint32_t row = known == 0 ? 0 : ch_settings_row(q->state, known)->first_suppressed;
    result->total = known == 0 ? 0 : ch_settings_row(q->state, known)->suppressed_count;
    if (args->has_after && args->after != 0 && !follow(q, args->after, &row)) {
        (void)ch_refuse(q, CH_REJ_list_changed, "after");
        return;
    }
    uint32_t last = 0;
    for (; row != 0 && result->addresses_len < page.limit;
         row = ch_suppressed_row(q->state, row)->next) {
        const struct ch_row_suppressed *item = ch_suppressed_row(q->state, row);
        struct ch_rec_suppression_row *shown = &addresses[result->addresses_len++];
        const uint8_t *hash = ch_arena_copy(q->arena, item->hash, sizeof item->hash);
        if (hash == NULL) q->ret->no_memory = true;
        shown->hash = (struct ch_bytes){hash, sizeof item->hash};
        shown->hash_key = item->hash_key;
        shown->reason = item->reason;
        shown->seq = item->seq;
        last = row;
    }
    result->has_next = row != 0;
    if (row != 0) result->next = cursor_of(q->state, last);
    result->addresses = addresses;
    q->ret->result = result;
}

void ch_query_suppression_keys(struct ch_asking *q)
{
    const struct ch_qry_suppression_keys *args = q->call->args;
    const uint32_t newest = ch_hash_key_newest(q->state);
    struct ch_rows rows = {0};
    ch_saw(q, ch_meta(q->state)->head); /* each address that comes or goes changes one */
    for (uint32_t number = 1; number <= newest; number++) {
        if (!ch_rows_add(q, &rows, number)) return;
    }
    struct ch_qry_suppression_keys_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_cut(&rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                &result->has_next, &result->next);
    struct ch_rec_hash_key_row *keys = ch_take(q, rows.count, sizeof *keys);
    if (keys == NULL) return;
    const bool has_rows = q->state->store.tables[CH_T_HASH_KEY].used > 0;
    for (uint32_t i = 0; i < rows.count; i++) {
        keys[i].number = rows.row[i];
        keys[i].newest = rows.row[i] == newest;
        if (!has_rows) continue;
        const struct ch_row_hash_key *key = ch_hash_key_row(q->state, rows.row[i]);
        keys[i].addresses = key->addresses;
        keys[i].has_since = key->seq != 0;
        keys[i].since = key->seq;
        keys[i].has_retired = key->retired_seq != 0;
        keys[i].retired = key->retired_seq;
    }
    result->keys = keys;
    result->keys_len = rows.count;
    q->ret->result = result;
}
