/* access: may this user, or key, do this here? One function guards commands and answers `check`.
 * SPDX-License-Identifier: MIT
 * The rules, on one page (proved by tests/model):
 * - Default deny; deny wins. A user who is locked, or an account that is closed or stands below a
 *   closed one, is answered with nothing.
 * - Shares that count: the user's own on the account, and on an ancestor where the reach is
 *   subtree; and those of the groups they are a member of by a share that itself is active and
 *   unexpired, with the groups above. Only active, unexpired ones, that work over the channel (kind
 *   login: web only). A share that does not count neither gives nor denies, nor do the groups
 *   reached through it.
 * - Given: the union of what the shares that count give (role, limited per kind to `all` or to a
 *   list of resources; scopes of its own, on every resource; own grants, each on its own resource),
 *   each less the guardrails of the accounts above that share's account, and less the content locks
 *   of that account and of those above it.
 * - An other login (a share of kind login that counts) never has what the log's mask for it names,
 *   whatever else gives it.
 * - Taken: the union of the restrictions of all shares that count, and the masks of the log for an
 *   account on the path that is suspended, by its customer or by the operator, or not paid for; and
 *   those of the stopped streams of mail of the account asked about itself, not of those above it.
 * - What is left of campaigns.send carries lists.select: who may send to a list may choose it.
 * - A key, in place of shares: it leads to its account, a master key also to every account below.
 *   It gives its scopes on all resources, less guardrails and content locks as a share of its
 *   account would; a master key never what transmits. One that has expired does not count.
 * - A question without a resource means all resources of the kind; `any` asks for at least one. */
#ifndef CH_CORE_ACCESS_H
#define CH_CORE_ACCESS_H
#include "daemon/core/state.h"

struct ch_question {
    uint32_t user; /* rows; of user and key one. Without both nothing is given */
    uint32_t key;
    uint32_t account;
    struct ch_scopes wanted;
    bool has_resource;
    uint8_t resource_kind; /* 0: each scope's own kind */
    uint32_t resource;     /* text row; 0: a resource never named, which has no grants */
    bool any;
    bool granting;     /* a stopped stream does not count: what is stopped is mail, not a right */
    bool subtree_only; /* only shares that reach the whole subtree count: for granting below */
    uint32_t without_share; /* rows that are passed over as if they were gone; 0: none */
    uint32_t without_member;
    uint32_t without_maker; /* and what this user gave to people on the account `without_in` and */
    uint32_t without_in;    /* below it, but the owner's share */
    uint32_t counted[2];    /* shares that are taken for active ones without an end; 0: none */
    bool all_counted;       /* all of them are */
    bool as_given; /* as if the user's own share of the account gave what is wanted, or the key had
                      it; without both: a new key has it */
    uint8_t channel;   /* enum ch_channel */
    uint64_t now;      /* nanoseconds; expiry is judged against it */
    uint32_t *through; /* takes the rows of ch_through, those that do not fit there, too, as far as
                          there is room; NULL: not wanted */
    uint32_t through_room;
};

/* The shares that gave something of what was asked, and the user's own by which they are a member
 * of a group whose share did; rows. */
enum { CH_THROUGH_MOST = 8 };
struct ch_through {
    uint32_t count; /* may be more than the rows that are here */
    uint32_t share[CH_THROUGH_MOST];
};

struct ch_answer {
    uint8_t decision;       /* enum ch_decision */
    uint8_t reason;         /* enum ch_reason */
    bool led;               /* some share that counts leads to the account */
    uint64_t valid_until;   /* 0: time alone changes nothing */
    uint64_t read_seq;      /* newest change of what was read */
    struct ch_scopes given; /* of `wanted`, what is given after everything was taken away */
    struct ch_through through;
};

/* A fact met on the way; row numbers say which (the share's, the member's, the account's …). A
 * share of a group is met once for each membership that leads to it. What takes scopes from a
 * single share or key is told for each of them, whatever else takes the same. */
struct ch_evidence {
    uint8_t kind; /* enum ch_fact */
    uint64_t seq; /* the event that set it */
    uint32_t share;
    uint32_t member; /* by which a group's share was met; 0: it is the user's own */
    uint32_t group;
    uint32_t account;
    uint32_t key;
    uint32_t grant;
    uint32_t stream;
    struct ch_scopes scopes;
};
typedef void ch_fact_fn(void *arg, const struct ch_evidence *fact);

/* Answers. fact: called for each fact that bears on the question, or NULL. */
void ch_access(const struct ch_state *state, const struct ch_question *question,
               struct ch_answer *ret, ch_fact_fn *fact, void *arg);
#endif
