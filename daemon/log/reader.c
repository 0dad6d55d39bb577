/* reader: see reader.h. SPDX-License-Identifier: MIT */
#include "daemon/log/reader.h"

#include "daemon/log/evlog_impl.h"
#include "schema/base/buf.h"
#include "schema/base/check.h"

#include <inttypes.h>
#include <stdlib.h>

/* A block stays in the processor's second cache between the copy and the use. */
enum { BLOCK_RECORDS = CH_READER_SOME, BLOCK_BYTES = 128 << 10 };

struct ch_reader {
    struct ch_evlog *log; /* borrowed */
    MDB_txn *txn;         /* reset between calls */
    MDB_cursor *cursor;
    uint64_t place;     /* seq of the scan's next record */
    struct ch_buf copy; /* the block's rows, one behind the other: a key and its value each */
    size_t ends[BLOCK_RECORDS];
    struct ch_bytes records[BLOCK_RECORDS]; /* in the copy, once it is checked */
    uint64_t first;                         /* seq of the block's first record */
    size_t count;                           /* records in the block */
};

enum ch_err ch_reader_open(struct ch_evlog *log, struct ch_reader **ret, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    struct ch_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "log reader");
    reader->log = log;
    reader->place = 1;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &reader->txn);
    if (code == 0) code = mdb_cursor_open(reader->txn, log->events, &reader->cursor);
    if (code != 0) {
        err = ch_evlog_fail_read(why, code, "open a reader");
        goto out;
    }
    mdb_txn_reset(reader->txn);
    *ret = reader;
    reader = NULL; /* given to the caller */
out:
    ch_reader_close(reader);
    return err;
}

void ch_reader_close(struct ch_reader *reader)
{
    if (reader == NULL) return;
    if (reader->cursor != NULL) mdb_cursor_close(reader->cursor);
    if (reader->txn != NULL) mdb_txn_abort(reader->txn);
    ch_buf_deinit(&reader->copy);
    free(reader);
}

static int begin(struct ch_reader *reader)
{
    int code = mdb_txn_renew(reader->txn);
    if (code != 0) return code;
    code = mdb_cursor_renew(reader->txn, reader->cursor);
    if (code != 0) mdb_txn_reset(reader->txn);
    return code;
}

/* Copies a row behind the others of the block. */
static enum ch_err take(struct ch_reader *reader, uint64_t seq, MDB_val key, MDB_val value,
                        struct ch_why *why)
{
    if (key.mv_size != CH_SEQ_KEY_BYTES || ch_get_be64(key.mv_data) != seq) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " is missing", seq);
    }
    if (!ch_buf_reserve(&reader->copy, CH_SEQ_KEY_BYTES + value.mv_size)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "copy of record %" PRIu64, seq);
    }
    ch_buf_put(&reader->copy, key.mv_data, CH_SEQ_KEY_BYTES);
    ch_buf_put(&reader->copy, value.mv_data, value.mv_size);
    reader->ends[reader->count++] = reader->copy.len;
    return CH_OK;
}

/* Checks the copies, when all are there: the processor waits for what it reads while it writes it.
 * The block ends before the first bad one; the failure is of the first row. */
static enum ch_err check(struct ch_reader *reader, struct ch_why *why)
{
    const size_t count = reader->count;
    size_t start = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ch_bytes row = {reader->copy.ptr + start, reader->ends[i] - start};
        reader->count = i;
        enum ch_err err = ch_evlog_unpack_row(row, &reader->records[i], why);
        if (err != CH_OK) return err;
        start = reader->ends[i];
    }
    reader->count = count;
    return CH_OK;
}

/* Reads a block of at most `most` records from `from` on. With a good record before it, a bad one
 * only ends the block: it is met again as the first of the next. */
static enum ch_err fill(struct ch_reader *reader, uint64_t from, size_t most, struct ch_why *why)
{
    ch_buf_reset(&reader->copy);
    reader->first = from;
    reader->count = 0;
    int code = begin(reader);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the log");
    enum ch_err err = CH_OK;
    uint8_t place[CH_SEQ_KEY_BYTES];
    ch_put_be64(place, from);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {0};
    code = mdb_cursor_get(reader->cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0) {
        err = take(reader, from + reader->count, key, value, reader->count > 0 ? NULL : why);
        if (err != CH_OK || reader->count == most || reader->copy.len >= BLOCK_BYTES) break;
        code = mdb_cursor_get(reader->cursor, &key, &value, MDB_NEXT);
    }
    mdb_txn_reset(reader->txn);
    if (reader->count > 0) {
        err = check(reader, why);
        return reader->count > 0 ? CH_OK : err;
    }
    if (code != 0 && code != MDB_NOTFOUND) return ch_evlog_fail_read(why, code, "read the log");
    return err;
}

