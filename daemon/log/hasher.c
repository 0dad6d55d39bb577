/* hasher: see hasher.h. SPDX-License-Identifier: MIT */
#include "daemon/log/hasher.h"

#include "schema/base/check.h"

#include <stdlib.h>

/* The plain functions are marked as old from 3.0 on; they stay as long as libcrypto.so.3 does. */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

enum ch_err ch_hasher_init(struct ch_hasher *hasher, struct ch_why *why)
{
    const struct ch_hasher made = {.context = calloc(1, sizeof *made.context)};
    if (made.context == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "SHA-256 of libcrypto");
    *hasher = made;
    return CH_OK;
}

void ch_hasher_deinit(struct ch_hasher *hasher)
{
    if (hasher == NULL) return;
    free(hasher->context);
    *hasher = (struct ch_hasher){0};
}

static void finish(struct ch_hasher *hasher, const uint8_t *head, size_t head_len,
                   struct ch_bytes rest, struct ch_hash *ret)
{
    CH_CHECK(SHA256_Init(hasher->context) == 1);
    if (head_len > 0) CH_CHECK(SHA256_Update(hasher->context, head, head_len) == 1);
    if (rest.len > 0) CH_CHECK(SHA256_Update(hasher->context, rest.ptr, rest.len) == 1);
    CH_CHECK(SHA256_Final(ret->bytes, hasher->context) == 1);
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
