/* test_events: the bytes of every event tag, pinned. SPDX-License-Identifier: MIT
 * events.txt holds for each tag a full sample (all that is optional is there) and a bare one, made
 * from the .def rows in a fixed way. A line is: name, tag, sort, hex. Old logs stay readable only
 * if these bytes stay; so the test also reads every line of the file, also one of a tag whose
 * sample is made differently by now, and writes it again. After a change that is meant:
 *     CH_GOLDEN_PRINT=1 golden-events > tests/golden/events.txt */
#include "schema/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#ifndef CH_SOURCE_DIR
#define CH_SOURCE_DIR "."
#endif

#define GOLDEN CH_SOURCE_DIR "/tests/golden/events.txt"

enum { ITEMS = 2, HEX_MAX = 1024, LINE_MAX_BYTES = HEX_MAX + 128 };

/* Room for the lists of one sample. */
struct room {
    union {
        uint64_t align;
        uint8_t bytes[256];
    } lists[4];
    size_t used;
};

static uint64_t number_of(size_t place)
{
    static const uint64_t numbers[] = {1, 127, 128, 255, 256, 65535, 65536, 4294967296};
    return numbers[place % (sizeof numbers / sizeof numbers[0])];
}

/* The `place` makes values of one kind differ. */
static void fill_value(const struct ch_field *field, size_t place, void *at)
{
    static const char *const texts[] = {"alpha", "beta 2", "J\xc3\xbcrgen", "\xe6\xbc\xa2.x"};
    static const uint8_t bytes[32] = {0xde, 0xad, 0xbe, 0xef, 5, 6, 7, 8, 9};
    const struct ch_kind *kind = &ch_kinds[field->kind];
    switch (kind->form) {
    case CH_FORM_FLAG: *(bool *)at = true; return;
    case CH_FORM_UINT:
    case CH_FORM_ID: *(uint64_t *)at = number_of(place); return;
    case CH_FORM_MOMENT: *(uint64_t *)at = UINT64_C(1534997499123456789); return;
    case CH_FORM_TEXT:
    case CH_FORM_NAME: *(struct ch_text *)at = ch_text_of(texts[place % 4]); return;
    case CH_FORM_NAMED: ((struct ch_named *)at)->text = ch_text_of("left out"); return;
    case CH_FORM_SCOPE: *(uint8_t *)at = CH_SCOPE_campaigns_send; return;
    case CH_FORM_SCOPES:
        ch_scopes_add(at, 0);
        ch_scopes_add(at, 63);
        ch_scopes_add(at, 64);
        ch_scopes_add(at, CH_SCOPE_account_switch);
        return;
    case CH_FORM_BYTES:
        *(struct ch_bytes *)at = (struct ch_bytes){bytes, (size_t)kind->least};
        return;
    case CH_FORM_ENUM: *(uint8_t *)at = kind->values[1].number; return;
    case CH_FORM_REF:
    case CH_FORM_SECRET:
    case CH_FORM_VALUE:
    case CH_FORM_RECORD: fail_msg("an event field of kind %s", kind->name);
    }
}

static void fill_body(const struct ch_record *record, bool full, struct room *room, void *body)
{
    memset(body, 0, sizeof(union ch_event_body));
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        uint8_t *at = (uint8_t *)body + field->offset;
        if (!full && (field->optional || field->list)) continue;
        if (field->optional) ((uint8_t *)body)[field->has_offset] = true;
        if (!field->list) {
            fill_value(field, i, at);
            continue;
        }
        const uint32_t items = ITEMS;
        uint8_t *list = room->lists[room->used++].bytes;
        memset(list, 0, sizeof room->lists[0].bytes);
        for (uint32_t k = 0; k < items; k++) {
            fill_value(field, i + k, list + k * ch_kinds[field->kind].size);
        }
        memcpy(at, &list, sizeof list);
        memcpy((uint8_t *)body + field->has_offset, &items, sizeof items);
    }
}

static void encode_sample(uint16_t tag, bool full, struct ch_buf *buf)
{
    static const uint8_t cipher[] = "0123456789abcdef and what is sealed";
    union ch_event_body body;
    struct room room = {.used = 0};
    fill_body(&ch_events[tag].record, full, &room, &body);
    struct ch_event event = {
        .seq = 1000 + tag,
        .at = full ? UINT64_C(1534997499000000000) : 0,
        .tag = tag,
        .channel = full ? CH_channel_web : CH_channel_system,
        .actor = {.kind = full ? CH_actor_kind_user : CH_actor_kind_system,
                  .id = full ? 300 : 0,
                  .has_via = full,
                  .via = full ? 1001 : 0},
        .account = full ? 70000 : 0,
        .body = &body,
    };
    if (full && tag % 2 == 0) {
        event.cause = (struct ch_cause){.kind = CH_CAUSE_COMMAND, .index = 3};
        memcpy(event.cause.id, "0123456789abcdef", sizeof event.cause.id);
        memcpy(event.cause.fingerprint, "\1\2\3\4\5\6\7\10", sizeof event.cause.fingerprint);
    } else if (full) {
        event.cause = (struct ch_cause){.kind = CH_CAUSE_EVENT, .first = 999};
    }
    if (full) {
        event.personal = (struct ch_sealed){.present = true, .number = 12};
        memset(event.personal.nonce, 0xa5, sizeof event.personal.nonce);
        event.personal.cipher = (struct ch_bytes){cipher, sizeof cipher - 1};
    }
    ch_buf_reset(buf);
    ch_event_encode(buf, &event);
}

