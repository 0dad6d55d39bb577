/* store: tables of fixed-size rows, their indexes, and one journal that can take every write back.
 * SPDX-License-Identifier: MIT
 * All state of charterd lives here, so that one mechanism serves all-or-nothing messages, dry runs,
 * what-if and a batch that could not be stored.
 * Rows are numbered from 1; row 0 means "none". A row never moves in memory. Rows given back go on
 * a free list inside the table and are taken again, last given first, so the same writes always
 * give the same bytes. Iteration is in row order. Indexes are outside the dump: which row stands in
 * which cell is never visible to a caller. Nothing allocates between reserve and the next reserve:
 * take, edit, insert and remove cannot fail. Threads: none; a store belongs to one thread. */
#ifndef CH_CORE_STORE_H
#define CH_CORE_STORE_H
#include "schema/base/bytes.h"
#include "schema/base/check.h"
#include "schema/base/err.h"

/* Chunk k of a table holds CH_CHUNK_ROWS << k rows, so growth copies nothing. All chunks together
 * hold 2^31 - 256 rows: row numbers stay below CH_ROW_LIVE. */
enum { CH_CHUNK_ROWS = 256, CH_TABLE_CHUNKS = 23 };

/* Every row starts with this word: CH_ROW_LIVE, or for a free row the number of the next free row.
 */
#define CH_ROW_LIVE UINT32_C(0x80000000) /* no enum: above INT_MAX */

struct ch_table_def {
    const char *name;   /* as in the dump */
    uint32_t row_bytes; /* multiple of 4; at least 4 */
    bool dumped;        /* part of the canonical dump and the state hash */
};

struct ch_table {
    struct ch_table_def def;
    uint32_t used;      /* rows 1..used were taken at some time */
    uint32_t free_head; /* the free row given back last; 0: none */
    uint32_t free_rows;
    uint32_t capacity; /* rows that have memory */
    uint8_t *chunks[CH_TABLE_CHUNKS];
};

struct ch_cells; /* one array of 8-byte cells: 32 bits of hash, 32 bits of row */

/* Open addressing; grows step by step: while `old` is not empty, every insert moves some of its
 * cells to `now`, so no single insert stops the loop. `next` is what `now` will grow into: made
 * when `now` is nearly full, and its pages touched one after another by the inserts left. */
struct ch_index {
    struct ch_cells *now;
    struct ch_cells *old;
    struct ch_cells *next;
    uint64_t touched; /* bytes of `next` */
};

struct ch_journal; /* opaque */

struct ch_store {
    struct ch_table *tables;
    uint32_t table_count;
    struct ch_index *indexes;
    uint32_t index_count;
    struct ch_journal *journal; /* NULL while nothing is journaled: start-up replay */
    uint64_t losses;            /* rollbacks that took room back: see ch_store_reserve_rows */
};

/* Makes empty tables and indexes.
 * defs:   borrowed for the life of the store
 * errors: false when out of memory; the store is then zeroed */
CH_MUST_USE bool ch_store_init(struct ch_store *store, const struct ch_table_def *defs,
                               uint32_t table_count, uint32_t index_count);
void ch_store_deinit(struct ch_store *store); /* NULL and zeroed are no-ops */
/* Empties all tables and indexes; tables keep their memory. The journal must be off. */
void ch_store_reset(struct ch_store *store);

/* Bytes of the rows that were taken at some time and of the indexes; not of the journal, nor of
 * memory that tables have ahead. */
uint64_t ch_store_bytes(const struct ch_store *store);

/* Turns the journal on (live) or off (start-up replay); turning it off forgets all marks.
 * errors: false when out of memory */
CH_MUST_USE bool ch_store_journal(struct ch_store *store, bool on);

/* Makes room for `rows` more rows in one table, or `cells` more inserts in one index. Rows given
 * back count as room, so what was reserved after a mark may be no longer reserved after its
 * rollback; `losses` counts what a rollback took back so. Both are cheap when there is room.
 * Nothing is lost on failure.
 * errors: false when out of memory or the table is at its largest */
CH_MUST_USE bool ch_store_reserve_rows(struct ch_store *store, uint32_t table, uint32_t rows);
CH_MUST_USE bool ch_store_reserve_cells(struct ch_store *store, uint32_t index, uint32_t cells);

/* Makes room for `bytes` more in the journal; what is needed is the sum of ch_store_edit_bytes and
 * CH_JOURNAL_INDEX_BYTES over the writes to come. Does nothing while the journal is off.
 * errors: false when out of memory */
CH_MUST_USE bool ch_store_reserve_journal(struct ch_store *store, uint64_t bytes);

/* How many journal bytes one edit of a row of `table` takes at most. An index change takes
 * CH_JOURNAL_INDEX_BYTES. A take or a give takes no more than an edit. */
