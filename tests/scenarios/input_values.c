/* input_values: bad values by the kind of an argument; see input.h. SPDX-License-Identifier: MIT */
#include "schema/base/check.h"
#include "schema/pack.h"
#include "tests/scenarios/input.h"

struct maker {
    const struct ch_field *field;
    struct ch_field one; /* of a list's items, while the list itself is tried */
    const struct ch_kind *kind;
    input_try_fn *try_one;
    void *arg;
    struct ch_buf item; /* one value of the kind */
    struct ch_buf whole;
};

static const uint64_t two_53 = (uint64_t)1 << 53;

/* Tries the value in `item`; of a list, as its only item. */
static void put(struct maker *m, const char *what, enum input_expect expect, const char *code)
{
    ch_buf_reset(&m->whole);
    if (m->field->list) ch_pack_array(&m->whole, 1);
    ch_buf_put(&m->whole, m->item.ptr, m->item.len);
    const struct input_value value = {what, ch_buf_view(&m->whole), expect, code};
    m->try_one(m->arg, &value);
    ch_buf_reset(&m->item);
}

static void fails(struct maker *m, const char *what, enum ch_err err)
{
    put(m, what, INPUT_FAILS, ch_err_code(err));
}

static void raw(struct maker *m, const char *bytes, size_t len)
{
    ch_buf_put(&m->item, bytes, len);
}

/* ---- another kind of value ------------------------------------------------------------------ */

static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    enum ch_value_kind kind;
} of_kinds[] = {
    {"nil", "\xc0", 1, CH_VALUE_NIL},
    {"true", "\xc3", 1, CH_VALUE_BOOL},
    {"7", "\x07", 1, CH_VALUE_UINT},
    {"-1", "\xff", 1, CH_VALUE_NEGATIVE},
    {"-2^31", "\xd2\x80\x00\x00\x00", 5, CH_VALUE_NEGATIVE},
    {"5 in a signed form", "\xd0\x05", 2, CH_VALUE_NEGATIVE},
    {"1.5", "\xca\x3f\xc0\x00\x00", 5, CH_VALUE_FLOAT},
    {"5.0", "\xcb\x40\x14\x00\x00\x00\x00\x00\x00", 9, CH_VALUE_FLOAT},
    {"text", "\xa1x", 2, CH_VALUE_TEXT},
    {"bytes", "\xc4\x01x", 3, CH_VALUE_BIN},
    {"an array", "\x91\x05", 2, CH_VALUE_ARRAY},
    {"a map", "\x81\xa1x\x05", 4, CH_VALUE_MAP},
};

static bool takes(enum ch_form form, enum ch_value_kind kind)
{
    switch (form) {
    case CH_FORM_FLAG: return kind == CH_VALUE_BOOL;
    case CH_FORM_UINT:
    case CH_FORM_ID: return kind == CH_VALUE_UINT;
    case CH_FORM_REF: return kind == CH_VALUE_UINT || kind == CH_VALUE_TEXT;
    case CH_FORM_MOMENT:
    case CH_FORM_TEXT:
    case CH_FORM_NAME:
    case CH_FORM_NAMED:
    case CH_FORM_SECRET:
    case CH_FORM_SCOPE:
    case CH_FORM_ENUM: return kind == CH_VALUE_TEXT;
    case CH_FORM_SCOPES: return kind == CH_VALUE_ARRAY;
    case CH_FORM_BYTES: return kind == CH_VALUE_BIN;
    case CH_FORM_VALUE: return true;
    case CH_FORM_RECORD: return kind == CH_VALUE_MAP;
    }
    return false;
}

