/* test_schema_codec: every kind of field, and every record of the .def rows, both ways.
 * SPDX-License-Identifier: MIT */
#include "schema/codec.h"

#include "schema/pack.h"
#include "tests/unit/schema_samples.h"

/* A record of each type is enough where the sanitizers look at every decode. */
#ifdef CH_SLOW_CHECKS
enum { FLIP_ROUNDS = 1 };
#else
enum { FLIP_ROUNDS = 3 };
#endif
enum { ROUNDS = 60, OBJECT_BYTES = 4096 };

/* Aligned room for any record. */
union object {
    uint64_t align;
    uint8_t bytes[OBJECT_BYTES];
};

/* A record of one field of this kind; the field's number goes into `field`. */
struct one {
    struct ch_field field;
    struct ch_record record;
};

static struct one *of_kind(struct one *one, uint8_t kind)
{
    *one = (struct one){
        .field = {.name = "x", .name_len = 1, .kind = kind, .offset = 0},
        .record = {.name = "sample", .fields = &one->field, .count = 1, .size = 64},
    };
    return one;
}

/* Reads {x: raw} (wire) or [raw] (log) as a record of one field. */
static enum ch_err read_one(uint8_t kind, bool wire, struct ch_bytes raw, union object *object,
                            struct ch_arena *arena, struct ch_why *why)
{
    struct one one;
    struct ch_buf buf = {0};
    of_kind(&one, kind);
    if (wire) {
        ch_pack_map(&buf, 1);
        ch_pack_chars(&buf, "x");
    } else {
        ch_pack_array(&buf, 1);
    }
    ch_buf_put(&buf, raw.ptr, raw.len);
    char *kept = ch_arena_copy(arena, buf.ptr, buf.len); /* the texts read are views of it */
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){(const uint8_t *)kept, buf.len});
    ch_buf_deinit(&buf);
    *why = (struct ch_why){0};
    return wire ? ch_decode_map(&c, &one.record, "calls[2].args", arena, object, why)
                : ch_decode_list(&c, &one.record, arena, object, why);
}

struct kinds_fixture {
    struct ch_arena arena;
    union object object;
    struct ch_why why;
};

static void expect_raw(struct kinds_fixture *f, uint8_t kind, bool wire, struct ch_bytes raw,
                       enum ch_err expected)
{
    enum ch_err err = read_one(kind, wire, raw, &f->object, &f->arena, &f->why);
    if (err != expected) {
        print_message("kind %s, wire %d: %s\n", ch_kinds[kind].name, wire, f->why.text);
    }
    assert_int_equal(err, expected);
    if (err == CH_OK || !wire) return;
    assert_int_equal(f->why.err, expected);
    assert_string_equal(f->why.field, "calls[2].args.x");
    assert_true(f->why.text[0] != '\0');
}

static void expect_uint(struct kinds_fixture *f, uint8_t kind, bool wire, uint64_t value,
                        enum ch_err expected)
{
    struct ch_buf buf = {0};
    ch_pack_uint(&buf, value);
    expect_raw(f, kind, wire, ch_buf_view(&buf), expected);
    ch_buf_deinit(&buf);
}

static void expect_chars(struct kinds_fixture *f, uint8_t kind, struct ch_text text,
                         enum ch_err expected)
{
    struct ch_buf buf = {0};
    ch_pack_text(&buf, text);
    expect_raw(f, kind, /* wire= */ true, ch_buf_view(&buf), expected);
    ch_buf_deinit(&buf);
}

static void expect_text(struct kinds_fixture *f, uint8_t kind, const char *chars,
                        enum ch_err expected)
{
    expect_chars(f, kind, ch_text_of(chars), expected);
}

/* `len` letters; an e-mail address has its @ in them. */
static struct ch_text letters(struct kinds_fixture *f, uint8_t kind, size_t len)
{
    char *chars = ch_arena_take(&f->arena, len + 1);
    memset(chars, 'a', len);
    if (kind == CH_KIND_email && len > 1) chars[1] = '@';
    for (size_t i = 1; kind == CH_KIND_domain && i + 1 < len; i += 60) {
        chars[i] = '.';
    }
    return (struct ch_text){chars, len};
}

