/* live: core, driven as the daemon's line drives it. SPDX-License-Identifier: MIT */
#include "tests/model/live.h"

#include "daemon/core/dump.h"
#include "daemon/core/invariant.h"
#include "daemon/core/load.h"
#include "tests/model/call.h"
#include "tests/unit/core_learn.h"

static void invariants(const struct ch_state *state)
{
    const char *broken = ch_invariant_broken(state);
    if (broken != NULL) m_fail("does not hold: %s", broken);
}

static void append(struct m_live *live, const struct ch_event *event)
{
    struct m_record record = {.at = live->bytes.len};
    ch_event_encode(&live->bytes, event);
    record.len = live->bytes.len - record.at;
    ch_buf_put(&live->records, &record, sizeof record);
    M_CHECK(!live->bytes.failed && !live->records.failed);
}

static void take_event(struct m_live *live, struct ch_event *event)
{
    M_CHECK(event->seq == m_live_head(live) + 1);
    learn_seal(&live->state, event, &live->plain, &live->cipher);
    for (size_t i = 0; i < live->cipher.len; i++) {
        live->cipher.ptr[i] ^= 0x5a; /* nobody reads a name in a record, or in a dumped table */
    }
    ch_apply(&live->state, event);
    M_CHECK(learn_names(&live->state, event, ch_buf_view(&live->plain)));
    append(live, event);
}

void m_live_init(struct m_live *live)
{
    memset(live, 0, sizeof *live);
    M_CHECK(ch_state_init(&live->state));
    for (;;) {
        struct ch_verdict verdict;
        ch_arena_reset(&live->arena);
        ch_decide_start(&live->state, &live->arena, &verdict);
        M_CHECK(!verdict.no_memory);
        if (verdict.count == 0) break;
        for (uint32_t i = 0; i < verdict.count; i++) {
            M_CHECK(ch_apply_reserve(&live->state, &verdict.events[i]));
            take_event(live, &verdict.events[i]);
        }
    }
    M_CHECK(ch_store_journal(&live->state.store, true));
}

void m_live_deinit(struct m_live *live)
{
    ch_state_deinit(&live->state);
    ch_arena_deinit(&live->arena);
    ch_buf_deinit(&live->bytes);
    ch_buf_deinit(&live->records);
    ch_buf_deinit(&live->plain);
    ch_buf_deinit(&live->cipher);
}

uint64_t m_live_head(const struct m_live *live)
{
    return ch_meta(&live->state)->head;
}

static struct ch_moment moment_of(struct m_live *live, const struct o_command *c)
{
    struct ch_moment moment = {.now = c->now, .channel = c->channel, .imported = c->imported};
    moment.actor.kind = c->actor_kind;
    moment.actor.id = c->actor;
    moment.actor.has_via = c->via;
    moment.actor.via = c->via ? 1000 : 0;
    if (c->actor_kind == CH_actor_kind_user) {
        moment.user_row = ch_find_user(&live->state, c->actor);
        M_CHECK(moment.user_row != 0);
    }
    if (c->actor_kind == CH_actor_kind_key) {
        moment.key_row = ch_find_key(&live->state, c->actor);
        M_CHECK(moment.key_row != 0);
    }
    if (c->session != 0) {
        moment.session_row = ch_find_session(&live->state, c->session);
        M_CHECK(moment.session_row != 0);
    }
    ch_put_be64(moment.id, c->number);
    ch_put_be64(moment.fingerprint, c->number * 7);
    return moment;
}

static void refused(struct m_live *live, const struct ch_moment *moment, const struct ch_call *call,
                    const struct ch_reject *reject)
{
    struct ch_verdict verdict = {0};
    M_CHECK(ch_state_reserve(&live->state, 1, 64, 0));
    ch_decide_refused(&live->state, moment, call, reject, &live->arena, &verdict);
    M_CHECK(verdict.reject.code == CH_REJ_none && !verdict.no_memory && verdict.count <= 1);
    if (verdict.count == 0) return;
    M_CHECK(verdict.events[0].tag == CH_EV_command_refused);
    take_event(live, &verdict.events[0]);
}

