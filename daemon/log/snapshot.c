/* snapshot: see snapshot.h. SPDX-License-Identifier: MIT */
#include "daemon/log/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log/crc.h"
#include "daemon/log/digest.h"
#include "daemon/log/file.h"

static const char magic[] = "chsnap1\n";

enum {
    VERSION_AT = 8,
    CRC_AT = 12,
    BODY_VERSION_AT = 16,
    TYPES_AT = 20,
    SEQ_AT = 24,
    TIME_AT = 32,
    BYTES_AT = 40,
    ROOT_AT = 48,
    HASH_AT = 80,
    BODY_CRC_AT = 112,
    PIECE_BYTES = 1 << 20,
    FLUSH_BYTES = 32 << 20 /* written to the disk while the rest is made, so the end waits less */
};

_Static_assert((int)ROOT_AT + (int)CH_HASH_BYTES == (int)HASH_AT, "the fields follow each other");
_Static_assert((int)HASH_AT + (int)CH_SNAPSHOT_HASH_BYTES == (int)BODY_CRC_AT, "they do");
_Static_assert((int)CH_SNAPSHOT_HASH_BYTES == (int)CH_DIGEST_BYTES, "the hash is the digest");

struct ch_snapshot_reader {
    int fd;
    uint64_t seq;
    uint64_t at;   /* bytes of the body that were read */
    uint64_t left; /* and those that are still to come */
    uint32_t crc, wanted;
    uint8_t piece[PIECE_BYTES];
};

struct ch_snapshot_writer {
    int fd;
    int code; /* the first errno */
    char path[PATH_MAX];
    uint64_t at; /* bytes of the body in the file */
    uint64_t flushed;
    uint32_t crc;
    struct ch_digest digest;
    size_t len;
    uint8_t piece[PIECE_BYTES];
};

static int name_file(char path[PATH_MAX], const char *dir, uint64_t seq)
{
    const int len = snprintf(path, PATH_MAX, "%s/snapshots/%016" PRIu64 ".snap", dir, seq);
    return len < 0 || len >= PATH_MAX ? ENAMETOOLONG : 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* A head's fields. False: damaged. */
static bool decode(const uint8_t head[CH_SNAPSHOT_HEAD_BYTES], struct ch_snapshot *ret)
{
    const struct ch_bytes behind = {head + BODY_VERSION_AT,
                                    CH_SNAPSHOT_HEAD_BYTES - BODY_VERSION_AT};
    if (ch_get_le32(head + CRC_AT) != ch_crc(behind)) return false;
    ret->body_version = ch_get_le32(head + BODY_VERSION_AT);
    ret->event_types = ch_get_le32(head + TYPES_AT);
    ret->seq = ch_get_le64(head + SEQ_AT);
    ret->at_ns = ch_get_le64(head + TIME_AT);
    ret->bytes = ch_get_le64(head + BYTES_AT);
    memcpy(ret->root.bytes, head + ROOT_AT, CH_HASH_BYTES);
    memcpy(ret->hash, head + HASH_AT, CH_SNAPSHOT_HASH_BYTES);
    ret->body_crc = ch_get_le32(head + BODY_CRC_AT);
    return true;
}

static enum ch_err read_head(struct ch_snapshot_reader *reader, struct ch_snapshot *ret,
                             struct ch_why *why)
{
    uint8_t head[CH_SNAPSHOT_HEAD_BYTES];
    struct stat info;
    size_t len = 0;
    int code = ch_file_read(reader->fd, 0, head, sizeof head, &len);
    if (code == 0 && fstat(reader->fd, &info) != 0) code = errno;
    if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "%s", strerror(code));
    if (len < sizeof head || memcmp(head, magic, VERSION_AT) != 0) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "it is no snapshot");
    }
    if (ch_get_le32(head + VERSION_AT) != CH_SNAPSHOT_VERSION) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "it has file version %" PRIu32,
                       ch_get_le32(head + VERSION_AT));
    }
    if (!decode(head, ret)) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its head does not match its checksum");
    }
    if (ret->seq != reader->seq) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "it is the one of event %" PRIu64, ret->seq);
    }
    if ((uint64_t)info.st_size - sizeof head != ret->bytes) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its body has %" PRIu64 " of %" PRIu64 " bytes",
                       (uint64_t)info.st_size - sizeof head, ret->bytes);
    }
    reader->left = ret->bytes;
    reader->wanted = ret->body_crc;
    return CH_OK;
}

