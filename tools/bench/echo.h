/* echo: answers every request with itself: nng alone. SPDX-License-Identifier: MIT
 * Runs in a child process of the bench; see serve.h. */
#ifndef CH_BENCH_ECHO_H
#define CH_BENCH_ECHO_H
#include <stdbool.h>
#include <stdint.h>
#include "schema/base/err.h"

/* Serves until SIGTERM.
 * in_loop: requests go through the eventfd to the libevent loop; else nng's callback answers
 * errors:  those of ch_rep_open */
CH_MUST_USE enum ch_err ch_echo_serve(const char *url, uint32_t contexts, bool in_loop,
                                      struct ch_why *why);
#endif
