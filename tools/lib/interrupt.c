/* interrupt: see interrupt.h. SPDX-License-Identifier: MIT */
#include "tools/lib/interrupt.h"

#include <signal.h>
#include <stddef.h>

#include "tools/lib/partial.h"

/* A signal handler reaches nothing else. */
static volatile sig_atomic_t count;
static volatile sig_atomic_t most; /* so many are only counted */

static void on_signal(int number)
{
    if (count < most) {
        count++;
        return;
    }
    partial_abandon();
    (void)signal(number, SIG_DFL);
    (void)raise(number); /* when this returns: whoever waits is told by which signal it ended */
}

static void watch(int only_counted)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    most = only_counted;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaddset(&action.sa_mask, SIGINT);
    (void)sigaddset(&action.sa_mask, SIGTERM);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

void interrupt_watch(void)
{
    watch(1);
}

void interrupt_watch_twice(void)
{
    watch(2);
}

bool interrupted(void)
{
    return count > 0;
}

bool interrupted_twice(void)
{
    return count > 1;
}
