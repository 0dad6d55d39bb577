/* test_log_evlog: append, reopen, read; damage and loss are found. SPDX-License-Identifier: MIT */
#include "daemon/log/crc.h"
#include "daemon/log/reader.h"
#include "daemon/log/tiles.h"
#include "tests/unit/log_scratch.h"

#include <inttypes.h>

enum { SEED = 20, MAP = 64 << 20 };

static void append(struct ch_evlog *log, uint64_t seed, size_t count)
{
    struct ch_why why = {0};
    if (scratch_append(log, seed, count, &why) != CH_OK) fail_msg("%s", why.text);
}

/* Every record from `from` to `last` is there, and nothing behind. */
static void check_scan(struct ch_evlog *log, uint64_t seed, uint64_t from, uint64_t last)
{
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    assert_int_equal(ch_reader_open(log, &reader, NULL), CH_OK);
    ch_reader_seek(reader, from);
    for (uint64_t seq = from; seq <= last; seq++) {
        uint8_t room[SCRATCH_RECORD_BYTES];
        struct ch_bytes expected = scratch_record(seed, seq, room);
        assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
        assert_int_equal(record.seq, seq);
        assert_true(ch_bytes_equal(record.bytes, expected));
    }
    assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
    assert_null(record.bytes.ptr);
    ch_reader_close(reader);
}

static void what_was_appended_is_read_after_a_reopen(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    scratch_check_root(log, SEED, 0);
    append(log, SEED, 1);
    append(log, SEED, 1500);
    assert_int_equal(ch_evlog_end(log)->at_ns, 2000);
    check_scan(log, SEED, 1, 1501);
    ch_evlog_close(log);

    log = scratch_open(scratch, MAP);
    scratch_check_root(log, SEED, 1501);
    assert_int_equal(ch_evlog_end(log)->at_ns, 2000);
    check_scan(log, SEED, 1, 1501);
    check_scan(log, SEED, 700, 1501);
    ch_evlog_close(log);
}

static void a_mere_restart_leaves_the_file_as_it_was(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 300);
    ch_evlog_close(log);
    size_t len = 0;
    size_t len_after = 0;
    uint8_t *before = scratch_read(scratch, "log.mdb", &len);
    ch_evlog_close(scratch_open(scratch, MAP));
    uint8_t *after = scratch_read(scratch, "log.mdb", &len_after);
    assert_int_equal(len_after, len);
    assert_memory_equal(after, before, len);
    free(before);
    free(after);
}

static void single_records_are_read_in_any_order_and_none_beyond_the_end(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 40);
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    assert_int_equal(ch_reader_open(log, &reader, NULL), CH_OK);
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t seq = i * 17 % 43; /* 0 to 42 */
        uint8_t room[SCRATCH_RECORD_BYTES];
        struct ch_bytes expected = scratch_record(SEED, seq, room);
        assert_int_equal(ch_reader_read(reader, seq, &record, NULL), CH_OK);
        if (seq == 0 || seq > 40) {
            assert_null(record.bytes.ptr);
        } else {
            assert_true(ch_bytes_equal(record.bytes, expected));
        }
    }
    ch_reader_close(reader);
    ch_evlog_close(log);
}

static void a_reader_follows_the_log_as_it_grows(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    uint64_t end = 1;
    assert_int_equal(ch_reader_open(log, &reader, NULL), CH_OK);
    assert_int_equal(ch_reader_end(reader, &end, NULL), CH_OK);
    assert_int_equal(end, 0);
    for (uint64_t seq = 1; seq <= 30; seq++) {
        assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
        assert_null(record.bytes.ptr);
        append(log, SEED, 1);
        assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
        assert_int_equal(record.seq, seq);
        assert_non_null(record.bytes.ptr);
        assert_int_equal(ch_reader_end(reader, &end, NULL), CH_OK);
        assert_int_equal(end, seq);
        /* A single read in between does not move the scan. */
        assert_int_equal(ch_reader_read(reader, 1, &record, NULL), CH_OK);
    }
    ch_reader_close(reader);
    ch_evlog_close(log);
}

