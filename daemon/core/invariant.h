/* invariant: everything that must hold of the state between two events, checked.
 * SPDX-License-Identifier: MIT
 * Walks everything; slow. For tests, after every step. */
#ifndef CH_CORE_INVARIANT_H
#define CH_CORE_INVARIANT_H
#include "daemon/core/state.h"

/* ret: NULL, or the sentence that does not hold (static text) */
const char *ch_invariant_broken(const struct ch_state *state);

/* Parts of it. */
const char *ch_invariant_reputation(const struct ch_state *state);
#endif
