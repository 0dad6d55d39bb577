/* core_world: a small world in core, for tests of its rules. SPDX-License-Identifier: MIT
 * A master `top` with `mid` below it and `low` below that, `side` beside mid, owned by `owner`; and
 * people without a share. RUN sends one command as the line would, and applies what it decides. */
#ifndef CH_TESTS_CORE_WORLD_H
#define CH_TESTS_CORE_WORLD_H
#include "daemon/core/apply.h"
#include "daemon/core/decide.h"
#include "daemon/core/invariant.h"
#include "schema/promise.h"
#include "tests/unit/core_learn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { OPERATOR = 0, SERVICE = 1 }; /* senders beside users and keys, which are named by id */

struct world {
    struct ch_state state;
    struct ch_arena arena;
    uint64_t now;
    uint64_t messages;
    uint64_t expect;  /* of the next command; 0: none */
    uint64_t session; /* over which users send; 0: none */
    uint8_t channel;
    bool imported;           /* the commands are those of an import message */
    int type;                /* of the last command */
    struct ch_reject reject; /* of the last command */
    uint32_t count;          /* its events */
    uint64_t made;           /* seq of the last one */
    uint32_t mints;          /* secrets made for a command; 0: one */
    uint8_t secret[32];      /* the hash of the one made for the last command */
    uint64_t top, mid, low, side;
    uint64_t owner, ann, bob, cy;
};

