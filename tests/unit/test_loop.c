/* test_loop: turns, timers, signals. SPDX-License-Identifier: MIT */
#include "daemon/host/loop.h"
#include "daemon/host/clock.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

enum { FDS = 3, NS_PER_MS = 1000000 };

struct world {
    struct ch_loop *loop;
    struct ch_loop_watch *watches[FDS];
    struct ch_loop_timer *timer;
    int fds[FDS];
    int ready;        /* callbacks */
    int hooks;        /* turns */
    int ready_before; /* callbacks before the first hook */
    int stop_after;   /* hooks */
    uint64_t due_ns;
    uint64_t fired_ns;
    int fired;
};

static int set_up(void **state)
{
    static struct world world;
    world = (struct world){.stop_after = 1};
    assert_int_equal(ch_loop_create(&world.loop, NULL), CH_OK);
    for (int i = 0; i < FDS; i++) {
        world.fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        assert_true(world.fds[i] >= 0);
    }
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < FDS; i++) {
        ch_loop_watch_destroy(world->watches[i]);
        close(world->fds[i]);
    }
    ch_loop_timer_destroy(world->timer);
    ch_loop_destroy(world->loop);
    return 0;
}

static void ring(int fd)
{
    const uint64_t one = 1;
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
}

static void on_ready(void *arg)
{
    struct world *world = arg;
    world->ready++;
}

static void on_turn(void *arg)
{
    struct world *world = arg;
    if (world->hooks++ == 0) world->ready_before = world->ready;
    if (world->hooks == world->stop_after) ch_loop_stop(world->loop);
}

static void on_time(void *arg)
{
    struct world *world = arg;
    world->fired++;
    world->fired_ns = ch_clock_monotonic_ns();
    ch_loop_stop(world->loop);
}

static void watch_all(struct world *world)
{
    for (int i = 0; i < FDS; i++) {
        assert_int_equal(
            ch_loop_watch_fd(world->loop, world->fds[i], on_ready, world, &world->watches[i], NULL),
            CH_OK);
    }
}

static void the_hook_runs_once_after_everything_that_was_ready(void **state)
{
    struct world *world = *state;
    watch_all(world);
    ch_loop_set_turn_hook(world->loop, on_turn, world);
    for (int i = 0; i < FDS; i++) {
        ring(world->fds[i]);
    }
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_int_equal(world->ready_before, FDS);
    assert_int_equal(world->hooks, 1);
    assert_int_equal(ch_loop_turns(world->loop), 1);
}

static void what_is_not_read_is_ready_again_in_the_next_turn(void **state)
{
    struct world *world = *state;
    watch_all(world);
    world->stop_after = 5;
    ch_loop_set_turn_hook(world->loop, on_turn, world);
    ring(world->fds[1]);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_int_equal(world->hooks, 5);
    assert_int_equal(world->ready, 5);
}

static void a_timer_fires_once_and_never_early(void **state)
{
    struct world *world = *state;
    assert_int_equal(ch_loop_timer_create(world->loop, on_time, world, &world->timer, NULL), CH_OK);
    for (uint64_t wait_ns = 1; wait_ns < 20 * NS_PER_MS; wait_ns *= 7) {
        int before = world->fired;
        world->due_ns = ch_clock_monotonic_ns() + wait_ns;
        assert_int_equal(ch_loop_timer_set(world->timer, world->due_ns, NULL), CH_OK);
        assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
        assert_int_equal(world->fired, before + 1);
        assert_true(world->fired_ns >= world->due_ns);
    }
}

static void a_timer_in_the_past_fires_in_the_next_turn(void **state)
{
    struct world *world = *state;
    assert_int_equal(ch_loop_timer_create(world->loop, on_time, world, &world->timer, NULL), CH_OK);
    assert_int_equal(ch_loop_timer_set(world->timer, 1, NULL), CH_OK);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_int_equal(world->fired, 1);
}

static void a_timer_set_again_or_cleared_forgets_the_first_moment(void **state)
{
    struct world *world = *state;
    assert_int_equal(ch_loop_timer_create(world->loop, on_time, world, &world->timer, NULL), CH_OK);
    assert_int_equal(ch_loop_timer_set(world->timer, 1, NULL), CH_OK);
    world->due_ns = ch_clock_monotonic_ns() + 2 * NS_PER_MS;
    assert_int_equal(ch_loop_timer_set(world->timer, world->due_ns, NULL), CH_OK);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_int_equal(world->fired, 1);
    assert_true(world->fired_ns >= world->due_ns);
    assert_int_equal(ch_loop_timer_set(world->timer, 1, NULL), CH_OK);
    ch_loop_timer_clear(world->timer);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK); /* nothing to wait for */
    assert_int_equal(world->fired, 1);
}

static void on_signal(void *arg)
{
    struct world *world = arg;
    world->fired++;
    ch_loop_stop(world->loop);
}

