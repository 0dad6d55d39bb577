/* test_suppression: unsubscribe lists against the rule as sets, and their pages.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query.h"
#include "tests/unit/core_world.h"

#include <stdlib.h>

enum { ADDRESSES = 12, TREE = 4 };

static struct ch_named address(uint32_t number)
{
    struct ch_named named = {.text = TEXT("a@b")};
    ch_put_be64(named.hash, ch_hash_mix(number, 7));
    named.hash[15] = (uint8_t)number;
    return named;
}

static const void *ask(struct world *w, int type, uint64_t on, void *args, struct ch_reject *no)
{
    struct ch_call call = {.type = type, .has_on = true, .on = {.id = on}, .args = args};
    struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_operator}};
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    learn_address(&w->state, &call, &moment, hashes);
    struct ch_query_answer answer;
    ch_query(&w->state, &moment, &call, &w->arena, &answer);
    assert_false(answer.no_memory);
    *no = answer.reject;
    return answer.result;
}

static bool suppressed(struct world *w, uint64_t on, uint32_t number, uint64_t *ret_count)
{
    struct ch_reject no;
    struct ch_qry_suppression_check args = {.address = address(number)};
    const struct ch_qry_suppression_check_result *result =
        ask(w, CH_QRY_suppression_check, on, &args, &no);
    assert_non_null(result);
    assert_int_equal(result->list_count, result->lists_len);
    assert_int_equal(result->suppressed, result->list_count > 0);
    *ret_count = result->list_count;
    return result->suppressed;
}

/* The same, as sets: own lists, and the two switches of each account. */
struct sets {
    uint64_t id[TREE];
    int parent[TREE]; /* -1: the root */
    bool own[TREE][ADDRESSES];
    bool down[TREE], up[TREE];
};

static uint64_t lists_of(const struct sets *m, int on, uint32_t number)
{
    uint64_t count = m->own[on][number];
    if (m->parent[on] >= 0 && m->down[on]) count += m->own[m->parent[on]][number];
    for (int c = 0; c < TREE; c++) {
        count += m->parent[c] == on && m->up[c] && m->own[c][number];
    }
    return count;
}

static void change(struct world *w, struct sets *m, int on, uint32_t number, int what)
{
    if (what < 3) {
        assert_int_equal(RUN(w, SERVICE, suppression_add, m->id[on], .address = address(number)),
                         CH_REJ_none);
        assert_int_equal(w->count, !m->own[on][number]);
        m->own[on][number] = true;
    } else if (what < 6) {
        assert_int_equal(RUN(w, SERVICE, suppression_remove, m->id[on], .address = address(number)),
                         m->own[on][number] ? CH_REJ_none : CH_REJ_not_suppressed);
        m->own[on][number] = false;
    } else if (m->parent[on] >= 0) {
        bool *which = what == 6 ? &m->down[on] : &m->up[on];
        *which = !*which;
        assert_int_equal(RUN(w, OPERATOR, account_set_switches, m->id[m->parent[on]],
                             .account = {.id = m->id[on]},
                             .has_use_master_unsubscribe_list = what == 6,
                             .use_master_unsubscribe_list = what == 6 && *which,
                             .has_honour_list_in_master = what != 6,
                             .honour_list_in_master = what != 6 && *which),
                         CH_REJ_none);
    }
}

static void what_is_suppressed_is_the_union_one_step_up_and_down(void **test)
{
    struct world *w = *test;
    struct sets m = {.id = {w->top, w->mid, w->low, w->side}, .parent = {-1, 0, 1, 0}};
    const char *given = getenv("CH_TEST_SEED");
    uint64_t seed = given == NULL ? 1 : strtoull(given, NULL, 10);
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t rotated = 0;
    uint64_t retired = 0;
    for (int step = 0; step < 600; step++) {
        seed = ch_hash_mix(seed, (uint64_t)step);
        /* By which key an address is hashed tells nobody apart. */
        if (step % 40 == 39) {
            const int code = RUN(w, OPERATOR, suppression_rotate_key, 0, .unused_ = false);
            assert_true(code == CH_REJ_none || code == CH_REJ_limit_reached);
            rotated += code == CH_REJ_none;
        }
        for (uint64_t key = 1; step % 40 == 20 && key < 1 + rotated; key++) {
            retired += RUN(w, OPERATOR, suppression_retire_key, 0, .key = key) == CH_REJ_none;
        }
        change(w, &m, (int)(seed % TREE), (uint32_t)(seed >> 8) % ADDRESSES, (int)(seed >> 40 & 7));
        for (int on = 0; on < TREE; on++) {
            const uint32_t number = (uint32_t)step % ADDRESSES;
            uint64_t count = 0;
            (void)suppressed(w, m.id[on], number, &count);
            assert_int_equal(count, lists_of(&m, on, number));
        }
        const char *broken = ch_invariant_broken(&w->state);
        if (broken != NULL) fail_msg("does not hold: %s", broken);
    }
    assert_true(rotated > 8 && retired > 0);
}

