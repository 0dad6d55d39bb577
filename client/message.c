/* message: see message.h and charter.h. SPDX-License-Identifier: MIT */
#include "client/message.h"

#include <sodium.h>
#include <stdlib.h>

#include "schema/json.h"
#include "schema/limits.h"
#include "schema/pack.h"
#include "schema/request.h"

enum { ID_BYTES = 16, HEAD_BYTES_MOST = 1024 };

struct charter_message {
    uint8_t id[ID_BYTES];
    struct charter_head head; /* its texts are copies in `owned` */
    char *owned[6];
    struct ch_buf calls; /* finished calls, without the array's head */
    struct ch_buf args;  /* of the call that is open, without the map's head */
    size_t arg_count;
    size_t call_count;
    char type[64];     /* of the open call */
    struct ch_why why; /* sticky */
};

static const char *own(struct charter_message *m, size_t place, const char *text)
{
    if (text == NULL) return NULL;
    m->owned[place] = strdup(text);
    if (m->owned[place] == NULL) {
        (void)ch_fail(&m->why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
    }
    return m->owned[place];
}

struct charter_message *charter_message_create(const struct charter_head *head)
{
    if (sodium_init() < 0) return NULL;
    struct charter_message *m = calloc(1, sizeof *m);
    if (m == NULL) return NULL;
    if (head != NULL) m->head = *head;
    m->head.as_user = own(m, 0, m->head.as_user);
    m->head.channel = own(m, 1, m->head.channel);
    m->head.as_of_time = own(m, 2, m->head.as_of_time);
    m->head.at = own(m, 3, m->head.at);
    m->head.key = own(m, 4, m->head.key);
    m->head.session = own(m, 5, m->head.session);
    if (m->head.id != NULL) {
        memcpy(m->id, m->head.id, sizeof m->id);
    } else {
        randombytes_buf(m->id, sizeof m->id);
    }
    m->head.id = m->id;
    return m;
}

void charter_message_destroy(struct charter_message *m)
{
    if (m == NULL) return;
    for (size_t i = 0; i < sizeof m->owned / sizeof m->owned[0]; i++) {
        if (m->owned[i] != NULL) sodium_memzero(m->owned[i], strlen(m->owned[i]));
        free(m->owned[i]);
    }
    ch_buf_deinit(&m->calls);
    ch_buf_deinit(&m->args);
    free(m);
}

/* Puts the open call's arguments behind its head. */
static void finish_call(struct charter_message *m)
{
    if (m->call_count == 0 || m->type[0] == '\0') return;
    ch_pack_map(&m->calls, m->arg_count);
    ch_buf_put(&m->calls, m->args.ptr, m->args.len);
    m->calls.failed = m->calls.failed || m->args.failed;
    ch_buf_reset(&m->args);
    m->arg_count = 0;
    m->type[0] = '\0';
}

void charter_message_call(struct charter_message *m, const struct charter_call_head *head)
{
    finish_call(m);
    const size_t len = head->type == NULL ? 0 : strlen(head->type);
    if (len == 0 || len >= sizeof m->type) {
        if (m->why.err == CH_OK) {
            (void)ch_fail_field(&m->why, CH_ERR_UNKNOWN_TYPE, "type", "no call has such a type");
        }
        return;
    }
    memcpy(m->type, head->type, len + 1);
    const struct ch_call_head wire = {.type = ch_text_of(head->type),
                                      .on_name = ch_text_of(head->on),
                                      .on_id = head->on_id,
                                      .has_expect = head->has_expect,
                                      .expect = head->expect,
                                      .note = ch_text_of(head->note)};
    ch_request_call(&m->calls, &wire);
    m->call_count++;
}

static void begin_arg(struct charter_message *m, const char *name)
{
    ch_pack_chars(&m->args, name);
    m->arg_count++;
}

void charter_arg_text(struct charter_message *m, const char *name, const char *text)
{
    begin_arg(m, name);
    ch_pack_chars(&m->args, text);
}

void charter_arg_texts(struct charter_message *m, const char *name, const char *const *texts,
                       size_t count)
{
    begin_arg(m, name);
    ch_pack_array(&m->args, count);
    for (size_t i = 0; i < count; i++) {
        ch_pack_chars(&m->args, texts[i]);
    }
}

void charter_arg_uint(struct charter_message *m, const char *name, uint64_t value)
{
    begin_arg(m, name);
    ch_pack_uint(&m->args, value);
}

void charter_arg_bool(struct charter_message *m, const char *name, bool value)
{
    begin_arg(m, name);
    ch_pack_bool(&m->args, value);
}

void charter_arg_bytes(struct charter_message *m, const char *name, const void *ptr, size_t len)
{
    begin_arg(m, name);
    ch_pack_bytes(&m->args, (struct ch_bytes){ptr, len});
}

void charter_args_pairs(struct charter_message *m, const void *pairs, size_t len, size_t count)
{
    ch_buf_put(&m->args, pairs, len);
    m->arg_count += count;
}

void charter_args_json(struct charter_message *m, const char *json)
{
    if (m->why.err != CH_OK) return;
    const int type = ch_call_find(ch_text_of(m->type));
    if (type < 0) {
        (void)ch_fail_field(&m->why, CH_ERR_UNKNOWN_TYPE, "type", "no call has the type %s",
                            m->type);
        return;
    }
    struct ch_buf map = {0};
    if (ch_json_read_record(&map, &ch_calls[type].args, ch_text_of(json), &m->why) == CH_OK) {
        struct ch_cursor c = ch_cursor_of(ch_buf_view(&map));
        const uint32_t pairs = ch_read_map(&c);
        charter_args_pairs(m, c.at, ch_cursor_left(&c), pairs);
    }
    ch_buf_deinit(&map);
}

size_t charter_message_calls(const struct charter_message *m)
{
    return m->call_count;
}

size_t charter_message_bytes(const struct charter_message *m)
{
    return HEAD_BYTES_MOST + m->calls.len + m->args.len;
}

const uint8_t *charter_message_id(const struct charter_message *m)
{
    return m->id;
}

enum ch_err ch_message_write(struct charter_message *m, struct ch_buf *ret, struct ch_why *why)
{
    finish_call(m);
    if (m->why.err != CH_OK) {
        *why = m->why;
        return why->err;
    }
    if (m->call_count == 0 || m->call_count > LIMIT_CALLS) {
        return ch_fail_field(why, CH_ERR_OUT_OF_BOUNDS, "calls", "a message takes 1 to %u calls",
                             (unsigned)LIMIT_CALLS);
    }
    const struct charter_head *head = &m->head;
    const struct ch_request_head wire = {.id = m->id,
                                         .as_user = ch_text_of(head->as_user),
                                         .as_user_id = head->as_user_id,
                                         .as_key_id = head->as_key_id,
                                         .key = ch_text_of(head->key),
                                         .session = ch_text_of(head->session),
                                         .channel = ch_text_of(head->channel),
                                         .each = head->each,
                                         .dry_run = head->dry_run,
                                         .at_least = head->at_least,
                                         .has_as_of = head->has_as_of,
                                         .as_of_seq = head->as_of_seq,
                                         .as_of_time = ch_text_of(head->as_of_time),
                                         .at = ch_text_of(head->at)};
    ch_request_begin(ret, &wire, (uint32_t)m->call_count);
    ch_buf_put(ret, m->calls.ptr, m->calls.len);
    if (ret->failed || m->calls.failed) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the message");
    }
    if (ret->len > LIMIT_MESSAGE_BYTES) {
        return ch_fail(why, CH_ERR_TOO_LARGE, 0,
                       "the message has %zu bytes and one takes at most %u; send fewer calls",
                       ret->len, (unsigned)LIMIT_MESSAGE_BYTES);
    }
    return CH_OK;
}
