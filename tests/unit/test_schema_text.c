/* test_schema_text: UTF-8, names, times and ids as text. SPDX-License-Identifier: MIT */
#include "schema/text.h"

#include <stdio.h>
#include <time.h>

#include "tests/unit/schema_samples.h"

struct text_case {
    const char *chars;
    bool clean;
    bool name;
};

static void utf_8_is_taken_when_it_is_well_formed_and_without_controls(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"", true, false},
        {"a", true, true},
        {"J\xc3\xbcrgen \xe6\xbc\xa2 \xf0\x9f\x99\x82", true, true},
        {"\xc2\xa1", true, true},     /* first after the C1 controls and the odd space */
        {"\xdf\xbf", true, true},     /* last of two bytes */
        {"\xe0\xa0\x80", true, true}, /* first of three */
        {"\xed\x9f\xbf", true, true}, /* last before the surrogates */
        {"\xee\x80\x80", true, true}, /* first after them */
        {"\xef\xbf\xbd", true, true},
        {"\xf0\x90\x80\x80", true, true},   /* first of four */
        {"\xf4\x8f\xbf\xbf", true, true},   /* last of all */
        {"\xf4\x90\x80\x80", false, false}, /* behind it */
        {"\xf5\x80\x80\x80", false, false}, /* no such head */
        {"\xed\xa0\x80", false, false},     /* a surrogate */
        {"\xed\xbf\xbf", false, false},     /* the last one */
        {"\xc0\x80", false, false},         /* overlong NUL */
        {"\xc1\xbf", false, false},         /* overlong DEL */
        {"\xe0\x9f\xbf", false, false},     /* overlong, three bytes */
        {"\xf0\x8f\xbf\xbf", false, false}, /* overlong, four bytes */
        {"\x80", false, false},             /* a tail without a head */
        {"\xc3", false, false},             /* a head without its tail */
        {"\xe6\xbc", false, false},
        {"\xf0\x9f\x99", false, false},
        {"\xc3(", false, false},
        {"a\tb", false, false},      /* C0 */
        {"a\x7f", false, false},     /* DEL */
        {"a\xc2\x80", false, false}, /* first of C1 */
        {"a\xc2\x9f", false, false}, /* last of C1 */
        {" a", true, false},
        {"a ", true, false},
        {"a b", true, true},
        {" ", true, false},
        {"a\xc2\xa0z", true, false},     /* no-break space */
        {"a\xc2\xadz", true, false},     /* soft hyphen */
        {"a\xe2\x80\x8bz", true, false}, /* zero width space */
        {"a\xe2\x80\x8fz", true, false}, /* right-to-left mark */
        {"a\xe2\x80\x90z", true, true},  /* a hyphen, just beside */
        {"a\xe2\x80\xa8z", true, false}, /* line separator */
        {"a\xe2\x80\xaez", true, false}, /* right-to-left override */
        {"a\xe2\x80\xb0z", true, true},  /* per mille, just beside */
        {"a\xe2\x81\xa6z", true, false}, /* left-to-right isolate */
        {"a\xe3\x80\x80z", true, false}, /* ideographic space */
        {"a\xef\xbb\xbfz", true, false}, /* byte order mark */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ch_bytes exact =
            sample_exact((struct ch_bytes){(const uint8_t *)cases[i].chars, strlen(cases[i].chars)},
                         strlen(cases[i].chars));
        struct ch_text text = {(const char *)exact.ptr, exact.len};
        if (ch_text_is_clean(text) != cases[i].clean || ch_text_is_name(text) != cases[i].name) {
            print_message("case %zu\n", i);
        }
        assert_int_equal(ch_text_is_clean(text), cases[i].clean);
        assert_int_equal(ch_text_is_name(text), cases[i].name);
        sample_free(exact);
    }
    assert_true(ch_text_is_clean((struct ch_text){NULL, 0}));
    assert_false(ch_text_is_name((struct ch_text){NULL, 0}));
    assert_false(ch_text_is_clean((struct ch_text){"a\0b", 3}));
}

