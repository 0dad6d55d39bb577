/* test_peers: the table of connections against an array. SPDX-License-Identifier: MIT */
#include "daemon/edge/peers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PEERS = 37, IDS = 200, STEPS = 200000 };

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static void a_random_history_matches_an_array(void **state)
{
    (void)state;
    const char *given = getenv("CH_TEST_SEED");
    uint64_t random = given != NULL ? strtoull(given, NULL, 10) : 20260701u;
    print_message("seed %llu\n", (unsigned long long)random);
    struct ch_peers peers;
    bool there[IDS + 1] = {0};
    uint32_t count = 0;
    assert_int_equal(ch_peers_init(&peers, PEERS, NULL), CH_OK);
    for (int step = 0; step < STEPS; step++) {
        /* few homes, so that runs of cells are long and wrap around */
        uint32_t at = (uint32_t)(next_random(&random) % IDS) + 1;
        uint32_t id = at % 5 + at / 5 * (peers.mask + 1) + peers.mask - 2;
        const struct ch_peer *found = ch_peers_find(&peers, id);
        assert_int_equal(found != NULL, there[at]);
        if (found != NULL) assert_int_equal(found->uid, at);
        if (there[at]) {
            ch_peers_remove(&peers, id);
            there[at] = false;
            count--;
        } else {
            bool added = ch_peers_add(&peers, (struct ch_peer){.pipe_id = id, .uid = at});
            assert_int_equal(added, count < PEERS);
            there[at] = added;
            count += added ? 1 : 0;
        }
        assert_int_equal(peers.count, count);
    }
    ch_peers_deinit(&peers);
}

static void removing_who_is_not_there_changes_nothing(void **state)
{
    (void)state;
    struct ch_peers peers;
    assert_int_equal(ch_peers_init(&peers, 1, NULL), CH_OK);
    assert_true(ch_peers_add(&peers, (struct ch_peer){.pipe_id = 7, .uid = 1}));
    ch_peers_remove(&peers, 8);
    assert_int_equal(peers.count, 1);
    assert_false(ch_peers_add(&peers, (struct ch_peer){.pipe_id = 8}));
    assert_null(ch_peers_find(&peers, 0));
    ch_peers_deinit(&peers);
    ch_peers_deinit(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_history_matches_an_array),
        cmocka_unit_test(removing_who_is_not_there_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