static void a_signal_is_delivered_on_the_loop(void **state)
{
    struct world *world = *state;
    assert_int_equal(
        ch_loop_watch_signal(world->loop, SIGUSR1, on_signal, world, &world->watches[0], NULL),
        CH_OK);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(world->fired, 0);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_int_equal(world->fired, 1);
}

static void stop_before_a_run_ends_it_at_once(void **state)
{
    struct world *world = *state;
    watch_all(world);
    ch_loop_stop(world->loop);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_int_equal(ch_loop_turns(world->loop), 0);
}

static void destroy_own_watch(void *arg)
{
    struct world *world = arg;
    world->ready++;
    ch_loop_watch_destroy(world->watches[0]);
    world->watches[0] = NULL;
}

static void destroy_own_timer(void *arg)
{
    struct world *world = arg;
    world->fired++;
    ch_loop_timer_destroy(world->timer);
    world->timer = NULL;
}

static void callbacks_may_destroy_what_called_them(void **state)
{
    struct world *world = *state;
    assert_int_equal(ch_loop_watch_fd(world->loop, world->fds[0], destroy_own_watch, world,
                                      &world->watches[0], NULL),
                     CH_OK);
    assert_int_equal(
        ch_loop_timer_create(world->loop, destroy_own_timer, world, &world->timer, NULL), CH_OK);
    assert_int_equal(ch_loop_timer_set(world->timer, 1, NULL), CH_OK);
    ring(world->fds[0]);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK); /* ends when nothing is left */
    assert_int_equal(world->ready, 1);
    assert_int_equal(world->fired, 1);
}

static void take_long(void *arg)
{
    struct world *world = arg;
    uint64_t until_ns = ch_clock_monotonic_ns() + NS_PER_MS;
    while (ch_clock_monotonic_ns() < until_ns) {
    }
    ch_loop_stop(world->loop);
}

static void the_longest_turn_is_kept_until_it_is_reset(void **state)
{
    struct world *world = *state;
    watch_all(world);
    assert_int_equal(ch_loop_longest_turn_ns(world->loop), 0);
    ch_loop_set_turn_hook(world->loop, take_long, world);
    ring(world->fds[0]);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    assert_true(ch_loop_longest_turn_ns(world->loop) >= NS_PER_MS);
    ch_loop_longest_turn_reset(world->loop);
    assert_int_equal(ch_loop_longest_turn_ns(world->loop), 0);
}

static void waiting_is_not_counted_as_a_turn(void **state)
{
    struct world *world = *state;
    assert_int_equal(ch_loop_timer_create(world->loop, on_time, world, &world->timer, NULL), CH_OK);
    uint64_t begin_ns = ch_clock_monotonic_ns();
    assert_int_equal(ch_loop_timer_set(world->timer, begin_ns + 5 * NS_PER_MS, NULL), CH_OK);
    assert_int_equal(ch_loop_run(world->loop, NULL), CH_OK);
    /* the wait is not in it: the turn is only what was left of the whole */
    uint64_t whole_ns = ch_clock_monotonic_ns() - begin_ns;
    assert_true(ch_loop_longest_turn_ns(world->loop) <= whole_ns - 5 * NS_PER_MS);
}

static void what_cannot_be_waited_for_is_refused(void **state)
{
    struct world *world = *state;
    struct ch_why why = {0};
    struct ch_loop_watch *none = NULL;
    assert_int_equal(ch_loop_watch_fd(world->loop, -1, on_ready, world, &none, &why),
                     CH_ERR_FILE_IO);
    assert_int_equal(ch_loop_watch_signal(world->loop, SIGKILL, on_ready, world, &none, &why),
                     CH_ERR_FILE_IO);
    assert_int_equal(ch_loop_watch_signal(world->loop, 1000, on_ready, world, &none, &why),
                     CH_ERR_FILE_IO);
    assert_null(none);
}

static void destroyers_take_null(void **state)
{
    (void)state;
    ch_loop_destroy(NULL);
    ch_loop_watch_destroy(NULL);
    ch_loop_timer_destroy(NULL);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(the_hook_runs_once_after_everything_that_was_ready),
        WITH_WORLD(what_is_not_read_is_ready_again_in_the_next_turn),
        WITH_WORLD(a_timer_fires_once_and_never_early),
        WITH_WORLD(a_timer_in_the_past_fires_in_the_next_turn),
        WITH_WORLD(a_timer_set_again_or_cleared_forgets_the_first_moment),
        WITH_WORLD(a_signal_is_delivered_on_the_loop),
        WITH_WORLD(stop_before_a_run_ends_it_at_once),
        WITH_WORLD(callbacks_may_destroy_what_called_them),
        WITH_WORLD(the_longest_turn_is_kept_until_it_is_reset),
        WITH_WORLD(waiting_is_not_counted_as_a_turn),
        WITH_WORLD(what_cannot_be_waited_for_is_refused),
        cmocka_unit_test(destroyers_take_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
