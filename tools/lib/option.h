/* option: the options of a program, from one table: read, and listed for --help.
 * SPDX-License-Identifier: MIT
 * An option is --name VALUE, --name=VALUE, or --name alone where it takes none. */
#ifndef CH_LIB_OPTION_H
#define CH_LIB_OPTION_H
#include <stddef.h>

enum { EVERYWHERE = 0 };

struct option_row {
    const char *name;
    const char *value; /* what it takes, for the help; NULL: nothing */
    const char *doc;   /* NULL: not for people */
    unsigned of;       /* a bit for each subcommand that takes it, or EVERYWHERE */
};

struct option_table {
    const char *program; /* before what is told on standard error */
    const struct option_row *rows;
    size_t count;
    int help_columns; /* of the name and the value in the list */
};

/* Reads the option at argv[*at], and its value; *at is then at the last word of it.
 * of:        the bit of the subcommand; EVERYWHERE where there are none
 * ret_value: borrowed from argv; NULL where it takes none
 * returns:   the row's place; -1: told on standard error */
int option_read(const struct option_table *table, unsigned of, int argc, char **argv, int *at,
                const char **ret_value);
/* The list for people, on standard output. */
void option_list(const struct option_table *table, unsigned of);
#endif
