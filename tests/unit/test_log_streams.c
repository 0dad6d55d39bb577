/* test_log_streams: the derived index. SPDX-License-Identifier: MIT */
#include "daemon/log/streams.h"

#include "daemon/log/crc.h"
#include "tests/unit/log_scratch.h"

enum { KEYS = 200, HEAD_BYTES = 48 };

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* A log that is nothing but its seed. */
struct world {
    struct scratch scratch;
    uint64_t seed;
};

static struct ch_bytes record_of(const struct world *world, uint64_t seq, uint8_t bytes[8])
{
    ch_put_be64(bytes, mix(world->seed ^ seq));
    return (struct ch_bytes){bytes, 8};
}

static bool mark_of(void *arg, uint64_t seq, uint32_t *ret)
{
    uint8_t bytes[8];
    *ret = ch_crc_record(seq, record_of(arg, seq, bytes));
    return true;
}

/* Some keys are in every event, some in few, some in one; a few events have none or one twice. */
static size_t keys_of(const struct world *world, uint64_t seq, uint64_t keys[CH_STREAMS_KEYS])
{
    const uint64_t chance = mix(world->seed + seq);
    if (chance % 50 == 0) return 0;
    size_t count = 0;
    keys[count++] = ch_stream_key(1, 1);
    if (chance % 3 == 0) keys[count++] = ch_stream_key(2, 1 + (chance >> 8) % KEYS);
    if (chance % 5 == 0) keys[count++] = ch_stream_key(3, seq);
    if (chance % 7 == 0) keys[count++] = ch_stream_key(1, 1);
    if (chance % 11 == 0) keys[count++] = ch_stream_key(2, 1 + (chance >> 20) % KEYS);
    return count;
}

static struct ch_streams *open_streams(struct world *world, uint64_t log_end)
{
    struct ch_streams *streams = NULL;
    struct ch_why why;
    assert_int_equal(ch_streams_open(world->scratch.dir, log_end, mark_of, world, &streams, &why),
                     CH_OK);
    return streams;
}

static void add_up_to(struct world *world, struct ch_streams *streams, uint64_t end)
{
    for (uint64_t seq = ch_streams_next_seq(streams); seq <= end; seq++) {
        uint64_t keys[CH_STREAMS_KEYS];
        uint8_t bytes[8];
        struct ch_why why;
        const size_t count = keys_of(world, seq, keys);
        assert_int_equal(
            ch_streams_add(streams, seq, record_of(world, seq, bytes), keys, count, &why), CH_OK);
    }
    assert_int_equal(ch_streams_next_seq(streams), end + 1);
}

static size_t naive(const struct world *world, uint64_t end, uint64_t key, uint64_t from,
                    uint64_t *seqs, size_t most)
{
    size_t found = 0;
    for (uint64_t seq = from; seq <= end && found < most; seq++) {
        uint64_t keys[CH_STREAMS_KEYS];
        const size_t count = keys_of(world, seq, keys);
        bool has = false;
        for (size_t i = 0; i < count; i++) {
            has = has || keys[i] == key;
        }
        if (has) seqs[found++] = seq;
    }
    return found;
}

static void check_key(struct world *world, struct ch_streams *streams, uint64_t end, uint64_t key,
                      uint64_t from, size_t most)
{
    struct ch_why why;
    size_t count = SIZE_MAX;
    uint64_t *wanted = calloc(most + 1, sizeof *wanted);
    uint64_t *seqs = calloc(most + 1, sizeof *seqs);
    const size_t expected = naive(world, end, key, from, wanted, most);
    assert_int_equal(ch_streams_find(streams, key, from, seqs, most, &count, &why), CH_OK);
    assert_int_equal(count, expected);
    assert_memory_equal(seqs, wanted, count * sizeof *seqs);
    /* backwards from the last of them: the same, the other way round */
    if (count > 0) {
        size_t back = SIZE_MAX;
        assert_int_equal(
            ch_streams_find_last(streams, key, wanted[count - 1] + 1, seqs, count, &back, &why),
            CH_OK);
        assert_int_equal(back, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(seqs[i], wanted[count - 1 - i]);
        }
        assert_int_equal(ch_streams_find_last(streams, key, wanted[0], seqs, 1, &back, &why),
                         CH_OK);
        assert_true(back == 0 || seqs[0] < wanted[0]);
    }
    free(wanted);
    free(seqs);
}

