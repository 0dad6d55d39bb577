/* load: see load.h; indexes in load_index.c. SPDX-License-Identifier: MIT */
#include "daemon/core/load.h"

#include "daemon/core/dump.h"

enum { WORD = sizeof(uint32_t), HEAD_WORDS = 4 };

void ch_load_begin(struct ch_load *load, struct ch_state *state, uint64_t len)
{
    *load = (struct ch_load){.state = state, .left = len};
    CH_CHECK(state->store.journal == NULL && ch_meta(state)->head == 0);
}

const char *ch_load_table(const struct ch_load *load)
{
    return load->table < CH_TABLES ? load->state->store.tables[load->table].def.name : "";
}

static bool wrong(struct ch_load *load, const char *what)
{
    load->wrong = what;
    return false;
}

static struct ch_table *table_of(const struct ch_load *load)
{
    return &load->state->store.tables[load->table];
}

static void skip_undumped(struct ch_load *load)
{
    while (load->table < CH_TABLES && !table_of(load)->def.dumped) {
        load->table++;
    }
}

/* Bytes of the head that is read now: the version, or a table's. */
static uint32_t head_bytes(const struct ch_load *load)
{
    if (!load->begun) return WORD;
    return (uint32_t)(WORD + strlen(table_of(load)->def.name) + HEAD_WORDS * WORD);
}

static bool take_table(struct ch_load *load)
{
    struct ch_table *table = table_of(load);
    const uint32_t name_len = (uint32_t)strlen(table->def.name);
    const uint8_t *words = load->head + WORD + name_len;
    if (ch_get_le32(load->head) != name_len ||
        memcmp(load->head + WORD, table->def.name, name_len) != 0) {
        return wrong(load, "there is another table");
    }
    const uint32_t used = ch_get_le32(words + WORD);
    if (ch_get_le32(words) != table->def.row_bytes) return wrong(load, "rows of another length");
    if ((uint64_t)used * table->def.row_bytes > load->left) return wrong(load, "rows are missing");
    if (load->table == CH_T_META && used != 1) return wrong(load, "not one row");
    if (used > table->used &&
        !ch_store_reserve_rows(&load->state->store, load->table, used - table->used)) {
        load->no_memory = true;
        return false;
    }
    table->used = used;
    table->free_head = ch_get_le32(words + (size_t)2 * WORD);
    table->free_rows = ch_get_le32(words + (size_t)3 * WORD);
    load->in_table = true;
    load->rows_at = 0;
    return true;
}

static bool take_head(struct ch_load *load)
{
    load->head_len = 0;
    if (load->begun) return take_table(load);
    load->begun = true;
    if (ch_get_le32(load->head) != CH_DUMP_VERSION) return wrong(load, "it has another version");
    skip_undumped(load);
    return true;
}

/* Rows into their place; returns how many bytes were taken. */
static size_t take_rows(struct ch_load *load, const uint8_t *ptr, size_t len)
{
    const struct ch_table *table = table_of(load);
    const uint32_t row_bytes = table->def.row_bytes;
    const uint64_t all = (uint64_t)table->used * row_bytes;
    if (load->rows_at == all) {
        load->in_table = false;
        load->table++;
        skip_undumped(load);
        return 0;
    }
    const uint32_t row = (uint32_t)(load->rows_at / row_bytes) + 1;
    const size_t within = (size_t)(load->rows_at % row_bytes);
    uint64_t here = (uint64_t)ch_table_together(row) * row_bytes - within;
    if (here > all - load->rows_at) here = all - load->rows_at;
    if (here > len) here = len;
    memcpy(ch_table_ptr(table, row) + within, ptr, (size_t)here);
    load->rows_at += here;
    return (size_t)here;
}

/* What stands at the end without bytes of its own: a table's last row, empty tables' ends. */
static bool is_whole(struct ch_load *load)
{
    while (load->in_table &&
           load->rows_at == (uint64_t)table_of(load)->used * table_of(load)->def.row_bytes) {
        (void)take_rows(load, NULL, 0);
    }
    return load->begun && load->table == CH_TABLES;
}

bool ch_load_more(struct ch_load *load, const void *ptr, size_t len)
{
    const uint8_t *from = ptr;
    if (load->wrong != NULL || load->no_memory) return false;
    if (len > load->left) return wrong(load, "there is more than was said");
    while (len > 0) {
        size_t taken;
        if (load->in_table) {
            taken = take_rows(load, from, len);
        } else if (load->begun && load->table == CH_TABLES) {
            return wrong(load, "there is more behind the last table");
        } else {
            const uint32_t wanted = head_bytes(load) - load->head_len;
            taken = len < wanted ? len : wanted;
            memcpy(load->head + load->head_len, from, taken);
            load->head_len += (uint32_t)taken;
        }
        from += taken;
        len -= taken;
        load->left -= taken;
        if (load->in_table || (load->begun && load->table == CH_TABLES)) continue;
        if (load->head_len == head_bytes(load) && !take_head(load)) return false;
    }
    return true;
}

static uint32_t word_at(const struct ch_table *table, uint32_t row)
{
    uint32_t word;
    memcpy(&word, ch_table_ptr(table, row), sizeof word);
    return word;
}

static bool is_zero(const uint8_t *ptr, size_t len)
{
    return len == 0 || (ptr[0] == 0 && memcmp(ptr, ptr + 1, len - 1) == 0);
}

/* Every row is live or stands once in the free list, and is zero then but for its link. */
static bool check_table(struct ch_load *load)
{
    const struct ch_table *table = table_of(load);
    uint32_t not_live = 0;
    for (uint32_t row = 1; row <= table->used; row++) {
        if (word_at(table, row) == CH_ROW_LIVE) continue;
        const uint8_t *ptr = ch_table_ptr(table, row);
        not_live++;
        if (!is_zero(ptr + WORD, table->def.row_bytes - WORD)) {
            return wrong(load, "a free row is not empty");
        }
    }
    if (not_live != table->free_rows) return wrong(load, "another number of free rows");
    /* A list that comes to its end after so many steps names no row twice. */
    uint32_t row = table->free_head;
    for (uint32_t steps = 0; steps < not_live; steps++) {
        if (row == 0 || row > table->used || word_at(table, row) == CH_ROW_LIVE) {
            return wrong(load, "the list of free rows is broken");
        }
        row = word_at(table, row);
    }
    if (row != 0) return wrong(load, "the list of free rows is broken");
    return true;
}

bool ch_load_end(struct ch_load *load)
{
    if (load->wrong != NULL || load->no_memory) return false;
    if (!is_whole(load) || load->left > 0) return wrong(load, "the end is missing");
    for (load->table = 0; load->table < CH_TABLES; load->table++) {
        if (table_of(load)->def.dumped && !check_table(load)) return false;
    }
    if (!ch_row_is_live(&load->state->store, CH_T_META, 1)) return wrong(load, "no head");
    return true;
}
