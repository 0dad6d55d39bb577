/* test_store_model: random histories of a store against a naive model. SPDX-License-Identifier: MIT
 * The model is one flat struct: a mark copies it whole, a rollback copies it back. Besides, every
 * mark keeps a copy of all bytes of the store's tables and of the set of its index entries.
 * A seed and a number of rounds may be given as arguments. */
#include "daemon/core/store.h"
#include "daemon/core/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { TABLES = 3, INDEXES = 2, MAX_ROWS = 700, HASHES = 512, INDEX_ROWS = 24 };
enum { MARKS = 6, STEPS = 15000, WIDEST = 212, CAPACITY = CH_CHUNK_ROWS * 7 };

static const struct ch_table_def defs[TABLES] = {
    {.name = "words", .row_bytes = 4, .dumped = true},
    {.name = "lines", .row_bytes = 64, .dumped = true},
    {.name = "odds", .row_bytes = WIDEST, .dumped = false},
};

struct model_table {
    uint32_t used;
    uint32_t free_count;
    uint32_t free[MAX_ROWS]; /* a stack */
    bool live[MAX_ROWS + 1];
    uint8_t rows[MAX_ROWS + 1][WIDEST]; /* without the first word */
};

struct model {
    struct model_table tables[TABLES];
    bool in[INDEXES][HASHES][INDEX_ROWS + 1];
};

/* All that a rollback must bring back, as it stood in the store itself. */
struct copy {
    struct ch_table tables[TABLES];
    uint8_t bytes[TABLES][CAPACITY * WIDEST];
    size_t entries[INDEXES];
    uint64_t sizes[INDEXES]; /* not brought back: an index stays as large as it grew */
    uint64_t cells[INDEXES][HASHES * INDEX_ROWS];
};

struct saved {
    struct ch_mark mark;
    struct model model;
    struct copy copy;
};

struct world {
    struct ch_store store;
    struct model model;
    struct saved *saved[MARKS];
    uint32_t marks;
    uint64_t random;
    uint32_t rollbacks, forgets, grown_and_back, index_grown_and_back, moving_and_back;
};

static uint64_t first_seed = 20260101;
static uint32_t rounds = 24;

static uint32_t below(struct world *w, uint32_t bound)
{
    w->random += 0x9e3779b97f4a7c15u;
    return (uint32_t)(ch_hash_mix(w->random, 1) % bound);
}

/* Index 0: spread hashes. Index 1: neighbours whose runs cross the end of the array. */
static uint64_t hash_of(uint32_t index, uint32_t id)
{
    return index == 0 ? ch_hash_mix(id, 99) : (uint64_t)(UINT32_MAX - id) << 32 | id;
}

static uint32_t rows_of(uint32_t index)
{
    return index == 0 ? INDEX_ROWS : 3;
}

static int compare_cells(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static size_t list_entries(const struct ch_index *index, uint64_t *ret_cells)
{
    const struct ch_cells *both[2] = {index->now, index->old};
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        size_t before = count;
        for (uint64_t c = 0; both[i] != NULL && c < both[i]->size; c++) {
            uint64_t cell = both[i]->cell[c];
            if (cell != 0 && (uint32_t)cell != CH_CELL_DEAD) {
                ret_cells[count++] = cell;
            }
            assert_true(i == 1 || (uint32_t)cell != CH_CELL_DEAD);
        }
        assert_true(both[i] == NULL || both[i]->live == count - before);
    }
    qsort(ret_cells, count, sizeof *ret_cells, compare_cells);
    return count;
}

static void copy_store(const struct ch_store *store, struct copy *ret)
{
    for (uint32_t t = 0; t < TABLES; t++) {
        const struct ch_table *table = &store->tables[t];
        ret->tables[t] = *table;
        assert_true(table->capacity <= CAPACITY);
        for (uint32_t r = 1; r <= table->capacity; r++) {
            memcpy(&ret->bytes[t][(r - 1) * table->def.row_bytes], ch_table_ptr(table, r),
                   table->def.row_bytes);
        }
    }
    for (uint32_t x = 0; x < INDEXES; x++) {
        ret->sizes[x] = store->indexes[x].now == NULL ? 0 : store->indexes[x].now->size;
        ret->entries[x] = list_entries(&store->indexes[x], ret->cells[x]);
    }
}

