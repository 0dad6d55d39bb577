/* checkpoint_query: the answers of checkpoint.list, .show, .key, .make, .rotate and .cosign; see
 * checkpoints.h. SPDX-License-Identifier: MIT */
#include "daemon/checkpoints_impl.h"

#include <inttypes.h>

#include "schema/limits.h"

/* ---- cosignatures ------------------------------------------------------------------------- */

static const struct ch_verifier *witness_of(const struct ch_checkpoints *checkpoints,
                                            const struct ch_note_line *line)
{
    for (size_t i = 0; i < checkpoints->witness_count; i++) {
        const struct ch_verifier *witness = &checkpoints->witnesses[i];
        if (ch_text_is(line->name, witness->name) &&
            memcmp(line->id, witness->id, sizeof line->id) == 0) {
            return witness;
        }
    }
    return NULL;
}

static bool refuse(struct ch_reject *reject, enum ch_rejection_code code)
{
    *reject = (struct ch_reject){.code = code, .field = "lines"};
    return false;
}

bool ch_checkpoint_join(const struct ch_checkpoints *checkpoints, struct ch_text whole,
                        struct ch_text lines, struct ch_buf *joined, bool *ret_new,
                        struct ch_reject *reject)
{
    struct ch_note note;
    struct ch_note_line line;
    struct ch_buf given = {0}; /* with a last line feed, which a shell takes away */
    bool good = ch_note_split(whole, &note);
    size_t at = 0;
    *ret_new = false;
    ch_buf_put_text(&given, lines);
    if (lines.len > 0 && lines.ptr[lines.len - 1] != '\n') ch_buf_put(&given, "\n", 1);
    const struct ch_text all = {(const char *)given.ptr, given.failed ? 0 : given.len};
    ch_buf_reset(joined);
    ch_buf_put_text(joined, whole);
    while (good && ch_note_next(all, &at, &line)) {
        const struct ch_verifier *witness = witness_of(checkpoints, &line);
        if (witness == NULL) {
            good = refuse(reject, CH_REJ_unknown_witness);
        } else if (ch_note_check(note.text, line.line, witness, NULL) != CH_NOTE_GOOD) {
            good = refuse(reject, CH_REJ_bad_cosignature);
        } else if (ch_note_check(note.text, note.lines, witness, NULL) == CH_NOTE_UNSIGNED) {
            ch_buf_put_text(joined, line.line); /* a witness's first one stays */
            *ret_new = true;
        }
    }
    if (good && (all.len == 0 || at != all.len)) good = refuse(reject, CH_REJ_bad_cosignature);
    if (good && joined->len > CH_NOTE_MOST_BYTES) {
        *reject = (struct ch_reject){.code = CH_REJ_limit_reached, .field = "lines"};
        good = false;
    }
    ch_buf_deinit(&given);
    return good;
}

/* ---- rows --------------------------------------------------------------------------------- */

enum { WITNESSES_MOST = 64 };

/* A row's texts; kept in the line's arena until the answer is written. */
static bool fill_row(struct ch_checkpoints *checkpoints, const struct ch_stored *stored,
                     struct ch_rec_checkpoint_row *row, struct ch_why *why)
{
    struct ch_arena *arena = &checkpoints->line->arena;
    struct ch_note note;
    struct ch_checkpoint read;
    const char *copy = ch_arena_copy(arena, stored->note.ptr, stored->note.len);
    struct ch_text *names = ch_arena_take(arena, WITNESSES_MOST * sizeof *names);
    char *key = ch_arena_take(arena, CH_VERIFIER_TEXT_BYTES);
    struct ch_checkpoint *kept = ch_arena_take(arena, sizeof *kept);
    if (copy == NULL || names == NULL || key == NULL || kept == NULL) {
        (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the answer");
        return false;
    }
    if (!ch_checkpoint_read_note((struct ch_text){copy, stored->note.len}, &note, &read)) {
        (void)ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                      stored->number);
        return false;
    }
    *kept = read;
    *row = (struct ch_rec_checkpoint_row){.number = stored->number,
                                          .size = kept->size,
                                          .at = stored->at_ns,
                                          .root = {kept->root.bytes, CH_HASH_BYTES},
                                          .has_state_seq = kept->has_state,
                                          .state_seq = kept->state_seq,
                                          .has_state_hash = kept->has_state,
                                          .state_hash = {kept->state_hash, sizeof kept->state_hash},
                                          .has_next_key = kept->has_next_key,
                                          .witnesses = names};
    if (kept->has_next_key) {
        row->next_key = (struct ch_text){key, ch_verifier_write(&kept->next_key, key)};
    }
    struct ch_note_line line;
    size_t at = 0;
    while (row->witnesses_len < WITNESSES_MOST && ch_note_next(note.lines, &at, &line)) {
        if (!ch_text_equal(line.name, kept->origin)) names[row->witnesses_len++] = line.name;
    }
    return true;
}

