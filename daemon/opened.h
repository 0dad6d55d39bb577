/* opened: the sealed part of an event, opened with the vault. SPDX-License-Identifier: MIT
 * Threads: any; the arena is the caller's. */
#ifndef CH_DAEMON_OPENED_H
#define CH_DAEMON_OPENED_H
#include "schema/base/arena.h"
#include "schema/event.h"

struct ch_vault;

/* Why a sealed text is not there. */
enum ch_seal_state { CH_SEAL_OPEN, CH_SEAL_ERASED, CH_SEAL_LOST };

/* Opens the sealed part, if there is one, into the body and the note; views into the arena.
 * ret:    CH_SEAL_ERASED, CH_SEAL_LOST: it stays closed, and that is no failure
 * errors: CH_ERR_NO_MEMORY, CH_ERR_SEAL_BROKEN */
CH_MUST_USE enum ch_err ch_opened(struct ch_vault *vault, struct ch_event *event,
                                  union ch_event_body *body, struct ch_arena *arena,
                                  enum ch_seal_state *ret, struct ch_why *why);
#endif
