/* snapshot_list: which snapshots there are, and which is to go; see snapshot.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/file.h"

enum { DIGITS = 16, KEPT_NEWEST = 2 };

/* The seq that a file's name says; 0: it is no snapshot's. */
static uint64_t seq_of(const char *name)
{
    uint64_t seq = 0;
    if (strlen(name) != DIGITS + strlen(".snap") || strcmp(name + DIGITS, ".snap") != 0) return 0;
    for (size_t i = 0; i < DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9') return 0;
        seq = seq * 10 + (uint64_t)(name[i] - '0');
    }
    return seq;
}

/* Inserts by seq; the oldest falls out where there is no room. */
static void insert(struct ch_snapshot_file *files, size_t most, size_t *count,
                   struct ch_snapshot_file file)
{
    size_t at = *count;
    while (at > 0 && files[at - 1].seq > file.seq) {
        at--;
    }
    if (*count == most) {
        if (at == 0) return;
        memmove(files, files + 1, (at - 1) * sizeof *files);
        files[at - 1] = file;
        return;
    }
    memmove(files + at + 1, files + at, (*count - at) * sizeof *files);
    files[at] = file;
    (*count)++;
}

enum ch_err ch_snapshot_list(const char *dir, struct ch_snapshot_file *ret, size_t most,
                             size_t *ret_count, struct ch_why *why)
{
    char path[PATH_MAX];
    *ret_count = 0;
    const int len = snprintf(path, sizeof path, "%s/snapshots", dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        return ch_fail(why, CH_ERR_FILE_IO, ENAMETOOLONG, "snapshots: the path is too long");
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        if (errno == ENOENT) return CH_OK;
        return ch_fail(why, CH_ERR_FILE_IO, errno, "snapshots: %s", strerror(errno));
    }
    /* cppcheck-suppress readdirCalled ; nobody else reads this stream */
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct stat info;
        const uint64_t seq = seq_of(entry->d_name);
        if (seq == 0 || fstatat(dirfd(folder), entry->d_name, &info, 0) != 0) continue;
        insert(ret, most, ret_count,
               (struct ch_snapshot_file){.seq = seq, .bytes = (uint64_t)info.st_size});
    }
    (void)closedir(folder);
    return CH_OK;
}

enum ch_err ch_snapshot_remove(const char *dir, uint64_t seq, struct ch_why *why)
{
    char path[PATH_MAX];
    const int len = snprintf(path, sizeof path, "%s/snapshots/%016" PRIu64 ".snap", dir, seq);
    int code = len < 0 || (size_t)len >= sizeof path ? ENAMETOOLONG : 0;
    if (code == 0 && unlink(path) != 0) code = errno;
    if (code == 0) code = ch_file_sync_parent(path);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, code, "snapshot %" PRIu64 ": %s", seq, strerror(code));
}

size_t ch_snapshot_surplus(const struct ch_snapshot_file *files, size_t count, size_t most,
                           uint64_t bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += files[i].bytes;
    }
    if (count <= most && sum <= bytes) return count;
    const size_t kept = sum > bytes ? 1 : KEPT_NEWEST;
    if (count <= kept) return count;
    /* The one without which the way to the next is the least longer, as compared with its age. */
    const uint64_t newest = files[count - 1].seq;
    size_t least = 0;
    double least_loss = 0;
    for (size_t i = 0; i + kept < count; i++) {
        const uint64_t gap = files[i + 1].seq - (i == 0 ? 0 : files[i - 1].seq);
        const double loss = (double)gap / (double)(newest - files[i].seq);
        if (i > 0 && loss >= least_loss) continue;
        least = i;
        least_loss = loss;
    }
    return least;
}