/* The line of one sample, without its end. */
static void sample_line(uint16_t tag, bool full, char line[LINE_MAX_BYTES])
{
    struct ch_buf buf = {0};
    encode_sample(tag, full, &buf);
    assert_true(buf.len * 2 < HEX_MAX);
    int at = snprintf(line, LINE_MAX_BYTES, "%s %u %s ", ch_events[tag].record.name, tag,
                      full ? "full" : "bare");
    for (size_t i = 0; i < buf.len; i++) {
        at += snprintf(line + at, LINE_MAX_BYTES - (size_t)at, "%02x", buf.ptr[i]);
    }
    ch_buf_deinit(&buf);
}

static void print_all(void)
{
    for (unsigned tag = 0; tag < CH_EVENT_TAGS; tag++) {
        for (int bare = 0; bare < 2 && ch_events[tag].record.name != NULL; bare++) {
            char line[LINE_MAX_BYTES];
            sample_line((uint16_t)tag, bare == 0, line);
            (void)printf("%s\n", line);
        }
    }
}

static FILE *open_golden(void)
{
    FILE *file = fopen(GOLDEN, "r");
    if (file == NULL) fail_msg("%s cannot be read", GOLDEN);
    return file;
}

static bool next_line(FILE *file, char line[LINE_MAX_BYTES])
{
    if (fgets(line, LINE_MAX_BYTES, file) == NULL) return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void the_sample_of_every_tag_has_the_bytes_of_the_file(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (unsigned tag = 0; tag < CH_EVENT_TAGS; tag++) {
        for (int bare = 0; bare < 2 && ch_events[tag].record.name != NULL; bare++) {
            char made[LINE_MAX_BYTES];
            char line[LINE_MAX_BYTES];
            bool found = false;
            sample_line((uint16_t)tag, bare == 0, made);
            FILE *file = open_golden();
            while (!found && next_line(file, line)) {
                found = strcmp(line, made) == 0;
            }
            (void)fclose(file);
            if (found) continue;
            print_message("not in the file: %s\n", made);
            wrong++;
        }
    }
    if (wrong > 0) {
        fail_msg("%zu samples differ or are missing. Events that were ever written must stay "
                 "readable; if the change is meant: CH_GOLDEN_PRINT=1 golden-events > %s",
                 wrong, GOLDEN);
    }
}

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return len;
}

static void every_line_of_the_file_is_read_and_written_again_as_it_stands(void **state)
{
    (void)state;
    FILE *file = open_golden();
    char line[LINE_MAX_BYTES];
    size_t lines = 0;
    struct ch_arena arena = {0};
    struct ch_buf buf = {0};
    while (next_line(file, line)) {
        char *rest = line;
        const char *name = strsep(&rest, " ");
        unsigned long tag = strtoul(rest == NULL ? "" : rest, &rest, 10);
        assert_true(strncmp(rest, " full ", 6) == 0 || strncmp(rest, " bare ", 6) == 0);
        const char *hex = rest + 6;
        uint8_t bytes[HEX_MAX / 2];
        assert_true(strlen(hex) <= HEX_MAX);
        size_t len = from_hex(hex, bytes);
        union ch_event_body body;
        struct ch_event event;
        struct ch_why why = {0};
        enum ch_err err =
            ch_event_decode((struct ch_bytes){bytes, len}, &arena, &body, &event, &why);
        if (err != CH_OK) print_message("%s: %s\n", name, why.text);
        assert_int_equal(err, CH_OK);
        assert_int_equal(event.tag, tag);
        assert_string_equal(ch_events[event.tag].record.name, name);
        ch_buf_reset(&buf);
        ch_event_encode(&buf, &event);
        assert_int_equal(buf.len, len);
        assert_memory_equal(buf.ptr, bytes, len);
        lines++;
    }
    assert_true(lines > 0);
    (void)fclose(file);
    ch_buf_deinit(&buf);
    ch_arena_deinit(&arena);
}

int main(void)
{
    if (getenv("CH_GOLDEN_PRINT") != NULL) {
        print_all();
        return EXIT_SUCCESS;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_of_every_tag_has_the_bytes_of_the_file),
        cmocka_unit_test(every_line_of_the_file_is_read_and_written_again_as_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
