/* steps: the least change that would allow what is denied. SPDX-License-Identifier: MIT
 * Least: of the ways there are the one that the fewest facts deny, and all of these taken back;
 * where there is none, a grant of just the scope that is asked for, on just the resource. Or one
 * share, or two, that are there and do not count come to count, where that is no longer: the user's
 * own, here or above, or a group's. What it names is proved to suffice by random histories
 * (tests/unit/test_explain.c). */
#ifndef CH_CORE_STEPS_H
#define CH_CORE_STEPS_H
#include "daemon/core/explain.h"

enum { CH_STEPS_MOST = 64 }; /* as in queries.def */

/* A reason or a name that a step must have as a command, until somebody finds a better one. */
#define CH_STEP_WORDS "as access.remedy says"

struct ch_step {
    int type;    /* a command; -1: none helps */
    uint8_t by;  /* enum ch_step_by */
    bool is_new; /* the share it changes is made by the step before it */
    uint32_t on; /* rows from here on */
    uint32_t user, group, key;
    uint32_t account;
    struct ch_scopes scopes;
    uint8_t kind; /* of the resource */
    uint8_t stream;
    bool has_stream;
    bool master; /* of a new key */
    struct ch_text resource;
    struct ch_text text; /* in words */
};

/* resource: what the question names, where it names one. Memory is the arena's.
 * returns how many steps there are; 0: it is allowed, or there is no memory */
uint32_t ch_least_steps(struct ch_asking *q, const struct ch_explained *e, struct ch_text resource,
                        struct ch_step steps[CH_STEPS_MOST]);

/* What a new key of the account may be called: the words above, numbered where one has them. */
struct ch_text ch_step_name(struct ch_asking *q, uint32_t on);

/* The step as a command; false: it is none that somebody could send, or there is no memory. */
bool ch_step_call(struct ch_asking *q, const struct ch_step *step, struct ch_call *ret);
/* Whether the actor of the moment could make the step now. */
bool ch_may_step(struct ch_asking *q, const struct ch_step *step, const struct ch_moment *moment);
#endif
