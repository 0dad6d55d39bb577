/* options: the command line, one option at a time. SPDX-License-Identifier: MIT
 * An option is --name VALUE, --name=VALUE, or --name alone where it takes none. A command's own
 * options come before the global ones of the same name. */
#ifndef CH_CHARTER_OPTIONS_H
#define CH_CHARTER_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the program ends with; charter.1 lists them. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_NO = 1, /* denied, or answers that differ */
    EXIT_USAGE = 2,
    EXIT_REJECTED = 3,
    EXIT_FAILED = 4,
    EXIT_INTERRUPTED = 130,
};

struct option_row {
    const char *name;
    const char *value; /* what it takes, for help; NULL: nothing */
    const char *doc;
};

/* The global options; zero: not given. */
struct options {
    const char *url;
    const char *on;
    const char *as;
    const char *key; /* secrets, of a file; NULL: none */
    const char *session;
    const char *channel;
    const char *as_of;
    const char *at;
    const char *note;
    uint64_t at_least;
    uint64_t expect;
    unsigned timeout_ms;
    uint8_t id[16];
    char secret[264]; /* what `key` or `session` points to */
    bool has_expect;
    bool has_id;
    bool json;
    bool csv;
    bool all;
    bool dry_run;
    bool help;
    bool version;
};

struct command_line {
    int argc;
    char **argv;
    int at; /* the next word */
    struct options options;
};

extern const struct option_row global_options[];
extern const size_t global_option_count;

enum { OPTION_END = -1, OPTION_BAD = -2, OPTION_GLOBAL = -3 };

/* Reads the next option. A global one is taken into line->options.
 * ret_value: the option's value; "true" where it takes none; borrowed from argv
 * returns:   the row's place; OPTION_GLOBAL; OPTION_END; OPTION_BAD, told on standard error */
int option_next(struct command_line *line, const struct option_row *rows, size_t count,
                const char **ret_value);
/* The same where a row's value may be empty: an empty list is one. Of a global option it may not,
 * so that a script's unset variable is told instead of taken for an option that was not given. */
int option_next_any(struct command_line *line, const struct option_row *rows, size_t count,
                    const char **ret_value);

/* The next word if it is not an option, which is then behind; else NULL. */
const char *option_word(struct command_line *line);

/* A whole number; false for anything else. */
bool option_number(const char *text, uint64_t *ret);
#endif
