/* index: open addressing that grows step by step. SPDX-License-Identifier: MIT */
#include "daemon/core/index.h"
#include "daemon/core/journal.h"
#include "daemon/core/lines.h"

enum { FIRST_BITS = 6, LARGEST_BITS = 32 };

/* Three quarters: a miss then reads 8.5 cells on average, which is one or two lines. */
static uint64_t room_of(uint64_t size)
{
    return size - size / 4;
}

static uint64_t cell_of(uint32_t tag, uint32_t row)
{
    return (uint64_t)tag << 32 | row;
}

static uint64_t home_of(const struct ch_cells *cells, uint64_t cell)
{
    return (uint32_t)(cell >> 32) >> cells->shift;
}

static void place(struct ch_cells *cells, uint64_t cell)
{
    uint64_t mask = cells->size - 1;
    uint64_t at = home_of(cells, cell);
    while (cells->cell[at] != 0) {
        CH_CHECK(cells->cell[at] != cell);
        at = (at + 1) & mask;
    }
    cells->cell[at] = cell;
    cells->live++;
}

/* Where `cell` stands, or `size` if it is not there. */
static uint64_t find(const struct ch_cells *cells, uint64_t cell)
{
    uint64_t mask = cells->size - 1;
    for (uint64_t at = home_of(cells, cell); cells->cell[at] != 0; at = (at + 1) & mask) {
        if (cells->cell[at] == cell) return at;
    }
    return cells->size;
}

/* Empties one cell of a run and shifts back what would no longer be found behind the gap
 * (Knuth, The Art of Computer Programming 3, 6.4, algorithm R). */
static void close_gap(struct ch_cells *cells, uint64_t gap)
{
    uint64_t mask = cells->size - 1;
    for (uint64_t at = (gap + 1) & mask; cells->cell[at] != 0; at = (at + 1) & mask) {
        uint64_t from_home = (at - home_of(cells, cells->cell[at])) & mask;
        if (from_home >= ((at - gap) & mask)) {
            cells->cell[gap] = cells->cell[at];
            gap = at;
        }
    }
    cells->cell[gap] = 0;
    cells->live--;
}

/* Moves at most `count` cells from `old` to `now`; the last one ends the growth. */
static void move_some(struct ch_index *index, uint64_t count)
{
    struct ch_cells *old = index->old;
    if (old == NULL) return;
    for (; count > 0 && old->live > 0; count--) {
        uint64_t *cell = &old->cell[old->moved++];
        if (*cell == 0 || (uint32_t)*cell == CH_CELL_DEAD) continue;
        place(index->now, *cell);
        *cell = CH_CELL_DEAD;
        old->live--;
    }
    if (old->live == 0) {
        ch_lines_free(old);
        index->old = NULL;
    }
}

void ch_index_put(struct ch_index *index, uint32_t tag, uint32_t row)
{
    uint64_t in_old = index->old == NULL ? 0 : index->old->live;
    CH_CHECK(row != 0 && row < CH_ROW_LIVE);
    CH_CHECK(index->now != NULL && index->now->live + in_old < room_of(index->now->size));
    CH_CHECK_SLOW(index->old == NULL || find(index->old, cell_of(tag, row)) == index->old->size);
    place(index->now, cell_of(tag, row));
    move_some(index, CH_CELLS_PER_STEP);
}

void ch_index_drop(struct ch_index *index, uint32_t tag, uint32_t row)
{
    CH_CHECK(row != 0 && row < CH_ROW_LIVE && index->now != NULL);
    uint64_t at = find(index->now, cell_of(tag, row));
    if (at < index->now->size) {
        close_gap(index->now, at);
    } else {
        CH_CHECK(index->old != NULL);
        at = find(index->old, cell_of(tag, row));
        CH_CHECK(at < index->old->size);
        index->old->cell[at] = CH_CELL_DEAD;
        index->old->live--;
    }
    move_some(index, CH_CELLS_PER_STEP);
}

