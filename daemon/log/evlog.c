/* evlog: see evlog.h. Appending; opening and closing are in evlog_open.c and evlog_recover.c.
 * SPDX-License-Identifier: MIT */
#include "daemon/log/evlog.h"

#include "daemon/log/crc.h"
#include "daemon/log/evlog_impl.h"
#include "schema/base/check.h"

#include <errno.h>

/* What a batch can need of the map, and more. A node of `events` is 8 bytes of header, 8 of key, 4
 * of checksum, 2 of page index, rounded: 24. Pages are at worst half full (records of just above
 * half a page). A tile takes 3 pages in 256 events: 48 bytes an event. */
enum {
    ROOM_EVENT_BYTES = 2 * 24 + 48,
    ROOM_FILL = 2,
    ROOM_PAGES = 64, /* copied paths of the trees, free list, the higher tiles */
};

enum ch_err ch_evlog_fail_read(struct ch_why *why, int code, const char *what)
{
    enum ch_err err = CH_ERR_LOG_IO;
    if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
        code == MDB_VERSION_MISMATCH || code == MDB_INCOMPATIBLE || code == MDB_BAD_VALSIZE) {
        err = CH_ERR_LOG_CORRUPT;
    }
    if (code == ENOMEM) err = CH_ERR_NO_MEMORY;
    return ch_fail(why, err, code, "%s: %s", what, mdb_strerror(code));
}

enum ch_err ch_evlog_fail_broken(struct ch_evlog *log, int code, const char *what,
                                 struct ch_why *why)
{
    log->broken = true;
    return ch_fail(why, CH_ERR_COMMIT_FAILED, code, "%s: %s", what, mdb_strerror(code));
}

enum ch_err ch_evlog_fail_before(struct ch_evlog *log, int code, const char *what,
                                 struct ch_why *why)
{
    if (code == MDB_MAP_FULL) {
        return ch_fail(why, CH_ERR_STORAGE_FULL, code, "%s: %s", what, mdb_strerror(code));
    }
    if (code == ENOMEM) return ch_fail(why, CH_ERR_NO_MEMORY, code, "%s", what);
    return ch_evlog_fail_broken(log, code, what, why);
}

static int put_event(MDB_cursor *cursor, uint64_t seq, struct ch_bytes record)
{
    uint8_t place[CH_SEQ_KEY_BYTES];
    ch_put_be64(place, seq);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {.mv_size = record.len + CH_CRC_BYTES};
    int code = mdb_cursor_put(cursor, &key, &value, MDB_APPEND | MDB_RESERVE);
    if (code != 0) return code;
    uint8_t *bytes = value.mv_data;
    memcpy(bytes, record.ptr, record.len);
    ch_put_le32(bytes + record.len, ch_crc_record(seq, record));
    return 0;
}

static int put_batch(struct ch_evlog *log, MDB_txn *txn, uint64_t first_seq,
                     const struct ch_bytes *records, size_t count)
{
    MDB_cursor *cursor = NULL;
    int code = mdb_cursor_open(txn, log->events, &cursor);
    if (code != 0) return code;
    struct ch_tile_sink sink = {.txn = txn, .table = log->tiles_table};
    for (size_t i = 0; i < count && code == 0; i++) {
        CH_CHECK(records[i].len > 0);
        struct ch_hash leaf;
        ch_merkle_leaf(&log->hasher, records[i], &leaf);
        ch_tiles_push(log->next, &log->hasher, &leaf, &sink);
        code = sink.code != 0 ? sink.code : put_event(cursor, first_seq + i, records[i]);
    }
    mdb_cursor_close(cursor);
    return code;
}

static uint64_t batch_bytes(const struct ch_bytes *records, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += records[i].len;
    }
    return bytes;
}

enum ch_err ch_evlog_append(struct ch_evlog *log, uint64_t first_seq,
                            const struct ch_bytes *records, size_t count, uint64_t at_ns,
                            struct ch_why *why)
{
    if (log->broken) {
        return ch_fail(why, CH_ERR_COMMIT_FAILED, 0, "an earlier commit failed");
    }
    CH_CHECK(first_seq == log->end.seq + 1);
    if (count == 0) return CH_OK;
    enum ch_err err = ch_evlog_room(log, batch_bytes(records, count), count, why);
    if (err != CH_OK) return err;

    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (code != 0) return ch_evlog_fail_before(log, code, "mdb_txn_begin", why);
    ch_tiles_copy(log->next, log->tree);
    code = put_batch(log, txn, first_seq, records, count);
    if (code != 0) {
        mdb_txn_abort(txn);
        return ch_evlog_fail_before(log, code, "append", why);
    }
    code = mdb_txn_commit(txn);
    if (code != 0) return ch_evlog_fail_broken(log, code, "mdb_txn_commit", why);

    struct ch_tiles *made = log->next;
    log->next = log->tree;
    log->tree = made;
    CH_CHECK(made->range.size == log->end.seq + count);
    log->end.seq += count;
    log->end.at_ns = at_ns;
    ch_merkle_root(&made->range, &log->hasher, &log->end.root);
    struct ch_why head_why = {0};
    if (ch_head_write(&log->head, &log->end, &head_why) != CH_OK) {
        return ch_evlog_fail_broken(log, head_why.code, "overwrite the head file", why);
    }
    return CH_OK;
}

enum ch_err ch_evlog_room(struct ch_evlog *log, uint64_t bytes, uint64_t count, struct ch_why *why)
{
    uint64_t used = ch_evlog_bytes(log);
    uint64_t more = ROOM_FILL * bytes + ROOM_EVENT_BYTES * count + ROOM_PAGES * log->page_bytes;
    if (used + more > log->room.limit_bytes) {
        return ch_fail(why, CH_ERR_STORAGE_FULL, 0,
                       "the log has %llu of %llu bytes, and the batch may need %llu",
                       (unsigned long long)used, (unsigned long long)log->room.limit_bytes,
                       (unsigned long long)more);
    }
    return ch_room_reserve(&log->room, used, more, why);
}

void ch_evlog_room_ahead(struct ch_evlog *log)
{
    ch_room_ahead(&log->room, ch_evlog_bytes(log));
}

enum ch_err ch_evlog_sync_head(struct ch_evlog *log, struct ch_why *why)
{
    return ch_head_sync(&log->head, why);
}

const struct ch_log_end *ch_evlog_end(const struct ch_evlog *log)
{
    return &log->end;
}

uint64_t ch_evlog_lost_events(const struct ch_evlog *log)
{
    return log->lost_events;
}

uint64_t ch_evlog_mended(const struct ch_evlog *log)
{
    return log->mended;
}

uint64_t ch_evlog_commits(const struct ch_evlog *log)
{
    MDB_envinfo info;
    CH_CHECK(mdb_env_info(log->env, &info) == 0);
    return info.me_last_txnid;
}

uint64_t ch_evlog_bytes(const struct ch_evlog *log)
{
    MDB_envinfo info;
    CH_CHECK(mdb_env_info(log->env, &info) == 0);
    return ((uint64_t)info.me_last_pgno + 1) * log->page_bytes;
}
