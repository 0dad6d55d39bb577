/* calendar: ends of days, weeks and months, counted from an anchor. SPDX-License-Identifier: MIT
 * Integers only, UTC, the proleptic Gregorian calendar, no leap seconds. An anchor is a moment; the
 * ends of its days are its time of day on every day, of its weeks that time on its weekday, of its
 * months that time on its day of the month, or on the month's last day where the month is
 * shorter. Ends lie before the anchor as well as behind it.
 * source: the conversion of days is Howard Hinnant's, howardhinnant.github.io/date_algorithms */
#ifndef CH_CORE_CALENDAR_H
#define CH_CORE_CALENDAR_H
#include "schema/kinds.h"

#define CH_DAY_NS UINT64_C(86400000000000)

struct ch_date {
    uint32_t year;
    uint32_t month; /* 1 to 12 */
    uint32_t day;   /* from 1 */
};

/* days: since 1970-01-01. */
struct ch_date ch_date_of(uint64_t days);
uint64_t ch_days_of(struct ch_date date); /* from 1970 on */

/* The first end behind `after`; 0: it lies beyond CH_MAX_TIME. */
uint64_t ch_calendar_next(uint64_t anchor, enum ch_frequency frequency, uint64_t after);
/* The last end not behind `at`; 0 where it lies before 1970. */
uint64_t ch_calendar_last(uint64_t anchor, enum ch_frequency frequency, uint64_t at);
#endif
