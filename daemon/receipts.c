/* receipts: see receipts.h. SPDX-License-Identifier: MIT
 * The statement's lines: log, made, seq, moment, account, account-name, subject, subject-name,
 * scope, resource, any, channel, decision, reason, valid-until. The explanation's: a way with what
 * it needs and what denies it, what denies everything, what does not count. A fact is
 *   NAME SEQ at TIME by KIND ID account N share N group N role N version N key N: words
 * of which only what there is is written. Persons stand as ids, and on request with their names. */
#include "daemon/receipts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/query_impl.h"
#include "daemon/explaining.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/prover.h"
#include "daemon/log/receipt.h"
#include "daemon/log/stored.h"
#include "schema/base/clean.h"
#include "schema/text.h"

enum { FILE_MOST = 1048576, WORDS_BYTES = 96 }; /* the most that octets take */

bool ch_receipts_wanted(const struct ch_call *call)
{
    return call->why == NULL && call->type == CH_QRY_access_receipt;
}

struct ch_receipts_named ch_receipts_name(const struct ch_call *call)
{
    if (!ch_receipts_wanted(call)) return (struct ch_receipts_named){.on = {.id = 0}};
    const struct ch_qry_access_receipt *args = call->args;
    return (struct ch_receipts_named){.on = call->on, .user = args->user};
}

/* One receipt being made. */
struct making {
    const struct ch_receipts *receipts;
    const struct ch_telling *t;
    const struct ch_moment *moment;
    const struct ch_call *call;
    const struct ch_qry_access_receipt *args;
    const struct ch_receipts_named *named;
    struct ch_buf statement;
    struct ch_buf explanation;
    struct ch_buf attached;
    uint64_t user;      /* id; 0: none, or a name that leads nowhere */
    struct ch_buf seqs; /* of the facts' events, uint64_t */
    struct ch_hasher hasher;
    struct ch_why *why;
};

static bool no_memory(struct ch_why *why)
{
    (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a receipt");
    return false;
}

/* ---- lines -------------------------------------------------------------------------------- */

static void put(struct ch_buf *out, const char *words)
{
    ch_buf_put_text(out, ch_text_of(words));
}

/* Text that came from elsewhere never ends a line. */
static void put_clean(struct ch_buf *out, struct ch_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = ch_clean_at(text, i);
        ch_buf_put(out, &c, 1);
    }
}

static void line_text(struct ch_buf *out, const char *word, struct ch_text text)
{
    put(out, word);
    put(out, " ");
    put_clean(out, text);
    put(out, "\n");
}

static void line_number(struct ch_buf *out, const char *word, uint64_t number)
{
    char text[WORDS_BYTES];
    (void)snprintf(text, sizeof text, "%s %" PRIu64 "\n", word, number);
    put(out, text);
}

static void line_time(struct ch_buf *out, const char *word, uint64_t at)
{
    char text[CH_TIME_TEXT_BYTES];
    (void)ch_time_write(at, text);
    line_text(out, word, ch_text_of(text));
}

/* ---- the explanation ---------------------------------------------------------------------- */

static void put_id(struct ch_buf *out, bool has, const char *word, uint64_t id)
{
    char text[WORDS_BYTES];
    if (!has) return;
    (void)snprintf(text, sizeof text, " %s %" PRIu64, word, id);
    put(out, text);
}

static void put_fact(struct making *m, const char *word, const struct ch_rec_fact_row *fact)
{
    struct ch_buf *out = &m->explanation;
    put(out, word);
    put_id(out, true, ch_enum_name(CH_KIND_fact, fact->fact), fact->seq);
    if (fact->has_at) {
        char at[CH_TIME_TEXT_BYTES];
        (void)ch_time_write(fact->at, at);
        put(out, " at ");
        put(out, at);
        put(out, " by");
        put_id(out, true, ch_enum_name(CH_KIND_actor_kind, fact->actor_kind), fact->actor);
        ch_buf_put(&m->seqs, &fact->seq, sizeof fact->seq);
    }
    put_id(out, fact->has_account, "account", fact->account.seq);
    put_id(out, fact->has_share, "share", fact->share.seq);
    put_id(out, fact->has_group, "group", fact->group.seq);
    put_id(out, fact->has_role, "role", fact->role.seq);
    put_id(out, fact->has_version, "version", fact->version);
    put_id(out, fact->has_key, "key", fact->key.seq);
    put(out, ": ");
    put_clean(out, fact->text);
    put(out, "\n");
    const bool person =
        fact->actor_kind == CH_actor_kind_user || fact->actor_kind == CH_actor_kind_key;
    if (fact->has_by && person && m->args->has_names && m->args->names) {
        line_text(out, "by-name", fact->by);
    }
}

