/* directory: see directory.h. SPDX-License-Identifier: MIT */
#include "daemon/replay/directory.h"

#include "daemon/core/apply.h"
#include "daemon/log/digest.h"
#include "daemon/log/seal.h"
#include "daemon/log/secret.h"
#include "daemon/log/vault.h"
#include "schema/text.h"

enum { NAME_MOST = 256, PLAIN_MOST = 2048 };

enum ch_err ch_directory_init(struct ch_directory *directory, struct ch_vault *vault,
                              struct ch_why *why)
{
    uint8_t key[CH_VAULT_KEY_BYTES];
    if (ch_vault_get(vault, 0, key) != CH_VAULT_PRESENT) {
        return ch_fail(why, CH_ERR_VAULT_IO, 0, "the vault has no installation key in slot 0");
    }
    directory->vault = vault;
    ch_seal_name_key(key, directory->name_key);
    ch_seal_fingerprint_key(key, directory->fingerprint_key);
    ch_wipe(key, sizeof key);
    return CH_OK;
}

void ch_directory_deinit(struct ch_directory *directory)
{
    ch_wipe(directory->name_key, sizeof directory->name_key);
    ch_wipe(directory->fingerprint_key, sizeof directory->fingerprint_key);
}

void ch_directory_hash(const struct ch_directory *directory, uint8_t kind, struct ch_text name,
                       uint8_t ret[16])
{
    char folded[NAME_MOST];
    size_t len = name.len < sizeof folded ? name.len : sizeof folded;
    memcpy(folded, name.ptr, len);
    if (kind == CH_KIND_email) {
        (void)ch_email_fold(folded, len);
    } else {
        (void)ch_username_fold(folded, len);
    }
    ch_seal_name_hash(directory->name_key, kind, (struct ch_text){folded, len}, ret);
}

void ch_directory_hash_ref(const struct ch_directory *directory, struct ch_ref *ref)
{
    ch_directory_hash(directory, ch_user_name_kind(ref->name), ref->name, ref->hash);
}

void ch_directory_hash_call(const struct ch_directory *directory, int type, void *args)
{
    const struct ch_record *record = &ch_calls[type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->list || !ch_field_present(field, args)) continue;
        uint8_t *at = (uint8_t *)args + field->offset;
        if (field->kind == CH_KIND_user_ref) {
            struct ch_ref *ref = (struct ch_ref *)(void *)at;
            if (ref->id != 0) continue;
            ch_directory_hash_ref(directory, ref);
        } else if (field->kind == CH_KIND_secret) { /* passwords are Argon2id's: passwords.c */
            struct ch_secret *secret = (struct ch_secret *)(void *)at;
            ch_secret_hash(secret->text, secret->hash);
        } else if (field->kind == CH_KIND_username || field->kind == CH_KIND_email) {
            struct ch_named *named = (struct ch_named *)(void *)at;
            ch_directory_hash(directory, field->kind, named->text, named->hash);
        }
    }
}

/* The key of a number; the caller clears it. */
static enum ch_err hash_key(const struct ch_directory *directory, const struct ch_state *state,
                            uint32_t number, uint8_t ret[CH_NAME_KEY_BYTES], struct ch_why *why)
{
    uint8_t slot[CH_VAULT_KEY_BYTES];
    if (number == CH_NAME_KEY_NUMBER) {
        memcpy(ret, directory->name_key, CH_NAME_KEY_BYTES);
        return CH_OK;
    }
    const uint64_t at = ch_hash_key_row(state, number)->slot;
    memset(slot, 0, sizeof slot);
    if (ch_vault_get(directory->vault, at, slot) != CH_VAULT_PRESENT && !directory->supposes) {
        return ch_fail(why, CH_ERR_VAULT_IO, 0,
                       "the vault has no key %u of address hashes in slot %llu", number,
                       (unsigned long long)at);
    }
    ch_seal_name_key(slot, ret);
    ch_wipe(slot, sizeof slot);
    return CH_OK;
}

/* The address that a call is about; NULL: none. */
static const struct ch_named *address_of(const struct ch_call *call)
{
    const struct ch_record *record = &ch_calls[call->type].args;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (field->kind != CH_KIND_email || strcmp(field->name, "address") != 0) continue;
        return ch_field_at(field, call->args);
    }
    return NULL;
}