#define RUN(w, sender, ident, on, ...)                                                             \
    run((w), (sender), CH_CMD_##ident, (on), &(struct ch_cmd_##ident){__VA_ARGS__})
#define USER(number) .has_user = true, .user = {.id = (number)}
#define GROUP(number) .has_group = true, .group = {.id = (number)}
#define ROLE(text) .has_role = true, .role = {.name = {(text), sizeof(text) - 1}}
#define TEXT(text)                                                                                 \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define SUBTREE .has_reach = true, .reach = CH_reach_subtree
#define SCOPE(ident) scopes_of(CH_SCOPE_##ident, CH_SCOPE_##ident)
#define SCOPES(one, two) scopes_of(CH_SCOPE_##one, CH_SCOPE_##two)

static inline struct ch_scopes scopes_of(uint8_t one, uint8_t two)
{
    return ch_scopes_or(ch_scopes_of(one), ch_scopes_of(two));
}

/* Where every event's record goes, behind its length; NULL: nowhere. */
static struct ch_buf *world_log;

static inline void log_event(const struct ch_event *event)
{
    struct ch_buf record = {0};
    ch_event_encode(&record, event);
    const size_t len = record.len;
    ch_buf_put(world_log, &len, sizeof len);
    ch_buf_put(world_log, record.ptr, len);
    assert_false(record.failed || world_log->failed);
    ch_buf_deinit(&record);
}

static inline void take_event(struct world *w, struct ch_event *event)
{
    struct ch_buf plain = {0}, cipher = {0};
    learn_seal(&w->state, event, &plain, &cipher);
    if (world_log != NULL) log_event(event);
    assert_true(ch_apply_reserve(&w->state, event));
    ch_apply(&w->state, event);
    assert_true(learn_names(&w->state, event, ch_buf_view(&plain)));
    ch_buf_deinit(&plain);
    ch_buf_deinit(&cipher);
}

/* What a command comes to is what its row in commands.def says. */
static inline void keep_promise(int type, const struct ch_verdict *verdict)
{
    static const char cure[] = "python3 tests/golden/promises.py --write";
    const char *name = ch_calls[type].args.name;
    if (!ch_promise_is_told(type)) return;
    if (verdict->reject.code != CH_REJ_none && !ch_promise_keeps(type, (int)verdict->reject.code)) {
        fail_msg("%s: MAY lacks %s: %s", name, ch_rejections[verdict->reject.code].name, cure);
    }
    if (verdict->reject.code != CH_REJ_none) return;
    for (uint32_t i = 0; i < verdict->count; i++) {
        const uint16_t tag = verdict->events[i].tag;
        if (ch_promise_event(type, tag)) continue;
        fail_msg("%s: EVENTS lacks %s: %s", name, ch_events[tag].record.name, cure);
    }
}

/* Decides and applies; gives the rejection, CH_REJ_none where accepted. */
static inline int run(struct world *w, uint64_t sender, int type, uint64_t on, void *args)
{
    struct ch_call call = {.type = type, .has_on = on != 0, .on = {.id = on}, .args = args};
    struct ch_moment moment = {.now = w->now, .channel = w->channel, .imported = w->imported};
    struct ch_verdict verdict = {0};
    uint64_t read_seq = 0;
    w->type = type;
    call.has_expect = w->expect != 0;
    call.expect = w->expect;
    w->expect = 0;
    moment.actor.id = sender;
    moment.actor.kind = (uint8_t)(sender == OPERATOR  ? CH_actor_kind_operator
                                  : sender == SERVICE ? CH_actor_kind_service
                                                      : CH_actor_kind_user);
    if (sender > SERVICE) moment.user_row = ch_find_user(&w->state, sender);
    if (w->session != 0) moment.session_row = ch_find_session(&w->state, w->session);
    if (sender > SERVICE && moment.user_row == 0) {
        moment.key_row = ch_find_key(&w->state, sender);
        moment.actor.kind = CH_actor_kind_key;
        assert_int_not_equal(moment.key_row, 0);
    }
    ch_put_be64(moment.id, ++w->messages);
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    learn_address(&w->state, &call, &moment, hashes);
    struct ch_minted minted[4];
    learn_minted(&moment, minted, w->mints == 0 ? 1 : w->mints, w->messages);
    memcpy(w->secret, minted[0].hash, sizeof w->secret);
    ch_arena_reset(&w->arena);
    assert_true(ch_decide_reserve(&w->state, &call));
    if (ch_enter(&w->state, &moment, &call, &read_seq, &verdict.reject)) {
        assert_true(ch_decide_reserve(&w->state, &call));
        ch_decide(&w->state, &moment, &call, &w->arena, &verdict);
    }
    assert_false(verdict.no_memory);
    w->reject = verdict.reject;
    w->count = verdict.reject.code == CH_REJ_none ? verdict.count : 0;
    keep_promise(type, &verdict);
    for (uint32_t i = 0; i < w->count; i++) {
        take_event(w, &verdict.events[i]);
        w->made = verdict.events[i].seq;
    }
    const char *broken = ch_invariant_broken(&w->state);
    if (broken != NULL) fail_msg("does not hold: %s", broken);
    return (int)w->reject.code;
}

/* The daemon's clock: ends what is due. */
static inline void pass_time(struct world *w, uint64_t ns)
{
    w->now += ns;
    for (;;) {
        struct ch_verdict verdict = {0};
        ch_arena_reset(&w->arena);
        assert_true(ch_due_reserve(&w->state));
        ch_decide_due(&w->state, w->now, &w->arena, &verdict);
        assert_false(verdict.no_memory);
        if (verdict.count == 0) return;
        take_event(w, &verdict.events[0]);
        const char *broken = ch_invariant_broken(&w->state);
        if (broken != NULL) fail_msg("does not hold: %s", broken);
    }
}

static inline struct ch_named person_name(const char *text)
{
    struct ch_named named = {.text = ch_text_of(text)};
    ch_put_be64(named.hash, ch_hash_bytes(text, strlen(text)));
    return named;
}

static inline uint64_t add_user(struct world *w, const char *name)
{
    assert_int_equal(
        RUN(w, SERVICE, user_create, 0, .has_username = true, .username = person_name(name)),
        CH_REJ_none);
    return w->made;
}

static inline uint64_t add_sub(struct world *w, uint64_t above, const char *name)
{
    assert_int_equal(RUN(w, OPERATOR, account_open_sub, above, .name = ch_text_of(name)),
                     CH_REJ_none);
    return w->made - 1; /* its first key came after it */
}

static inline uint64_t add_group(struct world *w, uint64_t account, uint64_t parent,
                                 const char *name)
{
    assert_int_equal(RUN(w, OPERATOR, group_create, account, .name = ch_text_of(name),
                         .has_parent = parent != 0, .parent = {.id = parent}),
                     CH_REJ_none);
    return w->made;
}

static inline void join(struct world *w, uint64_t account, uint64_t user, uint64_t group)
{
    assert_int_equal(
        RUN(w, OPERATOR, group_add, account, .group = {.id = group}, .user = {.id = user}),
        CH_REJ_none);
}

/* Gives a share as the operator. */
#define GIVE(w, on, ...)                                                                           \
    assert_int_equal(RUN(w, OPERATOR, share_give, on, __VA_ARGS__), CH_REJ_none)

static inline void start_world(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->now = 1600000000000000000u;
    w->channel = CH_channel_web;
    assert_true(ch_state_init(&w->state));
    for (;;) {
        struct ch_verdict verdict = {0};
        ch_arena_reset(&w->arena);
        ch_decide_start(&w->state, &w->arena, &verdict);
        if (verdict.count == 0) break;
        for (uint32_t i = 0; i < verdict.count; i++) {
            take_event(w, &verdict.events[i]);
        }
    }
    assert_true(ch_store_journal(&w->state.store, true));
    w->owner = add_user(w, "owner");
    w->ann = add_user(w, "ann");
    w->bob = add_user(w, "bob");
    w->cy = add_user(w, "cy");
    assert_int_equal(RUN(w, OPERATOR, account_open_master, 0, .name = TEXT("top"),
                         .has_owner = true, .owner = {.id = w->owner}, .has_sub_depth = true,
                         .sub_depth = 2),
                     CH_REJ_none);
    w->top = w->made - 2; /* its first key and the owner's share came after it */
    w->mid = add_sub(w, w->top, "mid");
    w->low = add_sub(w, w->mid, "low");
    w->side = add_sub(w, w->top, "side");
}

static inline int world_setup(void **test)
{
    struct world *w = test_malloc(sizeof *w);
    start_world(w);
    *test = w;
    return 0;
}

static inline int world_teardown(void **test)
{
    struct world *w = *test;
    ch_state_deinit(&w->state);
    ch_arena_deinit(&w->arena);
    test_free(w);
    return 0;
}
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
#endif
