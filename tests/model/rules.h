/* rules: one command before the oracle. SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_MODEL_RULES_H
#define CH_TESTS_MODEL_RULES_H
#include "tests/model/oracle.h"

struct o_case {
    struct o_world *w;
    const struct o_command *c;
    struct o_outcome *out;
    struct o_account *on;
    struct o_account *account;
    struct o_account *below;
    struct o_user *user;
    struct o_group *group;
    struct o_group *parent;
    struct o_role *role;
    struct ch_scopes hidden; /* of the pages named */
    int code;
};

/* Whether the actor has `scopes` on the account, for all resources or for one: nobody gives what
 * they have not, and what reaches the subtree they must have with that reach. */
bool o_covers(const struct o_case *k, uint64_t account, uint8_t reach, struct ch_scopes scopes,
              const uint8_t *resource);

/* Whether the account is shown to the actor. */
bool o_is_led(const struct o_case *k, uint64_t account);

/* What a content lock takes. */
struct ch_scopes o_content_edits(void);

/* Notes a broken rule; that of the lowest number stands. */
void o_break_if(struct o_case *k, bool broken, int code);

/* One more event; returns its seq. */
uint64_t o_event(struct o_case *k, uint16_t tag, uint64_t account);

/* Whether some of them are what only an owner can have. */
bool o_owners_alone(struct ch_scopes scopes);

/* The owner of an account's tree; 0: it has none. */
uint64_t o_owner(struct o_world *w, uint64_t account);

/* The same for all that a group and the groups above it have. */
bool o_covers_group(const struct o_case *k, uint64_t group);

/* Whether nobody would have more in `after` than the actor has: for rules about what goes away. */
bool o_gives_nothing_back(const struct o_case *k, struct o_world *after, uint64_t user);
/* The same for what a share of many, a group's, denies. */
bool o_covers_denied(const struct o_case *k, const struct o_share *s);

/* Each looks whether the command is one of its own. */
void o_account_rules(struct o_case *k);
void o_group_rules(struct o_case *k);
void o_share_rules(struct o_case *k);
void o_ownership_rules(struct o_case *k);
#endif
