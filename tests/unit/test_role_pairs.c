/* test_role_pairs: who may do what to whom, for every ordered pair of built-in roles.
 * SPDX-License-Identifier: MIT
 * What is right follows from the texts of the roles (roles.def) and three rules: nobody gives, or
 * gives back, what they do not have themselves; nobody changes their own rights; the owner's share
 * changes only by transfer (G-01). A table says of each command that changes shares which scope it
 * needs and what of the target must be covered. */
#include "tests/unit/core_world.h"

/* What the actor must have themselves. */
enum cover {
    COVER_NOTHING,
    COVER_ROLE,    /* all that the target's role gives */
    COVER_EXPORT,  /* contacts.export: what is granted, or no longer taken away */
    COVER_CLOSING, /* account.close, which nobody can be given */
};

struct act {
    const char *name;
    uint8_t needs;
    enum cover cover;
    int otherwise; /* what it comes to where no rule about rights is broken */
    int (*run)(struct world *w, uint64_t actor, uint64_t target, const char *role);
};

static struct ch_ref role_ref(const char *role)
{
    return (struct ch_ref){.name = ch_text_of(role)};
}

/* To somebody new. */
static int give(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)target;
    return RUN(w, actor, share_give, w->top, USER(w->cy), .has_role = true, .role = role_ref(role));
}

static int invite(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)target;
    return RUN(w, actor, share_invite, w->top, .email = person_name("new@example.org"),
               .has_role = true, .role = role_ref(role));
}

/* The target gets anew, for the subtree, the role that they have. */
static int set_role(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    return RUN(w, actor, share_set_role, w->top, USER(target), .has_role = true,
               .role = role_ref(role));
}

static int end_later(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_set_expiry, w->top, USER(target));
}

static int end_sooner(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_set_expiry, w->top, USER(target), .has_expires_at = true,
               .expires_at = w->now + 1);
}

static int limit(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    static const struct ch_text lists[] = {TEXT("L1")};
    (void)role;
    return RUN(w, actor, share_limit, w->top, USER(target), .kind = CH_resource_kind_list,
               .resources = lists, .resources_len = 1);
}

static int restrict_more(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_restrict, w->top, USER(target), .has_scopes = true,
               .scopes = SCOPES(contacts_export, files_read));
}

/* The target was denied contacts.export, and is no longer. */
static int restrict_less(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_restrict, w->top, USER(target));
}

static int grant(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_grant, w->top, USER(target), .kind = CH_resource_kind_list,
               .resource = TEXT("L2"), .scopes = SCOPE(contacts_export));
}

static int revoke(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_revoke, w->top, USER(target), .kind = CH_resource_kind_list,
               .resource = TEXT("L1"));
}

static int add_scope(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_set_scopes, w->top, USER(target), .scopes = SCOPE(contacts_export));
}

static int add_closing(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_set_scopes, w->top, USER(target), .scopes = SCOPE(account_close));
}

static int deactivate(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_deactivate, w->top, USER(target));
}

static int activate(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    if (target != actor && target != w->owner) {
        assert_int_equal(RUN(w, OPERATOR, share_deactivate, w->top, USER(target)), CH_REJ_none);
    }
    return RUN(w, actor, share_activate, w->top, USER(target));
}

static int end(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, share_end, w->top, USER(target));
}

static int resend(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, invitation_resend, w->top, .user = {.id = target});
}

static int cancel(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, invitation_cancel, w->top, .user = {.id = target});
}

/* Into a group that has the role. */
static int join_group(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    const uint64_t group = add_group(w, w->top, 0, "team");
    if (strcmp(role, "owner") != 0) {
        GIVE(w, w->top, GROUP(group), .has_role = true, .role = role_ref(role));
    }
    return RUN(w, actor, group_add, w->top, .group = {.id = group}, .user = {.id = target});
}

/* Another login has at most what the role full gives; here nothing is restricted any more. */
static int edit_login(struct world *w, uint64_t actor, uint64_t target, const char *role)
{
    (void)role;
    return RUN(w, actor, login_edit, w->top, .user = {.id = target});
}