static void numbers_are_taken_up_to_their_bounds_and_no_further(void **state)
{
    (void)state;
    struct kinds_fixture f = {0};
    for (int number = 0; number < CH_KINDS; number++) {
        const uint8_t kind = (uint8_t)number;
        const enum ch_form form = ch_kinds[kind].form;
        if (form != CH_FORM_UINT && form != CH_FORM_ID) continue;
        for (int wire = 0; wire < 2; wire++) {
            expect_uint(&f, kind, wire == 1, ch_kinds[kind].least, CH_OK);
            expect_uint(&f, kind, wire == 1, ch_kinds[kind].most, CH_OK);
            uint64_t read;
            memcpy(&read, f.object.bytes, sizeof read);
            assert_int_equal(read, ch_kinds[kind].most);
            expect_uint(&f, kind, wire == 1, ch_kinds[kind].most + 1, CH_ERR_OUT_OF_BOUNDS);
            expect_uint(&f, kind, wire == 1, UINT64_MAX, CH_ERR_OUT_OF_BOUNDS);
        }
    }
    expect_uint(&f, CH_KIND_moment, false, CH_MAX_TIME, CH_OK);
    expect_uint(&f, CH_KIND_moment, false, CH_MAX_TIME + 1, CH_ERR_OUT_OF_BOUNDS);
    ch_arena_deinit(&f.arena);
}

static void texts_are_taken_up_to_their_bounds_and_no_further(void **state)
{
    (void)state;
    struct kinds_fixture f = {0};
    for (int number = 0; number < CH_KINDS; number++) {
        const uint8_t kind = (uint8_t)number;
        const enum ch_form form = ch_kinds[kind].form;
        if (form != CH_FORM_TEXT && form != CH_FORM_NAME && form != CH_FORM_NAMED &&
            form != CH_FORM_REF) {
            continue;
        }
        const size_t least = (size_t)ch_kinds[kind].least;
        const size_t most = (size_t)ch_kinds[kind].most;
        expect_chars(&f, kind, letters(&f, kind, least), CH_OK);
        expect_chars(&f, kind, letters(&f, kind, most), CH_OK);
        expect_chars(&f, kind, letters(&f, kind, most + 1), CH_ERR_OUT_OF_BOUNDS);
        if (least > 0) {
            expect_chars(&f, kind, letters(&f, kind, least - 1), CH_ERR_OUT_OF_BOUNDS);
        }
        expect_text(&f, kind, "ab\x80@cd", CH_ERR_NOT_TEXT);
        const bool lines = kind == CH_KIND_passage;
        expect_text(&f, kind, "ab\n@cd", lines ? CH_OK : CH_ERR_NOT_TEXT);
        expect_text(&f, kind, "ab\t@cd", lines ? CH_OK : CH_ERR_NOT_TEXT);
        expect_text(&f, kind, "ab\r@cd", CH_ERR_NOT_TEXT);
        expect_text(&f, kind, "ab\x7f@cd", CH_ERR_NOT_TEXT);
        if (form == CH_FORM_TEXT || kind == CH_KIND_remark) continue;
        expect_text(&f, kind, " ab@cd", CH_ERR_NOT_TEXT);
        expect_text(&f, kind, "ab@cd ", CH_ERR_NOT_TEXT);
        expect_text(&f, kind, "a\xc2\xa0@cd", CH_ERR_NOT_TEXT);
    }
    ch_arena_deinit(&f.arena);
}

static void texts_of_one_form_are_refused_when_they_have_another(void **state)
{
    (void)state;
    struct kinds_fixture f = {0};
    expect_text(&f, CH_KIND_label, "a/b", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_name, "a/b", CH_OK);
    expect_text(&f, CH_KIND_username, "a b", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_username, "\xc3\xa9", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_username, "Ann.B-2_", CH_OK);
    assert_true(ch_text_is(((struct ch_named *)&f.object)->text, "ann.b-2_"));
    expect_text(&f, CH_KIND_email, "a@@b", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_email, "@ab", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_email, "ab@", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_email, "abc", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_email, "Ann@Example.COM", CH_OK);
    assert_true(ch_text_is(((struct ch_named *)&f.object)->text, "Ann@Example.COM"));
    ch_arena_deinit(&f.arena);
}

