/* test_content: what is fed to whom, against the rule as sets. SPDX-License-Identifier: MIT */
#include "daemon/core/query.h"
#include "tests/unit/core_world.h"

#include <stdlib.h>

enum { TREE = 4, PIECES = 5, ALL = TREE };

static const char *const names[PIECES] = {"T1", "T2", "T3", "T4", "T5"};

/* By account: who stands above it, its switch, and what it feeds to each other one or to all. */
struct sets {
    uint64_t id[TREE];
    int parent[TREE]; /* -1: the root */
    bool takes[TREE];
    bool feeds[TREE][TREE + 1][PIECES];
};

static bool is_fed(const struct sets *m, int to, int piece)
{
    const int from = m->parent[to];
    return from >= 0 && m->takes[to] && (m->feeds[from][to][piece] || m->feeds[from][ALL][piece]);
}

static int feed(struct world *w, const struct sets *m, int from, int to, int piece)
{
    return RUN(w, OPERATOR, content_feed, m->id[from], .kind = CH_resource_kind_template,
               .resource = ch_text_of(names[piece]), .has_account = to != ALL,
               .account = {.id = to == ALL ? 0 : m->id[to]});
}

static int unfeed(struct world *w, const struct sets *m, int from, int to, int piece)
{
    return RUN(w, OPERATOR, content_unfeed, m->id[from], .kind = CH_resource_kind_template,
               .resource = ch_text_of(names[piece]), .has_account = to != ALL,
               .account = {.id = to == ALL ? 0 : m->id[to]});
}

static void change(struct world *w, struct sets *m, uint64_t chance)
{
    const int from = (int)(chance % TREE);
    const int to = (int)((chance >> 8) % (TREE + 1));
    const int piece = (int)((chance >> 16) % PIECES);
    const bool child = to != ALL && m->parent[to] == from;
    const bool is_master = from != 2; /* low stands as deep as accounts may */
    bool *fed = &m->feeds[from][to][piece];
    switch (chance >> 40 & 3) {
    case 0:
    case 1:
        if (to != ALL && !child) {
            assert_int_equal(feed(w, m, from, to, piece), CH_REJ_not_a_sub_account);
        } else if (to == ALL && !is_master) {
            assert_int_equal(feed(w, m, from, to, piece), CH_REJ_not_a_master);
        } else if (to != ALL && !m->takes[to]) {
            assert_int_equal(feed(w, m, from, to, piece), CH_REJ_feed_off);
        } else {
            assert_int_equal(feed(w, m, from, to, piece), CH_REJ_none);
            assert_int_equal(w->count, !*fed);
            *fed = true;
        }
        return;
    case 2:
        if (to != ALL && !child) return;
        assert_int_equal(unfeed(w, m, from, to, piece), *fed ? CH_REJ_none : CH_REJ_not_fed);
        *fed = false;
        return;
    default:
        if (m->parent[from] < 0) return;
        m->takes[from] = !m->takes[from];
        assert_int_equal(RUN(w, OPERATOR, account_set_switches, m->id[m->parent[from]],
                             .account = {.id = m->id[from]}, .has_feed_from_master = true,
                             .feed_from_master = m->takes[from]),
                         CH_REJ_none);
    }
}

static const void *ask(struct world *w, int type, uint64_t on, void *args)
{
    struct ch_call call = {.type = type, .has_on = true, .on = {.id = on}, .args = args};
    const struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_operator}};
    struct ch_query_answer answer;
    ch_query(&w->state, &moment, &call, &w->arena, &answer);
    assert_non_null(answer.result);
    return answer.result;
}

static void compare(struct world *w, const struct sets *m, int to)
{
    struct ch_qry_content_list list = {.has_kind = false};
    const struct ch_qry_content_list_result *all = ask(w, CH_QRY_content_list, m->id[to], &list);
    uint32_t count = 0;
    for (int piece = 0; piece < PIECES; piece++) {
        struct ch_qry_content_check one = {.kind = CH_resource_kind_template,
                                           .resource = ch_text_of(names[piece])};
        const struct ch_qry_content_check_result *result =
            ask(w, CH_QRY_content_check, m->id[to], &one);
        assert_int_equal(result->fed, is_fed(m, to, piece));
        const int from = m->parent[to];
        if (result->fed && from >= 0) assert_int_equal(result->account.seq, m->id[from]);
        uint32_t listed = 0;
        for (uint32_t i = 0; i < all->content_len; i++) {
            listed += ch_text_is(all->content[i].resource, names[piece]);
        }
        assert_int_equal(listed, result->fed);
        count += listed;
    }
    assert_int_equal(count, all->content_len);
}

static void what_is_fed_is_what_is_marked_and_taken(void **test)
{
    struct world *w = *test;
    struct sets m = {.id = {w->top, w->mid, w->low, w->side}, .parent = {-1, 0, 1, 0}};
    const char *given = getenv("CH_TEST_SEED");
    uint64_t seed = given == NULL ? 1 : strtoull(given, NULL, 10);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int step = 0; step < 800; step++) {
        seed = ch_hash_mix(seed, (uint64_t)step);
        change(w, &m, seed);
        compare(w, &m, step % TREE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_is_fed_is_what_is_marked_and_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
