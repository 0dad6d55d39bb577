/* known: the log's keys that count: those given, and those that checkpoints given lead to.
 * SPDX-License-Identifier: MIT */
#ifndef CH_VERIFY_KNOWN_H
#define CH_VERIFY_KNOWN_H
#include "tools/verify/options.h"

struct known {
    struct ch_verifier keys[CH_VERIFY_KEYS_MOST + AGAINST_MOST];
    size_t count;
};

void known_follow(const struct options *options, struct known *known);

/* What is wrong with a checkpoint's signatures: it must be signed by one of the keys that count, by
 * nobody who says to be one and is not, and cosigned by every witness given. NULL: nothing. */
const char *known_check(const struct options *options, const struct known *known,
                        const struct ch_note *note);
#endif
