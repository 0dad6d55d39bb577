/* thread: see thread.h. SPDX-License-Identifier: MIT */
#include "daemon/log/thread.h"

#include "schema/base/check.h"

#include <signal.h>

int ch_thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    CH_CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    const int code = pthread_create(ret, NULL, run, arg);
    CH_CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (code == 0) (void)pthread_setname_np(*ret, name);
    return code;
}
