/* form: see form.h. SPDX-License-Identifier: MIT */
#include "tools/keep/form.h"

#include <stdlib.h>

#include "daemon/log/stored_tile.h"
#include "tools/keep/lines_write.h"

enum { WAITING_BYTES = 16 << 10 }; /* stays in the processor's first cache */

struct form {
    bool lines;
    struct ch_bundle_writer writer;
    struct ch_tile_reader *tiles;
    struct lines_writer line;
};

struct form *form_create(bool lines)
{
    struct form *form = calloc(1, sizeof *form);
    if (form != NULL) form->lines = lines;
    return form;
}

void form_let_go(struct form *form)
{
    ch_tile_reader_close(form->tiles);
    form->tiles = NULL;
}

void form_destroy(struct form *form)
{
    if (form == NULL) return;
    form_let_go(form);
    ch_bundle_writer_deinit(&form->writer);
    lines_writer_deinit(&form->line);
    free(form);
}

static void put(struct form *form, struct ch_buf *out, enum ch_bundle_kind kind,
                struct ch_bytes first, struct ch_bytes rest)
{
    struct ch_bundle_writer *writer = &form->writer;
    ch_bundle_put(writer, kind, first, rest);
    if (writer->waiting.len >= WAITING_BYTES || writer->waiting.failed) ch_bundle_pass(writer, out);
}

/* An item of text, which is then gone. */
static void put_text(struct form *form, struct ch_buf *out, enum ch_bundle_kind kind,
                     struct ch_buf *text)
{
    if (text->failed) out->failed = true;
    put(form, out, kind, ch_buf_view(text), (struct ch_bytes){0});
    ch_buf_deinit(text);
}

enum ch_err form_begin(struct form *form, struct ch_buf *out, struct ch_evlog *log, uint64_t size,
                       struct ch_why *why)
{
    if (form->lines) {
        lines_put_head(out, size);
        return CH_OK;
    }
    struct ch_buf text = {0};
    ch_bundle_begin(out);
    ch_bundle_text_head(&text, size);
    put_text(form, out, CH_BUNDLE_HEAD, &text);
    return ch_tile_reader_open(log, &form->tiles, why);
}

void form_key(struct form *form, struct ch_buf *out, const struct ch_verifier *key)
{
    char text[CH_VERIFIER_TEXT_BYTES];
    const size_t len = ch_verifier_write(key, text);
    if (form->lines) {
        lines_put_key(out, text);
    } else {
        put(form, out, CH_BUNDLE_KEY, (struct ch_bytes){(uint8_t *)text, len},
            (struct ch_bytes){0});
    }
}

void form_checkpoint(struct form *form, struct ch_buf *out, const struct ch_stored *stored)
{
    uint8_t at[8];
    if (form->lines) {
        lines_put_checkpoint(out, stored);
        return;
    }
    ch_put_le64(at, stored->at_ns);
    put(form, out, CH_BUNDLE_CHECKPOINT, (struct ch_bytes){at, sizeof at},
        (struct ch_bytes){(const uint8_t *)stored->note.ptr, stored->note.len});
}

/* The tiles that record `seq` has filled, the lower level first. */
static enum ch_err put_tiles(struct form *form, struct ch_buf *out, uint64_t seq,
                             struct ch_why *why)
{
    for (unsigned level = 0; level < CH_TILE_LEVELS && seq % CH_TILE_WIDTH == 0; level++) {
        uint8_t key[CH_TILE_KEY_BYTES];
        const uint8_t *hashes = NULL;
        seq /= CH_TILE_WIDTH;
        if (seq == 0) break;
        enum ch_err err = ch_tile_reader_get(form->tiles, level, seq - 1, &hashes, why);
        if (err != CH_OK) return err;
        ch_tile_key(level, seq - 1, key);
        put(form, out, CH_BUNDLE_TILE, (struct ch_bytes){key, sizeof key},
            (struct ch_bytes){hashes, CH_TILE_VALUE_BYTES});
    }
    return CH_OK;
}

enum ch_err form_record(struct form *form, struct ch_buf *out, uint64_t seq, struct ch_bytes record,
                        struct ch_why *why)
{
    if (form->lines) return lines_put_record(&form->line, out, seq, record, why);
    put(form, out, CH_BUNDLE_RECORD, record, (struct ch_bytes){0});
    return put_tiles(form, out, seq, why);
}

void form_end(struct form *form, struct ch_buf *out, const struct ch_bundle_end *end)
{
    struct ch_buf text = {0};
    if (form->lines) {
        lines_put_end(out, end);
        return;
    }
    ch_bundle_text_end(&text, end);
    put_text(form, out, CH_BUNDLE_END, &text);
    ch_bundle_pass(&form->writer, out);
}
