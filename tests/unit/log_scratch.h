/* log_scratch: directories, records, a naive tree and a forger's hand for the tests of daemon/log.
 * SPDX-License-Identifier: MIT
 * Record contents follow from a seed and the seq alone, so a test keeps none of them. */
#ifndef CH_TEST_LOG_SCRATCH_H
#define CH_TEST_LOG_SCRATCH_H
#include "daemon/log/evlog.h"
#include "daemon/log/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_RECORD_BYTES = 320 };

struct scratch {
    char dir[PATH_MAX / 4];
};

static inline int scratch_remove_one(const char *path, const struct stat *info, int kind,
                                     struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void scratch_make(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    int len = snprintf(scratch->dir, sizeof scratch->dir, "%s/charterd-log-XXXXXX",
                       base == NULL ? P_tmpdir : base);
    assert_true(len > 0 && (size_t)len < sizeof scratch->dir);
    assert_non_null(mkdtemp(scratch->dir));
}

static inline void scratch_remove(struct scratch *scratch)
{
    (void)nftw(scratch->dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A directory for each test, which gets it as its state. */
static inline int scratch_set_up(void **state)
{
    static struct scratch scratch;
    scratch_make(&scratch);
    *state = &scratch;
    return 0;
}

static inline int scratch_tear_down(void **state)
{
    scratch_remove(*state);
    return 0;
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

/* The path of a file in the directory; lives until the next call. */
static inline const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", scratch->dir, name);
    assert_true(len > 0 && (size_t)len < sizeof path);
    return path;
}

/* A whole file; the caller frees. */
static inline uint8_t *scratch_read(const struct scratch *scratch, const char *name, size_t *ret)
{
    FILE *file = fopen(scratch_path(scratch, name), "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, len, file), len);
    (void)fclose(file);
    *ret = len;
    return bytes;
}

static inline void scratch_write(const struct scratch *scratch, const char *name,
                                 const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(scratch_path(scratch, name), "wb");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* splitmix64 */
static inline uint64_t scratch_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Record `seq` of the log with this seed: 1 to 320 bytes. */
static inline struct ch_bytes scratch_record(uint64_t seed, uint64_t seq,
                                             uint8_t room[SCRATCH_RECORD_BYTES])
{
    uint64_t state = seed ^ seq << 20;
    size_t len = 1 + (size_t)(scratch_random(&state) % SCRATCH_RECORD_BYTES);
    for (size_t i = 0; i < len; i++) {
        room[i] = (uint8_t)scratch_random(&state);
    }
    return (struct ch_bytes){.ptr = room, .len = len};
}

static inline struct ch_evlog *scratch_open(const struct scratch *scratch, uint64_t map_bytes)
{
    struct ch_evlog_options options = {.map_bytes = map_bytes, .step_bytes = 1 << 20};
    struct ch_evlog *log = NULL;
    struct ch_why why = {0};
    if (ch_evlog_open(scratch->dir, &options, &log, &why) != CH_OK) fail_msg("%s", why.text);
    return log;
}

/* Opens and expects this failure; the text of it lives until the next call. */
static inline const char *scratch_refuse(const struct scratch *scratch, bool accept_loss,
                                         enum ch_err expected)
{
    static struct ch_why why;
    struct ch_evlog_options options = {
        .map_bytes = 64 << 20, .step_bytes = 1 << 20, .accept_loss = accept_loss};
    struct ch_evlog *log = NULL;
    why = (struct ch_why){0};
    enum ch_err err = ch_evlog_open(scratch->dir, &options, &log, &why);
    ch_evlog_close(log);
    if (err != expected) fail_msg("opened with %s: %s", ch_err_code(err), why.text);
    return why.text;
}

/* Puts a value into a table of the log's file, or takes it out (NULL), as somebody with the disk in
 * hand would. The log must be closed. */
static inline void scratch_tamper(const struct scratch *scratch, const char *table, MDB_val key,
                                  const MDB_val *value)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
    assert_int_equal(mdb_env_open(env, scratch_path(scratch, "log.mdb"), MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
    if (value == NULL) {
        assert_int_equal(mdb_del(txn, dbi, &key, NULL), 0);
    } else {
        MDB_val put = *value;
        assert_int_equal(mdb_put(txn, dbi, &key, &put, 0), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* Appends the next `count` records of the seed. */
static inline enum ch_err scratch_append(struct ch_evlog *log, uint64_t seed, size_t count,
                                         struct ch_why *why)
{
    uint64_t first = ch_evlog_end(log)->seq + 1;
    uint8_t(*rooms)[SCRATCH_RECORD_BYTES] = malloc(count * sizeof *rooms);
    struct ch_bytes *records = malloc(count * sizeof *records);
    assert_non_null(rooms);
    assert_non_null(records);
    for (size_t i = 0; i < count; i++) {
        records[i] = scratch_record(seed, first + i, rooms[i]);
    }
    enum ch_err err = ch_evlog_append(log, first, records, count, 1000 * first, why);
    free(records);
    free(rooms);
    return err;
}

/* The definition of RFC 6962, word for word. */
static inline void scratch_naive_root(struct ch_hasher *hasher, const struct ch_hash *leaves,
                                      size_t count, struct ch_hash *ret)
{
    if (count == 0) {
        ch_hasher_sum(hasher, (struct ch_bytes){0}, ret);
        return;
    }
    if (count == 1) {
        *ret = leaves[0];
        return;
    }
    size_t left = 1;
    while (left * 2 < count) {
        left *= 2;
    }
    uint8_t both[1 + 2 * CH_HASH_BYTES] = {0x01};
    struct ch_hash hash;
    scratch_naive_root(hasher, leaves, left, &hash);
    memcpy(both + 1, hash.bytes, CH_HASH_BYTES);
    scratch_naive_root(hasher, leaves + left, count - left, &hash);
    memcpy(both + 1 + CH_HASH_BYTES, hash.bytes, CH_HASH_BYTES);
    ch_hasher_sum(hasher, (struct ch_bytes){.ptr = both, .len = sizeof both}, ret);
}

/* The root of the first `count` records of the seed. */
static inline struct ch_hash scratch_root(uint64_t seed, size_t count)
{
    struct ch_hasher hasher;
    assert_int_equal(ch_hasher_init(&hasher, NULL), CH_OK);
    struct ch_hash *leaves = malloc((count + 1) * sizeof *leaves);
    assert_non_null(leaves);
    for (size_t i = 0; i < count; i++) {
        uint8_t room[1 + SCRATCH_RECORD_BYTES] = {0x00};
        struct ch_bytes record = scratch_record(seed, i + 1, room + 1);
        ch_hasher_sum(&hasher, (struct ch_bytes){.ptr = room, .len = 1 + record.len}, &leaves[i]);
    }
    struct ch_hash root;
    scratch_naive_root(&hasher, leaves, count, &root);
    free(leaves);
    ch_hasher_deinit(&hasher);
    return root;
}

static inline void scratch_check_root(const struct ch_evlog *log, uint64_t seed, uint64_t seq)
{
    struct ch_hash root = scratch_root(seed, (size_t)seq);
    assert_int_equal(ch_evlog_end(log)->seq, seq);
    assert_memory_equal(ch_evlog_end(log)->root.bytes, root.bytes, CH_HASH_BYTES);
}
#endif