static void large_records_come_back_whole(void **state)
{
    struct scratch *scratch = *state;
    static uint8_t bytes[300000];
    static const size_t lens[] = {1, 2000, 2030, 2040, 4091, 4092, 4093, 100000, sizeof bytes};
    enum { COUNT = sizeof lens / sizeof *lens };
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 13 + i / 251);
    }
    struct ch_bytes records[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        records[i] = (struct ch_bytes){.ptr = bytes, .len = lens[i]};
    }
    struct ch_evlog *log = scratch_open(scratch, MAP);
    assert_int_equal(ch_evlog_append(log, 1, records, COUNT, 5, NULL), CH_OK);
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    assert_int_equal(ch_reader_open(log, &reader, NULL), CH_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
        assert_true(ch_bytes_equal(record.bytes, records[i]));
    }
    ch_reader_close(reader);
    ch_evlog_close(log);
}

static void a_reopened_log_has_the_root_of_the_definition_at_every_edge_of_a_tile(void **state)
{
    struct scratch *scratch = *state;
    static const uint64_t sizes[] = {1,   2,   255,  256,  257,   511,   512,   513,
                                     767, 768, 4095, 4096, 65535, 65536, 65537, 65800};
    const uint64_t seed = 6962;
    print_message("seed %" PRIu64 "\n", seed);
    uint64_t random = seed;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        while (ch_evlog_end(log)->seq < sizes[i]) {
            uint64_t left = sizes[i] - ch_evlog_end(log)->seq;
            uint64_t count = 1 + scratch_random(&random) % 3000;
            append(log, seed, (size_t)(count < left ? count : left));
        }
        scratch_check_root(log, seed, sizes[i]);
        struct ch_hash before = ch_evlog_end(log)->root;
        ch_evlog_close(log);
        log = scratch_open(scratch, MAP);
        assert_int_equal(ch_evlog_end(log)->seq, sizes[i]);
        assert_memory_equal(ch_evlog_end(log)->root.bytes, before.bytes, CH_HASH_BYTES);
    }
    ch_evlog_close(log);
}

/* Flips one bit of record `seq`, in every copy of its page that the file holds. */
static void flip_record(const struct scratch *scratch, uint64_t seed, uint64_t seq)
{
    size_t len = 0;
    uint8_t *file = scratch_read(scratch, "log.mdb", &len);
    uint8_t room[SCRATCH_RECORD_BYTES];
    struct ch_bytes record = scratch_record(seed, seq, room);
    assert_true(record.len > 16); /* long enough to be found only where it is */
    size_t found = 0;
    for (uint8_t *at = file; at != NULL;) {
        at = memmem(at, len - (size_t)(at - file), record.ptr, record.len);
        if (at == NULL) break;
        at[record.len / 2] ^= 0x10;
        found++;
    }
    assert_true(found > 0);
    scratch_write(scratch, "log.mdb", file, len);
    free(file);
}

static void the_reader_names_the_record_in_which_a_bit_was_flipped(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 900);
    ch_evlog_close(log);
    flip_record(scratch, SEED, 310);

    log = scratch_open(scratch, MAP);
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    struct ch_why why = {0};
    assert_int_equal(ch_reader_open(log, &reader, NULL), CH_OK);
    for (uint64_t seq = 1; seq <= 309; seq++) {
        assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
        assert_non_null(record.bytes.ptr);
    }
    for (int i = 0; i < 2; i++) { /* it stays there */
        assert_int_equal(ch_reader_next(reader, &record, &why), CH_ERR_LOG_CORRUPT);
        assert_non_null(strstr(why.text, "record 310 "));
    }
    assert_int_equal(ch_reader_read(reader, 310, &record, &why), CH_ERR_LOG_CORRUPT);
    assert_non_null(strstr(why.text, "record 310 "));
    ch_reader_close(reader);
    check_scan(log, SEED, 311, 900);
    ch_evlog_close(log);
}

static void a_bit_flipped_in_the_last_records_is_refused_at_open(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 300);
    ch_evlog_close(log);
    flip_record(scratch, SEED, 270);
    assert_non_null(strstr(scratch_refuse(scratch, false, CH_ERR_LOG_CORRUPT), "record 270 "));
}

