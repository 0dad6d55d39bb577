/* explaining: adds to the facts of an answer when their events were and who caused them.
 * SPDX-License-Identifier: MIT
 * State knows the seqs only; the log has the rest. Persons are told by name to those who may know
 * what others may do (access.explain) and to the platform; one whose key is gone as erased.
 * Threads: the worker's. */
#ifndef CH_DAEMON_EXPLAINING_H
#define CH_DAEMON_EXPLAINING_H
#include "daemon/core/decide.h"
#include "daemon/telling.h"

/* Whether calls of the type are answered by the worker, so that their facts can be told. */
bool ch_is_explained(int type);

/* The answer of a call with its facts told; `result` itself where it has none.
 * moment: of who asked; call: resolved
 * False: it failed, why says so. */
CH_MUST_USE bool ch_explain_told(const struct ch_telling *telling, const struct ch_moment *moment,
                                 const struct ch_call *call, const void **result,
                                 struct ch_why *why);
#endif
