/* personal: see personal.h. SPDX-License-Identifier: MIT */
#include "daemon/personal.h"

#include "daemon/log/digest.h"
#include "daemon/log/seal.h"
#include "daemon/log/vault.h"

/* The vault slot of a user; 0: there is none. What is said of an erased user is the
 * installation's: a key that is about to be destroyed would take it along. */
static uint64_t number_of(const struct ch_state *state, uint32_t row)
{
    if (row == 0 || ch_user_row(state, row)->status == CH_user_status_erased) return 0;
    return ch_user_row(state, row)->number;
}

/* The vault slot of the user that a command names in its field `user`; 0: none. */
static uint64_t named_user(const struct ch_state *state, const struct ch_call *call)
{
    if (call == NULL) return 0;
    const struct ch_record *record = &ch_calls[call->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_user_ref || !ch_field_present(field, call->args)) continue;
        const struct ch_ref *ref = ch_field_at(field, call->args);
        return number_of(state, ch_find_user(state, ref->id));
    }
    return 0;
}

/* The vault slot of the user that an event names; 0: none. */
static uint64_t event_user(const struct ch_state *state, const struct ch_event *event)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_user || !ch_field_present(field, event->body)) continue;
        const struct ch_user_id *id = ch_field_at(field, event->body);
        return number_of(state, ch_find_user(state, id->seq));
    }
    return 0;
}

_Static_assert(offsetof(struct ch_ev_user_created, number) == 0 &&
                   offsetof(struct ch_ev_user_invited, number) == 0 &&
                   offsetof(struct ch_ev_login_created, number) == 0,
               "the number of the vault slot comes first");

/* The vault slot whose key an event is sealed with. */
static uint64_t number_for(const struct ch_ground *ground, const struct ch_event *event,
                           const struct ch_call *call, const struct ch_moment *moment)
{
    if (ch_events[event->tag].makes == CH_KIND_user) {
        const uint64_t *number = event->body; /* the first field of each event that makes a user */
        return *number;
    }
    uint64_t number = event_user(ground->state, event);
    if (number == 0) number = named_user(ground->state, call);
    if (number == 0 && moment->user_row != 0) number = number_of(ground->state, moment->user_row);
    return number;
}

static enum ch_err key_for(const struct ch_ground *ground, const struct ch_event *event,
                           const struct ch_call *call, const struct ch_moment *moment,
                           uint64_t *ret_number, uint8_t *ret_key, struct ch_why *why)
{
    struct ch_vault *vault = ground->directory->vault;
    *ret_number = number_for(ground, event, call, moment);
    if (ch_events[event->tag].makes == CH_KIND_user) {
        ch_entropy_fill(ground->entropy, ret_key, CH_VAULT_KEY_BYTES);
        ground->batch->sync_vault = true;
        return ch_vault_put(vault, *ret_number, ret_key, why);
    }
    if (ch_vault_get(vault, *ret_number, ret_key) == CH_VAULT_PRESENT) return CH_OK;
    *ret_number = 0;
    if (ch_vault_get(vault, 0, ret_key) == CH_VAULT_PRESENT) return CH_OK;
    return ch_fail(why, CH_ERR_VAULT_IO, 0, "the vault has no installation key");
}

/* A new key of address hashes goes into the vault like a person's. */
static enum ch_err put_hash_key(const struct ch_ground *ground, const struct ch_event *event,
                                struct ch_why *why)
{
    const struct ch_ev_hash_key_made *body = event->body;
    uint8_t key[CH_VAULT_KEY_BYTES];
    ch_entropy_fill(ground->entropy, key, sizeof key);
    ground->batch->sync_vault = true;
    const enum ch_err err = ch_vault_put(ground->directory->vault, body->slot, key, why);
    ch_wipe(key, sizeof key);
    return err;
}

enum ch_err ch_personal_seal(const struct ch_ground *ground, struct ch_event *event,
                             const struct ch_call *call, const struct ch_moment *moment,
                             struct ch_arena *arena, struct ch_why *why)
{
    struct ch_buf plain = {0};
    uint8_t key[CH_VAULT_KEY_BYTES];
    uint8_t aad[8];
    enum ch_err err = CH_OK;
    if (event->tag == CH_EV_hash_key_made) err = put_hash_key(ground, event, why);
    if (err != CH_OK) return err;
    ch_event_personal(&plain, event);
    if (plain.len == 0 && !plain.failed) return CH_OK;
    uint8_t *cipher = ch_arena_take(arena, plain.len + CH_SEAL_TAG_BYTES);
    if (plain.failed || cipher == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to seal");
        goto out;
    }
    err = key_for(ground, event, call, moment, &event->personal.number, key, why);
    if (err != CH_OK) goto out;
    ch_entropy_fill(ground->entropy, event->personal.nonce, sizeof event->personal.nonce);
    ch_directory_aad(event->seq, aad);
    ch_seal(key, event->personal.nonce, (struct ch_bytes){aad, sizeof aad}, ch_buf_view(&plain),
            cipher);
    event->personal.present = true;
    event->personal.cipher = (struct ch_bytes){cipher, plain.len + CH_SEAL_TAG_BYTES};
out:
    ch_wipe(key, sizeof key);
    if (plain.ptr != NULL) ch_wipe(plain.ptr, plain.len);
    ch_buf_deinit(&plain);
    return err;
}

enum ch_err ch_personal_suppose(const struct ch_ground *ground, struct ch_event *event,
                                const struct ch_call *call, const struct ch_moment *moment,
                                struct ch_arena *arena, struct ch_bytes *plain, struct ch_why *why)
{
    struct ch_buf text = {0};
    *plain = (struct ch_bytes){0};
    ch_event_personal(&text, event);
    if (text.len > 0 && !text.failed) {
        uint8_t *copy = ch_arena_copy(arena, text.ptr, text.len);
        uint8_t *cipher = ch_arena_take(arena, text.len + CH_SEAL_TAG_BYTES);
        text.failed = copy == NULL || cipher == NULL;
        *plain = (struct ch_bytes){copy, text.len};
        event->personal.present = true;
        event->personal.number = number_for(ground, event, call, moment);
        event->personal.cipher = (struct ch_bytes){cipher, text.len + CH_SEAL_TAG_BYTES};
    }
    const bool failed = text.failed;
    if (text.ptr != NULL) ch_wipe(text.ptr, text.len);
    ch_buf_deinit(&text);
    return failed ? ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for an event") : CH_OK;
}
