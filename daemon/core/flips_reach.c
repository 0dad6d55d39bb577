/* flips_reach: whose answers read a row; see flips.h. SPDX-License-Identifier: MIT
 * An answer that is another one after some writes reads, before or after them, a row that was
 * written. So for each such row, in each of the two states, everybody's questions are gathered
 * that read it there: what access.c walks, walked the other way round. More is gathered than
 * flips, never less. */
#include "daemon/core/flips_impl.h"

#include <stdlib.h>

#include "daemon/core/ledger.h"

struct ch_flip_touch {
    uint32_t table;
    uint32_t row;
};

/* ---- what was written ------------------------------------------------------------------------ */

static bool share_matters(const struct ch_row_share *a, const struct ch_row_share *b)
{
    return a->id != b->id || a->account != b->account || a->subject != b->subject ||
           a->subject_kind != b->subject_kind || a->kind != b->kind || a->status != b->status ||
           a->reach != b->reach || a->role_seq != b->role_seq || a->role != b->role ||
           a->terms != b->terms;
}

static bool terms_matter(const struct ch_row_terms *a, const struct ch_row_terms *b)
{
    return a->share != b->share || a->denied_seq != b->denied_seq || a->own_seq != b->own_seq ||
           a->expires_at != b->expires_at || a->denied != b->denied || a->own != b->own ||
           a->limited_kinds != b->limited_kinds;
}

static bool account_matters(const struct ch_row_account *a, const struct ch_row_account *b)
{
    return a->parent != b->parent || a->status != b->status || a->guardrail != b->guardrail ||
           a->guardrail_seq != b->guardrail_seq || a->content_lock_seq != b->content_lock_seq ||
           a->unpaid_seq != b->unpaid_seq || a->suspended_seq[0] != b->suspended_seq[0] ||
           a->suspended_seq[1] != b->suspended_seq[1] || a->stopped != b->stopped;
}

/* Whether an answer may read something else of the row now than before a write. Where a row of an
 * interned set is named, its number may stand for another set by now: there the seq tells. */
static bool matters(uint32_t table, const void *before, const void *now)
{
    switch (table) {
    case CH_T_SHARE: return share_matters(before, now);
    case CH_T_TERMS: return terms_matter(before, now);
    case CH_T_ACCOUNT: return account_matters(before, now);
    case CH_T_GROUP: {
        const struct ch_row_group *a = before, *b = now;
        return a->id != b->id || a->parent != b->parent || a->parent_seq != b->parent_seq;
    }
    case CH_T_USER:
        return ((const struct ch_row_user *)before)->status !=
               ((const struct ch_row_user *)now)->status;
    case CH_T_ROLE:
        return ((const struct ch_row_role *)before)->changed !=
               ((const struct ch_row_role *)now)->changed;
    case CH_T_KEY:
        return ((const struct ch_row_key *)before)->changed !=
               ((const struct ch_row_key *)now)->changed;
    case CH_T_STREAM: {
        const struct ch_row_stream *a = before, *b = now;
        return a->stopped_seq[0] != b->stopped_seq[0] || a->stopped_seq[1] != b->stopped_seq[1];
    }
    case CH_T_GRANT:
        return ((const struct ch_row_grant *)before)->seq !=
               ((const struct ch_row_grant *)now)->seq;
    case CH_T_LIMITED:
        return ((const struct ch_row_limited *)before)->seq !=
               ((const struct ch_row_limited *)now)->seq;
    case CH_T_MEMBER:
        return ((const struct ch_row_member *)before)->seq !=
               ((const struct ch_row_member *)now)->seq;
    default: return true;
    }
}

static bool is_read(uint32_t table)
{
    switch (table) {
    case CH_T_SHARE:
    case CH_T_TERMS:
    case CH_T_ACCOUNT:
    case CH_T_GROUP:
    case CH_T_USER:
    case CH_T_ROLE:
    case CH_T_KEY:
    case CH_T_STREAM:
    case CH_T_GRANT:
    case CH_T_LIMITED:
    case CH_T_MEMBER:
    case CH_T_MASK:
    case CH_T_PLAN:
    case CH_T_ALLOCATION: return true;
    default: return false;
    }
}

static bool is_live(const struct ch_state *state, uint32_t table, uint32_t row)
{
    return row <= state->store.tables[table].used && ch_row_is_live(&state->store, table, row);
}

static void touch(void *arg, uint32_t table, uint32_t row, const void *before)
{
    struct ch_concern *reach = arg;
    if (!is_read(table)) return;
    if (before != NULL && is_live(reach->state, table, row) &&
        !matters(table, before, ch_row(&reach->state->store, table, row))) {
        return;
    }
    const struct ch_flip_touch one = {.table = table, .row = row};
    ch_buf_put(&reach->touched, &one, sizeof one);
}

