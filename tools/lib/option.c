/* option: see option.h. SPDX-License-Identifier: MIT */
#include "tools/lib/option.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool has(const struct option_row *row, unsigned of)
{
    return row->of == EVERYWHERE || (row->of & of) != 0;
}

static const struct option_row *find(const struct option_table *table, unsigned of,
                                     const char *name, size_t len)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (strlen(row->name) == len && memcmp(row->name, name, len) == 0) {
            return has(row, of) ? row : NULL;
        }
    }
    return NULL;
}

int option_read(const struct option_table *table, unsigned of, int argc, char **argv, int *at,
                const char **ret_value)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    const size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);
    const struct option_row *row = find(table, of, name, len);
    if (row == NULL) {
        (void)fprintf(stderr, "%s: there is no option %s here; see --help\n", table->program,
                      argv[*at]);
        return -1;
    }
    *ret_value = equals == NULL ? NULL : equals + 1;
    if (row->value != NULL && equals == NULL) {
        if (*at + 1 >= argc) {
            (void)fprintf(stderr, "%s: --%s takes a value: %s\n", table->program, row->name,
                          row->doc == NULL ? row->value : row->doc);
            return -1;
        }
        *ret_value = argv[++*at];
    }
    if (row->value != NULL && (*ret_value)[0] == '\0') {
        (void)fprintf(stderr, "%s: --%s: the value is empty; it takes %s\n", table->program,
                      row->name, row->value);
        return -1;
    }
    if (row->value == NULL && equals != NULL) {
        (void)fprintf(stderr, "%s: --%s takes no value\n", table->program, row->name);
        return -1;
    }
    return (int)(row - table->rows);
}

void option_list(const struct option_table *table, unsigned of)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        char left[32];
        if (!has(row, of) || row->doc == NULL) continue;
        (void)snprintf(left, sizeof left, "--%s%s%s", row->name, row->value == NULL ? "" : " ",
                       row->value == NULL ? "" : row->value);
        (void)printf("  %-*s %s\n", table->help_columns, left, row->doc);
    }
}
