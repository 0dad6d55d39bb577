/* test_reputation: rates in whole parts per million, and the days they are made of.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/reputation.h"
#include "tests/unit/core_world.h"

static void a_rate_is_rounded_down_and_never_above_a_million(void **state)
{
    (void)state;
    assert_int_equal(ch_ppm(0, 0), 0);
    assert_int_equal(ch_ppm(1, 0), 1000000);
    assert_int_equal(ch_ppm(1, 1), 1000000);
    assert_int_equal(ch_ppm(2, 1), 1000000);
    assert_int_equal(ch_ppm(1, 2), 500000);
    assert_int_equal(ch_ppm(1, 3), 333333);
    assert_int_equal(ch_ppm(2, 3), 666666);
    assert_int_equal(ch_ppm(1, 1000000), 1);
    assert_int_equal(ch_ppm(1, 1000001), 0);
    assert_int_equal(ch_ppm(1999999, 2000000), 999999);
    /* a product with a million would not fit into 64 bits */
    assert_int_equal(ch_ppm(CH_MAX_INTEGER - 1, CH_MAX_INTEGER), 999999);
    assert_int_equal(ch_ppm(CH_MAX_INTEGER / 2, CH_MAX_INTEGER), 499999);
}

static void a_rate_counts_from_the_volume_on_and_passes_above_the_threshold(void **state)
{
    (void)state;
    struct ch_thresholds t = {.ppm = {100000, 1000}, .volume = 10};
    uint64_t count[CH_COUNTS] = {[CH_COUNT_SENT] = 9, [CH_COUNT_BOUNCED] = 9};
    assert_false(ch_rate_of(count, &t, CH_measure_bounces).counts);
    assert_false(ch_rate_of(count, &t, CH_measure_bounces).passed);
    count[CH_COUNT_SENT] = 10;
    count[CH_COUNT_BOUNCED] = 1;
    assert_true(ch_rate_of(count, &t, CH_measure_bounces).counts);
    assert_false(ch_rate_of(count, &t, CH_measure_bounces).passed);
    count[CH_COUNT_BOUNCED] = 2;
    assert_true(ch_rate_of(count, &t, CH_measure_bounces).passed);
    /* nothing was delivered, so complaints are no rate yet */
    count[CH_COUNT_COMPLAINED] = 1;
    t.volume = 0;
    assert_false(ch_rate_of(count, &t, CH_measure_complaints).passed);
    count[CH_COUNT_DELIVERED] = 1;
    assert_true(ch_rate_of(count, &t, CH_measure_complaints).passed);
    t.ppm[CH_measure_complaints] = 0;
    assert_false(ch_rate_of(count, &t, CH_measure_complaints).passed);
}

static int add(struct world *w, uint64_t on, uint64_t sent, uint64_t bounced)
{
    return RUN(w, OPERATOR, stats_add, on, .stream = CH_mail_stream_marketing, .has_sent = true,
               .sent = sent, .has_bounced = true, .bounced = bounced);
}

static uint32_t stream_at(const struct world *w, uint64_t account)
{
    return ch_find_stream(&w->state, ch_find_account(&w->state, account), 0,
                          CH_mail_stream_marketing);
}

/* What is defined at the start of a log. */
static void define(struct world *w, const char *limit, uint64_t value)
{
    const struct ch_ev_limit_defined body = {.token = ch_text_of(limit), .value = value};
    struct ch_event event = {.seq = ch_meta(&w->state)->head + 1,
                             .at = w->now,
                             .tag = CH_EV_limit_defined,
                             .body = &body};
    take_event(w, &event);
}

static void days_are_kept_singly_for_so_long_and_stay_in_the_total(void **state)
{
    struct world *w = *state;
    define(w, "SERIES_DAYS", 3);
    define(w, "RATE_DAYS", 2);
    for (uint64_t day = 0; day < 10; day++) {
        assert_int_equal(add(w, w->low, 10, day), CH_REJ_none);
        const struct ch_row_stream *row = ch_stream_row(&w->state, stream_at(w, w->low));
        assert_int_equal(row->total[CH_COUNT_SENT], 10 * (day + 1));
        assert_int_equal(row->day_count, day < 2 ? day + 1 : 3);
        uint64_t count[CH_COUNTS];
        const uint32_t today = ch_day_of(w->now);
        ch_counted_from(&w->state, stream_at(w, w->low), ch_rate_from(&w->state, today), count);
        assert_int_equal(count[CH_COUNT_SENT], day == 0 ? 10 : 20);
        assert_int_equal(count[CH_COUNT_BOUNCED], day == 0 ? 0 : 2 * day - 1);
        w->now += CH_DAY_NS;
    }
    /* after a long time without mail the old days go two at a time */
    w->now += 400 * CH_DAY_NS;
    assert_int_equal(add(w, w->low, 1, 0), CH_REJ_none);
    assert_int_equal(ch_stream_row(&w->state, stream_at(w, w->low))->day_count, 2);
    assert_int_equal(add(w, w->low, 1, 0), CH_REJ_none);
    assert_int_equal(ch_stream_row(&w->state, stream_at(w, w->low))->day_count, 1);
    assert_int_equal(ch_stream_row(&w->state, stream_at(w, w->low))->total[CH_COUNT_SENT], 102);
}

static void a_total_never_passes_what_the_wire_can_hold(void **state)
{
    struct world *w = *state;
    assert_int_equal(add(w, w->low, CH_MAX_INTEGER - 1, 0), CH_REJ_none);
    assert_int_equal(add(w, w->low, 2, 0), CH_REJ_counter_overflow);
    assert_int_equal(add(w, w->low, 1, 0), CH_REJ_none);
    assert_int_equal(add(w, w->low, 1, 0), CH_REJ_counter_overflow);
    assert_int_equal(add(w, w->low, 0, 1), CH_REJ_none);
    assert_int_equal(add(w, w->mid, 1, 0), CH_REJ_none);
}

static void setting_thresholds_judges_every_stream_of_the_account_and_no_other(void **state)
{
    struct world *w = *state;
    assert_int_equal(add(w, w->low, 1000, 40), CH_REJ_none);
    assert_int_equal(add(w, w->mid, 1000, 40), CH_REJ_none);
    assert_int_equal(w->count, 1);
    assert_int_equal(RUN(w, OPERATOR, reputation_set_thresholds, w->low, .has_bounce_ppm = true,
                         .bounce_ppm = 39999),
                     CH_REJ_none);
    assert_int_equal(w->count, 2);
    assert_true(ch_stream_row(&w->state, stream_at(w, w->low))->alert_seq[0] == w->made);
    assert_true(ch_stream_row(&w->state, stream_at(w, w->mid))->alert_seq[0] == 0);
    assert_int_equal(
        RUN(w, OPERATOR, reputation_set_thresholds, w->low, .has_volume = true, .volume = 1001),
        CH_REJ_none);
    assert_int_equal(w->count, 2);
    assert_true(ch_stream_row(&w->state, stream_at(w, w->low))->alert_seq[0] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_rounded_down_and_never_above_a_million),
        cmocka_unit_test(a_rate_counts_from_the_volume_on_and_passes_above_the_threshold),
        WORLD_TEST(days_are_kept_singly_for_so_long_and_stay_in_the_total),
        WORLD_TEST(a_total_never_passes_what_the_wire_can_hold),
        WORLD_TEST(setting_thresholds_judges_every_stream_of_the_account_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
