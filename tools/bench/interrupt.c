/* interrupt: see interrupt.h. SPDX-License-Identifier: MIT */
#include "tools/bench/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

/* A signal handler has no other way to speak: the one mutable global of the bench. */
static volatile sig_atomic_t seen;

static void on_signal(int number)
{
    (void)number;
    seen = 1;
}

void ch_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
}

bool ch_interrupt_seen(void)
{
    return seen != 0;
}

uint64_t ch_interrupt_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

bool ch_interrupt_sleep_until(uint64_t moment_ns)
{
    /* In slices: the signal may be delivered to another thread and then does not wake this one. */
    const uint64_t slice_ns = 50000000;
    for (;;) {
        if (ch_interrupt_seen()) return false;
        uint64_t now_ns = ch_interrupt_now_ns();
        if (now_ns >= moment_ns) return true;
        uint64_t until_ns = moment_ns - now_ns < slice_ns ? moment_ns : now_ns + slice_ns;
        struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000U),
                                 .tv_nsec = (long)(until_ns % 1000000000U)};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
}
