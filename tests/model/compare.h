/* compare: what state says of things, beside the oracle's world. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_COMPARE_H
#define CH_TESTS_MODEL_COMPARE_H
#include "daemon/core/state.h"
#include "tests/model/oracle.h"

/* Users, shares, invitations, keys, sessions, requests, submissions, streams, the ledger: the same
 * in both; else the program ends. And what must hold of them. */
void m_compare(const struct ch_state *state, struct o_world *w);
#endif
