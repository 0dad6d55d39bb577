/* digest: BLAKE2b for what is not the Merkle tree: state hashes; and wiping of
 * secrets.
 * SPDX-License-Identifier: MIT
 * The first half of BLAKE2b-512, by libcrypto: hundreds of megabytes are hashed at a time, and its
 * plain C was measured at twice the rate of libsodium's AVX2 on an EPYC (1.2 and 0.63 GB/s).
 * Threads: any; a struct belongs to one at a time. */
#ifndef CH_LOG_DIGEST_H
#define CH_LOG_DIGEST_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

enum { CH_DIGEST_BYTES = 32 };

struct evp_md_ctx_st;

struct ch_digest {
    struct evp_md_ctx_st *context; /* owned from begin until end or drop; NULL: none */
    bool failed;                   /* without memory; told at the end */
};

void ch_digest_begin(struct ch_digest *digest);
void ch_digest_add(struct ch_digest *digest, const void *ptr, size_t len);
/* errors: CH_ERR_NO_MEMORY; the digest is gone either way */
CH_MUST_USE enum ch_err ch_digest_end(struct ch_digest *digest, uint8_t ret[CH_DIGEST_BYTES],
                                      struct ch_why *why);
/* Of one that is not wanted any more. NULL, zeroed and ended ones are fine. */
void ch_digest_drop(struct ch_digest *digest);

/* Overwrites what was secret, in a way that no compiler leaves out. */
void ch_wipe(void *ptr, size_t len);
#endif