void m_live_command(struct m_live *live, const struct o_command *c, bool log_refusal,
                    struct o_outcome *ret)
{
    struct ch_call call;
    struct ch_verdict verdict = {0};
    uint64_t read_seq = 0;
    memset(ret, 0, sizeof *ret);
    ch_arena_reset(&live->arena);
    m_call(c, &live->arena, &call);
    struct ch_moment moment = moment_of(live, c);
    struct ch_minted minted[O_PICKED_ACCOUNTS];
    static const uint8_t sealed[48] = {7};
    learn_minted(&moment, minted, O_PICKED_ACCOUNTS, c->number);
    moment.minted_count = c->account_count > 0 ? c->account_count : 1;
    for (uint32_t i = 0; i < O_PICKED_ACCOUNTS; i++) {
        minted[i].sealed = (struct ch_bytes){sealed, c->mailer ? sizeof sealed : 0};
    }
    if (!ch_default_on(&live->state, &moment, &call, &read_seq, &verdict.reject)) {
        ret->code = (int)verdict.reject.code;
        return;
    }
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    learn_address(&live->state, &call, &moment, hashes);
    M_CHECK(ch_decide_reserve(&live->state, &call));
    if (ch_enter(&live->state, &moment, &call, &read_seq, &verdict.reject)) {
        /* Ids are known now, so the room for a cascade is, too. */
        M_CHECK(ch_decide_reserve(&live->state, &call));
        ch_decide(&live->state, &moment, &call, &live->arena, &verdict);
    } else {
        M_CHECK(verdict.reject.code != CH_REJ_none);
    }
    M_CHECK(!verdict.no_memory && read_seq <= m_live_head(live));
    ret->code = (int)verdict.reject.code;
    if (ret->code != CH_REJ_none) {
        if (log_refusal && ch_rejections[ret->code].rights) {
            refused(live, &moment, &call, &verdict.reject);
        }
        return;
    }
    M_CHECK(verdict.count <= O_EVENTS);
    ret->count = verdict.count;
    for (uint32_t i = 0; i < verdict.count; i++) {
        ret->tags[i] = verdict.events[i].tag;
        ret->accounts[i] = verdict.events[i].account;
        take_event(live, &verdict.events[i]);
    }
    invariants(&live->state);
}

/* What the event is about: its first field names it, or its account does. */
static uint64_t about(const struct ch_event *event)
{
    switch (event->tag) {
    case CH_EV_account_dissolved:
    case CH_EV_ownership_offer_expired:
    case CH_EV_period_closed: return event->account;
    case CH_EV_share_expired:
    case CH_EV_invitation_expired:
    case CH_EV_key_expired:
    case CH_EV_session_expired:
    case CH_EV_access_request_expired:
    case CH_EV_reservation_expired: return ((const struct ch_share_id *)event->body)->seq;
    default: m_fail("%s is no event of the clock", ch_events[event->tag].record.name);
    }
}

bool m_live_due(struct m_live *live, uint64_t now, struct o_due *ret)
{
    struct ch_verdict verdict = {0};
    ch_arena_reset(&live->arena);
    ch_decide_due(&live->state, now, &live->arena, &verdict);
    M_CHECK(!verdict.no_memory && verdict.count <= 1);
    if (verdict.count == 0) return false;
    struct ch_event *event = &verdict.events[0];
    *ret = (struct o_due){.tag = event->tag, .id = about(event)};
    M_CHECK(ch_due_reserve(&live->state));
    take_event(live, event);
    invariants(&live->state);
    return true;
}

void m_live_cut(struct m_live *live, uint64_t head)
{
    struct m_record last;
    M_CHECK(head > 0 && head <= live->records.len / sizeof last);
    live->records.len = (size_t)head * sizeof last;
    memcpy(&last, live->records.ptr + live->records.len - sizeof last, sizeof last);
    live->bytes.len = last.at + last.len;
}

struct ch_bytes m_live_record(const struct m_live *live, uint64_t seq)
{
    struct m_record record;
    M_CHECK(seq > 0 && seq <= live->records.len / sizeof record);
    memcpy(&record, live->records.ptr + (size_t)(seq - 1) * sizeof record, sizeof record);
    return (struct ch_bytes){.ptr = live->bytes.ptr + record.at, .len = record.len};
}

