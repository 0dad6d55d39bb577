/* lines_read: reads a log back from JSON lines, as items of a bundle. SPDX-License-Identifier: MIT
 * source: lines_write.h. Threads: one at a time. */
#ifndef CH_KEEP_LINES_READ_H
#define CH_KEEP_LINES_READ_H
#include "daemon/log/bundle.h"

struct lines_reader; /* opaque */

/* fd:     a file or a pipe at its beginning; borrowed until close
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err lines_open(int fd, struct lines_reader **ret, struct ch_why *why);
void lines_close(struct lines_reader *lines); /* NULL is a no-op */

/* As ch_bundle_next, but there are no tiles; the order is for the caller to check.
 * errors: CH_ERR_FILE_IO, CH_ERR_NO_MEMORY; CH_ERR_LOG_CORRUPT: the text names the line */
CH_MUST_USE enum ch_err lines_next(struct lines_reader *lines, struct ch_bundle_item *ret,
                                   struct ch_why *why);
/* The line of a record that was read. */
uint64_t lines_number_of(const struct lines_reader *lines, uint64_t seq);
#endif
