/* test_strand: what a strand answers about the past is what the whole state of then answers.
 * SPDX-License-Identifier: MIT
 * The seed is CH_TEST_SEED from the environment, or a fixed one; it is printed. A random history of
 * all that bears on rights is stored as a log and replayed; on the way, at random moments, random
 * questions are asked of the state there and of the strand: the same answer, byte for byte, and
 * whoever is told of in it has the same names. Strands are used in any order, so they also go on
 * and begin anew. */
#include "daemon/core/query.h"
#include "daemon/log/reader.h"
#include "daemon/replay/strand.h"
#include "daemon/replay/touched.h"
#include "schema/codec.h"
#include "tests/unit/strand_question.h"

#include <stdlib.h>

/* ---- the history ----------------------------------------------------------------------------- */

static void step(struct test *t)
{
    struct world *w = &t->w;
    struct chance *c = &t->c;
    const uint64_t on = t->p.account[below(c, ACCOUNTS)];
    const uint64_t actor = below(c, 3) != 0 ? OPERATOR : t->p.user[below(c, PEOPLE)];
    switch (below(c, 12)) {
    case 11: /* who makes no shares */
        (void)RUN(w, t->over_all, share_grant, on, USER(t->p.user[below(c, PEOPLE)]),
                  .kind = CH_resource_kind_list, .resource = ch_text_of(resources[0]),
                  .scopes = list_scopes(c));
        break;
    case 8:
    case 9:
    case 10: (void)other_step(w, &t->p, c, &t->other); break;
    case 6:
    case 7: (void)more_step(w, &t->p, c, &t->more); break;
    case 0: (void)invitation_step(w, c, on); break;
    case 1:
    case 2: (void)account_and_user_step(w, &t->p, c, on); break;
    default: (void)history_step(w, &t->p, c, actor); break;
    }
    if (below(c, 8) == 0) pass_time(w, UINT64_C(3600000000000) * below(c, 60));
}

/* An account with so many people that it is dissolved in several steps, with and without what comes
 * between them. */
static void dissolve_crowd(struct test *t)
{
    struct world *w = &t->w;
    const uint64_t on = add_sub(w, w->top, "crowd");
    for (uint32_t i = 0; i < CROWD; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "crowd%u", i);
        const uint64_t user = add_user(w, name);
        GIVE(w, on, USER(user), ROLE("user"));
    }
    heal(w, &t->p);
    assert_int_equal(RUN(w, owner_of(w), account_close, on, .has_below = false), CH_REJ_none);
    pass_time(w, UINT64_C(86400000000000) * 120);
}

static void play(struct test *t)
{
    world_log = &t->log;
    start_world(&t->w);
    make_people(&t->w, &t->p);
    t->over_all = add_user(&t->w, "zoe");
    GIVE(&t->w, t->w.top, USER(t->over_all), ROLE("account_manager"), SUBTREE);
    for (int i = 0; i < STEPS; i++) {
        step(t);
        if (i % 100 == 0) heal(&t->w, &t->p);
        if (i == STEPS / 2) dissolve_crowd(t);
        if (i == STEPS / 3) many_requests(&t->w, &t->p, &t->c, &t->other);
    }
    world_log = NULL;
}

/* ---- its log --------------------------------------------------------------------------------- */

static bool mark_of(void *arg, uint64_t seq, uint32_t *ret)
{
    (void)arg;
    (void)seq;
    (void)ret;
    return false;
}

static void store(struct test *t)
{
    struct ch_bytes records[TOGETHER];
    struct ch_why why;
    size_t at = 0;
    uint64_t first = 1;
    scratch_make(&t->scratch);
    t->evlog = scratch_open(&t->scratch, 64 << 20);
    while (at < t->log.len) {
        size_t count = 0;
        for (; at < t->log.len && count < TOGETHER; count++) {
            size_t len;
            memcpy(&len, t->log.ptr + at, sizeof len);
            records[count] = (struct ch_bytes){t->log.ptr + at + sizeof len, len};
            at += sizeof len + len;
        }
        assert_int_equal(ch_evlog_append(t->evlog, first, records, count, first, &why), CH_OK);
        first += count;
    }
    t->actor_of = test_calloc(first + 1, sizeof *t->actor_of);
    t->actor_kind = test_calloc(first + 1, 1);
    assert_int_equal(ch_reader_open(t->evlog, &t->reader, &why), CH_OK);
    assert_int_equal(ch_streams_open(t->scratch.dir, 0, mark_of, NULL, &t->streams, &why), CH_OK);
}

