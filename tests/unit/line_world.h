/* line_world: the line on a log of its own, for tests of it. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_LINE_WORLD_H
#define CH_TESTS_LINE_WORLD_H
#include "daemon/commit.h"
#include "daemon/core/invariant.h"
#include "daemon/log/evlog.h"
#include "daemon/log/vault.h"
#include "daemon/opening.h"
#include "daemon/pipeline.h"
#include "daemon/replay/follower.h"
#include "schema/pack.h"
#include "tests/unit/log_scratch.h"

enum { MAP_BYTES = 2 << 20 };

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

static inline void open_log(struct world *world)
{
    const struct ch_evlog_options options = {.map_bytes = MAP_BYTES};
    GOOD(ch_evlog_open(world->scratch.dir, &options, &world->log, &why));
    GOOD(ch_vault_open(scratch_path(&world->scratch, "vault"), ch_evlog_end(world->log)->seq == 0,
                       &world->vault, &why));
}

static inline int set_up(void **state)
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
    uint64_t lacking = 0;
    GOOD(ch_opening_run(world->log, world->vault, &world->follower.state, &lacking, &why));
    assert_int_equal(lacking, 0);
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
static inline struct ch_log_end stop(struct world *world)
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

static inline int tear_down(void **state)
{
    struct world *world = *state;
    if (world->log != NULL) (void)stop(world);
    ch_arena_deinit(&world->arena);
    scratch_remove(&world->scratch);
    free(world);
    return 0;
}
#endif
