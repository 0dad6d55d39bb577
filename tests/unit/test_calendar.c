/* test_calendar: the ends of days, weeks and months, against a table of every day.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/calendar.h"

#include "schema/base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { LAST_YEAR = 2261, DAYS = 107000 };

/* Every day from 1970-01-01, made by counting, one after the other. */
static struct ch_date table[DAYS];
static uint32_t table_days;

static bool is_leap(uint32_t year)
{
    if (year % 400 == 0) return true;
    if (year % 100 == 0) return false;
    return year % 4 == 0;
}

static uint32_t length_of(uint32_t year, uint32_t month)
{
    if (month == 2) return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static int make_table(void **test)
{
    (void)test;
    struct ch_date date = {1970, 1, 1};
    table_days = 0;
    while (date.year <= LAST_YEAR) {
        assert_true(table_days < DAYS);
        table[table_days++] = date;
        if (date.day++ < length_of(date.year, date.month)) continue;
        date.day = 1;
        if (date.month++ < 12) continue;
        date.month = 1;
        date.year++;
    }
    return 0;
}

static void a_day_has_the_date_of_the_table(void **test)
{
    (void)test;
    for (uint32_t day = 0; day < table_days; day++) {
        const struct ch_date date = ch_date_of(day);
        assert_true(date.year == table[day].year && date.month == table[day].month &&
                    date.day == table[day].day);
        assert_true(ch_days_of(date) == day);
    }
}

/* Whether a day, a week or a month ends on this day of the table, said without arithmetic of
 * months: the day is the anchor's, or the month's last where the anchor's is later. */
static bool ends_on(uint32_t anchor, enum ch_frequency frequency, uint32_t day)
{
    if (frequency == CH_frequency_daily) return true;
    if (frequency == CH_frequency_weekly) return day % 7 == anchor % 7;
    const bool month_is_over = day + 1 == table_days || table[day + 1].day == 1;
    const uint32_t wanted = table[anchor].day;
    return table[day].day == wanted || (month_is_over && table[day].day < wanted);
}

static void check_anchor(uint32_t anchor_day, uint64_t time_of_day, enum ch_frequency frequency)
{
    const uint64_t anchor = anchor_day * CH_DAY_NS + time_of_day;
    uint64_t last = 0;
    bool known = false;
    for (uint32_t day = 0; day + 40 < table_days; day++) {
        if (!ends_on(anchor_day, frequency, day)) continue;
        const uint64_t end = day * CH_DAY_NS + time_of_day;
        /* on it, one before and one behind */
        assert_true(ch_calendar_last(anchor, frequency, end) == end);
        if (end > 0) {
            assert_true(ch_calendar_next(anchor, frequency, end - 1) == end);
            assert_true(ch_calendar_last(anchor, frequency, end - 1) == last);
        }
        if (known) assert_true(ch_calendar_next(anchor, frequency, last) == end);
        known = true;
        last = end;
    }
}

/* Anchors on each day of two years (a leap year and a common one) bring every day of a month, of a
 * week and every length of month; the whole table is walked for each. */
static void the_ends_are_those_of_the_table(void **test)
{
    (void)test;
    const uint64_t times[] = {0, 1, 6 * UINT64_C(3600000000000), CH_DAY_NS - 1};
    const uint32_t first = (uint32_t)ch_days_of((struct ch_date){2024, 1, 1});
    for (uint32_t i = 0; i < 31; i++) {
        check_anchor(first + i, times[i % 4], CH_frequency_monthly);
        check_anchor(i, times[(i + 1) % 4], CH_frequency_monthly);
    }
    for (uint32_t i = 0; i < 7; i++) {
        check_anchor(first + i, times[i % 4], CH_frequency_weekly);
        check_anchor(i, times[(i + 1) % 4], CH_frequency_weekly);
    }
    for (uint32_t i = 0; i < 4; i++) {
        check_anchor(first, times[i], CH_frequency_daily);
    }
}

static void the_thirty_first_is_anchored_to_the_months_end(void **test)
{
    (void)test;
    static const struct ch_date ends[] = {{2023, 12, 31}, {2024, 1, 31}, {2024, 2, 29},
                                          {2024, 3, 31},  {2024, 4, 30}, {2024, 5, 31}};
    const uint64_t anchor = ch_days_of((struct ch_date){2024, 1, 31}) * CH_DAY_NS;
    for (size_t i = 1; i < sizeof ends / sizeof ends[0]; i++) {
        const uint64_t from = ch_days_of(ends[i - 1]) * CH_DAY_NS;
        const uint64_t to = ch_days_of(ends[i]) * CH_DAY_NS;
        assert_true(ch_calendar_next(anchor, CH_frequency_monthly, from) == to);
    }
    const uint64_t common = ch_days_of((struct ch_date){2023, 2, 1}) * CH_DAY_NS;
    assert_true(ch_calendar_next(anchor, CH_frequency_monthly, common) ==
                ch_days_of((struct ch_date){2023, 2, 28}) * CH_DAY_NS);
}

static void beyond_the_last_time_there_is_no_end(void **test)
{
    (void)test;
    const uint64_t anchor = CH_DAY_NS - 1;
    for (int f = CH_frequency_daily; f <= CH_frequency_monthly; f++) {
        const enum ch_frequency frequency = (enum ch_frequency)f;
        assert_true(ch_calendar_next(anchor, frequency, CH_MAX_TIME) == 0);
        assert_true(ch_calendar_next(anchor, frequency, CH_MAX_TIME - 40 * CH_DAY_NS) != 0);
        assert_true(ch_calendar_last(anchor, frequency, 0) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_has_the_date_of_the_table),
        cmocka_unit_test(the_ends_are_those_of_the_table),
        cmocka_unit_test(the_thirty_first_is_anchored_to_the_months_end),
        cmocka_unit_test(beyond_the_last_time_there_is_no_end),
    };
    return cmocka_run_group_tests(tests, make_table, NULL);
}