/* Members are no logins and wait for no invitation. */
static const struct act acts[] = {
    {"give", CH_SCOPE_shares_create, COVER_ROLE, CH_REJ_none, give},
    {"invite", CH_SCOPE_shares_create, COVER_ROLE, CH_REJ_none, invite},
    {"set role", CH_SCOPE_shares_update, COVER_ROLE, CH_REJ_none, set_role},
    {"end later", CH_SCOPE_shares_update, COVER_ROLE, CH_REJ_none, end_later},
    {"end sooner", CH_SCOPE_shares_update, COVER_NOTHING, CH_REJ_none, end_sooner},
    {"limit", CH_SCOPE_shares_update, COVER_ROLE, CH_REJ_none, limit},
    {"restrict", CH_SCOPE_shares_update, COVER_NOTHING, CH_REJ_none, restrict_more},
    {"restrict less", CH_SCOPE_shares_update, COVER_EXPORT, CH_REJ_none, restrict_less},
    {"grant", CH_SCOPE_shares_update, COVER_EXPORT, CH_REJ_none, grant},
    {"revoke", CH_SCOPE_shares_update, COVER_NOTHING, CH_REJ_none, revoke},
    {"set scopes", CH_SCOPE_shares_update, COVER_EXPORT, CH_REJ_none, add_scope},
    {"give the closing", CH_SCOPE_shares_update, COVER_CLOSING, CH_REJ_owners_alone, add_closing},
    {"deactivate", CH_SCOPE_shares_delete, COVER_NOTHING, CH_REJ_none, deactivate},
    {"activate", CH_SCOPE_shares_update, COVER_ROLE, CH_REJ_none, activate},
    {"end", CH_SCOPE_shares_delete, COVER_NOTHING, CH_REJ_none, end},
    {"resend", CH_SCOPE_shares_create, COVER_ROLE, CH_REJ_no_invitation, resend},
    {"cancel", CH_SCOPE_shares_delete, COVER_NOTHING, CH_REJ_no_invitation, cancel},
    {"join", CH_SCOPE_groups_members, COVER_ROLE, CH_REJ_none, join_group},
    {"edit login", CH_SCOPE_logins_update, COVER_NOTHING, CH_REJ_not_a_login, edit_login},
};
enum { ACTS = sizeof acts / sizeof *acts };

static bool is_owner(const char *role)
{
    return strcmp(role, "owner") == 0;
}

static bool is_about_a_new_share(const struct act *act)
{
    return act->run == give || act->run == invite;
}

static bool covers(const struct ch_set_row *actor, const struct ch_set_row *target,
                   const struct act *act)
{
    switch (act->cover) {
    case COVER_ROLE: return ch_scopes_empty(ch_scopes_but(target->scopes, actor->scopes));
    case COVER_EXPORT: return ch_scopes_has(actor->scopes, CH_SCOPE_contacts_export);
    case COVER_CLOSING: return ch_scopes_has(actor->scopes, CH_SCOPE_account_close);
    case COVER_NOTHING: break;
    }
    return true;
}

/* By the rules, in the order of rejections.def. */
static int expected(const struct ch_set_row *actor, const struct ch_set_row *target,
                    const struct act *act, bool self)
{
    if (!ch_scopes_has(actor->scopes, act->needs)) return CH_REJ_not_allowed;
    if (self && !is_about_a_new_share(act)) return CH_REJ_own_rights;
    if (is_owner(target->name) && !is_about_a_new_share(act)) return CH_REJ_owner_share;
    if (!covers(actor, target, act)) return CH_REJ_uncovered_scopes;
    if (is_owner(target->name)) return CH_REJ_owner_share;
    return act->otherwise;
}

static struct ch_scopes rights_of(struct world *w, uint64_t user, uint64_t account)
{
    const struct ch_question question = {.user = ch_find_user(&w->state, user),
                                         .account = ch_find_account(&w->state, account),
                                         .wanted = {{UINT64_MAX, UINT64_MAX}},
                                         .any = true,
                                         .channel = CH_channel_web,
                                         .now = w->now};
    struct ch_answer answer;
    ch_access(&w->state, &question, &answer, NULL, NULL);
    return answer.given;
}

