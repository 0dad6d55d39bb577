/* test_vouch: a record that is not what its tile says is not taken, a false tile is not believed.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/crc.h"
#include "daemon/log/tiles.h"
#include "daemon/replay/vouch.h"
#include "tests/unit/log_scratch.h"

enum { SEED = 31, MAP = 256 << 20, FEW = 600, MANY = CH_TILE_WIDTH * CH_TILE_WIDTH };

/* Another record of this number, with the checksum that belongs to it. */
static void forge_record(const struct scratch *scratch, uint64_t seq)
{
    uint8_t place[8];
    uint8_t room[SCRATCH_RECORD_BYTES + CH_CRC_BYTES];
    const struct ch_bytes record = scratch_record(SEED, seq, room);
    room[0] ^= 1;
    ch_put_be64(place, seq);
    ch_put_le32(room + record.len, ch_crc_record(seq, record));
    const MDB_val value = {.mv_size = record.len + CH_CRC_BYTES, .mv_data = room};
    scratch_tamper(scratch, "events", (MDB_val){.mv_size = sizeof place, .mv_data = place}, &value);
}

static void forge_tile(const struct scratch *scratch, uint64_t index)
{
    uint8_t place[CH_TILE_KEY_BYTES];
    uint8_t tile[CH_TILE_VALUE_BYTES] = {1};
    ch_tile_key(0, index, place);
    const MDB_val value = {.mv_size = sizeof tile, .mv_data = tile};
    scratch_tamper(scratch, "tiles", (MDB_val){.mv_size = sizeof place, .mv_data = place}, &value);
}

static void append(struct ch_evlog *log, size_t count)
{
    struct ch_why why = {0};
    for (size_t done = 0; done < count;) {
        const size_t some = count - done < 4096 ? count - done : 4096;
        if (scratch_append(log, SEED, some, &why) != CH_OK) fail_msg("%s", why.text);
        done += some;
    }
}

/* How far the records are taken, group by group; the text of what ends it. */
static uint64_t taken(const struct scratch *scratch, struct ch_why *why)
{
    struct ch_evlog *log = scratch_open(scratch, MAP);
    struct ch_reader *reader = NULL;
    struct ch_vouch *vouch = NULL;
    struct ch_log_record records[CH_READER_SOME];
    uint64_t last = 0;
    enum ch_err err = CH_OK;
    size_t count = 0;
    assert_int_equal(ch_reader_open(log, &reader, why), CH_OK);
    assert_int_equal(ch_vouch_open(log, &vouch, why), CH_OK);
    do {
        ch_reader_seek(reader, last + 1);
        /* of a size that no tile has */
        assert_int_equal(ch_reader_next_some(reader, records, 300, &count, why), CH_OK);
        err = ch_vouch_check(vouch, records, &count, why);
        if (err == CH_OK) last += count;
    } while (err == CH_OK && count > 0);
    assert_true(err == CH_OK || err == CH_ERR_LOG_CORRUPT);
    ch_vouch_close(vouch);
    ch_reader_close(reader);
    ch_evlog_close(log);
    return last;
}

static void a_changed_record_is_not_taken(void **state)
{
    struct scratch *scratch = *state;
    struct ch_why why = {0};
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, FEW);
    ch_evlog_close(log);
    assert_int_equal(taken(scratch, &why), FEW);
    for (uint64_t seq = 512; seq >= 256; seq -= 128) {
        char text[64];
        forge_record(scratch, seq);
        assert_int_equal(taken(scratch, &why), seq - 1);
        (void)snprintf(text, sizeof text, "record %llu was changed: tile 0/%llu ",
                       (unsigned long long)seq, (unsigned long long)(seq - 1) / CH_TILE_WIDTH);
        if (strstr(why.text, text) == NULL) fail_msg("%s", why.text);
    }
}

static void nothing_vouches_behind_the_last_full_tile(void **state)
{
    struct scratch *scratch = *state;
    struct ch_why why = {0};
    struct ch_reader *reader = NULL;
    struct ch_vouch *vouch = NULL;
    struct ch_log_record record;
    size_t count = 1;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, FEW);
    assert_int_equal(ch_reader_open(log, &reader, &why), CH_OK);
    assert_int_equal(ch_vouch_open(log, &vouch, &why), CH_OK);
    assert_int_equal(ch_reader_read(reader, 513, &record, &why), CH_OK);
    record.bytes.len--;
    assert_int_equal(ch_vouch_check(vouch, &record, &count, &why), CH_OK);
    assert_int_equal(count, 1);
    append(log, 300); /* now it does */
    assert_int_equal(ch_reader_read(reader, 513, &record, &why), CH_OK);
    assert_int_equal(ch_vouch_check(vouch, &record, &count, &why), CH_OK);
    record.bytes.len--;
    assert_int_equal(ch_vouch_check(vouch, &record, &count, &why), CH_ERR_LOG_CORRUPT);
    ch_vouch_close(vouch);
    ch_reader_close(reader);
    ch_evlog_close(log);
}

static void a_false_tile_is_not_believed(void **state)
{
    struct scratch *scratch = *state;
    struct ch_why why = {0};
    struct ch_evlog *log = scratch_open(scratch, MAP);
    append(log, MANY);
    ch_evlog_close(log);
    forge_tile(scratch, 3);
    assert_int_equal(taken(scratch, &why), MANY);
    forge_record(scratch, 2000);
    assert_int_equal(taken(scratch, &why), 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_changed_record_is_not_taken),
        SCRATCH_TEST(nothing_vouches_behind_the_last_full_tile),
        SCRATCH_TEST(a_false_tile_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
