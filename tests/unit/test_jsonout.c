/* test_jsonout: JSON that a program prints is whole, or an error. SPDX-License-Identifier: MIT */
#include "tools/lib/jsonout.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void bytes_that_are_not_utf8_are_shown(void **state)
{
    (void)state;
    static const struct {
        const char *text, *as;
    } cases[] = {
        {"", ""},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"a\xff"
         "b\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6",
         "a?b\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6"},
        {"\xc3\xa9\xc3", "\xc3\xa9?"},
        {"\xe2\x82x", "??x"},
        {"\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", "?????????"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *string = jsonout_string(cases[i].text);
        assert_non_null(string);
        assert_string_equal(json_string_value(string), cases[i].as);
        json_decref(string);
    }
}

static size_t left; /* allocations that succeed */

static void *allocate(size_t bytes)
{
    if (left == 0) return NULL;
    left--;
    return malloc(bytes);
}

static bool print_some(FILE *file)
{
    json_t *tree = json_object();
    json_t *list = json_array();
    jsonout_add(&list, jsonout_string("one"));
    jsonout_add(&list, json_integer(2));
    jsonout_put(&tree, "text", jsonout_string("\xff"));
    jsonout_put(&tree, "list", list);
    jsonout_put(&tree, "end", json_true());
    return jsonout_print("test", file, tree, JSON_COMPACT);
}

/* Without memory at any place nothing is left out in silence. */
static void without_memory_it_is_an_error(void **state)
{
    (void)state;
    static const char whole[] = "{\"text\":\"?\",\"list\":[\"one\",2],\"end\":true}\n";
    json_set_alloc_funcs(allocate, free);
    bool good = false;
    size_t most = 0;
    while (!good) {
        char text[256];
        FILE *file = tmpfile();
        assert_non_null(file);
        assert_true(most < 1000);
        left = most++;
        good = print_some(file);
        rewind(file);
        const size_t len = fread(text, 1, sizeof text - 1, file);
        text[len] = '\0';
        if (good) assert_string_equal(text, whole);
        (void)fclose(file);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(most > 5);
}

static void what_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "we");
    assert_non_null(full);
    assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
    assert_false(print_some(full));
    (void)fclose(full);
    assert_false(jsonout_print("test", stderr, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_not_utf8_are_shown),
        cmocka_unit_test(without_memory_it_is_an_error),
        cmocka_unit_test(what_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
