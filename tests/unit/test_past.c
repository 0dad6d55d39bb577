/* test_past: what is asked of the past is answered as it was then, over random histories.
 * SPDX-License-Identifier: MIT
 * The seed is CH_TEST_SEED from the environment, or a fixed one; it is printed. At random moments
 * of a history every query that state answers is asked, with random arguments, by everybody. Later
 * the log is replayed up to each of these moments, as the worker does, and the same is asked there:
 * the answers are the same, byte for byte, and so they are when another state judges who asks. */
#include "daemon/core/query.h"
#include "schema/codec.h"
#include "tests/unit/explain_history.h"

#include <stdlib.h>

enum { STEPS = 1200, MOMENTS = 60, EACH = 6, MADE_MOST = 8192 };

/* What there is to name, as it grows. */
struct pool {
    uint64_t made[MADE_MOST]; /* seqs of last events: ids of things, and of what is none */
    uint32_t count;
    uint32_t keys[MADE_MOST]; /* places of those that are a key's, or a request's */
    uint32_t requests[MADE_MOST];
    uint32_t key_count, request_count;
};

/* A question that was asked, and how to ask it again. */
struct asked {
    uint64_t seq;
    uint64_t now;
    uint64_t chance; /* of its arguments */
    uint32_t made;   /* how much of the pool there was */
    int type;
    uint64_t actor;
    uint8_t channel;
    size_t answer_at; /* in the bytes of all answers */
    size_t answer_len;
};

struct past {
    struct world *w;
    uint64_t now; /* of the question that is asked, and its account */
    uint64_t on;
    struct people p;
    struct pool pool;
    struct ch_buf asked;
    struct ch_buf answers;
    struct ch_buf log;
    struct ch_arena arena;
    uint64_t answered, refused, judged;
    uint32_t answers_of[CH_CALL_TYPES];
};

static const char *const names[] = {"owner", "ann", "bob", "dan", "crew", "writers", "L1", "L2"};
enum { NAMES = sizeof names / sizeof names[0] };

/* ---- random arguments -------------------------------------------------------------------------
 * */

static uint64_t some_id(const struct past *t, struct chance *c, uint32_t made, uint8_t kind)
{
    if (below(c, 24) == 0) return 999999;
    if (kind == CH_KIND_account || kind == CH_KIND_account_ref) {
        return t->p.account[below(c, ACCOUNTS)];
    }
    if (kind == CH_KIND_user || kind == CH_KIND_user_ref) return t->p.user[below(c, PEOPLE)];
    if (kind == CH_KIND_group || kind == CH_KIND_group_ref) return t->p.group[below(c, GROUPS)];
    if (kind == CH_KIND_role_ref || kind == CH_KIND_page_ref || made == 0) {
        return 300 + below(c, 100);
    }
    /* Most often one of its kind, among those that there were. */
    const struct pool *pool = &t->pool;
    const uint32_t *places = kind == CH_KIND_request ? pool->requests : pool->keys;
    uint32_t count = kind == CH_KIND_request ? pool->request_count : pool->key_count;
    while (count > 0 && places[count - 1] >= made) {
        count--;
    }
    const bool own = (kind == CH_KIND_request || kind == CH_KIND_key) && count > 0;
    if (own && below(c, 6) != 0) return pool->made[places[below(c, count)]];
    return pool->made[below(c, made)];
}

static void fill_one(const struct past *t, struct chance *c, uint32_t made, uint8_t kind, void *at)
{
    static const uint8_t zeros[32];
    const struct ch_text name = ch_text_of(names[below(c, NAMES)]);
    switch (ch_kinds[kind].form) {
    case CH_FORM_FLAG: *(bool *)at = below(c, 2) == 0; return;
    case CH_FORM_UINT: *(uint64_t *)at = below(c, 40); return;
    case CH_FORM_MOMENT: *(uint64_t *)at = t->now - UINT64_C(86400000000000) * below(c, 40); return;
    case CH_FORM_TEXT:
    case CH_FORM_NAME:
        *(struct ch_text *)at = name;
        if (kind == CH_KIND_token && below(c, 3) == 0) { /* a command's type */
            *(struct ch_text *)at = ch_text_of(ch_calls[below(c, CH_CALL_TYPES)].args.name);
        }
        return;
    case CH_FORM_NAMED: *(struct ch_named *)at = person_name(names[below(c, 4)]); return;
    case CH_FORM_ID: *(uint64_t *)at = some_id(t, c, made, kind); return;
    case CH_FORM_REF:
        *(struct ch_ref *)at = (struct ch_ref){.id = some_id(t, c, made, kind)};
        return;
    case CH_FORM_SCOPE: *(uint8_t *)at = met[below(c, METS)]; return;
    case CH_FORM_SCOPES: *(struct ch_scopes *)at = some_scopes(c); return;
    case CH_FORM_BYTES: *(struct ch_bytes *)at = (struct ch_bytes){zeros, sizeof zeros}; return;
    case CH_FORM_ENUM: {
        uint32_t count = 0;
        while (ch_kinds[kind].values[count].name != NULL) {
            count++;
        }
        *(uint8_t *)at = ch_kinds[kind].values[below(c, count)].number;
        return;
    }
    case CH_FORM_SECRET:
    case CH_FORM_VALUE:
    case CH_FORM_RECORD: return;
    }
}

