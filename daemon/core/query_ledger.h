/* query_ledger: what queries about plans and credits share. SPDX-License-Identifier: MIT */
#ifndef CH_CORE_QUERY_LEDGER_H
#define CH_CORE_QUERY_LEDGER_H
#include "daemon/core/ledger.h"
#include "daemon/core/query_impl.h"

/* From when to when the plan's period at the turn's moment lasts; to 0: no end. */
void ch_present_period(const struct ch_turn *turn, uint64_t *ret_from, uint64_t *ret_to);
#endif
