/* intern: chains, interned texts and scope sets; see state.h. SPDX-License-Identifier: MIT */
#include "daemon/core/state.h"

static const struct ch_row_chain *chain_row(const struct ch_state *state, uint32_t table,
                                            uint32_t row)
{
    return ch_row(&state->store, table, row);
}

uint32_t ch_chain_put(struct ch_state *state, uint32_t table, const void *ptr, size_t len)
{
    const uint8_t *from = ptr;
    size_t parts = len == 0 ? 1 : (len + CH_CHAIN_BYTES - 1) / CH_CHAIN_BYTES;
    uint32_t next = 0;
    while (parts > 0) { /* from the last part to the first, so that each knows its next */
        parts--;
        size_t at = parts * CH_CHAIN_BYTES;
        size_t here = len - at < CH_CHAIN_BYTES ? len - at : CH_CHAIN_BYTES;
        uint32_t row = ch_row_take(&state->store, table);
        struct ch_row_chain *part = ch_row_edit(&state->store, table, row);
        part->next = next;
        part->len = parts == 0 ? (uint32_t)len : 0;
        part->refs = parts == 0 ? 1 : 0;
        if (here > 0) memcpy(part->bytes, from + at, here);
        next = row;
    }
    return next;
}

void ch_chain_drop(struct ch_state *state, uint32_t table, uint32_t row)
{
    while (row != 0) {
        uint32_t next = chain_row(state, table, row)->next;
        ch_row_give(&state->store, table, row);
        row = next;
    }
}

size_t ch_chain_len(const struct ch_state *state, uint32_t table, uint32_t row)
{
    return row == 0 ? 0 : chain_row(state, table, row)->len;
}

size_t ch_chain_get(const struct ch_state *state, uint32_t table, uint32_t row, void *out,
                    size_t most)
{
    size_t left = ch_chain_len(state, table, row);
    if (left > most) left = most;
    uint8_t *to = out;
    size_t copied = 0;
    while (left > copied && row != 0) {
        const struct ch_row_chain *part = chain_row(state, table, row);
        size_t here = left - copied < CH_CHAIN_BYTES ? left - copied : CH_CHAIN_BYTES;
        memcpy(to + copied, part->bytes, here);
        copied += here;
        row = part->next;
    }
    return copied;
}

bool ch_chain_is(const struct ch_state *state, uint32_t table, uint32_t row, const void *ptr,
                 size_t len)
{
    if (row == 0 || chain_row(state, table, row)->len != len) return false;
    const uint8_t *from = ptr;
    while (len > 0) {
        CH_CHECK(row != 0);
        const struct ch_row_chain *part = chain_row(state, table, row);
        size_t here = len < CH_CHAIN_BYTES ? len : CH_CHAIN_BYTES;
        if (memcmp(part->bytes, from, here) != 0) return false;
        from += here;
        len -= here;
        row = part->next;
    }
    return true;
}

uint32_t ch_text_find(const struct ch_state *state, struct ch_text text)
{
    struct ch_probe probe =
        ch_probe_start(&state->store, CH_I_TEXT, ch_hash_bytes(text.ptr, text.len));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (ch_chain_is(state, CH_T_TEXT, row, text.ptr, text.len)) return row;
    }
    return 0;
}

uint32_t ch_text_take(struct ch_state *state, struct ch_text text)
{
    uint32_t row = ch_text_find(state, text);
    if (row != 0) {
        struct ch_row_chain *first = ch_row_edit(&state->store, CH_T_TEXT, row);
        first->refs++;
        return row;
    }
    row = ch_chain_put(state, CH_T_TEXT, text.ptr, text.len);
    ch_index_insert(&state->store, CH_I_TEXT, ch_hash_bytes(text.ptr, text.len), row);
    return row;
}

void ch_text_drop(struct ch_state *state, uint32_t row)
{
    struct ch_row_chain *first = ch_row_edit(&state->store, CH_T_TEXT, row);
    CH_CHECK(first->refs > 0);
    if (--first->refs > 0) return;
    uint8_t bytes
        [256]; /* every interned text is a name, a resource id or a domain: at most 253 bytes */
    size_t len = ch_chain_get(state, CH_T_TEXT, row, bytes, sizeof bytes);
    CH_CHECK(len == first->len);
    ch_index_remove(&state->store, CH_I_TEXT, ch_hash_bytes(bytes, len), row);
    ch_chain_drop(state, CH_T_TEXT, row);
}

static uint64_t hash_scopes(struct ch_scopes scopes)
{
    return ch_hash_mix(scopes.words[0], scopes.words[1]);
}

uint32_t ch_scopes_take(struct ch_state *state, struct ch_scopes scopes)
{
    if (ch_scopes_empty(scopes)) return 0;
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_SCOPES, hash_scopes(scopes));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        if (!ch_scopes_equal(ch_scopes_at(state, row), scopes)) continue;
        struct ch_row_scopes *known = ch_row_edit(&state->store, CH_T_SCOPES, row);
        known->refs++;
        return row;
    }
    uint32_t row = ch_row_take(&state->store, CH_T_SCOPES);
    struct ch_row_scopes *fresh = ch_row_edit(&state->store, CH_T_SCOPES, row);
    fresh->refs = 1;
    memcpy(fresh->words, scopes.words, sizeof fresh->words);
    ch_index_insert(&state->store, CH_I_SCOPES, hash_scopes(scopes), row);
    return row;
}

void ch_scopes_drop(struct ch_state *state, uint32_t row)
{
    if (row == 0) return;
    struct ch_row_scopes *known = ch_row_edit(&state->store, CH_T_SCOPES, row);
    CH_CHECK(known->refs > 0);
    if (--known->refs > 0) return;
    ch_index_remove(&state->store, CH_I_SCOPES, hash_scopes(ch_scopes_at(state, row)), row);
    ch_row_give(&state->store, CH_T_SCOPES, row);
}

struct ch_scopes ch_scopes_at(const struct ch_state *state, uint32_t row)
{
    struct ch_scopes scopes = {{0, 0}};
    if (row == 0) return scopes;
    const struct ch_row_scopes *known = ch_row(&state->store, CH_T_SCOPES, row);
    memcpy(scopes.words, known->words, sizeof scopes.words);
    return scopes;
}
