/* bare_log: an LMDB file of records and nothing else. SPDX-License-Identifier: MIT
 * The least that a durable append costs with LMDB: big-endian sequence number -> bytes, MDB_APPEND,
 * durable default flags; no checksum, no tree, no index, no schema. A record is a limit to compare
 * with, never a file that charterd reads. Threads: one at a time. */
#ifndef CH_BENCH_BARE_LOG_H
#define CH_BENCH_BARE_LOG_H
#include <lmdb.h>
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_bare_log {
    MDB_env *env;
    MDB_dbi events;
    MDB_txn *txn; /* NULL: no batch open */
    uint64_t next_seq;
};

/* Opens an empty log in an existing empty directory.
 * errors: CH_ERR_LOG_IO (code = mdb) */
CH_MUST_USE enum ch_err ch_bare_log_open(struct ch_bare_log *ret, const char *dir,
                                         struct ch_why *why);
void ch_bare_log_close(struct ch_bare_log *log); /* drops an open batch; NULL and zeroed: no-ops */

/* Appends to the open batch; begins one if there is none. */
CH_MUST_USE enum ch_err ch_bare_log_append(struct ch_bare_log *log, struct ch_bytes record,
                                           struct ch_why *why);

/* Makes the batch durable. After a failure only ch_bare_log_close may follow. */
CH_MUST_USE enum ch_err ch_bare_log_commit(struct ch_bare_log *log, struct ch_why *why);
#endif
