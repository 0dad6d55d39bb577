/* loop: the one thread that waits, and calls who is ready. SPDX-License-Identifier: MIT */
#include "daemon/host/loop.h"
#include "daemon/host/clock.h"
#include "schema/base/check.h"
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    LOOP_MAGIC = 0x6c6f6f70,
    WATCH_MAGIC = 0x77617463,
    TIMER_MAGIC = 0x74696d65,
    NS_PER_US = 1000,
    US_PER_S = 1000000,
};

struct ch_loop {
    uint32_t magic;
    bool stopping;
    struct event_base *base;
    ch_loop_fn *hook;
    void *hook_arg;
    uint64_t turn_began_ns; /* 0: nothing was called in this turn yet */
    uint64_t longest_turn_ns;
    uint64_t turns;
};

struct ch_loop_watch {
    uint32_t magic;
    struct ch_loop *loop;
    struct event *event;
    ch_loop_fn *fn;
    void *arg;
};

struct ch_loop_timer {
    uint32_t magic;
    struct ch_loop *loop;
    struct event *event;
    ch_loop_fn *fn;
    void *arg;
    uint64_t at_ns;
};

enum ch_err ch_loop_create(struct ch_loop **ret, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    struct event_config *config = event_config_new();
    struct ch_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL || config == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "event loop");
        goto out;
    }
    loop->magic = LOOP_MAGIC;
    /* Timers count from now, not from the begin of the turn, and to the microsecond: a turn that
     * took long must not make the timers set in it fire early. */
    int flags =
        EVENT_BASE_FLAG_NO_CACHE_TIME | EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK;
    if (event_config_set_flag(config, flags) != 0) {
        err = ch_fail(why, CH_ERR_CONFIG, /* code= */ 0, "libevent refuses its options");
        goto out;
    }
    loop->base = event_base_new_with_config(config);
    if (loop->base == NULL) {
        err = ch_fail(why, CH_ERR_CONFIG, errno, "libevent finds no way to wait for descriptors");
        goto out;
    }
    *ret = loop;
    loop = NULL; /* given to the caller */
out:
    if (config != NULL) event_config_free(config);
    ch_loop_destroy(loop);
    return err;
}

void ch_loop_destroy(struct ch_loop *loop)
{
    if (loop == NULL) return;
    CH_CHECK(loop->magic == LOOP_MAGIC);
    if (loop->base != NULL) event_base_free(loop->base);
    loop->magic = 0;
    free(loop);
}

void ch_loop_turn_began(struct ch_loop *loop)
{
    CH_CHECK(loop->magic == LOOP_MAGIC);
    if (loop->turn_began_ns == 0) loop->turn_began_ns = ch_clock_monotonic_ns();
}

static void watch_ready(evutil_socket_t fd, short what, void *arg)
{
    struct ch_loop_watch *watch = arg;
    (void)fd;
    (void)what;
    CH_CHECK(watch->magic == WATCH_MAGIC);
    ch_loop_turn_began(watch->loop);
    watch->fn(watch->arg); /* may destroy the watch */
}

static enum ch_err watch_start(struct ch_loop *loop, int fd, short what, ch_loop_fn *fn, void *arg,
                               struct ch_loop_watch **ret, struct ch_why *why)
{
    CH_CHECK(loop->magic == LOOP_MAGIC);
    CH_CHECK(fn != NULL);
    enum ch_err err = CH_OK;
    struct ch_loop_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "loop watch");
        goto out;
    }
    *watch = (struct ch_loop_watch){.magic = WATCH_MAGIC, .loop = loop, .fn = fn, .arg = arg};
    watch->event = event_new(loop->base, fd, what, watch_ready, watch);
    if (watch->event == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "loop watch");
        goto out;
    }
    if (event_add(watch->event, NULL) != 0) {
        err = ch_fail(why, CH_ERR_FILE_IO, errno, "%s %d cannot be waited for: %s",
                      (what & EV_SIGNAL) != 0 ? "signal" : "descriptor", fd, strerror(errno));
        goto out;
    }
    *ret = watch;
    watch = NULL; /* given to the caller */
out:
    ch_loop_watch_destroy(watch);
    return err;
}

enum ch_err ch_loop_watch_fd(struct ch_loop *loop, int fd, ch_loop_fn *fn, void *arg,
                             struct ch_loop_watch **ret, struct ch_why *why)
{
    if (fd < 0) return ch_fail(why, CH_ERR_FILE_IO, EBADF, "descriptor %d is not open", fd);
    return watch_start(loop, fd, EV_READ | EV_PERSIST, fn, arg, ret, why);
}

