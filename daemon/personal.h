/* personal: the step `seal` of the line. SPDX-License-Identifier: MIT
 * An event's personal texts and its note are encrypted under the key of the user it is about, else
 * of the actor, else of the installation. A new user's key is made here. */
#ifndef CH_DAEMON_PERSONAL_H
#define CH_DAEMON_PERSONAL_H
#include "daemon/message.h"

/* Fills event->personal where there is something to seal.
 * call: the command, or NULL; its field `user` says whom the event is about
 * errors: CH_ERR_NO_MEMORY, CH_ERR_VAULT_IO */
CH_MUST_USE enum ch_err ch_personal_seal(const struct ch_ground *ground, struct ch_event *event,
                                         const struct ch_call *call, const struct ch_moment *moment,
                                         struct ch_arena *arena, struct ch_why *why);
/* The same in a message that is only supposed: nothing is sealed, and nothing goes to the vault.
 * plain: gets what would have been sealed; empty: nothing
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_personal_suppose(const struct ch_ground *ground, struct ch_event *event,
                                            const struct ch_call *call,
                                            const struct ch_moment *moment, struct ch_arena *arena,
                                            struct ch_bytes *plain, struct ch_why *why);
#endif
