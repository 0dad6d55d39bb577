/* index: the cells of an index; for store.c, index.c and their tests only.
 * SPDX-License-Identifier: MIT
 * Linear probing from a home place given by the highest bits of the 32-bit tag. So all that placing
 * needs is in the cell, and a move from a smaller array to a larger one reads and writes both in
 * order, a line at a time.
 * In `now` a removal shifts the rest of the run back, so it has no dead cells. `old` never gets an
 * entry; what was removed or moved leaves a dead cell there, so that runs stay whole for probes. */
#ifndef CH_CORE_INDEX_H
#define CH_CORE_INDEX_H
#include "daemon/core/store.h"

#include <stdalign.h>

/* A cell is tag << 32 | row. Row 0: empty. The dead row is above every table's largest. */
#define CH_CELL_DEAD UINT32_C(0xffffffff)

/* What one insert or remove moves at most. At a load of at most 3/4 the next growth is more than
 * size / 2 inserts away (but see ch_store_reserve_cells), and the move needs size / 8. */
enum { CH_CELLS_PER_STEP = 8 };

struct ch_cells {
    uint64_t size;  /* cells; a power of two */
    uint64_t live;  /* entries in this array */
    uint64_t moved; /* cells below this one were moved away: only in `old` */
    uint32_t shift; /* home place = tag >> shift */
    alignas(64) uint64_t cell[];
};

static inline uint32_t ch_index_tag(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

/* The unjournaled halves of ch_index_insert and ch_index_remove. */
void ch_index_put(struct ch_index *index, uint32_t tag, uint32_t row);
void ch_index_drop(struct ch_index *index, uint32_t tag, uint32_t row);

void ch_index_deinit(struct ch_index *index); /* zeroed is a no-op */
#endif
