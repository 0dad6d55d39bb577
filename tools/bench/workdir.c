/* workdir: see workdir.h. SPDX-License-Identifier: MIT */
#include "tools/bench/workdir.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char name_pattern[] = "/charter-bench-XXXXXX";

static const char *default_parent(void)
{
    struct stat status;
    return stat("build", &status) == 0 && S_ISDIR(status.st_mode) ? "build" : ".";
}

static void warn_if_in_memory(const char *path)
{
    struct statfs status;
    if (statfs(path, &status) != 0) return;
    if (status.f_type != TMPFS_MAGIC && status.f_type != RAMFS_MAGIC) return;
    (void)fprintf(stderr,
                  "charter-bench: %s is in memory, where a commit costs nothing: durable figures "
                  "will mean nothing. Choose a directory on a disk with --dir.\n",
                  path);
}

enum ch_err ch_workdir_open(const char *parent, struct ch_workdir *ret, struct ch_why *why)
{
    if (parent == NULL) parent = default_parent();
    char real[PATH_MAX];
    if (realpath(parent, real) == NULL) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", parent, strerror(errno));
    }
    struct ch_workdir made;
    if (strlen(real) + sizeof name_pattern > sizeof made.path) {
        return ch_fail(why, CH_ERR_CONFIG, 0,
                       "%s is too long a path for a socket in it; choose a shorter one with --dir",
                       parent);
    }
    (void)snprintf(made.path, sizeof made.path, "%.*s%s",
                   (int)(sizeof made.path - sizeof name_pattern), real, name_pattern);
    if (mkdtemp(made.path) == NULL) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", made.path, strerror(errno));
    }
    warn_if_in_memory(made.path);
    *ret = made;
    return CH_OK;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    (void)remove(path);
    return 0;
}

void ch_workdir_remove(const char *path)
{
    (void)nftw(path, remove_one, /* open directories= */ 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void ch_workdir_close(struct ch_workdir *workdir)
{
    if (workdir == NULL || workdir->path[0] == '\0') return;
    ch_workdir_remove(workdir->path);
    workdir->path[0] = '\0';
}

void ch_workdir_name(const struct ch_workdir *workdir, const char *name,
                     char ret[CH_WORKDIR_NAME_BYTES])
{
    (void)snprintf(ret, CH_WORKDIR_NAME_BYTES, "%s/%.20s", workdir->path, name);
}

enum ch_err ch_workdir_make(const char *path, struct ch_why *why)
{
    if (mkdir(path, 0700) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", path, strerror(errno));
}