/* Words sealed under a key that is destroyed by now; names are told until they were erased, which
 * asks more of a strand. */
static bool is_lost(const struct test *t, const struct ch_event *event)
{
    if (!event->personal.present || ch_events[event->tag].makes == CH_KIND_user ||
        event->tag == CH_EV_profile_changed) {
        return false;
    }
    const uint32_t user = ch_find_user_number(&t->w.state, event->personal.number);
    return user != 0 && ch_user_row(&t->w.state, user)->status == CH_user_status_erased;
}

/* What the worker does with what was sealed. */
static enum ch_err learn(void *arg, struct ch_state *state, const struct ch_event *event,
                         struct ch_why *why)
{
    union ch_event_body body;
    struct ch_event opened = *event;
    if (arg != NULL && is_lost(arg, event)) return CH_OK;
    if (!event->personal.present) return CH_OK;
    const struct ch_bytes plain = {event->personal.cipher.ptr,
                                   event->personal.cipher.len - CH_SEAL_BYTES};
    memcpy(&body, event->body, ch_events[event->tag].record.size);
    opened.body = &body;
    assert_int_equal(ch_event_open(plain, &body, &opened, why), CH_OK);
    const struct ch_record *row = &ch_events[event->tag].record;
    for (uint16_t i = 0; i < row->count; i++) {
        const struct ch_field *field = &row->fields[i];
        if (!field->personal || !ch_field_present(field, &body)) continue;
        struct ch_named *named = (struct ch_named *)(void *)((uint8_t *)&body + field->offset);
        ch_put_be64(named->hash, ch_hash_bytes(named->text.ptr, named->text.len));
    }
    assert_true(learn_names(state, &opened, plain));
    return CH_OK;
}

static void note(struct ids *ids, uint64_t id)
{
    assert_true(ids->count < MADE_MOST);
    ids->id[ids->count++] = id;
}

/* The next event into a state that follows the log; returns its tag. */
static uint16_t replay_one(struct test *t, struct ch_state *state, uint64_t seq, bool indexed)
{
    struct ch_log_record record;
    union ch_event_body body;
    struct ch_event event;
    struct ch_why why;
    uint64_t keys[CH_STREAMS_KEYS];
    ch_arena_reset(&t->decoded);
    assert_int_equal(ch_reader_read(t->reader, seq, &record, &why), CH_OK);
    assert_int_equal(ch_event_decode(record.bytes, &t->decoded, &body, &event, &why), CH_OK);
    if (indexed) {
        const size_t count = ch_touched(state, &event, keys);
        assert_int_equal(ch_streams_add(t->streams, seq, record.bytes, keys, count, &why), CH_OK);
        const uint8_t kind = event.actor.kind;
        const bool person = kind == CH_actor_kind_user || kind == CH_actor_kind_key;
        if (person) t->actor_of[seq] = event.actor.id;
        t->actor_kind[seq] = kind;
        const uint8_t makes = ch_events[event.tag].makes;
        if (makes == CH_KIND_user) note(&t->users, seq);
        if (makes == CH_KIND_key) note(&t->keys, seq);
        if (makes == CH_KIND_account) note(&t->accounts, seq);
        if (makes == CH_KIND_group) note(&t->groups, seq);
    }
    assert_true(ch_apply_reserve(state, &event));
    ch_apply(state, &event);
    assert_int_equal(learn(t, state, &event, &why), CH_OK);
    if (!indexed && event.tag == CH_EV_access_requested) note(&t->asked_for, seq);
    t->at = event.at;
    t->dissolved = event.account;
    return event.tag;
}

