/* test_store: the contract of tables, indexes and marks, sentence by sentence.
 * SPDX-License-Identifier: MIT
 * Random histories against a model are in test_store_model.c. */
#include "daemon/core/store.h"
#include "daemon/core/index.h"
#include "daemon/core/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 0
#else
#define OWN_ALLOCATOR 1
#endif

static int allocations_left = -1; /* -1: no end */

#if OWN_ALLOCATOR
void *__libc_calloc(size_t count, size_t size);
void *__libc_malloc(size_t size);

static bool allocation_fails(void)
{
    if (allocations_left < 0) return false;
    if (allocations_left == 0) return true;
    allocations_left--;
    return false;
}

void *calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(count, size);
}

void *malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}
#endif

enum { TABLES = 3, INDEXES = 2 };

static const struct ch_table_def defs[TABLES] = {
    {.name = "words", .row_bytes = 4, .dumped = true},
    {.name = "lines", .row_bytes = 64, .dumped = true},
    {.name = "odds", .row_bytes = 212, .dumped = false},
};

static struct ch_store live_store(void)
{
    struct ch_store store;
    assert_true(ch_store_init(&store, defs, TABLES, INDEXES));
    assert_true(ch_store_journal(&store, true));
    return store;
}

static void reserve_some(struct ch_store *store)
{
    uint64_t bytes = 0;
    for (uint32_t t = 0; t < store->table_count; t++) {
        assert_true(ch_store_reserve_rows(store, t, 4));
        bytes += 4 * ch_store_edit_bytes(store, t);
    }
    for (uint32_t x = 0; x < store->index_count; x++) {
        assert_true(ch_store_reserve_cells(store, x, 4));
        bytes += 4 * CH_JOURNAL_INDEX_BYTES;
    }
    assert_true(ch_store_reserve_journal(store, bytes));
}

static uint32_t find(const struct ch_store *store, uint32_t index, uint64_t hash, uint32_t row)
{
    uint32_t times = 0;
    struct ch_probe probe = ch_probe_start(store, index, hash);
    for (uint32_t r = ch_probe_next(&probe); r != 0; r = ch_probe_next(&probe)) {
        times += r == row;
    }
    assert_int_equal(ch_probe_next(&probe), 0);
    return times;
}

/* Runs `act` in a child: true if a check stopped it. */
static bool is_stopped(void (*act)(struct ch_store *), struct ch_store *store)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setrlimit(RLIMIT_CORE, &(struct rlimit){0}) != 0) _exit(1);
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(1);
        act(store);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* ---- tables ---- */

static void deinit_takes_null_and_zeroed(void **state)
{
    (void)state;
    struct ch_store store = {0};
    ch_store_deinit(NULL);
    ch_store_deinit(&store);
}

static void a_fresh_row_is_zeroed_but_for_its_first_word(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    uint32_t row = ch_row_take(&store, 1);
    assert_int_equal(row, 1);
    assert_true(ch_row_is_live(&store, 1, row));
    uint8_t want[64] = {0};
    uint32_t word = CH_ROW_LIVE;
    memcpy(want, &word, sizeof word);
    assert_memory_equal(ch_row(&store, 1, row), want, sizeof want);
    assert_int_equal((uintptr_t)ch_row(&store, 1, row) % 64, 0);

    memset((uint8_t *)ch_row_edit(&store, 1, row) + 4, 0xee, 60);
    ch_row_give(&store, 1, row);
    assert_int_equal(ch_row_take(&store, 1), row);
    assert_memory_equal(ch_row(&store, 1, row), want, sizeof want);
    ch_store_deinit(&store);
}

static void a_given_row_is_zeroed_but_for_the_link(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    uint32_t a = ch_row_take(&store, 1);
    uint32_t b = ch_row_take(&store, 1);
    memset((uint8_t *)ch_row_edit(&store, 1, b) + 4, 0xee, 60);
    ch_row_give(&store, 1, a);
    ch_row_give(&store, 1, b);
    uint8_t want[64] = {0};
    memcpy(want, &a, sizeof a);
    assert_memory_equal(ch_row(&store, 1, b), want, sizeof want);
    assert_false(ch_row_is_live(&store, 1, b));
    ch_store_deinit(&store);
}

