/* test_log_bundle: items written and read back; no flipped bit and no cut goes unseen.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/bundle.h"
#include "daemon/log/tiles.h"
#include "tests/unit/log_scratch.h"

#include <sys/mman.h>

enum { RECORDS = 30, SEED = 5 };

/* A file in memory with these bytes, at its beginning. */
static int file_of(const uint8_t *ptr, size_t len)
{
    const int fd = memfd_create("bundle", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, ptr, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void put_text(struct ch_bundle_writer *writer, enum ch_bundle_kind kind, struct ch_buf *text)
{
    ch_bundle_put(writer, kind, ch_buf_view(text), (struct ch_bytes){0});
    ch_buf_deinit(text);
}

static const struct ch_bundle_end the_end = {
    .size = RECORDS, .checkpoints = 1, .root = {{1, 2, 3}}};

/* A small one of every kind of item. */
static void make_bundle(struct ch_buf *out)
{
    struct ch_bundle_writer writer = {.counts = {0}};
    struct ch_buf text = {0};
    uint8_t room[SCRATCH_RECORD_BYTES];
    uint8_t tile[CH_TILE_KEY_BYTES + CH_TILE_VALUE_BYTES] = {0};
    static const uint8_t at[8] = {9};
    ch_bundle_begin(out);
    ch_bundle_text_head(&text, RECORDS);
    put_text(&writer, CH_BUNDLE_HEAD, &text);
    ch_buf_put_text(&text, ch_text_of("example.com/log+12345678+AAAA"));
    put_text(&writer, CH_BUNDLE_KEY, &text);
    ch_bundle_put(&writer, CH_BUNDLE_CHECKPOINT, (struct ch_bytes){at, sizeof at},
                  (struct ch_bytes){(const uint8_t *)"a note", 6});
    for (uint64_t seq = 1; seq <= RECORDS; seq++) {
        ch_bundle_put(&writer, CH_BUNDLE_RECORD, scratch_record(SEED, seq, room),
                      (struct ch_bytes){0});
    }
    ch_bundle_put(&writer, CH_BUNDLE_TILE, (struct ch_bytes){tile, sizeof tile},
                  (struct ch_bytes){0});
    ch_bundle_text_end(&text, &the_end);
    put_text(&writer, CH_BUNDLE_END, &text);
    ch_bundle_pass(&writer, out);
    ch_bundle_writer_deinit(&writer);
    assert_false(out->failed);
}

/* Reads all of it; the failure that ends it, or CH_OK. */
static enum ch_err read_all(int fd, uint64_t counts[256], struct ch_bundle_item *ret_last,
                            struct ch_why *why)
{
    struct ch_bundle_reader *reader = NULL;
    enum ch_err err = ch_bundle_open(fd, &reader, why);
    while (err == CH_OK) {
        err = ch_bundle_next(reader, ret_last, why);
        if (err == CH_OK && ret_last->kind == CH_BUNDLE_NONE) break;
        if (err == CH_OK) counts[(uint8_t)ret_last->kind]++;
    }
    ch_bundle_close(reader);
    return err;
}

static enum ch_err read_bytes(const uint8_t *ptr, size_t len)
{
    struct ch_why why = {0};
    struct ch_bundle_item last;
    uint64_t counts[256] = {0};
    const int fd = file_of(ptr, len);
    const enum ch_err err = read_all(fd, counts, &last, &why);
    assert_int_equal(close(fd), 0);
    return err;
}

static void what_is_written_is_read(void **state)
{
    struct ch_buf out = {0};
    struct ch_bundle_reader *reader = NULL;
    struct ch_bundle_item item;
    struct ch_bundle_end end;
    uint64_t size = 0;
    uint8_t room[SCRATCH_RECORD_BYTES];
    (void)state;
    make_bundle(&out);
    assert_true(ch_bundle_is(ch_buf_view(&out)));
    const int fd = file_of(out.ptr, out.len);
    assert_int_equal(ch_bundle_open(fd, &reader, NULL), CH_OK);
    assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
    assert_int_equal(item.kind, CH_BUNDLE_HEAD);
    assert_true(ch_bundle_read_head(item.content, &size));
    assert_int_equal(size, RECORDS);
    assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
    assert_int_equal(item.kind, CH_BUNDLE_KEY);
    assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
    assert_int_equal(item.kind, CH_BUNDLE_CHECKPOINT);
    assert_int_equal(item.content.len, 8 + 6);
    for (uint64_t seq = 1; seq <= RECORDS; seq++) {
        assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
        assert_int_equal(item.kind, CH_BUNDLE_RECORD);
        assert_int_equal(item.number, seq);
        assert_true(ch_bytes_equal(item.content, scratch_record(SEED, seq, room)));
    }
    assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
    assert_int_equal(item.kind, CH_BUNDLE_TILE);
    assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
    assert_int_equal(item.kind, CH_BUNDLE_END);
    assert_true(ch_bundle_read_end(item.content, &end));
    assert_int_equal(end.size, RECORDS);
    assert_int_equal(end.checkpoints, 1);
    assert_true(ch_hash_equal(&end.root, &the_end.root));
    for (int i = 0; i < 2; i++) { /* and it stays at its end */
        assert_int_equal(ch_bundle_next(reader, &item, NULL), CH_OK);
        assert_int_equal(item.kind, CH_BUNDLE_NONE);
    }
    ch_bundle_close(reader);
    assert_int_equal(close(fd), 0);
    ch_buf_deinit(&out);
}

/* Bits at every place of a byte: 8 has no divisor in common with either. */
#ifdef CH_SLOW_CHECKS
enum { NEXT_BIT = 127, NEXT_CUT = 13, NEXT_CUT_LATER = 257 };
#else
enum { NEXT_BIT = 3, NEXT_CUT = 1, NEXT_CUT_LATER = 13 };
#endif

/* Of records that pass a few at a time. */
static void put_records(struct ch_buf *out, uint64_t at_once)
{
    struct ch_bundle_writer writer = {.counts = {0}};
    uint8_t room[SCRATCH_RECORD_BYTES];
    for (uint64_t seq = 1; seq <= RECORDS; seq++) {
        ch_bundle_put(&writer, CH_BUNDLE_RECORD, scratch_record(SEED, seq, room),
                      (struct ch_bytes){0});
        if (seq % at_once == 0) ch_bundle_pass(&writer, out);
    }
    ch_bundle_pass(&writer, out);
    ch_bundle_pass(&writer, out); /* nothing waits */
    ch_bundle_writer_deinit(&writer);
    assert_false(out->failed);
}

static void it_is_the_same_however_many_items_wait(void **state)
{
    struct ch_buf all = {0};
    (void)state;
    put_records(&all, RECORDS);
    for (uint64_t at_once = 1; at_once < RECORDS; at_once++) {
        struct ch_buf some = {0};
        put_records(&some, at_once);
        assert_true(ch_bytes_equal(ch_buf_view(&some), ch_buf_view(&all)));
        ch_buf_deinit(&some);
    }
    ch_buf_deinit(&all);
}

/* One bit after the other, in a file that stays the same but for it. */
static void each_flipped_bit_is_found(void **state)
{
    struct ch_buf out = {0};
    struct ch_why why = {0};
    struct ch_bundle_item last;
    (void)state;
    make_bundle(&out);
    const int fd = file_of(out.ptr, out.len);
    for (size_t bit = 0; bit < out.len * 8; bit += NEXT_BIT) {
        uint64_t counts[256] = {0};
        const size_t at = bit / 8;
        const uint8_t byte = (uint8_t)(out.ptr[at] ^ 1U << bit % 8);
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        if (read_all(fd, counts, &last, &why) != CH_ERR_LOG_CORRUPT) {
            fail_msg("bit %zu of byte %zu goes unseen", bit % 8, at);
        }
        assert_int_equal(pwrite(fd, &out.ptr[at], 1, (off_t)at), 1);
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(read_bytes(out.ptr, out.len), CH_OK);
    ch_buf_deinit(&out);
}

static void each_cut_is_found(void **state)
{
    struct ch_buf out = {0};
    (void)state;
    make_bundle(&out);
    for (size_t len = 0; len < out.len; len += len < 1000 ? NEXT_CUT : NEXT_CUT_LATER) {
        assert_int_equal(read_bytes(out.ptr, len), CH_ERR_LOG_CORRUPT);
    }
    assert_int_equal(read_bytes(out.ptr, out.len - 1), CH_ERR_LOG_CORRUPT);
    ch_buf_put(&out, "", 1); /* and something behind the end */
    assert_int_equal(read_bytes(out.ptr, out.len), CH_ERR_LOG_CORRUPT);
    ch_buf_deinit(&out);
}

/* Where the item of this place in the file begins. */
static size_t item_at(const struct ch_buf *out, size_t place)
{
    size_t at = sizeof "charterd bundle 1\n" - 1;
    while (place-- > 0) {
        at += 5 + ch_get_le32(out->ptr + at + 1) + 4;
    }
    return at;
}

/* Good items in a place where they may not stand, or not with that number. */
static void items_out_of_their_place_are_found(void **state)
{
    struct ch_buf out = {0};
    (void)state;
    make_bundle(&out);
    for (size_t from = 0; from < RECORDS + 5; from++) {
        const size_t begin = item_at(&out, from);
        const size_t end = item_at(&out, from + 1);
        for (size_t to = 0; to <= RECORDS + 5; to += 4) {
            struct ch_buf other = {0};
            const size_t place = item_at(&out, to);
            ch_buf_put(&other, out.ptr, place);
            ch_buf_put(&other, out.ptr + begin, end - begin);
            ch_buf_put(&other, out.ptr + place, out.len - place);
            assert_int_equal(read_bytes(other.ptr, other.len), CH_ERR_LOG_CORRUPT);
            ch_buf_deinit(&other);
        }
        if (end == out.len || out.ptr[begin] != CH_BUNDLE_RECORD || from + 1 == RECORDS + 3)
            continue;
        struct ch_buf other = {
            0}; /* and one that is gone; the last of a kind is the end's to miss */
        ch_buf_put(&other, out.ptr, begin);
        ch_buf_put(&other, out.ptr + end, out.len - end);
        assert_int_equal(read_bytes(other.ptr, other.len), CH_ERR_LOG_CORRUPT);
        ch_buf_deinit(&other);
    }
    ch_buf_deinit(&out);
}

static void texts_of_another_form_are_refused(void **state)
{
    static const char *const heads[] = {"",          "size 1",         "size \n",  "size 01\n",
                                        "size -1\n", "size 1\nmore\n", "Size 1\n", "size 1 \n"};
    static const char *const ends[] = {
        "", "size 1\ncheckpoints 0\n", "size 1\ncheckpoints 0\nroot AAAA\n",
        "size 1\ncheckpoints x\nroot AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"};
    uint64_t size;
    struct ch_bundle_end end;
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        const struct ch_bytes content = {(const uint8_t *)heads[i], strlen(heads[i])};
        assert_false(ch_bundle_read_head(content, &size));
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const struct ch_bytes content = {(const uint8_t *)ends[i], strlen(ends[i])};
        assert_false(ch_bundle_read_end(content, &end));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(it_is_the_same_however_many_items_wait),
        cmocka_unit_test(each_flipped_bit_is_found),
        cmocka_unit_test(each_cut_is_found),
        cmocka_unit_test(items_out_of_their_place_are_found),
        cmocka_unit_test(texts_of_another_form_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
