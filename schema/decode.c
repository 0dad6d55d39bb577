/* decode: reading of records; see codec.h. SPDX-License-Identifier: MIT */
#include "schema/codec.h"

#include <stdio.h>

#include "schema/base/check.h"
#include "schema/text.h"

/* What a reader of one record carries along. */
struct reader {
    struct ch_cursor *c;
    struct ch_arena *arena;
    struct ch_why *why;
    const char *path;
    bool wire;
};

static enum ch_err bad(const struct reader *r, const struct ch_field *field, enum ch_err err,
                       const char *text)
{
    char name[CH_WHY_FIELD_BYTES];
    (void)snprintf(name, sizeof name, "%s%s%s", r->path, r->path[0] == '\0' ? "" : ".",
                   field->name);
    return ch_fail_field(r->why, err, name, "%s: %s; it takes %s", name, text,
                         ch_kinds[field->kind].text);
}

/* The cursor's own failure, as this field's. */
static enum ch_err broken(const struct reader *r, const struct ch_field *field)
{
    return bad(r, field, r->c->err,
               r->c->err == CH_ERR_WRONG_KIND ? "holds a value of another kind"
                                              : "ends early or is not msgpack");
}

static enum ch_err read_uint(const struct reader *r, const struct ch_field *field, uint64_t *ret)
{
    const struct ch_kind *kind = &ch_kinds[field->kind];
    uint64_t value = ch_read_uint(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (value < kind->least || value > kind->most) {
        return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "is out of bounds");
    }
    *ret = value;
    return CH_OK;
}

static enum ch_err read_text(const struct reader *r, const struct ch_field *field,
                             struct ch_text *ret)
{
    const struct ch_kind *kind = &ch_kinds[field->kind];
    struct ch_text text = ch_read_text(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (text.len < kind->least || text.len > kind->most) {
        return bad(r, field, CH_ERR_OUT_OF_BOUNDS,
                   text.len == 0            ? "is empty"
                   : text.len < kind->least ? "is too short"
                                            : "is too long");
    }
    const bool free = (kind->form == CH_FORM_TEXT && field->kind != CH_KIND_token) ||
                      kind->form == CH_FORM_SECRET || field->kind == CH_KIND_remark;
    bool good = field->kind == CH_KIND_passage ? ch_text_is_passage(text)
                : free                         ? ch_text_is_clean(text)
                                               : ch_text_is_name(text);
    if (!good) {
        return bad(r, field, CH_ERR_NOT_TEXT,
                   "is not valid UTF-8, or holds control characters or odd white space");
    }
    if (field->kind == CH_KIND_label && memchr(text.ptr, '/', text.len) != NULL) {
        return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "holds /");
    }
    *ret = text;
    return CH_OK;
}

/* A text that has a form of its own on the wire. */
static enum ch_err read_formed(const struct reader *r, const struct ch_field *field,
                               struct ch_text *ret)
{
    enum ch_err err = read_text(r, field, ret);
    if (err != CH_OK || !r->wire || field->kind != CH_KIND_domain) return err;
    char *folded = ch_arena_copy(r->arena, ret->ptr, ret->len);
    if (folded == NULL) return bad(r, field, CH_ERR_NO_MEMORY, "no memory");
    if (!ch_domain_fold(folded, ret->len)) {
        return bad(r, field, CH_ERR_OUT_OF_BOUNDS,
                   "is no domain name in ASCII form; an international one is given as A-label");
    }
    ret->ptr = folded;
    return CH_OK;
}

static enum ch_err read_named(const struct reader *r, const struct ch_field *field,
                              struct ch_named *ret)
{
    enum ch_err err = read_text(r, field, &ret->text);
    if (err != CH_OK || (field->kind != CH_KIND_username && field->kind != CH_KIND_email)) {
        return err;
    }
    char *folded = ch_arena_copy(r->arena, ret->text.ptr, ret->text.len);
    if (folded == NULL) return bad(r, field, CH_ERR_NO_MEMORY, "no memory");
    bool good = field->kind == CH_KIND_username ? ch_username_fold(folded, ret->text.len)
                                                : ch_email_fold(folded, ret->text.len);
    if (!good) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "has a form that is not taken");
    if (field->kind == CH_KIND_username) ret->text.ptr = folded; /* e-mail is kept as typed */
    return CH_OK;
}

