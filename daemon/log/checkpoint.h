/* checkpoint: the text of a signed tree head. SPDX-License-Identifier: MIT
 * source: C2SP tlog-checkpoint. Lines: the log's name (origin), the size, the root in base 64, then
 * charterd's own:
 *   charterd-state DUMP-VERSION SEQ BASE64   the hash of the state behind event SEQ <= size
 *   charterd-next-key VERIFIER-KEY           the log signs with this key from here on; such a
 *                                            checkpoint is signed by the key before and by this one
 * Other lines are passed over, as the form asks. */
#ifndef CH_LOG_CHECKPOINT_H
#define CH_LOG_CHECKPOINT_H
#include "daemon/log/hasher.h"
#include "daemon/log/note.h"

enum { CH_CHECKPOINT_STATE_BYTES = 32 };

struct ch_checkpoint {
    struct ch_text origin; /* views of what it was read from */
    uint64_t size;         /* events; the seq of the last */
    struct ch_hash root;
    bool has_state;
    uint32_t dump_version;
    uint64_t state_seq;
    uint8_t state_hash[CH_CHECKPOINT_STATE_BYTES];
    bool has_next_key;
    struct ch_verifier next_key;
};

/* Appends the text that is signed. */
void ch_checkpoint_put(struct ch_buf *out, const struct ch_checkpoint *checkpoint);

/* Reads a note's text. False for what is no checkpoint, or holds a line of ours in another form. */
bool ch_checkpoint_read(struct ch_text text, struct ch_checkpoint *ret);

/* Reads a whole note: its parts and its checkpoint. */
bool ch_checkpoint_read_note(struct ch_text whole, struct ch_note *note, struct ch_checkpoint *ret);

/* A whole number in its one decimal form, up to 2^63 - 1. */
bool ch_decimal_read(struct ch_text text, uint64_t *ret);
#endif