static void a_reference_is_an_id_from_one_or_a_name(void **state)
{
    (void)state;
    struct kinds_fixture f = {0};
    static const uint8_t refs[] = {CH_KIND_account_ref, CH_KIND_user_ref, CH_KIND_group_ref,
                                   CH_KIND_role_ref, CH_KIND_page_ref};
    for (size_t i = 0; i < sizeof refs; i++) {
        expect_uint(&f, refs[i], true, 0, CH_ERR_OUT_OF_BOUNDS);
        expect_uint(&f, refs[i], true, 1, CH_OK);
        expect_uint(&f, refs[i], true, CH_MAX_INTEGER, CH_OK);
        assert_int_equal(((struct ch_ref *)&f.object)->id, CH_MAX_INTEGER);
        expect_uint(&f, refs[i], true, CH_MAX_INTEGER + 1, CH_ERR_OUT_OF_BOUNDS);
        expect_text(&f, refs[i], "north/east", CH_OK);
        assert_int_equal(((struct ch_ref *)&f.object)->id, 0);
        expect_raw(&f, refs[i], true, (struct ch_bytes){(const uint8_t *)"\xc3", 1},
                   CH_ERR_WRONG_KIND);
    }
    ch_arena_deinit(&f.arena);
}

static void times_scopes_and_values_of_enums_go_by_name_on_the_wire(void **state)
{
    (void)state;
    struct kinds_fixture f = {0};
    expect_text(&f, CH_KIND_moment, "1970-01-01T00:00:00Z", CH_OK);
    expect_text(&f, CH_KIND_moment, "2261-12-31T23:59:59.999999999Z", CH_OK);
    uint64_t read;
    memcpy(&read, f.object.bytes, sizeof read);
    assert_int_equal(read, SAMPLE_LAST_MOMENT);
    expect_text(&f, CH_KIND_moment, "2262-01-01T00:00:00Z", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_moment, "now", CH_ERR_OUT_OF_BOUNDS);
    expect_uint(&f, CH_KIND_moment, true, 0, CH_ERR_WRONG_KIND);
    expect_text(&f, CH_KIND_scope, "campaigns.send", CH_OK);
    assert_int_equal(f.object.bytes[0], CH_SCOPE_campaigns_send);
    expect_text(&f, CH_KIND_scope, "campaigns.sent", CH_ERR_OUT_OF_BOUNDS);
    expect_text(&f, CH_KIND_scope, "", CH_ERR_OUT_OF_BOUNDS);
    expect_uint(&f, CH_KIND_scope, true, 1, CH_ERR_WRONG_KIND);
    for (int number = 0; number < CH_KINDS; number++) {
        const uint8_t kind = (uint8_t)number;
        if (ch_kinds[kind].form != CH_FORM_ENUM) continue;
        for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
            expect_text(&f, kind, v->name, CH_OK);
            assert_int_equal(f.object.bytes[0], v->number);
        }
        expect_text(&f, kind, "?", CH_ERR_OUT_OF_BOUNDS);
        expect_text(&f, kind, "", CH_ERR_OUT_OF_BOUNDS);
        expect_uint(&f, kind, true, 0, CH_ERR_WRONG_KIND);
        expect_uint(&f, kind, false, 254, CH_OK); /* a later log may hold more */
        expect_uint(&f, kind, false, 255, CH_ERR_OUT_OF_BOUNDS);
    }
    ch_arena_deinit(&f.arena);
}