enum ch_err ch_directory_hash_address(const struct ch_directory *directory,
                                      const struct ch_state *state, const struct ch_call *call,
                                      struct ch_address_hash *ret, uint32_t *ret_count,
                                      struct ch_why *why)
{
    const struct ch_named *address = address_of(call);
    const uint32_t newest = ch_hash_key_newest(state);
    char folded[NAME_MOST];
    uint8_t key[CH_NAME_KEY_BYTES];
    enum ch_err err = CH_OK;
    *ret_count = 0;
    if (address == NULL) return CH_OK;
    const size_t len = address->text.len < sizeof folded ? address->text.len : sizeof folded;
    memcpy(folded, address->text.ptr, len);
    (void)ch_email_fold(folded, len);
    for (uint32_t number = 1; err == CH_OK && number <= newest; number++) {
        if (!ch_hash_key_in_use(state, number)) continue;
        CH_CHECK(*ret_count < CH_ADDRESS_HASHES);
        err = hash_key(directory, state, number, key, why);
        if (err != CH_OK) break;
        ret[*ret_count].key = number;
        ch_seal_name_hash(key, CH_KIND_email, (struct ch_text){folded, len},
                          ret[(*ret_count)++].hash);
    }
    ch_wipe(key, sizeof key);
    return err;
}

enum ch_err ch_directory_check(const struct ch_directory *directory, const struct ch_state *state,
                               struct ch_why *why)
{
    uint8_t key[CH_NAME_KEY_BYTES];
    enum ch_err err = CH_OK;
    for (uint32_t number = 1; err == CH_OK && number <= ch_hash_key_newest(state); number++) {
        if (ch_hash_key_in_use(state, number)) err = hash_key(directory, state, number, key, why);
    }
    ch_wipe(key, sizeof key);
    return err;
}

void ch_directory_aad(uint64_t seq, uint8_t ret[8])
{
    ch_put_be64(ret, seq);
}

/* The user whose names an event holds: the one it made, or names in its field `user`. */
static uint32_t user_of(const struct ch_state *state, const struct ch_event *event)
{
    if (ch_events[event->tag].makes == CH_KIND_user) return ch_find_user(state, event->seq);
    const struct ch_record *record = &ch_events[event->tag].record;
    for (uint16_t i = 0; i < record->count; i++) {
        if (record->fields[i].kind != CH_KIND_user) continue;
        const struct ch_user_id *id = ch_field_at(&record->fields[i], event->body);
        return ch_find_user(state, id->seq);
    }
    return 0;
}

/* Adds an opened part and the names in it. tag: of the event that it was sealed in; user: whose
 * names they are, 0: nobody's */
static enum ch_err add(const struct ch_directory *directory, struct ch_state *state, uint64_t seq,
                       uint16_t tag, uint32_t user, struct ch_bytes plain, struct ch_why *why)
{
    union ch_event_body body = {.align = 0};
    struct ch_event named = {.seq = seq, .tag = tag, .body = &body};
    const enum ch_err err = ch_event_open(plain, &body, &named, why);
    if (err != CH_OK) return err;
    const struct ch_record *record = &ch_events[tag].record;
    uint8_t hashes[2][16];
    const uint8_t *given[2] = {NULL, NULL}; /* username, e-mail address */
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        const uint32_t which = field->kind == CH_KIND_username ? 0 : 1;
        if (field->kind != CH_KIND_username && field->kind != CH_KIND_email) continue;
        if (!field->personal || !ch_field_present(field, &body)) continue;
        const struct ch_named *name = ch_field_at(field, &body);
        ch_directory_hash(directory, field->kind, name->text, hashes[which]);
        given[which] = hashes[which];
    }
    if (user != 0 && ch_user_row(state, user)->status == CH_user_status_deleted) {
        given[0] = NULL; /* its names are free */
        given[1] = NULL;
    }
    ch_directory_add(state, seq, plain, user, given[0], given[1]);
    return CH_OK;
}

enum ch_err ch_directory_suppose(const struct ch_directory *directory, struct ch_state *state,
                                 const struct ch_event *event, struct ch_bytes plain,
                                 struct ch_why *why)
{
    if (plain.len == 0 || ch_find_sealed(state, event->seq) == 0) return CH_OK;
    return add(directory, state, event->seq, event->tag, user_of(state, event), plain, why);
}

void ch_directory_forget_erased(const struct ch_directory *directory, struct ch_state *state)
{
    for (uint32_t row = 0; (row = ch_row_next(&state->store, CH_T_USER, row)) != 0;) {
        uint8_t key[CH_VAULT_KEY_BYTES];
        const uint64_t number = ch_user_row(state, row)->number;
        const enum ch_vault_state had = ch_vault_get(directory->vault, number, key);
        if (had == CH_VAULT_PRESENT) ch_wipe(key, sizeof key);
        if (had == CH_VAULT_ERASED) ch_sealed_close(state, row);
    }
}

