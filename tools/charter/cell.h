/* cell: one value of an answer, as people read it. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_CELL_H
#define CH_CHARTER_CELL_H
#include "client/include/charter/charter.h"
#include "schema/base/buf.h"
#include "schema/records.h"

/* Appends the field's value of a record, or "-" where it has none. Ids are written acc_..., also a
 * count x beside an enum x_kind that says whose id it is.
 * shorten: a long scope set is cut, for tables */
void cell_write(struct ch_buf *out, const struct ch_field *field, struct charter_bytes record,
                bool shorten);

/* A value without a row: JSON, or the bare text. */
void cell_write_plain(struct ch_buf *out, struct charter_bytes value);
#endif
