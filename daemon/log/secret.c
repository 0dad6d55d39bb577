/* secret: see secret.h. SPDX-License-Identifier: MIT */
#include "daemon/log/secret.h"

#include <sodium.h>

#include "schema/base/check.h"

void ch_secret_hash(struct ch_text text, uint8_t ret[CH_SECRET_HASH_BYTES])
{
    (void)crypto_generichash(ret, CH_SECRET_HASH_BYTES, (const uint8_t *)text.ptr, text.len, NULL,
                             0);
}

size_t ch_secret_write(enum ch_mint sort, const uint8_t random[CH_SECRET_RANDOM_BYTES],
                       char out[CH_SECRET_TEXT_BYTES])
{
    static const char prefixes[][5] = {"", "cht_", "chk_", "chs_"};
    CH_CHECK(sort > CH_MINT_nothing && (size_t)sort < sizeof prefixes / sizeof *prefixes);
    memcpy(out, prefixes[sort], 4);
    (void)sodium_bin2base64(out + 4, CH_SECRET_TEXT_BYTES - 4, random, CH_SECRET_RANDOM_BYTES,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return strlen(out);
}

_Static_assert((int)CH_MAILER_KEY_BYTES == crypto_box_PUBLICKEYBYTES, "mailer key");
_Static_assert((int)CH_TOKEN_SEAL_BYTES == crypto_box_SEALBYTES, "seal");
_Static_assert((int)CH_SECRET_RANDOM_BYTES == crypto_box_SEEDBYTES, "seed");

bool ch_secret_seal(const uint8_t mailer_key[CH_MAILER_KEY_BYTES],
                    const uint8_t random[CH_SECRET_RANDOM_BYTES], struct ch_text text, uint8_t *ret)
{
    uint8_t own_secret[crypto_box_SECRETKEYBYTES];
    uint8_t nonce[crypto_box_NONCEBYTES];
    uint8_t *own_public = ret; /* it stands before the box */
    crypto_generichash_state state;
    (void)crypto_box_seed_keypair(own_public, own_secret, random);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof nonce);
    (void)crypto_generichash_update(&state, own_public, crypto_box_PUBLICKEYBYTES);
    (void)crypto_generichash_update(&state, mailer_key, crypto_box_PUBLICKEYBYTES);
    (void)crypto_generichash_final(&state, nonce, sizeof nonce);
    const bool good = crypto_box_easy(ret + crypto_box_PUBLICKEYBYTES, (const uint8_t *)text.ptr,
                                      text.len, nonce, mailer_key, own_secret) == 0;
    sodium_memzero(own_secret, sizeof own_secret);
    return good;
}