/* Byte for byte; memory that a table got in between must be zero. */
static void assert_store_is(const struct ch_store *store, const struct copy *want)
{
    static uint64_t cells[HASHES * INDEX_ROWS];
    static const uint8_t zero[WIDEST];
    for (uint32_t t = 0; t < TABLES; t++) {
        const struct ch_table *table = &store->tables[t];
        const struct ch_table *before = &want->tables[t];
        uint32_t len = table->def.row_bytes;
        assert_int_equal(table->used, before->used);
        assert_int_equal(table->free_head, before->free_head);
        assert_int_equal(table->free_rows, before->free_rows);
        for (uint32_t r = 1; r <= table->capacity; r++) {
            const uint8_t *row = r <= before->capacity ? &want->bytes[t][(r - 1) * len] : zero;
            assert_memory_equal(ch_table_ptr(table, r), row, len);
        }
    }
    for (uint32_t x = 0; x < INDEXES; x++) {
        size_t count = list_entries(&store->indexes[x], cells);
        assert_int_equal(count, want->entries[x]);
        assert_memory_equal(cells, want->cells[x], count * sizeof *cells);
    }
}

static void assert_hash_as_in_model(const struct world *w, uint32_t index, uint32_t id)
{
    bool seen[INDEX_ROWS + 1] = {false};
    struct ch_probe probe = ch_probe_start(&w->store, index, hash_of(index, id));
    for (uint32_t r = ch_probe_next(&probe); r != 0; r = ch_probe_next(&probe)) {
        assert_true(r <= INDEX_ROWS && !seen[r]);
        seen[r] = true;
    }
    assert_memory_equal(seen, w->model.in[index][id], sizeof seen);
}

static void assert_as_in_model(const struct world *w)
{
    for (uint32_t t = 0; t < TABLES; t++) {
        const struct model_table *m = &w->model.tables[t];
        assert_int_equal(w->store.tables[t].used, m->used);
        assert_int_equal(ch_table_live(&w->store, t), m->used - m->free_count);
        uint32_t next = ch_row_next(&w->store, t, 0);
        for (uint32_t r = 1; r <= m->used; r++) {
            assert_int_equal(ch_row_is_live(&w->store, t, r), m->live[r]);
            if (!m->live[r]) continue;
            assert_int_equal(next, r);
            next = ch_row_next(&w->store, t, r);
            assert_memory_equal((const uint8_t *)ch_row(&w->store, t, r) + 4, m->rows[r],
                                defs[t].row_bytes - 4);
        }
        assert_int_equal(next, 0);
    }
    for (uint32_t x = 0; x < INDEXES; x++) {
        for (uint32_t id = 0; id < HASHES; id++) {
            assert_hash_as_in_model(w, x, id);
        }
    }
}

static void step_take(struct world *w, uint32_t t)
{
    struct model_table *m = &w->model.tables[t];
    if (m->free_count == 0 && m->used == MAX_ROWS) return;
    uint32_t want = m->free_count > 0 ? m->free[--m->free_count] : ++m->used;
    m->live[want] = true;
    memset(m->rows[want], 0, WIDEST);
    assert_int_equal(ch_row_take(&w->store, t), want);
}

static void step_edit_or_give(struct world *w, uint32_t t, bool give)
{
    struct model_table *m = &w->model.tables[t];
    if (m->used == 0) return;
    uint32_t row = 1 + below(w, m->used);
    if (!m->live[row]) return;
    if (give) {
        m->live[row] = false;
        m->free[m->free_count++] = row;
        ch_row_give(&w->store, t, row);
        return;
    }
    uint8_t *at = ch_row_edit(&w->store, t, row);
    for (uint32_t i = 4; i < defs[t].row_bytes; i += 1 + below(w, 16)) {
        at[i] = m->rows[row][i - 4] = (uint8_t)below(w, 256);
    }
}

static void step_index(struct world *w, uint32_t x)
{
    uint32_t id = below(w, HASHES);
    uint32_t row = 1 + below(w, rows_of(x));
    bool *in = &w->model.in[x][id][row];
    if (*in) {
        ch_index_remove(&w->store, x, hash_of(x, id), row);
    } else {
        ch_index_insert(&w->store, x, hash_of(x, id), row);
    }
    *in = !*in;
    assert_hash_as_in_model(w, x, id);
}

static void step_mark(struct world *w)
{
    if (w->marks == MARKS) return;
    struct saved *saved = w->saved[w->marks++];
    saved->mark = ch_store_mark(&w->store);
    saved->model = w->model;
    copy_store(&w->store, &saved->copy);
}

