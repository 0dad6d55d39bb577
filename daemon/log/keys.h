/* keys: the log's signing key and those it had before. SPDX-License-Identifier: MIT
 * File `signing-key` in the data directory, mode 0600, text:
 *   charterd signing key 1
 *   retired VERIFIER-KEY            one line for each key it had before, the oldest first
 *   PRIVATE+KEY+NAME+ID+BASE64      type (1), then the seed
 * A new key is written to `signing-key.new` first; then the checkpoint that names it is stored,
 * signed by both; then the file is renamed. A start between the two finds out from the last
 * checkpoint which of the files counts: the new one where it is named there, or has signed it. The
 * private part of a retired key is not kept. Each file is written as NAME.part, made durable and
 * renamed: what has the name is whole.
 * Threads: one at a time. */
#ifndef CH_LOG_KEYS_H
#define CH_LOG_KEYS_H
#include "daemon/log/note.h"

enum { CH_KEYS_RETIRED_MOST = 64 };

struct ch_keys {
    struct ch_signer signer;
    struct ch_verifier retired[CH_KEYS_RETIRED_MOST]; /* the oldest first */
    size_t retired_count;
    /* The log's last checkpoint is of before the rotation to it: from there on whoever verifies
     * needs this key, too, since no checkpoint says that it follows. */
    bool unlinked;
};

struct ch_keys_options {
    const char *dir;
    struct ch_text name; /* the log's name, where a key is made; empty: made up from the key */
    const uint8_t *seed; /* CH_NOTE_SEED_BYTES random bytes, for a key that is made */
    struct ch_text last; /* the last checkpoint's note; empty: there is none */
    bool may_replace;    /* make a key although there are checkpoints by another */
};

/* Reads the key, or makes one for a log without checkpoints; completes a rotation.
 * options: borrowed for the call
 * ret:     deinit it; untouched on failure
 * errors:  CH_ERR_KEY_UNSAFE (others may read the file, or it is not ours, or damaged, which
 *          may_replace makes good);
 *          CH_ERR_KEY_WRONG (missing although there are checkpoints, or neither the key that
 *          signed the last one nor one that followed it; not with may_replace); CH_ERR_CONFIG (the
 *          key has another name); CH_ERR_FILE_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_keys_open(const struct ch_keys_options *options, struct ch_keys *ret,
                                     struct ch_why *why);
void ch_keys_deinit(struct ch_keys *keys); /* NULL and zeroed are no-ops */

/* Only the public keys, the oldest first; nothing is made or changed. A process that may not read
 * the file, or where there is none, has none.
 * ret: room for CH_KEYS_RETIRED_MOST + 1. Returns how many */
size_t ch_keys_public(const char *dir, struct ch_verifier *ret);

/* Makes the key that follows, durable in `signing-key.new`; the one there is stays in use. If its
 * file still has that name, it gets its own first.
 * ret:    deinit it; untouched on failure
 * errors: CH_ERR_KEY_WRONG (too many retired keys), CH_ERR_FILE_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_keys_prepare(const char *dir, const struct ch_keys *keys,
                                        const uint8_t seed[CH_NOTE_SEED_BYTES], struct ch_keys *ret,
                                        struct ch_why *why);

/* After the checkpoint that names the prepared key is durable: its file takes the old one's place.
 * If that fails, the next start does it. Does not wait for the disk. errors: CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err ch_keys_settle(const char *dir, struct ch_why *why);
/* Drops a prepared key whose checkpoint was not stored. */
void ch_keys_drop(const char *dir);
#endif