enum ch_err ch_snapshot_open(const char *dir, uint64_t seq, struct ch_snapshot_reader **ret,
                             struct ch_snapshot *head, struct ch_why *why)
{
    char path[PATH_MAX];
    int code = name_file(path, dir, seq);
    if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "%s", strerror(code));
    struct ch_snapshot_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a snapshot");
    reader->seq = seq;
    reader->fd = open(path, O_RDONLY | O_CLOEXEC);
    enum ch_err err =
        reader->fd >= 0 ? CH_OK : ch_fail(why, CH_ERR_FILE_IO, errno, "%s", strerror(errno));
    if (err == CH_OK) err = read_head(reader, head, why);
    if (err != CH_OK) {
        ch_snapshot_close(reader);
        return err;
    }
    (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *ret = reader;
    return CH_OK;
}

void ch_snapshot_close(struct ch_snapshot_reader *reader)
{
    if (reader == NULL) return;
    if (reader->fd >= 0) (void)close(reader->fd);
    free(reader);
}

bool ch_snapshot_is_bad(const struct ch_why *why)
{
    if (why->err == CH_ERR_FILE_IO) {
        return why->code != EMFILE && why->code != ENFILE && why->code != ENOMEM;
    }
    return why->err == CH_ERR_LOG_CORRUPT;
}

enum ch_err ch_snapshot_next(struct ch_snapshot_reader *reader, struct ch_bytes *ret,
                             struct ch_why *why)
{
    const size_t wanted = reader->left < PIECE_BYTES ? (size_t)reader->left : PIECE_BYTES;
    size_t len = 0;
    *ret = (struct ch_bytes){0};
    if (wanted == 0) {
        if (reader->crc == reader->wanted) return CH_OK;
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "its body does not match its checksum");
    }
    const int code =
        ch_file_read(reader->fd, CH_SNAPSHOT_HEAD_BYTES + reader->at, reader->piece, wanted, &len);
    if (code != 0) return ch_fail(why, CH_ERR_FILE_IO, code, "%s", strerror(code));
    if (len < wanted) return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "it became shorter");
    reader->at += len;
    reader->left -= len;
    *ret = (struct ch_bytes){reader->piece, len};
    reader->crc = ch_crc_more(reader->crc, *ret);
    return CH_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

