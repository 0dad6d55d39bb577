/* evlog_mend: the tree made again from the records, where what is stored of it is false; see
 * evlog.h. SPDX-License-Identifier: MIT
 * Tiles can be computed, records cannot: so a false tile is no reason to refuse a start, if the
 * records have the root that the head file says. */
#include "daemon/log/evlog_impl.h"
#include "schema/base/check.h"

#include <inttypes.h>

struct mend {
    struct ch_evlog *log;
    const struct ch_log_end *said; /* NULL: nobody says which root is right */
    MDB_txn *txn;
    struct ch_tiles *tiles; /* of the records so far */
    struct ch_tile_sink sink;
    bool right; /* they had the root that was said */
};

static enum ch_err add_record(struct mend *mend, uint64_t seq, MDB_val key, MDB_val value,
                              struct ch_why *why)
{
    struct ch_bytes record = {0};
    struct ch_hash leaf;
    struct ch_hash root;
    if (key.mv_size != CH_SEQ_KEY_BYTES || ch_get_be64(key.mv_data) != seq) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "record %" PRIu64 " is missing", seq);
    }
    enum ch_err err = ch_evlog_unpack(seq, value, &record, why);
    if (err != CH_OK) return err;
    ch_merkle_leaf(&mend->log->hasher, record, &leaf);
    ch_tiles_push(mend->tiles, &mend->log->hasher, &leaf, &mend->sink);
    if (mend->sink.code != 0) {
        return ch_evlog_fail_before(mend->log, mend->sink.code, "store a tile", why);
    }
    if (mend->said == NULL || mend->said->seq != seq) return CH_OK;
    ch_merkle_root(&mend->tiles->range, &mend->log->hasher, &root);
    mend->right = ch_hash_equal(&root, &mend->said->root);
    return CH_OK;
}

static enum ch_err add_records(struct mend *mend, struct ch_why *why)
{
    MDB_cursor *cursor = NULL;
    MDB_val key = {0};
    MDB_val value = {0};
    enum ch_err err = CH_OK;
    int code = mdb_cursor_open(mend->txn, mend->log->events, &cursor);
    for (uint64_t seq = 1; code == 0 && err == CH_OK && seq <= mend->log->end.seq; seq++) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (code == 0) err = add_record(mend, seq, key, value, why);
    }
    if (cursor != NULL) mdb_cursor_close(cursor);
    return code == 0 ? err : ch_evlog_fail_read(why, code, "read the log");
}

/* Whether a tile with this key belongs to a log of so many records. */
static bool belongs(MDB_val key, uint64_t size)
{
    const uint8_t *bytes = key.mv_data;
    if (key.mv_size != CH_TILE_KEY_BYTES || bytes[0] >= CH_TILE_LEVELS) return false;
    return ch_get_be64(bytes + 1) < size >> (CH_TILE_HEIGHT * (bytes[0] + 1));
}

static enum ch_err drop_others(struct mend *mend, struct ch_why *why)
{
    MDB_cursor *cursor = NULL;
    MDB_val key = {0};
    MDB_val value = {0};
    int code = mdb_cursor_open(mend->txn, mend->log->tiles_table, &cursor);
    if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == 0) {
        if (!belongs(key, mend->log->end.seq)) {
            code = mdb_cursor_del(cursor, 0);
            mend->sink.mended++;
        }
        if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (cursor != NULL) mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? CH_OK : ch_evlog_fail_before(mend->log, code, "tiles", why);
}

enum ch_err ch_evlog_mend(struct ch_evlog *log, const struct ch_log_end *said, struct ch_why *why)
{
    struct mend mend = {.log = log, .said = said, .tiles = log->next};
    int code = mdb_txn_begin(log->env, NULL, 0, &mend.txn);
    if (code != 0) return ch_evlog_fail_before(log, code, "mdb_txn_begin", why);
    *log->next = (struct ch_tiles){.range = {0}};
    mend.sink = (struct ch_tile_sink){.txn = mend.txn, .table = log->tiles_table, .replaces = true};
    enum ch_err err = add_records(&mend, why);
    if (err == CH_OK && said != NULL && !mend.right) {
        err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0,
                      "the first %" PRIu64 " records have another root than the head file says, "
                      "also when their tree is made again: one of them was changed, or that file",
                      said->seq);
    }
    if (err == CH_OK) err = drop_others(&mend, why);
    if (err != CH_OK) {
        mdb_txn_abort(mend.txn);
        return err;
    }
    code = mdb_txn_commit(mend.txn);
    if (code != 0) return ch_evlog_fail_broken(log, code, "mdb_txn_commit", why);
    log->next = log->tree;
    log->tree = mend.tiles;
    log->mended = mend.sink.mended;
    log->doubt = false;
    ch_merkle_root(&log->tree->range, &log->hasher, &log->end.root);
    return CH_OK;
}