static void a_log_behind_its_head_file_is_refused_unless_loss_is_accepted(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 100);
    ch_evlog_close(log);
    size_t len = 0;
    uint8_t *old = scratch_read(scratch, "log.mdb", &len);
    log = scratch_open(scratch, MAP);
    append(log, SEED, 20);
    ch_evlog_close(log);
    scratch_write(scratch, "log.mdb", old, len);
    free(old);
    assert_non_null(strstr(scratch_refuse(scratch, false, CH_ERR_LOG_BEHIND), "120"));

    struct ch_evlog_options options = {.map_bytes = MAP, .accept_loss = true};
    assert_int_equal(ch_evlog_open(scratch->dir, &options, &log, NULL), CH_OK);
    assert_int_equal(ch_evlog_lost_events(log), 20);
    scratch_check_root(log, SEED, 100);
    ch_evlog_close(log);
    log = scratch_open(scratch, MAP); /* accepted once and for all */
    append(log, SEED, 1);
    ch_evlog_close(log);
    ch_evlog_close(scratch_open(scratch, MAP));
}

static void a_log_without_a_readable_head_file_is_refused_unless_loss_is_accepted(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 3);
    ch_evlog_close(log);
    size_t len = 0;
    uint8_t *head = scratch_read(scratch, "head", &len);
    head[20] ^= 1;
    head[CH_HEAD_BLOCK_BYTES + 20] ^= 1;
    scratch_write(scratch, "head", head, len);
    free(head);
    assert_non_null(strstr(scratch_refuse(scratch, false, CH_ERR_LOG_BEHIND), "damaged"));
    assert_int_equal(unlink(scratch_path(scratch, "head")), 0);
    assert_non_null(strstr(scratch_refuse(scratch, false, CH_ERR_LOG_BEHIND), "missing"));
    (void)scratch_refuse(scratch, true, CH_OK);
    ch_evlog_close(scratch_open(scratch, MAP));
}

static void one_damaged_block_of_the_head_file_leaves_the_other(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 3);
    append(log, SEED, 3);
    ch_evlog_close(log);
    for (size_t block = 0; block < 2; block++) {
        size_t len = 0;
        uint8_t *head = scratch_read(scratch, "head", &len);
        head[block * CH_HEAD_BLOCK_BYTES + 50] ^= 1;
        scratch_write(scratch, "head", head, len);
        log = scratch_open(scratch, MAP);
        assert_int_equal(ch_evlog_end(log)->seq, 6);
        ch_evlog_close(log);
        head[block * CH_HEAD_BLOCK_BYTES + 50] ^= 1;
        scratch_write(scratch, "head", head, len);
        free(head);
    }
}

static void another_log_of_the_same_length_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct scratch other;
    scratch_make(&other);
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 10);
    ch_evlog_close(log);
    log = scratch_open(&other, MAP);
    append(log, SEED + 1, 10);
    ch_evlog_close(log);
    size_t len = 0;
    uint8_t *file = scratch_read(&other, "log.mdb", &len);
    scratch_write(scratch, "log.mdb", file, len);
    free(file);
    assert_non_null(strstr(scratch_refuse(scratch, false, CH_ERR_LOG_CORRUPT), "root"));
    scratch_remove(&other);
}

static void tamper_tile(const struct scratch *scratch, unsigned level, uint64_t index, size_t len)
{
    uint8_t key_bytes[CH_TILE_KEY_BYTES];
    uint8_t bytes[CH_TILE_VALUE_BYTES] = {1, 2, 3};
    const MDB_val value = {.mv_size = len, .mv_data = bytes};
    ch_tile_key(level, index, key_bytes);
    scratch_tamper(scratch, "tiles", (MDB_val){.mv_size = sizeof key_bytes, .mv_data = key_bytes},
                   len == 0 ? NULL : &value);
}

/* Opens, closes; how many tiles were mended. */
static uint64_t mended(const struct scratch *scratch, uint64_t seq)
{
    struct ch_evlog *log = scratch_open(scratch, MAP);
    const uint64_t count = ch_evlog_mended(log);
    scratch_check_root(log, SEED, seq);
    ch_evlog_close(log);
    return count;
}

