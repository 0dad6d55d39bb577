/* test_json: msgpack as JSON, and back. SPDX-License-Identifier: MIT */
#include "schema/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "schema/codec.h"
#include "schema/pack.h"

static void assert_json(const struct ch_buf *msgpack, const char *json)
{
    struct ch_buf out = {0};
    struct ch_why why = {0};
    if (ch_json_write(&out, ch_buf_view(msgpack), 0, &why) != CH_OK) fail_msg("%s", why.text);
    ch_buf_put(&out, "", 1);
    assert_string_equal((const char *)out.ptr, json);
    ch_buf_deinit(&out);
}

static enum ch_err write_raw(const void *ptr, size_t len)
{
    struct ch_buf out = {0};
    enum ch_err err = ch_json_write(&out, (struct ch_bytes){ptr, len}, 0, NULL);
    ch_buf_deinit(&out);
    return err;
}

static void json_writes_every_kind_of_value(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    ch_pack_map(&buf, 5);
    ch_pack_chars(&buf, "id");
    ch_pack_bytes(&buf, (struct ch_bytes){(const uint8_t *)"\x00\x9f\xff", 3});
    ch_pack_chars(&buf, "number");
    ch_pack_uint(&buf, CH_MAX_INTEGER);
    ch_pack_chars(&buf, "none");
    ch_pack_nil(&buf);
    ch_pack_chars(&buf, "list");
    ch_pack_array(&buf, 2);
    ch_pack_bool(&buf, true);
    ch_pack_chars(&buf, "caf\xc3\xa9 \"x\"");
    ch_pack_chars(&buf, "empty");
    ch_pack_map(&buf, 0);
    assert_json(&buf, "{\"id\":\"009fff\",\"number\":9007199254740991,\"none\":null,"
                      "\"list\":[true,\"caf\xc3\xa9 \\\"x\\\"\"],\"empty\":{}}");
    ch_buf_deinit(&buf);
}

static void json_writes_negative_integers_and_floats(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x95, 0xff, 0xe0, 0xd0, 0x80, 0xd1, 0xff, 0x00, 0xcb,
                                    0x3f, 0xf8, 0,    0,    0,    0,    0,    0};
    struct ch_buf buf = {0};
    ch_buf_put(&buf, bytes, sizeof bytes);
    assert_json(&buf, "[-1,-32,-128,-256,1.5]");
    ch_buf_deinit(&buf);
}

static void json_refuses_what_has_no_json_form(void **state)
{
    (void)state;
    assert_int_equal(write_raw("\xcf\x80\0\0\0\0\0\0\0", 9), CH_ERR_OUT_OF_BOUNDS);
    assert_int_equal(write_raw("\xa1\xff", 2), CH_ERR_NOT_TEXT);
    assert_int_equal(write_raw("\x82\xa1x\x01\xa1x\x02", 7), CH_ERR_REPEATED_FIELD);
    assert_int_equal(write_raw("\x81\x01\x01", 3), CH_ERR_UNDECODABLE);
    assert_int_equal(write_raw("\x01\x02", 2), CH_ERR_UNDECODABLE);
    assert_int_equal(write_raw("\xd4\x01\x02", 3), CH_ERR_UNDECODABLE);
    assert_int_equal(write_raw("\xcb\x7f\xf0\0\0\0\0\0\0", 9), CH_ERR_OUT_OF_BOUNDS);
    assert_int_equal(write_raw("", 0), CH_ERR_UNDECODABLE);
}

static void json_refuses_every_cut_of_a_value(void **state)
{
    (void)state;
    static const char whole[] = "\x82\xa1x\x92\xc3\xc4\x02zz\xa2yy\xcd\x01\x00";
    for (size_t len = 0; len + 1 < sizeof whole; len++) {
        assert_int_not_equal(write_raw(whole, len), CH_OK);
    }
    assert_int_equal(write_raw(whole, sizeof whole - 1), CH_OK);
}

static void json_refuses_a_value_nested_too_deep(void **state)
{
    (void)state;
    uint8_t nested[64];
    memset(nested, 0x91, sizeof nested);
    nested[sizeof nested - 1] = 0x01;
    assert_int_not_equal(write_raw(nested, sizeof nested), CH_OK);
}

static void json_reads_a_record_with_bytes_as_hexadecimal_text(void **state)
{
    (void)state;
    const struct ch_record *record = &ch_calls[CH_CMD_import_advance].args;
    struct ch_buf map = {0};
    struct ch_arena arena = {0};
    struct ch_why why = {0};
    const char *json = "{\"line\": 7, \"digest\": "
                       "\"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\"}";
    if (ch_json_read_record(&map, record, ch_text_of(json), &why) != CH_OK) {
        fail_msg("%s", why.text);
    }
    struct ch_cmd_import_advance args;
    struct ch_cursor c = ch_cursor_of(ch_buf_view(&map));
    if (ch_decode_map(&c, record, "", &arena, &args, &why) != CH_OK) fail_msg("%s", why.text);
    assert_int_equal(args.line, 7);
    for (uint8_t i = 0; i < 32; i++) {
        assert_int_equal(args.digest.ptr[i], i);
    }
    ch_arena_deinit(&arena);
    ch_buf_deinit(&map);
}

