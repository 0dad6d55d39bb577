/* arguments: see arguments.h. SPDX-License-Identifier: MIT */
#include "tools/charter/arguments.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/base/check.h"
#include "schema/codec.h"
#include "schema/json.h"
#include "schema/pack.h"
#include "tools/charter/ref.h"

/* What was given: the values of all options, in order, each with its field's place. */
struct given {
    struct given_value {
        int field;
        const char *text;
    } * values;
    size_t count;
};

const char *argument_value_name(const struct ch_field *field)
{
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_FLAG: return NULL;
    case CH_FORM_UINT: return field->kind == CH_KIND_seq ? "SEQ" : "NUMBER";
    case CH_FORM_MOMENT: return "TIME";
    case CH_FORM_NAMED:
    case CH_FORM_SECRET:
    case CH_FORM_NAME: return field->list ? "TEXT,..." : "TEXT";
    case CH_FORM_TEXT: return field->list ? "TEXT,..." : "TEXT";
    case CH_FORM_SCOPE: return "SCOPE";
    case CH_FORM_SCOPES: return "SCOPE,...";
    case CH_FORM_BYTES: return "HEX";
    case CH_FORM_VALUE:
    case CH_FORM_RECORD: return "JSON";
    case CH_FORM_ENUM: return "VALUE";
    case CH_FORM_ID:
    case CH_FORM_REF: break;
    }
    const char *prefix = ref_prefix(field->kind);
    if (prefix == NULL) return "ID";
    static const struct {
        const char *prefix;
        const char *one;
        const char *many;
    } names[] = {{"acc", "ACCOUNT", "ACCOUNT,..."}, {"usr", "USER", "USER,..."},
                 {"shr", "SHARE", "SHARE,..."},     {"grp", "GROUP", "GROUP,..."},
                 {"rol", "ROLE", "ROLE,..."},       {"pag", "PAGE", "PAGE,..."}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(prefix, names[i].prefix) == 0) return field->list ? names[i].many : names[i].one;
    }
    return "ID";
}

void argument_rows_of(const struct ch_record *record, struct argument_rows *ret)
{
    CH_CHECK(record->count <= ARGUMENTS_MOST);
    ret->count = record->count;
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        CH_CHECK(field->name_len < ARGUMENT_NAME_BYTES);
        for (size_t k = 0; k <= field->name_len; k++) {
            ret->names[i][k] = field->name[k] == '_' ? '-' : field->name[k];
        }
        ret->rows[i] = (struct option_row){
            .name = ret->names[i], .value = argument_value_name(field), .doc = field->doc};
    }
}

static bool is_many(const struct ch_field *field)
{
    return field->list || ch_kinds[field->kind].form == CH_FORM_SCOPES;
}

static bool tell(const struct ch_field *field, const char *value)
{
    (void)fprintf(stderr, "charter: --%s: '%s' is no %s\n", field->name, value,
                  ch_kinds[field->kind].text);
    return false;
}

static bool pack_ref(struct ch_buf *buf, const struct ch_field *field, const char *value)
{
    const struct ref ref = ref_of(field->kind, value);
    if (ref.id != 0) {
        ch_pack_uint(buf, ref.id);
    } else if (ch_kinds[field->kind].form == CH_FORM_ID) {
        return tell(field, value);
    } else {
        ch_pack_chars(buf, ref.name);
    }
    return true;
}

static bool pack_enum(struct ch_buf *buf, const struct ch_field *field, const char *value)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s", value);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '-') *at = '_';
    }
    if (ch_enum_find(field->kind, ch_text_of(name)) < 0) {
        (void)fprintf(stderr, "charter: --%s takes one of:", field->name);
        for (const struct ch_enum_value *v = ch_kinds[field->kind].values; v->name != NULL; v++) {
            (void)fprintf(stderr, " %s", v->name);
        }
        (void)fprintf(stderr, "; not '%s'\n", value);
        return false;
    }
    ch_pack_chars(buf, name);
    return true;
}

static bool pack_bytes(struct ch_buf *buf, const struct ch_field *field, const char *value)
{
    const size_t len = strlen(value) / 2;
    uint8_t *bytes = malloc(len + 1);
    const bool good = bytes != NULL && ch_hex_read(ch_text_of(value), bytes, len);
    if (good) ch_pack_bytes(buf, (struct ch_bytes){bytes, len});
    free(bytes);
    return good || tell(field, value);
}

static bool pack_json(struct ch_buf *buf, const struct ch_field *field, const char *value)
{
    json_t *tree = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    const bool good = tree != NULL && ch_json_pack(buf, tree, NULL) == CH_OK;
    json_decref(tree);
    return good || tell(field, value);
}

