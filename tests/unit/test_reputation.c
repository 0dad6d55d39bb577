/* test_reputation: rates in whole parts per million, and the days they are made of.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/reputation.h"
#include "tests/unit/core_world.h"

#include <stdlib.h>

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

/* ---- random histories against a list of everything that was ever counted ------------------- */

enum { COUNTED_MOST = 4000, STEPS = 1500, RATE_DAYS = 5 };

struct counted {
    uint64_t account;
    uint8_t stream;
    uint32_t day;
    uint64_t count[CH_COUNTS];
};

struct naive {
    struct counted counted[COUNTED_MOST];
    uint32_t known;
    bool alerts[3][2][CH_MEASURES]; /* by account, stream, measure */
    bool stops[3][2][2];            /* by account, stream, authority */
    uint64_t threshold[3];          /* of bounces */
};

static uint64_t next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    return ch_hash_mix(*seed, 0);
}

static uint64_t naive_ppm(const struct naive *n, const struct world *w, uint64_t account,
                          uint8_t stream, enum ch_measure measure, uint64_t *ret_whole)
{
    uint64_t part = 0, whole = 0;
    for (uint32_t i = 0; i < n->known; i++) {
        const struct counted *c = &n->counted[i];
        if (c->account != account || c->stream != stream) continue;
        if (c->day + RATE_DAYS <= ch_day_of(w->now)) continue;
        part += c->count[measure == CH_measure_bounces ? CH_COUNT_BOUNCED : CH_COUNT_COMPLAINED];
        whole += c->count[measure == CH_measure_bounces ? CH_COUNT_SENT : CH_COUNT_DELIVERED];
    }
    *ret_whole = whole;
    if (part >= whole) return part == 0 ? 0 : CH_PPM;
    return part * CH_PPM / whole; /* the numbers of this test are small */
}

/* Judges one account's stream; how many alerts began or ended. */
static uint32_t naive_judge(struct naive *n, const struct world *w, uint32_t place,
                            uint64_t account, uint8_t stream)
{
    uint32_t events = 0;
    for (uint32_t m = 0; m < CH_MEASURES; m++) {
        uint64_t whole = 0;
        const uint64_t ppm = naive_ppm(n, w, account, stream, (enum ch_measure)m, &whole);
        const uint64_t threshold = m == CH_measure_bounces ? n->threshold[place] : 1000;
        const bool passed = whole >= 1000 && threshold > 0 && ppm > threshold;
        events += passed != n->alerts[place][stream][m];
        n->alerts[place][stream][m] = passed;
    }
    return events;
}

static void naive_add(struct naive *n, struct world *w, const uint64_t accounts[3], uint64_t *seed)
{
    const uint32_t place = (uint32_t)(next_random(seed) % 3);
    struct counted *c = &n->counted[n->known];
    c->account = accounts[place];
    c->stream = (uint8_t)(next_random(seed) % 2);
    c->day = ch_day_of(w->now);
    c->count[CH_COUNT_SENT] = next_random(seed) % 1000;
    c->count[CH_COUNT_DELIVERED] = next_random(seed) % 1000;
    c->count[CH_COUNT_BOUNCED] = next_random(seed) % 100;
    c->count[CH_COUNT_COMPLAINED] = next_random(seed) % 3;
    const int refused = RUN(w, SERVICE, stats_add, c->account, .stream = c->stream,
                            .has_sent = true, .sent = c->count[CH_COUNT_SENT],
                            .has_delivered = true, .delivered = c->count[CH_COUNT_DELIVERED],
                            .has_bounced = true, .bounced = c->count[CH_COUNT_BOUNCED],
                            .has_complained = true, .complained = c->count[CH_COUNT_COMPLAINED]);
    assert_int_equal(refused, CH_REJ_none);
    n->known++;
    assert_int_equal(w->count, 1 + naive_judge(n, w, place, c->account, c->stream));
}

