/* test_clean: text from elsewhere steers no terminal. SPDX-License-Identifier: MIT */
#include "tools/lib/clean.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void prints(const char *text, const char *as)
{
    char *out = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&out, &len);
    assert_non_null(to);
    clean_print(to, ch_text_of(text));
    assert_int_equal(fclose(to), 0);
    assert_string_equal(out, as);
    free(out);
}

static void text_stays_as_it_is(void **state)
{
    (void)state;
    prints("", "");
    prints("plain text, 1 + 2 = 3", "plain text, 1 + 2 = 3");
    prints("Zo\u00eb \u00c2\u00a9\u00a0\u4f60 \U0001f600",
           "Zo\u00eb \u00c2\u00a9\u00a0\u4f60 \U0001f600");
}

static void no_control_character_gets_through(void **state)
{
    (void)state;
    prints("a\nb\tc\rd", "a?b?c?d");
    prints("\x1b[31mred\x7f", "?[31mred?");
    prints("\xc2\x9b"
           "31m",
           "??31m"); /* CSI as one character */
    prints("\xc2\x80\xc2\x9f", "????");
    prints("\xc2", "\xc2");                                 /* cut short, it begins nothing */
    prints("\xc3\x9b\xe2\x80\x9b", "\xc3\x9b\xe2\x80\x9b"); /* parts of other characters */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(no_control_character_gets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
