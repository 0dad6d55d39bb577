/* stored: see stored.h. SPDX-License-Identifier: MIT */
#include "daemon/log/stored.h"

#include "daemon/log/checkpoint.h"
#include "daemon/log/crc.h"
#include "daemon/log/evlog_impl.h"
#include "schema/base/check.h"

#include <inttypes.h>

enum { AT_BYTES = 8, KEY_BYTES = 8 };

static int put(struct ch_evlog *log, MDB_txn *txn, const struct ch_stored *stored)
{
    CH_CHECK(stored->number >= 1 && stored->note.len > 0 && stored->note.len <= CH_NOTE_MOST_BYTES);
    uint8_t room[AT_BYTES + CH_NOTE_MOST_BYTES + CH_CRC_BYTES];
    uint8_t place[KEY_BYTES];
    const struct ch_bytes covered = {room, AT_BYTES + stored->note.len};
    ch_put_le64(room, stored->at_ns);
    memcpy(room + AT_BYTES, stored->note.ptr, stored->note.len);
    ch_put_le32(room + covered.len, ch_crc_record(stored->number, covered));
    ch_put_be64(place, stored->number);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {.mv_size = covered.len + CH_CRC_BYTES, .mv_data = room};
    return mdb_put(txn, log->checkpoints, &key, &value, 0);
}

enum ch_err ch_stored_put_many(struct ch_evlog *log, const struct ch_stored *list, size_t count,
                               struct ch_why *why)
{
    uint64_t bytes = 0;
    if (log->broken) {
        return ch_fail(why, CH_ERR_COMMIT_FAILED, 0, "an earlier commit failed");
    }
    for (size_t i = 0; i < count; i++) {
        bytes += AT_BYTES + list[i].note.len;
    }
    enum ch_err err = ch_evlog_room(log, bytes, count, why);
    if (err != CH_OK) return err;

    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (code != 0) return ch_evlog_fail_before(log, code, "mdb_txn_begin", why);
    for (size_t i = 0; i < count && code == 0; i++) {
        code = put(log, txn, &list[i]);
    }
    if (code != 0) {
        mdb_txn_abort(txn);
        return ch_evlog_fail_before(log, code, "store a checkpoint", why);
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? CH_OK : ch_evlog_fail_broken(log, code, "mdb_txn_commit", why);
}

enum ch_err ch_stored_put(struct ch_evlog *log, uint64_t number, uint64_t at_ns,
                          struct ch_text note, struct ch_why *why)
{
    const struct ch_stored one = {.number = number, .at_ns = at_ns, .note = note};
    return ch_stored_put_many(log, &one, 1, why);
}

/* Checks a stored value and copies it. */
static enum ch_err take(uint64_t number, MDB_val value, struct ch_buf *copy, struct ch_stored *ret,
                        struct ch_why *why)
{
    if (value.mv_size <= AT_BYTES + CH_CRC_BYTES ||
        value.mv_size > AT_BYTES + CH_NOTE_MOST_BYTES + CH_CRC_BYTES) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has %zu bytes", number,
                       value.mv_size);
    }
    ch_buf_reset(copy);
    ch_buf_put(copy, value.mv_data, value.mv_size);
    if (copy->failed || copy->ptr == NULL)
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "copy of a checkpoint");
    const struct ch_bytes covered = {copy->ptr, copy->len - CH_CRC_BYTES};
    if (ch_get_le32(covered.ptr + covered.len) != ch_crc_record(number, covered)) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                       "checkpoint %" PRIu64 " does not match its checksum", number);
    }
    *ret = (struct ch_stored){
        .number = number,
        .at_ns = ch_get_le64(covered.ptr),
        .note = {(const char *)covered.ptr + AT_BYTES, covered.len - AT_BYTES},
    };
    return CH_OK;
}

static enum ch_err get(struct ch_evlog *log, MDB_txn *txn, uint64_t number, struct ch_buf *copy,
                       struct ch_stored *ret, struct ch_why *why)
{
    uint8_t place[KEY_BYTES];
    ch_put_be64(place, number);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {0};
    *ret = (struct ch_stored){.number = 0};
    int code = mdb_get(txn, log->checkpoints, &key, &value);
    if (code == MDB_NOTFOUND) return CH_OK;
    if (code != 0) return ch_evlog_fail_read(why, code, "read a checkpoint");
    return take(number, value, copy, ret, why);
}

/* The last number, from how many there are. */
static enum ch_err last_number(struct ch_evlog *log, MDB_txn *txn, uint64_t *ret,
                               struct ch_why *why)
{
    MDB_stat stat;
    int code = mdb_stat(txn, log->checkpoints, &stat);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the checkpoints");
    *ret = stat.ms_entries;
    return CH_OK;
}

enum ch_err ch_stored_get(struct ch_evlog *log, uint64_t number, struct ch_buf *copy,
                          struct ch_stored *ret, struct ch_why *why)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (code != 0) return ch_evlog_fail_read(why, code, "read a checkpoint");
    uint64_t wanted = number;
    enum ch_err err = number == 0 ? last_number(log, txn, &wanted, why) : CH_OK;
    if (err == CH_OK) err = get(log, txn, wanted, copy, ret, why);
    mdb_txn_abort(txn);
    return err;
}

static enum ch_err size_of(const struct ch_stored *stored, uint64_t *ret, struct ch_why *why)
{
    struct ch_note note;
    struct ch_checkpoint checkpoint;
    if (stored->number == 0 || !ch_checkpoint_read_note(stored->note, &note, &checkpoint)) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "checkpoint %" PRIu64 " has another form",
                       stored->number);
    }
    *ret = checkpoint.size;
    return CH_OK;
}

enum ch_err ch_stored_find(struct ch_evlog *log, uint64_t size, struct ch_buf *copy,
                           struct ch_stored *ret, struct ch_why *why)
{
    MDB_txn *txn = NULL;
    struct ch_stored found = {.number = 0};
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (code != 0) return ch_evlog_fail_read(why, code, "read the checkpoints");
    uint64_t low = 0; /* every number up to it has a size of at most `size` */
    uint64_t high = 0;
    uint64_t at_low = 0;
    enum ch_err err = last_number(log, txn, &high, why);
    while (err == CH_OK && low < high) {
        const uint64_t middle = low + (high - low + 1) / 2;
        uint64_t has = 0;
        err = get(log, txn, middle, copy, &found, why);
        if (err == CH_OK) err = size_of(&found, &has, why);
        if (has <= size) {
            low = middle;
            at_low = has;
        } else {
            high = middle - 1;
        }
    }
    found = (struct ch_stored){.number = 0};
    if (err == CH_OK && low > 0 && at_low == size) err = get(log, txn, low, copy, &found, why);
    mdb_txn_abort(txn);
    if (err == CH_OK) *ret = found;
    return err;
}
