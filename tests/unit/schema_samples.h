/* schema_samples: random objects of the .def rows, and their comparison, for tests.
 * SPDX-License-Identifier: MIT
 * The seed is CH_TEST_SEED from the environment, or a fixed one; each random test prints it. What
 * is made lives in the sampler's arena. */
#ifndef CH_TESTS_SCHEMA_SAMPLES_H
#define CH_TESTS_SCHEMA_SAMPLES_H
#include "schema/base/arena.h"
#include "schema/base/check.h"
#include "schema/codec.h"
#include "schema/event.h"
#include "schema/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* The last nanosecond whose text form is read back: 2261-12-31T23:59:59.999999999Z. */
#define SAMPLE_LAST_MOMENT UINT64_C(9214646399999999999)

struct sampler {
    uint64_t state;
    struct ch_arena arena;
    bool wire; /* values for the wire's form, not for the log's */
};

/* splitmix64. source: prng.di.unimi.it/splitmix64.c */
static inline uint64_t sample_next(struct sampler *s)
{
    uint64_t z = s->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint64_t sample_below(struct sampler *s, uint64_t bound)
{
    CH_CHECK(bound > 0);
    return sample_next(s) % bound;
}

/* From 0 to `most`, each number of bits as likely as another. */
static inline uint64_t sample_number(struct sampler *s, uint64_t most)
{
    uint64_t value = sample_next(s) >> sample_below(s, 64);
    return value <= most ? value : value % (most + 1);
}

static inline struct sampler sample_begin(const char *test)
{
    const char *given = getenv("CH_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20260702);
    print_message("%s: seed %llu\n", test, (unsigned long long)seed);
    return (struct sampler){.state = seed};
}

static inline struct ch_text sample_of_alphabet(struct sampler *s, const char *letters,
                                                size_t least, size_t most)
{
    size_t len = least + (size_t)sample_below(s, most - least + 1);
    char *chars = ch_arena_take(&s->arena, len + 1);
    size_t count = strlen(letters);
    for (size_t i = 0; i < len; i++) {
        chars[i] = letters[sample_below(s, count)];
    }
    return (struct ch_text){chars, len};
}

/* A name of one to four bytes a character; never white space at an end. */
static inline struct ch_text sample_name(struct sampler *s, size_t least, size_t most)
{
    static const char *const parts[] = {
        "a", "Z", "0", ".", "é", "ß", "€", "漢", "\xf0\x9f\x99\x82", "-", "_", "Ж", "x y", "n"};
    size_t want = least + (size_t)sample_below(s, most - least + 1);
    char *chars = ch_arena_take(&s->arena, want + 8);
    size_t len = 0;
    while (len < want) {
        const char *part = parts[sample_below(s, sizeof parts / sizeof parts[0])];
        size_t bytes = strlen(part);
        if (len + bytes > most) {
            part = "n";
            bytes = 1;
        }
        for (size_t i = 0; i < bytes; i++) {
            chars[len++] = part[i];
        }
    }
    return (struct ch_text){chars, len};
}

static inline struct ch_text sample_text(struct sampler *s, uint8_t number)
{
    const struct ch_kind *kind = &ch_kinds[number];
    size_t most = kind->most > 40 && sample_below(s, 16) != 0 ? 40 : (size_t)kind->most;
    if (number == CH_KIND_username) {
        return sample_of_alphabet(s, "abcxyz019._-", kind->least, most);
    }
    if (number == CH_KIND_email) {
        struct ch_text text = sample_of_alphabet(s, "abcXYZ019._-", 3, most);
        char *chars = ch_arena_copy(&s->arena, text.ptr, text.len);
        chars[1 + sample_below(s, text.len - 2)] = '@';
        return (struct ch_text){chars, text.len};
    }
    if (number == CH_KIND_passage) {
        return sample_of_alphabet(s, "ab<p> \n\t", kind->least, most);
    }
    if (number == CH_KIND_domain) {
        struct ch_text text = sample_of_alphabet(s, "abcxyz019", 4, most > 60 ? 60 : most);
        char *chars = ch_arena_copy(&s->arena, text.ptr, text.len);
        chars[text.len - 3] = '.';
        chars[text.len - 1] = 'd';
        return (struct ch_text){chars, text.len};
    }
    return sample_name(s, kind->least, most);
}

static inline uint8_t sample_scope(struct sampler *s)
{
    for (;;) {
        uint8_t scope = (uint8_t)sample_below(s, CH_MAX_SCOPE + 1);
        if (ch_scopes_table[scope].name != NULL) return scope;
    }
}

static inline uint8_t sample_enum(struct sampler *s, uint8_t kind)
{
    size_t count = 0;
    while (ch_kinds[kind].values[count].name != NULL) {
        count++;
    }
    return ch_kinds[kind].values[sample_below(s, count)].number;
}

static inline struct ch_bytes sample_bytes(struct sampler *s, size_t least, size_t most)
{
    size_t len = least + (size_t)sample_below(s, (most > 300 ? 300 : most) - least + 1);
    uint8_t *bytes = ch_arena_take(&s->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)sample_next(s);
    }
    return (struct ch_bytes){bytes, len};
}

static inline void sample_record(struct sampler *s, const struct ch_record *record, void *object);

static inline void sample_value(struct sampler *s, const struct ch_field *field, void *at)
{
    const struct ch_kind *kind = &ch_kinds[field->kind];
    static const uint8_t values[3][4] = {{0xc0}, {0x81, 0xa1, 'a', 0x07}, {0x92, 0x01, 0xa0}};
    static const size_t lens[3] = {1, 4, 3};
    uint64_t pick;
    switch (kind->form) {
    case CH_FORM_FLAG: *(bool *)at = sample_below(s, 2) == 1; return;
    case CH_FORM_UINT:
    case CH_FORM_ID: *(uint64_t *)at = sample_number(s, kind->most); return;
    case CH_FORM_MOMENT:
        *(uint64_t *)at = sample_number(s, s->wire ? SAMPLE_LAST_MOMENT : CH_MAX_TIME);
        return;
    case CH_FORM_TEXT:
    case CH_FORM_NAME: *(struct ch_text *)at = sample_text(s, field->kind); return;
    case CH_FORM_NAMED: ((struct ch_named *)at)->text = sample_text(s, field->kind); return;
    case CH_FORM_SECRET: ((struct ch_secret *)at)->text = sample_text(s, field->kind); return;
    case CH_FORM_REF:
        if (sample_below(s, 2) == 0) {
            ((struct ch_ref *)at)->id = 1 + sample_number(s, CH_MAX_INTEGER - 1);
        } else {
            ((struct ch_ref *)at)->name = sample_text(s, field->kind);
        }
        return;
    case CH_FORM_SCOPE: *(uint8_t *)at = sample_scope(s); return;
    case CH_FORM_SCOPES:
        for (pick = sample_below(s, 20); pick > 0; pick--) {
            ch_scopes_add(at, sample_scope(s));
        }
        return;
    case CH_FORM_BYTES:
        *(struct ch_bytes *)at = sample_bytes(s, (size_t)kind->least, (size_t)kind->most);
        return;
    case CH_FORM_VALUE:
        pick = sample_below(s, 3);
        *(struct ch_bytes *)at = (struct ch_bytes){values[pick], lens[pick]};
        return;
    case CH_FORM_ENUM: *(uint8_t *)at = sample_enum(s, field->kind); return;
    case CH_FORM_RECORD: sample_record(s, field->record, at); return;
    }
}

static inline size_t sample_item_bytes(const struct ch_field *field)
{
    return field->record != NULL ? field->record->size : ch_kinds[field->kind].size;
}

static inline void sample_record(struct sampler *s, const struct ch_record *record, void *object)
{
    memset(object, 0, record->size);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        uint8_t *at = (uint8_t *)object + field->offset;
        if (field->list) {
            uint32_t items = (uint32_t)sample_below(s, 5);
            if (items > field->max) items = field->max;
            const size_t size = sample_item_bytes(field);
            uint8_t *array = ch_arena_take(&s->arena, size * (items + 1));
            for (uint32_t k = 0; k < items; k++) {
                sample_value(s, field, array + k * size);
            }
            memcpy(at, &array, sizeof array);
            memcpy((uint8_t *)object + field->has_offset, &items, sizeof items);
            continue;
        }
        if (field->optional && sample_below(s, 2) == 0) continue;
        if (field->optional) ((uint8_t *)object)[field->has_offset] = true;
        sample_value(s, field, at);
    }
}

