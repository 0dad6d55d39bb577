/* store: tables of fixed-size rows, and taking writes back. SPDX-License-Identifier: MIT */
#include "daemon/core/store.h"
#include "daemon/core/index.h"
#include "daemon/core/journal.h"
#include "daemon/core/lines.h"

/* Rows of a table with all its chunks; stays below CH_ROW_LIVE, so no link looks like a live row.
 */
static const uint32_t largest_rows = (uint32_t)CH_CHUNK_ROWS * ((1u << CH_TABLE_CHUNKS) - 1);

_Static_assert(sizeof(struct ch_undo) == CH_JOURNAL_INDEX_BYTES, "an index change is its footer");

bool ch_store_init(struct ch_store *store, const struct ch_table_def *defs, uint32_t table_count,
                   uint32_t index_count)
{
    CH_CHECK(table_count <= UINT16_MAX && index_count <= UINT16_MAX);
    *store = (struct ch_store){.table_count = table_count, .index_count = index_count};
    store->tables = calloc((size_t)table_count + 1, sizeof *store->tables);
    store->indexes = calloc((size_t)index_count + 1, sizeof *store->indexes);
    if (store->tables == NULL || store->indexes == NULL) {
        free(store->tables);
        free(store->indexes);
        *store = (struct ch_store){0};
        return false;
    }
    for (uint32_t i = 0; i < table_count; i++) {
        CH_CHECK(defs[i].row_bytes >= 4 && defs[i].row_bytes % 4 == 0);
        store->tables[i].def = defs[i];
    }
    return true;
}

void ch_store_deinit(struct ch_store *store)
{
    if (store == NULL) return;
    for (uint32_t i = 0; i < store->table_count; i++) {
        for (uint32_t k = 0; k < CH_TABLE_CHUNKS; k++) {
            ch_lines_free(store->tables[i].chunks[k]);
        }
    }
    for (uint32_t i = 0; i < store->index_count; i++) {
        ch_index_deinit(&store->indexes[i]);
    }
    free(store->tables);
    free(store->indexes);
    ch_journal_destroy(store->journal);
    *store = (struct ch_store){0};
}

/* Rows that were never taken are zero. */
static void reset_table(struct ch_table *table)
{
    uint32_t left = table->used;
    for (uint32_t k = 0; left > 0; k++) {
        const uint32_t rows = (uint32_t)CH_CHUNK_ROWS << k;
        const uint32_t used = left < rows ? left : rows;
        memset(table->chunks[k], 0, (size_t)used * table->def.row_bytes);
        left -= used;
    }
    table->used = table->free_head = table->free_rows = 0;
}

void ch_store_reset(struct ch_store *store)
{
    CH_CHECK(store->journal == NULL);
    for (uint32_t i = 0; i < store->table_count; i++) {
        reset_table(&store->tables[i]);
    }
    for (uint32_t i = 0; i < store->index_count; i++) {
        ch_index_deinit(&store->indexes[i]);
    }
}

static uint64_t cells_bytes(const struct ch_cells *cells)
{
    return cells == NULL ? 0 : sizeof *cells + cells->size * sizeof cells->cell[0];
}

uint64_t ch_store_bytes(const struct ch_store *store)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < store->table_count; i++) {
        bytes += (uint64_t)store->tables[i].used * store->tables[i].def.row_bytes;
    }
    for (uint32_t i = 0; i < store->index_count; i++) {
        const struct ch_index *index = &store->indexes[i];
        bytes += cells_bytes(index->now) + cells_bytes(index->old) + cells_bytes(index->next);
    }
    return bytes;
}

bool ch_store_journal(struct ch_store *store, bool on)
{
    if (on == (store->journal != NULL)) return true;
    if (on) {
        store->journal = ch_journal_create();
        return store->journal != NULL;
    }
    ch_journal_destroy(store->journal);
    store->journal = NULL;
    return true;
}

bool ch_store_reserve_rows(struct ch_store *store, uint32_t table, uint32_t rows)
{
    CH_CHECK(table < store->table_count);
    struct ch_table *t = &store->tables[table];
    uint32_t from_free = rows < t->free_rows ? rows : t->free_rows;
    uint32_t fresh = rows - from_free;
    if (fresh <= t->capacity - t->used) return true;
    if (fresh > largest_rows - t->used) return false;
    while (fresh > t->capacity - t->used) {
        uint32_t chunk = (uint32_t)__builtin_ctz(t->capacity / CH_CHUNK_ROWS + 1);
        uint32_t chunk_rows = (uint32_t)CH_CHUNK_ROWS << chunk;
        t->chunks[chunk] = ch_lines_alloc((size_t)chunk_rows * t->def.row_bytes, table);
        if (t->chunks[chunk] == NULL) return false;
        t->capacity += chunk_rows;
    }
    return true;
}

