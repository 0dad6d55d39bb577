/* partial: see partial.h. SPDX-License-Identifier: MIT */
#include "tools/lib/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What partial_abandon removes: a signal handler reaches nothing else. */
static char begun[PATH_MAX];
static volatile sig_atomic_t is_begun;

static void begin(const struct partial *partial)
{
    memcpy(begun, partial->name, strlen(partial->name) + 1);
    atomic_signal_fence(memory_order_release);
    is_begun = 1;
}

void partial_abandon(void)
{
    if (is_begun != 0) (void)unlink(begun);
}

/* Locked, and still what the name stands for: another process may have placed it in between. */
static int claim(const struct partial *partial)
{
    struct stat own;
    struct stat named;
    if (flock(partial->fd, LOCK_EX | LOCK_NB) != 0) return errno;
    if (fstat(partial->fd, &own) != 0) return errno;
    if (stat(partial->name, &named) != 0) return errno == ENOENT ? EWOULDBLOCK : errno;
    if (own.st_dev != named.st_dev || own.st_ino != named.st_ino) return EWOULDBLOCK;
    return ftruncate(partial->fd, 0) == 0 ? 0 : errno;
}

int partial_open(struct partial *partial, const char *path, mode_t mode)
{
    partial->fd = -1;
    const int len = snprintf(partial->path, sizeof partial->path, "%s", path);
    const int more = snprintf(partial->name, sizeof partial->name, "%s.partial", path);
    if (len < 0 || len >= PATH_MAX || more < 0 || more >= PATH_MAX) return ENAMETOOLONG;
    partial->fd = open(partial->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
    if (partial->fd < 0) return errno;
    const int code = claim(partial);
    if (code == 0) {
        begin(partial);
        return 0;
    }
    (void)close(partial->fd); /* it is not ours, so it stays */
    partial->fd = -1;
    return code;
}

/* Makes the entry in its directory durable. */
static int sync_parent(const char *path)
{
    char copy[PATH_MAX]; /* dirname may change its argument */
    (void)snprintf(copy, sizeof copy, "%s", path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int code = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return code;
}

int partial_place(struct partial *partial, bool replace)
{
    int code = fsync(partial->fd) == 0 ? 0 : errno;
    if (code != 0) return code;
    if (!replace) {
        /* Not over one that came into being meanwhile, where the file system can say so. */
        code = renameat2(AT_FDCWD, partial->name, AT_FDCWD, partial->path, RENAME_NOREPLACE) == 0
                   ? 0
                   : errno;
    }
    if (replace || code == EINVAL || code == ENOSYS) {
        code = rename(partial->name, partial->path) == 0 ? 0 : errno;
    }
    if (code != 0) return code;
    is_begun = 0;
    partial->name[0] = '\0';
    return sync_parent(partial->path);
}

void partial_close(struct partial *partial)
{
    if (partial->fd < 0) return;
    if (partial->name[0] != '\0') (void)unlink(partial->name);
    is_begun = 0;
    (void)close(partial->fd);
    partial->fd = -1;
}
