/* orphans: what a user made, told to whoever takes their access away.
 * SPDX-License-Identifier: MIT */
#ifndef CH_DAEMON_ORPHANS_H
#define CH_DAEMON_ORPHANS_H
#include "daemon/core/decide.h"

struct ch_outcome_of_call;

/* If the call takes a user's access to an account away: puts beside its outcome what access.orphans
 * says of them. Call it before the command's events are applied, so that it names what is ended. */
void ch_orphans_tell(const struct ch_state *state, const struct ch_moment *moment,
                     const struct ch_call *call, struct ch_arena *arena,
                     struct ch_outcome_of_call *outcome);
#endif
