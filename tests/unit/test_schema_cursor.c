/* test_schema_cursor: reading msgpack from bytes that nobody vouches for.
 * SPDX-License-Identifier: MIT */
#include "schema/cursor.h"

#include "schema/limits.h"
#include "tests/unit/schema_samples.h"

enum { DEEPER = 40 };

static struct ch_cursor over(const char *bytes, size_t len)
{
    return ch_cursor_of((struct ch_bytes){(const uint8_t *)bytes, len});
}

/* A cursor over the bytes of a string literal. */
#define OVER(literal) over("" literal, sizeof(literal) - 1)

struct uint_case {
    const char *bytes;
    size_t len;
    uint64_t value;
    bool canonical;
};
#define UINT(literal, value, canonical)                                                            \
    {                                                                                              \
        literal, sizeof(literal) - 1, value, canonical                                             \
    }

static void it_reads_every_form_of_an_unsigned_integer(void **state)
{
    (void)state;
    static const struct uint_case cases[] = {
        UINT("\x00", 0, true),
        UINT("\x7f", 127, true),
        UINT("\xcc\x80", 128, true),
        UINT("\xcc\x7f", 127, false),
        UINT("\xcc\xff", 255, true),
        UINT("\xcd\x01\x00", 256, true),
        UINT("\xcd\x00\xff", 255, false),
        UINT("\xcd\xff\xff", 65535, true),
        UINT("\xce\x00\x01\x00\x00", 65536, true),
        UINT("\xce\x00\x00\xff\xff", 65535, false),
        UINT("\xce\xff\xff\xff\xff", UINT32_MAX, true),
        UINT("\xcf\x00\x00\x00\x01\x00\x00\x00\x00", UINT64_C(0x100000000), true),
        UINT("\xcf\x00\x00\x00\x00\xff\xff\xff\xff", UINT32_MAX, false),
        UINT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", UINT64_MAX, true),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ch_cursor c = over(cases[i].bytes, cases[i].len);
        assert_int_equal(ch_cursor_peek(&c), CH_VALUE_UINT);
        assert_int_equal(ch_read_uint(&c), cases[i].value);
        assert_int_equal(c.err, CH_OK);
        assert_int_equal(ch_cursor_left(&c), 0);
        c = over(cases[i].bytes, cases[i].len);
        c.canonical = true;
        (void)ch_read_uint(&c);
        assert_int_equal(c.err, cases[i].canonical ? CH_OK : CH_ERR_UNDECODABLE);
    }
}

static void it_takes_no_signed_form_and_no_float_for_an_unsigned_integer(void **state)
{
    (void)state;
    struct ch_cursor cases[] = {OVER("\xff"),
                                OVER("\xd0\x01"),
                                OVER("\xd3\0\0\0\0\0\0\0\x01"),
                                OVER("\xcb\x3f\xf0\0\0\0\0\0\0"),
                                OVER("\xc0"),
                                OVER("\xa0")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ch_read_uint(&cases[i]), 0);
        assert_int_equal(cases[i].err, CH_ERR_WRONG_KIND);
    }
}

/* One length in its 8, 16 or 32 bit form, or 0 for the short form. */
static struct ch_bytes with_length(struct sampler *s, enum ch_value_kind kind, unsigned bits,
                                   size_t len, size_t body)
{
    uint8_t *out = ch_arena_take(&s->arena, body + 8);
    size_t at = 1;
    const uint8_t heads[3][4] = {
        {0xa0, 0xd9, 0xda, 0xdb}, {0xc4, 0xc4, 0xc5, 0xc6}, {0x90, 0xdc, 0xdc, 0xdd}};
    const uint8_t *row = heads[kind == CH_VALUE_TEXT ? 0 : kind == CH_VALUE_BIN ? 1 : 2];
    out[0] = bits == 0    ? (uint8_t)(row[0] + len)
             : bits == 8  ? row[1]
             : bits == 16 ? row[2]
                          : row[3];
    for (unsigned left = bits; left > 0; left -= 8) {
        out[at++] = (uint8_t)(len >> (left - 8));
    }
    memset(out + at, kind == CH_VALUE_ARRAY ? 0xc0 : 'x', body);
    return (struct ch_bytes){out, at + body};
}

