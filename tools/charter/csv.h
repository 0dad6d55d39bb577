/* csv: a list of an answer for spreadsheets and scripts. SPDX-License-Identifier: MIT
 * source: RFC 4180 */
#ifndef CH_CHARTER_CSV_H
#define CH_CHARTER_CSV_H
#include "client/include/charter/charter.h"
#include "schema/records.h"

/* A cell: quoted where a comma, a quote or the end of a line would end it; a quote is doubled. */
void csv_print_cell(struct ch_text text);

/* The one list of records that an answer of this kind has; NULL: it has none, or several. */
const struct ch_field *csv_list(const struct ch_record *result);

/* Prints a header of the fields' names and the rows of all pages. A field that may be absent has a
 * column only where some row has a value. False: out of memory. */
bool csv_print(const struct ch_field *list, const struct charter_bytes *pages, size_t count);
#endif
