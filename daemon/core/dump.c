/* dump: see dump.h. SPDX-License-Identifier: MIT */
#include "daemon/core/dump.h"

static void put_word(ch_dump_put_fn *put, void *arg, uint32_t word)
{
    uint8_t bytes[4];
    ch_put_le32(bytes, word);
    put(arg, bytes, sizeof bytes);
}

static void put_head(const struct ch_table *table, ch_dump_put_fn *put, void *arg)
{
    const size_t name_len = strlen(table->def.name);
    put_word(put, arg, (uint32_t)name_len);
    put(arg, table->def.name, name_len);
    put_word(put, arg, table->def.row_bytes);
    put_word(put, arg, table->used);
    put_word(put, arg, table->free_head);
    put_word(put, arg, table->free_rows);
}

/* Rows that lie together in memory, from place->row on; returns their bytes. */
static size_t put_rows(const struct ch_table *table, struct ch_dump_place *place, size_t most,
                       ch_dump_put_fn *put, void *arg)
{
    uint64_t rows = ch_table_together(place->row + 1);
    const uint64_t left = table->used - place->row;
    const uint64_t room = most / table->def.row_bytes;
    if (rows > left) rows = left;
    if (rows > room) rows = room == 0 ? 1 : room;
    const size_t bytes = (size_t)rows * table->def.row_bytes;
    put(arg, ch_table_ptr(table, place->row + 1), bytes);
    place->row += (uint32_t)rows;
    return bytes;
}

bool ch_dump_some(const struct ch_state *state, struct ch_dump_place *place, size_t most,
                  ch_dump_put_fn *put, void *arg)
{
    size_t given = 0;
    if (!place->begun) put_word(put, arg, CH_DUMP_VERSION);
    place->begun = true;
    while (place->table < state->store.table_count) {
        const struct ch_table *table = &state->store.tables[place->table];
        if (table->def.dumped && !place->in_table) put_head(table, put, arg);
        place->in_table = true;
        while (table->def.dumped && place->row < table->used) {
            if (given >= most) return true;
            given += put_rows(table, place, most - given, put, arg);
        }
        place->in_table = false;
        place->row = 0;
        place->table++;
    }
    return false;
}

void ch_dump(const struct ch_state *state, ch_dump_put_fn *put, void *arg)
{
    struct ch_dump_place place = {.begun = false};
    while (ch_dump_some(state, &place, SIZE_MAX, put, arg)) {
    }
}

uint64_t ch_dump_bytes(const struct ch_state *state)
{
    uint64_t bytes = sizeof(uint32_t);
    for (uint32_t i = 0; i < state->store.table_count; i++) {
        const struct ch_table *table = &state->store.tables[i];
        if (!table->def.dumped) continue;
        bytes += 5 * sizeof(uint32_t) + strlen(table->def.name);
        bytes += (uint64_t)table->used * table->def.row_bytes;
    }
    return bytes;
}
