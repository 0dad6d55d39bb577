/* test_log_faults: what the log does when the disk says no. SPDX-License-Identifier: MIT
 * This program has its own pwrite, writev, fdatasync and fallocate, which the log, the vault
 * and liblmdb then use: a countdown lets the n-th call fail. */
#include "daemon/log/reader.h"
#include "daemon/log/vault.h"
#include "tests/unit/log_scratch.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/uio.h>

enum { SEED = 4, MAP = 64 << 20 };

static struct {
    unsigned countdown; /* 0: off; the call that takes it to 0 fails */
    unsigned hits;
    int with;
    int allocate; /* what fallocate fails with; 0: it works */
} fault;

static bool fails(void)
{
    if (fault.countdown == 0 || --fault.countdown > 0) return false;
    fault.hits++;
    errno = fault.with;
    return true;
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

/* A data pointer as function pointer, which ISO C has no cast for and POSIX promises to work. */
#define REAL(name)                                                                                 \
    __typeof__(name) *call;                                                                        \
    void *found = real(#name);                                                                     \
    memcpy(&call, &found, sizeof call)

ssize_t pwrite(int fd, const void *ptr, size_t len, off_t at)
{
    REAL(pwrite);
    return fails() ? -1 : call(fd, ptr, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    return fails() ? -1 : call(fd, parts, count);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return fails() ? -1 : call(fd);
}

int fallocate(int fd, int mode, off_t from, off_t len)
{
    REAL(fallocate);
    if (fault.allocate != 0) {
        errno = fault.allocate;
        return -1;
    }
    return call(fd, mode, from, len);
}

static void check_records(struct ch_evlog *log, uint64_t last)
{
    struct ch_reader *reader = NULL;
    struct ch_log_record record;
    assert_int_equal(ch_reader_open(log, &reader, NULL), CH_OK);
    for (uint64_t seq = 1; seq <= last; seq++) {
        uint8_t room[SCRATCH_RECORD_BYTES];
        struct ch_bytes expected = scratch_record(SEED, seq, room);
        assert_int_equal(ch_reader_next(reader, &record, NULL), CH_OK);
        assert_true(ch_bytes_equal(record.bytes, expected));
    }
    ch_reader_close(reader);
}

static void a_commit_in_which_any_call_fails_says_stop_and_recovery_finds_a_whole_log(void **state)
{
    struct scratch *scratch = *state;
    static const int codes[] = {EIO, ENOSPC};
    unsigned nth = 1;
    for (size_t i = 0; i < 2; i++) {
        for (nth = 1;; nth++) {
            struct ch_evlog *log = scratch_open(scratch, MAP);
            uint64_t before = ch_evlog_end(log)->seq;
            assert_int_equal(scratch_append(log, SEED, 5, NULL), CH_OK);
            fault.with = codes[i];
            fault.hits = 0;
            fault.countdown = nth;
            struct ch_why why = {0};
            enum ch_err err = scratch_append(log, SEED, 7, &why);
            fault.countdown = 0;
            unsigned hits = fault.hits;
            if (hits > 0) {
                assert_int_equal(err, CH_ERR_COMMIT_FAILED);
                assert_int_equal(scratch_append(log, SEED, 1, NULL), CH_ERR_COMMIT_FAILED);
            }
            ch_evlog_close(log);
            log = scratch_open(scratch, MAP);
            uint64_t after = ch_evlog_end(log)->seq;
            assert_true(after == before + 12 || (hits > 0 && after == before + 5));
            scratch_check_root(log, SEED, after);
            check_records(log, after);
            ch_evlog_close(log);
            if (hits == 0) break;
        }
        assert_true(nth > 4); /* data, sync, meta, head: all were met */
    }
}

static void a_full_disk_changes_nothing_and_the_log_goes_on_when_there_is_room(void **state)
{
    struct scratch *scratch = *state;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    assert_int_equal(scratch_append(log, SEED, 300, NULL), CH_OK);
    fault.allocate = ENOSPC;
    enum ch_err err = CH_OK;
    struct ch_why why = {0};
    while ((err = scratch_append(log, SEED, 300, &why)) == CH_OK) {
        assert_true(ch_evlog_end(log)->seq < 100000); /* what is allocated already is used up */
    }
    assert_int_equal(err, CH_ERR_STORAGE_FULL);
    assert_int_equal(why.code, ENOSPC);
    uint64_t last = ch_evlog_end(log)->seq;
    scratch_check_root(log, SEED, last);
    check_records(log, last);
    assert_int_equal(ch_evlog_room(log, 1 << 20, 100, NULL), CH_ERR_STORAGE_FULL);
    fault.allocate = 0;
    assert_int_equal(scratch_append(log, SEED, 300, NULL), CH_OK);
    scratch_check_root(log, SEED, last + 300);
    ch_evlog_close(log);
}

static void a_file_system_that_cannot_allocate_ahead_is_used_all_the_same(void **state)
{
    struct scratch *scratch = *state;
    fault.allocate = EOPNOTSUPP;
    struct ch_evlog *log = scratch_open(scratch, MAP);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(scratch_append(log, SEED, 300, NULL), CH_OK);
        ch_evlog_room_ahead(log);
    }
    ch_evlog_close(log);
    fault.allocate = 0;
}

static void what_a_failed_vault_sync_did_not_write_is_written_by_the_next(void **state)
{
    struct scratch *scratch = *state;
    struct ch_vault *vault = NULL;
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", scratch_path(scratch, "vault"));
    assert_int_equal(ch_vault_open(path, true, &vault, NULL), CH_OK);
    uint64_t number = 1;
    for (unsigned nth = 1;; nth++, number++) {
        uint8_t key[CH_VAULT_KEY_BYTES] = {(uint8_t)number, 1};
        assert_int_equal(ch_vault_put(vault, number, key, NULL), CH_OK);
        fault.hits = 0;
        fault.with = nth % 2 == 0 ? EIO : ENOSPC;
        fault.countdown = nth;
        enum ch_err err = ch_vault_sync(vault, NULL);
        fault.countdown = 0;
        if (fault.hits == 0) break;
        assert_int_equal(err, nth % 2 == 0 ? CH_ERR_VAULT_IO : CH_ERR_STORAGE_FULL);
    }
    assert_true(number > 2); /* write and sync were met */
    ch_vault_close(vault);
    assert_int_equal(ch_vault_open(path, false, &vault, NULL), CH_OK);
    for (uint64_t i = 1; i <= number; i++) {
        uint8_t key[CH_VAULT_KEY_BYTES] = {0};
        assert_int_equal(ch_vault_get(vault, i, key), CH_VAULT_PRESENT);
        assert_int_equal(key[0], i);
    }
    ch_vault_close(vault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_commit_in_which_any_call_fails_says_stop_and_recovery_finds_a_whole_log),
        SCRATCH_TEST(a_full_disk_changes_nothing_and_the_log_goes_on_when_there_is_room),
        SCRATCH_TEST(a_file_system_that_cannot_allocate_ahead_is_used_all_the_same),
        SCRATCH_TEST(what_a_failed_vault_sync_did_not_write_is_written_by_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
