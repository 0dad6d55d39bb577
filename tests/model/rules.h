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
    struct o_account *accounts[O_PICKED_ACCOUNTS];
    struct o_user *user;
    struct o_group *group;
    struct o_group *parent;
    struct o_role *role;
    struct o_page *page;
    struct ch_scopes hidden; /* of the pages named */
    int code;
};

/* A person or a key, who may do no more than their rights allow. */
static inline bool o_is_bound(const struct o_case *k)
{
    return k->c->actor_kind == CH_actor_kind_user || k->c->actor_kind == CH_actor_kind_key;
}
static inline bool o_is_person(const struct o_case *k)
{
    return k->c->actor_kind == CH_actor_kind_user;
}
static inline bool o_is_operator(const struct o_case *k)
{
    return k->c->actor_kind == CH_actor_kind_operator;
}

/* Whether the actor has `scopes` on the account, for all resources or for one: nobody gives what
 * they have not, and what reaches the subtree they must have with that reach. */
bool o_covers(const struct o_case *k, uint64_t account, uint8_t reach, struct ch_scopes scopes,
              const uint8_t *resource);
/* What of them the actor has. */
struct ch_scopes o_covered(const struct o_case *k, uint64_t account, uint8_t reach,
                           struct ch_scopes scopes, const uint8_t *resource);

/* A question about the actor's own rights. */
struct o_question o_about_actor(const struct o_case *k, uint64_t account);

/* Whether a share counts and leads the one asked about to the account. */
bool o_leads(struct o_world *w, const struct o_question *q, const struct o_share *s);

/* Whether the account is shown to the actor. */
bool o_is_led(const struct o_case *k, uint64_t account);

/* What admission would say of a call on this account that needs the scope; 0: nothing. */
int o_may_there(const struct o_case *k, uint64_t account, uint8_t scope);

/* Whether a share that was deactivated, or has run out, would lead the person to `on`. */
bool o_was_revoked(const struct o_case *k);

/* What a content lock takes; what it and the guardrails above take from a share or key there. */
struct ch_scopes o_content_edits(void);
struct ch_scopes o_bound(struct o_world *w, uint64_t account);
struct ch_scopes o_never_a_logins(void);
struct ch_scopes o_transmits(void);
struct ch_scopes o_of_kind(struct ch_scopes scopes, uint8_t kind);

/* Whether the account's own mail of the sort, or the key's, is stopped. */
bool o_is_stopped(const struct o_world *w, uint64_t account, uint64_t key, uint8_t stream);

/* The account's own plan; NULL: none. */
struct o_plan *o_plan_of(struct o_world *w, uint64_t account);

/* Notes a broken rule; that of the lowest number stands. */
void o_break_if(struct o_case *k, bool broken, int code);

/* One more event; returns its seq. */
uint64_t o_event(struct o_case *k, uint16_t tag, uint64_t account);

/* What only an owner can have; whether some of them are. */
struct ch_scopes o_owners_own(void);
bool o_owners_alone(struct ch_scopes scopes);

/* The owner of an account's tree; 0: it has none. */
uint64_t o_owner(struct o_world *w, uint64_t account);
/* Whether the actor is the owner of the tree in person, or the operator. */
bool o_acts_as_owner(const struct o_case *k);

/* All that a share's role and grants name, whatever it is limited to or loses by restrictions; and
 * what its subject's groups have. */
bool o_covers_share(const struct o_case *k, const struct o_share *s);
bool o_covers_memberships(struct o_case *k, const struct o_share *s);

/* The same for all that a group and the groups above it have. */
bool o_covers_group(const struct o_case *k, uint64_t group);

/* Whether nobody would have more in `after` than the actor has: for rules about what goes away. */
bool o_gives_nothing_back(const struct o_case *k, struct o_world *after, uint64_t user);
/* The same for what a share of many, a group's, denies. */
bool o_covers_denied(const struct o_case *k, const struct o_share *s);
/* Whether the share is of the person who acts, also by a key, or of a group that they are in. */
bool o_is_of_actor(const struct o_case *k, uint8_t subject_kind, uint64_t subject);
/* Notes which shares were used by the command that was just accepted. */
void o_note_use(struct o_case *k);
/* Whether a share may stop counting. */
bool o_may_go(struct o_case *k, const struct o_share *s);

/* The user's share of `on`, if it may be changed; NULL: a rule is broken. */
struct o_share *o_share_to_change(struct o_case *k, uint8_t subject_kind, uint64_t subject);
struct o_share *o_new_share(struct o_case *k, const struct o_share *made, uint64_t seq);

/* The first key of an account that was opened; `scopes` as o_first_key_scopes said before. */
void o_first_key(struct o_case *k, uint64_t account, struct ch_scopes scopes);
struct ch_scopes o_first_key_scopes(const struct o_case *k, uint64_t above);

/* A new user; the caller sets the names. */
struct o_user *o_new_user(struct o_case *k, uint16_t tag, uint64_t account);
bool o_username_taken(const struct o_world *w, const char *name);
void o_set_password(struct o_case *k, struct o_user *user, uint64_t account, uint64_t stays);

/* Each looks whether the command is one of its own. */
void o_account_rules(struct o_case *k);
void o_standing_rules(struct o_case *k);
void o_group_rules(struct o_case *k);
void o_role_rules(struct o_case *k);
void o_share_rules(struct o_case *k);
void o_review_rules(struct o_case *k);
void o_ownership_rules(struct o_case *k);
void o_user_rules(struct o_case *k);
void o_session_rules(struct o_case *k);
void o_invitation_rules(struct o_case *k);
void o_login_rules(struct o_case *k);
void o_key_rules(struct o_case *k);
void o_request_rules(struct o_case *k);
void o_campaign_rules(struct o_case *k);
void o_setting_rules(struct o_case *k);
void o_credit_rules(struct o_case *k);
void o_plan_rules(struct o_case *k);
void o_mail_rules(struct o_case *k);
void o_system_rules(struct o_case *k);

/* rules_credits.c: the ends of periods that are over; false: none is. */
bool o_turn(struct o_world *w, struct o_plan *plan, uint64_t now);
uint64_t o_next_end(struct o_world *w, const struct o_plan *plan);
uint64_t o_remains(struct o_world *w, const struct o_plan *plan, uint64_t holder);
uint64_t o_taken(const struct o_world *w, uint64_t plan, uint64_t holder, bool reserved);
struct o_plan *o_plan_over(struct o_world *w, uint64_t account);
struct o_holding *o_holding(struct o_world *w, uint64_t account);
void o_drop_holding(struct o_world *w, uint64_t account);
void o_drop_plan(struct o_world *w, struct o_plan *plan);
#endif