static void fill(struct past *t, struct chance *c, uint32_t made, const struct ch_record *record,
                 uint8_t *args)
{
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->list) {
            const uint32_t count = below(c, 3);
            uint8_t *items = ch_arena_take(&t->arena, (count + 1) * ch_kinds[field->kind].size);
            for (uint32_t k = 0; k < count; k++) {
                fill_one(t, c, made, field->kind, items + k * ch_kinds[field->kind].size);
            }
            memcpy(args + field->offset, &items, sizeof items);
            memcpy(args + field->has_offset, &count, sizeof count);
            continue;
        }
        if (field->optional && below(c, 2) == 0) continue;
        if (field->optional) *(bool *)(args + field->has_offset) = true;
        fill_one(t, c, made, field->kind, args + field->offset);
    }
}

/* ---- asking -----------------------------------------------------------------------------------
 * */

static struct ch_moment moment_of(const struct ch_state *state, const struct asked *a)
{
    struct ch_moment moment = {.now = a->now, .channel = a->channel};
    moment.actor.id = a->actor;
    moment.actor.kind = (uint8_t)(a->actor == OPERATOR  ? CH_actor_kind_operator
                                  : a->actor == SERVICE ? CH_actor_kind_service
                                                        : CH_actor_kind_user);
    if (a->actor <= SERVICE) return moment;
    moment.user_row = ch_find_user(state, a->actor);
    if (moment.user_row != 0) return moment;
    moment.actor.kind = CH_actor_kind_key;
    moment.key_row = ch_find_key(state, a->actor);
    return moment;
}

/* The answer, or the refusal, as bytes. */
static void ask(struct past *t, const struct ch_state *state, const struct asked *a,
                const struct ch_judge *judge, struct ch_buf *ret)
{
    struct chance c = {a->chance};
    const struct ch_call_row *row = &ch_calls[a->type];
    ch_arena_reset(&t->arena);
    t->now = a->now;
    uint8_t *args = ch_arena_take(&t->arena, row->args.size);
    assert_non_null(args);
    fill(t, &c, a->made, &row->args, args);
    struct ch_call call = {.type = a->type, .has_on = row->on, .args = args};
    if (row->on) call.on.id = t->p.account[below(&c, ACCOUNTS)];
    t->on = call.on.id;
    struct ch_moment moment = moment_of(state, a);
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    moment.judge = judge;
    learn_address(state, &call, &moment, hashes);
    struct ch_query_answer answer = {0};
    uint64_t read_seq = 0;
    if (ch_enter(state, &moment, &call, &read_seq, &answer.reject)) {
        answer.reject.code = CH_REJ_none;
        ch_query(state, &moment, &call, &t->arena, &answer);
    }
    assert_false(answer.no_memory);
    if (answer.result != NULL) {
        ch_encode_map(ret, &row->result, answer.result);
        t->answered++;
        t->answers_of[a->type]++;
        return;
    }
    const uint64_t code = (uint64_t)answer.reject.code;
    const char *field = answer.reject.field == NULL ? "" : answer.reject.field;
    ch_buf_put(ret, &code, sizeof code);
    ch_buf_put(ret, &answer.reject.scopes, sizeof answer.reject.scopes);
    ch_buf_put(ret, field, strlen(field));
    t->refused++;
}

static uint64_t some_actor(const struct past *t, struct chance *c, int type)
{
    if (ch_calls[type].who == CH_WHO_SELF) return t->p.user[below(c, PEOPLE)];
    if (below(c, 2) == 0) return OPERATOR;
    if (below(c, 6) == 0) return SERVICE;
    if (t->p.keys > 0 && below(c, 6) == 0) return t->p.key[below(c, t->p.keys)];
    return t->p.user[below(c, 4)];
}

/* Every query that state answers, now. */
static void ask_all(struct past *t, struct chance *c)
{
    for (int type = CH_COMMANDS; type < CH_CALL_TYPES; type++) {
        for (int i = 0; i < EACH && !ch_calls[type].daemon; i++) {
            struct asked a = {.seq = ch_meta(&t->w->state)->head,
                              .now = t->w->now,
                              .chance = chance_next(c),
                              .made = t->pool.count,
                              .type = type,
                              .actor = some_actor(t, c, type),
                              .channel =
                                  (uint8_t)(below(c, 2) == 0 ? CH_channel_api : CH_channel_web),
                              .answer_at = t->answers.len};
            ask(t, &t->w->state, &a, NULL, &t->answers);
            a.answer_len = t->answers.len - a.answer_at;
            ch_buf_put(&t->asked, &a, sizeof a);
        }
    }
}

