/* journal: what it takes to undo the latest writes of a store. SPDX-License-Identifier: MIT
 * A queue of bytes in chunks: written at the tail, read back from the tail by rollback, dropped
 * from the front by forget. Positions are counted from the journal's first byte ever, so a mark
 * stays valid whatever is dropped before it. An entry may lie across two chunks. An entry is its
 * payload (old row bytes, if its kind has any) and then a struct ch_undo: whoever walks backwards
 * finds first what tells how long the rest is. What was dropped or popped is zeroed: old rows may
 * hold what must not linger. */
#ifndef CH_CORE_JOURNAL_H
#define CH_CORE_JOURNAL_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

enum { CH_JOURNAL_CHUNK_SHIFT = 16, CH_JOURNAL_CHUNK_BYTES = 1 << CH_JOURNAL_CHUNK_SHIFT };

enum ch_undo_kind {
    CH_UNDO_EDIT = 1,   /* payload: the row before */
    CH_UNDO_GIVE,       /* payload: the row before */
    CH_UNDO_TAKE_FREE,  /* the row came from the free list */
    CH_UNDO_TAKE_FRESH, /* the row was row used + 1 */
    CH_UNDO_INSERT,
    CH_UNDO_REMOVE
};

struct ch_undo {
    uint16_t kind;  /* enum ch_undo_kind */
    uint16_t where; /* table, or index */
    uint32_t row;
    uint32_t tag; /* of an index entry; else 0 */
};

struct ch_journal {
    uint8_t **chunks; /* chunk number c stands at chunks[c & (slots - 1)] */
    uint64_t slots;   /* a power of two */
    uint64_t first;   /* number of the oldest chunk that has memory */
    uint64_t count;   /* chunks that have memory; those behind the tail are spare */
    uint64_t head;    /* the oldest byte that can be taken back */
    uint64_t tail;    /* where the next byte goes */
};

/* An empty journal; NULL when out of memory. */
struct ch_journal *ch_journal_create(void);
void ch_journal_destroy(struct ch_journal *journal); /* NULL is a no-op */

/* Makes room for `bytes` more behind the tail.
 * errors: false when out of memory; nothing is lost */
CH_MUST_USE bool ch_journal_reserve(struct ch_journal *journal, uint64_t bytes);

/* Appends one entry. Room must have been reserved. */
void ch_journal_push(struct ch_journal *journal, struct ch_bytes payload,
                     const struct ch_undo *undo);

/* Copies the newest `len` bytes to `out` and takes them off. */
void ch_journal_pop(struct ch_journal *journal, void *out, size_t len);

/* Copies the `len` bytes before position `end` to `out`, and leaves them. */
void ch_journal_peek(const struct ch_journal *journal, uint64_t end, void *out, size_t len);

/* Drops all bytes before position `at`; head <= at <= tail. */
void ch_journal_forget(struct ch_journal *journal, uint64_t at);
#endif
