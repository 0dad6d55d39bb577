/* reply: see reply.h. SPDX-License-Identifier: MIT */
#include "schema/reply.h"

#include "schema/codec.h"
#include "schema/limits.h"
#include "schema/pack.h"

static void pack_id(struct ch_buf *buf, const uint8_t *id)
{
    ch_pack_chars(buf, "id");
    if (id == NULL) {
        ch_pack_nil(buf);
    } else {
        ch_pack_bytes(buf, (struct ch_bytes){id, 16});
    }
}

static void pack_head(struct ch_buf *buf, const uint8_t *id, bool ok, uint64_t seq)
{
    ch_pack_map(buf, 4);
    pack_id(buf, id);
    ch_pack_chars(buf, "ok");
    ch_pack_bool(buf, ok);
    ch_pack_chars(buf, "seq");
    ch_pack_uint(buf, seq);
}

void ch_reply_begin(struct ch_buf *buf, const uint8_t id[16], bool ok, uint64_t seq,
                    uint32_t results)
{
    pack_head(buf, id, ok, seq);
    ch_pack_chars(buf, "results");
    ch_pack_array(buf, results);
}

static void pack_failure(struct ch_buf *buf, const struct ch_why *why)
{
    const bool field = why->field[0] != '\0';
    const bool retry = why->err == CH_ERR_BUSY;
    ch_pack_map(buf, (size_t)2 + field + retry);
    ch_pack_chars(buf, "code");
    ch_pack_chars(buf, ch_err_code(why->err));
    ch_pack_chars(buf, "text");
    ch_pack_chars(buf, why->text[0] == '\0' ? ch_err_text(why->err) : why->text);
    if (field) {
        ch_pack_chars(buf, "field");
        ch_pack_chars(buf, why->field);
    }
    if (retry) {
        ch_pack_chars(buf, "retry_ms");
        ch_pack_uint(buf, LIMIT_RETRY_MS);
    }
}

void ch_reply_error(struct ch_buf *buf, const uint8_t *id, uint64_t seq, const struct ch_why *why)
{
    pack_head(buf, id, false, seq);
    ch_pack_chars(buf, "error");
    pack_failure(buf, why);
}

static void result_head(struct ch_buf *buf, bool ok, const char *key)
{
    ch_pack_map(buf, 2);
    ch_pack_chars(buf, "ok");
    ch_pack_bool(buf, ok);
    ch_pack_chars(buf, key);
}

void ch_reply_result_head(struct ch_buf *buf)
{
    result_head(buf, true, "result");
}

void ch_reply_rejection(struct ch_buf *buf, const struct ch_reject *reject)
{
    const struct ch_rejection_row *row = &ch_rejections[reject->code];
    const bool field = reject->field != NULL;
    const bool detail =
        reject->limit != NULL || reject->thing != 0 || !ch_scopes_empty(reject->scopes);
    result_head(buf, false, "rejection");
    ch_pack_map(buf, (size_t)2 + field + detail);
    ch_pack_chars(buf, "reason");
    ch_pack_chars(buf, row->name);
    ch_pack_chars(buf, "text");
    ch_pack_chars(buf, row->text);
    if (field) {
        ch_pack_chars(buf, "field");
        ch_pack_chars(buf, reject->field);
    }
    if (!detail) return;
    ch_pack_chars(buf, "detail");
    if (reject->limit != NULL) {
        ch_pack_chars(buf, reject->limit);
    } else if (reject->thing != 0) {
        ch_pack_uint(buf, reject->thing);
    } else {
        ch_pack_scopes(buf, reject->scopes, true);
    }
}

void ch_reply_failure(struct ch_buf *buf, const struct ch_why *why)
{
    result_head(buf, false, "failure");
    pack_failure(buf, why);
}

static enum ch_err broken(struct ch_why *why)
{
    return ch_fail(why, CH_ERR_UNDECODABLE, 0, "the reply has another form than this client knows");
}

enum ch_err ch_reply_decode(struct ch_bytes bytes, struct ch_reply *ret, struct ch_why *why)
{
    struct ch_cursor c = ch_cursor_of(bytes);
    *ret = (struct ch_reply){0};
    uint32_t pairs = ch_read_map(&c);
    for (uint32_t i = 0; i < pairs; i++) {
        struct ch_text key = ch_read_text(&c);
        if (ch_text_is(key, "id") && ch_cursor_peek(&c) == CH_VALUE_BIN) {
            struct ch_bytes id = ch_read_bytes(&c);
            if (id.len != sizeof ret->id) return broken(why);
            memcpy(ret->id, id.ptr, sizeof ret->id);
            ret->has_id = true;
        } else if (ch_text_is(key, "ok")) {
            ret->ok = ch_read_bool(&c);
        } else if (ch_text_is(key, "seq")) {
            ret->seq = ch_read_uint(&c);
        } else if (ch_text_is(key, "error")) {
            ret->failed = true;
            ret->failure = ch_read_value(&c);
        } else if (ch_text_is(key, "results")) {
            ret->results = ch_read_value(&c);
            struct ch_cursor walk = ch_cursor_of(ret->results);
            ret->result_count = ch_read_array(&walk);
            if (walk.err != CH_OK) return broken(why);
        } else {
            (void)ch_read_value(&c); /* a later daemon may say more */
        }
    }
    return c.err == CH_OK && c.at == c.end ? CH_OK : broken(why);
}

struct ch_cursor ch_reply_walk(const struct ch_reply *reply)
{
    struct ch_cursor c = ch_cursor_of(reply->results);
    (void)ch_read_array(&c);
    return c;
}

enum ch_err ch_reply_next(struct ch_cursor *c, struct ch_reply_result *ret, struct ch_why *why)
{
    *ret = (struct ch_reply_result){0};
    uint32_t pairs = ch_read_map(c);
    for (uint32_t i = 0; i < pairs; i++) {
        struct ch_text key = ch_read_text(c);
        if (ch_text_is(key, "result")) {
            ret->outcome = CH_OUTCOME_RESULT;
            ret->value = ch_read_value(c);
        } else if (ch_text_is(key, "rejection")) {
            ret->outcome = CH_OUTCOME_REJECTION;
            ret->value = ch_read_value(c);
        } else if (ch_text_is(key, "failure")) {
            ret->outcome = CH_OUTCOME_FAILURE;
            ret->value = ch_read_value(c);
        } else {
            (void)ch_read_value(c);
        }
    }
    return c->err == CH_OK && ret->value.len > 0 ? CH_OK : broken(why);
}

enum ch_err ch_reply_read_no(struct ch_bytes value, struct ch_reply_no *ret, struct ch_why *why)
{
    struct ch_cursor c = ch_cursor_of(value);
    *ret = (struct ch_reply_no){0};
    uint32_t pairs = ch_read_map(&c);
    for (uint32_t i = 0; i < pairs; i++) {
        struct ch_text key = ch_read_text(&c);
        if (ch_text_is(key, "reason") || ch_text_is(key, "code")) {
            ret->code = ch_read_text(&c);
        } else if (ch_text_is(key, "text")) {
            ret->text = ch_read_text(&c);
        } else if (ch_text_is(key, "field")) {
            ret->field = ch_read_text(&c);
        } else if (ch_text_is(key, "detail")) {
            ret->detail = ch_read_value(&c);
        } else if (ch_text_is(key, "retry_ms")) {
            ret->retry_ms = ch_read_uint(&c);
        } else {
            (void)ch_read_value(&c);
        }
    }
    return c.err == CH_OK ? CH_OK : broken(why);
}
