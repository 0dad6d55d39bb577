/* evlog_recover: what the log on disk holds, found out at open; see evlog.h.
 * SPDX-License-Identifier: MIT
 * The last up to 255 records are read and hashed; the rest of the tree comes from stored tiles. */
#include "daemon/log/crc.h"
#include "daemon/log/evlog_impl.h"
#include "schema/base/check.h"

#include <inttypes.h>

static enum ch_err fail_short(uint64_t seq, size_t size, struct ch_why *why)
{
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " has only %zu bytes", seq, size);
}

static enum ch_err fail_sum(uint64_t seq, struct ch_why *why)
{
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " does not match its checksum",
                   seq);
}

enum ch_err ch_evlog_unpack(uint64_t seq, MDB_val value, struct ch_bytes *ret, struct ch_why *why)
{
    if (value.mv_size <= CH_CRC_BYTES) return fail_short(seq, value.mv_size, why);
    const struct ch_bytes record = {value.mv_data, value.mv_size - CH_CRC_BYTES};
    if (ch_get_le32(record.ptr + record.len) != ch_crc_record(seq, record)) {
        return fail_sum(seq, why);
    }
    *ret = record;
    return CH_OK;
}

enum ch_err ch_evlog_unpack_row(struct ch_bytes row, struct ch_bytes *ret, struct ch_why *why)
{
    const uint64_t seq = ch_get_be64(row.ptr);
    const size_t size = row.len - CH_SEQ_KEY_BYTES;
    if (size <= CH_CRC_BYTES) return fail_short(seq, size, why);
    const struct ch_bytes covered = {row.ptr, row.len - CH_CRC_BYTES};
    if (ch_get_le32(covered.ptr + covered.len) != ch_crc(covered)) return fail_sum(seq, why);
    *ret = (struct ch_bytes){row.ptr + CH_SEQ_KEY_BYTES, size - CH_CRC_BYTES};
    return CH_OK;
}

/* Seqs start at 1 and have no gap: so the last key is how many there are. */
static enum ch_err find_last(struct ch_evlog *log, MDB_txn *txn, MDB_cursor *cursor,
                             uint64_t *ret_seq, struct ch_why *why)
{
    MDB_stat stat;
    MDB_val key = {0};
    MDB_val value = {0};
    uint64_t seq = 0;
    int code = mdb_stat(txn, log->events, &stat);
    if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    if (code != 0 && code != MDB_NOTFOUND) return ch_evlog_fail_read(why, code, "last record");
    if (code == 0) {
        if (key.mv_size != CH_SEQ_KEY_BYTES) {
            return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the last record's key has %zu bytes",
                           key.mv_size);
        }
        seq = ch_get_be64(key.mv_data);
    }
    if (stat.ms_entries != seq) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "the last record is %" PRIu64 ", but there are %zu: one is missing, or one "
                       "does not belong there",
                       seq, stat.ms_entries);
    }
    code = mdb_stat(txn, log->tiles_table, &stat);
    if (code != 0) return ch_evlog_fail_read(why, code, "tiles");
    log->doubt = stat.ms_entries != ch_tiles_stored(seq);
    *ret_seq = seq;
    return CH_OK;
}

static enum ch_err hash_tail(struct ch_evlog *log, MDB_cursor *cursor, uint64_t last,
                             struct ch_why *why)
{
    struct ch_tile_sink sink = {0}; /* nothing becomes full */
    for (uint64_t seq = log->tree->range.size + 1; seq <= last; seq++) {
        uint8_t place[CH_SEQ_KEY_BYTES];
        ch_put_be64(place, seq);
        MDB_val key = {.mv_size = sizeof place, .mv_data = place};
        MDB_val value = {0};
        int code = mdb_cursor_get(cursor, &key, &value, MDB_SET);
        if (code == MDB_NOTFOUND) {
            return ch_fail(why, CH_ERR_LOG_CORRUPT, code, "record %" PRIu64 " is missing", seq);
        }
        if (code != 0) return ch_evlog_fail_read(why, code, "last records");
        struct ch_bytes record = {0};
        enum ch_err err = ch_evlog_unpack(seq, value, &record, why);
        if (err != CH_OK) return err;
        struct ch_hash leaf;
        ch_merkle_leaf(&log->hasher, record, &leaf);
        ch_tiles_push(log->tree, &log->hasher, &leaf, &sink);
    }
    return CH_OK;
}

enum ch_err ch_evlog_recover(struct ch_evlog *log, struct ch_why *why)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    uint64_t last = 0;
    enum ch_err err = CH_OK;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (code == 0) code = mdb_cursor_open(txn, log->events, &cursor);
    if (code != 0) {
        err = ch_evlog_fail_read(why, code, "read the log");
        goto out;
    }
    err = find_last(log, txn, cursor, &last, why);
    if (err != CH_OK) goto out;
    log->end.seq = last;
    if (log->doubt) goto out;
    err = ch_tiles_load(log->tree, &log->hasher, txn, log->tiles_table, last - last % CH_TILE_WIDTH,
                        why);
    if (err == CH_ERR_LOG_CORRUPT) { /* a tile is not there, or is none */
        log->doubt = true;
        err = CH_OK;
        goto out;
    }
    if (err != CH_OK) goto out;
    err = hash_tail(log, cursor, last, why);
    if (err != CH_OK) goto out;
    ch_merkle_root(&log->tree->range, &log->hasher, &log->end.root);
out:
    if (cursor != NULL) mdb_cursor_close(cursor);
    if (txn != NULL) mdb_txn_abort(txn);
    return err;
}

/* Before the head file may be made anew from a tree that is in doubt. */
static enum ch_err settle_doubt(struct ch_evlog *log, bool accept_loss, struct ch_why *why)
{
    struct ch_log_end said;
    bool found = false;
    if (!log->doubt) return CH_OK;
    enum ch_err err = ch_head_read(log->dir_fd, "head", &said, &found, why);
    if (err != CH_OK) return err;
    const bool reached = found && said.seq <= log->end.seq;
    const bool begun = found || log->end.seq > 0;        /* else there was no log yet */
    if (!reached && begun && !accept_loss) return CH_OK; /* it is refused next, as it is */
    return ch_evlog_mend(log, reached && said.seq > 0 ? &said : NULL, why);
}

enum ch_err ch_evlog_check_head(struct ch_evlog *log, bool accept_loss, struct ch_why *why)
{
    enum ch_err err = settle_doubt(log, accept_loss, why);
    if (err != CH_OK) return err;
    struct ch_log_end said = log->end;
    err =
        ch_head_open(&log->head, log->dir_fd, "head", accept_loss || log->end.seq == 0, &said, why);
    if (err != CH_OK) return err;
    log->end.at_ns = said.at_ns;
    if (said.seq < log->end.seq) return CH_OK; /* it is not synced with each batch */
    if (said.seq == log->end.seq) {
        if (ch_hash_equal(&said.root, &log->end.root)) return CH_OK;
        return ch_evlog_mend(log, &said, why);
    }
    log->lost_events = said.seq - log->end.seq;
    if (!accept_loss) {
        return ch_fail(why, CH_ERR_LOG_BEHIND, 0,
                       "the log ends with %" PRIu64 ", but %" PRIu64 " was acknowledged",
                       log->end.seq, said.seq);
    }
    err = ch_head_write(&log->head, &log->end, why);
    return err != CH_OK ? err : ch_head_sync(&log->head, why);
}