static void check_some(struct world *world, struct ch_streams *streams, uint64_t end)
{
    for (uint64_t i = 0; i < 12; i++) {
        const uint64_t chance = mix(world->seed * 31 + i);
        const uint64_t from = 1 + chance % end;
        check_key(world, streams, end, ch_stream_key(2, 1 + i), i % 2 == 0 ? 1 : from, 5000);
        check_key(world, streams, end, ch_stream_key(3, from), 1, 10);
    }
    check_key(world, streams, end, ch_stream_key(1, 1), 1, end);
    check_key(world, streams, end, ch_stream_key(1, 1), end - 3, 100);
    check_key(world, streams, end, ch_stream_key(1, 1), CH_STREAMS_RUN - 5, 11);
    check_key(world, streams, end, ch_stream_key(1, 2), 1, 10);
    check_key(world, streams, end, ch_stream_key(9, 9), 1, 10);
    check_key(world, streams, end, 0, 1, 10);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *seed = getenv("CH_SEED");
    scratch_make(&world->scratch);
    world->seed = seed != NULL ? strtoull(seed, NULL, 10) : mix((uint64_t)(uintptr_t)world);
    print_message("seed %llu (again with CH_SEED)\n", (unsigned long long)world->seed);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    scratch_remove(&world->scratch);
    free(world);
    return 0;
}

static void find_equals_a_naive_list_on_either_side_of_a_runs_border(void **state)
{
    struct world *world = *state;
    const uint64_t ends[] = {1000, CH_STREAMS_RUN - 1, CH_STREAMS_RUN, CH_STREAMS_RUN + 1,
                             2 * CH_STREAMS_RUN + 777};
    struct ch_streams *streams = open_streams(world, 0);
    assert_false(ch_streams_rebuilt(streams));
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        add_up_to(world, streams, ends[i]);
        check_some(world, streams, ends[i]);
    }
    print_message("%.2f bytes an event\n", (double)ch_streams_bytes(streams) / 2 / CH_STREAMS_RUN);
    ch_streams_close(streams);
}

static void runs_in_the_file_are_there_after_a_restart_and_the_tail_is_added_again(void **state)
{
    struct world *world = *state;
    const uint64_t end = 2 * CH_STREAMS_RUN + 100;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, end);
    ch_streams_close(streams);
    streams = open_streams(world, end);
    assert_false(ch_streams_rebuilt(streams));
    assert_int_equal(ch_streams_next_seq(streams), 2 * CH_STREAMS_RUN + 1);
    add_up_to(world, streams, end);
    check_some(world, streams, end);
    ch_streams_close(streams);
}

static void a_file_ahead_of_the_log_is_cut_to_it(void **state)
{
    struct world *world = *state;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, 2 * CH_STREAMS_RUN);
    ch_streams_close(streams);
    streams = open_streams(world, 2 * CH_STREAMS_RUN - 1);
    assert_true(ch_streams_rebuilt(streams));
    assert_int_equal(ch_streams_next_seq(streams), CH_STREAMS_RUN + 1);
    ch_streams_close(streams);
    streams = open_streams(world, 0);
    assert_int_equal(ch_streams_next_seq(streams), 1);
    assert_int_equal(ch_streams_bytes(streams), 0);
    ch_streams_close(streams);
}

static void a_file_of_another_log_is_thrown_away(void **state)
{
    struct world *world = *state;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, CH_STREAMS_RUN);
    ch_streams_close(streams);
    world->seed++;
    streams = open_streams(world, CH_STREAMS_RUN);
    assert_true(ch_streams_rebuilt(streams));
    add_up_to(world, streams, CH_STREAMS_RUN + 5);
    check_some(world, streams, CH_STREAMS_RUN + 5);
    ch_streams_close(streams);
}

static void damage_file(const struct world *world, uint64_t at, uint8_t mask)
{
    uint8_t byte = 0;
    int fd = open(scratch_path(&world->scratch, "derived/streams"), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= mask;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    (void)close(fd);
}

/* Every byte of the head, and bytes all over the body; the run in front of it stays. */
static void damage_at_any_byte_is_found_and_what_was_lost_is_added_again(void **state)
{
    struct world *world = *state;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, CH_STREAMS_RUN);
    const uint64_t border = ch_streams_bytes(streams);
    add_up_to(world, streams, 2 * CH_STREAMS_RUN);
    const uint64_t bytes = ch_streams_bytes(streams);
    ch_streams_close(streams);
    size_t len = 0;
    uint8_t *whole = scratch_read(&world->scratch, "derived/streams", &len);
    assert_int_equal(len, bytes);
    for (uint64_t i = 0; i < HEAD_BYTES + 40; i++) {
        const uint64_t chance = mix(world->seed ^ i << 32);
        uint64_t at = border + i;
        if (i >= HEAD_BYTES) at = border + chance % (bytes - border);
        damage_file(world, at, (uint8_t)(1u << chance % 8));
        streams = open_streams(world, 2 * CH_STREAMS_RUN);
        assert_true(ch_streams_rebuilt(streams));
        assert_int_equal(ch_streams_next_seq(streams), CH_STREAMS_RUN + 1);
        if (i % 40 == 0) {
            add_up_to(world, streams, 2 * CH_STREAMS_RUN);
            check_some(world, streams, 2 * CH_STREAMS_RUN);
        }
        ch_streams_close(streams);
        FILE *file = fopen(scratch_path(&world->scratch, "derived/streams"), "wbe");
        assert_non_null(file);
        assert_int_equal(fwrite(whole, 1, len, file), len);
        (void)fclose(file);
    }
    free(whole);
}