static void wrong_kinds(struct maker *m)
{
    for (size_t i = 0; i < sizeof of_kinds / sizeof of_kinds[0]; i++) {
        if (takes(m->kind->form, of_kinds[i].kind)) continue;
        raw(m, of_kinds[i].bytes, of_kinds[i].len);
        fails(m, of_kinds[i].what, CH_ERR_WRONG_KIND);
    }
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* `before`, what is odd, and `after`; filled up with letters so that its length is none of its
 * faults. */
static void odd_text(struct maker *m, const char *before, struct ch_text odd, const char *after)
{
    char chars[512];
    size_t len = 0;
    for (; *before != '\0'; before++) {
        chars[len++] = *before;
    }
    memcpy(chars + len, odd.ptr, odd.len);
    len += odd.len;
    for (; *after != '\0'; after++) {
        chars[len++] = *after;
    }
    ch_pack_text(&m->item, (struct ch_text){chars, len});
}

static void texts_of(struct maker *m, const char *what, const char *const *odd, size_t count,
                     enum ch_err err)
{
    for (size_t i = 0; i < count; i++) {
        odd_text(m, "abcdefgh", ch_text_of(odd[i]), "ij");
        fails(m, what, err);
        odd_text(m, "abcdefgh", ch_text_of(odd[i]), "");
        fails(m, what, err);
    }
}
#define TEXTS(m, what, err, ...)                                                                   \
    do {                                                                                           \
        static const char *const odd_[] = {__VA_ARGS__};                                           \
        texts_of((m), (what), odd_, sizeof odd_ / sizeof odd_[0], (err));                          \
    } while (false)

static void whole_texts(struct maker *m, const char *what, const char *const *text, size_t count,
                        enum ch_err err)
{
    for (size_t i = 0; i < count; i++) {
        ch_pack_chars(&m->item, text[i]);
        fails(m, what, err);
    }
}
#define WHOLE(m, what, err, ...)                                                                   \
    do {                                                                                           \
        static const char *const text_[] = {__VA_ARGS__};                                          \
        whole_texts((m), (what), text_, sizeof text_ / sizeof text_[0], (err));                    \
    } while (false)

static void text_of_length(struct maker *m, size_t len)
{
    static char letters[20000];
    memset(letters, 'a', sizeof letters);
    CH_CHECK(len <= sizeof letters);
    ch_pack_text(&m->item, (struct ch_text){letters, len});
}

static void lengths(struct maker *m)
{
    if (m->kind->least > 0) {
        text_of_length(m, 0);
        fails(m, "an empty text", CH_ERR_OUT_OF_BOUNDS);
    }
    if (m->kind->least > 1) {
        text_of_length(m, (size_t)m->kind->least - 1);
        fails(m, "a text that is too short", CH_ERR_OUT_OF_BOUNDS);
    }
    text_of_length(m, (size_t)m->kind->most + 1);
    fails(m, "a text that is one byte too long", CH_ERR_OUT_OF_BOUNDS);
}

/* source: RFC 3629: a byte that begins nothing, a lone continuation, a cut sequence, overlong
 * forms, a surrogate, beyond U+10FFFF */
static void bad_utf8(struct maker *m)
{
    TEXTS(m, "no UTF-8", CH_ERR_NOT_TEXT, "\xff", "\x80", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf",
          "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80");
}

static void controls(struct maker *m)
{
    odd_text(m, "abcdefgh", (struct ch_text){"\0", 1}, "ij");
    fails(m, "a zero byte", CH_ERR_NOT_TEXT);
    TEXTS(m, "a control character", CH_ERR_NOT_TEXT, "\x01", "\x08", "\x0b", "\r", "\x1b", "\x1f",
          "\x7f", "\xc2\x80", "\xc2\x85", "\xc2\x9f");
    if (m->field->kind == CH_KIND_passage) return;
    TEXTS(m, "a line feed or tab", CH_ERR_NOT_TEXT, "\n", "\t");
}

/* What looks like a plain space, or like nothing. source: Unicode White_Space and
 * Default_Ignorable_Code_Point, one of each range and its ends */
static void odd_spaces(struct maker *m)
{
    TEXTS(m, "odd white space", CH_ERR_NOT_TEXT, "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
          "\xe2\x80\x83", "\xe2\x80\x87", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
          "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xe2\xa0\x80");
    TEXTS(m, "an invisible mark", CH_ERR_NOT_TEXT, "\xc2\xad", "\xcd\x8f", "\xd8\x9c",
          "\xe1\x85\x9f", "\xe1\x85\xa0", "\xe1\x9e\xb4", "\xe1\x9e\xb5", "\xe1\xa0\x8b",
          "\xe1\xa0\x8e", "\xe1\xa0\x8f", "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d",
          "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa0",
          "\xe2\x81\xa4", "\xe2\x81\xa6", "\xe2\x81\xaf", "\xe3\x85\xa4", "\xef\xb8\x80",
          "\xef\xb8\x8f", "\xef\xbb\xbf", "\xef\xbe\xa0", "\xef\xbf\xb0", "\xef\xbf\xb8",
          "\xf0\x9b\xb2\xa0", "\xf0\x9d\x85\xb3", "\xf0\x9d\x85\xba", "\xf3\xa0\x80\x80",
          "\xf3\xa0\x80\xa0", "\xf3\xa0\xbf\xbf");
    WHOLE(m, "a space at an end", CH_ERR_NOT_TEXT, " abcdefgh", "abcdefgh ", "         ");
}

/* The forms that a kind of text has beside its bytes. */
static void forms(struct maker *m)
{
    switch (m->field->kind) {
    case CH_KIND_label: WHOLE(m, "a path", CH_ERR_OUT_OF_BOUNDS, "a/b", "/", "a/"); break;
    case CH_KIND_username:
        WHOLE(m, "no username", CH_ERR_OUT_OF_BOUNDS, "a b", "a/b", "a@b", "a+b", "\xc3\xa4", "a,b",
              "\xd0\xb0");
        break;
    case CH_KIND_email:
        WHOLE(m, "no e-mail address", CH_ERR_OUT_OF_BOUNDS, "abc", "@abc", "abc@", "a@b@c", "a b@c",
              "a@b c");
        break;
    case CH_KIND_domain:
        WHOLE(m, "no domain", CH_ERR_OUT_OF_BOUNDS, "localhost", "a..bc", ".abcd", "abc.d.",
              "-a.bc", "a-.bc", "a_b.cd", "10.0.0.1", "a b.cd", "\xc3\xa4.bcd", "xn--.bcd",
              "ab--c.de");
        break;
    default: break;
    }
}

static bool is_free(const struct maker *m)
{
    return m->field->kind == CH_KIND_line || m->field->kind == CH_KIND_passage ||
           m->field->kind == CH_KIND_story || m->field->kind == CH_KIND_remark ||
           m->kind->form == CH_FORM_SECRET;
}

static void texts(struct maker *m)
{
    lengths(m);
    bad_utf8(m);
    controls(m);
    if (!is_free(m)) odd_spaces(m);
    forms(m);
}

/* ---- numbers, times, closed sets ------------------------------------------------------------ */

static void number(struct maker *m, uint64_t value, const char *what, enum input_expect expect,
                   const char *code)
{
    ch_pack_uint(&m->item, value);
    put(m, what, expect, code);
}

static void numbers(struct maker *m)
{
    const char *beyond = ch_err_code(CH_ERR_OUT_OF_BOUNDS);
    number(m, two_53, "2^53", INPUT_FAILS, beyond);
    number(m, UINT64_MAX, "2^64 - 1", INPUT_FAILS, beyond);
    const bool id = m->kind->form == CH_FORM_ID;
    number(m, 0, "0", id ? INPUT_REFUSED : INPUT_EITHER, "not_found");
    number(m, two_53 - 1, "2^53 - 1", id ? INPUT_REFUSED : INPUT_EITHER, "not_found");
}

static void references(struct maker *m)
{
    const char *beyond = ch_err_code(CH_ERR_OUT_OF_BOUNDS);
    number(m, 0, "0", INPUT_FAILS, beyond);
    number(m, two_53, "2^53", INPUT_FAILS, beyond);
    number(m, UINT64_MAX, "2^64 - 1", INPUT_FAILS, beyond);
    number(m, two_53 - 1, "an id of nothing", INPUT_REFUSED, "not_found");
    texts(m);
    static const char *const nobody[] = {"nothing-of-this-name", "a/b/c/d", "nobody@example.org",
                                         "/", "\xd0\xb0nn"};
    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
        ch_pack_chars(&m->item, nobody[i]);
        put(m, "a name of nothing", INPUT_REFUSED, "not_found");
    }
}

