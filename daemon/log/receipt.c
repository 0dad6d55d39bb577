/* receipt: see receipt.h. SPDX-License-Identifier: MIT */
#include "daemon/log/receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/checkpoint.h"
#include "schema/base/base64.h"
#include "schema/base/lines.h"

static const char first_line[] = "charterd receipt 1\n";
static const char explanation_line[] = "explanation\n";
static const char checkpoint_line[] = "checkpoint\n";

enum { HASH_TEXT = CH_BASE64_LEN(CH_HASH_BYTES) };

/* ---- writing ------------------------------------------------------------------------------ */

static void put(struct ch_buf *out, const char *words)
{
    ch_buf_put_text(out, ch_text_of(words));
}

void ch_receipt_begin(struct ch_buf *attached, struct ch_text explanation)
{
    put(attached, explanation_line);
    ch_buf_put_text(attached, explanation);
    put(attached, "\n");
}

void ch_receipt_add(struct ch_buf *attached, const struct ch_receipt_record *record)
{
    char head[48];
    (void)snprintf(head, sizeof head, "%s %" PRIu64 " ", record->withheld ? "withheld" : "record",
                   record->seq);
    put(attached, head);
    ch_base64_put(attached, record->bytes);
    put(attached, "\n");
    for (uint32_t i = 0; i < record->proof.count; i++) {
        ch_base64_put(attached, (struct ch_bytes){record->proof.hashes[i].bytes, CH_HASH_BYTES});
        put(attached, "\n");
    }
    put(attached, "\n");
}

/* The line that binds what is attached to what is signed. */
static void put_attached(struct ch_hasher *hasher, struct ch_bytes attached, struct ch_buf *out)
{
    struct ch_hash hash;
    char head[48];
    ch_hasher_sum(hasher, attached, &hash);
    (void)snprintf(head, sizeof head, "attached %zu ", attached.len);
    put(out, head);
    ch_base64_put(out, (struct ch_bytes){hash.bytes, sizeof hash.bytes});
    put(out, "\n");
}

void ch_receipt_end(struct ch_buf *attached, struct ch_text statement, struct ch_text note,
                    const struct ch_signer *signer, struct ch_hasher *hasher, struct ch_buf *out)
{
    struct ch_buf line = {0};
    put(attached, checkpoint_line);
    ch_buf_put_text(attached, note);
    put(out, first_line);
    ch_buf_put_text(out, statement);
    put_attached(hasher, ch_buf_view(attached), out);
    ch_signer_put_line(signer, (struct ch_text){(const char *)out->ptr, out->len}, &line);
    put(out, "\n");
    ch_buf_put(out, line.ptr, line.len);
    put(out, "\n");
    ch_buf_put(out, attached->ptr, attached->len);
    out->failed = out->failed || line.failed || attached->failed;
    ch_buf_deinit(&line);
}

/* ---- reading ------------------------------------------------------------------------------ */

bool ch_receipt_word(struct ch_text *line, const char *word)
{
    const size_t len = strlen(word);
    if (line->len <= len || line->ptr[len] != ' ' || !ch_text_take_prefix(line, word)) return false;
    return ch_text_take_prefix(line, " ");
}

/* The number before the next space, which goes with it. */
static bool take_number(struct ch_text *line, uint64_t *ret)
{
    const char *end = line->len == 0 ? NULL : memchr(line->ptr, ' ', line->len);
    if (end == NULL) return false;
    const struct ch_text digits = {line->ptr, (size_t)(end - line->ptr)};
    line->ptr = end + 1;
    line->len -= digits.len + 1;
    return ch_decimal_read(digits, ret);
}

/* All up to the first empty line, with the line feed before it. */
static bool take_block(struct ch_text *text, struct ch_text *ret)
{
    const char *end = text->len == 0 ? NULL : memmem(text->ptr, text->len, "\n\n", 2);
    if (end == NULL) return false;
    *ret = (struct ch_text){text->ptr, (size_t)(end - text->ptr) + 1};
    text->ptr = end + 2;
    text->len -= ret->len + 1;
    return true;
}

