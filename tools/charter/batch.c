/* batch: see batch.h. SPDX-License-Identifier: MIT */
#include "tools/charter/batch.h"

#include <stdlib.h>

#include "schema/limits.h"

enum {
    ADVANCE_BYTES = 256,   /* room that import.advance takes */
    CALL_BYTES = 4 * 1024, /* room that a line's calls take at most, beside its own texts twice */
};

void batch_deinit(struct batch *batch)
{
    charter_message_destroy(batch->m);
    free(batch->lines);
    ch_buf_deinit(&batch->texts);
    *batch = (struct batch){0};
}

void batch_reset(struct batch *batch)
{
    charter_message_destroy(batch->m);
    batch->m = NULL;
    batch->at[0] = '\0';
    batch->count = 0;
    batch->calls = 0;
    ch_buf_reset(&batch->texts);
}

bool batch_begin(struct batch *batch, const char *at)
{
    const size_t len = strlen(at);
    if (len >= sizeof batch->at) return false;
    memcpy(batch->at, at, len + 1);
    const struct charter_head head = {.each = true, .at = batch->at};
    batch->m = charter_message_create(&head);
    return batch->m != NULL;
}

bool batch_has_room(const struct batch *batch, size_t most, size_t line_len)
{
    if (batch->count >= most) return false;
    if (batch->m == NULL) return true;
    const size_t bytes = charter_message_bytes(batch->m) + ADVANCE_BYTES + CALL_BYTES;
    return batch->calls + ACCESS_LINE_CALLS_MOST + 1 <= LIMIT_CALLS &&
           bytes + 3 * line_len <= LIMIT_MESSAGE_BYTES;
}

bool batch_add(struct batch *batch, uint64_t number, struct ch_text text,
               const struct access_line *line, const char *under, struct names *known)
{
    if (batch->count == batch->cap) {
        const size_t cap = batch->cap == 0 ? 64 : batch->cap * 2;
        struct batch_line *lines = realloc(batch->lines, cap * sizeof *lines);
        if (lines == NULL) return false;
        batch->lines = lines;
        batch->cap = cap;
    }
    struct batch_line *added = &batch->lines[batch->count++];
    *added = (struct batch_line){.number = number,
                                 .start = batch->texts.len,
                                 .len = text.len,
                                 .first_call = (uint32_t)batch->calls,
                                 .reason = line->reason,
                                 .text = line->text};
    ch_buf_put_text(&batch->texts, text);
    batch->last_line = number;
    if (line->op >= 0) {
        added->calls =
            (uint32_t)access_line_calls(line, under, known, batch->m, &added->makes_user);
        batch->calls += added->calls;
    }
    return !batch->texts.failed;
}

void batch_seal(struct batch *batch)
{
    charter_message_call(batch->m, &(struct charter_call_head){.type = "import.advance"});
    charter_arg_bytes(batch->m, "digest", batch->digest, sizeof batch->digest);
    charter_arg_uint(batch->m, "line", batch->last_line);
}

static struct ch_text view(struct charter_text text)
{
    return (struct ch_text){text.ptr, text.len};
}

/* A failure that is no fault of the line: what it names would stop every other line too. */
static bool is_the_worlds(const struct charter_result *result)
{
    static const char *const codes[] = {"wrong_kind",    "out_of_bounds", "not_text",
                                        "missing_field", "unknown_field", "unknown_type"};
    if (result->outcome != CHARTER_FAILURE) return false;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (ch_text_is(view(result->code), codes[i])) return false;
    }
    return true;
}

static struct ch_text source_of(const struct batch *batch, const struct batch_line *line)
{
    struct ch_text text = {(const char *)batch->texts.ptr + line->start, line->len};
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r')) {
        text.len--;
    }
    return text;
}

static void refuse_here(const struct batch *batch, const struct batch_line *line,
                        struct refused *refused)
{
    if (line->reason == NULL) return; /* a blank line */
    refused_add(refused, line->number, ch_text_of(line->reason), ch_text_of(line->text),
                (struct ch_text){0}, source_of(batch, line));
}

const struct charter_result *batch_settle(const struct batch *batch,
                                          const struct charter_reply *reply,
                                          struct refused *refused)
{
    const struct charter_result *stop = NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_line *line = &batch->lines[i];
        if (line->calls == 0) refuse_here(batch, line, refused);
        for (uint32_t k = 0; k < line->calls; k++) {
            const struct charter_result *result = charter_reply_result(reply, line->first_call + k);
            if (result->outcome == CHARTER_RESULT) continue;
            if (k == 0 && line->makes_user && ch_text_is(view(result->code), "username_taken")) {
                continue; /* the user is there already, as wanted */
            }
            if (is_the_worlds(result)) {
                if (stop == NULL) stop = result;
                continue;
            }
            refused_add(refused, line->number, view(result->code), view(result->text),
                        view(result->field), source_of(batch, line));
            break;
        }
    }
    if (stop != NULL) return stop;
    return charter_reply_result(reply, charter_reply_count(reply) - 1);
}

void batch_refuse(const struct batch *batch, struct refused *refused)
{
    for (size_t i = 0; i < batch->count; i++) {
        refuse_here(batch, &batch->lines[i], refused);
    }
}