static void put_facts(struct making *m, const char *word, const struct ch_rec_fact_row *facts,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_fact(m, word, &facts[i]);
    }
}

static void put_explanation(struct making *m, const struct ch_qry_access_explain_result *explained)
{
    struct ch_buf *out = &m->explanation;
    for (uint32_t i = 0; i < explained->ways_len; i++) {
        const struct ch_rec_way_row *way = &explained->ways[i];
        const struct ch_scope_row *scope = &ch_scopes_table[way->scope];
        put(out, way->open ? "way open " : "way denied ");
        ch_buf_put_text(out, (struct ch_text){scope->name, scope->name_len});
        put(out, "\n");
        put_facts(m, "needs", way->facts, way->facts_len);
        put_facts(m, "way-denied-by", way->denies, way->denies_len);
    }
    if (explained->way_count > explained->ways_len) {
        line_number(out, "more-ways", explained->way_count - explained->ways_len);
    }
    if (explained->lacking) put(out, "nothing-gives-it\n");
    put_facts(m, "denied-by", explained->denies, explained->denies_len);
    put_facts(m, "uncounted", explained->uncounted, explained->uncounted_len);
}

/* The same question, explained in the same state; then the facts' times and actors. */
static bool explain(struct making *m, struct ch_text *ret_subject)
{
    struct ch_qry_access_explain *same = ch_arena_take(m->t->arena, sizeof *same);
    struct ch_query_answer answer = {0};
    struct ch_call call = *m->call;
    if (same == NULL) return no_memory(m->why);
    *same = ch_receipt_asked(m->args);
    call.type = CH_QRY_access_explain;
    call.args = same;
    ch_query(m->t->state, m->moment, &call, m->t->arena, &answer);
    if (answer.no_memory) return no_memory(m->why);
    CH_CHECK(answer.reject.code == CH_REJ_none); /* what was answered is explained */
    const void *told = answer.result;
    if (!ch_explain_told(m->t, m->moment, &call, &told, m->why)) return false;
    const struct ch_qry_access_explain_result *explained = told;
    put_explanation(m, explained);
    if (explained->has_subject) *ret_subject = explained->subject;
    return true;
}

/* ---- the statement ------------------------------------------------------------------------ */

static void put_account(struct making *m)
{
    const struct ch_state *state = m->t->state;
    const struct ch_ref *on = m->call->on.id != 0 ? &m->call->on : &m->named->on;
    const uint32_t row = on->id == 0 ? 0 : ch_find_account(state, on->id);
    if (on->id != 0) {
        line_number(&m->statement, "account", on->id);
    } else {
        line_text(&m->statement, "account-path", on->name);
    }
    if (row == 0) return;
    char name[128];
    const uint32_t text = ch_account_row(state, row)->name;
    const size_t len = ch_chain_get(state, CH_T_TEXT, text, name, sizeof name);
    line_text(&m->statement, "account-name", (struct ch_text){name, len});
}

static void put_subject(struct making *m, struct ch_text name)
{
    const struct ch_qry_access_receipt *args = m->args;
    if (args->has_key) {
        line_number(&m->statement, "subject key", args->key.seq);
    } else if (m->user != 0) {
        line_number(&m->statement, "subject user", m->user);
    }
    if (!args->has_names || !args->names) return;
    if (name.len == 0) name = m->named->user.name;
    if (name.len > 0) line_text(&m->statement, "subject-name", name);
}

