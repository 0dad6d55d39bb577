/* lines_read: see lines_read.h. SPDX-License-Identifier: MIT */
#include "tools/keep/lines_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/log/note.h"
#include "schema/base/base64.h"
#include "schema/base/clean.h"
#include "schema/text.h"

/* A record of at most 4 MiB, three times: in base 64, and as fields whose bytes are hexadecimal. */
enum { LINE_MOST = 24 << 20, CHUNK_BYTES = 1 << 20 };

struct lines_reader {
    int fd; /* borrowed */
    struct ch_buf bytes;
    size_t at; /* of the next line */
    bool at_end;
    uint64_t number; /* of the line */
    uint64_t records;
    uint64_t checkpoints;
    uint64_t first_record; /* its line */
    struct ch_buf content; /* of the last item */
};

enum ch_err lines_open(int fd, struct lines_reader **ret, struct ch_why *why)
{
    struct lines_reader *lines = calloc(1, sizeof *lines);
    if (lines == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to read");
    lines->fd = fd;
    *ret = lines;
    return CH_OK;
}

void lines_close(struct lines_reader *lines)
{
    if (lines == NULL) return;
    ch_buf_deinit(&lines->bytes);
    ch_buf_deinit(&lines->content);
    free(lines);
}

uint64_t lines_number_of(const struct lines_reader *lines, uint64_t seq)
{
    return lines->first_record + seq - 1;
}

/* ---- lines -------------------------------------------------------------------------------- */

static enum ch_err read_more(struct lines_reader *lines, struct ch_why *why)
{
    struct ch_buf *bytes = &lines->bytes;
    if (lines->at > 0) {
        memmove(bytes->ptr, bytes->ptr + lines->at, bytes->len - lines->at);
        bytes->len -= lines->at;
        lines->at = 0;
    }
    if (!ch_buf_reserve(bytes, CHUNK_BYTES)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to read");
    }
    ssize_t got;
    do {
        got = read(lines->fd, bytes->ptr + bytes->len, CHUNK_BYTES);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return ch_fail(why, CH_ERR_FILE_IO, errno, "read: %s", strerror(errno));
    lines->at_end = got == 0;
    bytes->len += (size_t)got;
    return CH_OK;
}

/* The next line without its line feed; NULL at the end. */
static enum ch_err next_line(struct lines_reader *lines, struct ch_text *ret, struct ch_why *why)
{
    size_t looked_at = 0; /* of the line, without a line feed */
    *ret = (struct ch_text){.ptr = NULL};
    for (;;) {
        const struct ch_buf *bytes = &lines->bytes;
        const size_t left = bytes->len - lines->at;
        const char *line = left == 0 ? "" : (const char *)bytes->ptr + lines->at;
        const char *end =
            left == looked_at ? NULL : memchr(line + looked_at, '\n', left - looked_at);
        if (end != NULL || lines->at_end) {
            const size_t len = end == NULL ? left : (size_t)(end - line);
            if (left == 0) return CH_OK;
            lines->number++;
            lines->at += len + (end != NULL);
            *ret = (struct ch_text){line, len};
            return CH_OK;
        }
        if (left > LINE_MOST) {
            return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "line %" PRIu64 " is too long",
                           lines->number + 1);
        }
        looked_at = left;
        enum ch_err err = read_more(lines, why);
        if (err != CH_OK) return err;
    }
}

/* ---- what they say ------------------------------------------------------------------------ */

/* A whole number that is not negative. */
static bool get_number(const json_t *tree, const char *name, uint64_t *ret)
{
    const json_t *value = json_object_get(tree, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

static bool get_text(const json_t *tree, const char *name, struct ch_text *ret)
{
    const json_t *value = json_object_get(tree, name);
    if (!json_is_string(value)) return false;
    *ret = (struct ch_text){json_string_value(value), json_string_length(value)};
    return true;
}

static const char *take_record(struct lines_reader *lines, const json_t *tree,
                               struct ch_bundle_item *ret)
{
    struct ch_text text = {.ptr = NULL};
    uint64_t seq = 0;
    size_t len = 0;
    ret->kind = CH_BUNDLE_RECORD;
    ret->number = lines->records + 1;
    if (!get_number(tree, "seq", &seq) || seq != ret->number) {
        return "an event with another seq should stand here: lines are missing or in another order";
    }
    if (!get_text(tree, "record", &text) || !ch_buf_reserve(&lines->content, text.len + 1) ||
        !ch_base64_read(text, lines->content.ptr, text.len, &len) || len == 0) {
        return "its record is not in base 64";
    }
    lines->content.len = len;
    if (lines->records++ == 0) lines->first_record = lines->number;
    return NULL;
}

static const char *take_checkpoint(struct lines_reader *lines, const json_t *tree,
                                   struct ch_bundle_item *ret)
{
    struct ch_text at = {.ptr = NULL};
    struct ch_text note = {.ptr = NULL};
    uint64_t number = 0;
    uint64_t at_ns = 0;
    uint8_t bytes[8];
    ret->kind = CH_BUNDLE_CHECKPOINT;
    ret->number = lines->checkpoints + 1;
    if (!get_number(tree, "checkpoint", &number) || number != ret->number) {
        return "another checkpoint should stand here";
    }
    if (!get_text(tree, "at", &at) || !ch_time_read(at, &at_ns) || !get_text(tree, "note", &note) ||
        note.len == 0 || note.len > CH_NOTE_MOST_BYTES) {
        return "the checkpoint has another form";
    }
    ch_put_le64(bytes, at_ns);
    ch_buf_put(&lines->content, bytes, sizeof bytes);
    ch_buf_put_text(&lines->content, note);
    lines->checkpoints++;
    return NULL;
}

/* The head and the end are given on in the words of a bundle. */
static const char *take_head(struct lines_reader *lines, const json_t *tree,
                             struct ch_bundle_item *ret)
{
    uint64_t version = 0;
    uint64_t size = 0;
    ret->kind = CH_BUNDLE_HEAD;
    ret->number = 1;
    if (!get_number(tree, "charterd_export", &version) || !get_number(tree, "size", &size)) {
        return "the head has another form";
    }
    if (version != 1) return "it is of a later form than this program knows";
    ch_bundle_text_head(&lines->content, size);
    return NULL;
}

static const char *take_end(struct lines_reader *lines, const json_t *tree,
                            struct ch_bundle_item *ret)
{
    struct ch_bundle_end end = {.size = 0};
    struct ch_text root = {.ptr = NULL};
    size_t len = 0;
    ret->kind = CH_BUNDLE_END;
    ret->number = 1;
    if (!get_number(tree, "size", &end.size) ||
        !get_number(tree, "checkpoints", &end.checkpoints) || !get_text(tree, "root", &root) ||
        !ch_base64_read(root, end.root.bytes, CH_HASH_BYTES, &len) || len != CH_HASH_BYTES) {
        return "the end has another form";
    }
    ch_bundle_text_end(&lines->content, &end);
    return NULL;
}

/* NULL, or what is wrong with it. */
static const char *take(struct lines_reader *lines, const json_t *tree, struct ch_bundle_item *ret)
{
    if (json_object_get(tree, "record") != NULL) return take_record(lines, tree, ret);
    if (json_object_get(tree, "checkpoint") != NULL) return take_checkpoint(lines, tree, ret);
    if (json_object_get(tree, "charterd_export") != NULL) return take_head(lines, tree, ret);
    if (json_object_get(tree, "end") != NULL) return take_end(lines, tree, ret);
    if (json_object_get(tree, "key") != NULL) {
        ret->kind = CH_BUNDLE_KEY;
        return NULL;
    }
    return "it is no line of an export";
}

/* What it says of JSON that is none has some of it: nothing of that steers the terminal. */
static const char *clean(json_error_t *error)
{
    const json_error_t as_said = *error;
    const struct ch_text text = ch_text_of(as_said.text);
    for (size_t i = 0; i < text.len; i++) {
        error->text[i] = ch_clean_at(text, i);
    }
    return error->text;
}

enum ch_err lines_next(struct lines_reader *lines, struct ch_bundle_item *ret, struct ch_why *why)
{
    struct ch_text line;
    json_error_t error;
    *ret = (struct ch_bundle_item){.kind = CH_BUNDLE_NONE};
    ch_buf_reset(&lines->content);
    enum ch_err err = next_line(lines, &line, why);
    if (err != CH_OK || line.ptr == NULL) return err;
    json_t *tree = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, &error);
    const char *wrong = tree == NULL ? clean(&error) : take(lines, tree, ret);
    if (wrong != NULL) {
        err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "line %" PRIu64 ": %s", lines->number, wrong);
    } else if (lines->content.failed) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for line %" PRIu64, lines->number);
    }
    json_decref(tree);
    ret->content = ch_buf_view(&lines->content);
    return err;
}