static void rows_are_taken_again_last_given_first(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    for (uint32_t i = 1; i <= 4; i++) {
        assert_int_equal(ch_row_take(&store, 0), i);
    }
    assert_true(ch_store_reserve_journal(&store, 1024));
    ch_row_give(&store, 0, 2);
    ch_row_give(&store, 0, 4);
    assert_int_equal(ch_table_live(&store, 0), 2);
    assert_int_equal(ch_row_next(&store, 0, 0), 1);
    assert_int_equal(ch_row_next(&store, 0, 1), 3);
    assert_int_equal(ch_row_next(&store, 0, 3), 0);
    assert_int_equal(ch_row_take(&store, 0), 4);
    assert_int_equal(ch_row_take(&store, 0), 2);
    assert_int_equal(ch_table_live(&store, 0), 4);
    ch_store_deinit(&store);
}

static void a_row_never_moves_and_chunks_join_without_gap(void **state)
{
    (void)state;
    struct ch_store store;
    assert_true(ch_store_init(&store, defs, TABLES, INDEXES));
    enum { ROWS = 256 * 15 + 1 }; /* one row into the fifth chunk */
    static const void *at[ROWS + 1];
    for (uint32_t i = 1; i <= ROWS; i++) {
        assert_true(ch_store_reserve_rows(&store, 1, 1));
        assert_int_equal(ch_row_take(&store, 1), i);
        at[i] = ch_row(&store, 1, i);
        memcpy((uint8_t *)ch_row_edit(&store, 1, i) + 4, &i, sizeof i);
    }
    assert_int_equal(store.tables[1].capacity, 256 * 31);
    uint32_t row = 0;
    for (uint32_t i = 1; i <= ROWS; i++) {
        row = ch_row_next(&store, 1, row);
        assert_int_equal(row, i);
        assert_ptr_equal(ch_row(&store, 1, i), at[i]);
        assert_memory_equal((const uint8_t *)at[i] + 4, &i, sizeof i);
    }
    ch_store_deinit(&store);
}

static void reserve_refuses_more_than_the_largest_and_loses_nothing(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    ch_index_insert(&store, 0, ch_hash_mix(1, 2), 7);
    uint32_t row = ch_row_take(&store, 0);
    assert_false(ch_store_reserve_rows(&store, 0, UINT32_MAX));
    assert_false(ch_store_reserve_rows(&store, 0, 0x80000000u - 256));
    assert_false(ch_store_reserve_cells(&store, 0, UINT32_MAX));
    assert_false(ch_store_reserve_journal(&store, UINT64_MAX));
    assert_true(ch_row_is_live(&store, 0, row));
    assert_int_equal(find(&store, 0, ch_hash_mix(1, 2), 7), 1);
    assert_int_equal(ch_row_take(&store, 0), row + 1);
    ch_store_deinit(&store);
}

static void every_failing_allocation_is_reported_and_loses_nothing(void **state)
{
    (void)state;
    if (!OWN_ALLOCATOR) {
        print_message("SKIPPED: failing allocations need the plain allocator, not a sanitizer's\n");
        skip();
    }
    bool done = false;
    for (int n = 0; !done; n++) {
        struct ch_store store;
        allocations_left = n;
        if (!ch_store_init(&store, defs, TABLES, INDEXES)) {
            allocations_left = -1;
            assert_null(store.tables);
            ch_store_deinit(&store);
            continue;
        }
        done = ch_store_journal(&store, true);
        uint32_t row = 0;
        for (uint32_t i = 1; done && i <= 3000; i++) {
            done = ch_store_reserve_rows(&store, 2, 1) && ch_store_reserve_cells(&store, 1, 1) &&
                   ch_store_reserve_journal(&store, 1000);
            if (!done) break;
            row = ch_row_take(&store, 2);
            ch_row_edit(&store, 2, row);
            ch_index_insert(&store, 1, ch_hash_mix(row, 0), row);
        }
        allocations_left = -1;
        assert_int_equal(ch_table_live(&store, 2), row);
        for (uint32_t i = 1; i <= row; i++) {
            assert_int_equal(find(&store, 1, ch_hash_mix(i, 0), i), 1);
        }
        if (store.journal != NULL) ch_store_rollback(&store, (struct ch_mark){0});
        assert_int_equal(ch_table_live(&store, 2), 0);
        ch_store_deinit(&store);
    }
}

/* ---- what a check stops ---- */

static void take_too_many(struct ch_store *store)
{
    for (;;) {
        ch_row_take(store, 0);
    }
}

