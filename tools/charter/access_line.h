/* access_line: one line of an access-ndjson history, and the calls it stands for.
 * SPDX-License-Identifier: MIT
 * An organisation is a sub-account, a member a share without a role, an admin one with the role
 * account_manager, a team a group with a share without a role, a repository a list.
 * source: charter.1, "Import format" */
#ifndef CH_CHARTER_ACCESS_LINE_H
#define CH_CHARTER_ACCESS_LINE_H
#include <stdint.h>

#include "client/include/charter/charter.h"
#include "schema/base/bytes.h"
#include "tools/charter/names.h"

struct json_t; /* <jansson.h> */

struct access_line {
    struct json_t *tree; /* owns what the rest points at */
    int op;              /* row of the table of operations; -1: it cannot be read, then: */
    const char *reason;  /* why, a word; NULL: the line is blank */
    const char *text;    /* why, for people */
    const char *at;      /* NULL if it has none that can be read */
    uint64_t at_ns;
    const char *account;
    const char *user;
    const char *group;
    const char *parent;
    const char *resource;
    const char *role;
    const char *level;
};

enum { ACCESS_LINE_CALLS_MOST = 2 };

/* Never fails: what cannot be read says so in op, reason and text. */
void access_line_read(struct ch_text text, struct access_line *ret);
void access_line_deinit(struct access_line *line); /* zeroed is a no-op */

/* Remembers the user of a line that was taken before. */
void access_line_learn(const struct access_line *line, struct names *known);

/* Adds the line's calls to the message.
 * under:    the master account's name
 * known:    users that need not be made any more; gets this line's
 * ret_user: whether the first call makes a user, who may be there already
 * returns:  how many calls */
size_t access_line_calls(const struct access_line *line, const char *under, struct names *known,
                         struct charter_message *m, bool *ret_user);
#endif