static void a_set_of_scopes_in_the_log_is_ascending(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[6];
        size_t len;
        enum ch_err err;
    } cases[] = {
        {{0x90}, 1, CH_OK},
        {{0x92, 0, 127}, 3, CH_OK},
        {{0x92, 5, 5}, 3, CH_ERR_UNDECODABLE},
        {{0x92, 6, 5}, 3, CH_ERR_UNDECODABLE},
        {{0x91, 0xcc, 0x80}, 3, CH_ERR_OUT_OF_BOUNDS},
        {{0x91, 0xa1, 'x'}, 3, CH_ERR_WRONG_KIND},
        {{0x05}, 1, CH_ERR_WRONG_KIND},
    };
    struct kinds_fixture f = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_raw(&f, CH_KIND_scope_set, false, (struct ch_bytes){cases[i].bytes, cases[i].len},
                   cases[i].err);
    }
    /* on the wire the order is free, and a scope may stand twice */
    static const char *const names[] = {"smtp.use", "lists.read", "smtp.use"};
    struct ch_buf buf = {0};
    ch_pack_array(&buf, 3);
    for (size_t i = 0; i < 3; i++) {
        ch_pack_chars(&buf, names[i]);
    }
    expect_raw(&f, CH_KIND_scope_set, true, ch_buf_view(&buf), CH_OK);
    struct ch_scopes both =
        ch_scopes_or(ch_scopes_of(CH_SCOPE_smtp_use), ch_scopes_of(CH_SCOPE_lists_read));
    assert_memory_equal(&f.object, &both, sizeof both);
    ch_buf_reset(&buf);
    ch_pack_array(&buf, 129);
    for (size_t i = 0; i < 129; i++) {
        ch_pack_chars(&buf, "smtp.use");
    }
    expect_raw(&f, CH_KIND_scope_set, true, ch_buf_view(&buf), CH_ERR_OUT_OF_BOUNDS);
    ch_buf_deinit(&buf);
    ch_arena_deinit(&f.arena);
}

static void bytes_have_their_length(void **state)
{
    (void)state;
    struct kinds_fixture f = {0};
    static const uint8_t zeros[65537];
    for (int number = 0; number < CH_KINDS; number++) {
        const uint8_t kind = (uint8_t)number;
        if (ch_kinds[kind].form != CH_FORM_BYTES) continue;
        const size_t lens[] = {(size_t)ch_kinds[kind].least, (size_t)ch_kinds[kind].most,
                               (size_t)ch_kinds[kind].most + 1, (size_t)ch_kinds[kind].least - 1};
        for (size_t i = 0; i < 4; i++) {
            if (lens[i] > sizeof zeros) continue; /* below nothing */
            struct ch_buf buf = {0};
            ch_pack_bytes(&buf, (struct ch_bytes){zeros, lens[i]});
            expect_raw(&f, kind, true, ch_buf_view(&buf), i < 2 ? CH_OK : CH_ERR_OUT_OF_BOUNDS);
            ch_buf_deinit(&buf);
        }
        expect_text(&f, kind, "0123456789abcdef", CH_ERR_WRONG_KIND);
    }
    ch_arena_deinit(&f.arena);
}

/* What no field takes but `value`: each other kind of msgpack value. */
static void every_kind_refuses_values_of_other_kinds(void **state)
{
    (void)state;
    static const struct {
        enum ch_value_kind is;
        uint8_t bytes[9];
        size_t len;
    } values[] = {
        {CH_VALUE_NIL, {0xc0}, 1},          {CH_VALUE_BOOL, {0xc3}, 1},
        {CH_VALUE_UINT, {0x01}, 1},         {CH_VALUE_NEGATIVE, {0xff}, 1},
        {CH_VALUE_FLOAT, {0xcb, 0x3f}, 9},  {CH_VALUE_TEXT, {0xa1, 'a'}, 2},
        {CH_VALUE_BIN, {0xc4, 0x01, 0}, 3}, {CH_VALUE_ARRAY, {0x90}, 1},
        {CH_VALUE_MAP, {0x80}, 1},
    };
    struct kinds_fixture f = {0};
    for (int number = 0; number < CH_KINDS; number++) {
        const uint8_t kind = (uint8_t)number;
        const enum ch_form form = ch_kinds[kind].form;
        if (form == CH_FORM_RECORD) continue;
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            const enum ch_value_kind is = values[i].is;
            bool fits = form == CH_FORM_VALUE || (form == CH_FORM_FLAG && is == CH_VALUE_BOOL) ||
                        ((form == CH_FORM_UINT || form == CH_FORM_ID) && is == CH_VALUE_UINT) ||
                        (form == CH_FORM_REF && (is == CH_VALUE_UINT || is == CH_VALUE_TEXT)) ||
                        (form == CH_FORM_SCOPES && is == CH_VALUE_ARRAY) ||
                        (form == CH_FORM_BYTES && is == CH_VALUE_BIN) || is == CH_VALUE_TEXT;
            if (fits) continue; /* bounds are other tests' */
            expect_raw(&f, kind, true, (struct ch_bytes){values[i].bytes, values[i].len},
                       CH_ERR_WRONG_KIND);
        }
    }
    ch_arena_deinit(&f.arena);
}