static void a_false_tile_is_made_again_from_the_records(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, SEED, 300);
    size_t len = 0;
    ch_evlog_close(log);
    uint8_t *old = scratch_read(scratch, "head", &len);
    log = scratch_open(scratch, MAP);
    append(log, SEED, 300);
    ch_evlog_close(log);
    assert_int_equal(mended(scratch, 600), 0);
    tamper_tile(scratch, 0, 1, CH_TILE_VALUE_BYTES); /* other hashes */
    assert_int_equal(mended(scratch, 600), 1);
    assert_int_equal(mended(scratch, 600), 0);
    tamper_tile(scratch, 0, 0, 0); /* missing */
    assert_int_equal(mended(scratch, 600), 1);
    tamper_tile(scratch, 0, 0, 10); /* cut */
    assert_int_equal(mended(scratch, 600), 1);
    tamper_tile(scratch, 1, 0, CH_TILE_VALUE_BYTES); /* one that no record fills */
    tamper_tile(scratch, 0, 2, CH_TILE_VALUE_BYTES);
    assert_int_equal(mended(scratch, 600), 2);
    /* a head file that is behind, as a power cut leaves it */
    tamper_tile(scratch, 0, 0, 0);
    scratch_write(scratch, "head", old, len);
    assert_int_equal(mended(scratch, 600), 1);
    free(old);
    log = scratch_open(scratch, MAP);
    append(log, SEED, 300);
    scratch_check_root(log, SEED, 900);
    check_scan(log, SEED, 1, 900);
    ch_evlog_close(log);
}

static void false_tiles_are_not_mended_over_false_records(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    uint8_t key[8];
    uint8_t room[SCRATCH_RECORD_BYTES + CH_CRC_BYTES];
    append(log, SEED, 600);
    ch_evlog_close(log);
    struct ch_bytes record = scratch_record(SEED, 100, room);
    room[0] ^= 1;
    ch_put_le32(room + record.len, ch_crc_record(100, record));
    ch_put_be64(key, 100);
    const MDB_val forged = {.mv_size = record.len + CH_CRC_BYTES, .mv_data = room};
    const MDB_val place = {.mv_size = sizeof key, .mv_data = key};
    scratch_tamper(scratch, "events", place, &forged);
    tamper_tile(scratch, 0, 0, 0);
    const char *text = scratch_refuse(scratch, false, CH_ERR_LOG_CORRUPT);
    assert_non_null(strstr(text, "the first 600 records have another root"));
    text = scratch_refuse(scratch, false, CH_ERR_LOG_CORRUPT); /* and nothing was changed */
    assert_non_null(strstr(text, "the first 600 records have another root"));
    room[0] ^= 1;
    ch_put_le32(room + record.len, ch_crc_record(100, record));
    scratch_tamper(scratch, "events", place, &forged);
    assert_int_equal(mended(scratch, 600), 1);
    /* a head file that is ahead or missing is told as such, whatever the tiles are */
    tamper_tile(scratch, 0, 0, 0);
    assert_int_equal(unlink(scratch_path(scratch, "head")), 0);
    (void)scratch_refuse(scratch, false, CH_ERR_LOG_BEHIND);
    room[0] ^= 0x80; /* a checksum that does not match is told first */
    scratch_tamper(scratch, "events", place, &forged);
    assert_non_null(strstr(scratch_refuse(scratch, true, CH_ERR_LOG_CORRUPT), "record 100 "));
}

/* What is left may be all that tells of them. */
static void a_log_that_lost_every_record_is_refused_as_it_is(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    uint8_t key[8];
    append(log, SEED, 3);
    ch_evlog_close(log);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        ch_put_be64(key, seq);
        scratch_tamper(scratch, "events", (MDB_val){.mv_size = sizeof key, .mv_data = key}, NULL);
    }
    tamper_tile(scratch, 0, 0, CH_TILE_VALUE_BYTES);
    (void)scratch_refuse(scratch, false, CH_ERR_LOG_BEHIND);
    tamper_tile(scratch, 0, 0, 0); /* it was there still */
    (void)scratch_refuse(scratch, false, CH_ERR_LOG_BEHIND);
    const struct ch_evlog_options options = {.map_bytes = MAP, .accept_loss = true};
    assert_int_equal(ch_evlog_open(scratch->dir, &options, &log, NULL), CH_OK);
    assert_int_equal(ch_evlog_lost_events(log), 3);
    ch_evlog_close(log);
}

