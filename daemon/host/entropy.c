/* entropy: random bytes. SPDX-License-Identifier: MIT */
#include "daemon/host/entropy.h"
#include "schema/base/bytes.h"
#include "schema/base/check.h"
#include <sodium.h>

_Static_assert(crypto_stream_chacha20_KEYBYTES == CH_ENTROPY_SEED_BYTES, "the seed is the key");
_Static_assert(crypto_stream_chacha20_NONCEBYTES == 8, "the nonce is one counter");

enum ch_err ch_entropy_init(struct ch_entropy *entropy, const uint8_t *seed, struct ch_why *why)
{
    CH_CHECK(entropy != NULL);
    if (sodium_init() < 0) return ch_fail(why, CH_ERR_CONFIG, 0, "libsodium does not start");
    *entropy = (struct ch_entropy){.is_ready = true, .is_seeded = seed != NULL};
    if (seed != NULL) memcpy(entropy->seed, seed, sizeof entropy->seed);
    return CH_OK;
}

void ch_entropy_fill(struct ch_entropy *entropy, void *out, size_t len)
{
    CH_CHECK(entropy != NULL);
    CH_CHECK(entropy->is_ready);
    CH_CHECK(out != NULL || len == 0);
    if (len == 0) return;
    if (!entropy->is_seeded) {
        randombytes_buf(out, len);
        return;
    }
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    ch_put_le64(nonce, entropy->fills);
    entropy->fills++;
    CH_CHECK(crypto_stream_chacha20(out, len, nonce, entropy->seed) == 0);
}

void ch_entropy_deinit(struct ch_entropy *entropy)
{
    if (entropy == NULL) return;
    sodium_memzero(entropy, sizeof *entropy);
}
