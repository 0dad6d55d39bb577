/* vault: one key for each user, in a file of its own. SPDX-License-Identifier: MIT
 * Not in the log and not in its backup: when a slot is overwritten, what was sealed under it in
 * the log is gone, and every proof about the log still holds.
 * Format: slots of 32 bytes, slot n at byte 32 n. All zero: missing. All 0xff: erased. Slot 0 is
 * the installation's key, made with the file, never erased. File mode 0600.
 * Keys live in sodium_malloc'd memory. put and erase change memory only; sync writes the changed
 * slots and returns when they are durable: before the commit of the batch that makes the user,
 * after the commit of the batch that erases it. A put of a number that has a key overwrites: its
 * batch was rolled back and decided again.
 * Threads: any; a mutex inside, never held during I/O. One thread at a time calls sync. */
#ifndef CH_LOG_VAULT_H
#define CH_LOG_VAULT_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

enum { CH_VAULT_KEY_BYTES = 32 };

/* 2^32 slots are 128 GiB; this many are 8 GiB of memory. Numbers are below it. */
#define CH_VAULT_MAX_SLOTS (UINT64_C(1) << 28)

enum ch_vault_state { CH_VAULT_MISSING, CH_VAULT_PRESENT, CH_VAULT_ERASED };

struct ch_vault; /* opaque */

/* Opens the vault at `path`. Calls sodium_init.
 * may_create: make it, with a new installation key, if there is none; pass false when the log has
 *             events
 * ret:        owned by the caller, close with ch_vault_close; untouched on failure
 * errors:     CH_ERR_NO_MEMORY, CH_ERR_VAULT_IO (code = errno; also: there is none and may_create
 *             is false, or slot 0 is missing) */
CH_MUST_USE enum ch_err ch_vault_open(const char *path, bool may_create, struct ch_vault **ret,
                                      struct ch_why *why);
/* What was not synced is lost. Clears and frees the keys. NULL is a no-op. */
void ch_vault_close(struct ch_vault *vault);

/* number: 1 and up, dense; below CH_VAULT_MAX_SLOTS (CH_CHECK). key: not all zero, not all 0xff.
 * errors: CH_ERR_NO_MEMORY, then nothing was changed */
CH_MUST_USE enum ch_err ch_vault_put(struct ch_vault *vault, uint64_t number,
                                     const uint8_t key[CH_VAULT_KEY_BYTES], struct ch_why *why);
/* Forgets the key in memory at once. number: as put. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_vault_erase(struct ch_vault *vault, uint64_t number, struct ch_why *why);

/* ret_key: written when CH_VAULT_PRESENT, else untouched; the caller clears it (sodium_memzero).
 * Any number may be asked. */
enum ch_vault_state ch_vault_get(struct ch_vault *vault, uint64_t number,
                                 uint8_t ret_key[CH_VAULT_KEY_BYTES]);

/* How many slots were erased since the vault was opened. Who keeps what it opened before the count
 * changed must let go of it. */
uint64_t ch_vault_erasures(struct ch_vault *vault);

/* Writes what changed since the last sync and fdatasyncs; nothing changed: no I/O.
 * errors: CH_ERR_VAULT_IO (code = errno), CH_ERR_STORAGE_FULL (code = ENOSPC or EDQUOT): what
 *         changed stays to be written, a later sync tries it again */
CH_MUST_USE enum ch_err ch_vault_sync(struct ch_vault *vault, struct ch_why *why);
#endif
