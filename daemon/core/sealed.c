/* sealed: what state keeps of the sealed parts of events, and the directory, which holds them
 * opened; see apply.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply.h"
#include "schema/base/arena.h"
#include "schema/cursor.h"
#include "schema/kinds.h"

static struct ch_row_sealed *edit_sealed(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_SEALED, row);
}

static void set_first(struct ch_state *state, uint32_t user, uint32_t row)
{
    struct ch_row_user *edited = ch_row_edit(&state->store, CH_T_USER, user);
    edited->first_sealed = row;
}

/* Into the list of what is sealed under one user's key. */
static void link_sealed(struct ch_state *state, uint32_t row)
{
    const uint32_t user = ch_find_user_number(state, ch_sealed_row(state, row)->number);
    if (user == 0) return;
    const uint32_t first = ch_user_row(state, user)->first_sealed;
    edit_sealed(state, row)->next_of_user = first;
    if (first != 0) edit_sealed(state, first)->prev_of_user = row;
    set_first(state, user, row);
}

static void unlink_sealed(struct ch_state *state, uint32_t row)
{
    const struct ch_row_sealed sealed = *ch_sealed_row(state, row);
    const uint32_t user = ch_find_user_number(state, sealed.number);
    if (user == 0) return;
    if (sealed.prev_of_user != 0) {
        edit_sealed(state, sealed.prev_of_user)->next_of_user = sealed.next_of_user;
    } else {
        set_first(state, user, sealed.next_of_user);
    }
    if (sealed.next_of_user != 0) {
        edit_sealed(state, sealed.next_of_user)->prev_of_user = sealed.prev_of_user;
    }
}

void ch_sealed_keep(struct ch_state *state, const struct ch_event *event)
{
    if (!event->personal.present) return;
    const uint32_t row = ch_row_take(&state->store, CH_T_SEALED);
    struct ch_row_sealed *sealed = ch_row_edit(&state->store, CH_T_SEALED, row);
    sealed->seq = event->seq;
    sealed->number = (uint32_t)event->personal.number;
    memcpy(sealed->nonce, event->personal.nonce, sizeof sealed->nonce);
    sealed->cipher =
        ch_chain_put(state, CH_T_CIPHER, event->personal.cipher.ptr, event->personal.cipher.len);
    ch_index_insert(&state->store, CH_I_SEALED, ch_hash_mix(event->seq, 0), row);
    link_sealed(state, row);
}

static void drop_name(struct ch_state *state, uint32_t row)
{
    if (row == 0) return;
    const struct ch_row_name *name = ch_name_row(state, row);
    ch_index_remove(&state->store, CH_I_NAME, ch_hash_name((uint8_t)name->kind, name->hash), row);
    ch_row_give(&state->store, CH_T_NAME, row);
}

static void drop_opened(struct ch_state *state, uint32_t row)
{
    const struct ch_row_opened opened = *ch_opened_row(state, row);
    drop_name(state, opened.name[0]);
    drop_name(state, opened.name[1]);
    ch_chain_drop(state, CH_T_PLAIN, opened.plain);
    ch_index_remove(&state->store, CH_I_OPENED, ch_hash_mix(opened.sealed, 1), row);
    ch_row_give(&state->store, CH_T_OPENED, row);
}

void ch_sealed_free_names(struct ch_state *state, uint64_t seq)
{
    const uint32_t sealed = ch_find_sealed(state, seq);
    const uint32_t row = sealed == 0 ? 0 : ch_find_opened(state, sealed);
    if (row == 0) return;
    struct ch_row_opened *opened = ch_row_edit(&state->store, CH_T_OPENED, row);
    for (uint32_t i = 0; i < 2; i++) {
        drop_name(state, opened->name[i]);
        opened->name[i] = 0;
    }
}

