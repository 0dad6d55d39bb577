/* state: tables, room and cascades; see state.h, finders in find.c. SPDX-License-Identifier: MIT */
#include "daemon/core/state.h"

#include "schema/limits.h"

static const struct ch_table_def table_defs[CH_TABLES] = {
    [CH_T_META] = {"meta", sizeof(struct ch_row_meta), true},
    [CH_T_DECLARED] = {"declared", sizeof(struct ch_row_declared), true},
    [CH_T_TEXT] = {"text", sizeof(struct ch_row_chain), true},
    [CH_T_SCOPES] = {"scopes", sizeof(struct ch_row_scopes), true},
    [CH_T_ACCOUNT] = {"account", sizeof(struct ch_row_account), true},
    [CH_T_USER] = {"user", sizeof(struct ch_row_user), true},
    [CH_T_CIPHER] = {"cipher", sizeof(struct ch_row_chain), true},
    [CH_T_SHARE] = {"share", sizeof(struct ch_row_share), true},
    [CH_T_GRANT] = {"grant", sizeof(struct ch_row_grant), true},
    [CH_T_LIMITED] = {"limited", sizeof(struct ch_row_limited), true},
    [CH_T_GROUP] = {"group", sizeof(struct ch_row_group), true},
    [CH_T_MEMBER] = {"member", sizeof(struct ch_row_member), true},
    [CH_T_ROLE] = {"role", sizeof(struct ch_row_role), true},
    [CH_T_PAGE] = {"page", sizeof(struct ch_row_page), true},
    [CH_T_EXPIRY] = {"expiry", sizeof(struct ch_row_expiry), true},
    [CH_T_SEEN] = {"seen", sizeof(struct ch_row_seen), true},
    [CH_T_REFUSED] = {"refused", sizeof(struct ch_row_refused), true},
    [CH_T_NAME] = {"name", sizeof(struct ch_row_name), false},
    [CH_T_OPENED] = {"opened", sizeof(struct ch_row_opened), false},
    [CH_T_PLAIN] = {"plain", sizeof(struct ch_row_chain), false},
};

bool ch_state_init(struct ch_state *state)
{
    *state = (struct ch_state){0};
    if (!ch_store_init(&state->store, table_defs, CH_TABLES, CH_INDEXES)) return false;
    if (!ch_store_reserve_rows(&state->store, CH_T_META, 1)) {
        ch_state_deinit(state);
        return false;
    }
    uint32_t row = ch_row_take(&state->store, CH_T_META);
    CH_CHECK(row == 1);
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, row);
    meta->next_user_number = 1;
    return true;
}

void ch_state_deinit(struct ch_state *state)
{
    if (state == NULL) return;
    ch_store_deinit(&state->store);
}

/* Rows that one call takes at most in a table, apart from its list items and its texts' chains. */
enum { ROWS_A_CALL = 4 };

static bool reserve_table(struct ch_store *store, uint32_t table, size_t items, size_t chains)
{
    size_t rows = ROWS_A_CALL;
    if (table == CH_T_LIMITED) rows += items;
    if (table == CH_T_TEXT) rows += items + chains;
    if (table == CH_T_CIPHER || table == CH_T_PLAIN) rows += chains;
    return ch_store_reserve_rows(store, table, (uint32_t)rows);
}

bool ch_state_reserve(struct ch_state *state, size_t items, size_t bytes, size_t cascade)
{
    struct ch_store *store = &state->store;
    const size_t chains = bytes / CH_CHAIN_BYTES + items + 8;
    for (uint32_t table = 0; table < CH_TABLES; table++) {
        if (!reserve_table(store, table, items, chains)) return false;
    }
    for (uint32_t index = 0; index < CH_INDEXES; index++) {
        size_t cells = ROWS_A_CALL;
        if (index == CH_I_TEXT || index == CH_I_LIMITED) cells += items;
        if (!ch_store_reserve_cells(store, index, (uint32_t)cells)) return false;
    }
    /* Every row written leaves its old bytes; the largest row bounds each. Ending a row touches its
     * neighbours, owner, name and index entries: ten writes. */
    const uint64_t largest = ch_store_edit_bytes(store, CH_T_META) + CH_JOURNAL_INDEX_BYTES;
    const uint64_t writes =
        48 + 12 * (uint64_t)items + 4 * (uint64_t)chains + 10 * (uint64_t)cascade;
    return ch_store_reserve_journal(store, writes * largest);
}

size_t ch_cascade_of_share(const struct ch_state *state, uint32_t share)
{
    const struct ch_row_share *row = ch_share_row(state, share);
    return (size_t)4 + row->member_count + row->grant_count + row->limited_count;
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

size_t ch_cascade_of_account(const struct ch_state *state, uint32_t account, bool below)
{
    const struct ch_row_account *row = ch_account_row(state, account);
    size_t rows = 4;
    for (uint32_t s = row->first_share; s != 0; s = ch_share_row(state, s)->next_of_account) {
        rows += ch_cascade_of_share(state, s);
    }
    for (uint32_t g = row->first_group; g != 0; g = ch_group_row(state, g)->next_of_account) {
        rows += ch_cascade_of_group(state, g);
    }
    for (uint32_t c = below ? row->first_child : 0; c != 0;
         c = ch_account_row(state, c)->next_sibling) {
        rows += ch_cascade_of_account(state, c, true); /* LIMIT_ACCOUNT_DEPTH deep at most */
    }
    return rows;
}
