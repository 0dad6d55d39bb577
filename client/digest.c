/* digest: BLAKE2b-256 of a growing text, for imports. SPDX-License-Identifier: MIT */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/include/charter/charter.h"

struct charter_digest {
    crypto_generichash_state *state; /* aligned as libsodium wants it */
};

struct charter_digest *charter_digest_create(void)
{
    if (sodium_init() < 0) return NULL;
    struct charter_digest *digest = calloc(1, sizeof *digest);
    if (digest == NULL) return NULL;
    digest->state = aligned_alloc(64, (crypto_generichash_statebytes() + 63) / 64 * 64);
    if (digest->state == NULL) {
        free(digest);
        return NULL;
    }
    charter_digest_reset(digest);
    return digest;
}

void charter_digest_destroy(struct charter_digest *digest)
{
    if (digest == NULL) return;
    free(digest->state);
    free(digest);
}

void charter_digest_reset(struct charter_digest *digest)
{
    (void)crypto_generichash_init(digest->state, NULL, 0, CHARTER_DIGEST_BYTES);
}

void charter_digest_add(struct charter_digest *digest, const void *ptr, size_t len)
{
    (void)crypto_generichash_update(digest->state, ptr, len);
}

void charter_digest_value(const struct charter_digest *digest, uint8_t out[CHARTER_DIGEST_BYTES])
{
    crypto_generichash_state state = *digest->state; /* final ends a state, so of a copy */
    (void)crypto_generichash_final(&state, out, CHARTER_DIGEST_BYTES);
}
