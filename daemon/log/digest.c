/* digest: see digest.h. SPDX-License-Identifier: MIT */
#include "daemon/log/digest.h"

#include <openssl/evp.h>
#include <sodium.h>

enum { BLAKE2B_BYTES = 64 };

void ch_digest_begin(struct ch_digest *digest)
{
    digest->context = EVP_MD_CTX_new();
    digest->failed =
        digest->context == NULL || EVP_DigestInit_ex(digest->context, EVP_blake2b512(), NULL) != 1;
}

void ch_digest_add(struct ch_digest *digest, const void *ptr, size_t len)
{
    if (digest->failed || len == 0) return;
    digest->failed = EVP_DigestUpdate(digest->context, ptr, len) != 1;
}

enum ch_err ch_digest_end(struct ch_digest *digest, uint8_t ret[CH_DIGEST_BYTES],
                          struct ch_why *why)
{
    uint8_t whole[BLAKE2B_BYTES];
    if (!digest->failed) digest->failed = EVP_DigestFinal_ex(digest->context, whole, NULL) != 1;
    const bool failed = digest->failed;
    ch_digest_drop(digest);
    if (failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "BLAKE2b of libcrypto");
    memcpy(ret, whole, CH_DIGEST_BYTES);
    return CH_OK;
}

void ch_digest_drop(struct ch_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    *digest = (struct ch_digest){.failed = true};
}

void ch_wipe(void *ptr, size_t len)
{
    sodium_memzero(ptr, len);
}