uint64_t ch_store_edit_bytes(const struct ch_store *store, uint32_t table);
enum { CH_JOURNAL_INDEX_BYTES = 12 };

static inline uint8_t *ch_table_ptr(const struct ch_table *table, uint32_t row)
{
    uint32_t place = row + (CH_CHUNK_ROWS - 1); /* row 1 is the first of chunk 0 */
    uint32_t chunk = 31u - (uint32_t)__builtin_clz(place) - 8u;
    return table->chunks[chunk] +
           (size_t)(place - ((uint32_t)CH_CHUNK_ROWS << chunk)) * table->def.row_bytes;
}

/* How many rows lie behind each other in memory from `row` on, if the table is large enough. */
static inline uint32_t ch_table_together(uint32_t row)
{
    uint32_t place = row + (CH_CHUNK_ROWS - 1);
    return (UINT32_C(2) << (31 - __builtin_clz(place))) - place;
}

/* A row to read. It must be live. Stays valid until the row is given back. */
static inline const void *ch_row(const struct ch_store *store, uint32_t table, uint32_t row)
{
    const struct ch_table *t = &store->tables[table];
    CH_CHECK(row != 0 && row <= t->used);
    return ch_table_ptr(t, row);
}

/* The row's liveness word; 0 < row <= used. */
static inline bool ch_row_is_live(const struct ch_store *store, uint32_t table, uint32_t row)
{
    uint32_t word;
    memcpy(&word, ch_row(store, table, row), sizeof word);
    return word == CH_ROW_LIVE;
}

/* The first live row above `row`, or 0.
 * for (r = ch_row_next(s, t, 0); r != 0; r = ch_row_next(s, t, r)) */
uint32_t ch_row_next(const struct ch_store *store, uint32_t table, uint32_t row);

/* A row to write: its old bytes go to the journal first. The first word must stay CH_ROW_LIVE. */
void *ch_row_edit(struct ch_store *store, uint32_t table, uint32_t row);

/* A fresh row: zeroed but for its first word. Room must have been reserved. */
uint32_t ch_row_take(struct ch_store *store, uint32_t table);

/* Gives a row back: its bytes are zeroed (they may hold what must not linger) but for the free
 * link. */
void ch_row_give(struct ch_store *store, uint32_t table, uint32_t row);

/* Live rows of a table. */
uint32_t ch_table_live(const struct ch_store *store, uint32_t table);

/* Puts (hash, row) into an index, or takes it out; out must be in. The same pair is never in twice.
 * An index is for keys that few rows share: rows of one hash stand in one run, which every look-up
 * of that hash reads. */
void ch_index_insert(struct ch_store *store, uint32_t index, uint64_t hash, uint32_t row);
void ch_index_remove(struct ch_store *store, uint32_t index, uint64_t hash, uint32_t row);

/* Candidates for a hash: rows whose 32-bit tag agrees. The caller compares the key.
 * They come in no order that a result may depend on. A probe is good until the next insert or
 * remove.
 * for (probe = ch_probe_start(...); (row = ch_probe_next(&probe)) != 0;) */
struct ch_probe {
    const struct ch_cells *cells;
    const struct ch_cells *then; /* the other array, while the index grows */
    uint64_t hash;
    uint64_t place;
};
struct ch_probe ch_probe_start(const struct ch_store *store, uint32_t index, uint64_t hash);
uint32_t ch_probe_next(struct ch_probe *probe);

/* Marks nest: batch, message, dry run. A mark stays good until it is rolled back past or forgotten.
 */
struct ch_mark {
    uint64_t at;
};
struct ch_mark ch_store_mark(const struct ch_store *store);

/* Takes back every write since `mark`, newest first: rows, free lists, counters and index entries
 * are then as they were. The journal must be on. */
void ch_store_rollback(struct ch_store *store, struct ch_mark mark);

/* Calls fn for each row that was written since `mark`, newest write first, so a row may come more
 * than once. before: its bytes as that write found them; NULL: it was free. The journal must be
 * on. */
typedef void ch_touched_row_fn(void *arg, uint32_t table, uint32_t row, const void *before);
void ch_store_touched(const struct ch_store *store, struct ch_mark mark, ch_touched_row_fn *fn,
                      void *arg);

/* Writes before `mark` can no longer be taken back; their journal memory is zeroed and given to
 * later ones. Does nothing while the journal is off. */
void ch_store_forget(struct ch_store *store, struct ch_mark mark);

/* 64-bit mixing hashes for index keys; not stored anywhere, never visible. */
static inline uint64_t ch_hash_mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
    h = (h ^ b) * 0xc4ceb9fe1a85ec53u;
    h ^= h >> 29;
    h *= 0x94d049bb133111ebu;
    return h ^ h >> 32;
}
uint64_t ch_hash_bytes(const void *ptr, size_t len);
#endif
