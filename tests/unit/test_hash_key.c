/* test_hash_key: an address is hashed under every key in use, and no key may be missing.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/seal.h"
#include "daemon/log/vault.h"
#include "daemon/replay/directory.h"
#include "tests/unit/core_world.h"
#include "tests/unit/log_scratch.h"

struct keyed {
    struct world world;
    struct scratch scratch;
    struct ch_vault *vault;
    struct ch_directory directory;
};

static int setup(void **test)
{
    struct keyed *k = test_calloc(1, sizeof *k);
    struct ch_why why = {0};
    start_world(&k->world);
    scratch_make(&k->scratch);
    assert_int_equal(ch_vault_open(scratch_path(&k->scratch, "vault"), true, &k->vault, &why),
                     CH_OK);
    assert_int_equal(ch_directory_init(&k->directory, k->vault, &why), CH_OK);
    *test = k;
    return 0;
}

static int teardown(void **test)
{
    struct keyed *k = *test;
    ch_directory_deinit(&k->directory);
    ch_vault_close(k->vault);
    scratch_remove(&k->scratch);
    ch_state_deinit(&k->world.state);
    ch_arena_deinit(&k->world.arena);
    test_free(k);
    return 0;
}

static enum ch_err hash(struct keyed *k, const char *address, struct ch_address_hash *ret,
                        uint32_t *ret_count)
{
    struct ch_why why = {0};
    struct ch_qry_suppression_check args = {.address = {.text = ch_text_of(address)}};
    const struct ch_call call = {.type = CH_QRY_suppression_check, .args = &args};
    return ch_directory_hash_address(&k->directory, &k->world.state, &call, ret, ret_count, &why);
}

/* The next key of the state, and in the vault. */
static uint64_t rotate(struct keyed *k, uint8_t filling)
{
    uint8_t key[CH_VAULT_KEY_BYTES];
    memset(key, filling, sizeof key);
    assert_int_equal(RUN(&k->world, OPERATOR, suppression_rotate_key, 0, .unused_ = false),
                     CH_REJ_none);
    const uint32_t row = ch_hash_key_newest(&k->world.state);
    const uint64_t slot = ch_hash_key_row(&k->world.state, row)->slot;
    assert_int_equal(ch_vault_put(k->vault, slot, key, NULL), CH_OK);
    return slot;
}

static void an_address_is_hashed_under_every_key_in_use(void **test)
{
    struct keyed *k = *test;
    struct ch_address_hash first[CH_ADDRESS_HASHES], more[CH_ADDRESS_HASHES];
    uint8_t name[CH_NAME_HASH_BYTES];
    uint32_t count = 0;
    /* Number 1 is the installation's own, as it always was. */
    assert_int_equal(hash(k, "Ann@Example.org", first, &count), CH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(first[0].key, CH_NAME_KEY_NUMBER);
    ch_directory_hash(&k->directory, CH_KIND_email, ch_text_of("ann@example.org"), name);
    assert_memory_equal(first[0].hash, name, sizeof name);
    (void)rotate(k, 2);
    (void)rotate(k, 3);
    assert_int_equal(hash(k, "ann@EXAMPLE.org", more, &count), CH_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(more[0].hash, first[0].hash, sizeof name);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(more[i].key, i + 1);
        for (uint32_t j = 0; j < i; j++) {
            assert_memory_not_equal(more[i].hash, more[j].hash, sizeof name);
        }
    }
    assert_int_equal(RUN(&k->world, OPERATOR, suppression_retire_key, 0, .key = 2), CH_REJ_none);
    assert_int_equal(hash(k, "ann@example.org", first, &count), CH_OK);
    assert_int_equal(count, 2);
    assert_int_equal(first[1].key, 3);
    assert_memory_equal(first[1].hash, more[2].hash, sizeof name);
}

static void a_key_that_is_missing_is_a_failure_and_never_a_wrong_answer(void **test)
{
    struct keyed *k = *test;
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    struct ch_why why = {0};
    uint32_t count = 0;
    assert_int_equal(ch_directory_check(&k->directory, &k->world.state, &why), CH_OK);
    const uint64_t slot = rotate(k, 2);
    assert_int_equal(ch_directory_check(&k->directory, &k->world.state, &why), CH_OK);
    assert_int_equal(ch_vault_erase(k->vault, slot, &why), CH_OK);
    assert_int_equal(hash(k, "ann@example.org", hashes, &count), CH_ERR_VAULT_IO);
    assert_int_equal(ch_directory_check(&k->directory, &k->world.state, &why), CH_ERR_VAULT_IO);
    /* Retired, nobody asks for it. */
    (void)rotate(k, 3);
    assert_int_equal(RUN(&k->world, OPERATOR, suppression_retire_key, 0, .key = 2), CH_REJ_none);
    assert_int_equal(ch_directory_check(&k->directory, &k->world.state, &why), CH_OK);
    assert_int_equal(hash(k, "ann@example.org", hashes, &count), CH_OK);
}

static void a_call_without_an_address_has_no_hashes(void **test)
{
    struct keyed *k = *test;
    struct ch_address_hash hashes[CH_ADDRESS_HASHES];
    struct ch_why why = {0};
    uint32_t count = 1;
    struct ch_cmd_user_create args = {.has_email = true, .email = person_name("ann@example.org")};
    const struct ch_call call = {.type = CH_CMD_user_create, .args = &args};
    assert_int_equal(
        ch_directory_hash_address(&k->directory, &k->world.state, &call, hashes, &count, &why),
        CH_OK);
    assert_int_equal(count, 0);
}

#define KEYED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYED_TEST(an_address_is_hashed_under_every_key_in_use),
        KEYED_TEST(a_key_that_is_missing_is_a_failure_and_never_a_wrong_answer),
        KEYED_TEST(a_call_without_an_address_has_no_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
