/* known: what is known of a log from elsewhere. SPDX-License-Identifier: MIT
 * Checkpoints that were kept, and data directories: of these the head file (what was acknowledged)
 * and all checkpoints. A log that is to be theirs must reach them and go on from them. */
#ifndef CH_KEEP_KNOWN_H
#define CH_KEEP_KNOWN_H
#include "daemon/log/head.h"
#include "tools/keep/options.h"

enum { KNOWN_MOST = 2 * AGAINST_MOST };

struct known_history;

struct known {
    struct ch_buf files[AGAINST_MOST];
    /* Views of the files, the notes that are checkpoints; the sizes they name, and of whom. */
    struct ch_text notes[KNOWN_MOST];
    uint64_t note_sizes[KNOWN_MOST];
    const char *note_from[KNOWN_MOST];
    size_t note_count;
    struct ch_text forgotten[KNOWN_MOST]; /* notes, too: of them only the log's name is compared */
    const char *forgotten_from[KNOWN_MOST];
    size_t forgotten_count;
    struct ch_log_end heads[AGAINST_MOST];
    const char *head_from[AGAINST_MOST];
    size_t head_count;
    struct known_history *histories[AGAINST_MOST]; /* of directories */
    const char *history_from[AGAINST_MOST];
    size_t history_count;
};

/* Reads all that options->against names. False: told on standard error; deinit it in any case. */
bool known_read(const struct options *options, struct known *ret);
void known_deinit(struct known *known);

/* Who knows of more than `size` records, and of how many; NULL: nobody. */
const char *known_beyond(const struct known *known, uint64_t size, uint64_t *ret_size);
/* Forgets the notes that are beyond it, but for whose they are. */
void known_forget(struct known *known, uint64_t size);
/* Whose forgotten note is of a log with another name; NULL: none is. */
const char *known_other(const struct known *known, struct ch_text name);
/* What directories say that their logs had, but of no more than `size` records. ret: free it
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err known_ends(const struct known *known, uint64_t size,
                                   struct ch_log_end **ret, size_t *ret_count, struct ch_why *why);
/* Who says something of just `size` records, and how many they know of; NULL: nobody. */
const char *known_of(const struct known *known, uint64_t size, uint64_t *ret_knows);
#endif
