/* test_log_committer: the commit thread, batch by batch. SPDX-License-Identifier: MIT */
#include "daemon/log/committer.h"
#include "daemon/log/reader.h"
#include "daemon/log/vault.h"
#include "tests/unit/log_scratch.h"

#include <sys/eventfd.h>

enum { SEED = 11, BATCH = 40 };

struct fixture {
    struct scratch scratch;
    struct ch_evlog *log;
    struct ch_vault *vault;
    struct ch_committer *committer;
    int bell;
    uint8_t rooms[BATCH][SCRATCH_RECORD_BYTES];
    struct ch_bytes records[BATCH];
};

static void ring(void *arg)
{
    struct fixture *fixture = arg;
    assert_int_equal(eventfd_write(fixture->bell, 1), 0);
}

/* The next records of the seed as a batch; they live until the next call. */
static struct ch_batch make_batch(struct fixture *fixture, uint64_t first_seq, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fixture->records[i] = scratch_record(SEED, first_seq + i, fixture->rooms[i]);
    }
    return (struct ch_batch){
        .first_seq = first_seq, .at_ns = first_seq, .records = fixture->records, .count = count};
}

static struct ch_batch_result run(struct fixture *fixture, const struct ch_batch *batch)
{
    struct ch_batch_result result;
    eventfd_t rings = 0;
    assert_true(ch_committer_idle(fixture->committer));
    assert_false(ch_committer_collect(fixture->committer, &result));
    ch_committer_submit(fixture->committer, batch);
    assert_false(ch_committer_idle(fixture->committer));
    assert_int_equal(eventfd_read(fixture->bell, &rings), 0); /* waits */
    assert_int_equal(rings, 1);
    assert_true(ch_committer_collect(fixture->committer, &result));
    return result;
}

static void batches_are_durable_when_the_bell_rings(void **state)
{
    struct fixture *fixture = *state;
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    uint64_t seq = 1;
    assert_int_equal(ch_reader_open(fixture->log, &reader, NULL), CH_OK);
    for (size_t i = 0; i < 60; i++) {
        size_t count = 1 + i * 7 % BATCH;
        struct ch_batch batch = make_batch(fixture, seq, count);
        batch.sync_head = i % 10 == 0;
        struct ch_batch_result result = run(fixture, &batch);
        assert_int_equal(result.err, CH_OK);
        seq += count;
        assert_int_equal(result.end.seq, seq - 1);
        assert_int_equal(result.end.at_ns, batch.at_ns);
        assert_true(result.log_bytes > 0);
        for (size_t j = 0; j < count; j++) {
            assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
            assert_true(ch_bytes_equal(record.bytes, fixture->records[j]));
        }
    }
    ch_reader_close(reader);
    ch_committer_stop(fixture->committer);
    fixture->committer = NULL;
    scratch_check_root(fixture->log, SEED, seq - 1);
}

static void keys_are_put_by_one_thread_while_the_other_makes_them_durable(void **state)
{
    struct fixture *fixture = *state;
    enum { USERS = 3000, STEP = 30 };
    uint64_t number = 1;
    uint64_t seq = 1;
    for (; number <= USERS; seq++) {
        struct ch_batch batch = make_batch(fixture, seq, 1);
        batch.sync_vault = true;
        ch_committer_submit(fixture->committer, &batch);
        for (uint64_t end = number + STEP; number < end; number++) {
            uint8_t key[CH_VAULT_KEY_BYTES] = {1, (uint8_t)number, (uint8_t)(number >> 8)};
            assert_int_equal(ch_vault_put(fixture->vault, number, key, NULL), CH_OK);
        }
        eventfd_t rings = 0;
        struct ch_batch_result result;
        assert_int_equal(eventfd_read(fixture->bell, &rings), 0);
        assert_true(ch_committer_collect(fixture->committer, &result));
        assert_int_equal(result.err, CH_OK);
    }
    struct ch_batch last = {.first_seq = seq, .sync_vault = true}; /* the vault alone */
    assert_int_equal(run(fixture, &last).err, CH_OK);
    ch_vault_close(fixture->vault);
    fixture->vault = NULL;
    struct ch_vault *vault = NULL;
    const char *path = scratch_path(&fixture->scratch, "vault");
    assert_int_equal(ch_vault_open(path, false, &vault, NULL), CH_OK);
    for (uint64_t i = 1; i < number; i++) {
        uint8_t key[CH_VAULT_KEY_BYTES] = {0};
        assert_int_equal(ch_vault_get(vault, i, key), CH_VAULT_PRESENT);
        assert_int_equal(key[1] | key[2] << 8, i);
    }
    ch_vault_close(vault);
}