enum ch_err ch_snapshot_begin(const char *dir, struct ch_snapshot_writer **ret, struct ch_why *why)
{
    struct ch_snapshot_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a snapshot");
    int code = 0;
    int len = snprintf(writer->path, sizeof writer->path, "%s/snapshots", dir);
    if (len < 0 || (size_t)len >= sizeof writer->path) code = ENAMETOOLONG;
    if (code == 0 && mkdir(writer->path, 0700) == 0) code = ch_file_sync_parent(writer->path);
    len = snprintf(writer->path, sizeof writer->path, "%s/snapshots/new", dir);
    if (len < 0 || (size_t)len >= sizeof writer->path) code = ENAMETOOLONG;
    writer->fd = -1;
    if (code == 0) {
        writer->fd = open(writer->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (writer->fd < 0) code = errno;
    }
    if (code != 0) {
        free(writer);
        return ch_fail(why, CH_ERR_FILE_IO, code, "snapshots/new: %s", strerror(code));
    }
    ch_digest_begin(&writer->digest);
    *ret = writer;
    return CH_OK;
}

static void write_piece(struct ch_snapshot_writer *writer)
{
    const struct ch_bytes piece = {writer->piece, writer->len};
    if (writer->code != 0 || piece.len == 0) return;
    writer->crc = ch_crc_more(writer->crc, piece);
    ch_digest_add(&writer->digest, piece.ptr, piece.len);
    writer->code =
        ch_file_write(writer->fd, CH_SNAPSHOT_HEAD_BYTES + writer->at, piece.ptr, piece.len);
    writer->at += piece.len;
    writer->len = 0;
    if (writer->at - writer->flushed < FLUSH_BYTES) return;
    const off_t from = (off_t)(CH_SNAPSHOT_HEAD_BYTES + writer->flushed);
    (void)sync_file_range(writer->fd, from, (off_t)(writer->at - writer->flushed),
                          SYNC_FILE_RANGE_WRITE); /* only begins it; commit waits */
    writer->flushed = writer->at;
}

void ch_snapshot_put(struct ch_snapshot_writer *writer, const void *ptr, size_t len)
{
    const uint8_t *from = ptr;
    while (len > 0 && writer->code == 0) {
        const size_t room = sizeof writer->piece - writer->len;
        const size_t here = len < room ? len : room;
        memcpy(writer->piece + writer->len, from, here);
        writer->len += here;
        from += here;
        len -= here;
        if (writer->len == sizeof writer->piece) write_piece(writer);
    }
}

bool ch_snapshot_failed(const struct ch_snapshot_writer *writer)
{
    return writer->code != 0;
}

static void encode(const struct ch_snapshot *from, uint8_t head[CH_SNAPSHOT_HEAD_BYTES])
{
    memset(head, 0, CH_SNAPSHOT_HEAD_BYTES);
    memcpy(head, magic, VERSION_AT);
    ch_put_le32(head + VERSION_AT, CH_SNAPSHOT_VERSION);
    ch_put_le32(head + BODY_VERSION_AT, from->body_version);
    ch_put_le32(head + TYPES_AT, from->event_types);
    ch_put_le64(head + SEQ_AT, from->seq);
    ch_put_le64(head + TIME_AT, from->at_ns);
    ch_put_le64(head + BYTES_AT, from->bytes);
    memcpy(head + ROOT_AT, from->root.bytes, CH_HASH_BYTES);
    memcpy(head + HASH_AT, from->hash, CH_SNAPSHOT_HASH_BYTES);
    ch_put_le32(head + BODY_CRC_AT, from->body_crc);
    const struct ch_bytes behind = {head + BODY_VERSION_AT,
                                    CH_SNAPSHOT_HEAD_BYTES - BODY_VERSION_AT};
    ch_put_le32(head + CRC_AT, ch_crc(behind));
}

/* Under its own name: `path` is DIR/snapshots/new. */
static int rename_it(const char *path, uint64_t seq)
{
    char named[PATH_MAX];
    const int dir = (int)(strlen(path) - strlen("/snapshots/new"));
    const int len =
        snprintf(named, sizeof named, "%.*s/snapshots/%016" PRIu64 ".snap", dir, path, seq);
    if (len < 0 || (size_t)len >= sizeof named) return ENAMETOOLONG;
    if (rename(path, named) != 0) return errno;
    return ch_file_sync_parent(named);
}

enum ch_err ch_snapshot_commit(struct ch_snapshot_writer *writer, struct ch_snapshot *head,
                               struct ch_why *why)
{
    uint8_t bytes[CH_SNAPSHOT_HEAD_BYTES];
    write_piece(writer);
    head->bytes = writer->at;
    head->body_crc = writer->crc;
    if (ch_digest_end(&writer->digest, head->hash, why) != CH_OK) {
        ch_snapshot_abort(writer);
        return CH_ERR_NO_MEMORY;
    }
    encode(head, bytes);
    if (writer->code == 0) writer->code = ch_file_write(writer->fd, 0, bytes, sizeof bytes);
    if (writer->code == 0 && fsync(writer->fd) != 0) writer->code = errno;
    if (writer->code == 0) writer->code = rename_it(writer->path, head->seq);
    const int code = writer->code;
    if (code != 0) {
        ch_snapshot_abort(writer);
        return ch_fail(why, CH_ERR_FILE_IO, code, "snapshots/new: %s", strerror(code));
    }
    (void)close(writer->fd);
    free(writer);
    return CH_OK;
}

void ch_snapshot_abort(struct ch_snapshot_writer *writer)
{
    if (writer == NULL) return;
    ch_digest_drop(&writer->digest);
    (void)close(writer->fd);
    (void)unlink(writer->path);
    free(writer);
}
