/* cell: see cell.h. SPDX-License-Identifier: MIT */
#include "tools/charter/cell.h"

#include <stdio.h>
#include <stdlib.h>

#include "schema/cursor.h"
#include "schema/text.h"
#include "tools/charter/ref.h"

enum { SCOPES_SHOWN = 3 };

static struct ch_cursor cursor_of(struct charter_bytes value)
{
    return ch_cursor_of((struct ch_bytes){value.ptr, value.len});
}

static void put_id(struct ch_buf *out, const char *prefix, uint64_t id)
{
    char text[CH_ID_TEXT_BYTES];
    if (id == 0) {
        ch_buf_put(out, "-", 1);
        return;
    }
    ch_buf_put(out, text, ch_id_write(prefix, id, text));
}

void cell_write_plain(struct ch_buf *out, struct charter_bytes value)
{
    struct ch_cursor c = cursor_of(value);
    if (ch_cursor_peek(&c) == CH_VALUE_TEXT) {
        ch_buf_put_text(out, ch_read_text(&c));
        return;
    }
    char *json = charter_json(value, 0);
    ch_buf_put_text(out, ch_text_of(json == NULL ? "?" : json));
    free(json);
}

/* Text of several lines in one: line feeds and tabs, and what marks them, as in C. */
static void put_passage(struct ch_buf *out, struct ch_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c == '\n') {
            ch_buf_put(out, "\\n", 2);
        } else if (c == '\t') {
            ch_buf_put(out, "\\t", 2);
        } else if (c == '\\') {
            ch_buf_put(out, "\\\\", 2);
        } else {
            ch_buf_put(out, &c, 1);
        }
    }
}

/* prefix: of ids; NULL: the items are no ids */
static void put_list(struct ch_buf *out, struct charter_bytes value, size_t most,
                     const char *prefix)
{
    struct ch_cursor c = cursor_of(value);
    const uint32_t items = ch_read_array(&c);
    const bool cut = most != 0 && items > most + 1;
    for (uint32_t i = 0; i < items && (!cut || i < most); i++) {
        if (i > 0) ch_buf_put(out, ", ", 2);
        if (prefix != NULL && ch_cursor_peek(&c) == CH_VALUE_UINT) {
            put_id(out, prefix, ch_read_uint(&c));
            continue;
        }
        struct ch_bytes item = ch_read_value(&c);
        cell_write_plain(out, (struct charter_bytes){item.ptr, item.len});
    }
    if (items == 0) ch_buf_put(out, "-", 1);
    if (cut) {
        char more[32];
        (void)snprintf(more, sizeof more, " and %u more", items - (uint32_t)most);
        ch_buf_put_text(out, ch_text_of(more));
    }
}

/* The id prefix of a count beside <name>_kind: "usr" where that says user. */
static const char *sibling_prefix(const struct ch_field *field, struct charter_bytes record)
{
    char name[48];
    struct charter_text kind;
    if (field->kind != CH_KIND_count) return NULL;
    (void)snprintf(name, sizeof name, "%s_kind", field->name);
    if (!charter_get_text(record, name, &kind)) return NULL;
    return ref_prefix_of((struct ch_text){kind.ptr, kind.len});
}

/* The rows within a cell of a table: "share: shr_1a, group: writers; share: shr_2b". */
static void put_records(struct ch_buf *out, const struct ch_record *record, struct ch_cursor c)
{
    const uint32_t items = ch_read_array(&c);
    if (items == 0) ch_buf_put(out, "-", 1);
    for (uint32_t i = 0; i < items && c.err == CH_OK; i++) {
        const struct ch_bytes item = ch_read_value(&c);
        const struct charter_bytes row = {item.ptr, item.len};
        struct charter_text text;
        bool first = true;
        if (i > 0) ch_buf_put(out, "; ", 2);
        if (charter_get_text(row, "text", &text)) { /* it says in words what the others do */
            ch_buf_put(out, text.ptr, text.len);
            continue;
        }
        for (uint16_t k = 0; k < record->count; k++) {
            const struct ch_field *field = &record->fields[k];
            struct charter_bytes value;
            if (!charter_get(row, field->name, &value)) continue;
            if (!first) ch_buf_put(out, ", ", 2);
            first = false;
            ch_buf_put_text(out, (struct ch_text){field->name, field->name_len});
            ch_buf_put(out, ": ", 2);
            cell_write(out, field, row, /* shorten= */ true);
        }
    }
}

void cell_write(struct ch_buf *out, const struct ch_field *field, struct charter_bytes record,
                bool shorten)
{
    struct charter_bytes value;
    if (!charter_get(record, field->name, &value)) {
        ch_buf_put(out, "-", 1);
        return;
    }
    const enum ch_form form = ch_kinds[field->kind].form;
    struct ch_cursor c = cursor_of(value);
    const enum ch_value_kind kind = ch_cursor_peek(&c);
    const char *prefix =
        form == CH_FORM_ID ? ref_prefix(field->kind) : sibling_prefix(field, record);
    if (prefix != NULL && kind == CH_VALUE_UINT) {
        put_id(out, prefix, ch_read_uint(&c));
    } else if (field->kind == CH_KIND_passage && kind == CH_VALUE_TEXT) {
        put_passage(out, ch_read_text(&c));
    } else if (form == CH_FORM_FLAG && kind == CH_VALUE_BOOL) {
        ch_buf_put_text(out, ch_text_of(ch_read_bool(&c) ? "yes" : "no"));
    } else if (kind == CH_VALUE_ARRAY && shorten && field->record != NULL) {
        put_records(out, field->record, c);
    } else if (kind == CH_VALUE_ARRAY) {
        put_list(out, value, shorten && form == CH_FORM_SCOPES ? SCOPES_SHOWN : 0, prefix);
    } else if (kind == CH_VALUE_BIN) {
        char *json = charter_json(value, 0); /* hexadecimal text in quotes */
        const size_t len = json == NULL ? 0 : strlen(json);
        if (len >= 2) ch_buf_put(out, json + 1, len - 2);
        free(json);
    } else {
        cell_write_plain(out, value);
    }
}