/* ---- answers --------------------------------------------------------------------------------- */

static struct ch_moment moment_of(const struct test *t, const struct question *q,
                                  const struct ch_state *state, uint64_t now)
{
    struct ch_moment moment = {.now = now, .channel = q->channel};
    moment.actor.id = q->actor;
    moment.actor.kind = (uint8_t)(q->actor == OPERATOR  ? CH_actor_kind_operator
                                  : q->actor == SERVICE ? CH_actor_kind_service
                                                        : CH_actor_kind_user);
    if (q->actor <= SERVICE) return moment;
    if (ch_find_user(&t->w.state, q->actor) == 0) moment.actor.kind = CH_actor_kind_key;
    moment.user_row = ch_find_user(state, q->actor);
    moment.key_row = ch_find_key(state, q->actor);
    return moment;
}

/* The names of a user, behind each other. */
static void put_names(struct test *t, const struct ch_state *state, uint64_t id, struct ch_buf *ret)
{
    struct ch_text texts[3];
    const uint32_t row = ch_find_user(state, id);
    ch_buf_put(ret, row == 0 ? "-" : "+", 1);
    if (row == 0) return;
    assert_true(ch_opened_read(state, ch_user_row(state, row)->profile_seq, &t->arena, texts, 3));
    for (uint32_t i = 0; i < 3; i++) {
        ch_buf_put(ret, texts[i].ptr, texts[i].len);
        ch_buf_put(ret, "|", 1);
    }
    t->named += texts[0].len + texts[1].len > 0;
}

/* Who caused what a fact tells, as the worker would name them. */
static void put_actors(struct test *t, const struct ch_state *state,
                       const struct ch_rec_fact_row *facts, uint32_t count, struct ch_buf *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t actor = t->actor_of[facts[i].seq];
        if (actor == 0) continue;
        if (t->actor_kind[facts[i].seq] == CH_actor_kind_user) {
            put_names(t, state, actor, ret);
            continue;
        }
        char name[128];
        const uint32_t key = ch_find_key(state, actor);
        if (key == 0) continue;
        ch_buf_put(ret, name,
                   ch_chain_get(state, CH_T_TEXT, ch_key_row(state, key)->name, name, sizeof name));
    }
}

static void put_told(struct test *t, const struct question *q, const struct ch_state *state,
                     const void *result, struct ch_buf *ret)
{
    if (q->type == CH_QRY_check) {
        const struct ch_qry_check_result *told = result;
        t->fed += q->fed &&
                  (told->reason == CH_reason_fed_content || told->decision == CH_decision_allowed);
        put_actors(t, state, told->facts, told->facts_len, ret);
    }
    if (q->type != CH_QRY_access_explain) return;
    const struct ch_qry_access_explain_result *told = result;
    put_actors(t, state, told->denies, told->denies_len, ret);
    put_actors(t, state, told->uncounted, told->uncounted_len, ret);
    for (uint32_t i = 0; i < told->ways_len; i++) {
        put_actors(t, state, told->ways[i].facts, told->ways[i].facts_len, ret);
        put_actors(t, state, told->ways[i].denies, told->ways[i].denies_len, ret);
    }
}

