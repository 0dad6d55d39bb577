/* opening: what a start appends to the log before the first request. SPDX-License-Identifier: MIT
 * Threads: none but the caller's; the journal is still off. */
#ifndef CH_DAEMON_OPENING_H
#define CH_DAEMON_OPENING_H
#include "daemon/core/state.h"
#include "daemon/log/evlog.h"
#include "daemon/log/vault.h"

/* Declares in the log what it lacks of this daemon's schema, limits, roles and pages. Then makes
 * the log and the vault say the same of erased users: a key that is still there although the log
 * says that it was destroyed is destroyed now; a user whose key was destroyed although the log,
 * being an older copy, does not say so, is erased in the log, too.
 * ret_lacking: users whose key the vault never had: it is older than the log, or cut off
 * errors: CH_ERR_NO_MEMORY, CH_ERR_VAULT_IO, CH_ERR_STORAGE_FULL, CH_ERR_COMMIT_FAILED */
CH_MUST_USE enum ch_err ch_opening_run(struct ch_evlog *log, struct ch_vault *vault,
                                       struct ch_state *state, uint64_t *ret_lacking,
                                       struct ch_why *why);
#endif