enum ch_err ch_loop_watch_signal(struct ch_loop *loop, int signal_number, ch_loop_fn *fn, void *arg,
                                 struct ch_loop_watch **ret, struct ch_why *why)
{
    /* libevent asserts on numbers out of range */
    if (signal_number <= 0 || signal_number >= NSIG || signal_number == SIGKILL ||
        signal_number == SIGSTOP) {
        return ch_fail(why, CH_ERR_FILE_IO, EINVAL, "signal %d cannot be caught", signal_number);
    }
    return watch_start(loop, signal_number, EV_SIGNAL | EV_PERSIST, fn, arg, ret, why);
}

void ch_loop_watch_destroy(struct ch_loop_watch *watch)
{
    if (watch == NULL) return;
    CH_CHECK(watch->magic == WATCH_MAGIC);
    if (watch->event != NULL) event_free(watch->event);
    watch->magic = 0;
    free(watch);
}

static enum ch_err timer_add(struct ch_loop_timer *timer, uint64_t now_ns, struct ch_why *why)
{
    /* Rounded up, so that the wait is never too short. */
    uint64_t wait_us = timer->at_ns <= now_ns ? 0 : (timer->at_ns - now_ns - 1) / NS_PER_US + 1;
    struct timeval wait = {.tv_sec = (time_t)(wait_us / US_PER_S),
                           .tv_usec = (suseconds_t)(wait_us % US_PER_S)};
    if (event_add(timer->event, &wait) != 0) {
        return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "loop timer");
    }
    return CH_OK;
}

static void timer_due(evutil_socket_t fd, short what, void *arg)
{
    struct ch_loop_timer *timer = arg;
    (void)fd;
    (void)what;
    CH_CHECK(timer->magic == TIMER_MAGIC);
    ch_loop_turn_began(timer->loop);
    uint64_t now_ns = ch_clock_monotonic_ns();
    if (now_ns < timer->at_ns && timer_add(timer, now_ns, NULL) == CH_OK) return;
    timer->fn(timer->arg); /* may destroy the timer */
}

enum ch_err ch_loop_timer_create(struct ch_loop *loop, ch_loop_fn *fn, void *arg,
                                 struct ch_loop_timer **ret, struct ch_why *why)
{
    CH_CHECK(loop->magic == LOOP_MAGIC);
    CH_CHECK(fn != NULL);
    struct ch_loop_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "loop timer");
    *timer = (struct ch_loop_timer){.magic = TIMER_MAGIC, .loop = loop, .fn = fn, .arg = arg};
    timer->event = evtimer_new(loop->base, timer_due, timer);
    if (timer->event == NULL) {
        free(timer);
        return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "loop timer");
    }
    *ret = timer;
    return CH_OK;
}

enum ch_err ch_loop_timer_set(struct ch_loop_timer *timer, uint64_t at_ns, struct ch_why *why)
{
    CH_CHECK(timer->magic == TIMER_MAGIC);
    timer->at_ns = at_ns;
    return timer_add(timer, ch_clock_monotonic_ns(), why);
}

void ch_loop_timer_clear(struct ch_loop_timer *timer)
{
    CH_CHECK(timer->magic == TIMER_MAGIC);
    CH_CHECK(event_del(timer->event) == 0);
}

void ch_loop_timer_destroy(struct ch_loop_timer *timer)
{
    if (timer == NULL) return;
    CH_CHECK(timer->magic == TIMER_MAGIC);
    event_free(timer->event);
    timer->magic = 0;
    free(timer);
}

void ch_loop_set_turn_hook(struct ch_loop *loop, ch_loop_fn *fn, void *arg)
{
    CH_CHECK(loop->magic == LOOP_MAGIC);
    loop->hook = fn;
    loop->hook_arg = arg;
}

enum ch_err ch_loop_run(struct ch_loop *loop, struct ch_why *why)
{
    CH_CHECK(loop->magic == LOOP_MAGIC);
    while (!loop->stopping) {
        loop->turn_began_ns = 0;
        int rc = event_base_loop(loop->base, EVLOOP_ONCE);
        if (rc < 0) return ch_fail(why, CH_ERR_FILE_IO, errno, "the event loop failed to wait");
        if (rc > 0) break; /* nothing to wait for */
        ch_loop_turn_began(loop);
        if (loop->hook != NULL) loop->hook(loop->hook_arg);
        uint64_t took_ns = ch_clock_monotonic_ns() - loop->turn_began_ns;
        if (took_ns > loop->longest_turn_ns) loop->longest_turn_ns = took_ns;
        loop->turns++;
    }
    loop->stopping = false;
    return CH_OK;
}

void ch_loop_stop(struct ch_loop *loop)
{
    CH_CHECK(loop->magic == LOOP_MAGIC);
    loop->stopping = true;
}

uint64_t ch_loop_longest_turn_ns(const struct ch_loop *loop)
{
    return loop->longest_turn_ns;
}

uint64_t ch_loop_turns(const struct ch_loop *loop)
{
    return loop->turns;
}

void ch_loop_longest_turn_reset(struct ch_loop *loop)
{
    loop->longest_turn_ns = 0;
}

struct event_base *ch_loop_base(struct ch_loop *loop)
{
    return loop->base;
}
