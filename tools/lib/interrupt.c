/* interrupt: see interrupt.h. SPDX-License-Identifier: MIT */
#include "tools/lib/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t flag; /* a signal handler reaches nothing else */

static void on_signal(int number)
{
    (void)number;
    flag = 1;
}

void interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void)
{
    return flag != 0;
}