/* What RFC 3629 says, from the code point's side. */
static size_t put_code(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t heads[4] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(heads[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++) {
        out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    }
    return more + 1;
}

static void every_code_point_is_judged_as_its_number_says(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        char chars[4];
        size_t len = put_code(code, chars);
        bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        bool line = code == '\n' || code == '\t'; /* which a text of several lines may have */
        assert_int_equal(ch_text_is_clean((struct ch_text){chars, len}), !control && !surrogate);
        assert_int_equal(ch_text_is_passage((struct ch_text){chars, len}),
                         line || (!control && !surrogate));
        for (size_t cut = 1; cut < len; cut++) {
            assert_false(ch_text_is_clean((struct ch_text){chars, cut}));
        }
    }
}

static bool folds(bool (*fold)(char *chars, size_t len), const char *from, const char *to)
{
    char chars[64];
    size_t len = strlen(from);
    memcpy(chars, from, len + 1);
    return fold(chars, len) && strcmp(chars, to) == 0;
}

static void names_are_compared_in_small_letters(void **state)
{
    (void)state;
    assert_true(folds(ch_username_fold, "Ann.B_9-x", "ann.b_9-x"));
    assert_true(folds(ch_username_fold, "AZaz09", "azaz09"));
    assert_false(folds(ch_username_fold, "", ""));
    assert_false(folds(ch_username_fold, "a b", "a b"));
    assert_false(folds(ch_username_fold, "a@b", "a@b"));
    assert_false(folds(ch_username_fold, "a/b", "a/b"));
    assert_false(folds(ch_username_fold, "\xc3\x84", "\xc3\x84"));
    assert_true(folds(ch_email_fold, "Ann@Example.ORG", "ann@example.org"));
    assert_true(folds(ch_email_fold, "J\xc3\x9cRG@b", "j\xc3\x9crg@b")); /* ASCII only */
    assert_true(folds(ch_email_fold, "a@b", "a@b"));
    assert_false(folds(ch_email_fold, "a@", "a@"));
    assert_false(folds(ch_email_fold, "@b", "@b"));
    assert_false(folds(ch_email_fold, "ab", "ab"));
    assert_false(folds(ch_email_fold, "a@b@c", "a@b@c"));
    assert_false(folds(ch_email_fold, "a b@c", "a b@c"));
    assert_false(folds(ch_email_fold, "", ""));
}

static void domains_are_taken_in_ascii_form(void **state)
{
    (void)state;
    assert_true(folds(ch_domain_fold, "Mail.Example.ORG", "mail.example.org"));
    assert_true(folds(ch_domain_fold, "a-b.c1.de", "a-b.c1.de"));
    assert_true(folds(ch_domain_fold, "3com.com", "3com.com"));
    assert_true(folds(ch_domain_fold, "xn--bcher-kva.example", "xn--bcher-kva.example"));
    assert_true(folds(ch_domain_fold, "xn--fiqs8s.xn--fiqs8s", "xn--fiqs8s.xn--fiqs8s"));
    assert_true(folds(ch_domain_fold, "xn--80akhbyknj4f.de", "xn--80akhbyknj4f.de"));
    static const char *const bad[] = {
        "",
        "org",
        ".org",
        "a..org",
        "a.org.",
        "-a.org",
        "a-.org",
        "a b.org",
        "a_b.org",
        "a@b.org",
        "192.0.2.1",
        "a.1",
        "bÃ¼.de",
        "ab--cd.org",
        "xn--.org",
        "xn--a-.org",
        "xn---a.org",
        "xn--99999999.org",
        "xn--a-b-.org",
        "a/b.org",
        "xn--zzzzzzzzzzzzzzzzz.org",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (folds(ch_domain_fold, bad[i], bad[i])) fail_msg("taken: %s", bad[i]);
    }
    char label[80];
    memset(label, 'a', sizeof label);
    memcpy(label + 63, ".org", 4); /* NOLINT(bugprone-not-null-terminated-result): has a length */
    assert_true(ch_domain_fold(label, 67));
    memset(label, 'a', sizeof label);
    memcpy(label + 64, ".org", 4); /* NOLINT(bugprone-not-null-terminated-result): has a length */
    assert_false(ch_domain_fold(label, 68));
}