static void lengths_are_read_in_every_form_and_only_the_shortest_is_canonical(void **state)
{
    (void)state;
    static const struct {
        enum ch_value_kind kind;
        unsigned bits;
        size_t len;
        bool canonical;
    } cases[] = {
        {CH_VALUE_TEXT, 0, 0, true},        {CH_VALUE_TEXT, 0, 31, true},
        {CH_VALUE_TEXT, 8, 31, false},      {CH_VALUE_TEXT, 8, 32, true},
        {CH_VALUE_TEXT, 8, 255, true},      {CH_VALUE_TEXT, 16, 255, false},
        {CH_VALUE_TEXT, 16, 256, true},     {CH_VALUE_TEXT, 32, 65535, false},
        {CH_VALUE_TEXT, 32, 65536, true},   {CH_VALUE_BIN, 8, 0, true},
        {CH_VALUE_BIN, 8, 255, true},       {CH_VALUE_BIN, 16, 255, false},
        {CH_VALUE_BIN, 16, 256, true},      {CH_VALUE_BIN, 32, 65535, false},
        {CH_VALUE_BIN, 32, 65536, true},    {CH_VALUE_ARRAY, 0, 15, true},
        {CH_VALUE_ARRAY, 16, 15, false},    {CH_VALUE_ARRAY, 16, 16, true},
        {CH_VALUE_ARRAY, 32, 65535, false}, {CH_VALUE_ARRAY, 32, 65536, true},
    };
    struct sampler s = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ch_bytes bytes =
            with_length(&s, cases[i].kind, cases[i].bits, cases[i].len, cases[i].len);
        for (int canonical = 0; canonical < 2; canonical++) {
            struct ch_cursor c = ch_cursor_of(bytes);
            c.canonical = canonical == 1;
            size_t len = cases[i].kind == CH_VALUE_TEXT  ? ch_read_text(&c).len
                         : cases[i].kind == CH_VALUE_BIN ? ch_read_bytes(&c).len
                                                         : ch_read_array(&c);
            bool good = canonical == 0 || cases[i].canonical;
            assert_int_equal(c.err, good ? CH_OK : CH_ERR_UNDECODABLE);
            assert_int_equal(len, good ? cases[i].len : 0);
        }
        /* one byte too few */
        struct ch_bytes cut = sample_exact(bytes, bytes.len - 1);
        struct ch_cursor c = ch_cursor_of(cut);
        struct ch_bytes whole = ch_read_value(&c);
        assert_int_equal(c.err, CH_ERR_UNDECODABLE);
        assert_null(whole.ptr);
        sample_free(cut);
    }
    ch_arena_deinit(&s.arena);
}

static void five_bytes_that_promise_four_billion_items_are_refused(void **state)
{
    (void)state;
    struct ch_cursor c = OVER("\xdd\x04\x00\x00\x00");
    assert_int_equal(ch_read_array(&c), 0);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
    c = OVER("\xdf\x04\x00\x00\x00");
    assert_int_equal(ch_read_map(&c), 0);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
    c = OVER("\xdd\x04\x00\x00\x00");
    assert_null(ch_read_value(&c).ptr);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
    c = OVER("\x82\x01\x01\x01"); /* the second pair lacks its value */
    assert_null(ch_read_value(&c).ptr);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
}

static void a_map_has_no_more_pairs_than_half_the_bytes_that_are_left(void **state)
{
    (void)state;
    struct ch_cursor c = OVER("\x82\x01\x01\x01\x01");
    assert_int_equal(ch_read_map(&c), 2);
    c = OVER("\x83\x01\x01\x01\x01\x01");
    assert_int_equal(ch_read_map(&c), 0);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
}

static void values_nest_as_deep_as_the_limit_and_no_deeper(void **state)
{
    (void)state;
    uint8_t bytes[DEEPER + 2];
    for (size_t depth = 1; depth <= DEEPER; depth++) {
        memset(bytes, 0x91, depth);
        bytes[depth] = 0x01;
        struct ch_cursor c = ch_cursor_of((struct ch_bytes){bytes, depth + 1});
        struct ch_bytes value = ch_read_value(&c);
        if (depth < LIMIT_DEPTH) {
            assert_int_equal(value.len, depth + 1);
        } else {
            assert_int_equal(c.err, CH_ERR_UNDECODABLE);
        }
    }
}

static void a_bomb_of_a_million_brackets_is_refused(void **state)
{
    (void)state;
    size_t len = 1 << 20;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 0x91, len);
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){bytes, len});
    assert_null(ch_read_value(&c).ptr);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
    memset(bytes, 0x81, len); /* maps whose keys are maps */
    c = ch_cursor_of((struct ch_bytes){bytes, len});
    assert_null(ch_read_value(&c).ptr);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
    free(bytes);
}

