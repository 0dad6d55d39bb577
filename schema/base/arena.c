/* arena: see arena.h. SPDX-License-Identifier: MIT */
#include "schema/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/check.h"

enum { BLOCK_BYTES = 64 * 1024 };

struct ch_arena_block {
    struct ch_arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

void ch_arena_deinit(struct ch_arena *arena)
{
    if (arena == NULL) return;
    struct ch_arena_block *block = arena->first;
    while (block != NULL) {
        struct ch_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->first = NULL;
    arena->now = NULL;
    arena->used_bytes = 0;
}

void ch_arena_reset(struct ch_arena *arena)
{
    for (struct ch_arena_block *block = arena->first; block != NULL; block = block->next) {
        block->used = 0;
    }
    arena->now = arena->first;
    arena->used_bytes = 0;
}

void ch_arena_wipe(struct ch_arena *arena)
{
    for (struct ch_arena_block *block = arena->first; block != NULL; block = block->next) {
        explicit_bzero(block->data + block->used, block->size - block->used);
    }
}

static struct ch_arena_block *block_with_room(struct ch_arena *arena, size_t bytes)
{
    struct ch_arena_block *last = arena->now;
    for (struct ch_arena_block *block = arena->now; block != NULL; block = block->next) {
        if (block->size - block->used >= bytes) return block;
        last = block;
    }
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    struct ch_arena_block *block = malloc(sizeof *block + size);
    if (block == NULL) return NULL;
    *block = (struct ch_arena_block){.size = size};
    if (last == NULL) {
        arena->first = block;
    } else {
        last->next = block;
    }
    return block;
}

void *ch_arena_take(struct ch_arena *arena, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX / 2) return NULL;
    bytes = (bytes + align - 1) / align * align;
    if (arena->limit_bytes != 0 && bytes > arena->limit_bytes - arena->used_bytes) return NULL;
    struct ch_arena_block *block = block_with_room(arena, bytes);
    if (block == NULL) return NULL;
    void *ptr = block->data + block->used;
    block->used += bytes;
    arena->used_bytes += bytes;
    arena->now = block;
    memset(ptr, 0, bytes);
    return ptr;
}

void *ch_arena_copy(struct ch_arena *arena, const void *ptr, size_t len)
{
    CH_CHECK(ptr != NULL || len == 0);
    char *copy = ch_arena_take(arena, len + 1);
    if (copy == NULL) return NULL;
    if (len > 0) memcpy(copy, ptr, len);
    return copy;
}
