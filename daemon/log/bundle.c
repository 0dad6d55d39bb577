/* bundle: see bundle.h. SPDX-License-Identifier: MIT */
#include "daemon/log/bundle.h"

#include "daemon/log/checkpoint.h"
#include "daemon/log/crc.h"
#include "daemon/log/tiles.h"
#include "schema/base/base64.h"
#include "schema/base/check.h"
#include "schema/base/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    NUMBER_BYTES = 8,
    ITEM_HEAD_BYTES = 5, /* kind, length */
    CHUNK_BYTES = 1 << 20,
    TEXT_MOST = 256,
    AT_BYTES = 8,
    RECORD_MOST = 4 << 20, /* more than any message makes */
};

static const char first_line[] = "charterd bundle 1\n";
enum { FIRST_LINE_BYTES = sizeof first_line - 1 };

/* ---- writing ------------------------------------------------------------------------------ */

void ch_bundle_begin(struct ch_buf *out)
{
    ch_buf_put(out, first_line, FIRST_LINE_BYTES);
}

/* It waits as what its checksum covers: its number, then the item. */
void ch_bundle_put(struct ch_bundle_writer *writer, enum ch_bundle_kind kind, struct ch_bytes first,
                   struct ch_bytes rest)
{
    const size_t len = first.len + rest.len;
    uint8_t head[NUMBER_BYTES + ITEM_HEAD_BYTES];
    CH_CHECK(len <= RECORD_MOST);
    ch_put_be64(head, ++writer->counts[(uint8_t)kind]);
    head[NUMBER_BYTES] = (uint8_t)kind;
    ch_put_le32(head + NUMBER_BYTES + 1, (uint32_t)len);
    if (!ch_buf_reserve(&writer->waiting, sizeof head + len)) return;
    ch_buf_put(&writer->waiting, head, sizeof head);
    ch_buf_put(&writer->waiting, first.ptr, first.len);
    ch_buf_put(&writer->waiting, rest.ptr, rest.len);
}

void ch_bundle_pass(struct ch_bundle_writer *writer, struct ch_buf *out)
{
    const struct ch_bytes all = ch_buf_view(&writer->waiting);
    for (size_t at = 0; at < all.len;) {
        const uint8_t *item = all.ptr + at + NUMBER_BYTES;
        const size_t len = ITEM_HEAD_BYTES + ch_get_le32(item + 1);
        uint8_t sum[CH_CRC_BYTES];
        ch_put_le32(sum, ch_crc((struct ch_bytes){all.ptr + at, NUMBER_BYTES + len}));
        ch_buf_put(out, item, len);
        ch_buf_put(out, sum, sizeof sum);
        at += NUMBER_BYTES + len;
    }
    if (writer->waiting.failed) out->failed = true;
    ch_buf_reset(&writer->waiting);
}

void ch_bundle_writer_deinit(struct ch_bundle_writer *writer)
{
    ch_buf_deinit(&writer->waiting);
}

void ch_bundle_text_head(struct ch_buf *out, uint64_t size)
{
    char text[TEXT_MOST];
    (void)snprintf(text, sizeof text, "size %" PRIu64 "\n", size);
    ch_buf_put_text(out, ch_text_of(text));
}

void ch_bundle_text_end(struct ch_buf *out, const struct ch_bundle_end *end)
{
    char text[TEXT_MOST];
    char root[CH_BASE64_LEN(CH_HASH_BYTES) + 1];
    ch_base64_write((struct ch_bytes){end->root.bytes, CH_HASH_BYTES}, root);
    (void)snprintf(text, sizeof text, "size %" PRIu64 "\ncheckpoints %" PRIu64 "\nroot %s\n",
                   end->size, end->checkpoints, root);
    ch_buf_put_text(out, ch_text_of(text));
}

/* ---- reading ------------------------------------------------------------------------------ */

struct ch_bundle_reader {
    int fd; /* borrowed */
    struct ch_buf bytes;
    size_t at;         /* of the next item in `bytes` */
    uint64_t position; /* of bytes.ptr in the file */
    bool at_end;       /* nothing more can be read */
    enum ch_bundle_kind last;
    uint64_t counts[256]; /* by kind */
};

bool ch_bundle_is(struct ch_bytes beginning)
{
    return beginning.len >= FIRST_LINE_BYTES &&
           memcmp(beginning.ptr, first_line, FIRST_LINE_BYTES) == 0;
}

