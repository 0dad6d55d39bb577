/* staging: the place where a data directory is made before it counts. SPDX-License-Identifier: MIT
 * `DIR/restoring`; its files go to DIR only when all is whole, the log last. A run that fails on
 * the way takes back what it placed; what one left that was killed, in `restoring` and in DIR, is
 * removed by the next. Threads: one at a time. */
#ifndef CH_KEEP_STAGING_H
#define CH_KEEP_STAGING_H
#include <limits.h>

#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct staging {
    int dir_fd; /* holds the lock; -1: not open */
    const char *dir;
    char path[PATH_MAX];
    bool made_dir;
    unsigned placed; /* bit of each file that has its place and may not keep it */
};

/* dir:    borrowed until close; made if it is not there, else it must be empty
 * errors: CH_ERR_FILE_IO (code ENOTEMPTY: it is not empty) */
CH_MUST_USE enum ch_err staging_open(struct staging *staging, const char *dir, struct ch_why *why);
/* All files take their places, durably; none keeps it unless all do, once the place is closed.
 * errors: CH_ERR_FILE_IO (code EEXIST: one came into being meanwhile, and stays) */
CH_MUST_USE enum ch_err staging_settle(struct staging *staging, struct ch_why *why);
/* Removes what has no place to keep, and the directory if it was made and is empty. */
void staging_close(struct staging *staging);
#endif