static void edit_too_much(struct ch_store *store)
{
    for (;;) {
        ch_row_edit(store, 0, 1);
    }
}

static void insert_too_many(struct ch_store *store)
{
    for (uint32_t i = 1;; i++) {
        ch_index_insert(store, 0, ch_hash_mix(i, i), i);
    }
}

static void insert_twice(struct ch_store *store)
{
    ch_index_insert(store, 0, 1, 1);
    ch_index_insert(store, 0, 1, 1);
}

static void remove_what_is_not_in(struct ch_store *store)
{
    ch_index_remove(store, 0, 1, 1);
}

static void give_twice(struct ch_store *store)
{
    ch_row_give(store, 0, 1);
    ch_row_give(store, 0, 1);
}

static void edit_row_none(struct ch_store *store)
{
    ch_row_edit(store, 0, 0);
}

static void roll_back_what_was_forgotten(struct ch_store *store)
{
    struct ch_mark mark = ch_store_mark(store);
    ch_row_edit(store, 0, 1);
    ch_store_forget(store, ch_store_mark(store));
    ch_store_rollback(store, mark);
}

static void roll_back_without_a_journal(struct ch_store *store)
{
    struct ch_mark mark = ch_store_mark(store);
    if (ch_store_journal(store, false)) ch_store_rollback(store, mark);
}

static void misuse_stops_the_process(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    ch_row_take(&store, 0);
    assert_true(is_stopped(take_too_many, &store));
    assert_true(is_stopped(edit_too_much, &store));
    assert_true(is_stopped(insert_too_many, &store));
    assert_true(is_stopped(insert_twice, &store));
    assert_true(is_stopped(remove_what_is_not_in, &store));
    assert_true(is_stopped(give_twice, &store));
    assert_true(is_stopped(edit_row_none, &store));
    assert_true(is_stopped(roll_back_what_was_forgotten, &store));
    assert_true(is_stopped(roll_back_without_a_journal, &store));
    ch_store_deinit(&store);
}

/* ---- indexes ---- */

static void an_empty_index_answers_nothing(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    assert_int_equal(find(&store, 0, 42, 1), 0);
    ch_store_deinit(&store);
}

static void equal_tags_are_all_candidates_across_the_end_of_the_array(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    uint64_t last = UINT64_MAX; /* home: the last cell, so the run wraps */
    for (uint32_t row = 1; row <= 4; row++) {
        ch_index_insert(&store, 0, last, row);
    }
    for (uint32_t gone = 1; gone <= 4; gone++) {
        ch_index_remove(&store, 0, last, gone);
        for (uint32_t row = 1; row <= 4; row++) {
            assert_int_equal(find(&store, 0, last, row), row > gone);
        }
    }
    ch_store_deinit(&store);
}

static uint64_t moved_so_far(const struct ch_index *index)
{
    return index->old == NULL ? 0 : index->old->moved;
}

static void an_index_grows_to_two_million_a_few_cells_at_a_time(void **state)
{
    (void)state;
    enum { ENTRIES = 2000000 };
    struct ch_store store;
    assert_true(ch_store_init(&store, defs, TABLES, INDEXES));
    struct ch_index *index = &store.indexes[0];
    int64_t longest_ns = 0;
    uint32_t growths = 0;
    uint32_t ready = 0;
    assert_true(ch_store_journal(&store, true)); /* as it is while requests wait */
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        const struct ch_cells *now = index->now;
        const struct ch_cells *next = index->next;
        const uint64_t touched = index->touched;
        bool was_moving = index->old != NULL;
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from); /* printed, never asserted on */
        assert_true(ch_store_reserve_cells(&store, 0, 1));
        assert_true(ch_store_reserve_journal(&store, CH_JOURNAL_INDEX_BYTES));
        if (index->now != now) {
            assert_false(was_moving); /* the move ended before the next growth */
            growths++;
            /* What it grew into was made before, and its pages were touched by then. */
            if (next != NULL) {
                assert_ptr_equal(index->now, next);
                assert_true(touched >= next->size * sizeof next->cell[0]);
                ready++;
            }
        }
        uint64_t moved = moved_so_far(index);
        ch_index_insert(&store, 0, ch_hash_mix(i, 3), i);
        ch_store_forget(&store, ch_store_mark(&store));
        clock_gettime(CLOCK_MONOTONIC, &to);
        assert_true(index->old == NULL || index->old->moved - moved <= CH_CELLS_PER_STEP);
        int64_t ns = (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
        if (ns > longest_ns) longest_ns = ns;
    }
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        assert_int_equal(find(&store, 0, ch_hash_mix(i, 3), i), 1);
    }
    assert_true(growths >= 12 && ready + 1 == growths); /* all but the first */
    print_message("%u growths, longest reserve and insert: %lld us\n", growths,
                  (long long)(longest_ns / 1000));
    ch_store_deinit(&store);
}

