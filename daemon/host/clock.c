/* clock: what time it is. SPDX-License-Identifier: MIT */
#include "daemon/host/clock.h"
#include "schema/base/check.h"
#include <stddef.h>
#include <time.h>

static const uint64_t ns_per_s = 1000000000u;

static uint64_t read_clock(clockid_t which)
{
    struct timespec now;
    CH_CHECK(clock_gettime(which, &now) == 0); /* fails only for a clock that does not exist */
    if (now.tv_sec < 0) return 0;
    return (uint64_t)now.tv_sec * ns_per_s + (uint64_t)now.tv_nsec;
}

struct ch_clock ch_clock_real(void)
{
    return (struct ch_clock){.is_manual = false};
}

struct ch_clock ch_clock_manual(uint64_t start_ns)
{
    return (struct ch_clock){.is_manual = true, .manual_ns = start_ns};
}

uint64_t ch_clock_now_ns(const struct ch_clock *clock)
{
    CH_CHECK(clock != NULL);
    return clock->is_manual ? clock->manual_ns : read_clock(CLOCK_REALTIME);
}

bool ch_clock_set(struct ch_clock *clock, uint64_t to_ns)
{
    CH_CHECK(clock != NULL);
    if (!clock->is_manual || to_ns < clock->manual_ns) return false;
    clock->manual_ns = to_ns;
    return true;
}

uint64_t ch_clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
