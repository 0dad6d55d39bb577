/* lines: the lines of a file or of standard input, gzip or plain. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_LINES_H
#define CH_CHARTER_LINES_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct lines; /* opaque */

/* path: "-" is standard input
 * errors: CH_ERR_FILE_IO, NO_MEMORY */
CH_MUST_USE enum ch_err lines_open(const char *path, struct lines **ret, struct ch_why *why);
void lines_close(struct lines *lines); /* NULL is a no-op */

/* The next line with its newline, if it has one; an empty text at the end.
 * ret:    lives until the next call
 * errors: CH_ERR_FILE_IO (also a gzip file that ends early, and a line beyond
 *         LIMIT_MESSAGE_BYTES) */
CH_MUST_USE enum ch_err lines_next(struct lines *lines, struct ch_text *ret, struct ch_why *why);

/* Tells on standard error that a line is not what it should be: "line 3 is no command: ...", as
 * much of it as a person reads. Nothing of it steers the terminal. */
void lines_tell(const char *is, uint64_t number, struct ch_text line);

/* Thousandths of the file read so far; -1 where its size is not known. */
int lines_permille(const struct lines *lines);
#endif
