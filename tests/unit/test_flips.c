/* test_flips: what commands would change, in cases that random histories seldom meet, and where
 * there is more than may be compared. SPDX-License-Identifier: MIT
 * That nothing is missing and nothing too much is shown by tests/model (model.whatif). */
#include "tests/unit/core_world.h"

#include "daemon/core/flips.h"

/* What is supposed: one command, by its sender. */
struct supposed {
    struct world *w;
    uint64_t sender;
    int type;
    uint64_t on;
    void *args;
    uint32_t times;
};

static bool run_it(void *arg)
{
    struct supposed *s = arg;
    s->times++;
    assert_int_equal(run(s->w, s->sender, s->type, s->on, s->args), CH_REJ_none);
    return true;
}

/* The flips of one command; the state is the one before. */
static void find(struct world *w, int type, uint64_t on, void *args, size_t most,
                 struct ch_flips *ret)
{
    static struct ch_arena arena;
    struct supposed s = {.w = w, .sender = OPERATOR, .type = type, .on = on, .args = args};
    const struct ch_flips_way way = {
        .now = w->now, .most = most, .arena = &arena, .run = run_it, .arg = &s};
    const uint64_t head = ch_meta(&w->state)->head;
    ch_arena_deinit(&arena);
    assert_true(ch_flips_find(&w->state, &way, ret));
    assert_int_equal(s.times, 2);
    assert_int_equal(ch_meta(&w->state)->head, head);
}

#define FLIPS(w, ident, on, most, ret, ...)                                                        \
    find((w), CH_CMD_##ident, (on), &(struct ch_cmd_##ident){__VA_ARGS__}, (most), (ret))

static const struct ch_flip *flip_of(const struct ch_flips *flips, uint64_t user, uint64_t account)
{
    for (size_t i = 0; i < flips->flip_count; i++) {
        if (flips->flip[i].user == user && flips->flip[i].account == account) {
            return &flips->flip[i];
        }
    }
    return NULL;
}

static void a_wider_reach_gives_below_and_a_narrower_takes_there(void **test)
{
    struct world *w = *test;
    struct ch_flips flips;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    FLIPS(w, share_set_role, w->top, 1000, &flips, USER(w->ann), ROLE("watcher"), SUBTREE);
    assert_int_equal(flips.flip_count, 3);
    assert_null(flip_of(&flips, w->ann, w->top));
    assert_true(ch_scopes_has(flip_of(&flips, w->ann, w->low)->gained, CH_SCOPE_reports_read));
    ch_flips_deinit(&flips);
    assert_int_equal(
        RUN(w, OPERATOR, share_set_role, w->top, USER(w->ann), ROLE("watcher"), SUBTREE),
        CH_REJ_none);
    FLIPS(w, share_set_role, w->top, 1000, &flips, USER(w->ann), ROLE("watcher"), .has_reach = true,
          .reach = CH_reach_account);
    assert_int_equal(flips.flip_count, 3);
    assert_true(ch_scopes_has(flip_of(&flips, w->ann, w->side)->lost, CH_SCOPE_reports_read));
    ch_flips_deinit(&flips);
}

static void a_member_by_a_share_above_is_touched_where_the_groups_share_is(void **test)
{
    struct world *w = *test;
    struct ch_flips flips;
    const uint64_t crew = add_group(w, w->top, 0, "crew");
    const uint64_t sub = add_group(w, w->top, crew, "sub");
    GIVE(w, w->top, USER(w->ann), .has_role = false); /* for its membership alone */
    join(w, w->top, w->ann, sub);
    GIVE(w, w->low, GROUP(crew), ROLE("watcher"));
    FLIPS(w, guardrail_set, w->mid, 1000, &flips, .scopes = SCOPE(reports_read));
    assert_non_null(flip_of(&flips, w->ann, w->low));
    assert_true(ch_scopes_equal(flip_of(&flips, w->ann, w->low)->lost, SCOPE(reports_read)));
    ch_flips_deinit(&flips);
    FLIPS(w, group_move, w->top, 1000, &flips, .group = {.id = sub});
    assert_int_equal(flips.flip_count, 1);
    assert_true(ch_scopes_has(flip_of(&flips, w->ann, w->low)->lost, CH_SCOPE_reports_read));
    ch_flips_deinit(&flips);
    FLIPS(w, share_deactivate, w->top, 1000, &flips, USER(w->ann));
    assert_true(ch_scopes_has(flip_of(&flips, w->ann, w->low)->lost, CH_SCOPE_reports_read));
    ch_flips_deinit(&flips);
}

static void an_end_moved_on_gives_again_what_had_run_out(void **test)
{
    struct world *w = *test;
    struct ch_flips flips;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"), .has_expires_at = true,
         .expires_at = w->now + 1000);
    FLIPS(w, share_set_expiry, w->top, 1000, &flips, USER(w->ann));
    assert_int_equal(flips.flip_count, 0);
    ch_flips_deinit(&flips);
    w->now += 1000; /* the clock's own event has not come yet */
    FLIPS(w, share_set_expiry, w->top, 1000, &flips, USER(w->ann));
    assert_int_equal(flips.flip_count, 1);
    assert_true(ch_scopes_has(flips.flip[0].gained, CH_SCOPE_reports_read));
    ch_flips_deinit(&flips);
}

