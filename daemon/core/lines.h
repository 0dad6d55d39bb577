/* lines: zeroed memory that starts on a cache line. SPDX-License-Identifier: MIT
 * So that a 64-byte row, or 8 cells of an index, is one line and not two. What is more than a few
 * pages is mapped from the kernel, which zeroes it page by page when it is first touched: that
 * spreads the cost of a growing table over the writes that use it, and room that is only reserved
 * costs nothing, where calloc clears it at once. What is large asks for huge pages: rows and cells
 * are read at random places, and with small pages each such read walks the page table, too. */
#ifndef CH_CORE_LINES_H
#define CH_CORE_LINES_H
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    CH_LINE_BYTES = 64,
    CH_MAPPED_BYTES = 32 << 10,
    CH_HUGE_BYTES = 2 << 20,
    CH_LINES_PHASES = 8
};

/* Stands just below the line. */
struct ch_lines_head {
    void *base;
    size_t mapped; /* bytes; 0: from calloc */
};

static inline uint8_t *ch_lines_above(void *base, size_t least, size_t step)
{
    const uintptr_t at = (uintptr_t)base + least;
    return (uint8_t *)base + least + (step - at % step) % step;
}

/* phase: what is written in order, several of a kind at the same pace, should have different ones:
 *        the first touch of a huge page zeroes 2 MB, and those of one phase would fall together.
 * Owned by the caller, freed with ch_lines_free; NULL when out of memory. */
static inline void *ch_lines_alloc(size_t bytes, uint32_t phase)
{
    struct ch_lines_head head = {0};
    uint8_t *line;
    if (bytes > SIZE_MAX / 2) return NULL;
    if (bytes < CH_MAPPED_BYTES) {
        head.base = calloc(1, bytes + (size_t)2 * CH_LINE_BYTES);
        if (head.base == NULL) return NULL;
        line = ch_lines_above(head.base, sizeof head, CH_LINE_BYTES);
    } else {
        const bool huge = bytes >= CH_HUGE_BYTES / 2; /* else a few small pages */
        const size_t step = huge ? CH_HUGE_BYTES : CH_LINE_BYTES;
        const size_t after =
            huge ? (size_t)(phase % CH_LINES_PHASES) * (CH_HUGE_BYTES / CH_LINES_PHASES) : 0;
        head.mapped = bytes + CH_LINE_BYTES + step + after;
        head.base =
            mmap(NULL, head.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (head.base == MAP_FAILED) return NULL;
        uint8_t *first = ch_lines_above(head.base, CH_LINE_BYTES, step);
        const size_t end = (after + bytes) & ~((size_t)CH_HUGE_BYTES - 1);
        const size_t begin = after == 0 ? 0 : CH_HUGE_BYTES; /* what lies before has small pages */
        line = first + after;
        if (huge && begin < end) {
            (void)madvise(first + begin, end - begin, MADV_HUGEPAGE); /* an advice, taken or not */
        }
    }
    memcpy(line - sizeof head, &head, sizeof head);
    return line;
}

static inline void ch_lines_free(void *ptr) /* NULL is a no-op */
{
    if (ptr == NULL) return;
    struct ch_lines_head head;
    memcpy(&head, (uint8_t *)ptr - sizeof head, sizeof head);
    if (head.mapped > 0) {
        (void)munmap(head.base, head.mapped);
    } else {
        free(head.base);
    }
}
#endif
