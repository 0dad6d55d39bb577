/* workdir: a directory of the bench's own, removed with all in it. SPDX-License-Identifier: MIT
 * It must lie on the disk whose figures are wanted; in memory (tmpfs) a commit costs nothing and
 * every durable figure would be a lie, so that is said on standard error. */
#ifndef CH_BENCH_WORKDIR_H
#define CH_BENCH_WORKDIR_H
#include "schema/base/err.h"

/* A path must leave room for the name of an ipc socket (108 bytes with its NUL, sun_path). */
enum { CH_WORKDIR_PATH_BYTES = 84, CH_WORKDIR_NAME_BYTES = 108 };

struct ch_workdir {
    char path[CH_WORKDIR_PATH_BYTES]; /* empty: not open */
};

/* Makes a fresh directory.
 * parent: an existing directory; NULL: ./build if there is one, else the current directory
 * errors: CH_ERR_FILE_IO, CH_ERR_CONFIG (the path is too long for a socket in it) */
CH_MUST_USE enum ch_err ch_workdir_open(const char *parent, struct ch_workdir *ret,
                                        struct ch_why *why);
void ch_workdir_close(struct ch_workdir *workdir); /* removes it; NULL and zeroed are no-ops */

/* "<path>/<name>" into ret. name: at most 20 bytes, so that it always fits. */
void ch_workdir_name(const struct ch_workdir *workdir, const char *name,
                     char ret[CH_WORKDIR_NAME_BYTES]);

/* Makes and removes a directory inside; removing one that is not there is a no-op. */
CH_MUST_USE enum ch_err ch_workdir_make(const char *path, struct ch_why *why);
void ch_workdir_remove(const char *path);
#endif
