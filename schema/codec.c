/* codec: see codec.h. Writing; reading is in decode.c. SPDX-License-Identifier: MIT */
#include "schema/codec.h"

#include "schema/base/check.h"
#include "schema/pack.h"
#include "schema/text.h"

bool ch_field_present(const struct ch_field *field, const void *object)
{
    if (field->optional) {
        bool has;
        memcpy(&has, (const uint8_t *)object + field->has_offset, sizeof has);
        return has;
    }
    return !field->list || ch_field_items(field, object) > 0;
}

uint32_t ch_field_items(const struct ch_field *field, const void *object)
{
    CH_CHECK(field->list);
    uint32_t items;
    memcpy(&items, (const uint8_t *)object + field->has_offset, sizeof items);
    return items;
}

void ch_pack_scopes(struct ch_buf *buf, struct ch_scopes scopes, bool names)
{
    size_t count = (size_t)__builtin_popcountll(scopes.words[0]) +
                   (size_t)__builtin_popcountll(scopes.words[1]);
    ch_pack_array(buf, count);
    for (uint32_t word = 0; word < 2; word++) {
        uint64_t bits = scopes.words[word];
        while (bits != 0) {
            uint32_t scope = word * 64 + (uint32_t)__builtin_ctzll(bits);
            bits &= bits - 1;
            const struct ch_scope_row *row = &ch_scopes_table[scope];
            if (names && row->name != NULL) {
                ch_pack_text(buf, (struct ch_text){row->name, row->name_len});
            } else {
                ch_pack_uint(buf, scope);
            }
        }
    }
}

static void pack_moment(struct ch_buf *buf, uint64_t ns, bool wire)
{
    if (!wire) {
        ch_pack_uint(buf, ns);
        return;
    }
    char text[CH_TIME_TEXT_BYTES];
    size_t len = ch_time_write(ns, text);
    ch_pack_text(buf, (struct ch_text){text, len});
}

static void pack_scope(struct ch_buf *buf, uint8_t scope, bool wire)
{
    if (wire && scope <= CH_MAX_SCOPE && ch_scopes_table[scope].name != NULL) {
        ch_pack_chars(buf, ch_scopes_table[scope].name);
    } else {
        ch_pack_uint(buf, scope);
    }
}

static void pack_ref(struct ch_buf *buf, const struct ch_ref *ref)
{
    if (ref->id != 0) {
        ch_pack_uint(buf, ref->id);
    } else {
        ch_pack_text(buf, ref->name);
    }
}

static void pack_value(struct ch_buf *buf, const struct ch_field *field, const void *at, bool wire)
{
    uint64_t number;
    uint8_t byte;
    switch (ch_kinds[field->kind].form) {
    case CH_FORM_FLAG: ch_pack_bool(buf, *(const bool *)at); break;
    case CH_FORM_UINT:
    case CH_FORM_ID:
        memcpy(&number, at, sizeof number);
        ch_pack_uint(buf, number);
        break;
    case CH_FORM_MOMENT:
        memcpy(&number, at, sizeof number);
        pack_moment(buf, number, wire);
        break;
    case CH_FORM_TEXT:
    case CH_FORM_NAME: ch_pack_text(buf, *(const struct ch_text *)at); break;
    case CH_FORM_NAMED: ch_pack_text(buf, ((const struct ch_named *)at)->text); break;
    case CH_FORM_SECRET: ch_pack_text(buf, ((const struct ch_secret *)at)->text); break;
    case CH_FORM_REF: pack_ref(buf, at); break;
    case CH_FORM_SCOPE:
        memcpy(&byte, at, sizeof byte);
        pack_scope(buf, byte, wire);
        break;
    case CH_FORM_SCOPES: ch_pack_scopes(buf, *(const struct ch_scopes *)at, wire); break;
    case CH_FORM_BYTES: ch_pack_bytes(buf, *(const struct ch_bytes *)at); break;
    case CH_FORM_VALUE: {
        const struct ch_bytes *raw = at;
        if (raw->len == 0) {
            ch_pack_nil(buf);
        } else {
            ch_buf_put(buf, raw->ptr, raw->len);
        }
        break;
    }
    case CH_FORM_ENUM:
        memcpy(&byte, at, sizeof byte);
        if (wire) {
            ch_pack_chars(buf, ch_enum_name(field->kind, byte));
        } else {
            ch_pack_uint(buf, byte);
        }
        break;
    case CH_FORM_RECORD: ch_encode_map(buf, field->record, at); break;
    }
}

static void pack_field(struct ch_buf *buf, const struct ch_field *field, const void *object,
                       bool wire)
{
    if (!field->list) {
        pack_value(buf, field, ch_field_at(field, object), wire);
        return;
    }
    const uint8_t *items;
    memcpy(&items, ch_field_at(field, object), sizeof items);
    const uint32_t count = ch_field_items(field, object);
    const size_t size = field->record != NULL ? field->record->size : ch_kinds[field->kind].size;
    ch_pack_array(buf, count);
    for (uint32_t i = 0; i < count; i++) {
        pack_value(buf, field, items + (size_t)i * size, wire);
    }
}

void ch_encode_map(struct ch_buf *buf, const struct ch_record *record, const void *object)
{
    CH_CHECK(record != NULL);
    size_t present = 0;
    for (size_t i = 0; i < record->count; i++) {
        if (ch_field_present(&record->fields[i], object)) present++;
    }
    ch_pack_map(buf, present);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!ch_field_present(field, object)) continue;
        ch_pack_text(buf, (struct ch_text){field->name, field->name_len});
        pack_field(buf, field, object, true);
    }
}

void ch_encode_list(struct ch_buf *buf, const struct ch_record *record, const void *object)
{
    size_t count = 0;
    for (size_t i = 0; i < record->count; i++) {
        if (!record->fields[i].personal) count++;
    }
    ch_pack_array(buf, count);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->personal) continue;
        if (field->optional && !ch_field_present(field, object)) {
            ch_pack_nil(buf);
        } else {
            pack_field(buf, field, object, false);
        }
    }
}
