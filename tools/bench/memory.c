/* memory: see memory.h. SPDX-License-Identifier: MIT */
#include "tools/bench/memory.h"

#include <string.h>
#include <sys/mman.h>

#include "tools/bench/interrupt.h"

enum {
    LINE_BYTES = 64,
    LINES = 8 << 20,
    HUGE_BYTES = 2 << 20,
    AHEAD = 64,
    GROUPS = 1 << 18, /* 16 million lines: a quarter of a second */
    GROUPS_A_LOOK = 1 << 14
};

static enum ch_err make(struct ch_memory *memory, struct ch_why *why)
{
    const size_t bytes = (size_t)LINES * LINE_BYTES;
    void *mapped =
        mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "512 MiB to read");
    const size_t before = (HUGE_BYTES - (uintptr_t)mapped % HUGE_BYTES) % HUGE_BYTES;
    memory->mapped = mapped;
    memory->mapped_bytes = bytes + HUGE_BYTES;
    memory->lines = (uint8_t *)mapped + before;
    memory->place = 88172645463325252U;
    (void)madvise(memory->lines, bytes, MADV_HUGEPAGE); /* an advice, taken or not */
    memset(memory->lines, 1, bytes);
    return CH_OK;
}

/* Marsaglia's xorshift with 13, 7 and 17. */
static const uint8_t *by_chance(struct ch_memory *memory)
{
    uint64_t x = memory->place;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    memory->place = x;
    return memory->lines + x % LINES * LINE_BYTES;
}

static void read_group(struct ch_memory *memory)
{
    const uint8_t *at[AHEAD];
    for (int i = 0; i < AHEAD; i++) {
        at[i] = by_chance(memory);
        __builtin_prefetch(at[i]);
    }
    for (int i = 0; i < AHEAD; i++) {
        memory->sum += *at[i];
    }
}

enum ch_err ch_memory_run(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct ch_memory *memory = context;
    if (memory->lines == NULL) {
        enum ch_err err = make(memory, why);
        if (err != CH_OK) return err;
    }
    const uint64_t began_ns = ch_interrupt_now_ns();
    for (int i = 0; i < GROUPS; i++) {
        read_group(memory);
        if (i % GROUPS_A_LOOK == 0 && ch_interrupt_seen()) {
            return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
        }
    }
    const double seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    ret->per_second = (double)GROUPS * AHEAD / seconds;
    return CH_OK;
}

void ch_memory_deinit(struct ch_memory *memory)
{
    if (memory->mapped != NULL) (void)munmap(memory->mapped, memory->mapped_bytes);
    *memory = (struct ch_memory){.lines = NULL};
}