static enum ch_err read_args(const char *type, const char *bytes, size_t len, struct ch_why *why)
{
    struct ch_arena arena = {0};
    union object object;
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){(const uint8_t *)bytes, len});
    const struct ch_record *record = &ch_calls[ch_call_find(ch_text_of(type))].args;
    enum ch_err err = ch_decode_map(&c, record, "calls[0].args", &arena, &object, why);
    ch_arena_deinit(&arena);
    return err;
}

#define ARGS(type, literal, why) read_args(type, "" literal, sizeof(literal) - 1, why)

static void a_field_that_is_wrong_is_named_with_its_path(void **state)
{
    (void)state;
    struct ch_why why;
    assert_int_equal(ARGS("account.open_sub", "\x80", &why), CH_ERR_MISSING_FIELD);
    assert_string_equal(why.field, "calls[0].args.name");
    assert_int_equal(ARGS("account.open_sub", "\x82\xa4name\xa1z\xa4nome\xa1z", &why),
                     CH_ERR_UNKNOWN_FIELD);
    assert_string_equal(why.field, "calls[0].args.nome");
    assert_int_equal(ARGS("account.open_sub", "\x82\xa4name\xa1z\xa4name\xa1z", &why),
                     CH_ERR_REPEATED_FIELD);
    assert_string_equal(why.field, "calls[0].args.name");
    assert_int_equal(ARGS("account.open_sub", "\x81\xa4name\x07", &why), CH_ERR_WRONG_KIND);
    assert_string_equal(why.field, "calls[0].args.name");
    assert_int_equal(ARGS("account.open_sub", "\x81\xa4name\xa0", &why), CH_ERR_OUT_OF_BOUNDS);
    assert_string_equal(why.field, "calls[0].args.name");
    assert_int_equal(ARGS("account.open_sub", "\x81\xa4name\xa3zz", &why), CH_ERR_UNDECODABLE);
    assert_int_equal(ARGS("account.open_sub", "\x81\x01\xa1z", &why), CH_ERR_WRONG_KIND);
    assert_string_equal(why.field, "calls[0].args");
    assert_int_equal(ARGS("account.open_sub", "\x91\xa1z", &why), CH_ERR_WRONG_KIND);
    assert_string_equal(why.field, "calls[0].args");
    /* nil is not the same as absent */
    assert_int_equal(ARGS("account.close",
                          "\x81\xa5"
                          "below\xc0",
                          &why),
                     CH_ERR_WRONG_KIND);
    assert_string_equal(why.field, "calls[0].args.below");
    assert_int_equal(ARGS("account.close", "\x80", &why), CH_OK);
}

static void a_list_holds_as_many_items_as_its_row_says(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    struct ch_why why;
    for (uint32_t items = 64; items <= 65; items++) {
        ch_buf_reset(&buf);
        ch_pack_map(&buf, 1);
        ch_pack_chars(&buf, "pages");
        ch_pack_array(&buf, items);
        for (uint32_t i = 0; i < items; i++) {
            ch_pack_uint(&buf, i + 1);
        }
        enum ch_err err = read_args("share.restrict", (const char *)buf.ptr, buf.len, &why);
        assert_int_equal(err, items == 64 ? CH_OK : CH_ERR_OUT_OF_BOUNDS);
    }
    assert_string_equal(why.field, "calls[0].args.pages");
    ch_buf_deinit(&buf);
}

static void an_unclean_or_long_key_is_shown_as_clean_text(void **state)
{
    (void)state;
    struct ch_why why;
    assert_int_equal(ARGS("account.close", "\x81\xa2\xff\xfe\xc0", &why), CH_ERR_UNKNOWN_FIELD);
    assert_true(ch_text_is_clean(ch_text_of(why.text)));
    assert_true(ch_text_is_clean(ch_text_of(why.field)));
    struct ch_buf buf = {0};
    ch_pack_map(&buf, 1);
    ch_pack_chars(&buf, "0123456789012345678901234567890123456789\xc3\xa9\xc3\xa9");
    ch_pack_nil(&buf);
    for (size_t from = 0; from < 2; from++) {
        memmove(buf.ptr + 3, buf.ptr + 3 + from, buf.len - 3 - from);
        assert_int_equal(read_args("account.close", (const char *)buf.ptr, buf.len, &why),
                         CH_ERR_UNKNOWN_FIELD);
        assert_true(ch_text_is_clean(ch_text_of(why.text)));
        assert_true(ch_text_is_clean(ch_text_of(why.field)));
    }
    ch_buf_deinit(&buf);
}

