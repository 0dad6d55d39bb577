/* dump: the canonical bytes of what is known. SPDX-License-Identifier: MIT
 * Two states made from the same log give the same bytes, on every machine. In this order: the
 * version; then for every dumped table, in table order, its name with its length before it, the
 * bytes of a row, used, free_head, free_rows, and rows 1..used as they lie. All numbers 32 bits,
 * little-endian. Indexes and tables outside the dump (the directory) are left out. */
#ifndef CH_CORE_DUMP_H
#define CH_CORE_DUMP_H
#include "daemon/core/state.h"

enum { CH_DUMP_VERSION = 1 };

typedef void ch_dump_put_fn(void *arg, const void *ptr, size_t len);

/* Gives the dump to `put` piece by piece; where it is cut into pieces is no part of it. */
void ch_dump(const struct ch_state *state, ch_dump_put_fn *put, void *arg);
#endif
