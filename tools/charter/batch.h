/* batch: the lines of one import message, made ready while the one before is in flight.
 * SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_BATCH_H
#define CH_CHARTER_BATCH_H
#include "schema/base/buf.h"
#include "tools/charter/access_line.h"
#include "tools/charter/refused.h"

enum { BATCH_AT_BYTES = 64 };

struct batch_line {
    uint64_t number; /* in the file, from 1 */
    size_t start;    /* of its text in `texts` */
    size_t len;
    uint32_t first_call;
    uint32_t calls;     /* 0: blank (reason NULL), or refused here, for: */
    const char *reason; /* static texts */
    const char *text;
    bool makes_user; /* by the first call */
};

struct batch {
    struct charter_message *m; /* NULL: no line yet that has a time */
    char at[BATCH_AT_BYTES];   /* of all lines; empty with `m` NULL */
    struct batch_line *lines;
    size_t count;
    size_t cap;
    struct ch_buf texts;
    uint64_t last_line;
    uint8_t digest[CHARTER_DIGEST_BYTES]; /* of all lines up to the last */
    size_t calls;
};

void batch_deinit(struct batch *batch);
void batch_reset(struct batch *batch);

/* Begins the message: all lines have this time. False when out of memory. */
bool batch_begin(struct batch *batch, const char *at);

/* Whether one more line fits into the message. most: lines of a message */
bool batch_has_room(const struct batch *batch, size_t most, size_t line_len);

/* Adds a line and its calls; one that cannot be read (op -1) only as refused. False when out of
 * memory. */
bool batch_add(struct batch *batch, uint64_t number, struct ch_text text,
               const struct access_line *line, const char *under, struct names *known);

/* Adds import.advance; the message can be sent then. */
void batch_seal(struct batch *batch);

/* Goes through the answers: counts the lines refused.
 * returns: the result of import.advance, or of a call that failed for a reason that is not the
 *          line's own (no room, stopped); CHARTER_RESULT: all is well */
const struct charter_result *batch_settle(const struct batch *batch,
                                          const struct charter_reply *reply,
                                          struct refused *refused);

/* The same for a batch without a message: every line of it is refused. */
void batch_refuse(const struct batch *batch, struct refused *refused);
#endif
