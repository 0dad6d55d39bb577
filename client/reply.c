/* reply: see reply.h and charter.h. SPDX-License-Identifier: MIT */
#include "client/reply.h"

#include <stdlib.h>

#include "client/failure.h"
#include "schema/base/check.h"
#include "schema/json.h"
#include "schema/reply.h"

struct charter_reply {
    bool ok;
    uint64_t seq;
    size_t count;
    struct charter_result *results;
    uint8_t bytes[];
};

static struct charter_text text_of(struct ch_text text)
{
    return (struct charter_text){text.ptr, text.len};
}

static struct charter_bytes bytes_of(struct ch_bytes bytes)
{
    return (struct charter_bytes){bytes.ptr, bytes.len};
}

static enum ch_err read_results(const struct ch_reply *head, struct charter_reply *reply,
                                struct ch_why *why)
{
    reply->results = calloc(head->result_count + (size_t)1, sizeof *reply->results);
    if (reply->results == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a reply");
    struct ch_cursor walk = ch_reply_walk(head);
    for (uint32_t i = 0; i < head->result_count; i++) {
        struct ch_reply_result one;
        enum ch_err err = ch_reply_next(&walk, &one, why);
        if (err != CH_OK) return err;
        struct charter_result *result = &reply->results[i];
        result->value = bytes_of(one.value);
        if (one.outcome == CH_OUTCOME_RESULT) continue;
        struct ch_reply_no no;
        err = ch_reply_read_no(one.value, &no, why);
        if (err != CH_OK) return err;
        result->outcome = one.outcome == CH_OUTCOME_REJECTION ? CHARTER_REJECTION : CHARTER_FAILURE;
        result->code = text_of(no.code);
        result->text = text_of(no.text);
        result->field = text_of(no.field);
        result->detail = bytes_of(no.detail);
    }
    reply->count = head->result_count;
    return CH_OK;
}

int ch_client_reply_read(struct ch_bytes bytes, const uint8_t *id, struct charter_reply **ret,
                         struct charter_error *error)
{
    struct ch_why why = {0};
    struct charter_reply *reply = malloc(sizeof *reply + bytes.len);
    if (reply == NULL) {
        (void)ch_fail(&why, CH_ERR_NO_MEMORY, 0, "no memory for a reply");
        return ch_client_fail(error, &why);
    }
    *reply = (struct charter_reply){0};
    memcpy(reply->bytes, bytes.ptr, bytes.len);
    struct ch_reply head;
    enum ch_err err = ch_reply_decode((struct ch_bytes){reply->bytes, bytes.len}, &head, &why);
    if (err == CH_OK && head.has_id && memcmp(head.id, id, sizeof head.id) != 0) {
        err = ch_fail(&why, CH_ERR_UNDECODABLE, 0, "the reply answers another message");
    }
    int number = 0;
    if (err == CH_OK && head.failed) {
        struct ch_reply_no no;
        err = ch_reply_read_no(head.failure, &no, &why);
        if (err == CH_OK) number = ch_client_fail_no(error, &no);
    } else if (err == CH_OK) {
        reply->ok = head.ok;
        reply->seq = head.seq;
        err = read_results(&head, reply, &why);
    }
    if (err != CH_OK) number = ch_client_fail(error, &why);
    if (number != 0) {
        charter_reply_destroy(reply);
        return number;
    }
    *ret = reply;
    return 0;
}

static bool says_busy(struct ch_bytes failure, uint64_t *ret_retry_ms)
{
    struct ch_reply_no no;
    if (ch_reply_read_no(failure, &no, NULL) != CH_OK) return false;
    if (!ch_text_is(no.code, ch_err_code(CH_ERR_BUSY))) return false;
    *ret_retry_ms = no.retry_ms;
    return true;
}

bool ch_client_reply_busy(struct ch_bytes bytes, uint64_t *ret_retry_ms)
{
    struct ch_reply head;
    if (ch_reply_decode(bytes, &head, NULL) != CH_OK || !head.failed) return false;
    return says_busy(head.failure, ret_retry_ms);
}

void charter_reply_destroy(struct charter_reply *reply)
{
    if (reply == NULL) return;
    free(reply->results);
    free(reply);
}

bool charter_reply_ok(const struct charter_reply *reply)
{
    return reply->ok;
}

uint64_t charter_reply_seq(const struct charter_reply *reply)
{
    return reply->seq;
}

size_t charter_reply_count(const struct charter_reply *reply)
{
    return reply->count;
}

const struct charter_result *charter_reply_result(const struct charter_reply *reply, size_t place)
{
    CH_CHECK(place < reply->count);
    return &reply->results[place];
}

/* ---- values ------------------------------------------------------------------------------- */

bool charter_get(struct charter_bytes map, const char *name, struct charter_bytes *ret)
{
    struct ch_cursor c = ch_cursor_of((struct ch_bytes){map.ptr, map.len});
    const uint32_t pairs = ch_read_map(&c);
    for (uint32_t i = 0; i < pairs && c.err == CH_OK; i++) {
        struct ch_text key = ch_read_text(&c);
        struct ch_bytes value = ch_read_value(&c);
        if (c.err != CH_OK || !ch_text_is(key, name)) continue;
        *ret = bytes_of(value);
        return true;
    }
    return false;
}

/* A cursor on the value, if it is of the kind. */
static bool find(struct charter_bytes map, const char *name, enum ch_value_kind kind,
                 struct ch_cursor *ret)
{
    struct charter_bytes value;
    if (!charter_get(map, name, &value)) return false;
    *ret = ch_cursor_of((struct ch_bytes){value.ptr, value.len});
    return ch_cursor_peek(ret) == kind;
}

bool charter_get_text(struct charter_bytes map, const char *name, struct charter_text *ret)
{
    struct ch_cursor c;
    if (!find(map, name, CH_VALUE_TEXT, &c)) return false;
    *ret = text_of(ch_read_text(&c));
    return c.err == CH_OK;
}

bool charter_get_uint(struct charter_bytes map, const char *name, uint64_t *ret)
{
    struct ch_cursor c;
    if (!find(map, name, CH_VALUE_UINT, &c)) return false;
    *ret = ch_read_uint(&c);
    return c.err == CH_OK;
}

bool charter_get_bool(struct charter_bytes map, const char *name, bool *ret)
{
    struct ch_cursor c;
    if (!find(map, name, CH_VALUE_BOOL, &c)) return false;
    *ret = ch_read_bool(&c);
    return c.err == CH_OK;
}

bool charter_get_bytes(struct charter_bytes map, const char *name, struct charter_bytes *ret)
{
    struct ch_cursor c;
    if (!find(map, name, CH_VALUE_BIN, &c)) return false;
    *ret = bytes_of(ch_read_bytes(&c));
    return c.err == CH_OK;
}

char *charter_json(struct charter_bytes value, unsigned indent)
{
    struct ch_buf buf = {0};
    if (ch_json_write(&buf, (struct ch_bytes){value.ptr, value.len}, indent, NULL) == CH_OK) {
        ch_buf_put(&buf, "", 1);
    }
    if (buf.failed || buf.len == 0 || buf.ptr[buf.len - 1] != '\0') {
        ch_buf_deinit(&buf);
        return NULL;
    }
    return (char *)buf.ptr;
}
