/* loop: the one thread that waits, and calls who is ready. SPDX-License-Identifier: MIT
 * A thin cover of libevent: readable descriptors, timers at a moment, signals. It runs in turns:
 * wait, call everything that is ready, then call the turn's hook once. What callbacks gathered, the
 * hook handles as one batch. Threads: everything here is called by the loop's own thread; callbacks
 * run on it. A callback may make, set and destroy watches and timers, also its own. */
#ifndef CH_HOST_LOOP_H
#define CH_HOST_LOOP_H
#include "schema/base/err.h"
#include <stdint.h>

struct ch_loop;       /* opaque */
struct ch_loop_watch; /* opaque: a descriptor or a signal */
struct ch_loop_timer; /* opaque */
struct event_base;

typedef void ch_loop_fn(void *arg);

/* ret:    owned by the caller, destroy with ch_loop_destroy after its watches and timers
 * errors: CH_ERR_NO_MEMORY, CH_ERR_CONFIG (libevent finds no way to wait) */
CH_MUST_USE enum ch_err ch_loop_create(struct ch_loop **ret, struct ch_why *why);
void ch_loop_destroy(struct ch_loop *loop); /* NULL is a no-op */

/* Calls `fn` in every turn in which `fd` is readable (it is not read by the loop).
 * fd:     borrowed, stays open until the watch is destroyed
 * ret:    owned by the caller
 * errors: CH_ERR_NO_MEMORY, CH_ERR_FILE_IO (the descriptor cannot be waited for) */
CH_MUST_USE enum ch_err ch_loop_watch_fd(struct ch_loop *loop, int fd, ch_loop_fn *fn, void *arg,
                                         struct ch_loop_watch **ret, struct ch_why *why);

/* Calls `fn` in a turn after the process received the signal; several may count as one.
 * errors: CH_ERR_NO_MEMORY, CH_ERR_FILE_IO (not a signal that can be caught) */
CH_MUST_USE enum ch_err ch_loop_watch_signal(struct ch_loop *loop, int signal_number,
                                             ch_loop_fn *fn, void *arg, struct ch_loop_watch **ret,
                                             struct ch_why *why);
void ch_loop_watch_destroy(struct ch_loop_watch *watch); /* NULL is a no-op */

/* Makes a timer that is not set. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_loop_timer_create(struct ch_loop *loop, ch_loop_fn *fn, void *arg,
                                             struct ch_loop_timer **ret, struct ch_why *why);

/* Calls the timer's `fn` once, never before `at_ns` (ch_clock_monotonic_ns); a moment already past
 * is the next turn. Takes the place of what was set before. errors: CH_ERR_NO_MEMORY (the timer is
 * then not set) */
CH_MUST_USE enum ch_err ch_loop_timer_set(struct ch_loop_timer *timer, uint64_t at_ns,
                                          struct ch_why *why);
void ch_loop_timer_clear(struct ch_loop_timer *timer);
void ch_loop_timer_destroy(struct ch_loop_timer *timer); /* NULL is a no-op */

/* Calls `fn` at the end of each turn, after all callbacks of the turn; NULL: nothing. */
void ch_loop_set_turn_hook(struct ch_loop *loop, ch_loop_fn *fn, void *arg);

/* Runs turns until ch_loop_stop, or until nothing is watched and no timer is set.
 * errors: CH_ERR_FILE_IO (waiting failed) */
CH_MUST_USE enum ch_err ch_loop_run(struct ch_loop *loop, struct ch_why *why);

/* Ends the run after this turn, hook included. Before a run it makes that run end at once. */
void ch_loop_stop(struct ch_loop *loop);

/* How long the loop did not listen at most, since the reset: from the first callback of a turn to
 * the end of its hook; nanoseconds. `turns` counts all turns. */
uint64_t ch_loop_longest_turn_ns(const struct ch_loop *loop);
uint64_t ch_loop_turns(const struct ch_loop *loop);
void ch_loop_longest_turn_reset(struct ch_loop *loop);

/* libevent's own handle, borrowed, for its HTTP server. Callbacks set there directly must call
 * ch_loop_turn_began first, or the time they take is not counted. */
struct event_base *ch_loop_base(struct ch_loop *loop);
void ch_loop_turn_began(struct ch_loop *loop);
#endif
