/* query_origins: where rights come from, and who has them; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/explain.h"
#include "daemon/core/fact.h"
#include "schema/limits.h"

enum { ORIGINS_OF_HOLDER = 16 }; /* as in records.def */

/* What gives it, in words and by number. */
static struct ch_rec_origin_row origin_record(struct ch_asking *q, const struct ch_explained *e,
                                              const struct ch_way *way, uint8_t scope)
{
    const struct ch_evidence *giver = &e->fact[way->giver];
    struct ch_evidence told = *giver;
    told.scopes = ch_scopes_of(way->scope);
    const struct ch_rec_fact_row fact = ch_fact_record(q, &told);
    struct ch_rec_origin_row row = {.scope = scope, .seq = giver->seq, .text = fact.text};
    const bool implied = way->scope != scope;
    uint32_t account = 0;
    row.origin = CH_origin_declared;
    if (giver->key != 0) {
        account = ch_key_row(q->state, giver->key)->account;
        row.has_key = true;
        row.key = fact.key;
    } else {
        const struct ch_row_share *share = ch_share_row(q->state, giver->share);
        account = share->account;
        row.has_share = true;
        row.share.seq = share->id;
        row.has_group = share->subject_kind == CH_subject_kind_group;
        if (row.has_group) row.group.seq = ch_group_row(q->state, share->subject)->id;
        row.has_role = row.has_role_name = row.has_version = fact.has_role;
        row.role = fact.role;
        row.version = fact.version;
        if (fact.has_role) {
            row.seq = share->role_seq;
            row.role_name = ch_copy_text(q, ch_role_row(q->state, share->role)->name);
            row.origin = CH_origin_role;
        }
        if (row.has_group) row.origin = CH_origin_group;
    }
    if (account != q->on) {
        row.origin = CH_origin_inherited;
        row.has_account = ch_actor_is_led(q, account);
        row.account.seq = ch_account_row(q->state, account)->id;
    }
    if (implied) {
        row.origin = CH_origin_system;
        row.has_by_scope = true;
        row.by_scope = way->scope;
    }
    return row;
}

/* Every scope that there is. */
static struct ch_scopes every_scope(void)
{
    struct ch_scopes all = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name != NULL) ch_scopes_add(&all, (uint8_t)scope);
    }
    return all;
}

/* Rights, each with its ways; the cursor is a scope and how many of its ways came before. */
struct origins {
    struct ch_rec_origin_row *row;
    uint32_t count;
    uint32_t limit;
    uint64_t next;
    bool full;
};

enum { CURSOR_SCOPE = 32 }; /* bits of a cursor below the scope's */

static bool add_origins(struct ch_asking *q, const struct ch_question *asked, uint8_t scope,
                        uint32_t before, struct origins *o)
{
    struct ch_question question = *asked;
    struct ch_explained e;
    uint32_t place = 0;
    question.wanted = ch_scopes_of(scope);
    if (!ch_explain(q, &question, &e)) return false;
    for (uint32_t i = 0; i < e.way_count; i++) {
        if (!e.way[i].open || place++ < before) continue;
        if (o->count == o->limit) {
            o->full = true;
            return true;
        }
        o->row[o->count++] = origin_record(q, &e, &e.way[i], scope);
        o->next = ((uint64_t)scope << CURSOR_SCOPE) + place;
    }
    return true;
}

void ch_query_access_origins(struct ch_asking *q)
{
    const struct ch_qry_access_origins *args = q->call->args;
    const struct ch_page page = ch_page_of(false, 0, args->has_limit, args->limit);
    struct ch_question question = {
        .account = q->on,
        .wanted = args->has_scopes ? args->scopes : every_scope(),
        .has_resource = args->has_resource,
        .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
        .any = args->has_any && args->any,
        .channel = args->has_channel ? args->channel : (uint8_t)CH_channel_api,
        .now = q->moment->now};
    struct ch_answer answer;
    struct ch_qry_access_origins_result *result = ch_take(q, 1, sizeof *result);
    struct origins o = {.row = ch_take(q, page.limit, sizeof *o.row), .limit = page.limit};
    if (result == NULL || o.row == NULL) return;
    if (!ch_subject_asked(q, args->has_user, &args->user, args->has_key, args->key, &question.user,
                          &question.key)) {
        return;
    }
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    const uint64_t after = args->has_after ? args->after : 0;
    for (uint32_t scope = (uint32_t)(after >> CURSOR_SCOPE); scope <= CH_MAX_SCOPE && !o.full;
         scope++) {
        const bool first = scope == after >> CURSOR_SCOPE;
        if (!ch_scopes_has(answer.given, (uint8_t)scope)) continue;
        if (!add_origins(q, &question, (uint8_t)scope, first ? (uint32_t)after : 0, &o)) return;
    }
    result->origins = o.row;
    result->origins_len = o.count;
    result->scopes = answer.given;
    result->revision = ch_meta(q->state)->head;
    result->has_next = o.full;
    result->next = o.next;
    if (!q->ret->no_memory) q->ret->result = result;
}

