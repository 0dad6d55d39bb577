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
