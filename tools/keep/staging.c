/* staging: see staging.h. SPDX-License-Identifier: MIT */
#include "tools/keep/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/file.h"
#include "tools/keep/out.h"

static const char name[] = "restoring";

/* In the order in which they take their places. A directory without the log is none that charterd
 * takes for one; with the log alone it refuses to start. */
static const char *const files[] = {"head", "vault", "signing-key", "log.mdb"};
static const char *const helpers[] = {"lock", "log.mdb-lock"};

enum { FILES = sizeof files / sizeof files[0], HELPERS = sizeof helpers / sizeof helpers[0] };

static enum ch_err fail(struct ch_why *why, const char *path, int code)
{
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", path, strerror(code));
}

static void remove_all(const struct staging *staging)
{
    const int fd = openat(staging->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    for (size_t i = 0; i < FILES; i++) {
        (void)unlinkat(fd, files[i], 0);
    }
    for (size_t i = 0; i < HELPERS; i++) {
        (void)unlinkat(fd, helpers[i], 0);
    }
    (void)close(fd);
    (void)unlinkat(staging->dir_fd, name, AT_REMOVEDIR);
}

/* Empty but for what an earlier run left, and what stands at the top of a file system. */
static enum ch_err check_empty(const struct staging *staging, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    DIR *list = opendir(staging->dir);
    const struct dirent *entry;
    if (list == NULL) return fail(why, staging->dir, errno);
    // cppcheck-suppress readdirCalled ; the list is this thread's alone
    while (err == CH_OK && (entry = readdir(list)) != NULL) {
        const char *other = entry->d_name;
        if (strcmp(other, ".") == 0 || strcmp(other, "..") == 0 || strcmp(other, name) == 0 ||
            strcmp(other, "lost+found") == 0) {
            continue;
        }
        err = ch_fail(why, CH_ERR_FILE_IO, ENOTEMPTY,
                      "%s is not empty: it has %s. Move it aside, and name it with --against, so "
                      "that a log behind it is not taken by mistake",
                      staging->dir, other);
    }
    (void)closedir(list);
    return err;
}

enum ch_err staging_open(struct staging *staging, const char *dir, struct ch_why *why)
{
    *staging = (struct staging){.dir_fd = -1, .dir = dir};
    enum ch_err err = path_join(dir, name, staging->path, why);
    if (err != CH_OK) return err;
    staging->made_dir = mkdir(dir, 0700) == 0;
    if (!staging->made_dir && errno != EEXIST) return fail(why, dir, errno);
    int code = staging->made_dir ? ch_file_sync_parent(dir) : 0;
    if (code == 0) {
        staging->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        code = staging->dir_fd < 0 ? errno : 0;
    }
    if (code == 0 && flock(staging->dir_fd, LOCK_EX | LOCK_NB) != 0) {
        staging->made_dir = false;
        (void)close(staging->dir_fd);
        staging->dir_fd = -1;
        return ch_fail(why, CH_ERR_FILE_IO, EEXIST, "%s: another process restores into it", dir);
    }
    if (code != 0) return fail(why, dir, code);
    err = check_empty(staging, why);
    if (err != CH_OK) {
        (void)close(staging->dir_fd); /* nothing of it is ours */
        staging->dir_fd = -1;
        return err;
    }
    remove_all(staging);
    return mkdirat(staging->dir_fd, name, 0700) == 0 ? CH_OK : fail(why, staging->path, errno);
}

enum ch_err staging_settle(struct staging *staging, struct ch_why *why)
{
    for (size_t i = 0; i < FILES; i++) {
        char from[64];
        (void)snprintf(from, sizeof from, "%s/%s", name, files[i]);
        if (renameat(staging->dir_fd, from, staging->dir_fd, files[i]) == 0) continue;
        if (errno != ENOENT) return fail(why, staging->path, errno); /* vault and key may lack */
    }
    if (fsync(staging->dir_fd) != 0) return fail(why, staging->dir, errno);
    staging->made_dir = false; /* it stays */
    return CH_OK;
}

void staging_close(struct staging *staging)
{
    if (staging->dir_fd < 0) return;
    remove_all(staging);
    if (staging->made_dir) (void)rmdir(staging->dir);
    (void)close(staging->dir_fd);
    staging->dir_fd = -1;
}