static inline void assert_same_record(const struct ch_record *record, const void *one,
                                      const void *two, bool personal);

static inline void assert_same_text(struct ch_text one, struct ch_text two)
{
    assert_int_equal(one.len, two.len);
    if (one.len > 0) assert_memory_equal(one.ptr, two.ptr, one.len);
}

static inline void assert_same_value(const struct ch_field *field, const void *one, const void *two)
{
    const struct ch_bytes *bytes[2] = {one, two};
    const struct ch_ref *refs[2] = {one, two};
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_TEXT:
    case CH_FORM_NAME:
        assert_same_text(*(const struct ch_text *)one, *(const struct ch_text *)two);
        return;
    case CH_FORM_NAMED:
        assert_same_text(((const struct ch_named *)one)->text,
                         ((const struct ch_named *)two)->text);
        return;
    case CH_FORM_SECRET:
        assert_same_text(((const struct ch_secret *)one)->text,
                         ((const struct ch_secret *)two)->text);
        return;
    case CH_FORM_REF:
        assert_int_equal(refs[0]->id, refs[1]->id);
        assert_same_text(refs[0]->name, refs[1]->name);
        return;
    case CH_FORM_BYTES:
    case CH_FORM_VALUE: assert_true(ch_bytes_equal(*bytes[0], *bytes[1])); return;
    case CH_FORM_RECORD: assert_same_record(field->record, one, two, true); return;
    case CH_FORM_FLAG:
    case CH_FORM_UINT:
    case CH_FORM_MOMENT:
    case CH_FORM_ID:
    case CH_FORM_SCOPE:
    case CH_FORM_SCOPES:
    case CH_FORM_ENUM: assert_memory_equal(one, two, ch_kinds[field->kind].size); return;
    }
}