static int by_row(const void *one, const void *two)
{
    const struct ch_flip_touch *a = one, *b = two;
    if (a->table != b->table) return a->table < b->table ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static int by_number(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Accounts, then users before keys, then what is asked about all before the resources. */
static int by_question(const void *one, const void *two)
{
    const struct ch_flip_item *a = one, *b = two;
    int order = by_number(a->account, b->account);
    if (order == 0) order = by_number(a->is_key, b->is_key);
    if (order == 0) order = by_number(a->subject, b->subject);
    if (order != 0) return order;
    const size_t len = a->resource.len < b->resource.len ? a->resource.len : b->resource.len;
    order = len == 0 ? 0 : memcmp(a->resource.ptr, b->resource.ptr, len);
    return order != 0 ? order : by_number(a->resource.len, b->resource.len);
}

static int by_ledger(const void *one, const void *two)
{
    const struct ch_flip_ledger *a = one, *b = two;
    const int order = by_number(a->account, b->account);
    return order != 0 ? order : by_number(a->is_allocation, b->is_allocation);
}

/* Sorts what a buffer holds, and keeps the first of those that are alike. */
static void sort_once(struct ch_buf *buf, size_t bytes, int (*order)(const void *, const void *))
{
    const size_t count = buf->len / bytes;
    if (count < 2) return;
    qsort(buf->ptr, count, bytes, order);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++) {
        if (order(buf->ptr + i * bytes, buf->ptr + (kept - 1) * bytes) == 0) continue;
        if (i != kept) memcpy(buf->ptr + kept * bytes, buf->ptr + i * bytes, bytes);
        kept++;
    }
    buf->len = kept * bytes;
}

void ch_reach_touch(struct ch_concern *reach, const struct ch_state *state, struct ch_mark mark)
{
    reach->state = state;
    ch_store_touched(&state->store, mark, touch, reach);
    sort_once(&reach->touched, sizeof(struct ch_flip_touch), by_row);
}

/* ---- whom a row concerns --------------------------------------------------------------------- */

static void add_pair(struct ch_concern *reach, uint64_t subject, bool is_key, uint32_t account)
{
    const struct ch_flip_item pair = {
        .account = ch_account_row(reach->state, account)->id, .subject = subject, .is_key = is_key};
    const size_t most = reach->most * sizeof pair;
    if (reach->pairs.len >= 2 * most) {
        sort_once(&reach->pairs, sizeof pair, by_question);
        if (reach->pairs.len > most) { /* those that come last are not looked at */
            reach->uncompared += (reach->pairs.len - most) / sizeof pair;
            reach->pairs.len = most;
        }
    }
    ch_buf_put(&reach->pairs, &pair, sizeof pair);
}

/* A user on an account and all below it. */
static void add_below(struct ch_concern *reach, uint32_t user, uint32_t top)
{
    const uint64_t id = ch_user_row(reach->state, user)->id;
    for (uint32_t a = 0; (a = ch_next_in_tree(reach->state, top, a)) != 0;) {
        add_pair(reach, id, /* is_key= */ false, a);
    }
}

static void add_key(struct ch_concern *reach, uint32_t row)
{
    const struct ch_row_key *key = ch_key_row(reach->state, row);
    for (uint32_t a = 0; (a = ch_next_in_tree(reach->state, key->account, a)) != 0;) {
        if (a == key->account || key->kind == CH_key_kind_master) {
            add_pair(reach, key->id, /* is_key= */ true, a);
        }
    }
}

/* Whoever may have something on the account: by a share of it or of one above it, or of groups by
 * such a share; and the keys. */
static void add_everybody(struct ch_concern *reach, uint32_t account)
{
    const struct ch_state *s = reach->state;
    for (uint32_t a = account; a != 0; a = ch_account_row(s, a)->parent) {
        const struct ch_row_account *row = ch_account_row(s, a);
        for (uint32_t n = row->first_share; n != 0; n = ch_share_row(s, n)->next_of_account) {
            const struct ch_row_share *share = ch_share_row(s, n);
            if (share->subject_kind != CH_subject_kind_user) continue;
            if (a != account && share->reach == CH_reach_account && share->first_member == 0) {
                continue;
            }
            add_pair(reach, ch_user_row(s, share->subject)->id, /* is_key= */ false, account);
        }
        for (uint32_t k = row->first_key; k != 0; k = ch_key_row(s, k)->next_of_account) {
            if (a != account && ch_key_row(s, k)->kind != CH_key_kind_master) continue;
            add_pair(reach, ch_key_row(s, k)->id, /* is_key= */ true, account);
        }
    }
}

static void add_everybody_below(struct ch_concern *reach, uint32_t top)
{
    for (uint32_t a = 0; (a = ch_next_in_tree(reach->state, top, a)) != 0;) {
        add_everybody(reach, a);
    }
}

/* The members of a group and of those below it. on: where its share is; 0: wherever each of them
 * has something by being a member */
static void add_members(struct ch_concern *reach, uint32_t group, uint32_t on, bool below)
{
    const struct ch_state *s = reach->state;
    const uint32_t account = ch_group_row(s, group)->account; /* of all groups below it, too */
    for (uint32_t g = ch_account_row(s, account)->first_group; g != 0;
         g = ch_group_row(s, g)->next_of_account) {
        uint32_t up = g;
        while (up != 0 && up != group) {
            up = ch_group_row(s, up)->parent;
        }
        if (up == 0) continue;
        for (uint32_t m = ch_group_row(s, g)->first_member; m != 0;
             m = ch_member_row(s, m)->next_of_group) {
            const struct ch_row_share *share = ch_share_row(s, ch_member_row(s, m)->share);
            if (on == 0 || below) {
                add_below(reach, share->subject, on == 0 ? share->account : on);
            } else {
                add_pair(reach, ch_user_row(s, share->subject)->id, /* is_key= */ false, on);
            }
        }
    }
}

static void add_share(struct ch_concern *reach, uint32_t row)
{
    const struct ch_row_share *share = ch_share_row(reach->state, row);
    if (share->subject_kind == CH_subject_kind_user) {
        add_below(reach, share->subject, share->account);
    } else {
        add_members(reach, share->subject, share->account, share->reach == CH_reach_subtree);
    }
}

static void add_user(struct ch_concern *reach, uint32_t user)
{
    const struct ch_state *s = reach->state;
    for (uint32_t n = ch_user_row(s, user)->first_share; n != 0;
         n = ch_share_row(s, n)->next_of_subject) {
        add_below(reach, user, ch_share_row(s, n)->account);
    }
}

static void add_role(struct ch_concern *reach, uint32_t role)
{
    const struct ch_state *s = reach->state;
    for (uint32_t n = 0; (n = ch_row_next(&s->store, CH_T_SHARE, n)) != 0;) {
        if (ch_share_row(s, n)->role == role) add_share(reach, n);
    }
}

static void add_stream(struct ch_concern *reach, uint32_t row)
{
    const struct ch_row_stream *stream = ch_stream_row(reach->state, row);
    const uint32_t key = stream->key == 0 ? 0 : ch_find_key(reach->state, stream->key);
    if (stream->key == 0) add_everybody(reach, stream->account);
    if (key != 0) add_key(reach, key);
}

static void add_all(struct ch_concern *reach)
{
    const struct ch_state *s = reach->state;
    for (uint32_t a = 0; (a = ch_row_next(&s->store, CH_T_ACCOUNT, a)) != 0;) {
        add_everybody(reach, a);
    }
}

static void add_ledger(struct ch_concern *reach, uint32_t account, bool is_allocation)
{
    const struct ch_flip_ledger ledger = {.account = ch_account_row(reach->state, account)->id,
                                          .is_allocation = is_allocation};
    ch_buf_put(&reach->ledgers, &ledger, sizeof ledger);
}

static void add_readers(struct ch_concern *reach, uint32_t table, uint32_t row)
{
    const struct ch_state *s = reach->state;
    switch (table) {
    case CH_T_SHARE: add_share(reach, row); break;
    case CH_T_TERMS: add_share(reach, ch_terms_row(s, row)->share); break;
    case CH_T_GRANT: add_share(reach, ch_grant_row(s, row)->share); break;
    case CH_T_LIMITED: add_share(reach, ch_limited_row(s, row)->share); break;
    case CH_T_MEMBER: add_share(reach, ch_member_row(s, row)->share); break;
    case CH_T_GROUP: add_members(reach, row, /* on= */ 0, /* below= */ true); break;
    case CH_T_ACCOUNT: add_everybody_below(reach, row); break;
    case CH_T_USER: add_user(reach, row); break;
    case CH_T_ROLE: add_role(reach, row); break;
    case CH_T_KEY: add_key(reach, row); break;
    case CH_T_STREAM: add_stream(reach, row); break;
    case CH_T_PLAN: add_ledger(reach, ch_plan_row(s, row)->account, false); break;
    case CH_T_ALLOCATION: add_ledger(reach, ch_allocation_row(s, row)->account, true); break;
    default: add_all(reach); break;
    }
}

/* ---- what resources are named on the way ----------------------------------------------------- */

static void add_item(struct ch_concern *reach, const struct ch_flip_item *item)
{
    if (ch_reach_items(reach) >= 2 * reach->most) {
        reach->uncompared++;
        return;
    }
    ch_buf_put(&reach->items, item, sizeof *item);
}

static void add_resource(struct ch_concern *reach, const struct ch_flip_item *pair, uint32_t text)
{
    struct ch_flip_item item = *pair;
    const size_t len = ch_chain_len(reach->state, CH_T_TEXT, text);
    char *chars = ch_arena_take(reach->arena, len);
    if (chars == NULL) {
        reach->items.failed = true;
        return;
    }
    (void)ch_chain_get(reach->state, CH_T_TEXT, text, chars, len);
    item.resource = (struct ch_text){chars, len};
    add_item(reach, &item);
}

static void add_named(struct ch_concern *reach, const struct ch_flip_item *pair, uint32_t row)
{
    const struct ch_state *s = reach->state;
    const struct ch_row_share *share = ch_share_row(s, row);
    for (uint32_t g = share->first_grant; g != 0; g = ch_grant_row(s, g)->next) {
        add_resource(reach, pair, ch_grant_row(s, g)->resource);
    }
    for (uint32_t l = ch_terms_of(s, share)->first_limited; l != 0;
         l = ch_limited_row(s, l)->next) {
        add_resource(reach, pair, ch_limited_row(s, l)->resource);
    }
}

/* Whether the share, of the account or of one above it, can have to do with the account. */
static bool reaches(const struct ch_state *s, uint32_t row, uint32_t account)
{
    const struct ch_row_share *share = ch_share_row(s, row);
    if (share->account == account) return true;
    if (share->reach != CH_reach_subtree) return false;
    uint32_t a = account;
    while (a != 0 && a != share->account) {
        a = ch_account_row(s, a)->parent;
    }
    return a != 0;
}

/* The pair itself, and with each resource that a share on its way names. */
static void add_questions(struct ch_concern *reach, const struct ch_flip_item *pair)
{
    const struct ch_state *s = reach->state;
    const uint32_t on = ch_find_account(s, pair->account);
    add_item(reach, pair);
    if (pair->is_key != 0) return;
    const uint32_t user = ch_find_user(s, pair->subject);
    for (uint32_t a = on; a != 0; a = ch_account_row(s, a)->parent) {
        const uint32_t own = ch_find_share(s, CH_subject_kind_user, user, a);
        if (own == 0) continue;
        if (reaches(s, own, on)) add_named(reach, pair, own);
        for (uint32_t m = ch_share_row(s, own)->first_member; m != 0;
             m = ch_member_row(s, m)->next_of_share) {
            for (uint32_t g = ch_member_row(s, m)->group; g != 0; g = ch_group_row(s, g)->parent) {
                for (uint32_t n = ch_group_row(s, g)->first_share; n != 0;
                     n = ch_share_row(s, n)->next_of_subject) {
                    if (reaches(s, n, on)) add_named(reach, pair, n);
                }
            }
        }
    }
}

void ch_reach_gather(struct ch_concern *reach, const struct ch_state *state)
{
    const struct ch_flip_touch *touched = (const struct ch_flip_touch *)(void *)reach->touched.ptr;
    const size_t count = reach->touched.len / sizeof *touched;
    reach->state = state;
    ch_buf_reset(&reach->pairs);
    for (size_t i = 0; i < count && !ch_reach_failed(reach); i++) {
        if (!is_live(state, touched[i].table, touched[i].row)) continue;
        add_readers(reach, touched[i].table, touched[i].row);
    }
    sort_once(&reach->pairs, sizeof(struct ch_flip_item), by_question);
    const struct ch_flip_item *pairs = (const struct ch_flip_item *)(void *)reach->pairs.ptr;
    const size_t pair_count = reach->pairs.len / sizeof *pairs;
    for (size_t i = 0; i < pair_count && !ch_reach_failed(reach); i++) {
        add_questions(reach, &pairs[i]);
    }
}

void ch_reach_settle(struct ch_concern *reach)
{
    sort_once(&reach->items, sizeof(struct ch_flip_item), by_question);
    sort_once(&reach->ledgers, sizeof(struct ch_flip_ledger), by_ledger);
    const size_t count = ch_reach_items(reach);
    if (count <= reach->most) return;
    reach->uncompared += count - reach->most;
    reach->items.len = reach->most * sizeof(struct ch_flip_item);
}

void ch_reach_deinit(struct ch_concern *reach)
{
    ch_buf_deinit(&reach->touched);
    ch_buf_deinit(&reach->pairs);
    ch_buf_deinit(&reach->items);
    ch_buf_deinit(&reach->ledgers);
}