/* Opens what was sealed in an event; the caller clears `plain`. ret_len: 0: there is no key. */
static enum ch_err open_sealed(const struct ch_directory *directory, uint64_t seq, uint64_t number,
                               const uint8_t *nonce, struct ch_bytes cipher,
                               uint8_t plain[PLAIN_MOST], size_t *ret_len, struct ch_why *why)
{
    uint8_t key[CH_VAULT_KEY_BYTES];
    uint8_t aad[8];
    *ret_len = 0;
    if (ch_vault_get(directory->vault, number, key) != CH_VAULT_PRESENT) return CH_OK;
    ch_directory_aad(seq, aad);
    enum ch_err err = CH_OK;
    if (cipher.len <= CH_SEAL_TAG_BYTES || cipher.len - CH_SEAL_TAG_BYTES > PLAIN_MOST) {
        err = ch_fail(why, CH_ERR_SEAL_BROKEN, 0, "event %llu: the sealed part has a wrong length",
                      (unsigned long long)seq);
    } else {
        err = ch_seal_open(key, nonce, (struct ch_bytes){aad, sizeof aad}, cipher, plain, why);
    }
    if (err == CH_OK) *ret_len = cipher.len - CH_SEAL_TAG_BYTES;
    ch_wipe(key, sizeof key);
    return err;
}

enum ch_err ch_directory_learn(const struct ch_directory *directory, struct ch_state *state,
                               const struct ch_event *event, struct ch_why *why)
{
    uint8_t plain[PLAIN_MOST];
    size_t len = 0;
    if (!event->personal.present || ch_find_sealed(state, event->seq) == 0) return CH_OK;
    enum ch_err err = open_sealed(directory, event->seq, event->personal.number,
                                  event->personal.nonce, event->personal.cipher, plain, &len, why);
    if (err == CH_OK && len > 0) {
        err = add(directory, state, event->seq, event->tag, user_of(state, event),
                  (struct ch_bytes){plain, len}, why);
    }
    ch_wipe(plain, sizeof plain);
    return err;
}

/* Everything at once, so that no array grows on the way, nor soon after. */
static bool make_room(struct ch_state *state)
{
    struct ch_store *store = &state->store;
    const uint32_t sealed = ch_table_live(store, CH_T_SEALED);
    const uint32_t names = 2 * ch_table_live(store, CH_T_USER);
    return ch_store_reserve_rows(store, CH_T_OPENED, sealed) &&
           ch_store_reserve_rows(store, CH_T_NAME, names) &&
           ch_store_reserve_rows(store, CH_T_PLAIN, ch_table_live(store, CH_T_CIPHER)) &&
           ch_store_reserve_cells(store, CH_I_OPENED, sealed + sealed / 6) &&
           ch_store_reserve_cells(store, CH_I_NAME, names + names / 6);
}

/* The row says no event type. Names stand in what a user's profile_seq leads to only, and every
 * event that makes a profile has the personal fields of profile_changed (a test says so); of all
 * else the opened part is taken as it is. */
static enum ch_err fill_one(const struct ch_directory *directory, struct ch_state *state,
                            uint32_t row, struct ch_why *why)
{
    uint8_t cipher[PLAIN_MOST + CH_SEAL_TAG_BYTES];
    uint8_t plain[PLAIN_MOST];
    size_t len = 0;
    const struct ch_row_sealed *sealed = ch_sealed_row(state, row);
    const uint64_t seq = sealed->seq;
    const uint32_t user = ch_find_user_number(state, sealed->number);
    /* an older vault may have the key still: the start is about to destroy it again */
    if (user != 0 && ch_user_row(state, user)->status == CH_user_status_erased) return CH_OK;
    const size_t cipher_len =
        ch_chain_get(state, CH_T_CIPHER, sealed->cipher, cipher, sizeof cipher);
    enum ch_err err = open_sealed(directory, seq, sealed->number, sealed->nonce,
                                  (struct ch_bytes){cipher, cipher_len}, plain, &len, why);
    if (err != CH_OK || len == 0) return err;
    const struct ch_bytes opened = {plain, len};
    if (user != 0 && ch_user_row(state, user)->profile_seq == seq) {
        err = add(directory, state, seq, CH_EV_profile_changed, user, opened, why);
    } else {
        ch_directory_add(state, seq, opened, 0, NULL, NULL);
    }
    ch_wipe(plain, sizeof plain);
    return err;
}

enum ch_err ch_directory_fill(const struct ch_directory *directory, struct ch_state *state,
                              struct ch_why *why)
{
    enum ch_err err = CH_OK;
    if (!make_room(state)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the names");
    }
    for (uint32_t row = 0;
         err == CH_OK && (row = ch_row_next(&state->store, CH_T_SEALED, row)) != 0;) {
        err = fill_one(directory, state, row, why);
    }
    return err;
}
