/* arena: memory of one batch, given back all at once. SPDX-License-Identifier: MIT
 * Grows by blocks; ch_arena_reset keeps the blocks for the next batch. Not for threads. */
#ifndef CH_BASE_ARENA_H
#define CH_BASE_ARENA_H
#include "schema/base/bytes.h"

struct ch_arena_block;

struct ch_arena {
    struct ch_arena_block *first;
    struct ch_arena_block *now;
    size_t used_bytes;  /* handed out since the last reset */
    size_t limit_bytes; /* a request beyond it answers NULL; 0: no limit */
};

/* A zeroed struct ch_arena is empty, without a limit and ready. */
void ch_arena_deinit(struct ch_arena *arena); /* NULL and zeroed are no-ops */
void ch_arena_reset(struct ch_arena *arena);

/* Clears the memory that is not handed out: what was before the last reset is nowhere in it. */
void ch_arena_wipe(struct ch_arena *arena);

/* `bytes` zeroed bytes, aligned for any object; NULL when out of memory or beyond the limit.
 * ret: lives until the next reset or deinit. */
void *ch_arena_take(struct ch_arena *arena, size_t bytes);

/* A copy of the bytes, with one NUL behind it that is not counted; NULL as above. */
void *ch_arena_copy(struct ch_arena *arena, const void *ptr, size_t len);
#endif
