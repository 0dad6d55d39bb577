/* out: the file that a backup or an export becomes. SPDX-License-Identifier: MIT
 * Written under another name, `FILE.partial`; only when it is whole and durable does it take its
 * own.
 * Threads: one at a time. */
#ifndef CH_KEEP_OUT_H
#define CH_KEEP_OUT_H
#include <limits.h>

#include "schema/base/buf.h"
#include "schema/base/err.h"
#include "tools/lib/partial.h"

struct writer;

struct out {
    int fd;
    bool piped; /* standard output: it has no name, and what was written stays written */
    struct partial file;
    struct writer *writer;
    uint64_t written;
    uint64_t rate; /* bytes a second; 0: as fast as it goes */
    uint64_t began_ns;
};

/* path: "-" is standard output
 * errors: CH_ERR_FILE_IO (also: it is there already, or somebody else writes it),
 *         CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err out_open(struct out *out, const char *path, uint64_t rate,
                                 struct ch_why *why);
/* Takes the buffer's bytes and empties it; they are written meanwhile.
 * errors: CH_ERR_FILE_IO (also of bytes before), CH_ERR_NO_MEMORY (the buffer failed) */
CH_MUST_USE enum ch_err out_write(struct out *out, struct ch_buf *buf, struct ch_why *why);
/* Waits until all is written, makes it durable and gives it its name. errors: CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err out_finish(struct out *out, struct ch_why *why);
/* Closes it; what was not finished is removed. A zeroed struct with fd -1 is a no-op. */
void out_close(struct out *out);

/* Copies a file that somebody may be writing to, 0600 and durable: what changes meanwhile is read
 * again, so that no 4,096 bytes of it are half old and half new. `to` must not be there.
 * errors: CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err out_copy(const char *from, const char *to, struct ch_why *why);

/* "DIR/NAME" into ret. errors: CH_ERR_FILE_IO: too long */
CH_MUST_USE enum ch_err path_join(const char *dir, const char *name, char ret[PATH_MAX],
                                  struct ch_why *why);
#endif