static bool is_attached(struct ch_text line, struct ch_text rest, struct ch_hasher *hasher)
{
    struct ch_hash hash;
    char wanted[HASH_TEXT + 1];
    uint64_t bytes = 0;
    ch_hasher_sum(hasher, (struct ch_bytes){(const uint8_t *)rest.ptr, rest.len}, &hash);
    ch_base64_write((struct ch_bytes){hash.bytes, sizeof hash.bytes}, wanted);
    return ch_receipt_word(&line, "attached") && take_number(&line, &bytes) && bytes == rest.len &&
           ch_text_is(line, wanted);
}

/* The statement behind the first line, and the last line, which is not its. */
static bool split_text(struct ch_text text, struct ch_text *statement, struct ch_text *last)
{
    if (text.len > CH_RECEIPT_STATEMENT_MOST || !ch_text_take_prefix(&text, first_line) ||
        text.len < 2) {
        return false;
    }
    size_t from = text.len - 1; /* the last line begins behind the line feed before it */
    while (from > 0 && text.ptr[from - 1] != '\n') {
        from--;
    }
    *statement = (struct ch_text){text.ptr, from};
    *last = (struct ch_text){text.ptr + from, text.len - from - 1};
    return true;
}

/* Explanation, records, checkpoint. */
static bool split_attached(struct ch_text rest, struct ch_receipt *ret)
{
    if (!take_block(&rest, &ret->explanation) ||
        !ch_text_take_prefix(&ret->explanation, explanation_line)) {
        return false;
    }
    ret->records = (struct ch_text){rest.ptr, 0};
    while (!ch_text_take_prefix(&rest, checkpoint_line)) {
        struct ch_text block;
        if (!take_block(&rest, &block)) return false;
        ret->records.len += block.len + 1;
    }
    ret->note = rest;
    return rest.len > 0;
}

bool ch_receipt_split(struct ch_text file, struct ch_hasher *hasher, struct ch_receipt *ret,
                      const char **ret_why)
{
    struct ch_text rest = file;
    struct ch_text lines;
    struct ch_text last;
    struct ch_note_line line;
    size_t at = 0;
    *ret_why = "this is no receipt, or its beginning was changed";
    if (!take_block(&rest, &ret->text) || !split_text(ret->text, &ret->statement, &last) ||
        !take_block(&rest, &lines) || !ch_note_next(lines, &at, &line) || at != lines.len) {
        return false;
    }
    ret->line = lines;
    *ret_why = "what is attached is not what was signed: it was changed or cut";
    if (!is_attached(last, rest, hasher)) return false;
    *ret_why = "what is attached has a form that this program does not know";
    return split_attached(rest, ret);
}

bool ch_receipt_next(const struct ch_receipt *receipt, size_t *at, struct ch_buf *room,
                     struct ch_receipt_record *ret)
{
    struct ch_text rest = {receipt->records.ptr + *at, receipt->records.len - *at};
    struct ch_text block;
    struct ch_text line;
    size_t len = 0;
    if (rest.len == 0 || !take_block(&rest, &block) || !ch_text_take_line(&block, &line))
        return false;
    *ret = (struct ch_receipt_record){.withheld = ch_receipt_word(&line, "withheld")};
    if (!ret->withheld && !ch_receipt_word(&line, "record")) return false;
    if (!take_number(&line, &ret->seq)) return false;
    ch_buf_reset(room);
    if (!ch_buf_reserve(room, line.len + 1) ||
        !ch_base64_read(line, room->ptr, line.len, &room->len)) {
        return false;
    }
    ret->bytes = ch_buf_view(room);
    while (ch_text_take_line(&block, &line)) {
        if (ret->proof.count == CH_PROOF_MOST) return false;
        uint8_t *hash = ret->proof.hashes[ret->proof.count++].bytes;
        if (!ch_base64_read(line, hash, CH_HASH_BYTES, &len) || len != CH_HASH_BYTES) return false;
    }
    if (ret->withheld && ret->bytes.len != CH_HASH_BYTES) return false;
    *at = receipt->records.len - rest.len;
    return true;
}