static void moments(struct maker *m)
{
    WHOLE(m, "no time", CH_ERR_OUT_OF_BOUNDS, "", "now", "2020-01-01", "2020-01-01T00:00:00",
          "2020-13-01T00:00:00Z", "2021-02-29T00:00:00Z", "2020-01-01T24:00:00Z",
          "1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "2020-01-01T00:00:00.0123456789Z",
          "2020-01-01T00:00:00Zx", "1577836800", "-001-01-01T00:00:00Z");
    static const char *const taken[] = {"1970-01-01T00:00:00Z", "2261-12-31T23:59:59Z"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        ch_pack_chars(&m->item, taken[i]);
        put(m, "a time far away", INPUT_EITHER, NULL);
    }
}

static void scope_sets(struct maker *m)
{
    static const char *const odd[] = {"", "no.such", "Lists.read", "lists.read ", "lists", "*"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        ch_pack_array(&m->item, 1);
        ch_pack_chars(&m->item, odd[i]);
        fails(m, "no scope", CH_ERR_OUT_OF_BOUNDS);
    }
    raw(m, "\x91\x05", 2);
    fails(m, "a number among scopes", CH_ERR_WRONG_KIND);
    ch_pack_array(&m->item, CH_MAX_SCOPE + 2);
    for (uint32_t i = 0; i < CH_MAX_SCOPE + 2; i++) {
        ch_pack_chars(&m->item, "lists.read");
    }
    fails(m, "more items than there can be scopes", CH_ERR_OUT_OF_BOUNDS);
    ch_pack_array(&m->item, 0);
    put(m, "no scopes", INPUT_EITHER, NULL);
}

