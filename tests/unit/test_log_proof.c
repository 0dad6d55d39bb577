/* test_log_proof: proofs of the tree, against the definition, the stored tiles and foreign vectors.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/proof.h"
#include "daemon/log/prover.h"
#include "schema/base/base64.h"
#include "tests/unit/log_scratch.h"

#include <dirent.h>
#include <jansson.h>

enum { MOST = 70, SEED = 31, MAP = 512 << 20 };

struct naive {
    struct ch_hasher hasher;
    struct ch_hash leaves[MOST];
};

static enum ch_err naive_node(void *arg, unsigned height, uint64_t number, struct ch_hash *ret,
                              struct ch_why *why)
{
    struct naive *naive = arg;
    (void)why;
    const size_t count = (size_t)1 << height;
    assert_true((number + 1) * count <= MOST);
    scratch_naive_root(&naive->hasher, naive->leaves + number * count, count, ret);
    return CH_OK;
}

static struct naive *make_naive(void)
{
    struct naive *naive = calloc(1, sizeof *naive);
    assert_non_null(naive);
    assert_int_equal(ch_hasher_init(&naive->hasher, NULL), CH_OK);
    for (uint64_t i = 0; i < MOST; i++) {
        uint8_t room[SCRATCH_RECORD_BYTES];
        ch_merkle_leaf(&naive->hasher, scratch_record(SEED, i, room), &naive->leaves[i]);
    }
    return naive;
}

/* PATH of RFC 6962, section 2.1.1, word for word; appends. */
static void rfc_path(struct naive *naive, size_t m, size_t low, size_t n, struct ch_proof *out)
{
    if (n == 1) return;
    size_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    struct ch_hash other;
    if (m < k) {
        rfc_path(naive, m, low, k, out);
        scratch_naive_root(&naive->hasher, naive->leaves + low + k, n - k, &other);
    } else {
        rfc_path(naive, m - k, low + k, n - k, out);
        scratch_naive_root(&naive->hasher, naive->leaves + low, k, &other);
    }
    out->hashes[out->count++] = other;
}

/* SUBPROOF of RFC 6962, section 2.1.2. */
static void rfc_subproof(struct naive *naive, size_t m, size_t low, size_t n, bool whole,
                         struct ch_proof *out)
{
    struct ch_hash other;
    if (m == n) {
        if (whole) return;
        scratch_naive_root(&naive->hasher, naive->leaves + low, n, &other);
        out->hashes[out->count++] = other;
        return;
    }
    size_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    if (m <= k) {
        rfc_subproof(naive, m, low, k, whole, out);
        scratch_naive_root(&naive->hasher, naive->leaves + low + k, n - k, &other);
    } else {
        rfc_subproof(naive, m - k, low + k, n - k, false, out);
        scratch_naive_root(&naive->hasher, naive->leaves + low, k, &other);
    }
    out->hashes[out->count++] = other;
}

static void check_same(const struct ch_proof *a, const struct ch_proof *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->hashes, b->hashes, a->count * sizeof *a->hashes);
}

static void inclusion_proofs_are_those_of_the_definition(void **state)
{
    (void)state;
    struct naive *naive = make_naive();
    const struct ch_proof_source source = {&naive->hasher, naive_node, naive};
    for (size_t size = 1; size <= MOST; size++) {
        struct ch_hash root;
        struct ch_hash naive_root;
        assert_int_equal(ch_proof_root(&source, size, &root, NULL), CH_OK);
        scratch_naive_root(&naive->hasher, naive->leaves, size, &naive_root);
        assert_true(ch_hash_equal(&root, &naive_root));
        for (size_t index = 0; index < size; index++) {
            struct ch_proof made;
            struct ch_proof expected = {.count = 0};
            assert_int_equal(ch_proof_inclusion(&source, index, size, &made, NULL), CH_OK);
            rfc_path(naive, index, 0, size, &expected);
            check_same(&made, &expected);
            for (size_t leaf = 0; leaf < size; leaf++) {
                assert_int_equal(ch_proof_check_inclusion(&naive->hasher, index, size,
                                                          &naive->leaves[leaf], &made, &root),
                                 leaf == index);
            }
        }
    }
    ch_hasher_deinit(&naive->hasher);
    free(naive);
}