static void a_file_that_is_no_log_is_refused(void **state)
{
    struct scratch *scratch = *state;
    uint8_t bytes[8192];
    memset(bytes, 'x', sizeof bytes);
    scratch_write(scratch, "log.mdb", bytes, sizeof bytes);
    (void)scratch_refuse(scratch, false, CH_ERR_LOG_CORRUPT);
}

static void a_second_opener_is_told_who_has_the_log(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_non_null(strstr(scratch_refuse(scratch, false, CH_ERR_LOG_LOCKED), pid));
    ch_evlog_close(log);
    ch_evlog_close(scratch_open(scratch, MAP));
}

static void a_full_map_changes_nothing_and_a_larger_one_goes_on(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, 1 << 20);
    struct ch_why why = {0};
    enum ch_err err = CH_OK;
    while ((err = scratch_append(log, SEED, 50, &why)) == CH_OK) {
        assert_true(ch_evlog_bytes(log) <= 1 << 20);
    }
    assert_int_equal(err, CH_ERR_STORAGE_FULL);
    uint64_t last = ch_evlog_end(log)->seq;
    assert_true(last > 1000);
    scratch_check_root(log, SEED, last);
    assert_int_equal(scratch_append(log, SEED, 50, NULL), CH_ERR_STORAGE_FULL);
    scratch_check_root(log, SEED, last);
    check_scan(log, SEED, 1, last);
    ch_evlog_close(log);

    log = scratch_open(scratch, 8 << 20);
    scratch_check_root(log, SEED, last);
    append(log, SEED, 600);
    scratch_check_root(log, SEED, last + 600);
    check_scan(log, SEED, 1, last + 600);
    ch_evlog_close(log);
}

static void a_log_file_that_is_cut_off_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, 64 << 20);
    append(log, SEED, 3000);
    ch_evlog_close(log);
    size_t len = 0;
    uint8_t *bytes = scratch_read(scratch, "log.mdb", &len);
    for (size_t cut = 8192; cut < len - 4096; cut += len / 7 / 512 * 512) {
        scratch_write(scratch, "log.mdb", bytes, cut);
        const char *text = scratch_refuse(scratch, false, CH_ERR_LOG_CORRUPT);
        if (strstr(text, "is cut off") == NULL) fail_msg("%zu bytes: %s", cut, text);
        struct ch_why why = {0};
        assert_int_equal(ch_evlog_open_read(scratch->dir, &log, &why), CH_ERR_LOG_CORRUPT);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_log_file_that_is_cut_off_is_refused),
        SCRATCH_TEST(what_was_appended_is_read_after_a_reopen),
        SCRATCH_TEST(a_mere_restart_leaves_the_file_as_it_was),
        SCRATCH_TEST(single_records_are_read_in_any_order_and_none_beyond_the_end),
        SCRATCH_TEST(a_reader_follows_the_log_as_it_grows),
        SCRATCH_TEST(large_records_come_back_whole),
        SCRATCH_TEST(a_reopened_log_has_the_root_of_the_definition_at_every_edge_of_a_tile),
        SCRATCH_TEST(the_reader_names_the_record_in_which_a_bit_was_flipped),
        SCRATCH_TEST(a_bit_flipped_in_the_last_records_is_refused_at_open),
        SCRATCH_TEST(a_log_behind_its_head_file_is_refused_unless_loss_is_accepted),
        SCRATCH_TEST(a_log_without_a_readable_head_file_is_refused_unless_loss_is_accepted),
        SCRATCH_TEST(one_damaged_block_of_the_head_file_leaves_the_other),
        SCRATCH_TEST(another_log_of_the_same_length_is_refused),
        SCRATCH_TEST(a_false_tile_is_made_again_from_the_records),
        SCRATCH_TEST(false_tiles_are_not_mended_over_false_records),
        SCRATCH_TEST(a_log_that_lost_every_record_is_refused_as_it_is),
        SCRATCH_TEST(a_file_that_is_no_log_is_refused),
        SCRATCH_TEST(a_second_opener_is_told_who_has_the_log),
        SCRATCH_TEST(a_full_map_changes_nothing_and_a_larger_one_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
