/* directory: opens users' sealed names, so that they can be found and shown.
 * SPDX-License-Identifier: MIT
 * The tables it fills are outside the dump and the state hash: without the vault everything else
 * can still be replayed and proved.
 * source: schema/README.md, "Personal data" */
#ifndef CH_REPLAY_DIRECTORY_H
#define CH_REPLAY_DIRECTORY_H
#include "daemon/core/decide.h"
#include "schema/event.h"

struct ch_vault;

struct ch_directory {
    struct ch_vault *vault;      /* borrowed */
    uint8_t name_key[32];        /* of keyed name hashes */
    uint8_t fingerprint_key[32]; /* of messages */
    /* What is learnt is only supposed (whatif.h): nothing goes to the vault, and a key of address
     * hashes that it lacks is one that was supposed before. */
    bool supposes;
};

/* errors: CH_ERR_VAULT_IO when the installation's key is missing */
CH_MUST_USE enum ch_err ch_directory_init(struct ch_directory *directory, struct ch_vault *vault,
                                          struct ch_why *why);
void ch_directory_deinit(struct ch_directory *directory); /* clears the key */

/* The keyed hash under which a username or e-mail address is found; folds letters as they
 * compare. */
void ch_directory_hash(const struct ch_directory *directory, uint8_t kind, struct ch_text name,
                       uint8_t ret[16]);

/* Fills in the hash of a user's name in a reference that has no id. */
void ch_directory_hash_ref(const struct ch_directory *directory, struct ch_ref *ref);

/* Fills in the hashes of every user name, reference and secret of one call's arguments. */
void ch_directory_hash_call(const struct ch_directory *directory, int type, void *args);

/* The hashes of the address that a call names, under every key that is in use in the state; none
 * where it names none.
 * ret:    CH_ADDRESS_HASHES of them
 * errors: CH_ERR_VAULT_IO where a key is missing */
CH_MUST_USE enum ch_err ch_directory_hash_address(const struct ch_directory *directory,
                                                  const struct ch_state *state,
                                                  const struct ch_call *call,
                                                  struct ch_address_hash *ret, uint32_t *ret_count,
                                                  struct ch_why *why);

/* Whether the vault has every key of address hashes: without one, who unsubscribed would be written
 * to. errors: CH_ERR_VAULT_IO */
CH_MUST_USE enum ch_err ch_directory_check(const struct ch_directory *directory,
                                           const struct ch_state *state, struct ch_why *why);

/* The 8 bytes that bind a sealed part to its event. */
void ch_directory_aad(uint64_t seq, uint8_t ret[8]);

/* Forgets what was opened of users whose keys were destroyed since: a state in the past may not
 * tell of them either. Looks at every user. */
void ch_directory_forget_erased(const struct ch_directory *directory, struct ch_state *state);

/* After an event was applied: opens its sealed part, if state kept it, and adds it and the names in
 * it. What a lost key sealed stays closed. Room must have been reserved.
 * errors: CH_ERR_SEAL_BROKEN, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_directory_learn(const struct ch_directory *directory,
                                           struct ch_state *state, const struct ch_event *event,
                                           struct ch_why *why);

/* The whole directory of a state that was loaded: opens all that it keeps sealed. What a lost key
 * sealed stays closed. errors: CH_ERR_SEAL_BROKEN, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_directory_fill(const struct ch_directory *directory,
                                          struct ch_state *state, struct ch_why *why);

/* The same of an event whose sealed part is known as it was before it was sealed. */
CH_MUST_USE enum ch_err ch_directory_suppose(const struct ch_directory *directory,
                                             struct ch_state *state, const struct ch_event *event,
                                             struct ch_bytes plain, struct ch_why *why);
#endif
