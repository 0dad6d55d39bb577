/* writer: a thread that writes a file from its beginning to its end. SPDX-License-Identifier: MIT
 * What is put is collected in pieces; a piece is written while the next ones are filled. It goes
 * past the page cache where the file system lets it, and one piece at a time: so nothing of ours
 * lies before what charterd writes, but the piece on its way. The disk's own cache is emptied now
 * and then, unless somebody else does that all the time.
 * Threads: one at a time, beside its own. Functions that return an int: 0 or an errno. */
#ifndef CH_KEEP_WRITER_H
#define CH_KEEP_WRITER_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct writer; /* opaque */

/* fd:     a file at its beginning, or a pipe; borrowed until close
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err writer_open(int fd, bool piped, struct writer **ret, struct ch_why *why);
/* Waits where all pieces are full. Tells also what went wrong with bytes put before. */
CH_MUST_USE int writer_put(struct writer *writer, struct ch_bytes bytes);
/* Whether somebody else makes the disk durable meanwhile, as charterd does with each commit. */
void writer_beside(struct writer *writer, bool others);
/* All that was put is written, but not durable; nothing may be put any more. */
CH_MUST_USE int writer_finish(struct writer *writer);
void writer_close(struct writer *writer); /* NULL is a no-op; may come before the end */
#endif
