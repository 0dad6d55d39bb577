/* words: the text of a scenario as words, values and msgpack. SPDX-License-Identifier: MIT
 * Views point into the line, or into the arena. */
#ifndef CH_SCENARIO_WORDS_H
#define CH_SCENARIO_WORDS_H
#include "schema/base/arena.h"
#include "schema/base/buf.h"

/* The seqs that `label` lines remember, and the texts of `token` lines; $name stands for one. */
struct label {
    char name[32];
    char text[96]; /* empty: a seq */
    uint64_t seq;
};
struct labels {
    struct label all[64];
    size_t count;
};
bool labels_set(struct labels *labels, struct ch_text name, uint64_t seq);
bool labels_set_text(struct labels *labels, struct ch_text name, struct ch_text text);
/* The text of $name; false if it is something else. */
bool word_remembered(const struct labels *labels, struct ch_text raw, struct ch_text *ret);

/* The next word: up to a blank that is not inside quotes; empty at the end. */
struct ch_text word_next(struct ch_text *line);

/* Whether the line starts with this word, which is then taken off. */
bool word_is(struct ch_text *line, const char *word);

struct ch_text text_trim(struct ch_text text);
/* Cuts off what stands before `mark` outside quotes, and gives it; all of it if there is no mark.
 */
struct ch_text text_cut(struct ch_text *text, const char *mark);

/* A value without its quotes: "a b", "\xff", "a"*129, or as it stands. */
struct ch_text word_value(struct ch_text raw, struct ch_arena *arena);

/* A whole number, or $label; false for anything else. */
bool word_number(const struct labels *labels, struct ch_text raw, uint64_t *ret);

/* Appends the msgpack of {"key": value, ...}, [value, ...], "text", h'00ff' (bytes), 12, -1, 1.5,
 * true, false, nil. Takes it off `text`; false if it is something else. */
bool word_msgpack(struct ch_text *text, struct ch_arena *arena, struct ch_buf *buf);
#endif