static struct ch_log_record record_at(const struct ch_reader *reader, uint64_t seq)
{
    return (struct ch_log_record){.seq = seq, .bytes = reader->records[seq - reader->first]};
}

enum ch_err ch_reader_read(struct ch_reader *reader, uint64_t seq, struct ch_log_record *ret,
                           struct ch_why *why)
{
    struct ch_log_record record = {.seq = seq};
    if (seq != 0) {
        enum ch_err err = fill(reader, seq, 1, why);
        if (err != CH_OK) return err;
        if (reader->count > 0) record = record_at(reader, seq);
    }
    *ret = record;
    return CH_OK;
}

enum ch_err ch_reader_read_these(struct ch_reader *reader, const uint64_t *seqs, size_t count,
                                 struct ch_log_record *ret, struct ch_why *why)
{
    CH_CHECK(count <= CH_READER_SOME);
    ch_buf_reset(&reader->copy);
    reader->count = 0;
    int code = begin(reader);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the log");
    enum ch_err err = CH_OK;
    for (size_t i = 0; i < count && err == CH_OK; i++) {
        uint8_t place[CH_SEQ_KEY_BYTES];
        ch_put_be64(place, seqs[i]);
        MDB_val key = {.mv_size = sizeof place, .mv_data = place};
        MDB_val value = {0};
        /* Of keys that lie close together the next is looked for on the same page first. */
        code = mdb_cursor_get(reader->cursor, &key, &value, MDB_SET_RANGE);
        if (code == MDB_NOTFOUND) {
            err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " is missing", seqs[i]);
        } else if (code != 0) {
            err = ch_evlog_fail_read(why, code, "read the log");
        } else {
            err = take(reader, seqs[i], key, value, why);
        }
    }
    mdb_txn_reset(reader->txn);
    if (err == CH_OK) err = check(reader, why);
    for (size_t i = 0; i < count && err == CH_OK; i++) {
        ret[i] = (struct ch_log_record){.seq = seqs[i], .bytes = reader->records[i]};
    }
    reader->count = 0; /* they are no block of a scan */
    return err;
}

void ch_reader_seek(struct ch_reader *reader, uint64_t from_seq)
{
    CH_CHECK(from_seq >= 1);
    reader->place = from_seq;
}

/* How many records of the block are at the scan's place and behind it; reads one if there is none.
 */
static enum ch_err need(struct ch_reader *reader, size_t *ret_left, struct ch_why *why)
{
    if (reader->place < reader->first || reader->place - reader->first >= reader->count) {
        enum ch_err err = fill(reader, reader->place, BLOCK_RECORDS, why);
        if (err != CH_OK) return err;
    }
    *ret_left = reader->count - (size_t)(reader->place - reader->first);
    return CH_OK;
}

enum ch_err ch_reader_next_some(struct ch_reader *reader, struct ch_log_record *ret, size_t most,
                                size_t *ret_count, struct ch_why *why)
{
    size_t left;
    enum ch_err err = need(reader, &left, why);
    if (err != CH_OK) return err;
    const size_t count = left < most ? left : most;
    for (size_t i = 0; i < count; i++) {
        ret[i] = record_at(reader, reader->place++);
    }
    *ret_count = count;
    return CH_OK;
}

enum ch_err ch_reader_next(struct ch_reader *reader, struct ch_log_record *ret, struct ch_why *why)
{
    size_t left;
    enum ch_err err = need(reader, &left, why);
    if (err != CH_OK) return err;
    *ret = left == 0 ? (struct ch_log_record){.seq = reader->place}
                     : record_at(reader, reader->place++);
    return CH_OK;
}

enum ch_err ch_reader_end(struct ch_reader *reader, uint64_t *ret_seq, struct ch_why *why)
{
    int code = begin(reader);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the log");
    MDB_val key = {0};
    MDB_val value = {0};
    code = mdb_cursor_get(reader->cursor, &key, &value, MDB_LAST);
    uint64_t seq = code == 0 && key.mv_size == CH_SEQ_KEY_BYTES ? ch_get_be64(key.mv_data) : 0;
    mdb_txn_reset(reader->txn);
    if (code != 0 && code != MDB_NOTFOUND) return ch_evlog_fail_read(why, code, "read the log");
    *ret_seq = seq;
    return CH_OK;
}