static void put_statement(struct making *m, const struct ch_qry_access_receipt_result *result,
                          struct ch_text subject)
{
    const struct ch_qry_access_receipt *args = m->args;
    struct ch_buf *out = &m->statement;
    const struct ch_scope_row *scope = &ch_scopes_table[args->scope];
    const uint8_t channel = args->has_channel ? args->channel : (uint8_t)CH_channel_api;
    line_text(out, "log", ch_text_of(m->receipts->signer.verifier.name));
    line_time(out, "made", m->receipts->made_at);
    line_number(out, "seq", result->revision);
    line_time(out, "moment", m->moment->now);
    put_account(m);
    put_subject(m, subject);
    line_text(out, "scope", (struct ch_text){scope->name, scope->name_len});
    if (args->has_resource) line_text(out, "resource", args->resource);
    if (args->has_any && args->any) put(out, "any yes\n");
    line_text(out, "channel", ch_text_of(ch_enum_name(CH_KIND_channel, channel)));
    line_text(out, "decision", ch_text_of(ch_enum_name(CH_KIND_decision, result->decision)));
    line_text(out, "reason", ch_text_of(ch_enum_name(CH_KIND_reason, result->reason)));
    if (result->has_valid_until) line_time(out, "valid-until", result->valid_until);
}

/* ---- the records -------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Whether who asks may see the record: of an account above that nothing leads them to they see no
 * more than that it is there. */
static bool may_see(struct making *m, struct ch_bytes record, bool *ret)
{
    union ch_event_body body;
    struct ch_event event;
    struct ch_query_answer answer = {0};
    struct ch_asking q = {.state = m->t->state,
                          .moment = m->moment,
                          .call = m->call,
                          .arena = m->t->arena,
                          .ret = &answer};
    if (ch_event_decode(record, m->t->arena, &body, &event, m->why) != CH_OK) return false;
    *ret = true;
    if (!ch_is_bound(m->moment) || event.account == 0 || event.account == m->call->on.id) {
        return true;
    }
    const uint32_t account = ch_find_account(m->t->state, event.account);
    *ret = account != 0 && ch_actor_is_led(&q, account);
    return true;
}

static bool add_record(struct making *m, uint64_t seq)
{
    struct ch_receipt_record *added = ch_arena_take(m->t->arena, sizeof *added);
    struct ch_log_record record;
    struct ch_hash leaf;
    bool seen = false;
    if (added == NULL) return no_memory(m->why);
    *added = (struct ch_receipt_record){.seq = seq};
    if (ch_reader_read(m->t->reader, seq, &record, m->why) != CH_OK) return false;
    if (record.bytes.ptr == NULL) {
        (void)ch_fail(m->why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " is missing", seq);
        return false;
    }
    if (!may_see(m, record.bytes, &seen)) return false;
    added->bytes = record.bytes; /* until the reader's next call */
    if (!seen) {
        ch_merkle_leaf(&m->hasher, record.bytes, &leaf);
        added->withheld = true;
        added->bytes = (struct ch_bytes){leaf.bytes, sizeof leaf.bytes};
    }
    if (ch_prover_inclusion(m->receipts->prover, seq - 1, m->receipts->size, &added->proof,
                            m->why) != CH_OK) {
        return false;
    }
    ch_receipt_add(&m->attached, added);
    return true;
}

