/* bare_log: see bare_log.h. SPDX-License-Identifier: MIT */
#include "tools/bench/bare_log.h"

#include "schema/base/check.h"

/* Only address space; a run of a minute at the highest rate measured stays below it. */
static const size_t map_bytes = (size_t)64 << 30;

static enum ch_err fail_mdb(struct ch_why *why, int code, const char *doing)
{
    return ch_fail(why, CH_ERR_LOG_IO, code, "%s: %s", doing, mdb_strerror(code));
}

enum ch_err ch_bare_log_open(struct ch_bare_log *ret, const char *dir, struct ch_why *why)
{
    struct ch_bare_log log = {0};
    int code = mdb_env_create(&log.env);
    if (code == 0) code = mdb_env_set_mapsize(log.env, map_bytes);
    if (code == 0) code = mdb_env_set_maxdbs(log.env, 1);
    if (code == 0) code = mdb_env_open(log.env, dir, /* flags= */ 0, 0600);
    if (code == 0) code = mdb_txn_begin(log.env, NULL, /* flags= */ 0, &log.txn);
    if (code == 0) code = mdb_dbi_open(log.txn, "events", MDB_CREATE, &log.events);
    if (code == 0) {
        code = mdb_txn_commit(log.txn);
        log.txn = NULL;
    }
    if (code != 0) {
        ch_bare_log_close(&log);
        return fail_mdb(why, code, dir);
    }
    *ret = log;
    return CH_OK;
}

void ch_bare_log_close(struct ch_bare_log *log)
{
    if (log == NULL || log->env == NULL) return;
    if (log->txn != NULL) mdb_txn_abort(log->txn);
    mdb_env_close(log->env);
    *log = (struct ch_bare_log){0};
}

enum ch_err ch_bare_log_append(struct ch_bare_log *log, struct ch_bytes record, struct ch_why *why)
{
    int code = 0;
    if (log->txn == NULL) code = mdb_txn_begin(log->env, NULL, /* flags= */ 0, &log->txn);
    if (code != 0) return fail_mdb(why, code, "mdb_txn_begin");
    uint8_t seq[8];
    ch_put_be64(seq, log->next_seq);
    MDB_val key = {.mv_size = sizeof seq, .mv_data = seq};
    MDB_val value = {.mv_size = record.len, .mv_data = (void *)(uintptr_t)record.ptr};
    code = mdb_put(log->txn, log->events, &key, &value, MDB_APPEND);
    if (code != 0) return fail_mdb(why, code, "mdb_put");
    log->next_seq++;
    return CH_OK;
}

enum ch_err ch_bare_log_commit(struct ch_bare_log *log, struct ch_why *why)
{
    CH_CHECK(log->txn != NULL);
    int code = mdb_txn_commit(log->txn);
    log->txn = NULL; /* freed whatever the result */
    return code == 0 ? CH_OK : fail_mdb(why, code, "mdb_txn_commit");
}
