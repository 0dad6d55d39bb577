/* secret: the texts of keys, tokens and sessions. SPDX-License-Identifier: MIT
 * A secret has 256 random bits, so its plain hash tells nobody what it is. */
#ifndef CH_LOG_SECRET_H
#define CH_LOG_SECRET_H
#include "schema/base/err.h"
#include "schema/records.h"

enum { CH_SECRET_RANDOM_BYTES = 32, CH_SECRET_TEXT_BYTES = 64, CH_SECRET_HASH_BYTES = 32 };

/* BLAKE2b-256 of the text, as it stands in the log. */
void ch_secret_hash(struct ch_text text, uint8_t ret[CH_SECRET_HASH_BYTES]);

/* The text of a secret: a prefix that says its sort (chk_ key, cht_ token, chs_ session), then the
 * random bytes in base64url. Returns its length; out is NUL-terminated. */
size_t ch_secret_write(enum ch_mint sort, const uint8_t random[CH_SECRET_RANDOM_BYTES],
                       char out[CH_SECRET_TEXT_BYTES]);
/* Seals a token to the mailer: libsodium's crypto_box_seal with the ephemeral key pair made of
 * `random`, so that crypto_box_seal_open opens it and nothing but entropy is a source of chance.
 * ret: text.len + CH_TOKEN_SEAL_BYTES bytes. False: the public key is none. */
enum { CH_MAILER_KEY_BYTES = 32, CH_TOKEN_SEAL_BYTES = 48 };
CH_MUST_USE bool ch_secret_seal(const uint8_t mailer_key[CH_MAILER_KEY_BYTES],
                                const uint8_t random[CH_SECRET_RANDOM_BYTES], struct ch_text text,
                                uint8_t *ret);
#endif