void m_replay(struct ch_state *state, const struct m_live *from, uint64_t head)
{
    struct ch_arena arena = {0};
    struct ch_buf again = {0};
    for (uint64_t seq = ch_meta(state)->head + 1; seq <= head; seq++) {
        union ch_event_body body;
        struct ch_event event;
        struct ch_why why = {0};
        struct ch_bytes record = m_live_record(from, seq);
        ch_arena_reset(&arena);
        if (ch_event_decode(record, &arena, &body, &event, &why) != CH_OK) {
            m_fail("record %llu: %s", (unsigned long long)seq, why.text);
        }
        ch_buf_reset(&again);
        ch_event_encode(&again, &event);
        M_CHECK(ch_bytes_equal(record, ch_buf_view(&again)));
        M_CHECK(ch_apply_reserve(state, &event));
        ch_apply(state, &event);
    }
    ch_arena_deinit(&arena);
    ch_buf_deinit(&again);
}

static void collect(void *arg, const void *ptr, size_t len)
{
    ch_buf_put(arg, ptr, len);
}

void m_reload(const struct ch_state *state, size_t piece, struct ch_state *ret)
{
    struct ch_buf dump = {0};
    struct ch_dump_place place = {.begun = false};
    struct ch_load load;
    while (ch_dump_some(state, &place, piece, collect, &dump)) {
    }
    M_CHECK(!dump.failed && dump.len == ch_dump_bytes(state));
    M_CHECK(ch_state_init(ret));
    ch_load_begin(&load, ret, dump.len);
    for (size_t at = 0; at < dump.len; at += piece) {
        const size_t left = dump.len - at;
        M_CHECK(ch_load_more(&load, dump.ptr + at, left < piece ? left : piece));
    }
    M_CHECK(ch_load_end(&load) && ch_load_index(&load));
    M_CHECK(m_dump_hash(ret) == m_dump_hash(state));
    invariants(ret);
    ch_buf_deinit(&dump);
}

/* ---- memory ----------------------------------------------------------------------------------*/

void m_memory_take(struct m_memory *memory, const struct ch_state *state, bool all)
{
    ch_buf_reset(&memory->bytes);
    for (uint32_t t = 0; t < state->store.table_count; t++) {
        const struct ch_table *table = &state->store.tables[t];
        if (!all && !table->def.dumped) continue;
        uint32_t head[4] = {t, table->used, table->free_head, table->free_rows};
        ch_buf_put(&memory->bytes, head, sizeof head);
        for (uint32_t row = 1; row <= table->used; row++) {
            ch_buf_put(&memory->bytes, ch_table_ptr(table, row), table->def.row_bytes);
        }
    }
    M_CHECK(!memory->bytes.failed);
}

void m_memory_compare(const struct m_memory *one, const struct m_memory *two, const char *what)
{
    const struct ch_buf *a = &one->bytes, *b = &two->bytes;
    size_t at = 0;
    while (at < a->len && at < b->len && a->ptr[at] == b->ptr[at]) {
        at++;
    }
    if (at < a->len || at < b->len) {
        m_fail("%s: memory differs at byte %zu of %zu and %zu", what, at, a->len, b->len);
    }
}

static void put_hash(void *arg, const void *ptr, size_t len)
{
    uint64_t *hash = arg;
    *hash = ch_hash_mix(*hash, ch_hash_bytes(ptr, len));
}

uint64_t m_dump_hash(const struct ch_state *state)
{
    uint64_t hash = 0;
    ch_dump(state, put_hash, &hash);
    return hash;
}

void m_ask(const struct ch_state *state, const struct o_question *q, struct ch_answer *ret)
{
    struct ch_question question = {
        .user = q->user == 0 ? 0 : ch_find_user(state, q->user),
        .key = q->key == 0 ? 0 : ch_find_key(state, q->key),
        .account = ch_find_account(state, q->account),
        .wanted = q->wanted,
        .has_resource = q->has_resource,
        .any = q->any,
        .granting = q->granting,
        .channel = q->channel,
        .now = q->now,
    };
    M_CHECK((question.user != 0 || question.key != 0) && question.account != 0);
    if (q->has_resource && q->resource < O_RESOURCES) {
        question.resource = ch_text_find(state, ch_text_of(o_resources[q->resource]));
    }
    memset(ret, 0, sizeof *ret);
    ch_access(state, &question, ret, NULL, NULL);
}
