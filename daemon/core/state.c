/* state: tables, room and cascades; see state.h, finders in find.c. SPDX-License-Identifier: MIT */
#include "daemon/core/state.h"

#include "daemon/core/use.h"
#include "schema/limits.h"

static const struct ch_table_def table_defs[CH_TABLES] = {
#define TABLE(id, noun, in_dump) [CH_T_##id] = {#noun, sizeof(struct ch_row_##noun), in_dump},
#define CHAINS(id, noun, in_dump) [CH_T_##id] = {#noun, sizeof(struct ch_row_chain), in_dump},
#define INDEX(id, table)
#define INDEX_SOME(id, table)
#include "daemon/core/tables.def"
};

static bool begin(struct ch_state *state)
{
    if (!ch_store_reserve_rows(&state->store, CH_T_META, 1)) return false;
    uint32_t row = ch_row_take(&state->store, CH_T_META);
    CH_CHECK(row == 1);
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, row);
    meta->next_user_number = 1;
    return true;
}

bool ch_state_init(struct ch_state *state)
{
    *state = (struct ch_state){0};
    if (!ch_store_init(&state->store, table_defs, CH_TABLES, CH_INDEXES)) return false;
    if (begin(state)) return true;
    ch_state_deinit(state);
    return false;
}

bool ch_state_reset(struct ch_state *state)
{
    ch_store_reset(&state->store);
    state->ahead = (struct ch_ahead){0};
    return begin(state);
}

void ch_state_deinit(struct ch_state *state)
{
    if (state == NULL) return;
    ch_store_deinit(&state->store);
}

enum {
    ROWS_A_CALL = 4, /* taken at most in a table, apart from its list items and its texts' chains */
    ROWS_AHEAD = 128,
    CHAINS_AHEAD = 2048,
};

static bool has_chains(uint32_t table)
{
    return table == CH_T_TEXT || table == CH_T_CIPHER || table == CH_T_PLAIN ||
           table == CH_T_PASSAGE;
}

static bool reserve_everywhere(struct ch_store *store, size_t rows, size_t chains)
{
    for (uint32_t table = 0; table < CH_TABLES; table++) {
        const size_t count = rows + (has_chains(table) ? chains : 0);
        if (!ch_store_reserve_rows(store, table, (uint32_t)count)) return false;
    }
    for (uint32_t index = 0; index < CH_INDEXES; index++) {
        if (!ch_store_reserve_cells(store, index, (uint32_t)rows)) return false;
    }
    return true;
}

static bool reserve_rows(struct ch_state *state, size_t rows, size_t chains)
{
    struct ch_ahead *ahead = &state->ahead;
    if (ahead->losses != state->store.losses || ahead->rows < rows || ahead->chains < chains) {
        const uint64_t losses = state->store.losses;
        *ahead = (struct ch_ahead){.losses = losses};
        if (!reserve_everywhere(&state->store, rows + ROWS_AHEAD, chains + CHAINS_AHEAD)) {
            return reserve_everywhere(&state->store, rows, chains); /* the memory's last */
        }
        *ahead = (struct ch_ahead){ROWS_AHEAD + rows, CHAINS_AHEAD + chains, losses};
    }
    ahead->rows -= rows;
    ahead->chains -= chains;
    return true;
}

bool ch_state_reserve(struct ch_state *state, size_t items, size_t bytes, size_t cascade)
{
    const size_t chains = bytes / CH_CHAIN_BYTES + items + 8;
    if (!reserve_rows(state, ROWS_A_CALL + items, chains)) return false;
    /* Every row written leaves its old bytes; the largest row bounds each. Ending a row touches its
     * neighbours, owner, name and index entries: ten writes. */
    const uint64_t largest = ch_store_edit_bytes(&state->store, CH_T_META) + CH_JOURNAL_INDEX_BYTES;
    const uint64_t writes =
        96 + 12 * (uint64_t)items + 4 * (uint64_t)chains + 10 * (uint64_t)cascade;
    return ch_store_reserve_journal(&state->store, writes * largest + ch_uses_room(state));
}

size_t ch_cascade_of_share(const struct ch_state *state, uint32_t share)
{
    const struct ch_row_share *row = ch_share_row(state, share);
    return (size_t)10 + row->member_count + row->grant_count +
           ch_terms_of(state, row)->limited_count;
}

size_t ch_cascade_of_group(const struct ch_state *state, uint32_t group)
{
    const struct ch_row_group *row = ch_group_row(state, group);
    size_t rows = (size_t)4 + row->member_count;
    for (uint32_t s = row->first_share; s != 0; s = ch_share_row(state, s)->next_of_subject) {
        rows += ch_cascade_of_share(state, s);
    }
    return rows;
}

size_t ch_cascade_of_settings(const struct ch_state *state, uint32_t account)
{
    const uint32_t settings = ch_account_row(state, account)->settings;
    size_t rows = 0;
    for (uint32_t i = 0; settings != 0 && i < CH_TEXTS; i++) {
        const uint32_t text = ch_settings_row(state, settings)->text[i];
        rows += ch_chain_len(state, CH_T_PASSAGE, text) / CH_CHAIN_BYTES + 1;
    }
    return rows;
}

size_t ch_accounts_below(const struct ch_state *state, uint32_t account, size_t most)
{
    size_t count = 1;
    for (uint32_t c = ch_account_row(state, account)->first_child; c != 0 && count < most;
         c = ch_account_row(state, c)->next_sibling) {
        count += ch_accounts_below(state, c, most - count); /* LIMIT_ACCOUNT_DEPTH deep at most */
    }
    return count;
}
