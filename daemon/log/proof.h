/* proof: inclusion and consistency proofs of the Merkle tree. SPDX-License-Identifier: MIT
 * source: RFC 6962, sections 2.1.1 and 2.1.2; verification as RFC 9162, 2.1.3.2 and 2.1.4.2, which
 * asks for exactly the hashes that the definition gives.
 * Here leaves are counted from 0: the record with seq n is leaf n - 1.
 * Threads: as the hasher that is passed. */
#ifndef CH_LOG_PROOF_H
#define CH_LOG_PROOF_H
#include "daemon/log/merkle.h"

enum { CH_PROOF_MOST = 2 * CH_MERKLE_HEIGHTS };

struct ch_proof {
    uint32_t count;
    struct ch_hash hashes[CH_PROOF_MOST];
};

/* Where a proof is made from. */
struct ch_proof_source {
    struct ch_hasher *hasher;
    /* The hash of the complete subtree of 2^height leaves with this number, counted from 0. */
    enum ch_err (*node)(void *arg, unsigned height, uint64_t number, struct ch_hash *ret,
                        struct ch_why *why);
    void *arg;
};

/* The root of the first `size` leaves. errors: those of source->node */
CH_MUST_USE enum ch_err ch_proof_root(const struct ch_proof_source *source, uint64_t size,
                                      struct ch_hash *ret, struct ch_why *why);

/* What leads from leaf `index` to the root of `size` leaves. index: below size, CH_CHECKed
 * errors: those of source->node */
CH_MUST_USE enum ch_err ch_proof_inclusion(const struct ch_proof_source *source, uint64_t index,
                                           uint64_t size, struct ch_proof *ret, struct ch_why *why);

/* What shows that the tree of size1 leaves is the beginning of the one of size2.
 * size1: 1 to size2, CH_CHECKed. errors: those of source->node */
CH_MUST_USE enum ch_err ch_proof_consistency(const struct ch_proof_source *source, uint64_t size1,
                                             uint64_t size2, struct ch_proof *ret,
                                             struct ch_why *why);

/* Whether the hashes lead from the leaf to the root. */
bool ch_proof_check_inclusion(struct ch_hasher *hasher, uint64_t index, uint64_t size,
                              const struct ch_hash *leaf, const struct ch_proof *proof,
                              const struct ch_hash *root);

/* Whether the hashes show that the first tree is the beginning of the second. A first tree without
 * leaves begins every tree and proves nothing: false. */
bool ch_proof_check_consistency(struct ch_hasher *hasher, uint64_t size1, uint64_t size2,
                                const struct ch_proof *proof, const struct ch_hash *root1,
                                const struct ch_hash *root2);
#endif
