/* history: see history.h. SPDX-License-Identifier: MIT */
#include "tools/charter/history.h"

static enum ch_err no_memory(struct ch_why *why)
{
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the lines of a message");
}

enum ch_err history_open(struct history *history, const char *path, struct ch_why *why)
{
    history_close(history);
    history->digest = charter_digest_create();
    if (history->digest == NULL) return no_memory(why);
    return lines_open(path, &history->lines, why);
}

void history_close(struct history *history)
{
    lines_close(history->lines);
    charter_digest_destroy(history->digest);
    access_line_deinit(&history->next);
    names_deinit(&history->known);
    *history = (struct history){0};
}

static void count_line(struct history *history, struct ch_text text, const struct access_line *line)
{
    charter_digest_add(history->digest, text.ptr, text.len);
    history->count++;
    if (line->at == NULL) return;
    history->last_at_ns = line->at_ns;
    history->has_last_at = true;
}

/* Reads the next line into `next`, unless it is there. */
static enum ch_err read_next(struct history *history, struct ch_why *why)
{
    if (history->pending) return CH_OK;
    enum ch_err err = lines_next(history->lines, &history->next_text, why);
    if (err != CH_OK || history->next_text.len == 0) return err;
    struct access_line *line = &history->next;
    access_line_read(history->next_text, line);
    if (line->at != NULL && history->has_last_at && line->at_ns < history->last_at_ns) {
        line->op = -1;
        line->at = NULL;
        line->reason = "time_goes_back";
        line->text = "its time lies before that of a line above";
    }
    history->pending = true;
    return CH_OK;
}

static void done_with_next(struct history *history)
{
    access_line_deinit(&history->next);
    history->pending = false;
}

enum ch_err history_skip(struct history *history, uint64_t count, uint8_t ret[CHARTER_DIGEST_BYTES],
                         struct ch_why *why)
{
    while (history->count < count) {
        enum ch_err err = read_next(history, why);
        if (err != CH_OK) return err;
        if (!history->pending) break;
        access_line_learn(&history->next, &history->known);
        count_line(history, history->next_text, &history->next);
        done_with_next(history);
    }
    charter_digest_value(history->digest, ret);
    return CH_OK;
}

enum ch_err history_fill(struct history *history, const char *under, size_t most,
                         struct batch *batch, struct ch_why *why)
{
    batch_reset(batch);
    for (;;) {
        enum ch_err err = read_next(history, why);
        if (err != CH_OK) return err;
        const struct access_line *line = &history->next;
        const bool timed = line->at != NULL;
        if (!history->pending || !batch_has_room(batch, most, history->next_text.len)) break;
        if (timed && batch->m != NULL && line->at_ns != history->last_at_ns) break;
        if (timed && batch->m == NULL && !batch_begin(batch, line->at)) return no_memory(why);
        count_line(history, history->next_text, line);
        if (!batch_add(batch, history->count, history->next_text, line, under, &history->known)) {
            return no_memory(why);
        }
        done_with_next(history);
    }
    charter_digest_value(history->digest, batch->digest);
    if (batch->m != NULL) batch_seal(batch);
    return CH_OK;
}
