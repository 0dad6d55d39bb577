/* test_replay_decoder: read ahead is as read alone. SPDX-License-Identifier: MIT */
#include "daemon/replay/decoder.h"

#include "daemon/replay/follower.h"
#include "tests/unit/log_scratch.h"

enum { EVENTS = 20000, APPENDED = 500 };

/* Declarations of tags: what a follower takes in any number and order. */
static void encode(struct ch_buf *buf, uint64_t seq)
{
    static const char name[] = "a_tag";
    const struct ch_ev_schema_declared body = {
        .category = CH_declared_event, .number = seq, .token = {name, sizeof name - 1}};
    const struct ch_event event = {.seq = seq,
                                   .at = seq / 3,
                                   .tag = CH_EV_schema_declared,
                                   .actor = {.kind = CH_actor_kind_operator},
                                   .body = &body};
    ch_event_encode(buf, &event);
}

/* A log of `count` events; the record of `bad` (0: none) is no event. */
static struct ch_evlog *make_log(const struct scratch *scratch, uint64_t count, uint64_t bad)
{
    struct ch_evlog *log = scratch_open(scratch, 64 << 20);
    struct ch_buf bufs[APPENDED] = {0};
    struct ch_bytes records[APPENDED];
    struct ch_why why = {0};
    for (uint64_t first = 1; first <= count; first += APPENDED) {
        const uint64_t left = count - first + 1;
        const size_t some = left < APPENDED ? (size_t)left : APPENDED;
        for (size_t i = 0; i < some; i++) {
            ch_buf_reset(&bufs[i]);
            if (first + i == bad) {
                ch_buf_put(&bufs[i], "\xc1", 1);
            } else {
                encode(&bufs[i], first + i);
            }
            records[i] = ch_buf_view(&bufs[i]);
        }
        assert_int_equal(ch_evlog_append(log, first, records, some, first, &why), CH_OK);
    }
    for (size_t i = 0; i < APPENDED; i++) {
        ch_buf_deinit(&bufs[i]);
    }
    return log;
}

/* Reads from..to ahead; returns the events that came and checks each against its record. */
static uint64_t read_ahead(struct ch_evlog *log, uint64_t from, uint64_t to, enum ch_err expected,
                           struct ch_why *why)
{
    struct ch_decoder *decoder = NULL;
    const struct ch_group *group = NULL;
    struct ch_buf buf = {0};
    uint64_t seen = 0;
    assert_int_equal(ch_decoder_start(log, NULL, from, to, &decoder, why), CH_OK);
    enum ch_err err;
    while ((err = ch_decoder_next(decoder, &group, why)) == CH_OK && group != NULL) {
        assert_in_range(group->count, 1, CH_GROUP_EVENTS);
        for (size_t i = 0; i < group->count; i++) {
            ch_buf_reset(&buf);
            encode(&buf, from + seen);
            assert_int_equal(group->events[i].seq, from + seen);
            assert_int_equal(group->records[i].bytes.len, buf.len);
            assert_memory_equal(group->records[i].bytes.ptr, buf.ptr, buf.len);
            seen++;
        }
    }
    assert_int_equal(err, expected);
    assert_null(group);
    ch_buf_deinit(&buf);
    ch_decoder_stop(decoder);
    return seen;
}

static void every_event_comes_once_and_in_order(void **state)
{
    (void)state;
    struct scratch scratch;
    struct ch_why why = {0};
    scratch_make(&scratch);
    struct ch_evlog *log = make_log(&scratch, EVENTS, /* bad= */ 0);
    assert_int_equal(read_ahead(log, 1, EVENTS, CH_OK, &why), EVENTS);
    assert_int_equal(read_ahead(log, 777, 9999, CH_OK, &why), 9999 - 777 + 1);
    assert_int_equal(read_ahead(log, EVENTS, EVENTS, CH_OK, &why), 1);
    assert_int_equal(read_ahead(log, EVENTS - 1, EVENTS + 5000, CH_OK, &why), 2);
    assert_int_equal(read_ahead(log, EVENTS + 1, EVENTS + 2, CH_OK, &why), 0);
    ch_evlog_close(log);
    scratch_remove(&scratch);
}

static void all_before_a_bad_record_come_and_then_it_is_named(void **state)
{
    (void)state;
    const uint64_t bad[] = {1, 513, 5000};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct scratch scratch;
        struct ch_why why = {0};
        scratch_make(&scratch);
        struct ch_evlog *log = make_log(&scratch, EVENTS, bad[i]);
        assert_int_equal(read_ahead(log, 1, EVENTS, CH_ERR_LOG_CORRUPT, &why), bad[i] - 1);
        ch_evlog_close(log);
        scratch_remove(&scratch);
    }
}

static void it_can_be_stopped_anywhere(void **state)
{
    (void)state;
    struct scratch scratch;
    struct ch_why why = {0};
    scratch_make(&scratch);
    struct ch_evlog *log = make_log(&scratch, EVENTS, /* bad= */ 0);
    for (size_t groups = 0; groups < 40; groups++) {
        struct ch_decoder *decoder = NULL;
        assert_int_equal(ch_decoder_start(log, NULL, 1, EVENTS, &decoder, &why), CH_OK);
        for (size_t i = 0; i < groups; i++) {
            const struct ch_group *group;
            assert_int_equal(ch_decoder_next(decoder, &group, &why), CH_OK);
            if (group == NULL) break;
        }
        ch_decoder_stop(decoder);
    }
    ch_decoder_stop(NULL);
    ch_evlog_close(log);
    scratch_remove(&scratch);
}

/* The state after each way of getting there. */
static void hash_at(struct ch_evlog *log, uint64_t step, uint8_t hash[CH_STATE_HASH_BYTES])
{
    struct ch_follower follower;
    struct ch_why why = {0};
    assert_int_equal(ch_follower_open(&follower, log, /* directory= */ NULL, &why), CH_OK);
    while (ch_follower_seq(&follower) < EVENTS) {
        const uint64_t to = ch_follower_seq(&follower) + step;
        if (ch_follower_go(&follower, to, NULL, NULL, &why) != CH_OK) fail_msg("%s", why.text);
        assert_int_equal(ch_follower_seq(&follower), to < EVENTS ? to : EVENTS);
    }
    assert_int_equal(ch_state_hash(&follower.state, hash, &why), CH_OK);
    ch_follower_close(&follower);
}

static void a_follower_comes_to_the_same_state_by_long_and_short_ways(void **state)
{
    (void)state;
    const uint64_t steps[] = {EVENTS, UINT64_MAX / 2, 16384, 1000, 33};
    uint8_t first[CH_STATE_HASH_BYTES];
    uint8_t hash[CH_STATE_HASH_BYTES];
    struct scratch scratch;
    scratch_make(&scratch);
    struct ch_evlog *log = make_log(&scratch, EVENTS, /* bad= */ 0);
    hash_at(log, 7, first);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        hash_at(log, steps[i], hash);
        assert_memory_equal(hash, first, sizeof hash);
    }
    ch_evlog_close(log);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_once_and_in_order),
        cmocka_unit_test(all_before_a_bad_record_come_and_then_it_is_named),
        cmocka_unit_test(it_can_be_stopped_anywhere),
        cmocka_unit_test(a_follower_comes_to_the_same_state_by_long_and_short_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
