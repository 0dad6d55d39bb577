/* table: see table.h. SPDX-License-Identifier: MIT */
#include "tools/charter/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/buf.h"
#include "schema/cursor.h"
#include "schema/text.h"
#include "tools/charter/cell.h"
#include "tools/charter/ref.h"
#include "tools/lib/clean.h"

/* A table's cells, row by row, as offsets into one buffer. */
struct grid {
    const struct ch_record *record;
    struct ch_buf text;
    size_t *ends; /* of each cell; cell i begins at the end of cell i - 1 */
    size_t count;
    size_t cap;
    bool failed;
};

/* Columns that a terminal takes for it: code points; wide ones count as one. */
static size_t width_of(struct ch_text text)
{
    size_t width = 0;
    for (size_t i = 0; text.ptr != NULL && i < text.len; i++) {
        if (((uint8_t)text.ptr[i] & 0xc0) != 0x80) width++;
    }
    return width;
}

static struct ch_text cell_of(const struct grid *grid, size_t place)
{
    const size_t start = place == 0 ? 0 : grid->ends[place - 1];
    return (struct ch_text){(const char *)grid->text.ptr + start, grid->ends[place] - start};
}

static void end_cell(struct grid *grid)
{
    if (grid->count == grid->cap) {
        const size_t cap = grid->cap == 0 ? 256 : grid->cap * 2;
        size_t *ends = realloc(grid->ends, cap * sizeof *ends);
        if (ends == NULL) {
            grid->failed = true;
            return;
        }
        grid->ends = ends;
        grid->cap = cap;
    }
    grid->ends[grid->count++] = grid->text.len;
}

static void add_rows(struct grid *grid, struct charter_bytes list)
{
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){list.ptr, list.len});
    const uint32_t items = ch_read_array(&c);
    for (uint32_t i = 0; i < items && c.err == CH_OK && !grid->failed; i++) {
        struct ch_bytes item = ch_read_value(&c);
        for (size_t k = 0; k < grid->record->count; k++) {
            cell_write(&grid->text, &grid->record->fields[k],
                       (struct charter_bytes){item.ptr, item.len}, true);
            end_cell(grid);
        }
    }
}

/* Widths of the columns; 0: nothing in any row, so it is not shown. */
static void measure(const struct grid *grid, size_t *widths)
{
    const size_t columns = grid->record->count;
    for (size_t k = 0; k < columns; k++) {
        bool any = false;
        size_t widest = grid->record->fields[k].name_len;
        for (size_t i = k; i < grid->count; i += columns) {
            const struct ch_text cell = cell_of(grid, i);
            const size_t width = width_of(cell);
            if (width > widest) widest = width;
            any = any || !ch_text_is(cell, "-");
        }
        widths[k] = any ? widest : 0;
    }
}

static void print_row(struct ch_text *cells, const size_t *widths, size_t columns)
{
    size_t pad = 0;
    for (size_t k = 0; k < columns; k++) {
        if (widths[k] == 0) continue;
        (void)printf("%*s", (int)pad, "");
        clean_print(stdout, cells[k]);
        pad = widths[k] - width_of(cells[k]) + 2;
    }
    (void)putchar('\n');
}

static void print_grid(const struct grid *grid)
{
    enum { COLUMNS_MOST = 32 };
    size_t widths[COLUMNS_MOST];
    struct ch_text cells[COLUMNS_MOST];
    const size_t columns = grid->record->count > COLUMNS_MOST ? COLUMNS_MOST : grid->record->count;
    measure(grid, widths);
    for (size_t k = 0; k < columns; k++) {
        cells[k] = (struct ch_text){grid->record->fields[k].name, grid->record->fields[k].name_len};
    }
    print_row(cells, widths, columns);
    for (size_t i = 0; i + columns <= grid->count; i += columns) {
        for (size_t k = 0; k < columns; k++) {
            cells[k] = cell_of(grid, i + k);
        }
        print_row(cells, widths, columns);
    }
}