static void a_resource_is_told_where_it_goes_another_way_than_all(void **test)
{
    struct world *w = *test;
    struct ch_flips flips;
    struct ch_text lists[2] = {TEXT("news"), TEXT("sale")};
    GIVE(w, w->top, USER(w->ann), ROLE("user"));
    FLIPS(w, share_limit, w->top, 1000, &flips, USER(w->ann), .kind = CH_resource_kind_list,
          .resources = lists, .resources_len = 2);
    assert_int_equal(flips.flip_count, 3);
    assert_int_equal(flips.flip[0].kind, 0);
    assert_true(ch_scopes_has(flips.flip[0].lost, CH_SCOPE_lists_read));
    assert_false(ch_scopes_has(flips.flip[0].lost, CH_SCOPE_reports_read));
    for (size_t i = 1; i < 3; i++) {
        assert_true(ch_text_equal(flips.flip[i].resource, lists[i - 1]));
        assert_int_equal(flips.flip[i].kind, CH_resource_kind_list);
        assert_true(ch_scopes_equal(flips.flip[i].same, flips.flip[0].lost));
        assert_true(ch_scopes_empty(flips.flip[i].lost));
    }
    ch_flips_deinit(&flips);
}

static void what_was_not_compared_is_counted(void **test)
{
    struct world *w = *test;
    struct ch_flips flips;
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"), SUBTREE);
    GIVE(w, w->mid, USER(w->bob), ROLE("watcher"), SUBTREE);
    FLIPS(w, guardrail_set, w->top, 1000, &flips, .scopes = SCOPE(reports_read));
    const size_t all = flips.flip_count; /* these two on mid and low, and the keys below top */
    assert_int_equal(all, 7);
    assert_int_equal(flips.uncompared, 0);
    ch_flips_deinit(&flips);
    for (size_t most = 1; most < 24; most++) {
        FLIPS(w, guardrail_set, w->top, most, &flips, .scopes = SCOPE(reports_read));
        assert_true(flips.flip_count <= most && flips.flip_count <= all);
        if (flips.flip_count < all) assert_true(flips.uncompared > 0);
        if (flips.uncompared == 0) assert_int_equal(flips.flip_count, all);
        ch_flips_deinit(&flips);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_wider_reach_gives_below_and_a_narrower_takes_there),
        WORLD_TEST(a_member_by_a_share_above_is_touched_where_the_groups_share_is),
        WORLD_TEST(an_end_moved_on_gives_again_what_had_run_out),
        WORLD_TEST(a_resource_is_told_where_it_goes_another_way_than_all),
        WORLD_TEST(what_was_not_compared_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
