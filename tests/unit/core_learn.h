/* core_learn: what the line does around apply, without a vault. SPDX-License-Identifier: MIT
 * The seal is the text itself with a tail in place of the authenticator. */
#ifndef CH_TESTS_CORE_LEARN_H
#define CH_TESTS_CORE_LEARN_H
#include "daemon/core/apply.h"
#include "daemon/core/decide.h"
#include "schema/event.h"

/* Secrets for a command, as the line makes them before it is decided: different for each number. */
static inline void learn_minted(struct ch_moment *moment, struct ch_minted *minted, uint32_t count,
                                uint64_t number)
{
    memset(minted, 0, count * sizeof *minted);
    for (uint32_t i = 0; i < count; i++) {
        ch_put_be64(minted[i].hash, ch_hash_mix(number, i));
        ch_put_be64(minted[i].hash + 8, number);
        ch_put_be64(minted[i].hash + 16, i);
        minted[i].sealed = (struct ch_bytes){minted[i].hash, sizeof minted[i].hash};
    }
    moment->minted = minted;
    moment->minted_count = count;
}

/* Stands for the keyed hashes of the address that a call names: under number 1 as it is, under
 * others something else. ret: of CH_ADDRESS_HASHES */
static inline void learn_address(const struct ch_state *state, const struct ch_call *call,
                                 struct ch_moment *moment, struct ch_address_hash *ret)
{
    const struct ch_record *record = &ch_calls[call->type].args;
    moment->address = ret;
    moment->address_count = 0;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_email || strcmp(field->name, "address") != 0) continue;
        const struct ch_named *address = ch_field_at(field, call->args);
        for (uint32_t number = 1; number <= ch_hash_key_newest(state); number++) {
            if (!ch_hash_key_in_use(state, number)) continue;
            struct ch_address_hash *one = &ret[moment->address_count++];
            one->key = number;
            memcpy(one->hash, address->hash, sizeof one->hash);
            one->hash[0] = (uint8_t)(one->hash[0] + number - 1);
        }
    }
}

/* The number of the user whom the event names, unless that user was erased. */
static inline uint64_t learn_number(const struct ch_state *state, const struct ch_event *event)
{
    const struct ch_record *record = &ch_events[event->tag].record;
    if (ch_events[event->tag].makes == CH_KIND_user) return *(const uint64_t *)event->body;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_user || !ch_field_present(field, event->body)) continue;
        const struct ch_user_id *id = ch_field_at(field, event->body);
        const uint32_t user = ch_find_user(state, id->seq);
        if (user == 0 || ch_user_row(state, user)->status == CH_user_status_erased) return 0;
        return ch_user_row(state, user)->number;
    }
    return 0;
}

/* Fills in the event's sealed part. plain, cipher: reset here; the event borrows from cipher. */
static inline void learn_seal(const struct ch_state *state, struct ch_event *event,
                              struct ch_buf *plain, struct ch_buf *cipher)
{
    static const uint8_t tail[CH_SEAL_BYTES] = {0};
    ch_buf_reset(plain);
    ch_buf_reset(cipher);
    ch_event_personal(plain, event);
    if (plain->len == 0) return;
    ch_buf_put(cipher, plain->ptr, plain->len);
    ch_buf_put(cipher, tail, sizeof tail);
    event->personal.present = true;
    event->personal.number = learn_number(state, event);
    memset(event->personal.nonce, (int)(event->seq & 0xff), sizeof event->personal.nonce);
    event->personal.cipher = ch_buf_view(cipher);
}

/* After apply: what state kept is added to the directory. False when out of memory. */
static inline bool learn_names(struct ch_state *state, const struct ch_event *event,
                               struct ch_bytes plain)
{
    if (plain.len == 0 || ch_find_sealed(state, event->seq) == 0) return true;
    const struct ch_record *record = &ch_events[event->tag].record;
    const uint8_t *hashes[2] = {NULL, NULL};
    uint32_t user =
        ch_events[event->tag].makes == CH_KIND_user ? ch_find_user(state, event->seq) : 0;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        const uint8_t kind = field->kind;
        if (kind == CH_KIND_user && user == 0) {
            user = ch_find_user(state,
                                ((const struct ch_user_id *)ch_field_at(field, event->body))->seq);
        }
        if (!field->personal || !ch_field_present(field, event->body)) continue;
        const struct ch_named *name = ch_field_at(field, event->body);
        if (kind == CH_KIND_username) hashes[0] = name->hash;
        if (kind == CH_KIND_email) hashes[1] = name->hash;
    }
    if (!ch_state_reserve(state, 0, plain.len, 0)) return false;
    ch_directory_add(state, event->seq, plain, user, hashes[0], hashes[1]);
    return true;
}
#endif