static void the_first_failure_stays_and_everything_after_it_reads_nothing(void **state)
{
    (void)state;
    struct ch_cursor c = OVER("\xa1x\x05\xc3\x91\x01");
    assert_int_equal(ch_read_uint(&c), 0);
    assert_int_equal(c.err, CH_ERR_WRONG_KIND);
    assert_int_equal(ch_cursor_left(&c), 0);
    assert_int_equal(ch_read_text(&c).len, 0);
    assert_int_equal(ch_read_uint(&c), 0);
    assert_false(ch_read_bool(&c));
    assert_int_equal(ch_read_array(&c), 0);
    assert_int_equal(ch_read_map(&c), 0);
    assert_null(ch_read_bytes(&c).ptr);
    assert_null(ch_read_value(&c).ptr);
    ch_read_nil(&c);
    assert_int_equal(ch_cursor_peek(&c), CH_VALUE_END);
    assert_int_equal(c.err, CH_ERR_WRONG_KIND);
}

static void nothing_is_read_from_no_bytes(void **state)
{
    (void)state;
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){NULL, 0});
    assert_int_equal(ch_cursor_peek(&c), CH_VALUE_END);
    assert_null(ch_read_value(&c).ptr);
    assert_int_equal(c.err, CH_ERR_UNDECODABLE);
}

static void a_value_is_skipped_whole_whatever_it_is(void **state)
{
    (void)state;
    struct ch_cursor cases[] = {
        OVER("\xc0"),
        OVER("\xc2"),
        OVER("\xc3"),
        OVER("\x7f"),
        OVER("\xe0"),
        OVER("\xd0\x80"),
        OVER("\xd1\x80\0"),
        OVER("\xd2\x80\0\0\0"),
        OVER("\xd3\x80\0\0\0\0\0\0\0"),
        OVER("\xca\0\0\0\0"),
        OVER("\xcb\0\0\0\0\0\0\0\0"),
        OVER("\xa3"
             "abc"),
        OVER("\xc4\x02\0\0"),
        OVER("\x90"),
        OVER("\x80"),
        OVER("\x93\x01\xc0\x82\xa1"
             "a\x01\xa1"
             "b\x91\x80"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = ch_cursor_left(&cases[i]);
        assert_int_equal(ch_read_value(&cases[i]).len, len);
        assert_int_equal(cases[i].err, CH_OK);
    }
}

static void extensions_and_the_byte_that_is_never_used_are_refused(void **state)
{
    (void)state;
    struct ch_cursor cases[] = {OVER("\xc1"), OVER("\xc7\x01\x01\x01"), OVER("\xd4\x01\x01"),
                                OVER("\xd8\x01"
                                     "0123456789abcdef"),
                                OVER("\x91\xd4\x01\x01")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(ch_read_value(&cases[i]).ptr);
        assert_int_equal(cases[i].err, CH_ERR_UNDECODABLE);
    }
}

static void random_bytes_never_lead_outside(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    for (int round = 0; round < 20000; round++) {
        struct ch_bytes bytes = sample_bytes(&s, 0, 40);
        struct ch_bytes exact = sample_exact(bytes, bytes.len);
        struct ch_cursor c = ch_cursor_of(exact);
        c.canonical = round % 2 == 1;
        while (c.err == CH_OK && c.at != c.end) {
            struct ch_bytes value = ch_read_value(&c);
            assert_true(c.err != CH_OK || value.len > 0);
        }
        assert_true(c.at == c.end);
        sample_free(exact);
        if (round % 256 == 0) ch_arena_reset(&s.arena);
    }
    ch_arena_deinit(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_every_form_of_an_unsigned_integer),
        cmocka_unit_test(it_takes_no_signed_form_and_no_float_for_an_unsigned_integer),
        cmocka_unit_test(lengths_are_read_in_every_form_and_only_the_shortest_is_canonical),
        cmocka_unit_test(five_bytes_that_promise_four_billion_items_are_refused),
        cmocka_unit_test(a_map_has_no_more_pairs_than_half_the_bytes_that_are_left),
        cmocka_unit_test(values_nest_as_deep_as_the_limit_and_no_deeper),
        cmocka_unit_test(a_bomb_of_a_million_brackets_is_refused),
        cmocka_unit_test(the_first_failure_stays_and_everything_after_it_reads_nothing),
        cmocka_unit_test(nothing_is_read_from_no_bytes),
        cmocka_unit_test(a_value_is_skipped_whole_whatever_it_is),
        cmocka_unit_test(extensions_and_the_byte_that_is_never_used_are_refused),
        cmocka_unit_test(random_bytes_never_lead_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