bool ch_store_reserve_journal(struct ch_store *store, uint64_t bytes)
{
    return store->journal == NULL || ch_journal_reserve(store->journal, bytes);
}

uint64_t ch_store_edit_bytes(const struct ch_store *store, uint32_t table)
{
    CH_CHECK(table < store->table_count);
    return store->tables[table].def.row_bytes + sizeof(struct ch_undo);
}

static uint32_t word_of(const uint8_t *row)
{
    uint32_t word;
    memcpy(&word, row, sizeof word);
    return word;
}

static void set_word(uint8_t *row, uint32_t word)
{
    memcpy(row, &word, sizeof word);
}

static void journal_row(struct ch_store *store, enum ch_undo_kind kind, uint32_t table,
                        uint32_t row, struct ch_bytes before)
{
    if (store->journal == NULL) return;
    struct ch_undo undo = {.kind = (uint16_t)kind, .where = (uint16_t)table, .row = row};
    ch_journal_push(store->journal, before, &undo);
}

static uint8_t *live_row(struct ch_store *store, uint32_t table, uint32_t row)
{
    CH_CHECK(table < store->table_count);
    struct ch_table *t = &store->tables[table];
    CH_CHECK(row != 0 && row <= t->used);
    uint8_t *ptr = ch_table_ptr(t, row);
    CH_CHECK(word_of(ptr) == CH_ROW_LIVE);
    return ptr;
}

uint32_t ch_row_next(const struct ch_store *store, uint32_t table, uint32_t row)
{
    CH_CHECK(table < store->table_count);
    const struct ch_table *t = &store->tables[table];
    while (row < t->used) {
        row++;
        if (word_of(ch_table_ptr(t, row)) == CH_ROW_LIVE) return row;
    }
    return 0;
}

void *ch_row_edit(struct ch_store *store, uint32_t table, uint32_t row)
{
    uint8_t *ptr = live_row(store, table, row);
    journal_row(store, CH_UNDO_EDIT, table, row,
                (struct ch_bytes){ptr, store->tables[table].def.row_bytes});
    return ptr;
}

uint32_t ch_row_take(struct ch_store *store, uint32_t table)
{
    CH_CHECK(table < store->table_count);
    struct ch_table *t = &store->tables[table];
    bool fresh = t->free_head == 0;
    CH_CHECK(!fresh || t->used < t->capacity);
    uint32_t row = fresh ? t->used + 1 : t->free_head;
    uint8_t *ptr = ch_table_ptr(t, row);
    /* the rest is zero already: by calloc, by give or by rollback */
    CH_CHECK_SLOW(t->def.row_bytes == 4 ||
                  (ptr[4] == 0 && memcmp(ptr + 4, ptr + 5, t->def.row_bytes - 5) == 0));
    journal_row(store, fresh ? CH_UNDO_TAKE_FRESH : CH_UNDO_TAKE_FREE, table, row,
                (struct ch_bytes){0});
    if (fresh) {
        t->used++;
    } else {
        t->free_head = word_of(ptr);
        t->free_rows--;
    }
    set_word(ptr, CH_ROW_LIVE);
    return row;
}

static void put_on_free_list(struct ch_table *t, uint32_t row, uint8_t *ptr)
{
    memset(ptr, 0, t->def.row_bytes);
    set_word(ptr, t->free_head);
    t->free_head = row;
    t->free_rows++;
}

void ch_row_give(struct ch_store *store, uint32_t table, uint32_t row)
{
    uint8_t *ptr = live_row(store, table, row);
    struct ch_table *t = &store->tables[table];
    journal_row(store, CH_UNDO_GIVE, table, row, (struct ch_bytes){ptr, t->def.row_bytes});
    put_on_free_list(t, row, ptr);
}

uint32_t ch_table_live(const struct ch_store *store, uint32_t table)
{
    CH_CHECK(table < store->table_count);
    return store->tables[table].used - store->tables[table].free_rows;
}

