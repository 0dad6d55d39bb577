/* digest: BLAKE2b for what is not the Merkle tree: state hashes; and wiping of
 * secrets.
 * SPDX-License-Identifier: MIT
 * By libsodium. Threads: any; a struct belongs to one. */
#ifndef CH_LOG_DIGEST_H
#define CH_LOG_DIGEST_H
#include "schema/base/bytes.h"

enum { CH_DIGEST_BYTES = 32, CH_DIGEST_STATE_BYTES = 384 };

struct ch_digest {
    _Alignas(64) uint8_t state[CH_DIGEST_STATE_BYTES];
};

void ch_digest_begin(struct ch_digest *digest);
void ch_digest_add(struct ch_digest *digest, const void *ptr, size_t len);
void ch_digest_end(struct ch_digest *digest, uint8_t ret[CH_DIGEST_BYTES]);

/* Overwrites what was secret, in a way that no compiler leaves out. */
void ch_wipe(void *ptr, size_t len);
#endif
