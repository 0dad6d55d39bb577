/* known: the log's keys that count: those given, and those that checkpoints given lead to.
 * SPDX-License-Identifier: MIT */
#ifndef CH_VERIFY_KNOWN_H
#define CH_VERIFY_KNOWN_H
#include "tools/verify/options.h"

struct ch_checkpoint;

struct known {
    struct ch_verifier keys[CH_VERIFY_KEYS_MOST + AGAINST_MOST];
    size_t count;
};

void known_follow(const struct options *options, struct known *known);

/* What is wrong with a checkpoint's signatures: it must be signed by one of the keys that count, by
 * nobody who says to be one and is not, and cosigned by every witness given. NULL: nothing. */
const char *known_check(const struct options *options, const struct known *known,
                        const struct ch_note *note);

/* What is wrong with a checkpoint by those that were kept elsewhere: each must be one, and of this
 * log, and one of the same size has the same root. NULL: nothing.
 * ret_apart: how many are of another size, which takes a consistency proof to compare, and lead to
 *            no key either */
const char *known_compare(const struct options *options, const struct ch_checkpoint *checkpoint,
                          size_t *ret_apart);
extern const char known_apart[]; /* what is to be said of these */
#endif
