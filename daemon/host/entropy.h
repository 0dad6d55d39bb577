/* entropy: random bytes. SPDX-License-Identifier: MIT
 * From the kernel through libsodium; or, for tests and simulation, a stream that is the same for
 * the same seed: the n-th fill is ChaCha20 under the seed with nonce n, so it does not depend on
 * the processor or on how libsodium was built. Threads: one struct belongs to one. */
#ifndef CH_HOST_ENTROPY_H
#define CH_HOST_ENTROPY_H
#include "schema/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CH_ENTROPY_SEED_BYTES = 32 };

struct ch_entropy {
    bool is_ready;
    bool is_seeded;
    uint8_t seed[CH_ENTROPY_SEED_BYTES];
    uint64_t fills; /* of a seeded stream */
};

/* Makes `entropy` ready.
 * seed:   CH_ENTROPY_SEED_BYTES, copied, for a stream that can be repeated; NULL: unpredictable
 * errors: CH_ERR_CONFIG (libsodium does not start) */
CH_MUST_USE enum ch_err ch_entropy_init(struct ch_entropy *entropy, const uint8_t *seed,
                                        struct ch_why *why);

/* Fills `out` with `len` bytes; cannot fail. */
void ch_entropy_fill(struct ch_entropy *entropy, void *out, size_t len);

void ch_entropy_deinit(struct ch_entropy *entropy); /* clears the seed; NULL and zeroed: no-ops */
#endif
