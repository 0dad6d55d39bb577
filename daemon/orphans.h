/* orphans: what a user made, told to whoever takes their access away.
 * SPDX-License-Identifier: MIT */
#ifndef CH_DAEMON_ORPHANS_H
#define CH_DAEMON_ORPHANS_H
#include "daemon/core/decide.h"

/* Whether the call takes a user's access to an account away. */
bool ch_orphans_asked(const struct ch_call *call);

/* If it does: what access.orphans says of the user, in one page of the largest size, or NULL where
 * they made nothing. Call it before the command's events are applied, so that it names what is
 * ended. no_memory: set where that is why */
const void *ch_orphans_of(const struct ch_state *state, const struct ch_moment *moment,
                          const struct ch_call *call, struct ch_arena *arena, bool *no_memory);
#endif
