/* stored_tile: see stored_tile.h. SPDX-License-Identifier: MIT */
#include "daemon/log/stored_tile.h"

#include "daemon/log/evlog_impl.h"

#include <inttypes.h>
#include <stdlib.h>

struct ch_tile_reader {
    struct ch_evlog *log; /* borrowed */
    MDB_txn *txn;         /* reset between calls */
    uint8_t copy[CH_TILE_VALUE_BYTES];
};

enum ch_err ch_tile_reader_open(struct ch_evlog *log, struct ch_tile_reader **ret,
                                struct ch_why *why)
{
    struct ch_tile_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "tile reader");
    reader->log = log;
    int code = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &reader->txn);
    if (code != 0) {
        free(reader);
        return ch_evlog_fail_read(why, code, "read tiles");
    }
    mdb_txn_reset(reader->txn);
    *ret = reader;
    return CH_OK;
}

void ch_tile_reader_close(struct ch_tile_reader *reader)
{
    if (reader == NULL) return;
    mdb_txn_abort(reader->txn);
    free(reader);
}

enum ch_err ch_tile_reader_get(struct ch_tile_reader *reader, unsigned level, uint64_t index,
                               const uint8_t **ret, struct ch_why *why)
{
    uint8_t place[CH_TILE_KEY_BYTES];
    ch_tile_key(level, index, place);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {0};
    int code = mdb_txn_renew(reader->txn);
    if (code != 0) return ch_evlog_fail_read(why, code, "read a tile");
    code = mdb_get(reader->txn, reader->log->tiles_table, &key, &value);
    const bool good = code == 0 && value.mv_size == CH_TILE_VALUE_BYTES;
    const size_t size = value.mv_size;
    if (good) memcpy(reader->copy, value.mv_data, sizeof reader->copy);
    mdb_txn_reset(reader->txn);
    *ret = reader->copy;
    if (good) return CH_OK;
    if (code == MDB_NOTFOUND) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, code, "tile %u/%" PRIu64 " is missing", level,
                       index);
    }
    if (code != 0) return ch_evlog_fail_read(why, code, "read a tile");
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "tile %u/%" PRIu64 " has %zu bytes", level, index,
                   size);
}

enum ch_err ch_tile_reader_load(struct ch_tile_reader *reader, struct ch_hasher *hasher,
                                uint64_t size, struct ch_tiles *ret, struct ch_why *why)
{
    const int code = mdb_txn_renew(reader->txn);
    if (code != 0) return ch_evlog_fail_read(why, code, "read tiles");
    const enum ch_err err =
        ch_tiles_load(ret, hasher, reader->txn, reader->log->tiles_table, size, why);
    mdb_txn_reset(reader->txn);
    return err;
}
