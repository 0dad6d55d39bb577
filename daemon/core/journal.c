/* journal: what it takes to undo the latest writes of a store. SPDX-License-Identifier: MIT */
#include "daemon/core/journal.h"
#include "schema/base/check.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 8 };

/* Beyond this a reservation is refused, so that positions cannot overflow. */
#define LARGEST_BYTES (UINT64_C(1) << 48)

static uint8_t **slot_of(const struct ch_journal *journal, uint64_t chunk)
{
    return &journal->chunks[chunk & (journal->slots - 1)];
}

static uint64_t end_of_room(const struct ch_journal *journal)
{
    return (journal->first + journal->count) << CH_JOURNAL_CHUNK_SHIFT;
}

struct ch_journal *ch_journal_create(void)
{
    struct ch_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) return NULL;
    journal->slots = FIRST_SLOTS;
    journal->chunks = calloc(FIRST_SLOTS, sizeof *journal->chunks);
    if (journal->chunks == NULL) {
        free(journal);
        return NULL;
    }
    return journal;
}

void ch_journal_destroy(struct ch_journal *journal)
{
    if (journal == NULL) return;
    for (uint64_t i = 0; i < journal->slots; i++) {
        free(journal->chunks[i]);
    }
    free(journal->chunks);
    free(journal);
}

static bool grow_slots(struct ch_journal *journal)
{
    uint64_t slots = journal->slots * 2;
    uint8_t **chunks = calloc(slots, sizeof *chunks);
    if (chunks == NULL) return false;
    for (uint64_t c = journal->first; c < journal->first + journal->count; c++) {
        chunks[c & (slots - 1)] = *slot_of(journal, c);
    }
    free(journal->chunks);
    journal->chunks = chunks;
    journal->slots = slots;
    return true;
}

bool ch_journal_reserve(struct ch_journal *journal, uint64_t bytes)
{
    if (bytes > LARGEST_BYTES) return false;
    while (end_of_room(journal) - journal->tail < bytes) {
        if (journal->count == journal->slots && !grow_slots(journal)) return false;
        uint8_t *chunk = malloc(CH_JOURNAL_CHUNK_BYTES);
        if (chunk == NULL) return false;
        *slot_of(journal, journal->first + journal->count) = chunk;
        journal->count++;
    }
    return true;
}

/* The bytes from `at` on that lie in one chunk, at most `want`. */
static uint8_t *piece_at(const struct ch_journal *journal, uint64_t at, uint64_t want,
                         size_t *ret_len)
{
    uint64_t offset = at & (CH_JOURNAL_CHUNK_BYTES - 1);
    uint64_t left = CH_JOURNAL_CHUNK_BYTES - offset;
    *ret_len = (size_t)(want < left ? want : left);
    return *slot_of(journal, at >> CH_JOURNAL_CHUNK_SHIFT) + offset;
}

static void append(struct ch_journal *journal, const void *ptr, size_t len)
{
    const uint8_t *from = ptr;
    while (len > 0) {
        size_t step;
        uint8_t *to = piece_at(journal, journal->tail, len, &step);
        memcpy(to, from, step);
        from += step;
        len -= step;
        journal->tail += step;
    }
}

void ch_journal_push(struct ch_journal *journal, struct ch_bytes payload,
                     const struct ch_undo *undo)
{
    CH_CHECK(end_of_room(journal) - journal->tail >= payload.len + sizeof *undo);
    append(journal, payload.ptr, payload.len);
    append(journal, undo, sizeof *undo);
}

void ch_journal_pop(struct ch_journal *journal, void *out, size_t len)
{
    CH_CHECK(journal->tail - journal->head >= len);
    uint8_t *to = out;
    journal->tail -= len;
    for (uint64_t at = journal->tail; len > 0;) {
        size_t step;
        uint8_t *from = piece_at(journal, at, len, &step);
        memcpy(to, from, step);
        memset(from, 0, step);
        to += step;
        len -= step;
        at += step;
    }
}

void ch_journal_peek(const struct ch_journal *journal, uint64_t end, void *out, size_t len)
{
    CH_CHECK(end <= journal->tail && end - journal->head >= len);
    uint8_t *to = out;
    for (uint64_t at = end - len; len > 0;) {
        size_t step;
        const uint8_t *from = piece_at(journal, at, len, &step);
        memcpy(to, from, step);
        to += step;
        len -= step;
        at += step;
    }
}

/* The oldest chunk becomes the next one to be written after those in use: it is the one most likely
 * still in the cache. The spare that stood there goes to the end. */
static void recycle_first(struct ch_journal *journal)
{
    uint8_t *chunk = *slot_of(journal, journal->first);
    *slot_of(journal, journal->first) = NULL;
    journal->first++;
    uint64_t last = journal->first + journal->count - 1;
    uint64_t next = (journal->tail + CH_JOURNAL_CHUNK_BYTES - 1) >> CH_JOURNAL_CHUNK_SHIFT;
    CH_CHECK(next <= last);
    *slot_of(journal, last) = next < last ? *slot_of(journal, next) : chunk;
    *slot_of(journal, next) = chunk;
}

void ch_journal_forget(struct ch_journal *journal, uint64_t at)
{
    CH_CHECK(at >= journal->head && at <= journal->tail);
    while (journal->head < at) {
        size_t step;
        uint8_t *piece = piece_at(journal, journal->head, at - journal->head, &step);
        memset(piece, 0, step);
        journal->head += step;
    }
    while (journal->first < at >> CH_JOURNAL_CHUNK_SHIFT) {
        recycle_first(journal);
    }
}
