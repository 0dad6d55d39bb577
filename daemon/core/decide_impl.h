/* decide_impl: what the decide_* files share. SPDX-License-Identifier: MIT */
#ifndef CH_CORE_DECIDE_IMPL_H
#define CH_CORE_DECIDE_IMPL_H
#include "daemon/core/decide.h"

/* One command on its way through its rules. */
struct ch_case {
    const struct ch_state *state;
    const struct ch_moment *moment;
    const struct ch_call *call;
    struct ch_arena *arena;
    struct ch_verdict *ret;
    uint32_t on; /* row of the account; 0: none */
};

/* A refusal, as a statement: return ch_reject(c, CH_REJ_name_taken, "name"); */
enum ch_rejection_code ch_reject(struct ch_case *c, enum ch_rejection_code code, const char *field);
enum ch_rejection_code ch_reject_scopes(struct ch_case *c, enum ch_rejection_code code,
                                        const char *field, struct ch_scopes scopes);
enum ch_rejection_code ch_reject_limit(struct ch_case *c, const char *limit, const char *field);

/* Appends an event about `account` (an id; 0: none) and gives its zeroed body; NULL when out of
 * memory, and then ret->no_memory is set. */
void *ch_emit(struct ch_case *c, enum ch_event_tag tag, uint64_t account);

/* What of `scopes` the actor does not have on the account, for all resources or for one: nobody
 * gives what they do not have. What reaches the subtree must be had with that reach, too: a right
 * on the account alone gives none below it. Empty for the operator and services. */
struct ch_scopes ch_uncovered(const struct ch_case *c, uint32_t account, uint8_t reach,
                              struct ch_scopes scopes, const struct ch_text *resource);

/* Whether the actor may do what needs the scope on another account than `on`; else refuses, as
 * admission would, naming the field. */
bool ch_may_there(struct ch_case *c, uint32_t account, uint8_t scope, const char *field);

/* What of `scopes` the actor does not have below `account`, where they open an account whose first
 * key is to have them. Not missing is what a master key lacks only because it never transmits: it
 * may open accounts that do. */
struct ch_scopes ch_undelegated(const struct ch_case *c, uint32_t account, struct ch_scopes scopes);

/* What of all that a share gives (role, grants) the actor does not have themselves. */
struct ch_scopes ch_uncovered_share(struct ch_case *c, uint32_t share);

/* What a group and the groups above it have that the actor does not have themselves: who joins, or
 * counts again as a member, has it. */
struct ch_scopes ch_uncovered_group(struct ch_case *c, uint32_t group);
struct ch_scopes ch_uncovered_memberships(struct ch_case *c, uint32_t share);

/* lift.c. What a share takes from its subject while it counts: its restrictions, and what no login
 * has. */
struct ch_scopes ch_share_denies(const struct ch_state *state, const struct ch_row_share *share);
/* What somebody would have back, and the actor does not have, if a share ended or no longer
 * counted; a user left a group; a group and those above it no longer had members. */
struct ch_scopes ch_lifted_by_share(struct ch_case *c, uint32_t share);
/* The same where all that `maker` gave to people on `on` and below ends in the same act. */
struct ch_scopes ch_lifted_with_made(struct ch_case *c, uint32_t share, uint32_t maker);
struct ch_scopes ch_lifted_by_leaving(struct ch_case *c, uint32_t member);
struct ch_scopes ch_lifted_by_group(struct ch_case *c, uint32_t group);
/* What the restrictions of a user's shares below an account take, those of groups with them. */
struct ch_scopes ch_denied_below(const struct ch_case *c, uint32_t user, uint32_t account);

/* Whether the actor could add scopes, on a resource or on all, to a fresh share of `on` that
 * reaches the account alone: they have them, and others can be given them. */
bool ch_may_add_scopes(struct ch_case *c, struct ch_scopes scopes, const struct ch_text *resource);

/* The share of the subject that args name by `user` or `group`, on the account; 0 after
 * refusing. */
uint32_t ch_subject_share(struct ch_case *c, bool has_user, const struct ch_ref *user,
                          bool has_group, const struct ch_ref *group);
/* Whether the subject is the person who acts, also by a key that they made, or a group which that
 * person is in: nobody changes their own rights. */
bool ch_is_own(const struct ch_case *c, uint8_t subject_kind, uint32_t subject);

/* Whether a password that was compared is the one that the user has now, and was good. */
bool ch_password_is(const struct ch_state *state, uint32_t user, const struct ch_secret *password);

