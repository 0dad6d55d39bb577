/* dump: see dump.h. SPDX-License-Identifier: MIT */
#include "daemon/core/dump.h"

static void put_word(ch_dump_put_fn *put, void *arg, uint32_t word)
{
    uint8_t bytes[4];
    ch_put_le32(bytes, word);
    put(arg, bytes, sizeof bytes);
}

static void put_table(const struct ch_table *table, ch_dump_put_fn *put, void *arg)
{
    const size_t name_len = strlen(table->def.name);
    put_word(put, arg, (uint32_t)name_len);
    put(arg, table->def.name, name_len);
    put_word(put, arg, table->def.row_bytes);
    put_word(put, arg, table->used);
    put_word(put, arg, table->free_head);
    put_word(put, arg, table->free_rows);
    uint32_t left = table->used;
    for (uint32_t chunk = 0; left > 0; chunk++) {
        CH_CHECK(chunk < CH_TABLE_CHUNKS);
        const uint32_t holds = (uint32_t)CH_CHUNK_ROWS << chunk;
        const uint32_t rows = left < holds ? left : holds;
        put(arg, table->chunks[chunk], (size_t)rows * table->def.row_bytes);
        left -= rows;
    }
}

void ch_dump(const struct ch_state *state, ch_dump_put_fn *put, void *arg)
{
    put_word(put, arg, CH_DUMP_VERSION);
    for (uint32_t table = 0; table < state->store.table_count; table++) {
        const struct ch_table *t = &state->store.tables[table];
        if (t->def.dumped) put_table(t, put, arg);
    }
}