/* ---- who has it ------------------------------------------------------------------------------ */

/* Keys that lead to the account: its own, and the master keys of those above it. */
static bool rows_of_keys(struct ch_asking *q, struct ch_rows *rows)
{
    for (uint32_t a = q->on; a != 0; a = ch_account_row(q->state, a)->parent) {
        for (uint32_t k = ch_account_row(q->state, a)->first_key; k != 0;
             k = ch_key_row(q->state, k)->next_of_account) {
            if (ch_key_leads(q->state, k, q->on) && !ch_rows_add(q, rows, k)) return false;
        }
    }
    ch_rows_order(q, rows, ch_id_of_key);
    return true;
}

struct holders {
    struct ch_asking *q;
    struct ch_question question;
    struct ch_rec_holder_row *row;
    uint32_t count;
    uint32_t limit;
    uint64_t next;
    bool full;
};

/* A cursor is twice the last one's id, and one more of a key. */
static uint64_t cursor_of(uint64_t id, bool key)
{
    return 2 * id + key;
}

/* Adds the subject of the question if it has what is asked. false: no memory */
static bool add_holder(struct holders *h, uint64_t cursor)
{
    struct ch_asking *q = h->q;
    struct ch_answer answer;
    struct ch_explained e;
    ch_access(q->state, &h->question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    if (answer.decision != CH_decision_allowed) return true;
    h->full = h->count == h->limit;
    if (h->full) return true;
    if (!ch_explain(q, &h->question, &e)) return false;
    struct ch_rec_holder_row *row = &h->row[h->count++];
    struct ch_rec_origin_row *origins = ch_take(q, ORIGINS_OF_HOLDER, sizeof *origins);
    if (origins == NULL) return false;
    const uint8_t scope = h->question.wanted.words[0] != 0
                              ? (uint8_t)__builtin_ctzll(h->question.wanted.words[0])
                              : (uint8_t)(64 + __builtin_ctzll(h->question.wanted.words[1]));
    for (uint32_t i = 0; i < e.way_count; i++) {
        if (!e.way[i].open || row->ways++ >= ORIGINS_OF_HOLDER) continue;
        origins[row->origins_len++] = origin_record(q, &e, &e.way[i], scope);
    }
    row->origins = origins;
    h->next = cursor;
    if (h->question.user != 0) {
        const struct ch_rec_user_row user = ch_user_record(q, h->question.user);
        row->has_user = true;
        row->user = user.user;
        row->has_username = user.has_username;
        row->username = user.username;
        row->has_email = user.has_email;
        row->email = user.email;
        row->has_full_name = user.has_full_name;
        row->full_name = user.full_name;
    } else {
        const struct ch_row_key *key = ch_key_row(q->state, h->question.key);
        row->has_key = row->has_key_name = true;
        row->key.seq = key->id;
        row->key_name = ch_copy_text(q, key->name);
    }
    return true;
}

void ch_query_access_holders(struct ch_asking *q)
{
    const struct ch_qry_access_holders *args = q->call->args;
    const struct ch_page page = ch_page_of(false, 0, args->has_limit, args->limit);
    const uint64_t after = args->has_after ? args->after : 0;
    const uint64_t last = after / 2;
    const bool in_keys = after % 2 != 0;
    struct holders h = {
        .q = q,
        .question = {.account = q->on,
                     .wanted = ch_scopes_of(args->scope),
                     .has_resource = args->has_resource,
                     .resource = args->has_resource ? ch_text_find(q->state, args->resource) : 0,
                     .any = args->has_any && args->any,
                     .channel = args->has_channel ? args->channel : (uint8_t)CH_channel_api,
                     .now = q->moment->now},
        .row = ch_take(q, page.limit, sizeof *h.row),
        .limit = page.limit};
    struct ch_qry_access_holders_result *result = ch_take(q, 1, sizeof *result);
    struct ch_rows users = {0};
    struct ch_rows keys = {0};
    if (result == NULL || h.row == NULL || !rows_of_keys(q, &keys)) return;
    if (!in_keys && !ch_rows_users(q, &users, last)) return;
    for (uint32_t i = 0; i < users.count && !h.full; i++) {
        h.question.user = users.row[i];
        if (!add_holder(&h, cursor_of(ch_id_of_user(q->state, users.row[i]), false))) return;
    }
    h.question.user = 0;
    for (uint32_t i = 0; i < keys.count && !h.full; i++) {
        const uint64_t id = ch_id_of_key(q->state, keys.row[i]);
        if (in_keys && id <= last) continue;
        h.question.key = keys.row[i];
        if (!add_holder(&h, cursor_of(id, true))) return;
    }
    result->holders = h.row;
    result->holders_len = h.count;
    result->revision = ch_meta(q->state)->head;
    result->has_next = h.full;
    result->next = h.next;
    if (!q->ret->no_memory) q->ret->result = result;
}
