/* partial: a file that takes its name only when it is whole. SPDX-License-Identifier: MIT
 * Written beside it as FILE.partial, made durable, then given its name; so whatever had the name
 * before is there until all of the new one is. Each function returns 0 or an errno.
 * Threads: one file at a time. */
#ifndef CH_LIB_PARTIAL_H
#define CH_LIB_PARTIAL_H
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct partial {
    int fd; /* -1: none */
    char path[PATH_MAX];
    char name[PATH_MAX]; /* path.partial; empty: it has its own name now */
};

/* One that an earlier run left behind when it was killed is taken over.
 * mode:   of a new file, less the umask
 * errors: EWOULDBLOCK: another process writes it */
int partial_open(struct partial *partial, const char *path, mode_t mode);
/* Makes it durable and gives it its name. replace: over one that has it; else EEXIST, where the
 * file system can tell */
int partial_place(struct partial *partial, bool replace);
/* In a signal handler, before the program ends: removes the one that is open, if one is. */
void partial_abandon(void);
/* Closes it; what has no name of its own is removed. With fd -1 a no-op. */
void partial_close(struct partial *partial);
#endif
