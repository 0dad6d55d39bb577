/* digest: see digest.h. SPDX-License-Identifier: MIT */
#include "daemon/log/digest.h"

#include <sodium.h>

_Static_assert(sizeof(crypto_generichash_state) <= CH_DIGEST_STATE_BYTES, "the state fits");

static crypto_generichash_state *state_of(struct ch_digest *digest)
{
    return (crypto_generichash_state *)(void *)digest->state;
}

void ch_digest_begin(struct ch_digest *digest)
{
    (void)crypto_generichash_init(state_of(digest), NULL, 0, CH_DIGEST_BYTES);
}

void ch_digest_add(struct ch_digest *digest, const void *ptr, size_t len)
{
    (void)crypto_generichash_update(state_of(digest), ptr, len);
}

void ch_digest_end(struct ch_digest *digest, uint8_t ret[CH_DIGEST_BYTES])
{
    (void)crypto_generichash_final(state_of(digest), ret, CH_DIGEST_BYTES);
}

void ch_wipe(void *ptr, size_t len)
{
    sodium_memzero(ptr, len);
}