/* Each record there is, in the form it has. */
typedef void each_fn(struct sampler *s, const struct ch_record *record);

static void each_record(struct sampler *s, bool wire, each_fn *fn)
{
    s->wire = wire;
    for (int type = 0; wire && type < CH_CALL_TYPES; type++) {
        fn(s, &ch_calls[type].args);
        fn(s, &ch_calls[type].result);
    }
    for (int tag = 0; !wire && tag < CH_EVENT_TAGS; tag++) {
        if (ch_events[tag].record.name != NULL) fn(s, &ch_events[tag].record);
    }
}

static void encode(const struct sampler *s, struct ch_buf *buf, const struct ch_record *record,
                   const void *object)
{
    ch_buf_reset(buf);
    if (s->wire) {
        ch_encode_map(buf, record, object);
    } else {
        ch_encode_list(buf, record, object);
    }
    CH_CHECK(!buf->failed);
}

/* The whole of `bytes` as the record; what follows it is a failure, too. */
static enum ch_err decode(struct sampler *s, struct ch_bytes bytes, const struct ch_record *record,
                          void *object)
{
    struct ch_cursor c = ch_cursor_of(bytes);
    struct ch_why why;
    c.canonical = !s->wire;
    enum ch_err err = s->wire ? ch_decode_map(&c, record, "x", &s->arena, object, &why)
                              : ch_decode_list(&c, record, &s->arena, object, &why);
    if (err == CH_OK && c.at != c.end) return CH_ERR_UNDECODABLE;
    return err;
}

static void round_trip(struct sampler *s, const struct ch_record *record)
{
    struct ch_buf buf = {0};
    struct ch_buf again = {0};
    assert_true(record->size <= OBJECT_BYTES);
    for (int round = 0; round < ROUNDS; round++) {
        union object made;
        union object read;
        sample_record(s, record, &made);
        encode(s, &buf, record, &made);
        assert_int_equal(decode(s, ch_buf_view(&buf), record, &read), CH_OK);
        assert_same_record(record, &made, &read, /* personal= */ s->wire);
        encode(s, &again, record, &read);
        assert_true(ch_bytes_equal(ch_buf_view(&buf), ch_buf_view(&again)));
        ch_arena_reset(&s->arena);
    }
    ch_buf_deinit(&buf);
    ch_buf_deinit(&again);
}

static void a_field_of_every_kind_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    for (int wire = 0; wire < 2; wire++) {
        s.wire = wire == 1;
        for (int number = 0; number < CH_KINDS; number++) {
            const uint8_t kind = (uint8_t)number;
            struct one one;
            if (ch_kinds[kind].form != CH_FORM_RECORD) round_trip(&s, &of_kind(&one, kind)->record);
        }
    }
    ch_arena_deinit(&s.arena);
}

static void a_value_that_was_not_set_is_written_as_nil(void **state)
{
    (void)state;
    struct one one;
    struct ch_buf buf = {0};
    const union object object = {0};
    ch_encode_map(&buf, &of_kind(&one, CH_KIND_value)->record, &object);
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.ptr, "\x81\xa1x\xc0", 4);
    ch_buf_deinit(&buf);
}

static void every_record_of_the_wire_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    each_record(&s, true, round_trip);
    ch_arena_deinit(&s.arena);
}

static void the_fields_of_every_event_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    each_record(&s, false, round_trip);
    ch_arena_deinit(&s.arena);
}

/* What is read of it is written and read again as the same. */
static void flip_is_harmless(struct sampler *s, const struct ch_record *record,
                             struct ch_bytes bytes, struct ch_buf *again)
{
    union object read;
    union object third;
    if (decode(s, bytes, record, &read) != CH_OK) return;
    encode(s, again, record, &read);
    if (!s->wire) assert_true(ch_bytes_equal(bytes, ch_buf_view(again)));
    assert_int_equal(decode(s, ch_buf_view(again), record, &third), CH_OK);
    assert_same_record(record, &read, &third, s->wire);
}

