/* test_commit: the line without requests from outside, on a log that fills up.
 * SPDX-License-Identifier: MIT */
#include "tests/unit/line_world.h"

enum { BATCH = 64 };

/* One command, decided and applied; nobody waits for its reply. */
static void open_account(struct world *world)
{
    struct ch_buf bytes = {0};
    struct ch_buf reply = {0};
    struct ch_arena arena = {0};
    struct ch_request request;
    struct ch_ran ran = {0};
    uint8_t id[16] = {0};
    char name[32];
    struct ch_moment moment = {.now = ch_line_now(&world->line), .channel = CH_channel_operator};
    moment.actor.kind = CH_actor_kind_operator;
    ch_put_le64(id, ++world->made);
    memcpy(moment.id, id, sizeof id);
    (void)snprintf(name, sizeof name, "root-%llu", (unsigned long long)world->made);
    ch_pack_map(&bytes, 4);
    ch_pack_chars(&bytes, "id");
    ch_pack_bytes(&bytes, (struct ch_bytes){id, sizeof id});
    ch_pack_chars(&bytes, "v");
    ch_pack_uint(&bytes, 1);
    ch_pack_chars(&bytes, "auth");
    ch_pack_array(&bytes, 1);
    ch_pack_chars(&bytes, "peer");
    ch_pack_chars(&bytes, "calls");
    ch_pack_array(&bytes, 1);
    ch_pack_map(&bytes, 2);
    ch_pack_chars(&bytes, "type");
    ch_pack_chars(&bytes, "account.open_master");
    ch_pack_chars(&bytes, "args");
    ch_pack_map(&bytes, 1);
    ch_pack_chars(&bytes, "name");
    ch_pack_chars(&bytes, name);
    GOOD(ch_request_decode(ch_buf_view(&bytes), &arena, &request, &why));
    const struct ch_ground ground = ch_line_ground(&world->line);
    ch_message_run(&ground, &request, &moment, &arena, &reply, &ran);
    assert_true(ran.changed);
    ch_buf_deinit(&bytes);
    ch_buf_deinit(&reply);
    ch_arena_deinit(&arena);
}

static uint64_t head_of(const struct world *world)
{
    return ch_meta(&world->follower.state)->head;
}

static void await_batch(struct world *world)
{
    while (!ch_commit_collect(&world->line)) {
        (void)usleep(100);
    }
}

/* Until a batch finds no room; the size of the log then. */
static uint64_t fill(struct world *world)
{
    for (;;) {
        const uint64_t before = world->line.durable;
        for (size_t i = 0; i < BATCH; i++) {
            open_account(world);
        }
        ch_commit_submit(&world->line);
        open_account(world); /* is decided meanwhile, and must go with it */
        const uint64_t decided = head_of(world);
        await_batch(world);
        assert_int_equal(world->line.stop_err, CH_OK);
        if (world->line.durable == before) return before;
        assert_true(head_of(world) == decided && world->line.durable < decided);
    }
}

static void a_batch_without_room_is_taken_back_with_the_one_after_it(void **state)
{
    struct world *world = *state;
    const uint64_t full = fill(world);
    assert_int_equal(head_of(world), full);
    assert_int_equal(world->line.open->count, 0);
    assert_null(ch_invariant_broken(&world->follower.state));
    open_account(world); /* and what comes then goes on from there */
    ch_commit_submit(&world->line);
    await_batch(world);
    assert_int_equal(head_of(world), world->line.durable);
}

static void a_stop_without_room_ends_with_what_is_durable(void **state)
{
    struct world *world = *state;
    const uint64_t full = fill(world);
    for (size_t i = 0; i < BATCH; i++) {
        open_account(world);
    }
    ch_commit_submit(&world->line);
    open_account(world);
    assert_int_equal(stop(world).seq, full);
    assert_int_equal(world->line.stop_err, CH_OK);
    open_log(world);
    assert_int_equal(ch_evlog_end(world->log)->seq, full);
    ch_evlog_close(world->log);
    ch_vault_close(world->vault);
    world->log = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_without_room_is_taken_back_with_the_one_after_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_without_room_ends_with_what_is_durable, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