void table_print_list(const struct ch_field *list, const struct charter_bytes *pages, size_t count)
{
    struct grid grid = {.record = list->record};
    for (size_t i = 0; i < count; i++) {
        struct charter_bytes rows;
        if (charter_get(pages[i], list->name, &rows)) add_rows(&grid, rows);
    }
    if (grid.failed || grid.text.failed) {
        (void)fprintf(stderr, "charter: out of memory\n");
    } else if (grid.count == 0) {
        (void)printf("no %s\n", list->name);
    } else {
        print_grid(&grid);
    }
    free(grid.ends);
    ch_buf_deinit(&grid.text);
}

static void print_line(int indent, const char *name, size_t width, const struct ch_buf *text)
{
    (void)printf("%*s%s:%*s", indent, "", name, (int)(width - strlen(name) + 1), "");
    clean_print(stdout, (struct ch_text){(const char *)text->ptr, text->len});
    (void)putchar('\n');
}

static bool is_cursor(const struct ch_field *field)
{
    return strcmp(field->name, "next") == 0 && field->kind == CH_KIND_count;
}

/* Records in a record that are lists, or that are not. One needs no heading, several do. */
static size_t count_nested(const struct ch_record *record, bool lists)
{
    size_t count = 0;
    for (size_t i = 0; i < record->count; i++) {
        count += record->fields[i].record != NULL && record->fields[i].list == lists;
    }
    return count;
}

/* The record's single values, one a line; those absent are left out. */
static void print_lines(const struct ch_record *record, struct charter_bytes object, int indent)
{
    const bool headings = count_nested(record, /* lists= */ false) > 1;
    size_t width = 0;
    for (size_t i = 0; i < record->count; i++) {
        if (record->fields[i].record == NULL && record->fields[i].name_len > width) {
            width = record->fields[i].name_len;
        }
    }
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        struct charter_bytes value;
        if (is_cursor(field) || !charter_get(object, field->name, &value)) continue;
        if (field->record != NULL) {
            if (field->list) continue;
            if (headings) (void)printf("%*s%s:\n", indent, "", field->name);
            print_lines(field->record, value, headings ? indent + 2 : indent);
            continue;
        }
        struct ch_buf text = {0};
        cell_write(&text, field, object, false);
        print_line(indent, field->name, width, &text);
        ch_buf_deinit(&text);
    }
}

void table_print(const struct ch_record *record, const struct charter_bytes *pages, size_t count)
{
    if (count == 0) return;
    const bool headings = count_nested(record, /* lists= */ true) > 1;
    print_lines(record, pages[count - 1], 0);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->record == NULL || !field->list) continue;
        if (headings) (void)printf("\n%s\n", field->name);
        table_print_list(field, pages, count);
    }
}

void table_print_made(struct charter_bytes result)
{
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){result.ptr, result.len});
    const uint32_t pairs = ch_read_map(&c);
    for (uint32_t i = 0; i < pairs && c.err == CH_OK; i++) {
        struct ch_text key = ch_read_text(&c);
        struct ch_cursor at = c;
        struct ch_bytes value = ch_read_value(&c);
        const char *prefix = ref_prefix_of(key);
        clean_print(stdout, key);
        (void)printf(": ");
        if (prefix != NULL && ch_cursor_peek(&at) == CH_VALUE_UINT) {
            char text[CH_ID_TEXT_BYTES];
            (void)ch_id_write(prefix, ch_read_uint(&at), text);
            (void)printf("%s\n", text);
            continue;
        }
        struct ch_buf text = {0};
        cell_write_plain(&text, (struct charter_bytes){value.ptr, value.len});
        clean_print(stdout, (struct ch_text){(const char *)text.ptr, text.len});
        (void)putchar('\n');
        ch_buf_deinit(&text);
    }
}
