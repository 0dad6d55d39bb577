/* proving: the answers of proof.inclusion and proof.consistency, made by the worker.
 * SPDX-License-Identifier: MIT */
#ifndef CH_DAEMON_PROVING_H
#define CH_DAEMON_PROVING_H
#include "schema/base/arena.h"
#include "schema/reply.h"
#include "schema/request.h"

struct ch_evlog;
struct ch_prover;

/* One call's answer. */
struct ch_proved {
    struct ch_reject reject; /* code CH_REJ_none: not refused */
    struct ch_bytes value;   /* msgpack, in the arena */
};

/* Whether it is a call of ours. */
bool ch_proving_wanted(const struct ch_call *call);

/* log, prover: used on the caller's thread. False: it failed, why says so. */
CH_MUST_USE bool ch_proving_find(struct ch_evlog *log, struct ch_prover *prover,
                                 const struct ch_call *call, struct ch_arena *arena,
                                 struct ch_proved *ret, struct ch_why *why);
#endif
