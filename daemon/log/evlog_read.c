/* evlog_read: a log that is only read; see evlog.h. SPDX-License-Identifier: MIT
 * For verifying: nothing of the directory is changed. */
#include "daemon/log/evlog_impl.h"
#include "schema/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* With LMDB's table of readers where there is one, since a daemon may be at work; without it
 * nothing is made beside the log. */
static enum ch_err open_env(struct ch_evlog *log, const char *dir, struct ch_why *why)
{
    char path[PATH_MAX];
    char lock[PATH_MAX];
    const int len = snprintf(path, sizeof path, "%s/log.mdb", dir);
    const int lock_len = snprintf(lock, sizeof lock, "%s/log.mdb-lock", dir);
    if (len < 0 || (size_t)len >= sizeof path || lock_len < 0 || (size_t)lock_len >= sizeof lock) {
        return ch_fail(why, CH_ERR_FILE_IO, ENAMETOOLONG, "%s", dir);
    }
    if (access(path, R_OK) != 0) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", path, strerror(errno));
    }
    const unsigned alone = access(lock, R_OK | W_OK) == 0 ? 0 : MDB_NOLOCK;
    int code = mdb_env_create(&log->env);
    if (code == 0) code = mdb_env_set_maxdbs(log->env, 8);
    if (code == 0) {
        code = mdb_env_open(log->env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | alone, 0600);
    }
    if (code != 0) return ch_evlog_fail_read(why, code, path);
    return ch_evlog_check_length(log->env, path, why);
}

static enum ch_err open_tables(struct ch_evlog *log, struct ch_why *why)
{
    static const char format[] = "charterd log 1";
    char name[] = "format";
    MDB_val key = {.mv_size = sizeof name - 1, .mv_data = name};
    MDB_val value = {0};
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (code == 0) code = mdb_dbi_open(txn, "meta", 0, &log->meta);
    if (code == 0) code = mdb_dbi_open(txn, "events", 0, &log->events);
    if (code == 0) code = mdb_dbi_open(txn, "tiles", 0, &log->tiles_table);
    if (code == 0) code = mdb_dbi_open(txn, "checkpoints", 0, &log->checkpoints);
    if (code == 0) code = mdb_stat(txn, log->meta, &stat);
    if (code == 0) code = mdb_get(txn, log->meta, &key, &value);
    const bool good = code == 0 && stat.ms_entries == 1 && value.mv_size == sizeof format - 1 &&
                      memcmp(value.mv_data, format, sizeof format - 1) == 0;
    if (good) code = mdb_txn_commit(txn); /* keeps the tables open */
    if (!good && txn != NULL) mdb_txn_abort(txn);
    if (code == MDB_NOTFOUND) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, code, "a table of the log is missing");
    }
    if (code != 0) return ch_evlog_fail_read(why, code, "open the tables of the log");
    if (good) return CH_OK;
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the log's format is not \"%s\"", format);
}

enum ch_err ch_evlog_open_read(const char *dir, struct ch_evlog **ret, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    struct ch_evlog *log = calloc(1, sizeof *log);
    if (log == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "event log handle");
    log->lock_fd = log->head.fd = -1;
    log->broken = true; /* nothing is appended */
    log->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dir_fd < 0) {
        err = ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", dir, strerror(errno));
    }
    if (err == CH_OK) err = ch_hasher_init(&log->hasher, why);
    if (err == CH_OK) err = open_env(log, dir, why);
    if (err == CH_OK) err = open_tables(log, why);
    if (err != CH_OK) {
        ch_evlog_close(log);
        return err;
    }
    *ret = log;
    return CH_OK;
}

enum ch_err ch_evlog_count(struct ch_evlog *log, struct ch_evlog_counts *ret, struct ch_why *why)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_stat events;
    MDB_stat tiles;
    MDB_stat checkpoints;
    MDB_val key = {0};
    MDB_val value = {0};
    enum ch_err err = CH_OK;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the log");
    code = mdb_stat(txn, log->events, &events);
    if (code == 0) code = mdb_stat(txn, log->tiles_table, &tiles);
    if (code == 0) code = mdb_stat(txn, log->checkpoints, &checkpoints);
    if (code == 0) code = mdb_cursor_open(txn, log->events, &cursor);
    if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (code == 0 || code == MDB_NOTFOUND) {
        *ret = (struct ch_evlog_counts){
            .last = code == 0 && key.mv_size == CH_SEQ_KEY_BYTES ? ch_get_be64(key.mv_data) : 0,
            .events = events.ms_entries,
            .tiles = tiles.ms_entries,
            .checkpoints = checkpoints.ms_entries};
    } else {
        err = ch_evlog_fail_read(why, code, "count what the log has");
    }
    if (cursor != NULL) mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return err;
}

static enum ch_err check_key(MDB_val key, uint64_t expected, uint64_t *ret_seq, struct ch_why *why)
{
    *ret_seq = 0;
    if (key.mv_size != CH_SEQ_KEY_BYTES) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "something with a key of %zu bytes stands before record %" PRIu64
                       ": it is no record",
                       key.mv_size, expected);
    }
    const uint64_t seq = ch_get_be64(key.mv_data);
    if (seq == expected) return CH_OK;
    if (seq == 0) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "something with the number 0 stands before record %" PRIu64
                       ": it is no record",
                       expected);
    }
    *ret_seq = expected;
    if (seq < expected) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "record %" PRIu64 " is missing: in its place stands something with the "
                       "number %" PRIu64,
                       expected, seq);
    }
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                   "record %" PRIu64 " is missing: the next there is is %" PRIu64, expected, seq);
}

enum ch_err ch_evlog_check_keys(struct ch_evlog *log, uint64_t *ret_seq, struct ch_why *why)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key = {0};
    MDB_val value = {0};
    enum ch_err err = CH_OK;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the log");
    code = mdb_cursor_open(txn, log->events, &cursor);
    for (uint64_t expected = 1; code == 0 && err == CH_OK; expected++) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (code == 0) err = check_key(key, expected, ret_seq, why);
    }
    if (cursor != NULL) mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return code == 0 || code == MDB_NOTFOUND ? err : ch_evlog_fail_read(why, code, "read the log");
}

enum ch_err ch_evlog_read_head(const struct ch_evlog *log, struct ch_log_end *ret, bool *ret_found,
                               struct ch_why *why)
{
    return ch_head_read(log->dir_fd, "head", ret, ret_found, why);
}

enum ch_err ch_evlog_look_at_head(const struct ch_evlog *log, struct ch_head_look *ret,
                                  struct ch_why *why)
{
    return ch_head_look(log->dir_fd, "head", ret, why);
}