void ch_sealed_drop(struct ch_state *state, uint64_t seq)
{
    const uint32_t row = ch_find_sealed(state, seq);
    if (row == 0) return;
    const uint32_t opened = ch_find_opened(state, row);
    if (opened != 0) drop_opened(state, opened);
    unlink_sealed(state, row);
    ch_chain_drop(state, CH_T_CIPHER, ch_sealed_row(state, row)->cipher);
    ch_index_remove(&state->store, CH_I_SEALED, ch_hash_mix(seq, 0), row);
    ch_row_give(&state->store, CH_T_SEALED, row);
}

void ch_sealed_close(struct ch_state *state, uint32_t user)
{
    uint32_t row = ch_user_row(state, user)->first_sealed;
    for (; row != 0; row = ch_sealed_row(state, row)->next_of_user) {
        const uint32_t opened = ch_find_opened(state, row);
        if (opened != 0) drop_opened(state, opened);
    }
}

size_t ch_cascade_of_sealed(const struct ch_state *state, uint32_t user)
{
    size_t writes = 0;
    uint32_t row = ch_user_row(state, user)->first_sealed;
    for (; row != 0; row = ch_sealed_row(state, row)->next_of_user) {
        const uint32_t opened = ch_find_opened(state, row);
        if (opened == 0) continue;
        const size_t len = ch_chain_len(state, CH_T_PLAIN, ch_opened_row(state, opened)->plain);
        writes += len / CH_CHAIN_BYTES + 8;
    }
    return writes;
}

static uint32_t add_name(struct ch_state *state, uint32_t sealed, uint32_t user, uint8_t kind,
                         const uint8_t *hash)
{
    if (hash == NULL) return 0;
    const uint32_t row = ch_row_take(&state->store, CH_T_NAME);
    struct ch_row_name *name = ch_row_edit(&state->store, CH_T_NAME, row);
    name->user = user;
    name->kind = kind;
    name->sealed = sealed;
    memcpy(name->hash, hash, sizeof name->hash);
    ch_index_insert(&state->store, CH_I_NAME, ch_hash_name(kind, hash), row);
    return row;
}

void ch_directory_add(struct ch_state *state, uint64_t seq, struct ch_bytes plain, uint32_t user,
                      const uint8_t *username_hash, const uint8_t *email_hash)
{
    const uint32_t sealed = ch_find_sealed(state, seq);
    CH_CHECK(sealed != 0);
    const uint32_t row = ch_row_take(&state->store, CH_T_OPENED);
    struct ch_row_opened *opened = ch_row_edit(&state->store, CH_T_OPENED, row);
    opened->sealed = sealed;
    opened->plain = ch_chain_put(state, CH_T_PLAIN, plain.ptr, plain.len);
    opened->name[0] = add_name(state, sealed, user, CH_KIND_username, username_hash);
    opened->name[1] = add_name(state, sealed, user, CH_KIND_email, email_hash);
    ch_index_insert(&state->store, CH_I_OPENED, ch_hash_mix(sealed, 1), row);
}

bool ch_opened_read(const struct ch_state *state, uint64_t seq, struct ch_arena *arena,
                    struct ch_text *ret, uint32_t count)
{
    memset(ret, 0, count * sizeof *ret);
    const uint32_t sealed = ch_find_sealed(state, seq);
    const uint32_t opened = sealed == 0 ? 0 : ch_find_opened(state, sealed);
    if (opened == 0) return true;
    const uint32_t plain = ch_opened_row(state, opened)->plain;
    const size_t len = ch_chain_len(state, CH_T_PLAIN, plain);
    uint8_t *bytes = ch_arena_take(arena, len + 1);
    if (bytes == NULL) return false;
    struct ch_cursor c =
        ch_cursor_of((struct ch_bytes){bytes, ch_chain_get(state, CH_T_PLAIN, plain, bytes, len)});
    if (ch_cursor_peek(&c) != CH_VALUE_ARRAY) return true;
    const uint32_t items = ch_read_array(&c);
    for (uint32_t i = 0; i < items && i < count; i++) {
        if (ch_cursor_peek(&c) == CH_VALUE_TEXT) {
            ret[i] = ch_read_text(&c);
        } else {
            ch_read_nil(&c);
        }
    }
    return true;
}
