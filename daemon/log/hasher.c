/* hasher: see hasher.h. SPDX-License-Identifier: MIT */
#include "daemon/log/hasher.h"

#include "schema/base/check.h"

#include <openssl/evp.h>

enum ch_err ch_hasher_init(struct ch_hasher *hasher, struct ch_why *why)
{
    struct ch_hasher made = {.method = EVP_MD_fetch(NULL, "SHA256", NULL),
                             .context = EVP_MD_CTX_new()};
    if (made.method == NULL || made.context == NULL ||
        EVP_DigestInit_ex2(made.context, made.method, NULL) != 1) {
        ch_hasher_deinit(&made);
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "SHA-256 of libcrypto");
    }
    *hasher = made;
    return CH_OK;
}

void ch_hasher_deinit(struct ch_hasher *hasher)
{
    if (hasher == NULL) return;
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->method);
    *hasher = (struct ch_hasher){0};
}

static void finish(struct ch_hasher *hasher, const uint8_t *head, size_t head_len,
                   struct ch_bytes rest, struct ch_hash *ret)
{
    unsigned len = 0;
    /* A context that has its method takes NULL: no fetch, no allocation, so nothing can fail. */
    CH_CHECK(EVP_DigestInit_ex2(hasher->context, NULL, NULL) == 1);
    if (head_len > 0) CH_CHECK(EVP_DigestUpdate(hasher->context, head, head_len) == 1);
    if (rest.len > 0) CH_CHECK(EVP_DigestUpdate(hasher->context, rest.ptr, rest.len) == 1);
    CH_CHECK(EVP_DigestFinal_ex(hasher->context, ret->bytes, &len) == 1);
    CH_CHECK(len == CH_HASH_BYTES);
}

void ch_hasher_sum(struct ch_hasher *hasher, struct ch_bytes bytes, struct ch_hash *ret)
{
    finish(hasher, NULL, 0, bytes, ret);
}

void ch_hasher_sum_prefixed(struct ch_hasher *hasher, uint8_t prefix, struct ch_bytes bytes,
                            struct ch_hash *ret)
{
    /* One update of a copy is cheaper than one of a byte and one of the rest, up to some hundred.
     */
    uint8_t joined[512];
    joined[0] = prefix;
    size_t room = sizeof joined - 1;
    size_t first = bytes.len < room ? bytes.len : room;
    if (first > 0) memcpy(joined + 1, bytes.ptr, first);
    struct ch_bytes rest = {.ptr = bytes.ptr + first, .len = bytes.len - first};
    finish(hasher, joined, first + 1, rest, ret);
}
