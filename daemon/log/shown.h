/* shown: secrets that were shown lately, for messages that are sent again. SPDX-License-Identifier:
 * MIT
 * A secret is shown once; the log has its hash only. But an answer can be lost on its way, and the
 * same message then comes again. So the last few are kept, in locked memory, never in a file; what
 * is older is gone. Threads: the loop's. */
#ifndef CH_LOG_SHOWN_H
#define CH_LOG_SHOWN_H
#include "schema/base/bytes.h"

struct ch_shown; /* opaque */

/* Whose: the actor's kind and id, the message's id and the place of the call in it. */
struct ch_shown_key {
    uint64_t actor_id;
    uint32_t actor_kind;
    uint32_t call;
    uint8_t id[16];
};

struct ch_shown *ch_shown_create(void);        /* NULL when out of memory */
void ch_shown_destroy(struct ch_shown *shown); /* wipes it; NULL is a no-op */

/* Keeps a secret in place of the oldest, or of one with the same key. */
void ch_shown_put(struct ch_shown *shown, const struct ch_shown_key *key, struct ch_text secret);
/* The secret, borrowed until the next put; empty: it is gone. */
struct ch_text ch_shown_find(const struct ch_shown *shown, const struct ch_shown_key *key);
#endif
