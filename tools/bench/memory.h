/* memory: what reading memory at random places costs at least. SPDX-License-Identifier: MIT
 * 512 MiB in huge pages, more than a cache holds and about as much as the state of the long log;
 * lines of 64 bytes at places by chance, 64 asked for ahead and then read, in one thread: a replay
 * does the same. What a shared machine gives here may differ twofold from one minute to the next,
 * while its processors hash as fast as before; so a rate of replay says little without it.
 * Threads: none. */
#ifndef CH_BENCH_MEMORY_H
#define CH_BENCH_MEMORY_H
#include <stddef.h>
#include <stdint.h>

#include "schema/base/err.h"
#include "tools/bench/rounds.h"

struct ch_memory {
    uint8_t *lines; /* NULL until the first run, which makes them */
    void *mapped;
    size_t mapped_bytes;
    uint64_t place; /* the last one by chance */
    uint64_t sum;   /* of what was read, so that it is read */
};

/* A ch_rounds_run_row. context: a struct ch_memory, zero before the first. ret: lines a second.
 * errors: CH_ERR_NO_MEMORY, CH_ERR_STOPPED */
CH_MUST_USE enum ch_err ch_memory_run(void *context, struct ch_sample *ret, struct ch_why *why);
void ch_memory_deinit(struct ch_memory *memory); /* zero is a no-op */
#endif
