/* event: see event.h. SPDX-License-Identifier: MIT */
#include "schema/event.h"

#include "schema/base/check.h"
#include "schema/pack.h"

enum { EVENT_ITEMS = 9 };

static void pack_actor(struct ch_buf *buf, const struct ch_actor *actor)
{
    ch_pack_array(buf, actor->has_via ? 3 : 2);
    ch_pack_uint(buf, actor->kind);
    ch_pack_uint(buf, actor->id);
    if (actor->has_via) ch_pack_uint(buf, actor->via);
}

static void pack_cause(struct ch_buf *buf, const struct ch_cause *cause)
{
    switch (cause->kind) {
    case CH_CAUSE_NONE: ch_pack_nil(buf); return;
    case CH_CAUSE_EVENT: ch_pack_uint(buf, cause->first); return;
    case CH_CAUSE_COMMAND:
        ch_pack_array(buf, 3);
        ch_pack_bytes(buf, (struct ch_bytes){cause->id, sizeof cause->id});
        ch_pack_uint(buf, cause->index);
        ch_pack_bytes(buf, (struct ch_bytes){cause->fingerprint, sizeof cause->fingerprint});
        return;
    }
}

void ch_event_encode(struct ch_buf *buf, const struct ch_event *event)
{
    CH_CHECK(event->tag < CH_EVENT_TAGS && ch_events[event->tag].record.name != NULL);
    ch_pack_array(buf, EVENT_ITEMS);
    ch_pack_uint(buf, event->seq);
    ch_pack_uint(buf, event->at);
    ch_pack_uint(buf, event->tag);
    pack_actor(buf, &event->actor);
    ch_pack_uint(buf, event->channel);
    ch_pack_uint(buf, event->account);
    pack_cause(buf, &event->cause);
    ch_encode_list(buf, &ch_events[event->tag].record, event->body);
    if (!event->personal.present) {
        ch_pack_nil(buf);
        return;
    }
    ch_pack_array(buf, 3);
    ch_pack_uint(buf, event->personal.number);
    ch_pack_bytes(buf, (struct ch_bytes){event->personal.nonce, sizeof event->personal.nonce});
    ch_pack_bytes(buf, event->personal.cipher);
}

/* An unsigned integer of at most `most`; one that was cut off would not encode again as read. */
static uint64_t read_bounded(struct ch_cursor *c, uint64_t most)
{
    uint64_t value = ch_read_uint(c);
    if (value <= most) return value;
    if (c->err == CH_OK) c->err = CH_ERR_UNDECODABLE;
    return 0;
}

static void read_actor(struct ch_cursor *c, struct ch_actor *ret)
{
    uint32_t items = ch_read_array(c);
    ret->kind = (uint8_t)read_bounded(c, UINT8_MAX);
    ret->id = read_bounded(c, CH_MAX_INTEGER);
    if (items == 3) {
        ret->has_via = true;
        ret->via = read_bounded(c, CH_MAX_INTEGER);
    } else if (items != 2 && c->err == CH_OK) {
        c->err = CH_ERR_UNDECODABLE;
    }
}

static void read_fixed(struct ch_cursor *c, uint8_t *out, size_t len)
{
    struct ch_bytes bytes = ch_read_bytes(c);
    if (c->err != CH_OK) return;
    if (bytes.len != len) {
        c->err = CH_ERR_UNDECODABLE;
        return;
    }
    memcpy(out, bytes.ptr, len);
}

static void read_cause(struct ch_cursor *c, struct ch_cause *ret)
{
    const enum ch_value_kind found = ch_cursor_peek(c);
    if (found == CH_VALUE_NIL) {
        ch_read_nil(c);
        ret->kind = CH_CAUSE_NONE;
        return;
    }
    if (found == CH_VALUE_UINT) {
        ret->kind = CH_CAUSE_EVENT;
        ret->first = read_bounded(c, CH_MAX_INTEGER);
        return;
    }
    ret->kind = CH_CAUSE_COMMAND;
    if (ch_read_array(c) != 3 && c->err == CH_OK) c->err = CH_ERR_UNDECODABLE;
    read_fixed(c, ret->id, sizeof ret->id);
    ret->index = (uint32_t)read_bounded(c, UINT32_MAX);
    read_fixed(c, ret->fingerprint, sizeof ret->fingerprint);
}