static enum ch_err read_advance(const char *json, struct ch_why *why)
{
    struct ch_buf map = {0};
    *why = (struct ch_why){0};
    enum ch_err err =
        ch_json_read_record(&map, &ch_calls[CH_CMD_import_advance].args, ch_text_of(json), why);
    ch_buf_deinit(&map);
    return err;
}

static void json_names_the_field_that_a_record_does_not_take(void **state)
{
    (void)state;
    struct ch_why why;
    assert_int_equal(read_advance("{\"lines\": 7}", &why), CH_ERR_UNKNOWN_FIELD);
    assert_string_equal(why.field, "lines");
    assert_int_equal(read_advance("{\"digest\": \"0g\"}", &why), CH_ERR_WRONG_KIND);
    assert_string_equal(why.field, "digest");
    assert_int_equal(read_advance("{\"digest\": \"012\"}", &why), CH_ERR_WRONG_KIND);
    assert_int_equal(read_advance("{\"digest\": 12}", &why), CH_ERR_WRONG_KIND);
    assert_int_equal(read_advance("[]", &why), CH_ERR_WRONG_KIND);
    assert_int_equal(read_advance("{\"line\": 1, \"line\": 2}", &why), CH_ERR_UNDECODABLE);
    assert_int_equal(read_advance("{\"line\": 1", &why), CH_ERR_UNDECODABLE);
    assert_int_equal(read_advance("{\"line\": null}", &why), CH_OK);
}

static json_t *random_tree(unsigned *seed, int depth)
{
    const int kind = rand_r(seed) % (depth > 4 ? 5 : 7);
    char text[16];
    json_t *tree;
    switch (kind) {
    case 0: return json_null();
    case 1: return json_boolean(rand_r(seed) % 2);
    case 2: return json_integer((json_int_t)rand_r(seed) << (rand_r(seed) % 32));
    case 3: return json_integer(-(json_int_t)rand_r(seed));
    case 4: (void)snprintf(text, sizeof text, "\xc3\xa4%d", rand_r(seed)); return json_string(text);
    case 5:
        tree = json_array();
        for (int i = rand_r(seed) % 5; i > 0; i--) {
            json_array_append_new(tree, random_tree(seed, depth + 1));
        }
        return tree;
    default:
        tree = json_object();
        for (int i = rand_r(seed) % 5; i > 0; i--) {
            (void)snprintf(text, sizeof text, "k%d", i);
            json_object_set_new(tree, text, random_tree(seed, depth + 1));
        }
        return tree;
    }
}

static void json_gives_back_every_tree_that_was_packed(void **state)
{
    (void)state;
    unsigned seed = 20260801;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 2000; i++) {
        json_t *tree = random_tree(&seed, 0);
        json_t *back = NULL;
        struct ch_buf buf = {0};
        assert_int_equal(ch_json_pack(&buf, tree, NULL), CH_OK);
        assert_int_equal(ch_json_tree(ch_buf_view(&buf), &back, NULL), CH_OK);
        assert_true(json_equal(tree, back));
        json_decref(tree);
        json_decref(back);
        ch_buf_deinit(&buf);
    }
}

static void hex_reads_only_as_many_digits_as_asked_for(void **state)
{
    (void)state;
    uint8_t out[2];
    assert_true(ch_hex_read(ch_text_of("aF09"), out, 2));
    assert_int_equal(out[0], 0xaf);
    assert_int_equal(out[1], 0x09);
    assert_false(ch_hex_read(ch_text_of("aF0"), out, 2));
    assert_false(ch_hex_read(ch_text_of("aF0900"), out, 2));
    assert_false(ch_hex_read(ch_text_of("a 09"), out, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_writes_every_kind_of_value),
        cmocka_unit_test(json_writes_negative_integers_and_floats),
        cmocka_unit_test(json_refuses_what_has_no_json_form),
        cmocka_unit_test(json_refuses_every_cut_of_a_value),
        cmocka_unit_test(json_refuses_a_value_nested_too_deep),
        cmocka_unit_test(json_reads_a_record_with_bytes_as_hexadecimal_text),
        cmocka_unit_test(json_names_the_field_that_a_record_does_not_take),
        cmocka_unit_test(json_gives_back_every_tree_that_was_packed),
        cmocka_unit_test(hex_reads_only_as_many_digits_as_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
