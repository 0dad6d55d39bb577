/* test_commit: the line without requests from outside, on a log that fills up.
 * SPDX-License-Identifier: MIT */
#include "daemon/commit.h"
#include "daemon/core/invariant.h"
#include "daemon/log/evlog.h"
#include "daemon/log/vault.h"
#include "daemon/opening.h"
#include "daemon/pipeline.h"
#include "daemon/replay/follower.h"
#include "tests/unit/log_scratch.h"
#include "schema/pack.h"

enum { MAP_BYTES = 2 << 20, BATCH = 64 };

struct world {
    struct scratch scratch;
    struct ch_arena arena;
    struct ch_config config;
    struct ch_clock clock;
    struct ch_entropy entropy;
    struct ch_loop *loop;
    struct ch_evlog *log;
    struct ch_vault *vault;
    struct ch_directory directory;
    struct ch_follower follower;
    struct ch_ingress *ingress;
    struct ch_pipeline line;
    char url[PATH_MAX];
    uint64_t made;
};

#define GOOD(call)                                                                                 \
    do {                                                                                           \
        struct ch_why why = {0};                                                                   \
        if ((call) != CH_OK) fail_msg("%s", why.text);                                             \
    } while (0)

static void open_log(struct world *world)
{
    const struct ch_evlog_options options = {.map_bytes = MAP_BYTES};
    GOOD(ch_evlog_open(world->scratch.dir, &options, &world->log, &why));
    GOOD(ch_vault_open(scratch_path(&world->scratch, "vault"), ch_evlog_end(world->log)->seq == 0,
                       &world->vault, &why));
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    *state = world;
    scratch_make(&world->scratch);
    (void)snprintf(world->url, sizeof world->url, "ipc://%s/ipc", world->scratch.dir);
    char words[3][12] = {"charterd", "--data", "--listen"};
    char *argv[] = {words[0], words[1], world->scratch.dir, words[2], world->url, NULL};
    GOOD(ch_config_read(5, argv, &world->arena, &world->config, &why));
    open_log(world);
    GOOD(ch_directory_init(&world->directory, world->vault, &why));
    GOOD(ch_follower_open(&world->follower, world->log, &world->directory, &why));
    GOOD(ch_opening_run(world->log, world->vault, &world->follower.state, &why));
    assert_true(ch_store_journal(&world->follower.state.store, true));
    GOOD(ch_entropy_init(&world->entropy, NULL, &why));
    GOOD(ch_loop_create(&world->loop, &why));
    const struct ch_ingress_options ingress = {
        .urls = world->config.listen.items, .url_count = 1, .slots = 8};
    GOOD(ch_ingress_open(&ingress, &world->ingress, &why));
    world->clock = ch_clock_real();
    world->line = (struct ch_pipeline){.config = &world->config,
                                       .loop = world->loop,
                                       .clock = &world->clock,
                                       .entropy = &world->entropy,
                                       .log = world->log,
                                       .reader = world->follower.reader,
                                       .directory = &world->directory,
                                       .ingress = world->ingress,
                                       .state = &world->follower.state,
                                       .own_uid = (uint32_t)getuid()};
    GOOD(ch_pipeline_start(&world->line, &why));
    return 0;
}

/* Ends the line as main does; what is durable then. */
static struct ch_log_end stop(struct world *world)
{
    ch_pipeline_stop(&world->line);
    ch_ingress_close(world->ingress);
    ch_loop_destroy(world->loop);
    ch_follower_close(&world->follower);
    ch_directory_deinit(&world->directory);
    const struct ch_log_end end = *ch_evlog_end(world->log);
    ch_evlog_close(world->log);
    ch_vault_close(world->vault);
    ch_entropy_deinit(&world->entropy);
    world->log = NULL;
    return end;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (world->log != NULL) (void)stop(world);
    ch_arena_deinit(&world->arena);
    scratch_remove(&world->scratch);
    free(world);
    return 0;
}

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
