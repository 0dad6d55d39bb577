/* stored_tile: reads tiles as the log has them. SPDX-License-Identifier: MIT
 * Threads: one reader belongs to one thread at a time. No transaction outlives a call. */
#ifndef CH_LOG_STORED_TILE_H
#define CH_LOG_STORED_TILE_H
#include "daemon/log/tiles.h"

struct ch_evlog;
struct ch_tile_reader; /* opaque */

/* log: borrowed; must outlive it. errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_tile_reader_open(struct ch_evlog *log, struct ch_tile_reader **ret,
                                            struct ch_why *why);
void ch_tile_reader_close(struct ch_tile_reader *reader); /* NULL is a no-op */

/* ret:    CH_TILE_VALUE_BYTES, a copy that lives until the next call
 * errors: CH_ERR_LOG_CORRUPT (missing, or of another length; the text names it), CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_tile_reader_get(struct ch_tile_reader *reader, unsigned level,
                                           uint64_t index, const uint8_t **ret, struct ch_why *why);

/* As ch_tiles_load, from the log's tiles. errors: the same */
CH_MUST_USE enum ch_err ch_tile_reader_load(struct ch_tile_reader *reader, struct ch_hasher *hasher,
                                            uint64_t size, struct ch_tiles *ret,
                                            struct ch_why *why);
#endif
