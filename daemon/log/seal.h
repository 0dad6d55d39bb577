/* seal: encrypts personal data, and hashes names so that they can be compared unseen.
 * SPDX-License-Identifier: MIT
 * XChaCha20-Poly1305-IETF (libsodium). The nonce comes from the caller; used once with its key.
 * Call sodium_init before (ch_vault_open does). Threads: any. */
#ifndef CH_LOG_SEAL_H
#define CH_LOG_SEAL_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

enum {
    CH_SEAL_KEY_BYTES = 32,
    CH_SEAL_NONCE_BYTES = 24,
    CH_SEAL_TAG_BYTES = 16,
    CH_NAME_KEY_BYTES = 32,
    CH_NAME_HASH_BYTES = 16,
    CH_NAME_KEY_NUMBER = 1, /* stands in the log beside each hash, so that the key can be changed */
    CH_FINGERPRINT_KEY_BYTES = 32,
    CH_FINGERPRINT_BYTES = 8,
};

/* ret: plain.len + CH_SEAL_TAG_BYTES bytes, may not overlap plain. aad is not stored, only bound.
 */
void ch_seal(const uint8_t key[CH_SEAL_KEY_BYTES], const uint8_t nonce[CH_SEAL_NONCE_BYTES],
             struct ch_bytes aad, struct ch_bytes plain, uint8_t *ret);

/* ret:    sealed.len - CH_SEAL_TAG_BYTES bytes, may not overlap sealed; undefined on failure
 * errors: CH_ERR_SEAL_BROKEN (too short, another key, nonce or aad, or tampered with) */
CH_MUST_USE enum ch_err ch_seal_open(const uint8_t key[CH_SEAL_KEY_BYTES],
                                     const uint8_t nonce[CH_SEAL_NONCE_BYTES], struct ch_bytes aad,
                                     struct ch_bytes sealed, uint8_t *ret, struct ch_why *why);

/* The key of name hashes: BLAKE2b-256 of "charterd name hash 1" keyed with the installation's key
 * (vault slot 0). The caller keeps it in sodium_malloc'd memory. */
void ch_seal_name_key(const uint8_t installation_key[CH_SEAL_KEY_BYTES],
                      uint8_t ret[CH_NAME_KEY_BYTES]);

/* 16 bytes of BLAKE2b over (kind, name) keyed with the name key: the same name always gives the
 * same hash in one installation, and tells nothing without its vault.
 * kind: keeps the hashes of e-mails and usernames apart
 * name: already in the form that is compared (lower-cased and so on) */
void ch_seal_name_hash(const uint8_t name_key[CH_NAME_KEY_BYTES], uint8_t kind, struct ch_text name,
                       uint8_t ret[CH_NAME_HASH_BYTES]);

/* The key of fingerprints: BLAKE2b-256 of "charterd fingerprint 1" keyed with the installation's
 * key. */
void ch_seal_fingerprint_key(const uint8_t installation_key[CH_SEAL_KEY_BYTES],
                             uint8_t ret[CH_FINGERPRINT_KEY_BYTES]);

/* The fingerprint of a message, as it stands in the log: 8 bytes of BLAKE2b-128 keyed with the
 * fingerprint key. A message can hold a password, and without a key whoever has the log could try
 * passwords until the fingerprint fits. */
void ch_seal_fingerprint(const uint8_t key[CH_FINGERPRINT_KEY_BYTES], struct ch_bytes bytes,
                         uint8_t ret[CH_FINGERPRINT_BYTES]);
#endif
