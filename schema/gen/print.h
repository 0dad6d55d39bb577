/* print: what the generated pages share. SPDX-License-Identifier: MIT */
#ifndef CH_SCHEMA_GEN_PRINT_H
#define CH_SCHEMA_GEN_PRINT_H
#include "schema/records.h"

void print_line(const char *text);
void print_cell(const char *text); /* of a table; a bar would end it */
void print_code_cell(const char *text);
void print_bounds(const struct ch_kind *kind); /* what bounds a value, as words */
void print_fields(const struct ch_record *record, const char *what);
void print_who(const struct ch_call_row *row);

/* The pages. */
void print_reference(void);
void print_commands(void);
void print_scopes(void);
#endif
