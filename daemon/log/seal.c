/* seal: see seal.h. SPDX-License-Identifier: MIT */
#include "daemon/log/seal.h"

#include "schema/base/check.h"

#include <sodium.h>

_Static_assert((int)CH_SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert((int)CH_SEAL_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert((int)CH_SEAL_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert((int)CH_NAME_HASH_BYTES == crypto_generichash_BYTES_MIN, "name hash");

void ch_seal(const uint8_t key[CH_SEAL_KEY_BYTES], const uint8_t nonce[CH_SEAL_NONCE_BYTES],
             struct ch_bytes aad, struct ch_bytes plain, uint8_t *ret)
{
    unsigned long long len = 0;
    int code = crypto_aead_xchacha20poly1305_ietf_encrypt(ret, &len, plain.ptr, plain.len, aad.ptr,
                                                          aad.len, NULL, nonce, key);
    CH_CHECK(code == 0);
    CH_CHECK(len == plain.len + CH_SEAL_TAG_BYTES);
}

enum ch_err ch_seal_open(const uint8_t key[CH_SEAL_KEY_BYTES],
                         const uint8_t nonce[CH_SEAL_NONCE_BYTES], struct ch_bytes aad,
                         struct ch_bytes sealed, uint8_t *ret, struct ch_why *why)
{
    if (sealed.len < CH_SEAL_TAG_BYTES) {
        return ch_fail(why, CH_ERR_SEAL_BROKEN, 0, "sealed data of only %zu bytes", sealed.len);
    }
    int code = crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, sealed.ptr, sealed.len,
                                                          aad.ptr, aad.len, nonce, key);
    if (code != 0) {
        return ch_fail(why, CH_ERR_SEAL_BROKEN, 0, "%zu bytes of sealed data do not open",
                       sealed.len);
    }
    return CH_OK;
}

/* A key for one purpose, made of the installation's. */
static void derive(const uint8_t installation_key[CH_SEAL_KEY_BYTES], const char *label,
                   uint8_t ret[CH_SEAL_KEY_BYTES])
{
    int code = crypto_generichash(ret, CH_SEAL_KEY_BYTES, (const uint8_t *)label, strlen(label),
                                  installation_key, CH_SEAL_KEY_BYTES);
    CH_CHECK(code == 0);
}

void ch_seal_name_key(const uint8_t installation_key[CH_SEAL_KEY_BYTES],
                      uint8_t ret[CH_NAME_KEY_BYTES])
{
    derive(installation_key, "charterd name hash 1", ret);
}

void ch_seal_fingerprint_key(const uint8_t installation_key[CH_SEAL_KEY_BYTES],
                             uint8_t ret[CH_FINGERPRINT_KEY_BYTES])
{
    derive(installation_key, "charterd fingerprint 1", ret);
}

void ch_seal_fingerprint(const uint8_t key[CH_FINGERPRINT_KEY_BYTES], struct ch_bytes bytes,
                         uint8_t ret[CH_FINGERPRINT_BYTES])
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    int code =
        crypto_generichash(hash, sizeof hash, bytes.ptr, bytes.len, key, CH_FINGERPRINT_KEY_BYTES);
    CH_CHECK(code == 0);
    memcpy(ret, hash, CH_FINGERPRINT_BYTES);
}

void ch_seal_name_hash(const uint8_t name_key[CH_NAME_KEY_BYTES], uint8_t kind, struct ch_text name,
                       uint8_t ret[CH_NAME_HASH_BYTES])
{
    crypto_generichash_state state;
    CH_CHECK(crypto_generichash_init(&state, name_key, CH_NAME_KEY_BYTES, CH_NAME_HASH_BYTES) == 0);
    CH_CHECK(crypto_generichash_update(&state, &kind, 1) == 0);
    CH_CHECK(crypto_generichash_update(&state, (const uint8_t *)name.ptr, name.len) == 0);
    CH_CHECK(crypto_generichash_final(&state, ret, CH_NAME_HASH_BYTES) == 0);
    sodium_memzero(&state, sizeof state); /* it starts from the key */
}
