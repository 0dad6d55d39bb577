/* test_clock: the machine's and the manual clock. SPDX-License-Identifier: MIT */
#include "daemon/host/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_manual_clock_stands_until_it_is_moved(void **state)
{
    (void)state;
    struct ch_clock clock = ch_clock_manual(1577836800000000000u);
    assert_int_equal(ch_clock_now_ns(&clock), 1577836800000000000u);
    assert_int_equal(ch_clock_now_ns(&clock), 1577836800000000000u);
    assert_true(ch_clock_set(&clock, 1577836800000000001u));
    assert_int_equal(ch_clock_now_ns(&clock), 1577836800000000001u);
}

static void a_manual_clock_never_goes_back(void **state)
{
    (void)state;
    struct ch_clock clock = ch_clock_manual(100);
    assert_false(ch_clock_set(&clock, 99));
    assert_int_equal(ch_clock_now_ns(&clock), 100);
    assert_true(ch_clock_set(&clock, 100));
}

static void the_machines_clock_cannot_be_moved(void **state)
{
    (void)state;
    struct ch_clock clock = ch_clock_real();
    assert_false(ch_clock_set(&clock, UINT64_MAX));
    assert_true(ch_clock_now_ns(&clock) < UINT64_MAX);
}

static void a_zeroed_clock_is_the_machines(void **state)
{
    (void)state;
    struct ch_clock clock = {0};
    struct ch_clock real = ch_clock_real();
    assert_int_equal(clock.is_manual, real.is_manual);
    assert_true(ch_clock_now_ns(&clock) > 1577836800000000000u); /* later than 2020 */
}

static void the_monotonic_clock_does_not_step_back(void **state)
{
    (void)state;
    uint64_t last_ns = ch_clock_monotonic_ns();
    for (int i = 0; i < 10000; i++) {
        uint64_t now_ns = ch_clock_monotonic_ns();
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manual_clock_stands_until_it_is_moved),
        cmocka_unit_test(a_manual_clock_never_goes_back),
        cmocka_unit_test(the_machines_clock_cannot_be_moved),
        cmocka_unit_test(a_zeroed_clock_is_the_machines),
        cmocka_unit_test(the_monotonic_clock_does_not_step_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