static enum ch_err read_ref(const struct reader *r, const struct ch_field *field,
                            struct ch_ref *ret)
{
    if (ch_cursor_peek(r->c) == CH_VALUE_TEXT) return read_text(r, field, &ret->name);
    uint64_t id = ch_read_uint(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (id == 0 || id > CH_MAX_INTEGER) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "is no id");
    ret->id = id;
    return CH_OK;
}

static enum ch_err read_moment(const struct reader *r, const struct ch_field *field, uint64_t *ret)
{
    if (!r->wire) return read_uint(r, field, ret);
    struct ch_text text = ch_read_text(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (!ch_time_read(text, ret)) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "is no RFC 3339 time");
    return CH_OK;
}

static enum ch_err read_scope(const struct reader *r, const struct ch_field *field, uint8_t *ret)
{
    int scope;
    if (r->wire) {
        struct ch_text name = ch_read_text(r->c);
        scope = ch_scope_find(name);
    } else {
        uint64_t number = ch_read_uint(r->c);
        scope = number <= CH_MAX_SCOPE ? (int)number : -1;
    }
    if (r->c->err != CH_OK) return broken(r, field);
    if (scope < 0) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "names a scope that there is not");
    *ret = (uint8_t)scope;
    return CH_OK;
}

static enum ch_err read_scopes(const struct reader *r, const struct ch_field *field,
                               struct ch_scopes *ret)
{
    uint32_t items = ch_read_array(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (items > CH_MAX_SCOPE + 1) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "has too many items");
    int last = -1;
    for (uint32_t i = 0; i < items; i++) {
        uint8_t scope = 0;
        enum ch_err err = read_scope(r, field, &scope);
        if (err != CH_OK) return err;
        if (!r->wire && scope <= last) {
            return bad(r, field, CH_ERR_UNDECODABLE, "is not ascending");
        }
        last = scope;
        ch_scopes_add(ret, scope);
    }
    return CH_OK;
}

static enum ch_err read_enum(const struct reader *r, const struct ch_field *field, uint8_t *ret)
{
    int number;
    if (r->wire) {
        number = ch_enum_find(field->kind, ch_read_text(r->c));
    } else {
        uint64_t value = ch_read_uint(r->c);
        number = value <= 254 ? (int)value : -1;
    }
    if (r->c->err != CH_OK) return broken(r, field);
    if (number < 0) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "is none of the values it can have");
    *ret = (uint8_t)number;
    return CH_OK;
}

static enum ch_err read_bytes(const struct reader *r, const struct ch_field *field,
                              struct ch_bytes *ret)
{
    const struct ch_kind *kind = &ch_kinds[field->kind];
    *ret = kind->form == CH_FORM_VALUE ? ch_read_value(r->c) : ch_read_bytes(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (ret->len < kind->least || ret->len > kind->most) {
        return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "has a length that is not taken");
    }
    return CH_OK;
}

static enum ch_err read_value(const struct reader *r, const struct ch_field *field, void *at)
{
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_FLAG:
        *(bool *)at = ch_read_bool(r->c);
        return r->c->err == CH_OK ? CH_OK : broken(r, field);
    case CH_FORM_UINT:
    case CH_FORM_ID: return read_uint(r, field, at);
    case CH_FORM_MOMENT: return read_moment(r, field, at);
    case CH_FORM_TEXT:
    case CH_FORM_NAME: return read_formed(r, field, at);
    case CH_FORM_NAMED: return read_named(r, field, at);
    case CH_FORM_SECRET: return read_text(r, field, &((struct ch_secret *)at)->text);
    case CH_FORM_REF: return read_ref(r, field, at);
    case CH_FORM_SCOPE: return read_scope(r, field, at);
    case CH_FORM_SCOPES: return read_scopes(r, field, at);
    case CH_FORM_BYTES:
    case CH_FORM_VALUE: return read_bytes(r, field, at);
    case CH_FORM_ENUM: return read_enum(r, field, at);
    case CH_FORM_RECORD:
        return ch_decode_map(r->c, field->record, field->name, r->arena, at, r->why);
    }
    return CH_ERR_UNDECODABLE;
}

