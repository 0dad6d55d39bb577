/* lines: zeroed memory that starts on a cache line. SPDX-License-Identifier: MIT
 * So that a 64-byte row, or 8 cells of an index, is one line and not two. It is calloc underneath,
 * and not aligned_alloc with memset, because a large calloc is zeroed by the kernel page by page
 * when it is first touched, which spreads the cost of a growing table over the writes that use it.
 */
#ifndef CH_CORE_LINES_H
#define CH_CORE_LINES_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CH_LINE_BYTES = 64, CH_HUGE_BYTES = 2 << 20 };

/* Owned by the caller, freed with ch_lines_free; NULL when out of memory. */
static inline void *ch_lines_alloc(size_t bytes)
{
    const size_t spare = (size_t)2 * CH_LINE_BYTES;
    if (bytes > SIZE_MAX - spare) return NULL;
    uint8_t *raw = calloc(1, bytes + spare);
    if (raw == NULL) return NULL;
    /* what calloc gave is kept just below the line; malloc's alignment leaves room for a pointer */
    uint8_t *line = raw + CH_LINE_BYTES + (CH_LINE_BYTES - (uintptr_t)raw % CH_LINE_BYTES);
    memcpy(line - sizeof raw, &raw, sizeof raw);
    if (bytes >= 2 * (size_t)CH_HUGE_BYTES) {
        /* Rows and cells are read at random places: with small pages each read costs a walk of the
         * page table, too. An advice; where it is not taken, nothing else changes. */
        uint8_t *first = raw + (CH_HUGE_BYTES - (uintptr_t)raw % CH_HUGE_BYTES);
        const size_t whole = (size_t)(raw + bytes - first) & ~((size_t)CH_HUGE_BYTES - 1);
        (void)madvise(first, whole, MADV_HUGEPAGE);
    }
    return line;
}

static inline void ch_lines_free(void *ptr) /* NULL is a no-op */
{
    if (ptr == NULL) return;
    uint8_t *raw;
    memcpy(&raw, (uint8_t *)ptr - sizeof raw, sizeof raw);
    free(raw);
}
#endif