static bool add_records(struct making *m)
{
    const size_t count = m->seqs.len / sizeof(uint64_t);
    uint64_t before = 0;
    if (m->seqs.failed) return no_memory(m->why);
    if (count > 0) qsort(m->seqs.ptr, count, sizeof(uint64_t), by_number);
    for (size_t i = 0; i < count && m->attached.len <= FILE_MOST; i++) {
        uint64_t seq;
        memcpy(&seq, m->seqs.ptr + i * sizeof seq, sizeof seq);
        if (seq != before && !add_record(m, seq)) return false;
        before = seq;
    }
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool finish(struct making *m, struct ch_bytes *ret)
{
    struct ch_buf copy = {0};
    struct ch_buf file = {0};
    struct ch_stored stored;
    bool good =
        ch_stored_get(m->receipts->log, m->receipts->number, &copy, &stored, m->why) == CH_OK;
    if (good && stored.number == 0) {
        (void)ch_fail(m->why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " is missing",
                      m->receipts->number);
        good = false;
    }
    if (good) {
        ch_receipt_end(&m->attached,
                       (struct ch_text){(const char *)m->statement.ptr, m->statement.len},
                       stored.note, &m->receipts->signer, &m->hasher, &file);
        *ret = (struct ch_bytes){ch_arena_copy(m->t->arena, file.ptr, file.len), file.len};
    }
    if (good && (file.failed || ret->ptr == NULL || m->statement.failed || m->explanation.failed)) {
        good = no_memory(m->why);
    } else if (good && file.len > FILE_MOST) {
        (void)ch_fail(m->why, CH_ERR_TOO_LARGE, 0,
                      "the receipt would hold more than %d bytes; ask about one resource",
                      FILE_MOST);
        good = false;
    }
    ch_buf_deinit(&copy);
    ch_buf_deinit(&file);
    return good;
}

/* Whether who or what is asked about is not there: nothing explains that. */
static bool is_absent(const struct ch_qry_access_receipt_result *result)
{
    return result->reason == CH_reason_did_not_exist || result->reason == CH_reason_unknown_name;
}

/* Whom it is about, also where the account that they are asked about on is not there. */
static uint64_t user_of(const struct making *m)
{
    if (!m->args->has_user) return 0;
    if (m->args->user.id != 0) return m->args->user.id;
    if (m->named->user.id != 0) return m->named->user.id; /* who was not there yet */
    const uint32_t row = ch_find_user_ref(m->t->state, &m->named->user);
    return row == 0 ? 0 : ch_user_row(m->t->state, row)->id;
}

static bool make(struct making *m, struct ch_qry_access_receipt_result *result)
{
    struct ch_text subject = {"", 0};
    if (ch_hasher_init(&m->hasher, m->why) != CH_OK) return false;
    if (result->revision > m->receipts->size) {
        (void)ch_fail(m->why, CH_ERR_BUSY, 0, "the checkpoint does not reach so far; try again");
        return false;
    }
    if (!is_absent(result) && !explain(m, &subject)) return false;
    put_statement(m, result, subject);
    ch_receipt_begin(&m->attached,
                     (struct ch_text){(const char *)m->explanation.ptr, m->explanation.len});
    result->has_size = result->has_receipt = true;
    result->size = m->receipts->size;
    return add_records(m) && finish(m, &result->receipt);
}

bool ch_receipts_make(const struct ch_receipts *receipts, const struct ch_telling *telling,
                      const struct ch_moment *moment, const struct ch_call *call,
                      const struct ch_receipts_named *named, const void **result,
                      struct ch_reject *reject, struct ch_why *why)
{
    struct making m = {.receipts = receipts,
                       .t = telling,
                       .moment = moment,
                       .call = call,
                       .args = call->args,
                       .named = named,
                       .why = why};
    struct ch_qry_access_receipt_result *made =
        ch_arena_copy(telling->arena, *result, sizeof *made);
    const bool by_name = m.args->has_names && m.args->names;
    why->err = CH_OK;
    if (made == NULL) return no_memory(why);
    if (m.args->has_user == m.args->has_key) {
        *reject = (struct ch_reject){.code = CH_REJ_one_subject, .field = "user"};
        return false;
    }
    m.user = user_of(&m);
    if (is_absent(made) && m.args->has_user && m.user == 0 && !by_name) {
        *reject = (struct ch_reject){.code = CH_REJ_not_found, .field = "user"};
        return false; /* whom it is about could only be said by name */
    }
    const bool good = make(&m, made);
    ch_hasher_deinit(&m.hasher);
    ch_buf_deinit(&m.statement);
    ch_buf_deinit(&m.explanation);
    ch_buf_deinit(&m.attached);
    ch_buf_deinit(&m.seqs);
    *result = made;
    return good;
}