static enum ch_err read_list(const struct reader *r, const struct ch_field *field, void *object)
{
    uint32_t items = ch_read_array(r->c);
    if (r->c->err != CH_OK) return broken(r, field);
    if (items > field->max) return bad(r, field, CH_ERR_OUT_OF_BOUNDS, "has too many items");
    const size_t size = field->record != NULL ? field->record->size : ch_kinds[field->kind].size;
    uint8_t *array = ch_arena_take(r->arena, size * (items == 0 ? 1 : items));
    if (array == NULL) return bad(r, field, CH_ERR_NO_MEMORY, "no memory");
    for (uint32_t i = 0; i < items; i++) {
        enum ch_err err = read_value(r, field, array + size * i);
        if (err != CH_OK) return err;
    }
    memcpy((uint8_t *)object + field->offset, &array, sizeof array);
    memcpy((uint8_t *)object + field->has_offset, &items, sizeof items);
    return CH_OK;
}

static enum ch_err read_field(const struct reader *r, const struct ch_field *field, void *object)
{
    if (field->list) return read_list(r, field, object);
    enum ch_err err = read_value(r, field, (uint8_t *)object + field->offset);
    if (err == CH_OK && field->optional) {
        const bool has = true;
        memcpy((uint8_t *)object + field->has_offset, &has, sizeof has);
    }
    return err;
}

/* The field of this name, looked for first where the sender most likely put it. */
static int find_field(const struct ch_record *record, struct ch_text name, uint32_t hint)
{
    for (uint32_t i = 0; i < record->count; i++) {
        uint32_t place = (hint + i) % record->count;
        const struct ch_field *field = &record->fields[place];
        if (field->name_len == name.len && memcmp(field->name, name.ptr, name.len) == 0) {
            return (int)place;
        }
    }
    return -1;
}

static enum ch_err unknown_field(const struct reader *r, const struct ch_record *record,
                                 struct ch_text name)
{
    char field[CH_WHY_FIELD_BYTES];
    int len = name.len > 40 ? 40 : (int)name.len;
    bool clean = ch_text_is_clean((struct ch_text){name.ptr, (size_t)len});
    (void)snprintf(field, sizeof field, "%s%s%.*s", r->path, r->path[0] == '\0' ? "" : ".", len,
                   clean ? name.ptr : "");
    return ch_fail_field(r->why, CH_ERR_UNKNOWN_FIELD, field, "%s: %s knows no such field", field,
                         record->name);
}

enum ch_err ch_decode_map(struct ch_cursor *c, const struct ch_record *record, const char *path,
                          struct ch_arena *arena, void *object, struct ch_why *why)
{
    const struct reader r = {.c = c, .arena = arena, .why = why, .path = path, .wire = true};
    CH_CHECK(record != NULL);
    memset(object, 0, record->size);
    uint32_t pairs = ch_read_map(c);
    if (c->err != CH_OK) {
        return ch_fail_field(why, c->err, path, "%s: not a map of fields", path);
    }
    CH_CHECK(record->count <= 64);
    uint64_t seen = 0;
    uint32_t hint = 0;
    for (uint32_t i = 0; i < pairs; i++) {
        struct ch_text name = ch_read_text(c);
        if (c->err != CH_OK) return ch_fail_field(why, c->err, path, "%s: a key is not text", path);
        int place = find_field(record, name, hint);
        if (place < 0) return unknown_field(&r, record, name);
        const struct ch_field *field = &record->fields[place];
        if ((seen >> place & 1) != 0) return bad(&r, field, CH_ERR_REPEATED_FIELD, "stands twice");
        seen |= (uint64_t)1 << place;
        hint = (uint32_t)place + 1;
        enum ch_err err = read_field(&r, field, object);
        if (err != CH_OK) return err;
    }
    for (uint32_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if ((seen >> i & 1) == 0 && !field->optional && !field->list) {
            return bad(&r, field, CH_ERR_MISSING_FIELD, "is missing");
        }
    }
    return CH_OK;
}

enum ch_err ch_decode_list(struct ch_cursor *c, const struct ch_record *record,
                           struct ch_arena *arena, void *object, struct ch_why *why)
{
    const struct reader r = {.c = c, .arena = arena, .why = why, .path = record->name};
    memset(object, 0, record->size);
    uint32_t items = ch_read_array(c);
    uint32_t expected = 0;
    for (uint32_t i = 0; i < record->count; i++) {
        if (!record->fields[i].personal) expected++;
    }
    if (c->err != CH_OK || items != expected) {
        return ch_fail(why, CH_ERR_UNDECODABLE, 0, "%s: has %u fields, not %u", record->name, items,
                       expected);
    }
    for (uint32_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->personal) continue;
        if (field->optional && ch_cursor_peek(c) == CH_VALUE_NIL) {
            ch_read_nil(c);
            continue;
        }
        enum ch_err err = read_field(&r, field, object);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}