static uint64_t read_time(const char *chars)
{
    uint64_t ns = UINT64_MAX;
    return ch_time_read(ch_text_of(chars), &ns) ? ns : UINT64_MAX;
}

static void times_agree_with_the_c_library(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    for (int round = 0; round < 20000; round++) {
        const uint64_t ns = sample_next(&s) % (SAMPLE_LAST_MOMENT + 1);
        const uint64_t whole = round % 2 == 0 ? ns - ns % 1000000000u : ns;
        const time_t seconds = (time_t)(whole / 1000000000u);
        struct tm parts;
        assert_non_null(gmtime_r(&seconds, &parts));
        char expected[CH_TIME_TEXT_BYTES + 1];
        size_t len = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
        if (whole % 1000000000u != 0) {
            len += (size_t)snprintf(expected + len, sizeof expected - len, ".%09u",
                                    (unsigned)(whole % 1000000000u));
        }
        (void)snprintf(expected + len, sizeof expected - len, "Z");
        char text[CH_TIME_TEXT_BYTES];
        assert_int_equal(ch_time_write(whole, text), len + 1);
        assert_string_equal(text, expected);
        assert_int_equal(read_time(text), whole);
        assert_int_equal((uint64_t)timegm(&parts), whole / 1000000000u);
    }
}

static void every_day_is_read_as_the_c_library_counts_it(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 106650; day++) { /* 1970 to 2261 */
        char text[CH_TIME_TEXT_BYTES];
        (void)ch_time_write(day * 86400u * 1000000000u, text);
        struct tm parts = {0};
        assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts));
        assert_int_equal((uint64_t)timegm(&parts), day * 86400);
        assert_int_equal(read_time(text), day * 86400u * 1000000000u);
    }
}

static void times_of_other_forms_are_read_or_refused(void **state)
{
    (void)state;
    const uint64_t t = read_time("2018-08-23T04:11:39Z");
    assert_int_equal(t, UINT64_C(1534997499000000000));
    assert_int_equal(read_time("2018-08-23t04:11:39z"), t);
    assert_int_equal(read_time("2018-08-23T06:11:39+02:00"), t);
    assert_int_equal(read_time("2018-08-22T22:41:39-05:30"), t);
    assert_int_equal(read_time("2018-08-23T04:11:39-00:00"), t);
    assert_int_equal(read_time("2018-08-23T04:11:39.5Z"), t + 500000000);
    assert_int_equal(read_time("2018-08-23T04:11:39.000000001Z"), t + 1);
    assert_int_equal(read_time("2016-12-31T23:59:60Z"), read_time("2017-01-01T00:00:00Z"));
    assert_int_equal(read_time("2000-02-29T00:00:00Z"), UINT64_C(951782400000000000));
    assert_int_equal(read_time("1970-01-01T00:00:00Z"), 0);
    static const char *const refused[] = {
        "",
        "2018-08-23",
        "2018-08-23T04:11:39",
        "2018-08-23 04:11:39Z",
        "2018-08-23T04:11:39ZZ",
        "2018-08-23T04:11:39.Z",
        "2018-08-23T04:11:39.1234567890Z",
        "2018-08-23T04:11:39,5Z",
        "2018-08-23T04:11:39+0200",
        "2018-08-23T04:11:39+02:0",
        "2018-08-23T04:11:39+24:00",
        "2018-08-23T04:11:39+02:60",
        "2018-08-23T04:11:61Z",
        "2018-08-23T04:60:39Z",
        "2018-08-23T24:11:39Z",
        "2018-02-29T04:11:39Z",
        "1900-02-29T04:11:39Z",
        "2100-02-29T04:11:39Z",
        "2018-04-31T04:11:39Z",
        "2018-13-01T04:11:39Z",
        "2018-00-01T04:11:39Z",
        "2018-01-00T04:11:39Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "2262-01-01T00:00:00Z",
        "+018-08-23T04:11:39Z",
        "2018-8-23T04:11:39ZZ",
        "201 -08-23T04:11:39Z",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (read_time(refused[i]) != UINT64_MAX) print_message("%s was read\n", refused[i]);
        assert_int_equal(read_time(refused[i]), UINT64_MAX);
    }
}