static void consistency_proofs_are_those_of_the_definition(void **state)
{
    (void)state;
    struct naive *naive = make_naive();
    const struct ch_proof_source source = {&naive->hasher, naive_node, naive};
    struct ch_hash roots[MOST + 1];
    for (size_t size = 0; size <= MOST; size++) {
        scratch_naive_root(&naive->hasher, naive->leaves, size, &roots[size]);
    }
    for (size_t size2 = 1; size2 <= MOST; size2++) {
        for (size_t size1 = 1; size1 <= size2; size1++) {
            struct ch_proof made;
            struct ch_proof expected = {.count = 0};
            assert_int_equal(ch_proof_consistency(&source, size1, size2, &made, NULL), CH_OK);
            rfc_subproof(naive, size1, 0, size2, true, &expected);
            check_same(&made, &expected);
            assert_true(ch_proof_check_consistency(&naive->hasher, size1, size2, &made,
                                                   &roots[size1], &roots[size2]));
            /* another beginning, or another end, is not what it shows */
            assert_false(ch_proof_check_consistency(&naive->hasher, size1, size2, &made,
                                                    &roots[size1 - 1], &roots[size2]));
            assert_false(ch_proof_check_consistency(&naive->hasher, size1, size2, &made,
                                                    &roots[size1], &roots[size2 - 1]));
        }
    }
    ch_hasher_deinit(&naive->hasher);
    free(naive);
}

/* 70,000 leaves have tiles of level 1, full and not. */
static void a_log_proves_every_size_from_its_tiles(void **state)
{
    struct scratch *scratch = *state;
    enum { EVENTS = 70000, STEP = 7000 };
    struct ch_evlog *log = scratch_open(scratch, MAP);
    struct ch_hash roots[EVENTS / STEP + 1];
    struct ch_why why = {0};
    for (size_t i = 1; i <= EVENTS / STEP; i++) {
        assert_int_equal(scratch_append(log, SEED, STEP, &why), CH_OK);
        roots[i] = ch_evlog_end(log)->root;
    }
    struct ch_prover *prover = NULL;
    struct ch_hasher hasher;
    struct ch_proof proof;
    struct ch_hash root;
    uint64_t random = 5;
    assert_int_equal(ch_hasher_init(&hasher, NULL), CH_OK);
    assert_int_equal(ch_prover_open(log, &prover, &why), CH_OK);
    for (size_t turn = 0; turn < 200; turn++) {
        const size_t i = 1 + (size_t)(scratch_random(&random) % (EVENTS / STEP));
        const size_t k = 1 + (size_t)(scratch_random(&random) % i);
        const uint64_t index = scratch_random(&random) % (i * STEP);
        uint8_t room[SCRATCH_RECORD_BYTES];
        struct ch_hash leaf;
        ch_merkle_leaf(&hasher, scratch_record(SEED, index + 1, room), &leaf);
        assert_int_equal(ch_prover_root(prover, i * STEP, &root, &why), CH_OK);
        assert_true(ch_hash_equal(&root, &roots[i]));
        assert_int_equal(ch_prover_inclusion(prover, index, i * STEP, &proof, &why), CH_OK);
        assert_true(ch_proof_check_inclusion(&hasher, index, i * STEP, &leaf, &proof, &roots[i]));
        assert_int_equal(ch_prover_consistency(prover, k * STEP, i * STEP, &proof, &why), CH_OK);
        assert_true(
            ch_proof_check_consistency(&hasher, k * STEP, i * STEP, &proof, &roots[k], &roots[i]));
    }
    /* sizes that no batch ended with, against each other */
    for (size_t turn = 0; turn < 100; turn++) {
        const uint64_t size2 = 1 + scratch_random(&random) % EVENTS;
        const uint64_t size1 = 1 + scratch_random(&random) % size2;
        struct ch_hash first;
        assert_int_equal(ch_prover_root(prover, size1, &first, &why), CH_OK);
        assert_int_equal(ch_prover_root(prover, size2, &root, &why), CH_OK);
        assert_int_equal(ch_prover_consistency(prover, size1, size2, &proof, &why), CH_OK);
        assert_true(ch_proof_check_consistency(&hasher, size1, size2, &proof, &first, &root));
    }
    ch_prover_close(prover);
    ch_hasher_deinit(&hasher);
    ch_evlog_close(log);
}

