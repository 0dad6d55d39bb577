/* test_log_merkle: the compact range against RFC 6962. SPDX-License-Identifier: MIT */
#include "tests/unit/log_scratch.h"

static void check_hex(const struct ch_hash *hash, const char *hex)
{
    char text[2 * CH_HASH_BYTES + 1];
    for (size_t i = 0; i < CH_HASH_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", hash->bytes[i]);
    }
    assert_string_equal(text, hex);
}

static void roots_of_the_published_leaves_are_the_published_roots(void **state)
{
    (void)state;
    /* The reference leaves and roots of the Certificate Transparency tests. */
    static const struct {
        const char *bytes;
        size_t len;
    } leaves[8] = {
        {"", 0},
        {"\x00", 1},
        {"\x10", 1},
        {"\x20\x21", 2},
        {"\x30\x31", 2},
        {"\x40\x41\x42\x43", 4},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
    };
    static const char *const roots[9] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct ch_hasher hasher;
    struct ch_merkle_range range = {0};
    struct ch_hash hash;
    assert_int_equal(ch_hasher_init(&hasher, NULL), CH_OK);
    for (size_t i = 0; i <= 8; i++) {
        ch_merkle_root(&range, &hasher, &hash);
        check_hex(&hash, roots[i]);
        if (i == 8) break;
        struct ch_bytes leaf = {.ptr = (const uint8_t *)leaves[i].bytes, .len = leaves[i].len};
        ch_merkle_leaf(&hasher, leaf, &hash);
        ch_merkle_push(&range, &hasher, &hash, NULL, NULL);
    }
    ch_hasher_deinit(&hasher);
}

static void every_size_up_to_600_has_the_root_of_the_definition(void **state)
{
    (void)state;
    enum { MOST = 600 };
    static struct ch_hash leaves[MOST];
    struct ch_hasher hasher;
    struct ch_merkle_range range = {0};
    assert_int_equal(ch_hasher_init(&hasher, NULL), CH_OK);
    for (size_t size = 0; size <= MOST; size++) {
        struct ch_hash root;
        struct ch_hash naive;
        struct ch_merkle_range copy;
        memset(&copy, 0xa5, sizeof copy); /* what a copy does not set is not used */
        ch_merkle_copy(&copy, &range);
        ch_merkle_root(&copy, &hasher, &root);
        scratch_naive_root(&hasher, leaves, size, &naive);
        assert_memory_equal(root.bytes, naive.bytes, CH_HASH_BYTES);
        if (size == MOST) break;
        uint8_t room[SCRATCH_RECORD_BYTES];
        ch_merkle_leaf(&hasher, scratch_record(7, size, room), &leaves[size]);
        ch_merkle_push(&range, &hasher, &leaves[size], NULL, NULL);
    }
    ch_hasher_deinit(&hasher);
}

static void subtrees_pushed_whole_give_the_same_root_as_their_leaves(void **state)
{
    (void)state;
    struct ch_hasher hasher;
    struct ch_merkle_range whole = {0};
    struct ch_merkle_range parts = {0};
    struct ch_hash hash;
    assert_int_equal(ch_hasher_init(&hasher, NULL), CH_OK);
    static const unsigned heights[] = {4, 4, 3, 0, 0};
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        struct ch_merkle_range part = {0};
        for (uint64_t leaf = 0; leaf < UINT64_C(1) << heights[i]; leaf++) {
            uint8_t room[SCRATCH_RECORD_BYTES];
            ch_merkle_leaf(&hasher, scratch_record(9, number++, room), &hash);
            ch_merkle_push(&whole, &hasher, &hash, NULL, NULL);
            ch_merkle_push(&part, &hasher, &hash, NULL, NULL);
        }
        ch_merkle_push_subtree(&parts, &hasher, heights[i], &part.peaks[heights[i]], NULL, NULL);
    }
    struct ch_hash root;
    ch_merkle_root(&whole, &hasher, &root);
    ch_merkle_root(&parts, &hasher, &hash);
    assert_int_equal(parts.size, whole.size);
    assert_memory_equal(hash.bytes, root.bytes, CH_HASH_BYTES);
    ch_hasher_deinit(&hasher);
}

static void a_long_leaf_is_hashed_as_a_whole(void **state)
{
    (void)state;
    /* Around the length that the hasher joins with its prefix. */
    struct ch_hasher hasher;
    uint8_t bytes[1 + 2000] = {0};
    assert_int_equal(ch_hasher_init(&hasher, NULL), CH_OK);
    for (size_t i = 1; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 31);
    }
    for (size_t len = 500; len <= 2000; len += len < 520 ? 1 : 97) {
        struct ch_hash leaf;
        struct ch_hash sum;
        ch_merkle_leaf(&hasher, (struct ch_bytes){.ptr = bytes + 1, .len = len}, &leaf);
        ch_hasher_sum(&hasher, (struct ch_bytes){.ptr = bytes, .len = 1 + len}, &sum);
        assert_memory_equal(leaf.bytes, sum.bytes, CH_HASH_BYTES);
    }
    ch_hasher_deinit(&hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_of_the_published_leaves_are_the_published_roots),
        cmocka_unit_test(every_size_up_to_600_has_the_root_of_the_definition),
        cmocka_unit_test(subtrees_pushed_whole_give_the_same_root_as_their_leaves),
        cmocka_unit_test(a_long_leaf_is_hashed_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