static void a_growth_between_mark_and_rollback_changes_no_entry(void **state)
{
    (void)state;
    enum { BEFORE = 1000, AFTER = 5000 };
    struct ch_store store = live_store();
    struct ch_mark mark = {0};
    for (uint32_t i = 1; i <= AFTER; i++) {
        if (i == BEFORE + 1) mark = ch_store_mark(&store);
        reserve_some(&store);
        ch_index_insert(&store, 0, ch_hash_mix(i, 3), i);
        if (i > BEFORE && i <= 2 * BEFORE) {
            ch_index_remove(&store, 0, ch_hash_mix(i - BEFORE, 3), i - BEFORE);
        }
    }
    ch_store_rollback(&store, mark);
    for (uint32_t i = 1; i <= AFTER; i++) {
        assert_int_equal(find(&store, 0, ch_hash_mix(i, 3), i), i <= BEFORE);
    }
    ch_store_deinit(&store);
}

static void a_large_reservation_during_a_move_ends_the_move_first(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    assert_true(ch_store_reserve_journal(&store, 100 * CH_JOURNAL_INDEX_BYTES));
    for (uint32_t i = 1; i <= 50; i++) {
        assert_true(ch_store_reserve_cells(&store, 0, 1));
        ch_index_insert(&store, 0, ch_hash_mix(i, 3), i);
    }
    assert_non_null(store.indexes[0].old);
    assert_true(ch_store_reserve_cells(&store, 0, 1000));
    assert_non_null(store.indexes[0].old);
    assert_int_equal(store.indexes[0].old->live, 50);
    for (uint32_t i = 1; i <= 50; i++) {
        assert_int_equal(find(&store, 0, ch_hash_mix(i, 3), i), 1);
    }
    ch_store_deinit(&store);
}

/* ---- the journal ---- */

static void nothing_is_journaled_while_the_journal_is_off(void **state)
{
    (void)state;
    struct ch_store store;
    assert_true(ch_store_init(&store, defs, TABLES, INDEXES));
    assert_true(ch_store_reserve_journal(&store, UINT64_MAX));
    assert_true(ch_store_reserve_rows(&store, 1, 1));
    uint32_t row = ch_row_take(&store, 1);
    ch_store_forget(&store, ch_store_mark(&store));
    assert_true(ch_store_journal(&store, true));
    assert_true(ch_store_journal(&store, true));
    ch_store_rollback(&store, ch_store_mark(&store));
    assert_true(ch_row_is_live(&store, 1, row));
    assert_true(ch_store_journal(&store, false));
    assert_true(ch_store_journal(&store, false));
    ch_store_deinit(&store);
}

static void an_edit_takes_exactly_what_edit_bytes_says(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    for (uint32_t t = 0; t < TABLES; t++) {
        reserve_some(&store);
        uint64_t before = ch_store_mark(&store).at;
        uint32_t row = ch_row_take(&store, t);
        assert_true(ch_store_mark(&store).at - before <= ch_store_edit_bytes(&store, t));
        before = ch_store_mark(&store).at;
        ch_row_edit(&store, t, row);
        assert_int_equal(ch_store_mark(&store).at - before, ch_store_edit_bytes(&store, t));
        before = ch_store_mark(&store).at;
        ch_row_give(&store, t, row);
        assert_int_equal(ch_store_mark(&store).at - before, ch_store_edit_bytes(&store, t));
    }
    uint64_t before = ch_store_mark(&store).at;
    ch_index_insert(&store, 0, 5, 5);
    ch_index_remove(&store, 0, 5, 5);
    assert_int_equal(ch_store_mark(&store).at - before, 2 * CH_JOURNAL_INDEX_BYTES);
    ch_store_deinit(&store);
}