static const struct ch_qry_suppression_list_result *page(struct world *w, uint64_t on,
                                                         uint64_t after, uint64_t limit,
                                                         struct ch_reject *no)
{
    struct ch_qry_suppression_list args = {
        .has_after = after != 0, .after = after, .has_limit = true, .limit = limit};
    return ask(w, CH_QRY_suppression_list, on, &args, no);
}

static void a_list_is_read_in_pages_the_newest_first(void **test)
{
    struct world *w = *test;
    struct ch_reject no;
    for (uint32_t i = 0; i < 25; i++) {
        assert_int_equal(RUN(w, SERVICE, suppression_add, w->mid, .address = address(i)),
                         CH_REJ_none);
        assert_int_equal(RUN(w, SERVICE, suppression_add, w->top, .address = address(i)),
                         CH_REJ_none);
    }
    uint64_t after = 0;
    uint32_t left = 25;
    do {
        const struct ch_qry_suppression_list_result *got = page(w, w->mid, after, 10, &no);
        assert_non_null(got);
        assert_int_equal(got->total, 25);
        assert_int_equal(got->addresses_len, left < 10 ? left : 10);
        for (uint32_t i = 0; i < got->addresses_len; i++) {
            assert_memory_equal(got->addresses[i].hash.ptr, address(--left).hash, 16);
        }
        assert_int_equal(got->has_next, left > 0);
        after = got->has_next ? got->next : 0;
    } while (after != 0);
    assert_int_equal(left, 0);
}

static void a_cursor_whose_item_is_gone_is_refused(void **test)
{
    struct world *w = *test;
    struct ch_reject no;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(RUN(w, SERVICE, suppression_add, w->mid, .address = address(i)),
                         CH_REJ_none);
    }
    const uint64_t cursor = page(w, w->mid, 0, 2, &no)->next; /* stands at address 2 */
    assert_non_null(page(w, w->mid, cursor, 2, &no));
    assert_null(page(w, w->side, cursor, 2, &no));
    assert_int_equal(no.code, CH_REJ_list_changed);
    /* Others may come and go. */
    assert_int_equal(RUN(w, SERVICE, suppression_remove, w->mid, .address = address(1)),
                     CH_REJ_none);
    assert_int_equal(page(w, w->mid, cursor, 2, &no)->addresses_len, 1);
    assert_int_equal(RUN(w, SERVICE, suppression_remove, w->mid, .address = address(2)),
                     CH_REJ_none);
    assert_null(page(w, w->mid, cursor, 2, &no));
    assert_int_equal(no.code, CH_REJ_list_changed);
    /* Nor does another that took its row answer for it. */
    assert_int_equal(RUN(w, SERVICE, suppression_add, w->mid, .address = address(9)), CH_REJ_none);
    assert_null(page(w, w->mid, cursor, 2, &no));
    assert_string_equal(no.field, "after");
}

static void an_answer_knows_the_change_it_was_made_from(void **test)
{
    struct world *w = *test;
    struct ch_qry_suppression_check args = {.address = address(1)};
    assert_int_equal(RUN(w, OPERATOR, account_set_switches, w->top, .account = {.id = w->mid},
                         .has_honour_list_in_master = true, .honour_list_in_master = true),
                     CH_REJ_none);
    for (int turn = 0; turn < 2; turn++) { /* also when what it misses is only just gone */
        if (turn == 0) {
            RUN(w, SERVICE, suppression_add, w->mid, .address = address(1));
        } else {
            RUN(w, SERVICE, suppression_remove, w->mid, .address = address(1));
        }
        struct ch_call call = {.type = CH_QRY_suppression_check, .has_on = true, .args = &args};
        struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_operator}};
        struct ch_address_hash hashes[CH_ADDRESS_HASHES];
        learn_address(&w->state, &call, &moment, hashes);
        struct ch_query_answer answer;
        call.on.id = w->top;
        ch_query(&w->state, &moment, &call, &w->arena, &answer);
        assert_true(answer.read_seq >= w->made);
        call.on.id = w->mid;
        ch_query(&w->state, &moment, &call, &w->arena, &answer);
        assert_true(answer.read_seq >= w->made);
        call.on.id = w->side; /* it has nothing to do with it */
        ch_query(&w->state, &moment, &call, &w->arena, &answer);
        assert_true(answer.read_seq < w->made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_suppressed_is_the_union_one_step_up_and_down),
        WORLD_TEST(a_list_is_read_in_pages_the_newest_first),
        WORLD_TEST(a_cursor_whose_item_is_gone_is_refused),
        WORLD_TEST(an_answer_knows_the_change_it_was_made_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
