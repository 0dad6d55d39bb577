/* merkle: see merkle.h. SPDX-License-Identifier: MIT */
#include "daemon/log/merkle.h"

#include "schema/base/check.h"

enum { LEAF_PREFIX = 0x00, NODE_PREFIX = 0x01 };

void ch_merkle_leaf(struct ch_hasher *hasher, struct ch_bytes record, struct ch_hash *ret)
{
    ch_hasher_sum_prefixed(hasher, LEAF_PREFIX, record, ret);
}

void ch_merkle_node(struct ch_hasher *hasher, const struct ch_hash *left,
                    const struct ch_hash *right, struct ch_hash *ret)
{
    uint8_t both[2 * CH_HASH_BYTES];
    memcpy(both, left->bytes, CH_HASH_BYTES);
    memcpy(both + CH_HASH_BYTES, right->bytes, CH_HASH_BYTES);
    ch_hasher_sum_prefixed(hasher, NODE_PREFIX, (struct ch_bytes){.ptr = both, .len = sizeof both},
                           ret);
}

void ch_merkle_push(struct ch_merkle_range *range, struct ch_hasher *hasher,
                    const struct ch_hash *leaf, ch_merkle_node_fn *on_node, void *arg)
{
    ch_merkle_push_subtree(range, hasher, 0, leaf, on_node, arg);
}

void ch_merkle_push_subtree(struct ch_merkle_range *range, struct ch_hasher *hasher,
                            unsigned height, const struct ch_hash *hash, ch_merkle_node_fn *on_node,
                            void *arg)
{
    CH_CHECK(height < CH_MERKLE_HEIGHTS);
    uint64_t leaves = UINT64_C(1) << height;
    CH_CHECK(range->size % leaves == 0);
    struct ch_hash now = *hash;
    if (on_node != NULL) on_node(arg, height, &now);
    unsigned at = height;
    for (; (range->size >> at & 1) != 0; at++) {
        ch_merkle_node(hasher, &range->peaks[at], &now, &now);
        if (on_node != NULL) on_node(arg, at + 1, &now);
    }
    CH_CHECK(at < CH_MERKLE_HEIGHTS);
    range->peaks[at] = now;
    range->size += leaves;
}

void ch_merkle_root(const struct ch_merkle_range *range, struct ch_hasher *hasher,
                    struct ch_hash *ret)
{
    if (range->size == 0) {
        ch_hasher_sum(hasher, (struct ch_bytes){0}, ret);
        return;
    }
    /* From the smallest peak, which is the rightmost, to the largest. */
    unsigned at = 0;
    while ((range->size >> at & 1) == 0) {
        at++;
    }
    struct ch_hash now = range->peaks[at];
    for (at++; at < CH_MERKLE_HEIGHTS; at++) {
        if ((range->size >> at & 1) == 0) continue;
        ch_merkle_node(hasher, &range->peaks[at], &now, &now);
    }
    *ret = now;
}

void ch_merkle_copy(struct ch_merkle_range *ret, const struct ch_merkle_range *from)
{
    ret->size = from->size;
    for (unsigned at = 0; at < CH_MERKLE_HEIGHTS; at++) {
        if ((from->size >> at & 1) != 0) ret->peaks[at] = from->peaks[at];
    }
}
