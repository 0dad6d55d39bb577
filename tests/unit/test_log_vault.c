/* test_log_vault: keys come back as they were put, and no others. SPDX-License-Identifier: MIT */
#include "daemon/log/vault.h"
#include "tests/unit/log_scratch.h"

static struct ch_vault *open_vault(const struct scratch *scratch)
{
    struct ch_vault *vault = NULL;
    struct ch_why why = {0};
    if (ch_vault_open(scratch_path(scratch, "vault"), true, &vault, &why) != CH_OK) {
        fail_msg("%s", why.text);
    }
    return vault;
}

static void make_key(uint64_t number, uint64_t version, uint8_t ret[CH_VAULT_KEY_BYTES])
{
    uint64_t random = number << 8 ^ version;
    for (size_t i = 0; i < CH_VAULT_KEY_BYTES; i++) {
        ret[i] = (uint8_t)scratch_random(&random);
    }
}

static void put(struct ch_vault *vault, uint64_t number, uint64_t version)
{
    uint8_t key[CH_VAULT_KEY_BYTES];
    make_key(number, version, key);
    assert_int_equal(ch_vault_put(vault, number, key, NULL), CH_OK);
}

static void check_key(struct ch_vault *vault, uint64_t number, uint64_t version)
{
    uint8_t expected[CH_VAULT_KEY_BYTES];
    uint8_t key[CH_VAULT_KEY_BYTES] = {0};
    make_key(number, version, expected);
    assert_int_equal(ch_vault_get(vault, number, key), CH_VAULT_PRESENT);
    assert_memory_equal(key, expected, sizeof key);
}

static void keys_come_back_after_a_reopen_with_the_installation_key_as_it_was(void **state)
{
    struct scratch *scratch = *state;
    uint8_t first[CH_VAULT_KEY_BYTES] = {0};
    uint8_t again[CH_VAULT_KEY_BYTES] = {0};
    struct ch_vault *vault = open_vault(scratch);
    assert_int_equal(ch_vault_get(vault, 0, first), CH_VAULT_PRESENT);
    for (uint64_t number = 1; number <= 5000; number++) {
        put(vault, number, 0);
        if (number % 700 == 0) assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    }
    put(vault, 200000, 0); /* behind a gap of whole chunks */
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    ch_vault_close(vault);

    vault = open_vault(scratch);
    assert_int_equal(ch_vault_get(vault, 0, again), CH_VAULT_PRESENT);
    assert_memory_equal(again, first, sizeof first);
    for (uint64_t number = 1; number <= 5000; number++) {
        check_key(vault, number, 0);
    }
    check_key(vault, 200000, 0);
    assert_int_equal(ch_vault_get(vault, 5001, again), CH_VAULT_MISSING);
    assert_int_equal(ch_vault_get(vault, 19999, again), CH_VAULT_MISSING);
    assert_int_equal(ch_vault_get(vault, 20001, again), CH_VAULT_MISSING);
    assert_int_equal(ch_vault_get(vault, UINT64_MAX, again), CH_VAULT_MISSING);
    assert_memory_equal(again, first, sizeof first); /* untouched */
    ch_vault_close(vault);
}

static void what_was_not_synced_is_gone_after_a_reopen(void **state)
{
    struct scratch *scratch = *state;
    uint8_t key[CH_VAULT_KEY_BYTES];
    struct ch_vault *vault = open_vault(scratch);
    put(vault, 1, 0);
    check_key(vault, 1, 0); /* but at hand before */
    ch_vault_close(vault);
    vault = open_vault(scratch);
    assert_int_equal(ch_vault_get(vault, 1, key), CH_VAULT_MISSING);
    ch_vault_close(vault);
}

static void a_number_put_again_has_the_later_key(void **state)
{
    struct scratch *scratch = *state;
    struct ch_vault *vault = open_vault(scratch);
    put(vault, 7, 1);
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    put(vault, 7, 2);
    put(vault, 7, 3);
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    ch_vault_close(vault);
    vault = open_vault(scratch);
    check_key(vault, 7, 3);
    ch_vault_close(vault);
}