/* ---- foreign vectors ---------------------------------------------------------------------- */

/* short_too: a made-up root of fewer bytes, as some cases have, stands for one that ends in
 * zeros. */
static bool read_hash(const json_t *text, bool short_too, struct ch_hash *ret)
{
    size_t len = 0;
    const char *chars = json_string_value(text);
    *ret = (struct ch_hash){{0}};
    return chars != NULL && ch_base64_read(ch_text_of(chars), ret->bytes, CH_HASH_BYTES, &len) &&
           (len == CH_HASH_BYTES || (short_too && len > 0));
}

/* Two cases have 2^64 - 1, which jansson takes for no integer; all others are small. */
static uint64_t number(const json_t *one, const char *name)
{
    const double value = json_number_value(json_object_get(one, name));
    return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

static bool read_proof(const json_t *list, struct ch_proof *ret)
{
    bool good = true;
    size_t i;
    json_t *item;
    ret->count = 0;
    json_array_foreach(list, i, item)
    {
        if (ret->count == CH_PROOF_MOST) return false;
        good = read_hash(item, false, &ret->hashes[ret->count++]) && good;
    }
    return good;
}

/* What the case says of us: a hash that is no hash of 32 bytes can lead nowhere. */
static bool answer(struct ch_hasher *hasher, const json_t *one)
{
    struct ch_proof proof;
    struct ch_hash first;
    struct ch_hash second;
    const bool inclusion = json_object_get(one, "leafIdx") != NULL;
    bool good = read_proof(json_object_get(one, "proof"), &proof);
    if (inclusion) {
        good = read_hash(json_object_get(one, "leafHash"), false, &first) && good;
        good = read_hash(json_object_get(one, "root"), true, &second) && good;
        return good && ch_proof_check_inclusion(hasher, number(one, "leafIdx"),
                                                number(one, "treeSize"), &first, &proof, &second);
    }
    good = read_hash(json_object_get(one, "root1"), true, &first) && good;
    good = read_hash(json_object_get(one, "root2"), true, &second) && good;
    return good && ch_proof_check_consistency(hasher, number(one, "size1"), number(one, "size2"),
                                              &proof, &first, &second);
}

struct cases {
    struct ch_hasher hasher;
    size_t total;
    size_t good;
};
static struct cases cases; /* nftw has no argument to pass it in */

static int run_case(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)place;
    const size_t len = strlen(path);
    if (kind != FTW_F || len < 5 || strcmp(path + len - 5, ".json") != 0) return 0;
    json_t *one = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(one);
    const bool wanted = !json_is_true(json_object_get(one, "wantErr"));
    if (answer(&cases.hasher, one) != wanted) fail_msg("%s: wanted %d", path, wanted);
    cases.total++;
    cases.good += wanted;
    json_decref(one);
    return 0;
}

static void all_cases_of_the_transparency_vectors_hold(void **state)
{
    (void)state;
    const char *dir = CH_SOURCE_DIR "/../shared/vectors/rfc6962/testdata";
    if (access(dir, R_OK) != 0) {
        print_message("SKIPPED: %s is not there; this test needs the foreign vectors\n", dir);
        skip();
    }
    cases = (struct cases){.total = 0};
    assert_int_equal(ch_hasher_init(&cases.hasher, NULL), CH_OK);
    assert_int_equal(nftw(dir, run_case, 8, FTW_PHYS), 0);
    ch_hasher_deinit(&cases.hasher);
    print_message("%zu cases, %zu of them valid\n", cases.total, cases.good);
    assert_true(cases.total >= 196 && cases.good > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_proofs_are_those_of_the_definition),
        cmocka_unit_test(consistency_proofs_are_those_of_the_definition),
        SCRATCH_TEST(a_log_proves_every_size_from_its_tiles),
        cmocka_unit_test(all_cases_of_the_transparency_vectors_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
