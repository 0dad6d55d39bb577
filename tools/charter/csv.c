/* csv: see csv.h. SPDX-License-Identifier: MIT */
#include "tools/charter/csv.h"

#include <stdio.h>

#include "schema/base/buf.h"
#include "schema/cursor.h"
#include "tools/charter/cell.h"

enum { COLUMNS_MOST = 64 };

const struct ch_field *csv_list(const struct ch_record *result)
{
    const struct ch_field *list = NULL;
    for (size_t i = 0; i < result->count; i++) {
        const struct ch_field *field = &result->fields[i];
        if (field->record == NULL || !field->list) continue;
        if (list != NULL) return NULL;
        list = field;
    }
    return list;
}

void csv_print_cell(struct ch_text text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        quoted = quoted || c == ',' || c == '"' || c == '\r' || c == '\n';
    }
    if (quoted) (void)putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') (void)putchar('"');
        (void)putchar(text.ptr[i]);
    }
    if (quoted) (void)putchar('"');
}

static void end_line(void)
{
    (void)fputs("\r\n", stdout);
}

/* Calls `visit` for each record of the list, over all pages. */
static void each_row(const struct ch_field *list, const struct charter_bytes *pages, size_t count,
                     void (*visit)(void *arg, struct charter_bytes row), void *arg)
{
    for (size_t i = 0; i < count; i++) {
        struct charter_bytes rows;
        if (!charter_get(pages[i], list->name, &rows)) continue;
        struct ch_cursor c = ch_cursor_of((struct ch_bytes){rows.ptr, rows.len});
        const uint32_t items = ch_read_array(&c);
        for (uint32_t k = 0; k < items && c.err == CH_OK; k++) {
            const struct ch_bytes row = ch_read_value(&c);
            visit(arg, (struct charter_bytes){row.ptr, row.len});
        }
    }
}

/* The columns that are shown. */
struct columns {
    const struct ch_record *record;
    size_t count;
    bool shown[COLUMNS_MOST];
    bool failed;
};

static void note_columns(void *arg, struct charter_bytes row)
{
    struct columns *columns = arg;
    for (size_t k = 0; k < columns->count; k++) {
        struct charter_bytes value;
        if (charter_get(row, columns->record->fields[k].name, &value)) columns->shown[k] = true;
    }
}

static void print_row(void *arg, struct charter_bytes row)
{
    struct columns *columns = arg;
    bool first = true;
    for (size_t k = 0; k < columns->count; k++) {
        const struct ch_field *field = &columns->record->fields[k];
        struct charter_bytes value;
        struct ch_buf text = {0};
        if (!columns->shown[k]) continue;
        if (!first) (void)putchar(',');
        first = false;
        if (!charter_get(row, field->name, &value)) continue; /* absent: an empty cell */
        cell_write(&text, field, row, /* shorten= */ false);
        columns->failed = columns->failed || text.failed;
        if (text.len > 0) csv_print_cell((struct ch_text){(const char *)text.ptr, text.len});
        ch_buf_deinit(&text);
    }
    end_line();
}

bool csv_print(const struct ch_field *list, const struct charter_bytes *pages, size_t count)
{
    const struct ch_record *record = list->record;
    struct columns columns = {.record = record,
                              .count = record->count > COLUMNS_MOST ? COLUMNS_MOST : record->count};
    bool first = true;
    for (size_t k = 0; k < columns.count; k++) {
        columns.shown[k] = !record->fields[k].optional;
    }
    each_row(list, pages, count, note_columns, &columns);
    for (size_t k = 0; k < columns.count; k++) {
        if (!columns.shown[k]) continue;
        if (!first) (void)putchar(',');
        first = false;
        csv_print_cell((struct ch_text){record->fields[k].name, record->fields[k].name_len});
    }
    end_line();
    each_row(list, pages, count, print_row, &columns);
    return !columns.failed;
}