/* ---- the log again ----------------------------------------------------------------------------
 * */

/* What the worker does with a record: applies it, and opens what is sealed. */
static void take_record(struct ch_state *state, struct ch_bytes record, struct ch_arena *arena)
{
    union ch_event_body body;
    struct ch_event event;
    struct ch_why why = {0};
    ch_arena_reset(arena);
    assert_int_equal(ch_event_decode(record, arena, &body, &event, &why), CH_OK);
    assert_true(ch_apply_reserve(state, &event));
    ch_apply(state, &event);
    if (!event.personal.present) return;
    const struct ch_bytes plain = {event.personal.cipher.ptr,
                                   event.personal.cipher.len - CH_SEAL_BYTES};
    assert_int_equal(ch_event_open(plain, &body, &event, &why), CH_OK);
    const struct ch_record *row = &ch_events[event.tag].record;
    for (uint16_t i = 0; i < row->count; i++) {
        const struct ch_field *field = &row->fields[i];
        if (!field->personal || !ch_field_present(field, event.body)) continue;
        struct ch_named *named = (struct ch_named *)(void *)((uint8_t *)&body + field->offset);
        ch_put_be64(named->hash, ch_hash_bytes(named->text.ptr, named->text.len));
    }
    assert_true(learn_names(state, &event, plain));
}

static void compare(struct past *t, const struct ch_state *state, const struct asked *a,
                    bool judged)
{
    struct ch_buf again = {0};
    const struct ch_moment moment = moment_of(state, a);
    const struct ch_judge judge = {
        .state = state, .user_row = moment.user_row, .key_row = moment.key_row, .now = a->now};
    ask(t, state, a, judged ? &judge : NULL, &again);
    if (judged && ch_is_bound(&moment) && t->on != 0) {
        const struct ch_question explains = {.account = ch_find_account(state, t->on),
                                             .wanted = ch_scopes_of(CH_SCOPE_access_explain)};
        struct ch_answer answer;
        ch_actor_access(state, &moment, &explains, &answer);
        judged = answer.decision == CH_decision_allowed;
        if (!judged) goto out; /* who may not explain may not ask about the past */
    }
    const bool same = again.len == a->answer_len &&
                      memcmp(again.ptr, t->answers.ptr + a->answer_at, again.len) == 0;
    if (!same) {
        fail_msg("%s at %llu by %llu%s is answered otherwise later", ch_calls[a->type].args.name,
                 (unsigned long long)a->seq, (unsigned long long)a->actor,
                 judged ? ", judged" : "");
    }
    t->judged += judged;
out:
    ch_buf_deinit(&again);
}

static void replay(struct past *t)
{
    struct ch_state state;
    struct ch_arena arena = {0};
    size_t at = 0, question = 0;
    const size_t questions = t->asked.len / sizeof(struct asked);
    assert_true(ch_state_init(&state));
    while (at < t->log.len) {
        size_t len;
        memcpy(&len, t->log.ptr + at, sizeof len);
        take_record(&state, (struct ch_bytes){t->log.ptr + at + sizeof len, len}, &arena);
        at += sizeof len + len;
        for (; question < questions; question++) {
            struct asked a;
            memcpy(&a, t->asked.ptr + question * sizeof a, sizeof a);
            if (a.seq > ch_meta(&state)->head) break;
            compare(t, &state, &a, /* judged= */ false);
            compare(t, &state, &a, /* judged= */ true);
        }
    }
    assert_int_equal(question, questions);
    ch_arena_deinit(&arena);
    ch_state_deinit(&state);
}

/* ---- the history ------------------------------------------------------------------------------
 * */

static int credits_step(struct past *t, struct chance *c, uint64_t on)
{
    struct world *w = t->w;
    const struct ch_ref sub = {.id = t->p.account[1 + below(c, ACCOUNTS - 1)]};
    const uint64_t some = 1 + below(c, 20);
    switch (below(c, 6)) {
    case 0:
        return RUN(w, OPERATOR, credits_allocate, w->top, .account = sub,
                   .type = CH_allocation_type_nonrecurring, .has_total = true, .total = 10 * some);
    case 1: return RUN(w, OPERATOR, credits_withdraw, w->top, .account = sub);
    case 2: return RUN(w, SERVICE, credits_reserve, on, .amount = some);
    case 3: return RUN(w, SERVICE, credits_spend, on, .amount = some);
    case 4:
        return RUN(w, SERVICE, stats_add, on, .stream = (uint8_t)below(c, 2), .has_sent = true,
                   .sent = 10 * some, .has_bounced = true, .bounced = some);
    default:
        return RUN(w, SERVICE, credits_release, 0,
                   .reservation = {t->pool.made[below(c, t->pool.count)]});
    }
}

