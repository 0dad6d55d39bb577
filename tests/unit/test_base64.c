/* test_base64: the one encoding of each byte string. SPDX-License-Identifier: MIT */
#include "schema/base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static void the_samples_of_the_standard_hold_both_ways(void **state)
{
    (void)state;
    static const char *const samples[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"},
                                             {"\xff\xef\xfe", "/+/+"}};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct ch_text plain = ch_text_of(samples[i][0]);
        char text[16];
        uint8_t back[8];
        size_t len = 99;
        ch_base64_write((struct ch_bytes){(const uint8_t *)plain.ptr, plain.len}, text);
        assert_string_equal(text, samples[i][1]);
        assert_true(ch_base64_read(ch_text_of(text), back, sizeof back, &len));
        assert_int_equal(len, plain.len);
        assert_memory_equal(back, plain.ptr, len);
    }
}

static void text_that_is_no_encoding_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Zg",   "Zg=",    "Zh==", "Zm9=", "Zg==Zg==", "Z===",
                                      "====", "Zm9v\n", "Zm 9", "Zm-_", "Zm8==",    "=Zm8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t out[16];
        size_t len = 0;
        if (ch_base64_read(ch_text_of(bad[i]), out, sizeof out, &len)) fail_msg("%s", bad[i]);
    }
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    (void)state;
    uint8_t out[6];
    size_t len = 0;
    assert_true(ch_base64_read(ch_text_of("Zm9vYmFy"), out, 6, &len));
    assert_false(ch_base64_read(ch_text_of("Zm9vYmFy"), out, 5, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_samples_of_the_standard_hold_both_ways),
        cmocka_unit_test(text_that_is_no_encoding_is_refused),
        cmocka_unit_test(more_than_there_is_room_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