/* personal: compare the personal fields, too. */
static inline void assert_same_record(const struct ch_record *record, const void *one,
                                      const void *two, bool personal)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->personal && !personal) continue;
        assert_int_equal(ch_field_present(field, one), ch_field_present(field, two));
        if (!field->list) {
            assert_same_value(field, ch_field_at(field, one), ch_field_at(field, two));
            continue;
        }
        const uint8_t *items[2];
        memcpy(&items[0], ch_field_at(field, one), sizeof items[0]);
        memcpy(&items[1], ch_field_at(field, two), sizeof items[1]);
        const uint32_t count = ch_field_items(field, one);
        assert_int_equal(count, ch_field_items(field, two));
        const size_t size = sample_item_bytes(field);
        for (uint32_t k = 0; k < count; k++) {
            assert_same_value(field, items[0] + k * size, items[1] + k * size);
        }
    }
}

/* An event around a random body of this tag; its sealed part is random bytes. */
static inline struct ch_event sample_event(struct sampler *s, uint16_t tag,
                                           union ch_event_body *body)
{
    sample_record(s, &ch_events[tag].record, body);
    struct ch_event event = {
        .seq = sample_number(s, CH_MAX_INTEGER),
        .at = sample_number(s, CH_MAX_TIME),
        .tag = tag,
        .channel = sample_enum(s, CH_KIND_channel),
        .actor = {.kind = sample_enum(s, CH_KIND_actor_kind),
                  .has_via = sample_below(s, 2) == 1,
                  .id = sample_number(s, CH_MAX_INTEGER)},
        .account = sample_number(s, CH_MAX_INTEGER),
        .cause = {.kind = (enum ch_cause_kind)sample_below(s, 3)},
        .body = body,
    };
    if (event.actor.has_via) event.actor.via = sample_number(s, UINT32_MAX);
    if (event.cause.kind == CH_CAUSE_EVENT) event.cause.first = sample_number(s, CH_MAX_INTEGER);
    if (event.cause.kind == CH_CAUSE_COMMAND) {
        memcpy(event.cause.id, sample_bytes(s, 16, 16).ptr, 16);
        event.cause.index = (uint32_t)sample_below(s, 1024);
        memcpy(event.cause.fingerprint, sample_bytes(s, 8, 8).ptr, 8);
    }
    if (sample_below(s, 2) == 1) {
        event.personal.present = true;
        event.personal.number = sample_number(s, UINT32_MAX);
        memcpy(event.personal.nonce, sample_bytes(s, CH_NONCE_BYTES, CH_NONCE_BYTES).ptr,
               CH_NONCE_BYTES);
        event.personal.cipher = sample_bytes(s, CH_SEAL_BYTES, 200);
    }
    return event;
}

/* The first `len` of these bytes in a block of exactly that size, so that a sanitizer sees each
 * read behind them; free it. */
static inline struct ch_bytes sample_exact(struct ch_bytes bytes, size_t len)
{
    CH_CHECK(len <= bytes.len);
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    CH_CHECK(copy != NULL);
    if (len > 0) memcpy(copy, bytes.ptr, len);
    return (struct ch_bytes){copy, len};
}

static inline void sample_free(struct ch_bytes bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}
#endif