static void answer(struct test *t, const struct question *q, const struct ch_state *state,
                   uint64_t now, struct ch_buf *ret)
{
    union args args;
    struct ch_call call;
    struct ch_query_answer told = {0};
    uint64_t read_seq = 0;
    make_call(q, &args, &call);
    struct ch_moment moment = moment_of(t, q, state, now);
    const struct ch_moment then = moment_of(t, q, &t->w.state, t->w.now);
    const struct ch_judge judge = {
        .state = &t->w.state, .user_row = then.user_row, .key_row = then.key_row, .now = t->w.now};
    if (ch_is_bound(&moment)) moment.judge = &judge;
    ch_arena_reset(&t->arena);
    if (ch_is_bound(&moment) && then.user_row + then.key_row == 0) return; /* a key that is gone */
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    learn_address(state, &call, &moment, hashes);
    if (ch_enter(state, &moment, &call, &read_seq, &told.reject)) {
        told.reject.code = CH_REJ_none;
        ch_query(state, &moment, &call, &t->arena, &told);
    }
    assert_false(told.no_memory);
    if (told.result != NULL) {
        ch_encode_map(ret, &ch_calls[q->type].result, told.result);
        put_told(t, q, state, told.result, ret);
        if (q->key == 0 && !is_more(q->type)) put_names(t, state, subject_of(q, &args), ret);
        t->answered++;
        t->told_filled += is_filled(q->type, told.result);
        return;
    }
    const uint64_t code = (uint64_t)told.reject.code;
    const char *field = told.reject.field == NULL ? "" : told.reject.field;
    ch_buf_put(ret, &code, sizeof code);
    ch_buf_put(ret, &told.reject.scopes, sizeof told.reject.scopes);
    ch_buf_put(ret, field, strlen(field));
}

/* A question that was asked of the whole state. */
struct asked {
    struct question q;
    uint64_t seq;
    uint64_t now;
    size_t answer_at;
    size_t answer_len;
};

/* Asks again, of a strand. True: there was one. */
static bool ask_strand(struct test *t, const struct asked *a)
{
    union args args;
    struct ch_call call;
    struct ch_buf again = {0};
    make_call(&a->q, &args, &call);
    const struct ch_request request = {.calls = &call, .call_count = 1};
    const struct ch_strand_asked asked = {.request = &request,
                                          .asker = moment_of(t, &a->q, &t->w.state, a->now).actor};
    const struct ch_state *part = ch_strands_at(t->strands, &asked, &t->w.state, a->seq, NO_LIMIT);
    t->by_strand += part != NULL;
    t->by_whole += part == NULL;
    t->whole_of[a->q.type] += part == NULL;
    if (part == NULL) return false;
    assert_int_equal(ch_meta(part)->head, a->seq);
    const uint64_t answered = t->answered;
    const uint64_t filled = t->told_filled;
    answer(t, &a->q, part, a->now, &again);
    t->told[a->q.type] += t->answered - answered;
    t->filled[a->q.type] += t->told_filled - filled;
    if (again.len != a->answer_len ||
        (again.len > 0 && memcmp(again.ptr, t->answers.ptr + a->answer_at, again.len) != 0)) {
        fail_msg(
            "%s at %llu by %llu about %llu or key %llu on %llu: a strand of %llu events answers"
            " otherwise",
            ch_calls[a->q.type].args.name, (unsigned long long)a->seq,
            (unsigned long long)a->q.actor, (unsigned long long)a->q.user.id,
            (unsigned long long)a->q.key, (unsigned long long)a->q.on.id,
            (unsigned long long)ch_strands_events(t->strands));
    }
    ch_buf_deinit(&again);
    return true;
}

/* The name in a copy of a question is the copy's own. */
static void own_names(struct asked *a)
{
    if (a->q.on.id == 0) a->q.on.name.ptr = a->q.path;
    if (a->q.user.id == 0) a->q.user.name.ptr = a->q.name;
}

static void asked_at(const struct test *t, size_t i, struct asked *ret)
{
    memcpy(ret, t->asked.ptr + i * sizeof *ret, sizeof *ret);
    own_names(ret);
}

static bool ask(struct test *t, const struct question *q, uint64_t seq)
{
    struct asked a = {.q = *q,
                      .seq = seq,
                      .now = below(&t->c, 2) == 0 ? t->at : t->at + below(&t->c, 1000),
                      .answer_at = t->answers.len};
    own_names(&a);
    answer(t, &a.q, &t->whole, a.now, &t->answers);
    a.answer_len = t->answers.len - a.answer_at;
    ch_buf_put(&t->asked, &a, sizeof a);
    const bool answered = ask_strand(t, &a);
    if (below(&t->c, 2) == 0) { /* and one from before once more */
        asked_at(t, below(&t->c, (uint32_t)(t->asked.len / sizeof a)), &a);
        (void)ask_strand(t, &a);
    }
    return answered;
}