/* Makes `want` bytes stand at `at`, if the file has so many. */
static enum ch_err fill(struct ch_bundle_reader *reader, size_t want, struct ch_why *why)
{
    struct ch_buf *bytes = &reader->bytes;
    if (bytes->len - reader->at >= want || reader->at_end) return CH_OK;
    if (reader->at > 0) {
        memmove(bytes->ptr, bytes->ptr + reader->at, bytes->len - reader->at);
        bytes->len -= reader->at;
        reader->position += reader->at;
        reader->at = 0;
    }
    const size_t more = want > CHUNK_BYTES ? want : CHUNK_BYTES;
    if (!ch_buf_reserve(bytes, more)) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to read");
    while (bytes->len < want && !reader->at_end) {
        const ssize_t got = read(reader->fd, bytes->ptr + bytes->len, bytes->cap - bytes->len);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ch_fail(why, CH_ERR_FILE_IO, errno, "read: %s", strerror(errno));
        reader->at_end = got == 0;
        bytes->len += (size_t)got;
    }
    return CH_OK;
}

enum ch_err ch_bundle_open(int fd, struct ch_bundle_reader **ret, struct ch_why *why)
{
    struct ch_bundle_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to read");
    reader->fd = fd;
    enum ch_err err = fill(reader, FIRST_LINE_BYTES, why);
    if (err == CH_OK && !ch_bundle_is(ch_buf_view(&reader->bytes))) {
        err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                      "it is no bundle: it does not begin with the line \"charterd bundle 1\"");
    }
    if (err != CH_OK) {
        ch_bundle_close(reader);
        return err;
    }
    reader->at = FIRST_LINE_BYTES;
    *ret = reader;
    return CH_OK;
}

void ch_bundle_close(struct ch_bundle_reader *reader)
{
    if (reader == NULL) return;
    ch_buf_deinit(&reader->bytes);
    free(reader);
}

static const char *name_of(enum ch_bundle_kind kind)
{
    switch (kind) {
    case CH_BUNDLE_HEAD: return "the head";
    case CH_BUNDLE_KEY: return "key";
    case CH_BUNDLE_CHECKPOINT: return "checkpoint";
    case CH_BUNDLE_RECORD: return "record";
    case CH_BUNDLE_TILE: return "tile number";
    case CH_BUNDLE_END: return "the end";
    case CH_BUNDLE_NONE: break;
    }
    return "an item";
}

/* How long its content may be; 0: there is no such kind. */
static size_t most_of(enum ch_bundle_kind kind)
{
    switch (kind) {
    case CH_BUNDLE_HEAD: return TEXT_MOST;
    case CH_BUNDLE_KEY: return CH_VERIFIER_TEXT_BYTES;
    case CH_BUNDLE_CHECKPOINT: return AT_BYTES + CH_NOTE_MOST_BYTES;
    case CH_BUNDLE_RECORD: return RECORD_MOST;
    case CH_BUNDLE_TILE: return CH_TILE_KEY_BYTES + CH_TILE_VALUE_BYTES;
    case CH_BUNDLE_END: return TEXT_MOST;
    case CH_BUNDLE_NONE: break;
    }
    return 0;
}

/* Whether the kind may stand behind the last one. */
static bool may_follow(enum ch_bundle_kind last, enum ch_bundle_kind kind)
{
    switch (kind) {
    case CH_BUNDLE_HEAD: return last == CH_BUNDLE_NONE;
    case CH_BUNDLE_KEY: return last == CH_BUNDLE_HEAD || last == CH_BUNDLE_KEY;
    case CH_BUNDLE_CHECKPOINT:
        return last == CH_BUNDLE_HEAD || last == CH_BUNDLE_KEY || last == CH_BUNDLE_CHECKPOINT;
    case CH_BUNDLE_TILE: return last == CH_BUNDLE_RECORD || last == CH_BUNDLE_TILE;
    case CH_BUNDLE_RECORD:
    case CH_BUNDLE_END: return last != CH_BUNDLE_NONE && last != CH_BUNDLE_END;
    case CH_BUNDLE_NONE: break;
    }
    return false;
}

