/* help: what the program can do, from the rows of the schema. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_HELP_H
#define CH_CHARTER_HELP_H
#include <stdbool.h>
#include <stdio.h>

#include "tools/charter/options.h"

enum { CALL_WORDS_BYTES = 64 };

/* A command that is made by hand, not from the rows. */
struct special {
    const char *words; /* "import" */
    const char *usage;
    const char *doc;
    const struct option_row *rows;
    size_t row_count;
};

/* The words of a call: "account open-master" of account.open_master. */
const char *help_words(int type, char out[CALL_WORDS_BYTES]);

/* The call of one or two words; -1: there is none. */
int help_find(const char *group, const char *word);
/* Whether some call's first word it is. */
bool help_is_group(const char *group);

void help_all(FILE *out, const struct special *specials, size_t count);
void help_group(FILE *out, const char *group, const struct special *specials, size_t count);
void help_call(FILE *out, int type);
void help_special(FILE *out, const struct special *special);
/* "scopes", "roles" or "pages"; false for another word. */
bool help_topic(const char *topic);
#endif
