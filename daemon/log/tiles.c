/* tiles: see tiles.h. SPDX-License-Identifier: MIT */
#include "daemon/log/tiles.h"

#include "schema/base/check.h"

#include <inttypes.h>
#include <lmdb.h>
#include <string.h>

void ch_tile_key(unsigned level, uint64_t index, uint8_t ret[CH_TILE_KEY_BYTES])
{
    CH_CHECK(level < CH_TILE_LEVELS);
    ret[0] = (uint8_t)level;
    ch_put_be64(ret + 1, index);
}

struct push {
    struct ch_tiles *tiles;
    struct ch_tile_sink *sink;
};

/* Stores a full tile. */
static int put(struct ch_tile_sink *sink, MDB_val key, MDB_val tile)
{
    MDB_val found = {0};
    if (!sink->replaces) return mdb_put(sink->txn, sink->table, &key, &tile, MDB_NOOVERWRITE);
    const int code = mdb_get(sink->txn, sink->table, &key, &found);
    if (code != 0 && code != MDB_NOTFOUND) return code;
    const bool same = code == 0 && found.mv_size == tile.mv_size &&
                      memcmp(found.mv_data, tile.mv_data, tile.mv_size) == 0;
    if (same) return 0;
    sink->mended++;
    return mdb_put(sink->txn, sink->table, &key, &tile, 0);
}

/* A subtree of 256^k leaves is complete: its hash goes into level k's tile, the tile, when full,
 * into the store. range.size still is that before the leaf. */
static void take_node(void *arg, unsigned height, const struct ch_hash *hash)
{
    struct push *push = arg;
    if (height % CH_TILE_HEIGHT != 0) return;
    unsigned level = height / CH_TILE_HEIGHT;
    CH_CHECK(level < CH_TILE_LEVELS);
    uint64_t number = push->tiles->range.size >> height;
    push->tiles->partial[level][number % CH_TILE_WIDTH] = *hash;
    if (number % CH_TILE_WIDTH != CH_TILE_WIDTH - 1 || push->sink->code != 0) return;
    uint8_t key_bytes[CH_TILE_KEY_BYTES];
    ch_tile_key(level, number / CH_TILE_WIDTH, key_bytes);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value = {.mv_size = CH_TILE_VALUE_BYTES, .mv_data = push->tiles->partial[level]};
    push->sink->code = put(push->sink, key, value);
}

void ch_tiles_push(struct ch_tiles *tiles, struct ch_hasher *hasher, const struct ch_hash *leaf,
                   struct ch_tile_sink *sink)
{
    struct push push = {.tiles = tiles, .sink = sink};
    ch_merkle_push(&tiles->range, hasher, leaf, take_node, &push);
}

/* The root of one stored tile. */
static enum ch_err tile_root(struct ch_hasher *hasher, struct MDB_txn *txn, unsigned table,
                             unsigned level, uint64_t index, struct ch_hash *ret,
                             struct ch_why *why)
{
    uint8_t key_bytes[CH_TILE_KEY_BYTES];
    ch_tile_key(level, index, key_bytes);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value = {0};
    int code = mdb_get(txn, table, &key, &value);
    if (code == MDB_NOTFOUND) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, code, "tile %u/%" PRIu64 " is missing", level,
                       index);
    }
    if (code != 0) {
        return ch_fail(why, CH_ERR_LOG_IO, code, "tile %u/%" PRIu64 ": %s", level, index,
                       mdb_strerror(code));
    }
    if (value.mv_size != CH_TILE_VALUE_BYTES) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "tile %u/%" PRIu64 " has %zu bytes", level,
                       index, value.mv_size);
    }
    struct ch_merkle_range range = {0};
    const uint8_t *bytes = value.mv_data;
    for (unsigned i = 0; i < CH_TILE_WIDTH; i++) {
        struct ch_hash hash;
        memcpy(hash.bytes, bytes + (size_t)i * CH_HASH_BYTES, CH_HASH_BYTES);
        ch_merkle_push(&range, hasher, &hash, NULL, NULL);
    }
    *ret = range.peaks[CH_TILE_HEIGHT];
    return CH_OK;
}

enum ch_err ch_tiles_load(struct ch_tiles *ret, struct ch_hasher *hasher, struct MDB_txn *txn,
                          unsigned table, uint64_t size, struct ch_why *why)
{
    CH_CHECK(size % CH_TILE_WIDTH == 0);
    ret->range = (struct ch_merkle_range){0};
    /* From the largest subtrees to the smallest. What stands at level k behind its last full tile
     * are the roots of full tiles of level k-1; at level 0 there is nothing. */
    for (unsigned level = CH_TILE_LEVELS - 1; level >= 1; level--) {
        uint64_t end = size >> (level * CH_TILE_HEIGHT);
        for (uint64_t number = end - end % CH_TILE_WIDTH; number < end; number++) {
            struct ch_hash *slot = &ret->partial[level][number % CH_TILE_WIDTH];
            enum ch_err err = tile_root(hasher, txn, table, level - 1, number, slot, why);
            if (err != CH_OK) return err;
            ch_merkle_push_subtree(&ret->range, hasher, level * CH_TILE_HEIGHT, slot, NULL, NULL);
        }
    }
    CH_CHECK(ret->range.size == size);
    return CH_OK;
}

uint64_t ch_tiles_stored(uint64_t size)
{
    uint64_t tiles = 0;
    for (unsigned level = 0; level < CH_TILE_LEVELS; level++) {
        size /= CH_TILE_WIDTH;
        tiles += size;
    }
    return tiles;
}

void ch_tiles_copy(struct ch_tiles *ret, const struct ch_tiles *from)
{
    ch_merkle_copy(&ret->range, &from->range);
    for (unsigned level = 0; level < CH_TILE_LEVELS; level++) {
        uint64_t set = (from->range.size >> (level * CH_TILE_HEIGHT)) % CH_TILE_WIDTH;
        if (set == 0) continue;
        memcpy(ret->partial[level], from->partial[level], (size_t)set * sizeof(struct ch_hash));
    }
}