static void step_rollback(struct world *w)
{
    if (w->marks == 0) return;
    uint32_t to = below(w, w->marks);
    bool grown = false;
    bool index_grown = false;
    bool moving = false;
    const struct saved *saved = w->saved[to];
    for (uint32_t t = 0; t < TABLES; t++) {
        grown = grown || w->store.tables[t].capacity != saved->copy.tables[t].capacity;
    }
    for (uint32_t x = 0; x < INDEXES; x++) {
        const struct ch_index *index = &w->store.indexes[x];
        uint64_t size = index->now == NULL ? 0 : index->now->size;
        index_grown = index_grown || size != saved->copy.sizes[x];
        moving = moving || index->old != NULL;
    }
    ch_store_rollback(&w->store, saved->mark);
    assert_store_is(&w->store, &saved->copy);
    w->model = saved->model;
    assert_as_in_model(w);
    assert_int_equal(ch_store_mark(&w->store).at, saved->mark.at);
    w->rollbacks++;
    w->grown_and_back += grown;
    w->index_grown_and_back += index_grown;
    w->moving_and_back += moving;
    w->marks = to + below(w, 2); /* the mark itself is still good */
}

static void step_forget(struct world *w)
{
    w->forgets++;
    if (w->marks == 0 || below(w, 4) == 0) {
        ch_store_forget(&w->store, ch_store_mark(&w->store));
        w->marks = 0;
        return;
    }
    uint32_t gone = below(w, w->marks);
    ch_store_forget(&w->store, w->saved[gone]->mark);
    for (uint32_t i = 0; i < gone; i++) {
        struct saved *first = w->saved[0];
        memmove(&w->saved[0], &w->saved[1], (MARKS - 1) * sizeof w->saved[0]);
        w->saved[MARKS - 1] = first;
        w->marks--;
    }
}

static void reserve(struct world *w)
{
    uint32_t many = below(w, 50) == 0 ? 200 : 1 + below(w, 8);
    uint64_t bytes = 0;
    for (uint32_t t = 0; t < TABLES; t++) {
        assert_true(ch_store_reserve_rows(&w->store, t, many));
        if (ch_store_edit_bytes(&w->store, t) > bytes) bytes = ch_store_edit_bytes(&w->store, t);
    }
    for (uint32_t x = 0; x < INDEXES; x++) {
        assert_true(ch_store_reserve_cells(&w->store, x, many));
    }
    assert_true(ch_store_reserve_journal(&w->store, bytes * many));
}

static void play_round(struct world *w)
{
    assert_true(ch_store_init(&w->store, defs, TABLES, INDEXES));
    assert_true(ch_store_journal(&w->store, true));
    memset(&w->model, 0, sizeof w->model);
    w->marks = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        bool shrinking = step / 3000 % 2 == 1;
        if (step % 3 == 0 || below(w, 2) == 0)
            reserve(w);
        else
            assert_true(ch_store_reserve_journal(&w->store, 4096));
        uint32_t die = below(w, 1000);
        uint32_t t = below(w, TABLES);
        /* one write of each kind has room only right after a reserve of its own */
        assert_true(ch_store_reserve_rows(&w->store, t, 1));
        uint32_t x = below(w, INDEXES);
        assert_true(ch_store_reserve_cells(&w->store, x, 1));
        if (die < 200) {
            if (!shrinking || below(w, 3) == 0) step_take(w, t);
        } else if (die < 400) {
            step_edit_or_give(w, t, /* give= */ false);
        } else if (die < 520) {
            if (shrinking || below(w, 3) == 0) step_edit_or_give(w, t, /* give= */ true);
        } else if (die < 970) {
            step_index(w, x);
        } else if (die < 986) {
            step_mark(w);
        } else if (die < 995) {
            step_rollback(w);
        } else if (die < 998) {
            step_forget(w);
        } else {
            assert_as_in_model(w);
        }
    }
    ch_store_deinit(&w->store);
}

static void random_histories_agree_with_the_model_and_rollback_leaves_no_trace(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (uint32_t i = 0; i < MARKS; i++) {
        w->saved[i] = calloc(1, sizeof *w->saved[i]);
        assert_non_null(w->saved[i]);
    }
    for (uint32_t round = 0; round < rounds; round++) {
        w->random = first_seed + round;
        print_message("seed %llu\n", (unsigned long long)w->random);
        play_round(w);
    }
    print_message("%u steps, %u forgets, %u rollbacks: %u over growth of a table, %u of an index, "
                  "%u during a move\n",
                  rounds * STEPS, w->forgets, w->rollbacks, w->grown_and_back,
                  w->index_grown_and_back, w->moving_and_back);
    assert_true(rounds < 4 || (w->grown_and_back > 0 && w->index_grown_and_back > 0));
    assert_true(rounds < 4 || w->moving_and_back > 0);
    for (uint32_t i = 0; i < MARKS; i++) {
        free(w->saved[i]);
    }
    free(w);
}

int main(int argc, char **argv)
{
    if (argc > 1) first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) rounds = (uint32_t)strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_agree_with_the_model_and_rollback_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