static void ask_here(struct test *t, uint64_t seq, uint16_t tag)
{
    struct question q;
    const bool dissolved = tag == CH_EV_account_dissolved;
    for (uint32_t i = dissolved ? 12 : 4 * (below(&t->c, 3) == 0); i > 0; i--) {
        some_question(t, &q);
        if (dissolved) q.on = (struct ch_ref){.id = t->dissolved};
        if (tag == CH_EV_credits_reserved) { /* soon none is open */
            q.type = CH_QRY_credits_reservations;
            q.on = (struct ch_ref){.id = t->w.top};
        }
        const bool answered = ask(t, &q, seq);
        t->half += dissolved && !answered;
    }
}

static bool is_asked(int type)
{
    bool asked = is_other(type);
    for (int i = 0; i < MORE_TYPES; i++) {
        asked = asked || more_types[i] == type;
    }
    return asked;
}

static void strands_answer_as_the_whole_log_does(void **unused)
{
    (void)unused;
    struct test *t = test_calloc(1, sizeof *t);
    struct ch_state first;
    struct ch_why why;
    const char *given = getenv("CH_TEST_SEED");
    t->c.state = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20261126);
    print_message("seed %llu\n", (unsigned long long)t->c.state);
    play(t);
    store(t);
    const uint64_t head = ch_meta(&t->w.state)->head;
    assert_true(ch_state_init(&first) && ch_state_init(&t->whole));
    for (uint64_t seq = 1; seq <= head; seq++) {
        (void)replay_one(t, &first, seq, /* indexed= */ true);
    }
    ch_state_deinit(&first);
    const struct ch_strands_options options = {
        .streams = t->streams, .reader = t->reader, .learn = learn, .arg = t};
    assert_int_equal(ch_strands_create(&options, &t->strands, &why), CH_OK);
    for (uint64_t seq = 1; seq <= head; seq++) {
        const uint16_t tag = replay_one(t, &t->whole, seq, /* indexed= */ false);
        ask_here(t, seq, tag);
        if (below(&t->c, 500) == 0) ch_strands_clear(t->strands);
    }
    print_message(
        "%llu events, %zu questions: %llu times a strand answered, %llu times it takes the "
        "whole log, %llu of these at a dissolution\n",
        (unsigned long long)head, t->asked.len / sizeof(struct asked),
        (unsigned long long)t->by_strand, (unsigned long long)t->by_whole,
        (unsigned long long)t->half);
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        if (!is_asked(type)) continue;
        print_message("%s: %llu answers of strands, %llu of them tell something; %llu times the "
                      "whole log\n",
                      ch_calls[type].args.name, (unsigned long long)t->told[type],
                      (unsigned long long)t->filled[type], (unsigned long long)t->whole_of[type]);
    }
    print_message("%llu names, %llu checks of fed content\n", (unsigned long long)t->named,
                  (unsigned long long)t->fed);
    assert_true(t->by_strand > 2 * t->by_whole && t->named > 200 && t->half > 0 && t->fed > 0);
    for (int type = 0; type < CH_CALL_TYPES && (int)STEPS >= FILLED_FROM; type++) {
        if (is_asked(type) && t->filled[type] < FILLED_LEAST) {
            fail_msg("%s: too few answers that tell something", ch_calls[type].args.name);
        }
    }
    ch_strands_destroy(t->strands);
    ch_streams_close(t->streams);
    ch_reader_close(t->reader);
    ch_evlog_close(t->evlog);
    scratch_remove(&t->scratch);
    ch_state_deinit(&t->whole);
    ch_state_deinit(&t->w.state);
    ch_arena_deinit(&t->w.arena);
    ch_arena_deinit(&t->arena);
    ch_arena_deinit(&t->decoded);
    ch_buf_deinit(&t->log);
    ch_buf_deinit(&t->asked);
    ch_buf_deinit(&t->answers);
    test_free(t->actor_of);
    test_free(t->actor_kind);
    test_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(strands_answer_as_the_whole_log_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
