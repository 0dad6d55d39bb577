/* lines: see lines.h. SPDX-License-Identifier: MIT */
#include "tools/charter/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "schema/base/check.h"
#include "schema/base/clean.h"
#include "schema/limits.h"

enum { FIRST_BYTES = 1 << 18, GZIP_BYTES = 1 << 17 };

struct lines {
    gzFile file;
    int64_t file_bytes; /* as stored; 0: not known */
    char *buffer;
    size_t cap;
    size_t start; /* of what was not given out yet */
    size_t end;
    bool ended;
};

enum ch_err lines_open(const char *path, struct lines **ret, struct ch_why *why)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to read lines");
    lines->buffer = malloc(FIRST_BYTES);
    lines->cap = FIRST_BYTES;
    struct stat status;
    if (strcmp(path, "-") == 0) {
        const int copy = dup(STDIN_FILENO);
        if (copy >= 0) lines->file = gzdopen(copy, "rb");
        if (lines->file == NULL && copy >= 0) (void)close(copy);
    } else {
        lines->file = gzopen(path, "rb");
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) lines->file_bytes = status.st_size;
    }
    if (lines->file == NULL || lines->buffer == NULL) {
        const int code = errno;
        lines_close(lines);
        return ch_fail(why, CH_ERR_FILE_IO, code, "%s: %s", path, strerror(code));
    }
    (void)gzbuffer(lines->file, GZIP_BYTES);
    *ret = lines;
    return CH_OK;
}

void lines_close(struct lines *lines)
{
    if (lines == NULL) return;
    if (lines->file != NULL) (void)gzclose(lines->file);
    free(lines->buffer);
    free(lines);
}

static enum ch_err fill(struct lines *lines, struct ch_why *why)
{
    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    if (lines->end == lines->cap) {
        if (lines->cap > LIMIT_MESSAGE_BYTES) {
            return ch_fail(why, CH_ERR_FILE_IO, 0, "a line is longer than a message can be");
        }
        const size_t cap = lines->cap * 2;
        CH_CHECK(cap >= FIRST_BYTES);
        char *more = realloc(lines->buffer, cap);
        if (more == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a line");
        lines->buffer = more;
        lines->cap = cap;
    }
    const int got =
        gzread(lines->file, lines->buffer + lines->end, (unsigned)(lines->cap - lines->end));
    int code = Z_OK;
    const char *text = gzerror(lines->file, &code);
    if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END)) {
        return ch_fail(why, CH_ERR_FILE_IO, code, "reading failed: %s",
                       code == Z_BUF_ERROR ? "the gzip data ends early" : text);
    }
    lines->end += (size_t)got;
    lines->ended = got == 0;
    return CH_OK;
}

enum ch_err lines_next(struct lines *lines, struct ch_text *ret, struct ch_why *why)
{
    size_t looked = 0;
    for (;;) {
        const char *from = lines->buffer + lines->start;
        const size_t left = lines->end - lines->start;
        const char *newline = left > looked ? memchr(from + looked, '\n', left - looked) : NULL;
        if (newline != NULL || lines->ended) {
            const size_t len = newline == NULL ? left : (size_t)(newline - from) + 1;
            *ret = (struct ch_text){from, len};
            lines->start += len;
            return CH_OK;
        }
        looked = left;
        enum ch_err err = fill(lines, why);
        if (err != CH_OK) return err;
    }
}

void lines_tell(const char *is, uint64_t number, struct ch_text line)
{
    enum { SHOWN = 300 };
    (void)fprintf(stderr, "charter: line %llu is %s: ", (unsigned long long)number, is);
    for (size_t i = 0; i < line.len && (i + 1 < line.len || line.ptr[i] != '\n'); i++) {
        const unsigned char c = (unsigned char)line.ptr[i];
        const bool begins = (c & 0xc0) != 0x80; /* a character, if this is UTF-8 */
        if (i >= SHOWN && begins) {
            (void)fprintf(stderr, "...");
            break;
        }
        (void)fputc(ch_clean_at(line, i), stderr);
    }
    (void)fputc('\n', stderr);
}

int lines_permille(const struct lines *lines)
{
    if (lines->file_bytes <= 0) return -1;
    const int64_t at = gzoffset(lines->file);
    return at < 0 ? -1 : (int)(at * 1000 / lines->file_bytes);
}
