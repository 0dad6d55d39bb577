/* check: assertions. SPDX-License-Identifier: MIT
 * A failed check is a bug in charterd, never bad input; the process stops. The one exception is a
 * log that is replayed: its records have the right form, but what they say of each other only
 * applying them shows. CH_CHECK is on in every build; CH_CHECK_SLOW (whole tables, round trips)
 * only where CH_SLOW_CHECKS is set: dev, asan, fuzz. */
#ifndef CH_BASE_CHECK_H
#define CH_BASE_CHECK_H
#include <stdint.h>

/* Prints file, line and condition to standard error; aborts. */
_Noreturn void ch_check_failed(const char *file, int line, const char *condition);

/* A log that is replayed. A check that fails meanwhile says that the log was damaged or changed,
 * not that charterd has a bug. */
struct ch_check_replay {
    const char *dir; /* the data directory */
    uint64_t seq;    /* the event that is applied, kept up by whoever replays */
    int exit_status; /* how the process ends then; nothing that was not committed is written */
};
/* Until the next call, on this thread; borrowed. NULL: nothing is replayed. */
void ch_check_replaying(const struct ch_check_replay *replay);

#define CH_CHECK(condition)                                                                        \
    ((condition) ? (void)0 : ch_check_failed(__FILE__, __LINE__, #condition))

#ifdef CH_SLOW_CHECKS
#define CH_CHECK_SLOW(condition) CH_CHECK(condition)
#else
#define CH_CHECK_SLOW(condition) ((void)sizeof(condition))
#endif
#endif