static int content_step(struct past *t, struct chance *c, uint64_t on)
{
    struct world *w = t->w;
    static const uint8_t hash[32];
    const uint64_t someone = t->p.user[below(c, PEOPLE)];
    const struct ch_text what = ch_text_of(names[below(c, NAMES)]);
    switch (below(c, 7)) {
    case 0:
        return RUN(w, OPERATOR, settings_set, on, .has_header = true, .header = what,
                   .has_footer = below(c, 2) == 0, .footer = what);
    case 1: return RUN(w, SERVICE, suppression_add, on, .address = person_name(names[below(c, 4)]));
    case 2:
        return RUN(w, SERVICE, suppression_remove, on, .address = person_name(names[below(c, 4)]));
    case 3:
        return RUN(w, OPERATOR, content_feed, on, .kind = CH_resource_kind_template,
                   .resource = what);
    case 4:
        return RUN(w, OPERATOR, account_set_switches, w->top,
                   .account = {.id = below(c, 2) == 0 ? w->mid : w->side},
                   .has_feed_from_master = true, .feed_from_master = below(c, 3) != 0,
                   .has_use_master_unsubscribe_list = true, .use_master_unsubscribe_list = true);
    case 5:
        return RUN(w, someone, access_request, on, .has_scopes = true, .scopes = some_scopes(c));
    default:
        return RUN(w, someone, campaign_submit, on, .campaign = what,
                   .content_hash = {hash, sizeof hash});
    }
}

static void learn(struct past *t, uint64_t made)
{
    struct pool *pool = &t->pool;
    const struct ch_state *state = &t->w->state;
    if (ch_find_key(state, made) != 0) pool->keys[pool->key_count++] = pool->count;
    if (ch_find_request(state, made) != 0) pool->requests[pool->request_count++] = pool->count;
    pool->made[pool->count++] = made;
}

static void step(struct past *t, struct chance *c)
{
    struct world *w = t->w;
    const uint64_t on = t->p.account[below(c, ACCOUNTS)];
    const uint32_t sort = below(c, 4);
    const uint64_t actor = below(c, 3) != 0 ? OPERATOR : t->p.user[below(c, PEOPLE)];
    const uint64_t head = ch_meta(&w->state)->head;
    if (sort == 0) {
        (void)credits_step(t, c, on);
    } else if (sort == 1) {
        (void)content_step(t, c, on);
    } else {
        (void)history_step(w, &t->p, c, actor);
    }
    if (below(c, 8) == 0) pass_time(w, UINT64_C(3600000000000) * below(c, 60));
    if (ch_meta(&w->state)->head > head && t->pool.count < MADE_MOST) {
        learn(t, ch_meta(&w->state)->head);
    }
}

static void every_query_is_answered_as_it_was_then(void **unused)
{
    (void)unused;
    struct past *t = test_malloc(sizeof *t);
    memset(t, 0, sizeof *t);
    const char *given = getenv("CH_TEST_SEED");
    struct chance c = {given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20261126)};
    print_message("seed %llu\n", (unsigned long long)c.state);
    world_log = &t->log;
    struct world *w = test_malloc(sizeof *w);
    t->w = w;
    start_world(w);
    make_people(w, &t->p);
    learn(t, w->top + 2); /* its first key, behind the owner's share */
    for (int i = 0; i < STEPS; i++) {
        step(t, &c);
        if (i % 100 == 0) heal(w, &t->p);
        if (below(&c, STEPS / MOMENTS) == 0) ask_all(t, &c);
    }
    const uint64_t answered = t->answered;
    print_message("%zu questions at about %d moments: %llu answered, %llu refused\n",
                  t->asked.len / sizeof(struct asked), MOMENTS, (unsigned long long)answered,
                  (unsigned long long)t->refused);
    assert_true(answered > t->refused / 2);
    for (int type = CH_COMMANDS; type < CH_CALL_TYPES; type++) {
        if (ch_calls[type].daemon || t->answers_of[type] > 0) continue;
        fail_msg("%s was never answered", ch_calls[type].args.name);
    }
    replay(t);
    assert_true(t->judged > answered / 2);
    world_log = NULL;
    ch_state_deinit(&w->state);
    ch_arena_deinit(&w->arena);
    ch_arena_deinit(&t->arena);
    ch_buf_deinit(&t->asked);
    ch_buf_deinit(&t->answers);
    ch_buf_deinit(&t->log);
    test_free(w);
    test_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_query_is_answered_as_it_was_then)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
