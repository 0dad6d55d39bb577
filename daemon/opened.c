/* opened: see opened.h. SPDX-License-Identifier: MIT */
#include "daemon/opened.h"

#include "daemon/log/digest.h"
#include "daemon/log/seal.h"
#include "daemon/log/vault.h"
#include "daemon/replay/directory.h"

enum ch_err ch_opened(struct ch_vault *vault, struct ch_event *event, union ch_event_body *body,
                      struct ch_arena *arena, enum ch_seal_state *ret, struct ch_why *why)
{
    uint8_t key[CH_VAULT_KEY_BYTES];
    uint8_t aad[8];
    const struct ch_bytes cipher = event->personal.cipher;
    *ret = CH_SEAL_OPEN;
    if (!event->personal.present) return CH_OK;
    const enum ch_vault_state had = ch_vault_get(vault, event->personal.number, key);
    if (had != CH_VAULT_PRESENT) {
        *ret = had == CH_VAULT_ERASED ? CH_SEAL_ERASED : CH_SEAL_LOST;
        return CH_OK;
    }
    uint8_t *plain = ch_arena_take(arena, cipher.len + 1);
    ch_directory_aad(event->seq, aad);
    enum ch_err err = CH_OK;
    if (plain == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to open an event");
    } else if (cipher.len < CH_SEAL_TAG_BYTES) {
        err = ch_fail(why, CH_ERR_SEAL_BROKEN, 0, "event %llu: the sealed part is cut off",
                      (unsigned long long)event->seq);
    } else {
        err = ch_seal_open(key, event->personal.nonce, (struct ch_bytes){aad, sizeof aad}, cipher,
                           plain, why);
    }
    ch_wipe(key, sizeof key);
    if (err != CH_OK) return err;
    const struct ch_bytes opened = {plain, cipher.len - CH_SEAL_TAG_BYTES};
    return ch_event_open(opened, body, event, why);
}
