/* hasher: SHA-256 of libcrypto, made ready once and used many times. SPDX-License-Identifier: MIT
 * libcrypto and not libsodium, because it uses the processor's SHA instructions; its plain
 * functions and not EVP, which in OpenSSL 3 frees and allocates a context with each hash: that
 * takes a fifth of the time of a small record, and could fail in the middle of a commit.
 * Threads: one hasher belongs to one thread at a time. */
#ifndef CH_LOG_HASHER_H
#define CH_LOG_HASHER_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

enum { CH_HASH_BYTES = 32 };

struct ch_hash {
    uint8_t bytes[CH_HASH_BYTES];
};

static inline bool ch_hash_equal(const struct ch_hash *a, const struct ch_hash *b)
{
    return memcmp(a->bytes, b->bytes, CH_HASH_BYTES) == 0;
}

struct SHA256state_st;

struct ch_hasher {
    struct SHA256state_st *context;
};

/* hasher: the caller's memory; deinit it. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_hasher_init(struct ch_hasher *hasher, struct ch_why *why);
void ch_hasher_deinit(struct ch_hasher *hasher); /* NULL and zeroed are no-ops */

/* SHA-256(bytes). */
void ch_hasher_sum(struct ch_hasher *hasher, struct ch_bytes bytes, struct ch_hash *ret);

/* SHA-256(prefix byte, then bytes). */
void ch_hasher_sum_prefixed(struct ch_hasher *hasher, uint8_t prefix, struct ch_bytes bytes,
                            struct ch_hash *ret);
#endif
