/* check: assertions. SPDX-License-Identifier: MIT
 * A failed check is a bug in charterd, never bad input; the process stops. CH_CHECK is on in every
 * build; CH_CHECK_SLOW (whole tables, round trips) only where CH_SLOW_CHECKS is set: dev, asan,
 * fuzz. */
#ifndef CH_BASE_CHECK_H
#define CH_BASE_CHECK_H

/* Prints file, line and condition to standard error, then the panic note if one is set; aborts. */
_Noreturn void ch_check_failed(const char *file, int line, const char *condition);

/* What the process was doing, printed by a failed check; borrowed, may be NULL. One per thread. */
void ch_check_note(const char *note);

#define CH_CHECK(condition)                                                                        \
    ((condition) ? (void)0 : ch_check_failed(__FILE__, __LINE__, #condition))

#ifdef CH_SLOW_CHECKS
#define CH_CHECK_SLOW(condition) CH_CHECK(condition)
#else
#define CH_CHECK_SLOW(condition) ((void)sizeof(condition))
#endif
#endif