void ch_index_deinit(struct ch_index *index)
{
    ch_lines_free(index->now);
    ch_lines_free(index->old);
    *index = (struct ch_index){0};
}

bool ch_store_reserve_cells(struct ch_store *store, uint32_t index, uint32_t cells)
{
    CH_CHECK(index < store->index_count);
    struct ch_index *x = &store->indexes[index];
    uint64_t live = (x->now == NULL ? 0 : x->now->live) + (x->old == NULL ? 0 : x->old->live);
    uint64_t size = x->now == NULL ? 0 : x->now->size;
    if (live + cells <= room_of(size)) return true;

    uint32_t bits = FIRST_BITS;
    while (bits <= LARGEST_BITS &&
           (UINT64_C(1) << bits <= size || room_of(UINT64_C(1) << bits) < live + cells)) {
        bits++;
    }
    if (bits > LARGEST_BITS) return false;
    size = UINT64_C(1) << bits;
    struct ch_cells *now =
        ch_lines_alloc(sizeof *now + size * sizeof now->cell[0], store->journal == NULL);
    if (now == NULL) return false;
    now->size = size;
    now->shift = 32 - bits;
    /* A move still under way means that this call asks for more than half the array's size: then
     * moving the rest is no more work than the writes it makes room for. */
    move_some(x, UINT64_MAX);
    x->old = x->now;
    x->now = now;
    move_some(x, 0); /* nothing to move: no second array */
    return true;
}

static void journal_change(struct ch_store *store, enum ch_undo_kind kind, uint32_t index,
                           uint32_t tag, uint32_t row)
{
    if (store->journal == NULL) return;
    struct ch_undo undo = {
        .kind = (uint16_t)kind, .where = (uint16_t)index, .row = row, .tag = tag};
    ch_journal_push(store->journal, (struct ch_bytes){0}, &undo);
}

void ch_index_insert(struct ch_store *store, uint32_t index, uint64_t hash, uint32_t row)
{
    CH_CHECK(index < store->index_count);
    journal_change(store, CH_UNDO_INSERT, index, ch_index_tag(hash), row);
    ch_index_put(&store->indexes[index], ch_index_tag(hash), row);
}

void ch_index_remove(struct ch_store *store, uint32_t index, uint64_t hash, uint32_t row)
{
    CH_CHECK(index < store->index_count);
    journal_change(store, CH_UNDO_REMOVE, index, ch_index_tag(hash), row);
    ch_index_drop(&store->indexes[index], ch_index_tag(hash), row);
}

struct ch_probe ch_probe_start(const struct ch_store *store, uint32_t index, uint64_t hash)
{
    CH_CHECK(index < store->index_count);
    const struct ch_index *x = &store->indexes[index];
    struct ch_probe probe = {.cells = x->now, .then = x->old, .hash = hash};
    if (probe.cells == NULL) return probe;
    uint64_t cell = cell_of(ch_index_tag(hash), 0);
    if (x->old != NULL && home_of(x->old, cell) >= x->old->moved) {
        probe.cells = x->old; /* most likely not moved yet: spares a miss */
        probe.then = x->now;
    }
    probe.place = home_of(probe.cells, cell);
    return probe;
}

uint32_t ch_probe_next(struct ch_probe *probe)
{
    uint32_t tag = ch_index_tag(probe->hash);
    while (probe->cells != NULL) {
        const struct ch_cells *cells = probe->cells;
        uint64_t mask = cells->size - 1;
        uint64_t at = probe->place;
        while (cells->cell[at] != 0) {
            uint64_t cell = cells->cell[at];
            at = (at + 1) & mask;
            if (cell >> 32 == tag && (uint32_t)cell != CH_CELL_DEAD) {
                probe->place = at;
                return (uint32_t)cell;
            }
        }
        probe->cells = probe->then;
        probe->then = NULL;
        if (probe->cells != NULL) {
            probe->place = home_of(probe->cells, cell_of(tag, 0));
        }
    }
    return 0;
}