static void a_batch_that_finds_no_room_says_so_and_the_next_that_fits_is_taken(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t huge[2 << 20]; /* more than the map of the fixture has */
    struct ch_bytes record = {.ptr = huge, .len = sizeof huge};
    struct ch_batch batch = {.first_seq = 1, .records = &record, .count = 1};
    struct ch_batch_result result = run(fixture, &batch);
    assert_int_equal(result.err, CH_ERR_STORAGE_FULL);
    assert_int_equal(result.end.seq, 0);
    batch = make_batch(fixture, 1, 3);
    assert_int_equal(run(fixture, &batch).err, CH_OK);
}

static void stop_waits_for_the_batch_in_progress(void **state)
{
    struct fixture *fixture = *state;
    struct ch_batch batch = make_batch(fixture, 1, BATCH);
    ch_committer_submit(fixture->committer, &batch);
    ch_committer_stop(fixture->committer);
    fixture->committer = NULL;
    scratch_check_root(fixture->log, SEED, BATCH);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    scratch_make(&fixture.scratch);
    fixture.log = scratch_open(&fixture.scratch, 4 << 20);
    fixture.bell = eventfd(0, EFD_CLOEXEC);
    *state = &fixture;
    return fixture.bell < 0 ||
           ch_vault_open(scratch_path(&fixture.scratch, "vault"), true, &fixture.vault, NULL) !=
               CH_OK ||
           ch_committer_start(fixture.log, fixture.vault, ring, &fixture, &fixture.committer,
                              NULL) != CH_OK;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    ch_committer_stop(fixture->committer);
    ch_vault_close(fixture->vault);
    ch_evlog_close(fixture->log);
    (void)close(fixture->bell);
    scratch_remove(&fixture->scratch);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The slots of an erased batch, and only those, are destroyed when it is told as done. */
static void keys_are_destroyed_after_the_records_are_durable(void **state)
{
    struct fixture *fixture = *state;
    const uint8_t key[CH_VAULT_KEY_BYTES] = {7, 1, 9};
    uint8_t got[CH_VAULT_KEY_BYTES];
    for (uint64_t number = 1; number <= 5; number++) {
        assert_int_equal(ch_vault_put(fixture->vault, number, key, NULL), CH_OK);
    }
    const uint64_t erased[] = {2, 4};
    struct ch_batch batch = make_batch(fixture, 1, 3);
    batch.sync_vault = true;
    batch.erased = (const uint8_t *)erased;
    batch.erased_len = 2;
    assert_int_equal(run(fixture, &batch).err, CH_OK);
    assert_int_equal(ch_vault_erasures(fixture->vault), 2);
    struct ch_vault *again = NULL; /* what the file says */
    const char *path = scratch_path(&fixture->scratch, "vault");
    assert_int_equal(ch_vault_open(path, false, &again, NULL), CH_OK);
    for (uint64_t number = 1; number <= 5; number++) {
        const enum ch_vault_state wanted = number % 2 == 0 ? CH_VAULT_ERASED : CH_VAULT_PRESENT;
        assert_int_equal(ch_vault_get(fixture->vault, number, got), wanted);
        assert_int_equal(ch_vault_get(again, number, got), wanted);
    }
    ch_vault_close(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(batches_are_durable_when_the_bell_rings),
        TEST(keys_are_put_by_one_thread_while_the_other_makes_them_durable),
        TEST(a_batch_that_finds_no_room_says_so_and_the_next_that_fits_is_taken),
        TEST(stop_waits_for_the_batch_in_progress),
        TEST(keys_are_destroyed_after_the_records_are_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