static void forgotten_and_rolled_back_journal_memory_is_zeroed_and_reused(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    assert_true(ch_store_reserve_rows(&store, 2, 1));
    uint64_t room = 3 * CH_JOURNAL_CHUNK_BYTES;
    assert_true(ch_store_reserve_journal(&store, room));
    uint32_t row = ch_row_take(&store, 2);
    memset((uint8_t *)ch_row_edit(&store, 2, row) + 4, 0xee, 208);
    ch_store_forget(&store, ch_store_mark(&store));
    uint64_t most = 0;
    for (uint32_t round = 0; round < 100; round++) {
        assert_true(ch_store_reserve_journal(&store, room));
        struct ch_mark mark = ch_store_mark(&store);
        while (ch_store_mark(&store).at + 2 * ch_store_edit_bytes(&store, 2) <= mark.at + room) {
            ch_row_edit(&store, 2, row);
        }
        if (round % 3 == 0) ch_store_rollback(&store, mark);
        ch_store_forget(&store, ch_store_mark(&store));
        if (store.journal->count > most) most = store.journal->count;
        for (uint64_t slot = 0; slot < store.journal->slots; slot++) {
            const uint8_t *chunk = store.journal->chunks[slot];
            for (size_t i = 0; chunk != NULL && i < CH_JOURNAL_CHUNK_BYTES; i++) {
                if (chunk[i] == 0xee) fail_msg("old row bytes in chunk %u", (unsigned)slot);
            }
        }
    }
    assert_true(most <= 5);
    ch_store_deinit(&store);
}

static void a_rollback_over_many_chunks_brings_every_write_back(void **state)
{
    (void)state;
    enum { EDITS = 5000, EVERY = 100 }; /* about 17 chunks */
    struct ch_store store = live_store();
    reserve_some(&store);
    uint32_t row = ch_row_take(&store, 2);
    for (uint32_t round = 0; round < 5; round++) {
        struct ch_mark marks[EDITS / EVERY];
        for (uint32_t i = 0; i < EDITS; i++) {
            if (i % EVERY == 0) marks[i / EVERY] = ch_store_mark(&store);
            assert_true(ch_store_reserve_journal(&store, ch_store_edit_bytes(&store, 2)));
            uint32_t *at = ch_row_edit(&store, 2, row);
            at[1] = at[52] = i + 1;
        }
        for (uint32_t m = EDITS / EVERY - 1; m > round; m--) {
            ch_store_rollback(&store, marks[m]);
            const uint32_t *at = ch_row(&store, 2, row);
            assert_int_equal(at[1], m * EVERY);
            assert_int_equal(at[52], m * EVERY);
        }
        ch_store_forget(&store, ch_store_mark(&store));
    }
    ch_store_deinit(&store);
}

static void the_journal_grows_while_its_oldest_chunk_is_not_the_first_ever(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    uint32_t row = ch_row_take(&store, 2);
    for (uint32_t edits = 500; edits <= 16000; edits *= 2) {
        struct ch_mark mark = ch_store_mark(&store);
        for (uint32_t i = 0; i < edits; i++) {
            assert_true(ch_store_reserve_journal(&store, ch_store_edit_bytes(&store, 2)));
            uint32_t *at = ch_row_edit(&store, 2, row);
            at[1] = i + 1;
            if (i == edits / 2) ch_store_forget(&store, mark);
            if (i == edits / 3) mark = ch_store_mark(&store);
        }
        ch_store_rollback(&store, mark);
        const uint32_t *at = ch_row(&store, 2, row);
        assert_int_equal(at[1], edits / 3 + 1);
    }
    ch_store_deinit(&store);
}

static void marks_nest_and_the_older_one_outlives_the_newer(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    uint32_t row = ch_row_take(&store, 1);
    uint32_t *at = ch_row_edit(&store, 1, row);
    at[1] = 1;
    struct ch_mark outer = ch_store_mark(&store);
    at = ch_row_edit(&store, 1, row);
    at[1] = 2;
    struct ch_mark inner = ch_store_mark(&store);
    at = ch_row_edit(&store, 1, row);
    at[1] = 3;
    ch_store_rollback(&store, inner);
    assert_int_equal(at[1], 2);
    ch_store_rollback(&store, inner); /* still good: nothing was written since */
    assert_int_equal(at[1], 2);
    ch_store_forget(&store, outer);
    ch_store_rollback(&store, outer);
    assert_int_equal(at[1], 1);
    ch_store_deinit(&store);
}