struct ch_mark ch_store_mark(const struct ch_store *store)
{
    return (struct ch_mark){.at = store->journal == NULL ? 0 : store->journal->tail};
}

enum { ROW_BYTES_MOST = 1024 }; /* of one that is looked at */

static void undo_index(struct ch_store *store, const struct ch_undo *undo)
{
    CH_CHECK(undo->where < store->index_count);
    if (undo->kind == CH_UNDO_INSERT) {
        ch_index_drop(&store->indexes[undo->where], undo->tag, undo->row);
    } else {
        ch_index_put(&store->indexes[undo->where], undo->tag, undo->row);
    }
}

static void undo_row(struct ch_store *store, const struct ch_undo *undo)
{
    CH_CHECK(undo->where < store->table_count);
    struct ch_table *t = &store->tables[undo->where];
    uint8_t *ptr = ch_table_ptr(t, undo->row);
    bool live = undo->kind != CH_UNDO_GIVE;
    CH_CHECK((word_of(ptr) == CH_ROW_LIVE) == live);
    if (undo->kind == CH_UNDO_TAKE_FREE) {
        put_on_free_list(t, undo->row, ptr);
    } else if (undo->kind == CH_UNDO_TAKE_FRESH) {
        CH_CHECK(undo->row == t->used);
        memset(ptr, 0, t->def.row_bytes);
        t->used--;
    } else {
        if (!live) {
            CH_CHECK(t->free_head == undo->row);
            t->free_head = word_of(ptr);
            t->free_rows--;
        }
        ch_journal_pop(store->journal, ptr, t->def.row_bytes);
    }
}

void ch_store_rollback(struct ch_store *store, struct ch_mark mark)
{
    struct ch_journal *journal = store->journal;
    CH_CHECK(journal != NULL);
    CH_CHECK(mark.at >= journal->head && mark.at <= journal->tail);
    while (journal->tail > mark.at) {
        struct ch_undo undo;
        ch_journal_pop(journal, &undo, sizeof undo);
        if (undo.kind == CH_UNDO_GIVE || undo.kind == CH_UNDO_REMOVE) store->losses++;
        if (undo.kind == CH_UNDO_INSERT || undo.kind == CH_UNDO_REMOVE) {
            undo_index(store, &undo);
        } else {
            CH_CHECK(undo.kind >= CH_UNDO_EDIT && undo.kind <= CH_UNDO_TAKE_FRESH);
            undo_row(store, &undo);
        }
    }
    CH_CHECK(journal->tail == mark.at);
}

void ch_store_touched(const struct ch_store *store, struct ch_mark mark, ch_touched_row_fn *fn,
                      void *arg)
{
    const struct ch_journal *journal = store->journal;
    uint64_t before[ROW_BYTES_MOST / sizeof(uint64_t)]; /* aligned for any row */
    CH_CHECK(journal != NULL);
    CH_CHECK(mark.at >= journal->head && mark.at <= journal->tail);
    for (uint64_t at = journal->tail; at > mark.at;) {
        struct ch_undo undo;
        ch_journal_peek(journal, at, &undo, sizeof undo);
        at -= sizeof undo;
        if (undo.kind == CH_UNDO_INSERT || undo.kind == CH_UNDO_REMOVE) continue;
        if (undo.kind == CH_UNDO_TAKE_FREE || undo.kind == CH_UNDO_TAKE_FRESH) {
            fn(arg, undo.where, undo.row, NULL);
            continue;
        }
        const size_t len = store->tables[undo.where].def.row_bytes;
        CH_CHECK(len <= sizeof before);
        ch_journal_peek(journal, at, before, len);
        at -= len;
        fn(arg, undo.where, undo.row, before);
    }
    memset(before, 0, sizeof before);
}

void ch_store_forget(struct ch_store *store, struct ch_mark mark)
{
    if (store->journal == NULL) return;
    ch_journal_forget(store->journal, mark.at);
}

uint64_t ch_hash_bytes(const void *ptr, size_t len)
{
    const uint8_t *at = ptr;
    uint64_t hash = len;
    uint64_t word;
    for (; len > sizeof word; len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = ch_hash_mix(hash, word);
        at += sizeof word;
    }
    word = 0;
    if (len > 0) memcpy(&word, at, len);
    return ch_hash_mix(hash, word);
}
