/* calendar: see calendar.h. SPDX-License-Identifier: MIT */
#include "daemon/core/calendar.h"

#include "schema/base/check.h"

/* The formulas count from 0000-03-01, so that a leap day is the last of its year. */
enum { DAYS_TO_1970 = 719468, DAYS_OF_ERA = 146097, YEARS_OF_ERA = 400 };

struct ch_date ch_date_of(uint64_t days)
{
    const uint64_t z = days + DAYS_TO_1970;
    const uint64_t era = z / DAYS_OF_ERA;
    const uint64_t day_of_era = z % DAYS_OF_ERA;
    const uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const uint64_t from_march = (5 * day_of_year + 2) / 153;
    const uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    const uint64_t year = year_of_era + era * YEARS_OF_ERA + (month <= 2);
    return (struct ch_date){(uint32_t)year, (uint32_t)month,
                            (uint32_t)(day_of_year - (153 * from_march + 2) / 5 + 1)};
}

uint64_t ch_days_of(struct ch_date date)
{
    const uint64_t year = (uint64_t)date.year - (date.month <= 2);
    const uint64_t year_of_era = year % YEARS_OF_ERA;
    const uint64_t from_march = date.month > 2 ? date.month - 3 : date.month + 9;
    const uint64_t day_of_year = (153 * from_march + 2) / 5 + date.day - 1;
    const uint64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return year / YEARS_OF_ERA * DAYS_OF_ERA + day_of_era - DAYS_TO_1970;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return (uint32_t)days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* The month's end that belongs to the anchor's day. */
static uint64_t day_in_month(uint32_t anchor_day, uint32_t year, uint32_t month)
{
    const uint32_t most = days_of_month(year, month);
    return ch_days_of((struct ch_date){year, month, anchor_day < most ? anchor_day : most});
}

static uint64_t moment_of(uint64_t day, uint64_t time_of_day)
{
    if (day > CH_MAX_TIME / CH_DAY_NS) return 0;
    const uint64_t at = day * CH_DAY_NS + time_of_day; /* below 2^64 */
    return at > CH_MAX_TIME ? 0 : at;
}

/* The last day not behind `day` on which a day, a week or a month of the anchor ends. */
static uint64_t last_day(uint64_t anchor_day, enum ch_frequency frequency, uint64_t day)
{
    if (frequency == CH_frequency_daily) return day;
    if (frequency == CH_frequency_weekly) return day - (day + 7 - anchor_day % 7) % 7;
    const uint32_t anchored = ch_date_of(anchor_day).day;
    const struct ch_date date = ch_date_of(day);
    const uint64_t this_month = day_in_month(anchored, date.year, date.month);
    if (this_month <= day) return this_month;
    return day_in_month(anchored, date.year - (date.month == 1), (date.month + 10) % 12 + 1);
}

static uint64_t next_day(uint64_t anchor_day, enum ch_frequency frequency, uint64_t last)
{
    if (frequency == CH_frequency_daily) return last + 1;
    if (frequency == CH_frequency_weekly) return last + 7;
    const struct ch_date date = ch_date_of(last);
    return day_in_month(ch_date_of(anchor_day).day, date.year + date.month / 12,
                        date.month % 12 + 1);
}

/* Days are counted 400 years earlier here, so that none before an anchor of 1970 is negative: the
 * calendar repeats itself after an era, weekdays included. */
static uint64_t last_end(uint64_t anchor, enum ch_frequency frequency, uint64_t at)
{
    const uint64_t still_to_come = at % CH_DAY_NS < anchor % CH_DAY_NS;
    return last_day(anchor / CH_DAY_NS + DAYS_OF_ERA, frequency,
                    at / CH_DAY_NS + DAYS_OF_ERA - still_to_come);
}

uint64_t ch_calendar_next(uint64_t anchor, enum ch_frequency frequency, uint64_t after)
{
    const uint64_t day =
        next_day(anchor / CH_DAY_NS + DAYS_OF_ERA, frequency, last_end(anchor, frequency, after));
    const uint64_t at = moment_of(day - DAYS_OF_ERA, anchor % CH_DAY_NS);
    CH_CHECK(at == 0 || at > after);
    return at;
}

uint64_t ch_calendar_last(uint64_t anchor, enum ch_frequency frequency, uint64_t at)
{
    const uint64_t day = last_end(anchor, frequency, at);
    return day < DAYS_OF_ERA ? 0 : moment_of(day - DAYS_OF_ERA, anchor % CH_DAY_NS);
}