static void bytes(struct maker *m)
{
    static const uint8_t zero[65] = {0};
    const size_t len = (size_t)m->kind->most;
    CH_CHECK(len < sizeof zero);
    ch_pack_bytes(&m->item, (struct ch_bytes){zero, len + 1});
    fails(m, "a byte too many", CH_ERR_OUT_OF_BOUNDS);
    ch_pack_bytes(&m->item, (struct ch_bytes){zero, len - 1});
    fails(m, "a byte too few", CH_ERR_OUT_OF_BOUNDS);
    ch_pack_bytes(&m->item, (struct ch_bytes){zero, 0});
    fails(m, "no bytes", CH_ERR_OUT_OF_BOUNDS);
}

static void values(struct maker *m)
{
    wrong_kinds(m);
    switch (m->kind->form) {
    case CH_FORM_FLAG: break;
    case CH_FORM_UINT:
    case CH_FORM_ID: numbers(m); break;
    case CH_FORM_MOMENT: moments(m); break;
    case CH_FORM_TEXT:
    case CH_FORM_NAME:
    case CH_FORM_NAMED:
    case CH_FORM_SECRET: texts(m); break;
    case CH_FORM_REF: references(m); break;
    case CH_FORM_SCOPES: scope_sets(m); break;
    case CH_FORM_BYTES: bytes(m); break;
    case CH_FORM_ENUM:
    case CH_FORM_SCOPE:
        WHOLE(m, "none of its values", CH_ERR_OUT_OF_BOUNDS, "", "none-of-these", "LIST", "web ",
              "\xff");
        break;
    case CH_FORM_VALUE:
    case CH_FORM_RECORD: CH_CHECK(m->kind->form != CH_FORM_RECORD); break;
    }
}

/* A list itself: something else, and one item more than it takes. */
static void lists(struct maker *m)
{
    const struct ch_field *field = m->field;
    m->one = (struct ch_field){.name = field->name, .kind = field->kind};
    m->field = &m->one;
    for (size_t i = 0; i < sizeof of_kinds / sizeof of_kinds[0]; i++) {
        if (of_kinds[i].kind == CH_VALUE_ARRAY) continue;
        raw(m, of_kinds[i].bytes, of_kinds[i].len);
        fails(m, of_kinds[i].what, CH_ERR_WRONG_KIND);
    }
    ch_pack_array(&m->item, field->max + 1);
    for (uint32_t i = 0; i <= field->max; i++) {
        ch_pack_nil(&m->item);
    }
    fails(m, "one item too many", CH_ERR_OUT_OF_BOUNDS);
    ch_pack_array(&m->item, 0);
    put(m, "an empty list", INPUT_EITHER, NULL);
    m->field = field;
}

void input_values(const struct ch_field *field, input_try_fn *try_one, void *arg)
{
    struct maker m = {
        .field = field, .kind = &ch_kinds[field->kind], .try_one = try_one, .arg = arg};
    if (field->list) lists(&m);
    values(&m);
    ch_buf_deinit(&m.item);
    ch_buf_deinit(&m.whole);
}

void input_values_of_on(input_try_fn *try_one, void *arg)
{
    const struct ch_field on = {.name = "on", .name_len = 2, .kind = CH_KIND_account_ref};
    input_values(&on, try_one, arg);
}