static bool list(struct ch_checkpoints *checkpoints, const struct ch_qry_checkpoint_list *args,
                 struct ch_buf *buf, struct ch_why *why)
{
    uint64_t limit = args->has_limit ? args->limit : 100;
    if (limit == 0 || limit > LIMIT_LIST_ITEMS) limit = LIMIT_LIST_ITEMS;
    uint64_t number = checkpoints->number;
    if (args->has_after && args->after <= number) number = args->after == 0 ? 0 : args->after - 1;
    struct ch_rec_checkpoint_row *rows =
        ch_arena_take(&checkpoints->line->arena, limit * sizeof *rows);
    struct ch_qry_checkpoint_list_result result = {.checkpoints = rows};
    if (rows == NULL) {
        (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the answer");
        return false;
    }
    for (; number > 0 && result.checkpoints_len < limit; number--) {
        struct ch_stored stored;
        if (ch_stored_get(checkpoints->line->log, number, &checkpoints->scratch, &stored, why) !=
                CH_OK ||
            !fill_row(checkpoints, &stored, &rows[result.checkpoints_len], why)) {
            return false;
        }
        result.checkpoints_len++;
    }
    result.has_next = number > 0;
    result.next = number + 1;
    ch_encode_map(buf, &ch_calls[CH_QRY_checkpoint_list].result, &result);
    return true;
}

/* One of them and its note, which stays in the scratch buffer. */
static bool find(struct ch_checkpoints *checkpoints, uint64_t number, bool by_size, uint64_t size,
                 struct ch_rec_checkpoint_row *row, struct ch_text *note, struct ch_reject *reject,
                 struct ch_why *why)
{
    struct ch_stored stored;
    struct ch_evlog *log = checkpoints->line->log;
    const enum ch_err err = by_size
                                ? ch_stored_find(log, size, &checkpoints->scratch, &stored, why)
                                : ch_stored_get(log, number, &checkpoints->scratch, &stored, why);
    if (err != CH_OK) return false;
    if (stored.number == 0) {
        const bool any = number != 0 || by_size;
        *reject = (struct ch_reject){.code = any ? CH_REJ_not_found : CH_REJ_no_checkpoint,
                                     .field = !any      ? NULL
                                              : by_size ? "size"
                                                        : "number"};
        return false;
    }
    *note = stored.note;
    return fill_row(checkpoints, &stored, row, why);
}

static bool show(struct ch_checkpoints *checkpoints, const struct ch_qry_checkpoint_show *args,
                 struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why)
{
    struct ch_qry_checkpoint_show_result result = {.note = {NULL, 0}};
    if (args->has_number && args->has_size) {
        (void)ch_fail_field(why, CH_ERR_BAD_COMBINATION, "size", "size: give number or size");
        return false;
    }
    if (args->has_number && args->number == 0) {
        *reject = (struct ch_reject){.code = CH_REJ_not_found, .field = "number"};
        return false;
    }
    if (!find(checkpoints, args->has_number ? args->number : 0, args->has_size, args->size,
              &result.checkpoint, &result.note, reject, why)) {
        return false;
    }
    ch_encode_map(buf, &ch_calls[CH_QRY_checkpoint_show].result, &result);
    return true;
}

static bool key(struct ch_checkpoints *checkpoints, struct ch_buf *buf, struct ch_why *why)
{
    struct ch_arena *arena = &checkpoints->line->arena;
    const struct ch_keys *keys = &checkpoints->keys;
    char own[CH_VERIFIER_TEXT_BYTES];
    const size_t texts = keys->retired_count + checkpoints->witness_count;
    char(*room)[CH_VERIFIER_TEXT_BYTES] = ch_arena_take(arena, (texts + 1) * sizeof *room);
    struct ch_rec_retired_key_row *retired =
        ch_arena_take(arena, (keys->retired_count + 1) * sizeof *retired);
    struct ch_rec_witness_row *witnesses =
        ch_arena_take(arena, (checkpoints->witness_count + 1) * sizeof *witnesses);
    if (room == NULL || retired == NULL || witnesses == NULL) {
        (void)ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the answer");
        return false;
    }
    for (size_t i = 0; i < keys->retired_count; i++) {
        retired[i].key = (struct ch_text){room[i], ch_verifier_write(&keys->retired[i], room[i])};
    }
    for (size_t i = 0; i < checkpoints->witness_count; i++) {
        char *text = room[keys->retired_count + i];
        witnesses[i].key =
            (struct ch_text){text, ch_verifier_write(&checkpoints->witnesses[i], text)};
    }
    const struct ch_qry_checkpoint_key_result result = {
        .origin = ch_text_of(keys->signer.verifier.name),
        .key = {own, ch_verifier_write(&keys->signer.verifier, own)},
        .retired = retired,
        .retired_len = (uint32_t)keys->retired_count,
        .witnesses = witnesses,
        .witnesses_len = (uint32_t)checkpoints->witness_count};
    ch_encode_map(buf, &ch_calls[CH_QRY_checkpoint_key].result, &result);
    return true;
}

/* By now there is what was asked for; see ch_checkpoints_take. */
static bool made(struct ch_checkpoints *checkpoints, struct ch_buf *buf, struct ch_reject *reject,
                 struct ch_why *why)
{
    struct ch_qry_checkpoint_make_result result = {.note = {NULL, 0}};
    if (!find(checkpoints, 0, false, 0, &result.checkpoint, &result.note, reject, why)) {
        return false;
    }
    ch_encode_map(buf, &ch_calls[CH_QRY_checkpoint_make].result, &result);
    return true;
}

static bool rotated(struct ch_checkpoints *checkpoints, struct ch_buf *buf,
                    struct ch_reject *reject, struct ch_why *why)
{
    char own[CH_VERIFIER_TEXT_BYTES];
    struct ch_qry_checkpoint_rotate_result result = {.note = {NULL, 0}};
    if (!find(checkpoints, 0, false, 0, &result.checkpoint, &result.note, reject, why)) {
        return false;
    }
    result.key = (struct ch_text){own, ch_verifier_write(&checkpoints->keys.signer.verifier, own)};
    ch_encode_map(buf, &ch_calls[CH_QRY_checkpoint_rotate].result, &result);
    return true;
}

static bool cosigned(struct ch_checkpoints *checkpoints,
                     const struct ch_qry_checkpoint_cosign *args, struct ch_buf *buf,
                     struct ch_reject *reject, struct ch_why *why)
{
    struct ch_qry_checkpoint_cosign_result result = {.note = {NULL, 0}};
    if (args->has_number && args->number == 0) {
        *reject = (struct ch_reject){.code = CH_REJ_not_found, .field = "number"};
        return false;
    }
    if (!find(checkpoints, args->has_number ? args->number : 0, false, 0, &result.checkpoint,
              &result.note, reject, why)) {
        return false;
    }
    struct ch_buf joined = {0};
    bool is_new = false;
    bool good = ch_checkpoint_join(checkpoints, result.note, args->lines, &joined, &is_new, reject);
    if (good && is_new) { /* ch_checkpoints_take had it stored, or had no memory to */
        (void)ch_fail(why, CH_ERR_BUSY, 0, "the cosignature was not stored; try again");
        good = false;
    }
    ch_buf_deinit(&joined);
    if (good) ch_encode_map(buf, &ch_calls[CH_QRY_checkpoint_cosign].result, &result);
    return good;
}

bool ch_checkpoints_answer(struct ch_checkpoints *checkpoints, const struct ch_call *call,
                           struct ch_buf *buf, struct ch_reject *reject, struct ch_why *why)
{
    if (call->type == CH_QRY_checkpoint_list) return list(checkpoints, call->args, buf, why);
    if (call->type == CH_QRY_checkpoint_show) {
        return show(checkpoints, call->args, buf, reject, why);
    }
    if (call->type == CH_QRY_checkpoint_key) return key(checkpoints, buf, why);
    if (call->type == CH_QRY_checkpoint_make) return made(checkpoints, buf, reject, why);
    if (call->type == CH_QRY_checkpoint_rotate) return rotated(checkpoints, buf, reject, why);
    return cosigned(checkpoints, call->args, buf, reject, why);
}
