/* file: see file.h. SPDX-License-Identifier: MIT */
#include "daemon/log/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int ch_file_write(int fd, uint64_t at, const void *ptr, size_t len)
{
    const uint8_t *bytes = ptr;
    while (len > 0) {
        ssize_t written = pwrite(fd, bytes, len, (off_t)at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (written == 0) return EIO;
        bytes += written;
        at += (uint64_t)written;
        len -= (size_t)written;
    }
    return 0;
}

int ch_file_read(int fd, uint64_t at, void *ptr, size_t len, size_t *ret_len)
{
    uint8_t *bytes = ptr;
    size_t have = 0;
    while (have < len) {
        ssize_t got = pread(fd, bytes + have, len - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        have += (size_t)got;
    }
    *ret_len = have;
    return 0;
}

int ch_file_sync_parent(const char *path)
{
    char copy[PATH_MAX]; /* dirname may change its argument */
    int len = snprintf(copy, sizeof copy, "%s", path);
    if (len < 0 || (size_t)len >= sizeof copy) return ENAMETOOLONG;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int code = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    return code;
}