static void no_part_of_a_time_is_a_time_and_none_is_read_beyond_its_end(void **state)
{
    (void)state;
    const char whole[] = "2018-08-23T04:11:39.123456789+02:00";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct ch_bytes cut =
            sample_exact((struct ch_bytes){(const uint8_t *)whole, sizeof whole - 1}, len);
        uint64_t ns;
        assert_false(ch_time_read((struct ch_text){(const char *)cut.ptr, cut.len}, &ns));
        sample_free(cut);
    }
}

static void ids_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    static const char *const prefixes[] = {"acc", "usr", "shr", "grp", "rol"};
    for (int round = 0; round < 20000; round++) {
        const uint64_t id = round < 100 ? (uint64_t)round : sample_number(&s, CH_MAX_INTEGER);
        const char *prefix = prefixes[round % 5];
        char text[CH_ID_TEXT_BYTES];
        size_t len = ch_id_write(prefix, id, text);
        assert_int_equal(len, strlen(text));
        uint64_t read = UINT64_MAX;
        assert_true(ch_id_read(prefix, (struct ch_text){text, len}, &read));
        assert_int_equal(read, id);
        assert_false(ch_id_read(prefixes[(round + 1) % 5], (struct ch_text){text, len}, &read));
        assert_false(ch_id_read(prefix, (struct ch_text){text, len - 1}, &read) && read == id);
    }
    char text[CH_ID_TEXT_BYTES];
    assert_int_equal(ch_id_write("acc", UINT64_MAX, text), 18);
    uint64_t read;
    assert_false(ch_id_read("acc", ch_text_of(""), &read));
    assert_false(ch_id_read("acc", ch_text_of("acc_"), &read));
    assert_false(ch_id_read("acc", ch_text_of("acc_0"), &read));
    assert_false(ch_id_read("acc", ch_text_of("acc_zzzzzzzzzzzzzzz"), &read));
}

static void one_wrong_character_or_two_that_changed_places_are_found(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    for (int round = 0; round < 300; round++) {
        char text[CH_ID_TEXT_BYTES];
        size_t len = ch_id_write("usr", sample_number(&s, CH_MAX_INTEGER), text);
        uint64_t read;
        for (size_t i = 4; i < len; i++) {
            const char was = text[i];
            for (size_t k = 0; k < sizeof letters - 1; k++) {
                if (letters[k] == was) continue;
                text[i] = letters[k];
                assert_false(ch_id_read("usr", (struct ch_text){text, len}, &read));
            }
            text[i] = was;
        }
        for (size_t i = 4; i + 2 < len; i++) {
            if (text[i] == text[i + 1]) continue;
            const char first = text[i];
            text[i] = text[i + 1];
            text[i + 1] = first;
            assert_false(ch_id_read("usr", (struct ch_text){text, len}, &read));
            text[i + 1] = text[i];
            text[i] = first;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf_8_is_taken_when_it_is_well_formed_and_without_controls),
        cmocka_unit_test(every_code_point_is_judged_as_its_number_says),
        cmocka_unit_test(names_are_compared_in_small_letters),
        cmocka_unit_test(domains_are_taken_in_ascii_form),
        cmocka_unit_test(times_agree_with_the_c_library),
        cmocka_unit_test(every_day_is_read_as_the_c_library_counts_it),
        cmocka_unit_test(times_of_other_forms_are_read_or_refused),
        cmocka_unit_test(no_part_of_a_time_is_a_time_and_none_is_read_beyond_its_end),
        cmocka_unit_test(ids_are_read_as_they_were_written),
        cmocka_unit_test(one_wrong_character_or_two_that_changed_places_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
