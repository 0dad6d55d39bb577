/* index: open addressing that grows step by step. SPDX-License-Identifier: MIT */
#include "daemon/core/index.h"
#include "daemon/core/journal.h"
#include "daemon/core/lines.h"

enum { FIRST_BITS = 6, LARGEST_BITS = 32, PAGE_BYTES = 4096 };

/* Three quarters: a miss then reads 8.5 cells on average, which is one or two lines. */
static uint64_t room_of(uint64_t size)
{
    return size - size / 4;
}

/* From here on the next array is got ready: an eighth of the room is left. */
static uint64_t ready_of(uint64_t size)
{
    return room_of(size) - room_of(size) / 8;
}

/* What one insert then touches of an array twice as large, so that all of it is in time. */
enum { TOUCH_BYTES = 2 * sizeof(uint64_t) * 8 * 4 / 3 + 8 };

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

/* The kernel zeroes a page at its first touch, and an array that just grew is touched at random
 * places: so that the turn after a growth does not pay for every page of several indexes, they are
 * paid for one by one before. */
static void touch_some(struct ch_index *index)
{
    const uint64_t bytes = index->next->size * sizeof index->next->cell[0];
    const uint64_t before = index->touched;
    index->touched += TOUCH_BYTES;
    if (before / PAGE_BYTES == index->touched / PAGE_BYTES || before >= bytes) return;
    volatile uint64_t *cell = index->next->cell;
    cell[before / sizeof *cell] = 0;
}

void ch_index_put(struct ch_index *index, uint32_t tag, uint32_t row)
{
    uint64_t in_old = index->old == NULL ? 0 : index->old->live;
    CH_CHECK(row != 0 && row < CH_ROW_LIVE);
    CH_CHECK(index->now != NULL && index->now->live + in_old < room_of(index->now->size));
    CH_CHECK_SLOW(index->old == NULL || find(index->old, cell_of(tag, row)) == index->old->size);
    place(index->now, cell_of(tag, row));
    move_some(index, CH_CELLS_PER_STEP);
    if (index->next != NULL) touch_some(index);
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
    ch_lines_free(index->next);
    *index = (struct ch_index){0};
}

/* An empty array with room for `cells`, larger than `size`; NULL when out of memory or bounds. */
static struct ch_cells *make_cells(uint64_t size, uint64_t cells, uint32_t index)
{
    uint32_t bits = FIRST_BITS;
    while (bits <= LARGEST_BITS &&
           (UINT64_C(1) << bits <= size || room_of(UINT64_C(1) << bits) < cells)) {
        bits++;
    }
    if (bits > LARGEST_BITS) return NULL;
    size = UINT64_C(1) << bits;
    struct ch_cells *made = ch_lines_alloc(sizeof *made + size * sizeof made->cell[0], index);
    if (made == NULL) return NULL;
    made->size = size;
    made->shift = 32 - bits;
    return made;
}

static bool grow(struct ch_index *x, uint64_t cells, uint32_t index)
{
    const uint64_t size = x->now == NULL ? 0 : x->now->size;
    struct ch_cells *now = x->next;
    if (now != NULL && room_of(now->size) < cells) {
        ch_lines_free(now);
        now = NULL;
    }
    x->next = NULL;
    if (now == NULL) now = make_cells(size, cells, index);
    if (now == NULL) return false;
    /* A move still under way means that this call asks for more than half the array's size: then
     * moving the rest is no more work than the writes it makes room for. */
    move_some(x, UINT64_MAX);
    x->old = x->now;
    x->now = now;
    move_some(x, 0); /* nothing to move: no second array */
    return true;
}

bool ch_store_reserve_cells(struct ch_store *store, uint32_t index, uint32_t cells)
{
    CH_CHECK(index < store->index_count);
    struct ch_index *x = &store->indexes[index];
    const uint64_t size = x->now == NULL ? 0 : x->now->size;
    const uint64_t wanted =
        (x->now == NULL ? 0 : x->now->live) + (x->old == NULL ? 0 : x->old->live) + cells;
    if (wanted > room_of(size)) return grow(x, wanted, index);
    if (wanted > ready_of(size) && x->next == NULL && x->old == NULL && store->journal != NULL) {
        x->next = make_cells(size, wanted, index); /* without it, growing tries again */
        x->touched = 0;
    }
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
