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

enum {
    FILES = sizeof files / sizeof files[0],
    LOG = FILES - 1,
    HELPERS = sizeof helpers / sizeof helpers[0],
};

_Static_assert(FILES <= 8 * sizeof((struct staging *)0)->placed, "a bit for each file");

static enum ch_err fail(struct ch_why *why, const char *path, int code)
{
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", path, strerror(code));
}

/* "restoring/FILE", from the directory. */
struct staged {
    char path[64];
};

static struct staged staged(size_t file)
{
    struct staged ret;
    (void)snprintf(ret.path, sizeof ret.path, "%s/%s", name, files[file]);
    return ret;
}

static bool is_there(const struct staging *staging, const char *path, struct stat *ret)
{
    return fstatat(staging->dir_fd, path, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static void remove_staged(const struct staging *staging)
{
    const int fd = openat(staging->dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return; /* a link of that name is somebody's own, as is what it leads to */
    for (size_t i = 0; i < FILES; i++) {
        (void)unlinkat(fd, files[i], 0);
    }
    for (size_t i = 0; i < HELPERS; i++) {
        (void)unlinkat(fd, helpers[i], 0);
    }
    (void)close(fd);
    (void)unlinkat(staging->dir_fd, name, AT_REMOVEDIR);
}

/* What this run gave its place is taken away again, the log first. */
static void remove_placed(struct staging *staging)
{
    for (size_t i = FILES; i > 0; i--) {
        if ((staging->placed >> (i - 1) & 1) != 0) {
            (void)unlinkat(staging->dir_fd, files[i - 1], 0);
        }
    }
    staging->placed = 0;
}

/* The same for a run that was killed between the first file and the log. Its files are known by
 * standing here and in `restoring`: whatever else has their names is somebody's own. */
static void remove_placed_earlier(const struct staging *staging)
{
    struct stat here, there;
    const bool has_log = is_there(staging, files[LOG], &here);
    const bool has_staged = is_there(staging, staged(LOG).path, &there);
    if (has_log && !has_staged) remove_staged(staging); /* it was whole: second names only */
    if (has_log || !has_staged) return;
    for (size_t i = 0; i < LOG; i++) {
        if (is_there(staging, files[i], &here) && is_there(staging, staged(i).path, &there) &&
            here.st_dev == there.st_dev && here.st_ino == there.st_ino) {
            (void)unlinkat(staging->dir_fd, files[i], 0);
        }
    }
}

/* Empty but for what stands at the top of a file system, and for `restoring`. */
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
    remove_placed_earlier(staging);
    err = check_empty(staging, why);
    if (err != CH_OK) {
        (void)close(staging->dir_fd); /* nothing of it is ours */
        staging->dir_fd = -1;
        return err;
    }
    remove_staged(staging);
    return mkdirat(staging->dir_fd, name, 0700) == 0 ? CH_OK : fail(why, staging->path, errno);
}

/* Not over one that came into being meanwhile, where the file system can say so. */
static int move(int dir_fd, const char *from, const char *to)
{
    if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    return renameat(dir_fd, from, dir_fd, to) == 0 ? 0 : errno;
}

/* A second name, so that a later run knows it for ours; the log's only name is changed. */
static int place(const struct staging *staging, size_t file)
{
    const struct staged from = staged(file);
    if (file == LOG) return move(staging->dir_fd, from.path, files[file]);
    if (linkat(staging->dir_fd, from.path, staging->dir_fd, files[file], 0) == 0) return 0;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) return errno;
    return move(staging->dir_fd, from.path, files[file]); /* a file system without second names */
}

static enum ch_err place_all(struct staging *staging, struct ch_why *why)
{
    for (size_t i = 0; i < FILES; i++) {
        /* What the log needs has its name durably before the log has. */
        if (i == LOG && fsync(staging->dir_fd) != 0) return fail(why, staging->dir, errno);
        const int code = place(staging, i);
        if (code == ENOENT && i != LOG) continue; /* vault and key may lack */
        if (code != 0) {
            return ch_fail(why, CH_ERR_FILE_IO, code, "%s/%s: %s", staging->dir, files[i],
                           strerror(code));
        }
        staging->placed |= 1u << i;
    }
    return fsync(staging->dir_fd) == 0 ? CH_OK : fail(why, staging->dir, errno);
}

enum ch_err staging_settle(struct staging *staging, struct ch_why *why)
{
    const enum ch_err err = place_all(staging, why);
    if (err == CH_OK) {
        staging->placed = 0; /* it stays */
        staging->made_dir = false;
    }
    return err;
}

void staging_close(struct staging *staging)
{
    if (staging->dir_fd < 0) return;
    remove_placed(staging);
    remove_staged(staging);
    if (staging->made_dir) (void)rmdir(staging->dir);
    (void)close(staging->dir_fd);
    staging->dir_fd = -1;
}