static void naive_stop(struct naive *n, struct world *w, const uint64_t accounts[3], uint64_t *seed)
{
    const uint32_t place = (uint32_t)(next_random(seed) % 3);
    const uint8_t stream = (uint8_t)(next_random(seed) % 2);
    const bool by_operator = next_random(seed) % 2 == 0;
    const bool stop = next_random(seed) % 2 == 0;
    bool *stops = n->stops[place][stream];
    const uint64_t who = by_operator ? OPERATOR : w->owner;
    const struct ch_named reason = {.text = TEXT("so it is")};
    const int code =
        stop ? RUN(w, who, stream_stop, accounts[place], .stream = stream, .reason = reason)
             : RUN(w, who, stream_resume, accounts[place], .stream = stream, .reason = reason);
    if (!stop && !by_operator && !stops[0] && stops[1]) {
        assert_int_equal(code, CH_REJ_operator_stopped);
        return;
    }
    assert_int_equal(code, CH_REJ_none);
    assert_int_equal(w->count, stops[by_operator] != stop);
    stops[by_operator] = stop;
}

/* Each account's own stops are all that the owner of all of them feels there. */
static void naive_check(const struct naive *n, const struct world *w, const uint64_t accounts[3])
{
    static const uint8_t sends[2] = {CH_SCOPE_campaigns_send, CH_SCOPE_transactional_send};
    for (uint32_t place = 0; place < 3; place++) {
        for (uint8_t stream = 0; stream < 2; stream++) {
            const struct ch_question question = {.user = ch_find_user(&w->state, w->owner),
                                                 .account =
                                                     ch_find_account(&w->state, accounts[place]),
                                                 .wanted = ch_scopes_of(sends[stream]),
                                                 .channel = CH_channel_web,
                                                 .now = w->now};
            struct ch_answer answer;
            ch_access(&w->state, &question, &answer, NULL, NULL);
            const bool stopped = n->stops[place][stream][0] || n->stops[place][stream][1];
            assert_int_equal(answer.reason, stopped ? CH_reason_stream_stopped : CH_reason_granted);
        }
    }
}

static void random_histories_count_alert_and_stop_as_a_naive_list_does(void **state)
{
    struct world *w = *state;
    const char *given = getenv("CH_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20261126);
    print_message("seed %llu (CH_TEST_SEED)\n", (unsigned long long)seed);
    const uint64_t accounts[3] = {w->mid, w->low, w->side};
    struct naive *n = test_calloc(1, sizeof *n);
    define(w, "RATE_DAYS", RATE_DAYS);
    define(w, "SERIES_DAYS", RATE_DAYS + 2);
    for (uint32_t i = 0; i < 3; i++) {
        n->threshold[i] = 50000;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint64_t chance = next_random(&seed) % 100;
        if (chance < 60) {
            naive_add(n, w, accounts, &seed);
        } else if (chance < 75) {
            naive_stop(n, w, accounts, &seed);
        } else if (chance < 85) {
            const uint32_t place = (uint32_t)(next_random(&seed) % 3);
            const uint64_t before = n->threshold[place];
            n->threshold[place] = next_random(&seed) % 4 * 40000;
            assert_int_equal(RUN(w, OPERATOR, reputation_set_thresholds, accounts[place],
                                 .has_bounce_ppm = true, .bounce_ppm = n->threshold[place]),
                             CH_REJ_none);
            if (w->count == 0) { /* they were so already, and nothing is judged anew */
                assert_int_equal(before, n->threshold[place]);
                continue;
            }
            assert_int_equal(w->count, 1 + naive_judge(n, w, place, accounts[place], 0) +
                                           naive_judge(n, w, place, accounts[place], 1));
        } else {
            w->now += next_random(&seed) % (2 * CH_DAY_NS);
        }
        naive_check(n, w, accounts);
    }
    test_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_rounded_down_and_never_above_a_million),
        cmocka_unit_test(a_rate_counts_from_the_volume_on_and_passes_above_the_threshold),
        WORLD_TEST(days_are_kept_singly_for_so_long_and_stay_in_the_total),
        WORLD_TEST(a_total_never_passes_what_the_wire_can_hold),
        WORLD_TEST(random_histories_count_alert_and_stop_as_a_naive_list_does),
        WORLD_TEST(setting_thresholds_judges_every_stream_of_the_account_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
