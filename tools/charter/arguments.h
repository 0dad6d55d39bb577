/* arguments: a call's arguments, from options by its rows. SPDX-License-Identifier: MIT
 * Each field is an option of its name, - for _. Lists and scope sets take items by comma or by
 * repeating the option; \, is a comma inside an item. */
#ifndef CH_CHARTER_ARGUMENTS_H
#define CH_CHARTER_ARGUMENTS_H
#include "schema/base/buf.h"
#include "schema/records.h"
#include "tools/charter/options.h"

enum { ARGUMENTS_MOST = 16, ARGUMENT_NAME_BYTES = 40 };

/* The option rows of a record. */
struct argument_rows {
    struct option_row rows[ARGUMENTS_MOST];
    char names[ARGUMENTS_MOST][ARGUMENT_NAME_BYTES];
    size_t count;
};
void argument_rows_of(const struct ch_record *record, struct argument_rows *ret);

/* What an option of this kind takes, for help: "USER", "SCOPE,...". */
const char *argument_value_name(const struct ch_field *field);

/* Reads the rest of the line.
 * pairs:   gets the arguments as msgpack pairs
 * returns: how many, or -1: told on standard error (nothing is told with --help) */
int arguments_read(struct command_line *line, const struct ch_record *record, const char *command,
                   struct ch_buf *pairs);
#endif
