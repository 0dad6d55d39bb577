/* out: see out.h. SPDX-License-Identifier: MIT */
#include "tools/keep/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log/file.h"
#include "tools/keep/writer.h"
#include "tools/lib/now.h"

enum { COPY_BYTES = 4096, COPY_TRIES = 1000 };

static enum ch_err fail(struct ch_why *why, const char *path, int code)
{
    return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", path, strerror(code));
}

enum ch_err path_join(const char *dir, const char *name, char ret[PATH_MAX], struct ch_why *why)
{
    const int len = snprintf(ret, PATH_MAX, "%s/%s", dir, name);
    return len > 0 && len < PATH_MAX ? CH_OK : fail(why, dir, ENAMETOOLONG);
}

enum ch_err out_open(struct out *out, const char *path, uint64_t rate, struct ch_why *why)
{
    *out = (struct out){.fd = -1, .file = {.fd = -1}, .rate = rate, .began_ns = now_ns()};
    if (strcmp(path, "-") == 0) {
        out->piped = true;
        out->fd = STDOUT_FILENO;
        return writer_open(out->fd, out->piped, &out->writer, why);
    }
    if (access(path, F_OK) == 0) return fail(why, path, EEXIST);
    const int code = partial_open(&out->file, path, 0600);
    if (code == EWOULDBLOCK) {
        return ch_fail(why, CH_ERR_FILE_IO, EEXIST, "%s: another process writes it",
                       out->file.name);
    }
    if (code != 0) return fail(why, code == ENAMETOOLONG ? path : out->file.name, code);
    out->fd = out->file.fd;
    return writer_open(out->fd, out->piped, &out->writer, why);
}

static void keep_rate(const struct out *out)
{
    if (out->rate == 0) return;
    const double due_s = (double)out->written / (double)out->rate;
    const double left_s = due_s - (double)(now_ns() - out->began_ns) / 1e9;
    if (left_s <= 0) return;
    const struct timespec pause = {.tv_sec = (time_t)left_s,
                                   .tv_nsec = (long)((left_s - (double)(time_t)left_s) * 1e9)};
    (void)nanosleep(&pause, NULL);
}

static const char *name_of(const struct out *out)
{
    return out->piped ? "standard output" : out->file.name;
}

enum ch_err out_write(struct out *out, struct ch_buf *buf, struct ch_why *why)
{
    if (buf->failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to write");
    const int code = writer_put(out->writer, ch_buf_view(buf));
    if (code != 0) return fail(why, name_of(out), code);
    out->written += buf->len;
    ch_buf_reset(buf);
    keep_rate(out);
    return CH_OK;
}

enum ch_err out_finish(struct out *out, struct ch_why *why)
{
    int code = writer_finish(out->writer);
    if (code != 0) return fail(why, name_of(out), code);
    if (out->piped) return CH_OK;
    code = partial_place(&out->file, /* replace= */ false);
    return code == 0 ? CH_OK : fail(why, out->file.path, code);
}

void out_close(struct out *out)
{
    if (out->fd < 0) return;
    writer_close(out->writer);
    out->writer = NULL;
    if (!out->piped) partial_close(&out->file);
    out->fd = -1;
}

/* Reads into `bytes` until what it reads into `again` is the same; *ret_len 0 at the end. */
static int read_steady(int fd, uint64_t at, uint8_t bytes[COPY_BYTES], uint8_t again[COPY_BYTES],
                       size_t *ret_len)
{
    size_t len = 0;
    int code = ch_file_read(fd, at, bytes, COPY_BYTES, ret_len);
    for (int i = 0; i < COPY_TRIES && code == 0; i++) {
        code = ch_file_read(fd, at, again, COPY_BYTES, &len);
        if (code == 0 && len == *ret_len && memcmp(bytes, again, len) == 0) return 0;
        memcpy(bytes, again, len);
        *ret_len = len;
    }
    return code == 0 ? EAGAIN : code;
}

/* ret_reading: what failed was the reading */
static int copy_bytes(int from, int to, bool *ret_reading)
{
    uint8_t bytes[COPY_BYTES];
    uint8_t again[COPY_BYTES];
    size_t len = 1;
    int code = 0;
    for (uint64_t at = 0; code == 0 && len > 0; at += len) {
        code = read_steady(from, at, bytes, again, &len);
        *ret_reading = code != 0;
        if (code == 0) code = ch_file_write(to, at, bytes, len);
    }
    explicit_bzero(bytes, sizeof bytes); /* keys, where it is the vault */
    explicit_bzero(again, sizeof again);
    if (code == 0 && fsync(to) != 0) code = errno;
    return code;
}

enum ch_err out_copy(const char *from, const char *to, struct ch_why *why)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) return fail(why, from, errno);
    const int made = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool reading = false;
    int code = made < 0 ? errno : copy_bytes(in, made, &reading);
    if (made >= 0) (void)close(made);
    if (made >= 0 && code == 0) code = ch_file_sync_parent(to);
    if (made >= 0 && code != 0) (void)unlink(to);
    (void)close(in);
    return code == 0 ? CH_OK : fail(why, reading ? from : to, code);
}
