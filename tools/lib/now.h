/* now: how time goes by, for progress and rates; not the time of day. SPDX-License-Identifier: MIT
 */
#ifndef CH_TOOLS_LIB_NOW_H
#define CH_TOOLS_LIB_NOW_H
#include <stdint.h>
#include <time.h>

/* Nanoseconds of CLOCK_MONOTONIC, which every Linux has. */
static inline uint64_t now_ns(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
#endif
