/* thread: starts the threads beside the one that hears signals. SPDX-License-Identifier: MIT */
#ifndef CH_LOG_THREAD_H
#define CH_LOG_THREAD_H
#include "schema/base/err.h"

#include <pthread.h>

/* No signal is delivered to it, so none interrupts its work.
 * name:    as shown by the system; 15 bytes at most
 * returns: 0, or what pthread_create said; then *ret is not set */
CH_MUST_USE int ch_thread_start(pthread_t *ret, const char *name, void *(*run)(void *arg),
                                void *arg);
#endif
