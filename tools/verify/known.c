/* known: see known.h. SPDX-License-Identifier: MIT */
#include "tools/verify/known.h"

#include <string.h>

#include "daemon/log/checkpoint.h"

const char known_apart[] =
    "a checkpoint kept elsewhere is of another size, so it was not compared with this one: "
    "charter-verify consistency does that";

static bool is_signed(const struct known *known, const struct ch_note *note)
{
    for (size_t i = 0; i < known->count; i++) {
        if (ch_note_check(note->text, note->lines, &known->keys[i], NULL) == CH_NOTE_GOOD) {
            return true;
        }
    }
    return false;
}

static bool read_kept(const struct options *options, size_t place, struct ch_note *note,
                      struct ch_checkpoint *ret)
{
    const struct ch_buf *file = &options->against[place];
    return ch_checkpoint_read_note((struct ch_text){(const char *)file->ptr, file->len}, note, ret);
}

/* A checkpoint that names the log's next key, signed by one that counts and by that one. */
void known_follow(const struct options *options, struct known *known)
{
    known->count = options->key_count;
    memcpy(known->keys, options->keys, options->key_count * sizeof *known->keys);
    for (size_t i = 0; i < options->against_count; i++) {
        struct ch_note note;
        struct ch_checkpoint read;
        if (read_kept(options, i, &note, &read) && read.has_next_key && is_signed(known, &note) &&
            ch_note_check(note.text, note.lines, &read.next_key, NULL) == CH_NOTE_GOOD) {
            known->keys[known->count++] = read.next_key;
        }
    }
}

const char *known_check(const struct options *options, const struct known *known,
                        const struct ch_note *note)
{
    bool good = false;
    for (size_t i = 0; i < known->count; i++) {
        const enum ch_note_answer answer =
            ch_note_check(note->text, note->lines, &known->keys[i], NULL);
        if (answer == CH_NOTE_BAD) return "the checkpoint's signature does not verify";
        good = good || answer == CH_NOTE_GOOD;
    }
    if (!good) return "the checkpoint is not signed by a key given";
    for (size_t i = 0; i < options->witness_count; i++) {
        const enum ch_note_answer answer =
            ch_note_check(note->text, note->lines, &options->witnesses[i], NULL);
        if (answer != CH_NOTE_GOOD) return "a witness given has not cosigned the checkpoint";
    }
    return NULL;
}

const char *known_compare(const struct options *options, const struct ch_checkpoint *checkpoint,
                          size_t *ret_apart)
{
    *ret_apart = 0;
    for (size_t i = 0; i < options->against_count; i++) {
        struct ch_note note;
        struct ch_checkpoint kept;
        if (!read_kept(options, i, &note, &kept)) return "what was kept is no signed checkpoint";
        if (!ch_text_equal(kept.origin, checkpoint->origin)) {
            return "the checkpoint kept elsewhere is of another log";
        }
        if (kept.size != checkpoint->size) {
            *ret_apart += !kept.has_next_key;
        } else if (!ch_hash_equal(&kept.root, &checkpoint->root)) {
            return "the checkpoint kept elsewhere is of another log of this size";
        }
    }
    return NULL;
}