/* The next byte that is tried: each, but in the middle of a record with a text of many thousand
 * bytes, which is read again for each of them, only some. */
static size_t next_byte(size_t at, size_t len)
{
    enum { LONG = 4096, EACH = 512, SOME = 31 };
    const bool middle = len > LONG && at >= EACH && at + EACH + SOME < len;
    return at + (middle ? SOME : 1);
}

static void cut_and_flip(struct sampler *s, const struct ch_record *record)
{
    struct ch_buf buf = {0};
    struct ch_buf again = {0};
    for (int round = 0; round < FLIP_ROUNDS; round++) {
        union object made;
        union object read;
        sample_record(s, record, &made);
        encode(s, &buf, record, &made);
        for (size_t len = 0; len < buf.len; len = next_byte(len, buf.len)) {
            struct ch_bytes cut = sample_exact(ch_buf_view(&buf), len);
            assert_int_not_equal(decode(s, cut, record, &read), CH_OK);
            sample_free(cut);
        }
        struct ch_bytes bytes = sample_exact(ch_buf_view(&buf), buf.len);
        uint8_t *flipped = (uint8_t *)(uintptr_t)bytes.ptr;
        for (size_t at = 0; at < bytes.len; at = next_byte(at, bytes.len)) {
            for (unsigned bit = 0; bit < 8; bit++) {
                flipped[at] ^= (uint8_t)(1u << bit);
                flip_is_harmless(s, record, bytes, &again);
                flipped[at] ^= (uint8_t)(1u << bit);
            }
        }
        sample_free(bytes);
        ch_arena_reset(&s->arena);
    }
    ch_buf_deinit(&buf);
    ch_buf_deinit(&again);
}

static void no_record_is_read_from_a_part_of_its_bytes_and_no_flipped_bit_does_harm(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    each_record(&s, true, cut_and_flip);
    each_record(&s, false, cut_and_flip);
    ch_arena_deinit(&s.arena);
}

static void an_arena_without_room_is_a_failure_not_a_crash(void **state)
{
    (void)state;
    struct ch_arena arena = {.limit_bytes = 8};
    struct ch_why why;
    union object object;
    const char bytes[] = "\x81\xa8username\xa9some.body"; /* its copy takes ten bytes */
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){(const uint8_t *)bytes, sizeof bytes - 1});
    assert_int_equal(
        ch_decode_map(&c, &ch_calls[CH_CMD_user_create].args, "", &arena, &object, &why),
        CH_ERR_NO_MEMORY);
    assert_string_equal(why.field, "username");
    ch_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_taken_up_to_their_bounds_and_no_further),
        cmocka_unit_test(texts_are_taken_up_to_their_bounds_and_no_further),
        cmocka_unit_test(texts_of_one_form_are_refused_when_they_have_another),
        cmocka_unit_test(a_reference_is_an_id_from_one_or_a_name),
        cmocka_unit_test(times_scopes_and_values_of_enums_go_by_name_on_the_wire),
        cmocka_unit_test(a_set_of_scopes_in_the_log_is_ascending),
        cmocka_unit_test(bytes_have_their_length),
        cmocka_unit_test(every_kind_refuses_values_of_other_kinds),
        cmocka_unit_test(a_field_that_is_wrong_is_named_with_its_path),
        cmocka_unit_test(a_list_holds_as_many_items_as_its_row_says),
        cmocka_unit_test(an_unclean_or_long_key_is_shown_as_clean_text),
        cmocka_unit_test(a_field_of_every_kind_is_read_as_it_was_written),
        cmocka_unit_test(a_value_that_was_not_set_is_written_as_nil),
        cmocka_unit_test(every_record_of_the_wire_is_read_as_it_was_written),
        cmocka_unit_test(the_fields_of_every_event_are_read_as_they_were_written),
        cmocka_unit_test(no_record_is_read_from_a_part_of_its_bytes_and_no_flipped_bit_does_harm),
        cmocka_unit_test(an_arena_without_room_is_a_failure_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
