/* explain: why somebody may do something, or may not: every way to it, and all that denies it.
 * SPDX-License-Identifier: MIT
 * Built from the facts that ch_access meets, so its rules stand in one place. One scope at a time:
 * allowed is: the user may act, no account on the path is closed, no stream is stopped, and some
 * way is open: what gives the scope (or one that implies it) is in force, nothing takes it from
 * that share or key alone, and nothing takes it from everything.
 * A way is a chain of facts, each of which it needs; each open way suffices by itself. Where
 * there is no way, what a grant of just this scope would meet is looked at instead. */
#ifndef CH_CORE_EXPLAIN_H
#define CH_CORE_EXPLAIN_H
#include "daemon/core/query_impl.h"

/* What gives it, by place among the facts, and how it stands. */
struct ch_way {
    uint32_t giver;
    uint8_t scope;   /* the one asked for, or one that implies it */
    uint32_t denies; /* what takes it from this way alone */
    bool open;
};

struct ch_explained {
    struct ch_question question; /* wants one scope */
    struct ch_answer answer;
    struct ch_evidence *fact; /* in the order in which they were met */
    uint32_t fact_count;
    uint32_t fact_room;
    struct ch_way *way;
    uint32_t way_count;
    bool no_memory;
};

/* How a scope is missing where there is no way to it. */
enum ch_lack {
    CH_LACK_nothing,    /* there is a way */
    CH_LACK_activation, /* the user's own share of the account gives it, and does not count */
    CH_LACK_grant,      /* nothing gives it */
};

/* Explains; memory is the arena's. false: there is none left, and q->ret->no_memory is set */
bool ch_explain(struct ch_asking *q, const struct ch_question *question, struct ch_explained *ret);

/* Where there is no way: what there would be with the user's share, or with a grant. ret is `e`
 * itself, explained with that supposed; untouched where nothing lacks. */
bool ch_explain_lack(struct ch_asking *q, const struct ch_explained *e, struct ch_explained *ret,
                     enum ch_lack *ret_lack);

/* Shares that do not count, and with which there would be a way: one, or a person's own, which
 * makes them a member of a group, and that group's. */
struct ch_idle {
    uint32_t share[2]; /* rows; [1] 0: the first suffices */
};
/* All that there are, those of one share first; memory is the arena's. A key has none.
 * false: there is no memory */
bool ch_explain_idle(struct ch_asking *q, const struct ch_explained *e, struct ch_idle **ret,
                     uint32_t *ret_count);

bool ch_gives(const struct ch_evidence *fact);        /* it gives scopes */
bool ch_is_uncounted(const struct ch_evidence *fact); /* a share or key that does not count */
/* It takes the scope from this way alone; from whatever gives it. */
bool ch_denies_way(const struct ch_evidence *fact, const struct ch_evidence *giver, uint8_t scope);
bool ch_denies_all(const struct ch_explained *e, const struct ch_evidence *fact, uint8_t scope);
/* What would take it from a grant on the account that is only supposed. */
bool ch_denies_supposed(const struct ch_evidence *fact, uint8_t scope);
/* Whether the same was met before: a group's share is met once for each membership. */
bool ch_is_repeated(const struct ch_explained *e, uint32_t place);

/* Calls for each fact of the chain that leads to what gives, from the user's own share on. */
void ch_each_of_way(struct ch_asking *q, const struct ch_explained *e, const struct ch_way *way,
                    ch_fact_fn *each, void *arg);
#endif