/* The sub-account right below `on` that args name in `account`, open; 0 after refusing. */
uint32_t ch_named_sub(struct ch_case *c, const struct ch_ref *ref);

/* The switches that a command names; by enum ch_setting_switch. */
struct ch_switches {
    bool given[CH_SWITCHES];
    bool on[CH_SWITCHES];
};
#define CH_SWITCHES_OF(args)                                                                       \
    {                                                                                              \
        .given = {(args)->has_use_master_header_footer, (args)->has_feed_from_master,              \
                  (args)->has_content_locked, (args)->has_use_master_unsubscribe_list,             \
                  (args)->has_honour_list_in_master},                                              \
        .on = {                                                                                    \
            (args)->use_master_header_footer,                                                      \
            (args)->feed_from_master,                                                              \
            (args)->content_locked,                                                                \
            (args)->use_master_unsubscribe_list,                                                   \
            (args)->honour_list_in_master                                                          \
        }                                                                                          \
    }

/* Emits switches_set if some of those named differ from `now` (bits); gives the bits of all that
 * are named. */
uint32_t ch_emit_switches(struct ch_case *c, uint64_t account, uint32_t now,
                          const struct ch_switches *wanted);
/* decide_share.c: the share to change that args name, which is neither the actor's own nor, for a
 * person, the owner's; 0 after refusing. */
uint32_t ch_share_to_change(struct ch_case *c, bool has_user, const struct ch_ref *user,
                            bool has_group, const struct ch_ref *group);
/* decide_invite.c: ends a pending share. */
enum ch_rejection_code ch_cancel_invitation(struct ch_case *c, uint32_t share);
/* decide_made.c: ends what a user made, but the share `but`, on the account and below it; false
 * after refusing. Room for it, and for all that commands about people end. */
bool ch_end_made(struct ch_case *c, uint32_t user, uint32_t but);
size_t ch_cascade_of_people(const struct ch_state *state, const struct ch_call *call);
/* The scopes of the pages named, together. */
struct ch_scopes ch_pages_scopes(const struct ch_state *state, const struct ch_ref *pages,
                                 uint32_t count);

/* decide_review.c: rows that ending the shares that a call lists would touch, at most. */
size_t ch_cascade_of_review(const struct ch_state *state, const struct ch_call *call);

/* access_request_expired: nobody decided a request in time. */
void ch_due_request(struct ch_case *c, uint32_t request);
/* Whether the actor is the owner of the account's tree, in person, by a share that counts; or the
 * operator. */
bool ch_acts_as_owner(const struct ch_case *c);

/* The first key of an account that is being opened as event number `opened` of the verdict: kind
 * account, with what the role `full` gives, as far as the opener has it below `above` (0: a root).
 * Call it right behind the account's own event. */
void ch_emit_first_key(struct ch_case *c, uint64_t account, uint32_t above);

/* Whether a share that was deactivated, or has run out, would lead the person to the account. */
bool ch_was_revoked(const struct ch_state *state, const struct ch_moment *moment, uint32_t account);

/* session_expired: a session has reached its end. */
void ch_session_due(struct ch_case *c, uint32_t session);
/* The hash of the one secret that was made for the command. */
struct ch_bytes ch_minted_hash(const struct ch_case *c);

/* key_expired: a key has reached its end. */
void ch_key_due(struct ch_case *c, uint32_t key);

/* account_dissolved: the time in which a closed account could be reopened is over. */
void ch_due_account(struct ch_case *c, uint32_t account);

/* ownership_offer_expired: nobody accepted an offer in time. */
void ch_due_offer(struct ch_case *c, uint32_t offer);

/* So many days from now; a time that could not be written is the last one that can. */
uint64_t ch_days_ahead(const struct ch_case *c, uint64_t days);

/* What no key of the kind may do. */
struct ch_scopes ch_key_never(uint8_t kind);

/* What of a set only an owner has, and nobody can be given; and the refusal of a set with it. */
struct ch_scopes ch_owners_own(struct ch_scopes scopes);
bool ch_is_givable(struct ch_case *c, struct ch_scopes scopes, const char *field);

/* The rule of each command, by its name: share.give is ch_decide_share_give in decide_share.c. */
typedef enum ch_rejection_code ch_rule_fn(struct ch_case *c);
#define COMMAND_BEGIN(ident, type, who, scope, on, text) ch_rule_fn ch_decide_##ident;
#define COMMAND_END(ident)
#include "schema/words_none.h"
#include "schema/commands.def"
#endif
