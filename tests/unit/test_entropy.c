/* test_entropy: random bytes, and the stream that can be repeated. SPDX-License-Identifier: MIT */
#include "daemon/host/entropy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t seed_of_zeros[CH_ENTROPY_SEED_BYTES];

static void a_seeded_stream_is_chacha20_under_the_seed(void **state)
{
    (void)state;
    /* RFC 8439's first block of the all-zero key and nonce */
    static const uint8_t expected[16] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                         0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    struct ch_entropy entropy;
    uint8_t bytes[16];
    assert_int_equal(ch_entropy_init(&entropy, seed_of_zeros, NULL), CH_OK);
    ch_entropy_fill(&entropy, bytes, sizeof bytes);
    assert_memory_equal(bytes, expected, sizeof expected);
    ch_entropy_deinit(&entropy);
}

static void the_same_seed_gives_the_same_fills(void **state)
{
    (void)state;
    uint8_t a[3][33];
    uint8_t b[3][33];
    struct ch_entropy one;
    struct ch_entropy two;
    assert_int_equal(ch_entropy_init(&one, seed_of_zeros, NULL), CH_OK);
    assert_int_equal(ch_entropy_init(&two, seed_of_zeros, NULL), CH_OK);
    for (int i = 0; i < 3; i++) {
        ch_entropy_fill(&one, a[i], sizeof a[i]);
        ch_entropy_fill(&two, b[i], sizeof b[i]);
    }
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a[0], a[1], sizeof a[0]);
    assert_memory_not_equal(a[1], a[2], sizeof a[1]);
    ch_entropy_deinit(&one);
    ch_entropy_deinit(&two);
}

static void without_a_seed_two_fills_differ(void **state)
{
    (void)state;
    struct ch_entropy entropy;
    uint8_t a[32];
    uint8_t b[32];
    assert_int_equal(ch_entropy_init(&entropy, NULL, NULL), CH_OK);
    ch_entropy_fill(&entropy, a, sizeof a);
    ch_entropy_fill(&entropy, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    ch_entropy_deinit(&entropy);
}

static void an_empty_fill_uses_nothing_up(void **state)
{
    (void)state;
    struct ch_entropy entropy;
    assert_int_equal(ch_entropy_init(&entropy, seed_of_zeros, NULL), CH_OK);
    ch_entropy_fill(&entropy, NULL, 0);
    assert_int_equal(entropy.fills, 0);
    ch_entropy_deinit(&entropy);
    ch_entropy_deinit(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seeded_stream_is_chacha20_under_the_seed),
        cmocka_unit_test(the_same_seed_gives_the_same_fills),
        cmocka_unit_test(without_a_seed_two_fills_differ),
        cmocka_unit_test(an_empty_fill_uses_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
