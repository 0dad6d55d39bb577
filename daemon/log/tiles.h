/* tiles: the Merkle tree in pieces of 256 hashes, as they are stored. SPDX-License-Identifier: MIT
 * Tile i of level k holds the hashes of the subtrees of 256^k leaves with the numbers i*256 to
 * i*256+255 (C2SP tlog-tiles). Only full tiles are stored, in the transaction of the event that
 * fills them; what is behind the last full tile of each level is kept here.
 * Table `tiles`: key = level (1 byte), tile index (8 bytes, big-endian); value = 256 hashes.
 * Threads: the commit thread, or the one that opens the log. */
#ifndef CH_LOG_TILES_H
#define CH_LOG_TILES_H
#include "daemon/log/merkle.h"

enum {
    CH_TILE_HEIGHT = 8,
    CH_TILE_WIDTH = 1 << CH_TILE_HEIGHT,
    CH_TILE_LEVELS = 7, /* 2^56 leaves */
    CH_TILE_KEY_BYTES = 9,
    CH_TILE_VALUE_BYTES = CH_TILE_WIDTH * CH_HASH_BYTES,
};

struct MDB_txn;

/* A zeroed struct ch_tiles is the empty tree. Hashes [k][0] to [k][n-1] are set, where n is
 * (range.size >> 8*k) modulo 256. */
struct ch_tiles {
    struct ch_merkle_range range;
    struct ch_hash partial[CH_TILE_LEVELS][CH_TILE_WIDTH];
};

/* Where full tiles go. Sticky: after the first failure nothing more is written. */
struct ch_tile_sink {
    struct MDB_txn *txn; /* borrowed; a write transaction */
    unsigned table;
    int code;      /* 0, or the first MDB_ code or errno */
    bool replaces; /* a tile may be there: one that is another is replaced, and counted */
    uint64_t mended;
};

void ch_tile_key(unsigned level, uint64_t index, uint8_t ret[CH_TILE_KEY_BYTES]);

/* Appends one leaf hash; stores the tiles that it fills. Check sink->code before the commit. */
void ch_tiles_push(struct ch_tiles *tiles, struct ch_hasher *hasher, const struct ch_hash *leaf,
                   struct ch_tile_sink *sink);

/* Makes `ret` the tree of `size` leaves from stored tiles; the leaves behind the last full tile of
 * level 0 are not in it yet: push them.
 * size:   a multiple of 256
 * errors: CH_ERR_LOG_CORRUPT (a tile is missing or has another length; the text names it),
 *         CH_ERR_LOG_IO (code = mdb) */
CH_MUST_USE enum ch_err ch_tiles_load(struct ch_tiles *ret, struct ch_hasher *hasher,
                                      struct MDB_txn *txn, unsigned table, uint64_t size,
                                      struct ch_why *why);

/* How many tiles a log of `size` leaves has stored. */
uint64_t ch_tiles_stored(uint64_t size);

/* Copies only what is set; a few kilobytes. */
void ch_tiles_copy(struct ch_tiles *ret, const struct ch_tiles *from);
#endif
