/* table: an answer for people: its single values as lines, its lists as tables.
 * SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_TABLE_H
#define CH_CHARTER_TABLE_H
#include "client/include/charter/charter.h"
#include "schema/records.h"

/* Prints the pages of one answer; single values are the last page's, lists are joined. */
void table_print(const struct ch_record *record, const struct charter_bytes *pages, size_t count);

/* Prints a command's result: seq, events, and what it made. */
void table_print_made(struct charter_bytes result);

/* Prints one list of records; nothing but its title if it is empty. */
void table_print_list(const struct ch_field *list, const struct charter_bytes *pages, size_t count);
#endif
