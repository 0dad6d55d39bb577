/* scan: see scan.h. SPDX-License-Identifier: MIT */
#include "tools/bench/scan.h"

#include <lmdb.h>
#include <stdio.h>

/* As hasher.c: without the cost of EVP. */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

#include "tools/bench/interrupt.h"
#include "tools/bench/workdir.h"

enum { LOOK_EVERY = 65536, CHECKSUM_BYTES = 4 };

/* One byte of the hash, so that it is made. */
static uint8_t hash_leaf(const void *record, size_t len)
{
    static const uint8_t leaf = 0;
    uint8_t hash[SHA256_DIGEST_LENGTH] = {0};
    SHA256_CTX context;
    if (SHA256_Init(&context) != 1 || SHA256_Update(&context, &leaf, sizeof leaf) != 1 ||
        SHA256_Update(&context, record, len) != 1 || SHA256_Final(hash, &context) != 1) {
        return 0;
    }
    return hash[0];
}

static uint8_t touch(const uint8_t *record, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum ^= record[i];
    }
    return sum;
}

static int go(struct ch_scan *scan, MDB_txn *txn)
{
    MDB_dbi events;
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    volatile uint8_t sink = 0; /* the work is not to be left out */
    int code = mdb_dbi_open(txn, "events", 0, &events);
    if (code == 0) code = mdb_cursor_open(txn, events, &cursor);
    if (code != 0) return code;
    while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        const size_t len = value.mv_size < CHECKSUM_BYTES ? 0 : value.mv_size - CHECKSUM_BYTES;
        scan->records++;
        scan->bytes += value.mv_size;
        sink = (uint8_t)(sink ^
                         (scan->hash ? hash_leaf(value.mv_data, len) : touch(value.mv_data, len)));
        if (scan->records % LOOK_EVERY == 0 && ch_interrupt_seen()) break;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

enum ch_err ch_scan_run(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct ch_scan *scan = context;
    char path[CH_WORKDIR_NAME_BYTES + 16];
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    scan->records = 0;
    scan->bytes = 0;
    (void)snprintf(path, sizeof path, "%s/log.mdb", scan->dir);
    enum ch_err err = CH_OK;
    int code = mdb_env_create(&env);
    if (code == 0) code = mdb_env_set_maxdbs(env, 1);
    if (code == 0) code = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY, 0600);
    if (code == 0) code = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    const uint64_t began_ns = ch_interrupt_now_ns();
    if (code == 0) code = go(scan, txn);
    const double seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    if (code != 0) {
        err = ch_fail(why, CH_ERR_LOG_IO, code, "%s: %s", path, mdb_strerror(code));
    } else if (ch_interrupt_seen()) {
        err = ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
    } else {
        ret->per_second = (double)scan->records / seconds;
    }
    if (txn != NULL) mdb_txn_abort(txn);
    mdb_env_close(env);
    return err;
}