static void a_torn_file_loses_its_last_run_only(void **state)
{
    struct world *world = *state;
    const uint64_t end = 2 * CH_STREAMS_RUN;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, CH_STREAMS_RUN);
    const uint64_t border = ch_streams_bytes(streams);
    add_up_to(world, streams, end);
    uint64_t bytes = ch_streams_bytes(streams);
    ch_streams_close(streams);
    const uint64_t cuts[] = {bytes - 1, border + HEAD_BYTES, border + 1, border, border - 1, 1, 0};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_int_equal(truncate(scratch_path(&world->scratch, "derived/streams"), (off_t)cuts[i]),
                         0);
        streams = open_streams(world, end);
        assert_true(ch_streams_rebuilt(streams));
        assert_int_equal(ch_streams_next_seq(streams), cuts[i] >= border ? CH_STREAMS_RUN + 1 : 1);
        ch_streams_close(streams);
    }
}

static void a_deleted_file_is_made_again_with_the_same_bytes(void **state)
{
    struct world *world = *state;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, CH_STREAMS_RUN);
    ch_streams_close(streams);
    size_t len = 0;
    uint8_t *first = scratch_read(&world->scratch, "derived/streams", &len);
    assert_int_equal(unlink(scratch_path(&world->scratch, "derived/streams")), 0);
    assert_int_equal(rmdir(scratch_path(&world->scratch, "derived")), 0);
    streams = open_streams(world, CH_STREAMS_RUN);
    assert_true(ch_streams_rebuilt(streams));
    add_up_to(world, streams, CH_STREAMS_RUN);
    ch_streams_close(streams);
    size_t again = 0;
    uint8_t *second = scratch_read(&world->scratch, "derived/streams", &again);
    assert_int_equal(again, len);
    assert_memory_equal(first, second, len);
    free(first);
    free(second);
}

static void where_no_file_can_be_made_the_runs_stay_in_memory(void **state)
{
    struct world *world = *state;
    const uint64_t end = CH_STREAMS_RUN + 50;
    int fd = open(scratch_path(&world->scratch, "derived"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    struct ch_streams *streams = open_streams(world, end);
    add_up_to(world, streams, end);
    check_some(world, streams, end);
    assert_int_equal(ch_streams_bytes(streams), 0);
    ch_streams_close(streams);
}

static void a_file_that_is_cut_while_it_is_open_is_a_failure_and_never_a_short_list(void **state)
{
    struct world *world = *state;
    struct ch_why why;
    uint64_t seqs[4];
    size_t count;
    struct ch_streams *streams = open_streams(world, 0);
    add_up_to(world, streams, CH_STREAMS_RUN);
    assert_int_equal(truncate(scratch_path(&world->scratch, "derived/streams"), HEAD_BYTES), 0);
    assert_int_equal(ch_streams_find(streams, ch_stream_key(1, 1), 1, seqs, 4, &count, &why),
                     CH_ERR_FILE_IO);
    ch_streams_close(streams);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(find_equals_a_naive_list_on_either_side_of_a_runs_border),
        ROW(runs_in_the_file_are_there_after_a_restart_and_the_tail_is_added_again),
        ROW(a_file_ahead_of_the_log_is_cut_to_it),
        ROW(a_file_of_another_log_is_thrown_away),
        ROW(damage_at_any_byte_is_found_and_what_was_lost_is_added_again),
        ROW(a_torn_file_loses_its_last_run_only),
        ROW(a_deleted_file_is_made_again_with_the_same_bytes),
        ROW(where_no_file_can_be_made_the_runs_stay_in_memory),
        ROW(a_file_that_is_cut_while_it_is_open_is_a_failure_and_never_a_short_list),
    };
#undef ROW
    return cmocka_run_group_tests(tests, NULL, NULL);
}
