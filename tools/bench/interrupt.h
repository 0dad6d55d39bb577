/* interrupt: the wish of the person at the keyboard to stop. SPDX-License-Identifier: MIT
 * SIGINT, SIGTERM and SIGHUP set a flag; whoever measures looks at it and ends early, so that what
 * was measured is still printed, children are stopped and files removed. A second signal kills at
 * once (children die with us: see child.h). */
#ifndef CH_BENCH_INTERRUPT_H
#define CH_BENCH_INTERRUPT_H
#include <stdbool.h>
#include <stdint.h>

void ch_interrupt_install(void);
bool ch_interrupt_seen(void);

/* Monotonic clock; nanoseconds. */
uint64_t ch_interrupt_now_ns(void);

/* Sleeps until the moment of ch_interrupt_now_ns or a signal; false: a signal asked to stop. */
bool ch_interrupt_sleep_until(uint64_t moment_ns);
#endif
