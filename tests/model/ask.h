/* ask: what core's queries say of who decides, beside the oracle. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_ASK_H
#define CH_TESTS_MODEL_ASK_H
#include "daemon/core/state.h"
#include "tests/model/oracle.h"

/* Whoever may decide an open request, or approve a submission, and nobody else, is told of; so that
 * somebody is asked next where one who could is deactivated. */
void m_check_deciders(const struct ch_state *state, struct o_world *w, uint64_t now);
#endif