/* Damage at the next item; what stands before it helps to find it. */
static enum ch_err fail_at(const struct ch_bundle_reader *reader, const char *what,
                           struct ch_why *why)
{
    const uint64_t place = reader->position + reader->at;
    const uint64_t records = reader->counts[CH_BUNDLE_RECORD];
    if (reader->last == CH_BUNDLE_NONE) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the head, at byte %" PRIu64 ": %s", place,
                       what);
    }
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                   "at byte %" PRIu64 ", behind %s %" PRIu64 " (%" PRIu64 " records so far): %s",
                   place, name_of(reader->last), reader->counts[(uint8_t)reader->last], records,
                   what);
}

static enum ch_err end_of(struct ch_bundle_reader *reader, struct ch_why *why)
{
    if (reader->last != CH_BUNDLE_END) return fail_at(reader, "the file ends too early", why);
    if (reader->bytes.len > reader->at) {
        return fail_at(reader, "something stands behind the end", why);
    }
    return CH_OK;
}

enum ch_err ch_bundle_next(struct ch_bundle_reader *reader, struct ch_bundle_item *ret,
                           struct ch_why *why)
{
    *ret = (struct ch_bundle_item){.kind = CH_BUNDLE_NONE};
    enum ch_err err = fill(reader, ITEM_HEAD_BYTES, why);
    if (err != CH_OK) return err;
    if (reader->last == CH_BUNDLE_END || reader->bytes.len - reader->at < ITEM_HEAD_BYTES) {
        return end_of(reader, why);
    }
    const uint8_t *item = reader->bytes.ptr + reader->at;
    const enum ch_bundle_kind kind = (enum ch_bundle_kind)item[0];
    const size_t len = ch_get_le32(item + 1);
    if (most_of(kind) == 0) return fail_at(reader, "what follows is no item", why);
    ret->kind = kind;
    ret->number = reader->counts[item[0]] + 1;
    if (!may_follow(reader->last, kind)) return fail_at(reader, "an item out of its place", why);
    if (len > most_of(kind)) return fail_at(reader, "the item that follows is too long", why);
    err = fill(reader, ITEM_HEAD_BYTES + len + CH_CRC_BYTES, why);
    if (err != CH_OK) return err;
    if (reader->bytes.len - reader->at < ITEM_HEAD_BYTES + len + CH_CRC_BYTES) {
        return fail_at(reader, "the file ends too early", why);
    }
    item = reader->bytes.ptr + reader->at; /* it may have moved */
    const struct ch_bytes covered = {item, ITEM_HEAD_BYTES + len};
    if (ch_get_le32(item + covered.len) != ch_crc_record(ret->number, covered)) {
        const bool once = kind == CH_BUNDLE_HEAD || kind == CH_BUNDLE_END;
        char number[24] = "";
        if (!once) (void)snprintf(number, sizeof number, " %" PRIu64, ret->number);
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "%s%s does not match its checksum (at byte %" PRIu64 ")", name_of(kind),
                       number, reader->position + reader->at);
    }
    ret->content = (struct ch_bytes){item + ITEM_HEAD_BYTES, len};
    reader->counts[item[0]]++;
    reader->last = kind;
    reader->at += covered.len + CH_CRC_BYTES;
    return CH_OK;
}

/* ---- the texts ---------------------------------------------------------------------------- */

/* "WORD VALUE\n" at the beginning, which is then behind. */
static bool take_word(struct ch_text *text, const char *word, struct ch_text *ret)
{
    return ch_text_take_prefix(text, word) && ch_text_take_line(text, ret);
}

static bool take_number(struct ch_text *text, const char *word, uint64_t *ret)
{
    struct ch_text value;
    return take_word(text, word, &value) && ch_decimal_read(value, ret);
}

bool ch_bundle_read_head(struct ch_bytes content, uint64_t *ret_size)
{
    struct ch_text text = {(const char *)content.ptr, content.len};
    return take_number(&text, "size ", ret_size) && text.len == 0;
}

bool ch_bundle_read_end(struct ch_bytes content, struct ch_bundle_end *ret)
{
    struct ch_text text = {(const char *)content.ptr, content.len};
    struct ch_text root;
    size_t len = 0;
    return take_number(&text, "size ", &ret->size) &&
           take_number(&text, "checkpoints ", &ret->checkpoints) &&
           take_word(&text, "root ", &root) &&
           ch_base64_read(root, ret->root.bytes, CH_HASH_BYTES, &len) && len == CH_HASH_BYTES &&
           text.len == 0;
}