static uint32_t owners_of_the_tree(struct world *w)
{
    uint32_t count = 0;
    for (uint32_t s = ch_row_next(&w->state.store, CH_T_SHARE, 0); s != 0;
         s = ch_row_next(&w->state.store, CH_T_SHARE, s)) {
        count += ch_is_built_in(&w->state, ch_share_row(&w->state, s)->role, "owner");
    }
    return count;
}

/* One person of the role on the root; who has the role owner is the owner. */
static uint64_t person_with(struct world *w, uint64_t person, const char *role)
{
    if (is_owner(role)) return w->owner;
    GIVE(w, w->top, USER(person), .has_role = true, .role = role_ref(role), .has_expires_at = true,
         .expires_at = w->now + CH_MAX_INTEGER);
    assert_int_equal(RUN(w, OPERATOR, share_grant, w->top, USER(person),
                         .kind = CH_resource_kind_list, .resource = TEXT("L1"),
                         .scopes = SCOPE(lists_select)),
                     CH_REJ_none);
    return person;
}

static void run_pair(struct world *w, const struct ch_set_row *actor,
                     const struct ch_set_row *target, const struct act *act, bool self)
{
    const uint64_t ann = person_with(w, w->ann, actor->name);
    const uint64_t bob = self ? ann : person_with(w, w->bob, target->name);
    if (act->run == restrict_less && !is_owner(target->name) && !self) {
        assert_int_equal(RUN(w, OPERATOR, share_restrict, w->top, USER(bob), .has_scopes = true,
                             .scopes = SCOPE(contacts_export)),
                         CH_REJ_none);
    }
    const struct ch_scopes had = rights_of(w, bob, w->top), own = rights_of(w, ann, w->top);
    const int wanted = expected(actor, target, act, self || ann == bob);
    const int got = act->run(w, ann, bob, target->name);
    if (got != wanted) {
        fail_msg("%s to %s%s: %s is answered %s, not %s", actor->name, self ? "self, a " : "",
                 target->name, act->name, ch_rejections[got].name, ch_rejections[wanted].name);
    }
    /* nobody has more than before, but for what the actor has; and there is one owner */
    const struct ch_scopes gained = ch_scopes_but(rights_of(w, bob, w->top), had);
    assert_true(ch_scopes_empty(ch_scopes_but(gained, own)));
    assert_true(ch_scopes_empty(ch_scopes_but(rights_of(w, w->cy, w->top), own)));
    assert_true(ch_scopes_empty(ch_scopes_but(rights_of(w, ann, w->top), own)));
    assert_true(ch_scopes_empty(rights_of(w, w->cy, w->mid)));
    assert_int_equal(owners_of_the_tree(w), 1);
}

static void every_pair_of_roles_comes_to_what_the_rules_say(void **test)
{
    struct world *w = *test;
    uint32_t accepted = 0, refused = 0;
    for (size_t a = 0; a < ch_role_count(); a++) {
        for (size_t b = 0; b < ch_role_count(); b++) {
            for (size_t i = 0; i < ACTS; i++) {
                const struct ch_set_row actor = ch_role_at(a), target = ch_role_at(b);
                const struct ch_mark mark = ch_store_mark(&w->state.store);
                run_pair(w, &actor, &target, &acts[i], /* self= */ false);
                *(w->reject.code == CH_REJ_none ? &accepted : &refused) += 1;
                ch_store_rollback(&w->state.store, mark);
            }
        }
    }
    print_message("%u accepted, %u refused\n", accepted, refused);
    assert_true(accepted > 100 && refused > 500);
}

static void nobody_of_any_role_changes_their_own_rights(void **test)
{
    struct world *w = *test;
    for (size_t a = 0; a < ch_role_count(); a++) {
        for (size_t i = 0; i < ACTS; i++) {
            const struct ch_set_row actor = ch_role_at(a);
            if (is_about_a_new_share(&acts[i])) continue;
            const struct ch_mark mark = ch_store_mark(&w->state.store);
            run_pair(w, &actor, &actor, &acts[i], /* self= */ true);
            ch_store_rollback(&w->state.store, mark);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_pair_of_roles_comes_to_what_the_rules_say),
        WORLD_TEST(nobody_of_any_role_changes_their_own_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
