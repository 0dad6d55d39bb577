/* query: what is known, answered to those who may know it. SPDX-License-Identifier: MIT
 * Pure: reads state, changes nothing, knows no clock. Lists never cut anything off unseen: where
 * more is left, the answer carries `next`, a row number, and rows are listed in row order. */
#ifndef CH_CORE_QUERY_H
#define CH_CORE_QUERY_H
#include "daemon/core/decide.h"

struct ch_query_answer {
    struct ch_reject reject; /* code CH_REJ_none: not refused */
    const void *result;      /* struct ch_qry_<ident>_result, in the arena; NULL when refused */
    uint64_t read_seq;       /* newest change of what was read */
    bool no_memory;
    /* Of a check that is a use and was allowed: the shares that allowed it. Where they are more
     * than stand in `through`, all of them in the arena. */
    struct ch_through through;
    const uint32_t *through_more;
};

/* Answers one resolved and admitted query as of moment->now.
 * call:  any query but events.read, status and clock.set, which are not answered from state
 * arena: the answer's memory; texts inside may also be borrowed from the call
 * errors: no_memory; result is then NULL */
void ch_query(const struct ch_state *state, const struct ch_moment *moment,
              const struct ch_call *call, struct ch_arena *arena, struct ch_query_answer *ret);

/* The question of access.receipt, as one to access.explain. */
struct ch_qry_access_explain ch_receipt_asked(const struct ch_qry_access_receipt *args);
#endif
