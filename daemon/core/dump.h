/* dump: the canonical bytes of what is known. SPDX-License-Identifier: MIT
 * Two states made from the same log give the same bytes, on every machine. In this order: the
 * version; then for every dumped table, in table order, its name with its length before it, the
 * bytes of a row, used, free_head, free_rows, and rows 1..used as they lie. All numbers 32 bits,
 * little-endian. Indexes and tables outside the dump (the directory) are left out. load.h reads it
 * back. */
#ifndef CH_CORE_DUMP_H
#define CH_CORE_DUMP_H
#include "daemon/core/state.h"

/* Another one where the same events give other bytes: a table, a row, or what apply does. */
enum { CH_DUMP_VERSION = 7 };

typedef void ch_dump_put_fn(void *arg, const void *ptr, size_t len);

/* Gives the dump to `put` piece by piece; where it is cut into pieces is no part of it. */
void ch_dump(const struct ch_state *state, ch_dump_put_fn *put, void *arg);

/* The same, some at a time; zeroed: nothing was given yet. The state must not change between. */
struct ch_dump_place {
    bool begun;
    bool in_table;
    uint32_t table;
    uint32_t row; /* rows of it that were given */
};
/* most:    bytes to give now, but at least a row
 * returns: false when that was the rest */
bool ch_dump_some(const struct ch_state *state, struct ch_dump_place *place, size_t most,
                  ch_dump_put_fn *put, void *arg);
/* How many there are. */
uint64_t ch_dump_bytes(const struct ch_state *state);
#endif