struct written {
    uint32_t count;
    uint32_t rows[8];
    uint32_t tables[8];
    uint32_t words[8]; /* the second word before; 0: it was free */
};

static void note_written(void *arg, uint32_t table, uint32_t row, const void *before)
{
    struct written *written = arg;
    assert_true(written->count < 8);
    written->tables[written->count] = table;
    written->rows[written->count] = row;
    written->words[written->count++] = before == NULL ? 0 : ((const uint32_t *)before)[1];
}

static void what_was_written_since_a_mark_is_told_newest_first_and_stays(void **state)
{
    (void)state;
    struct ch_store store = live_store();
    reserve_some(&store);
    const uint32_t row = ch_row_take(&store, 1);
    ((uint32_t *)ch_row_edit(&store, 1, row))[1] = 7;
    const struct ch_mark mark = ch_store_mark(&store);
    ((uint32_t *)ch_row_edit(&store, 1, row))[1] = 8;
    ch_index_insert(&store, 0, ch_hash_mix(1, 2), row);
    const uint32_t other = ch_row_take(&store, 2);
    ch_index_remove(&store, 0, ch_hash_mix(1, 2), row);
    ch_row_give(&store, 1, row);
    for (uint32_t time = 0; time < 2; time++) { /* looking takes nothing off */
        struct written written = {0};
        ch_store_touched(&store, mark, note_written, &written);
        assert_int_equal(written.count, 3);
        assert_int_equal(written.tables[0], 1);
        assert_int_equal(written.rows[0], row);
        assert_int_equal(written.words[0], 8);
        assert_int_equal(written.tables[1], 2);
        assert_int_equal(written.rows[1], other);
        assert_int_equal(written.words[1], 0);
        assert_int_equal(written.tables[2], 1);
        assert_int_equal(written.words[2], 7);
    }
    ch_store_rollback(&store, mark);
    assert_int_equal(((const uint32_t *)ch_row(&store, 1, row))[1], 7);
    struct written none = {0};
    ch_store_touched(&store, mark, note_written, &none);
    assert_int_equal(none.count, 0);
    ch_store_deinit(&store);
}

static void hashes_of_texts_differ_by_length_and_by_every_byte(void **state)
{
    (void)state;
    uint8_t text[20] = {0};
    for (size_t len = 0; len < sizeof text; len++) {
        assert_true(ch_hash_bytes(text, len) != ch_hash_bytes(text, len + 1));
        uint64_t before = ch_hash_bytes(text, sizeof text);
        text[len] ^= 1;
        assert_true(ch_hash_bytes(text, sizeof text) != before);
        text[len] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deinit_takes_null_and_zeroed),
        cmocka_unit_test(a_fresh_row_is_zeroed_but_for_its_first_word),
        cmocka_unit_test(a_given_row_is_zeroed_but_for_the_link),
        cmocka_unit_test(rows_are_taken_again_last_given_first),
        cmocka_unit_test(a_row_never_moves_and_chunks_join_without_gap),
        cmocka_unit_test(reserve_refuses_more_than_the_largest_and_loses_nothing),
        cmocka_unit_test(every_failing_allocation_is_reported_and_loses_nothing),
        cmocka_unit_test(misuse_stops_the_process),
        cmocka_unit_test(an_empty_index_answers_nothing),
        cmocka_unit_test(equal_tags_are_all_candidates_across_the_end_of_the_array),
        cmocka_unit_test(an_index_grows_to_two_million_a_few_cells_at_a_time),
        cmocka_unit_test(a_growth_between_mark_and_rollback_changes_no_entry),
        cmocka_unit_test(a_large_reservation_during_a_move_ends_the_move_first),
        cmocka_unit_test(nothing_is_journaled_while_the_journal_is_off),
        cmocka_unit_test(an_edit_takes_exactly_what_edit_bytes_says),
        cmocka_unit_test(forgotten_and_rolled_back_journal_memory_is_zeroed_and_reused),
        cmocka_unit_test(a_rollback_over_many_chunks_brings_every_write_back),
        cmocka_unit_test(the_journal_grows_while_its_oldest_chunk_is_not_the_first_ever),
        cmocka_unit_test(marks_nest_and_the_older_one_outlives_the_newer),
        cmocka_unit_test(what_was_written_since_a_mark_is_told_newest_first_and_stays),
        cmocka_unit_test(hashes_of_texts_differ_by_length_and_by_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
