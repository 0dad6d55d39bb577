/* proof: see proof.h. SPDX-License-Identifier: MIT */
#include "daemon/log/proof.h"

#include "schema/base/check.h"

/* The largest power of two that is smaller than n, as a height. n: at least 2 */
static unsigned split_height(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n - 1);
}

/* The hash of leaves [low, high), a subtree of the definition: low is a multiple of a power of two
 * that is no smaller than what it holds. From its smallest complete subtree to its largest. */
static enum ch_err range_hash(const struct ch_proof_source *source, uint64_t low, uint64_t high,
                              struct ch_hash *ret, struct ch_why *why)
{
    struct ch_hash now = {{0}};
    bool begun = false;
    uint64_t end = high;
    while (end > low) {
        const unsigned height = (unsigned)__builtin_ctzll(end - low);
        struct ch_hash left;
        end -= UINT64_C(1) << height;
        enum ch_err err = source->node(source->arg, height, end >> height, &left, why);
        if (err != CH_OK) return err;
        if (begun) {
            ch_merkle_node(source->hasher, &left, &now, &now);
        } else {
            now = left;
        }
        begun = true;
    }
    CH_CHECK(begun);
    *ret = now;
    return CH_OK;
}

enum ch_err ch_proof_root(const struct ch_proof_source *source, uint64_t size, struct ch_hash *ret,
                          struct ch_why *why)
{
    if (size > 0) return range_hash(source, 0, size, ret, why);
    ch_hasher_sum(source->hasher, (struct ch_bytes){0}, ret);
    return CH_OK;
}

/* Proofs are found from the root down and stand from the leaf up. */
static void turn_round(struct ch_proof *proof)
{
    for (uint32_t i = 0; i < proof->count / 2; i++) {
        const struct ch_hash other = proof->hashes[i];
        proof->hashes[i] = proof->hashes[proof->count - 1 - i];
        proof->hashes[proof->count - 1 - i] = other;
    }
}

static enum ch_err add(const struct ch_proof_source *source, uint64_t low, uint64_t high,
                       struct ch_proof *proof, struct ch_why *why)
{
    CH_CHECK(proof->count < CH_PROOF_MOST);
    return range_hash(source, low, high, &proof->hashes[proof->count++], why);
}

enum ch_err ch_proof_inclusion(const struct ch_proof_source *source, uint64_t index, uint64_t size,
                               struct ch_proof *ret, struct ch_why *why)
{
    CH_CHECK(index < size);
    uint64_t low = 0;
    uint64_t high = size;
    ret->count = 0;
    while (high - low > 1) {
        const uint64_t middle = low + (UINT64_C(1) << split_height(high - low));
        const bool left = index < middle;
        enum ch_err err =
            left ? add(source, middle, high, ret, why) : add(source, low, middle, ret, why);
        if (err != CH_OK) return err;
        if (left) {
            high = middle;
        } else {
            low = middle;
        }
    }
    turn_round(ret);
    return CH_OK;
}

enum ch_err ch_proof_consistency(const struct ch_proof_source *source, uint64_t size1,
                                 uint64_t size2, struct ch_proof *ret, struct ch_why *why)
{
    CH_CHECK(size1 > 0 && size1 <= size2);
    uint64_t low = 0;
    uint64_t high = size2;
    ret->count = 0;
    while (high != size1) {
        const uint64_t middle = low + (UINT64_C(1) << split_height(high - low));
        const bool left = size1 <= middle;
        enum ch_err err =
            left ? add(source, middle, high, ret, why) : add(source, low, middle, ret, why);
        if (err != CH_OK) return err;
        if (left) {
            high = middle;
        } else {
            low = middle;
        }
    }
    /* The first tree's own root is known to who checks, unless it lies within. */
    if (low != 0) {
        enum ch_err err = add(source, low, high, ret, why);
        if (err != CH_OK) return err;
    }
    turn_round(ret);
    return CH_OK;
}

bool ch_proof_check_inclusion(struct ch_hasher *hasher, uint64_t index, uint64_t size,
                              const struct ch_hash *leaf, const struct ch_proof *proof,
                              const struct ch_hash *root)
{
    if (index >= size || proof->count > CH_PROOF_MOST) return false;
    uint64_t at = index;
    uint64_t last = size - 1;
    struct ch_hash now = *leaf;
    for (uint32_t i = 0; i < proof->count; i++) {
        if (last == 0) return false; /* more hashes than there are levels */
        if ((at & 1) != 0 || at == last) {
            ch_merkle_node(hasher, &proof->hashes[i], &now, &now);
            while ((at & 1) == 0 && at != 0) { /* levels at which the node stands alone */
                at >>= 1;
                last >>= 1;
            }
        } else {
            ch_merkle_node(hasher, &now, &proof->hashes[i], &now);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && ch_hash_equal(&now, root);
}

bool ch_proof_check_consistency(struct ch_hasher *hasher, uint64_t size1, uint64_t size2,
                                const struct ch_proof *proof, const struct ch_hash *root1,
                                const struct ch_hash *root2)
{
    if (size1 == 0 || size1 > size2 || proof->count > CH_PROOF_MOST) return false;
    if (size1 == size2) return proof->count == 0 && ch_hash_equal(root1, root2);
    /* A first tree that is one complete subtree begins with its own root, which is not sent. */
    const bool complete = (size1 & (size1 - 1)) == 0;
    if (!complete && proof->count == 0) return false;
    uint64_t at = size1 - 1;
    uint64_t last = size2 - 1;
    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    struct ch_hash first = complete ? *root1 : proof->hashes[0];
    struct ch_hash second = first;
    for (uint32_t i = complete ? 0 : 1; i < proof->count; i++) {
        const struct ch_hash *hash = &proof->hashes[i];
        if (last == 0) return false;
        if ((at & 1) != 0 || at == last) {
            ch_merkle_node(hasher, hash, &first, &first);
            ch_merkle_node(hasher, hash, &second, &second);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            ch_merkle_node(hasher, &second, hash, &second);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && ch_hash_equal(&first, root1) && ch_hash_equal(&second, root2);
}
