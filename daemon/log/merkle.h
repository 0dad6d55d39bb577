/* merkle: the tree of RFC 6962 over the records, as a compact range. SPDX-License-Identifier: MIT
 * source: RFC 6962, section 2.1: leaf = SHA-256(0x00, record), node = SHA-256(0x01, left, right),
 * the left side of a node is the largest power of two that is smaller than the node's size.
 * A compact range is what is needed to go on: one hash for each bit that is set in the size.
 * Threads: as the hasher that is passed. */
#ifndef CH_LOG_MERKLE_H
#define CH_LOG_MERKLE_H
#include "daemon/log/hasher.h"

enum { CH_MERKLE_HEIGHTS = 57 }; /* sizes below 2^56; seqs are below 2^53 */

/* A zeroed range is the empty tree. */
struct ch_merkle_range {
    uint64_t size;                           /* leaves */
    struct ch_hash peaks[CH_MERKLE_HEIGHTS]; /* [h] is set where bit h of size is set */
};

void ch_merkle_leaf(struct ch_hasher *hasher, struct ch_bytes record, struct ch_hash *ret);
void ch_merkle_node(struct ch_hasher *hasher, const struct ch_hash *left,
                    const struct ch_hash *right, struct ch_hash *ret);

/* Told of every complete subtree that a push finished, the leaf first: its height and its hash. */
typedef void ch_merkle_node_fn(void *arg, unsigned height, const struct ch_hash *hash);

/* Appends one leaf hash. on_node may be NULL. */
void ch_merkle_push(struct ch_merkle_range *range, struct ch_hasher *hasher,
                    const struct ch_hash *leaf, ch_merkle_node_fn *on_node, void *arg);

/* Appends a complete subtree of 2^height leaves; size must be a multiple of that. */
void ch_merkle_push_subtree(struct ch_merkle_range *range, struct ch_hasher *hasher,
                            unsigned height, const struct ch_hash *hash, ch_merkle_node_fn *on_node,
                            void *arg);

/* The root; of the empty tree SHA-256 of nothing. One hash for each bit set in size, less one. */
void ch_merkle_root(const struct ch_merkle_range *range, struct ch_hasher *hasher,
                    struct ch_hash *ret);

/* Copies only what is set. */
void ch_merkle_copy(struct ch_merkle_range *ret, const struct ch_merkle_range *from);
#endif