static void read_sealed(struct ch_cursor *c, struct ch_sealed *ret)
{
    if (ch_cursor_peek(c) == CH_VALUE_NIL) {
        ch_read_nil(c);
        return;
    }
    if (ch_read_array(c) != 3 && c->err == CH_OK) c->err = CH_ERR_UNDECODABLE;
    ret->present = true;
    ret->number = read_bounded(c, CH_MAX_INTEGER);
    read_fixed(c, ret->nonce, sizeof ret->nonce);
    ret->cipher = ch_read_bytes(c);
}

enum ch_err ch_event_decode(struct ch_bytes bytes, struct ch_arena *arena,
                            union ch_event_body *body, struct ch_event *ret, struct ch_why *why)
{
    struct ch_cursor c = ch_cursor_of(bytes);
    c.canonical = true;
    *ret = (struct ch_event){0};
    uint32_t items = ch_read_array(&c);
    ret->seq = read_bounded(&c, CH_MAX_INTEGER);
    ret->at = read_bounded(&c, CH_MAX_TIME);
    uint64_t tag = ch_read_uint(&c);
    read_actor(&c, &ret->actor);
    ret->channel = (uint8_t)read_bounded(&c, UINT8_MAX);
    ret->account = read_bounded(&c, CH_MAX_INTEGER);
    read_cause(&c, &ret->cause);
    bool known = tag < CH_EVENT_TAGS && ch_events[tag].record.name != NULL;
    if (c.err != CH_OK || items != EVENT_ITEMS || !known) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu: %s", (unsigned long long)ret->seq,
                       known ? "the record has another form" : "this daemon does not know its tag");
    }
    ret->tag = (uint16_t)tag;
    ret->body = body;
    struct ch_why inner = {0};
    if (ch_decode_list(&c, &ch_events[tag].record, arena, body, &inner) != CH_OK) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu: %s", (unsigned long long)ret->seq,
                       inner.text);
    }
    read_sealed(&c, &ret->personal);
    if (c.err != CH_OK || c.at != c.end) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "event %llu: the record has another form",
                       (unsigned long long)ret->seq);
    }
    return CH_OK;
}

void ch_event_personal(struct ch_buf *buf, const struct ch_event *event)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    size_t fields = 0;
    bool any = event->note.len > 0;
    for (size_t i = 0; i < record->count; i++) {
        if (!record->fields[i].personal) continue;
        fields++;
        any = any || ch_field_present(&record->fields[i], event->body);
    }
    if (!any) return;
    ch_pack_array(buf, fields + (event->note.len > 0 ? 1 : 0));
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!field->personal) continue;
        if (ch_field_present(field, event->body)) {
            const struct ch_named *named = ch_field_at(field, event->body);
            ch_pack_text(buf, named->text);
        } else {
            ch_pack_nil(buf);
        }
    }
    if (event->note.len > 0) ch_pack_text(buf, event->note);
}

enum ch_err ch_event_open(struct ch_bytes plain, union ch_event_body *body, struct ch_event *event,
                          struct ch_why *why)
{
    struct ch_cursor c = ch_cursor_of(plain);
    const struct ch_record *record = &ch_events[event->tag].record;
    uint32_t items = ch_read_array(&c);
    uint32_t read = 0;
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (!field->personal) continue;
        read++;
        if (ch_cursor_peek(&c) == CH_VALUE_NIL) {
            ch_read_nil(&c);
            continue;
        }
        struct ch_named named = {.text = ch_read_text(&c)};
        const bool has = true;
        memcpy((uint8_t *)body + field->offset, &named, sizeof named);
        memcpy((uint8_t *)body + field->has_offset, &has, sizeof has);
    }
    if (items == read + 1) {
        event->note = ch_read_text(&c);
        read++;
    }
    if (c.err != CH_OK || c.at != c.end || items != read) {
        return ch_fail(why, CH_ERR_SEAL_BROKEN, 0, "event %llu: the sealed part has another form",
                       (unsigned long long)event->seq);
    }
    return CH_OK;
}
