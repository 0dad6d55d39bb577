/* apply_key: API keys; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_key *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_KEY, row);
}

/* The account's list of keys changed. */
static struct ch_row_account *edit_owner(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
    account->changed = seq;
    return account;
}

void ch_apply_key_created(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_key_created *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row = ch_row_take(&state->store, CH_T_KEY);
    struct ch_row_key *key = edit(state, row);
    key->account = account;
    key->id = event->seq;
    key->changed = event->seq;
    key->secret_seq = event->seq;
    key->made_by_kind = event->actor.kind;
    key->made_by = event->actor.id;
    key->person = ch_person_behind(state, &event->actor);
    ch_count_made(state, key->person, 1);
    key->kind = body->kind;
    key->name = ch_text_take(state, body->name);
    key->scopes = ch_scopes_take(state, body->scopes);
    memcpy(key->hash, body->hash.ptr, sizeof key->hash);
    struct ch_row_account *owner = edit_owner(state, account, event->seq);
    key->next_of_account = owner->first_key;
    owner->first_key = row;
    owner->key_count++;
    if (key->next_of_account != 0) edit(state, key->next_of_account)->prev_of_account = row;
    ch_index_insert(&state->store, CH_I_KEY_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_KEY_HASH, ch_hash_secret(body->hash.ptr), row);
    if (!body->has_expires_at) return;
    key->expires_at = body->expires_at;
    ch_due_set(state, CH_DUE_KEY, row, body->expires_at);
}

void ch_apply_key_renamed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_key_renamed *body = event->body;
    struct ch_row_key *key = edit(state, ch_find_key(state, body->key.seq));
    const uint32_t old = key->name;
    key->name = ch_text_take(state, body->name);
    key->changed = event->seq;
    ch_text_drop(state, old);
}

static bool has_old(const struct ch_row_key *key)
{
    static const uint8_t none[32] = {0};
    return memcmp(key->old_hash, none, sizeof none) != 0;
}

static void drop_old(struct ch_state *state, uint32_t row)
{
    struct ch_row_key *key = edit(state, row);
    if (!has_old(key)) return;
    ch_index_remove(&state->store, CH_I_KEY_OLD, ch_hash_secret(key->old_hash), row);
    memset(key->old_hash, 0, sizeof key->old_hash);
    key->old_until = 0;
}

void ch_apply_key_rotated(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_key_rotated *body = event->body;
    const uint32_t row = ch_find_key(state, body->key.seq);
    drop_old(state, row);
    struct ch_row_key *key = edit(state, row);
    ch_index_remove(&state->store, CH_I_KEY_HASH, ch_hash_secret(key->hash), row);
    if (body->has_old_until) {
        memcpy(key->old_hash, key->hash, sizeof key->old_hash);
        key->old_until = body->old_until;
        ch_index_insert(&state->store, CH_I_KEY_OLD, ch_hash_secret(key->old_hash), row);
    }
    memcpy(key->hash, body->hash.ptr, sizeof key->hash);
    key->secret_seq = event->seq;
    key->changed = event->seq;
    ch_index_insert(&state->store, CH_I_KEY_HASH, ch_hash_secret(key->hash), row);
}

void ch_end_key(struct ch_state *state, uint32_t row, uint64_t seq)
{
    drop_old(state, row);
    ch_due_set(state, CH_DUE_KEY, row, 0);
    const struct ch_row_key key = *ch_key_row(state, row);
    if (key.next_of_account != 0) {
        edit(state, key.next_of_account)->prev_of_account = key.prev_of_account;
    }
    struct ch_row_account *account = edit_owner(state, key.account, seq);
    if (key.prev_of_account != 0) {
        edit(state, key.prev_of_account)->next_of_account = key.next_of_account;
    } else {
        account->first_key = key.next_of_account;
    }
    account->key_count--;
    ch_count_made(state, key.person, -1);
    ch_index_remove(&state->store, CH_I_KEY_ID, ch_hash_mix(key.id, 0), row);
    ch_index_remove(&state->store, CH_I_KEY_HASH, ch_hash_secret(key.hash), row);
    ch_text_drop(state, key.name);
    ch_scopes_drop(state, key.scopes);
    ch_row_give(&state->store, CH_T_KEY, row);
}

void ch_apply_key_revoked(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_key_revoked *body = event->body;
    ch_end_key(state, ch_find_key(state, body->key.seq), event->seq);
}

void ch_apply_key_expired(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_key_expired *body = event->body;
    ch_end_key(state, ch_find_key(state, body->key.seq), event->seq);
}