static void an_erased_key_is_gone_from_memory_and_file(void **state)
{
    struct scratch *scratch = *state;
    uint8_t key[CH_VAULT_KEY_BYTES];
    struct ch_vault *vault = open_vault(scratch);
    put(vault, 1, 0);
    put(vault, 2, 0);
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    assert_int_equal(ch_vault_erase(vault, 1, NULL), CH_OK);
    assert_int_equal(ch_vault_get(vault, 1, key), CH_VAULT_ERASED);
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    ch_vault_close(vault);

    size_t len = 0;
    uint8_t *file = scratch_read(scratch, "vault", &len);
    make_key(1, 0, key);
    assert_null(memmem(file, len, key, sizeof key));
    free(file);
    vault = open_vault(scratch);
    assert_int_equal(ch_vault_get(vault, 1, key), CH_VAULT_ERASED);
    check_key(vault, 2, 0);
    ch_vault_close(vault);
}

static void the_file_is_its_owners_alone(void **state)
{
    struct scratch *scratch = *state;
    ch_vault_close(open_vault(scratch));
    struct stat info;
    assert_int_equal(stat(scratch_path(scratch, "vault"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, CH_VAULT_KEY_BYTES);
}

static void a_vault_that_is_not_there_is_made_only_when_told(void **state)
{
    struct scratch *scratch = *state;
    struct ch_vault *vault = NULL;
    const char *path = scratch_path(scratch, "vault");
    assert_int_equal(ch_vault_open(path, false, &vault, NULL), CH_ERR_VAULT_IO);
    assert_null(vault);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_vault_that_lost_its_installation_key_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct ch_vault *vault = open_vault(scratch);
    put(vault, 1, 0);
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    ch_vault_close(vault);
    size_t len = 0;
    uint8_t *file = scratch_read(scratch, "vault", &len);
    memset(file, 0, CH_VAULT_KEY_BYTES);
    scratch_write(scratch, "vault", file, len);
    free(file);
    vault = NULL;
    const char *path = scratch_path(scratch, "vault");
    assert_int_equal(ch_vault_open(path, true, &vault, NULL), CH_ERR_VAULT_IO);
    assert_null(vault);
}

static void a_crash_while_the_vault_was_made_or_grew_does_no_harm(void **state)
{
    struct scratch *scratch = *state;
    uint8_t key[CH_VAULT_KEY_BYTES] = {0};
    scratch_write(scratch, "vault", key, 0); /* made, and nothing written */
    struct ch_vault *vault = open_vault(scratch);
    assert_int_equal(ch_vault_get(vault, 0, key), CH_VAULT_PRESENT);
    put(vault, 1, 0);
    put(vault, 2, 0);
    assert_int_equal(ch_vault_sync(vault, NULL), CH_OK);
    ch_vault_close(vault);
    assert_int_equal(truncate(scratch_path(scratch, "vault"), 2 * CH_VAULT_KEY_BYTES + 5), 0);
    vault = open_vault(scratch);
    check_key(vault, 1, 0);
    assert_int_equal(ch_vault_get(vault, 2, key), CH_VAULT_MISSING);
    ch_vault_close(vault);
}

static void a_vault_that_others_may_read_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct ch_why why = {0};
    struct ch_vault *vault = open_vault(scratch);
    ch_vault_close(vault);
    assert_int_equal(chmod(scratch_path(scratch, "vault"), 0640), 0);
    assert_int_equal(ch_vault_open(scratch_path(scratch, "vault"), true, &vault, &why),
                     CH_ERR_VAULT_IO);
    assert_non_null(strstr(why.text, "chmod 600"));
    assert_int_equal(chmod(scratch_path(scratch, "vault"), 0600), 0);
    ch_vault_close(open_vault(scratch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_vault_that_others_may_read_is_refused),
        SCRATCH_TEST(keys_come_back_after_a_reopen_with_the_installation_key_as_it_was),
        SCRATCH_TEST(what_was_not_synced_is_gone_after_a_reopen),
        SCRATCH_TEST(a_number_put_again_has_the_later_key),
        SCRATCH_TEST(an_erased_key_is_gone_from_memory_and_file),
        SCRATCH_TEST(the_file_is_its_owners_alone),
        SCRATCH_TEST(a_vault_that_is_not_there_is_made_only_when_told),
        SCRATCH_TEST(a_vault_that_lost_its_installation_key_is_refused),
        SCRATCH_TEST(a_crash_while_the_vault_was_made_or_grew_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
