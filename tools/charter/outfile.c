/* outfile: see outfile.h. SPDX-License-Identifier: MIT */
#include "tools/charter/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/lib/interrupt.h"
#include "tools/lib/partial.h"

enum { NEW_FILE = 0666, MODE_BITS = 0777 }; /* octal */

static int write_all(int fd, const char *ptr, size_t len)
{
    while (len > 0) {
        const ssize_t done = write(fd, ptr, len);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        ptr += done;
        len -= (size_t)done;
    }
    return 0;
}

/* A device, a pipe, or where standard output goes. */
static int write_into(const char *path, const void *ptr, size_t len)
{
    const int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int code = write_all(fd, ptr, len);
    return close(fd) == 0 || code != 0 ? code : errno;
}

/* old: what had the name before; NULL: nothing. */
static int write_whole(const char *path, const struct stat *old, const void *ptr, size_t len)
{
    struct partial partial;
    interrupt_watch(); /* it is soon done; who cannot wait leaves nothing behind, either */
    int code = partial_open(&partial, path, NEW_FILE);
    if (code == 0) code = write_all(partial.fd, ptr, len);
    if (code == 0 && old != NULL) (void)fchmod(partial.fd, old->st_mode & MODE_BITS);
    if (code == 0) code = partial_place(&partial, /* replace= */ true);
    partial_close(&partial);
    return code;
}

/* Whether the file is the one that standard output was sent to, by way of /dev/stdout. */
static bool is_stdout(const struct stat *file)
{
    struct stat out;
    return fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == file->st_dev &&
           out.st_ino == file->st_ino;
}

static int write_to(const char *path, const void *ptr, size_t len)
{
    struct stat old;
    struct stat link;
    if (lstat(path, &link) != 0) {
        return errno == ENOENT ? write_whole(path, NULL, ptr, len) : errno;
    }
    if (stat(path, &old) != 0) return errno; /* a link to nowhere, too */
    if (is_stdout(&old)) return write_all(STDOUT_FILENO, ptr, len);
    if (!S_ISREG(old.st_mode)) return write_into(path, ptr, len);
    char *real = realpath(path, NULL); /* a link stays one */
    const int code = real == NULL ? errno : write_whole(real, &old, ptr, len);
    free(real);
    return code;
}

bool outfile_is_stdout(const char *path)
{
    return path == NULL || strcmp(path, "-") == 0;
}

enum exit_code outfile_write(const char *path, const void *ptr, size_t len)
{
    int code;
    if (outfile_is_stdout(path)) {
        errno = 0;
        code = fwrite(ptr, 1, len, stdout) == len ? 0 : errno != 0 ? errno : EIO;
    } else {
        code = write_to(path, ptr, len);
    }
    if (code == 0) return EXIT_DONE;
    (void)fprintf(stderr, "charter: failed: %s: %s\n",
                  outfile_is_stdout(path) ? "standard output" : path,
                  code == EWOULDBLOCK ? "another process writes it" : strerror(code));
    return EXIT_FAILED;
}