static bool pack_one(struct ch_buf *buf, const struct ch_field *field, const char *value)
{
    uint64_t number;
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_FLAG: ch_pack_bool(buf, strcmp(value, "false") != 0); return true;
    case CH_FORM_UINT:
        if (!option_number(value, &number)) return tell(field, value);
        ch_pack_uint(buf, number);
        return true;
    case CH_FORM_MOMENT:
    case CH_FORM_TEXT:
    case CH_FORM_NAME:
    case CH_FORM_NAMED:
    case CH_FORM_SECRET:
    case CH_FORM_SCOPE:
    case CH_FORM_SCOPES: ch_pack_chars(buf, value); return true;
    case CH_FORM_ID:
    case CH_FORM_REF: return pack_ref(buf, field, value);
    case CH_FORM_BYTES: return pack_bytes(buf, field, value);
    case CH_FORM_ENUM: return pack_enum(buf, field, value);
    case CH_FORM_VALUE:
    case CH_FORM_RECORD: return pack_json(buf, field, value);
    }
    return false;
}

/* Packs the items of one value; commas that no backslash stands before are between them. */
static bool pack_items(struct ch_buf *buf, const struct ch_field *field, const char *at,
                       size_t *count)
{
    struct ch_buf item = {0};
    bool good = true;
    while (good && *at != '\0') {
        ch_buf_reset(&item);
        for (; *at != '\0' && *at != ','; at++) {
            if (at[0] == '\\' && at[1] == ',') at++;
            ch_buf_put(&item, at, 1);
        }
        if (*at == ',') at++;
        ch_buf_put(&item, "", 1);
        good = !item.failed && pack_one(buf, field, (const char *)item.ptr);
        (*count)++;
    }
    ch_buf_deinit(&item);
    return good;
}

/* Packs all that was given for the field of this place. */
static bool pack_field(struct ch_buf *pairs, const struct ch_field *field, int place,
                       const struct given *given, int *pair_count)
{
    struct ch_buf items = {0};
    size_t count = 0;
    size_t options = 0;
    bool good = true;
    for (size_t i = 0; i < given->count && good; i++) {
        if (given->values[i].field != place) continue;
        options++;
        good = is_many(field) ? pack_items(&items, field, given->values[i].text, &count)
                              : pack_one(&items, field, given->values[i].text);
    }
    if (good && options > 1 && !is_many(field)) {
        (void)fprintf(stderr, "charter: --%s is given twice\n", field->name);
        good = false;
    }
    if (good && options > 0) {
        ch_pack_text(pairs, (struct ch_text){field->name, field->name_len});
        if (is_many(field)) ch_pack_array(pairs, count);
        ch_buf_put(pairs, items.ptr, items.len);
        (*pair_count)++;
    }
    good = good && !items.failed;
    ch_buf_deinit(&items);
    return good;
}

/* The daemon's own reader, here already: what it would refuse is told without asking it. */
static bool validate(const struct ch_record *record, const struct ch_buf *pairs, size_t count,
                     const char *command)
{
    struct ch_buf map = {0};
    struct ch_arena arena = {0};
    struct ch_why why = {0};
    ch_pack_map(&map, count);
    ch_buf_put(&map, pairs->ptr, pairs->len);
    struct ch_cursor c = ch_cursor_of(ch_buf_view(&map));
    void *object = ch_arena_take(&arena, record->size + (size_t)1);
    bool good = object != NULL && !map.failed &&
                ch_decode_map(&c, record, "", &arena, object, &why) == CH_OK;
    if (!good) {
        (void)fprintf(stderr, "charter: %s: %s\nSee: charter %s --help\n", command, why.text,
                      command);
    }
    ch_arena_deinit(&arena);
    ch_buf_deinit(&map);
    return good;
}

static bool collect(struct command_line *line, const struct ch_record *record, struct given *given)
{
    struct argument_rows rows;
    argument_rows_of(record, &rows);
    for (;;) {
        const char *value = NULL;
        const int place = option_next_any(line, rows.rows, rows.count, &value);
        if (place == OPTION_END) return true;
        if (place == OPTION_BAD) return false;
        if (place == OPTION_GLOBAL) continue;
        given->values[given->count++] = (struct given_value){.field = place, .text = value};
    }
}

int arguments_read(struct command_line *line, const struct ch_record *record, const char *command,
                   struct ch_buf *pairs)
{
    struct given given = {.values = calloc((size_t)line->argc + 1, sizeof *given.values)};
    int count = 0;
    bool good = given.values != NULL && collect(line, record, &given);
    if (line->options.help) good = false;
    for (int i = 0; i < record->count && good; i++) {
        good = pack_field(pairs, &record->fields[i], i, &given, &count);
    }
    good = good && validate(record, pairs, (size_t)count, command);
    free(given.values);
    return good ? count : -1;
}
