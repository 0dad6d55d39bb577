/* known: what is known of a log from elsewhere. SPDX-License-Identifier: MIT
 * Checkpoints that were kept, and data directories: of these the head file (what was acknowledged)
 * and the newest checkpoint. A log that is to be theirs must reach them and go on from them. */
#ifndef CH_KEEP_KNOWN_H
#define CH_KEEP_KNOWN_H
#include "daemon/log/head.h"
#include "tools/keep/options.h"

enum { KNOWN_MOST = 2 * AGAINST_MOST };

struct known {
    struct ch_buf files[AGAINST_MOST];
    /* Views of the files, the notes that are checkpoints; the sizes they name, and of whom. */
    struct ch_text notes[KNOWN_MOST];
    uint64_t note_sizes[KNOWN_MOST];
    const char *note_from[KNOWN_MOST];
    size_t note_count;
    struct ch_log_end heads[AGAINST_MOST];
    const char *head_from[AGAINST_MOST];
    size_t head_count;
};

/* Reads all that options->against names. False: told on standard error; deinit it in any case. */
bool known_read(const struct options *options, struct known *ret);
void known_deinit(struct known *known);

/* Who knows of more than `size` records, and of how many; NULL: nobody. */
const char *known_beyond(const struct known *known, uint64_t size, uint64_t *ret_size);
/* Forgets all that is beyond it. */
void known_forget(struct known *known, uint64_t size);
#endif
