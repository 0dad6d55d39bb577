/* lines_write: see lines_write.h. SPDX-License-Identifier: MIT */
#include "tools/keep/lines_write.h"

#include <stdlib.h>

#include <jansson.h>

#include "schema/base/base64.h"
#include "schema/event.h"
#include "schema/json.h"
#include "schema/text.h"

/* Appends the tree as a line, and lets go of it. */
static void put_line(struct ch_buf *out, json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT);
    if (text == NULL) {
        out->failed = true;
    } else {
        ch_buf_put_text(out, ch_text_of(text));
        ch_buf_put(out, "\n", 1);
    }
    free(text);
    json_decref(tree);
}

void lines_put_head(struct ch_buf *out, uint64_t size)
{
    put_line(out, json_pack("{s:i, s:I}", "charterd_export", 1, "size", (json_int_t)size));
}

void lines_put_key(struct ch_buf *out, const char *key)
{
    put_line(out, json_pack("{s:s}", "key", key));
}

void lines_put_checkpoint(struct ch_buf *out, const struct ch_stored *stored)
{
    char at[CH_TIME_TEXT_BYTES];
    (void)ch_time_write(stored->at_ns, at);
    put_line(out, json_pack("{s:I, s:s, s:s%}", "checkpoint", (json_int_t)stored->number, "at", at,
                            "note", stored->note.ptr, stored->note.len));
}

void lines_put_end(struct ch_buf *out, const struct ch_bundle_end *end)
{
    char root[CH_BASE64_LEN(CH_HASH_BYTES) + 1];
    ch_base64_write((struct ch_bytes){end->root.bytes, CH_HASH_BYTES}, root);
    put_line(out, json_pack("{s:b, s:I, s:I, s:s}", "end", 1, "size", (json_int_t)end->size,
                            "checkpoints", (json_int_t)end->checkpoints, "root", root));
}

/* The record of an event as events.read answers it. */
static const struct ch_record *shown_record(void)
{
    const struct ch_record *result = &ch_calls[CH_QRY_events_read].result;
    for (size_t i = 0; i < result->count; i++) {
        if (result->fields[i].record != NULL) return result->fields[i].record;
    }
    return NULL;
}

/* The event as JSON without its closing brace. False: it is of a later charterd's type. */
static bool put_event(struct lines_writer *writer, struct ch_buf *out, struct ch_bytes record)
{
    union ch_event_body body;
    struct ch_event event;
    const struct ch_record *shown = shown_record();
    ch_arena_reset(&writer->arena);
    ch_buf_reset(&writer->fields);
    ch_buf_reset(&writer->map);
    if (shown == NULL || ch_event_decode(record, &writer->arena, &body, &event, NULL) != CH_OK) {
        return false;
    }
    const struct ch_record *row = &ch_events[event.tag].record;
    ch_encode_map(&writer->fields, row, event.body);
    const struct ch_rec_event_row values = {.seq = event.seq,
                                            .at = event.at,
                                            .type = ch_text_of(row->name),
                                            .actor_kind = event.actor.kind,
                                            .actor = event.actor.id,
                                            .channel = event.channel,
                                            .account = {event.account},
                                            .fields = ch_buf_view(&writer->fields)};
    ch_encode_map(&writer->map, shown, &values);
    if (writer->fields.failed || writer->map.failed ||
        ch_json_write(out, ch_buf_view(&writer->map), 0, NULL) != CH_OK) {
        out->failed = true;
    }
    if (out->len > 0) out->len--; /* the brace */
    return true;
}

enum ch_err lines_put_record(struct lines_writer *writer, struct ch_buf *out, uint64_t seq,
                             struct ch_bytes record, struct ch_why *why)
{
    if (!put_event(writer, out, record)) {
        char head[40];
        (void)snprintf(head, sizeof head, "{\"seq\":%llu", (unsigned long long)seq);
        ch_buf_put_text(out, ch_text_of(head));
    }
    ch_buf_put_text(out, ch_text_of(",\"record\":\""));
    ch_base64_put(out, record);
    ch_buf_put_text(out, ch_text_of("\"}\n"));
    return out->failed ? ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a line") : CH_OK;
}

void lines_writer_deinit(struct lines_writer *writer)
{
    ch_arena_deinit(&writer->arena);
    ch_buf_deinit(&writer->fields);
    ch_buf_deinit(&writer->map);
}
