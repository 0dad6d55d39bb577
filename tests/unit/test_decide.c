/* test_decide: every refusal of a command, met and just not met. SPDX-License-Identifier: MIT
 * What the line itself refuses (time_goes_back, id_reused, rejected_before, clock_not_manual) is
 * no rule of decide. */
#include "daemon/core/decide.h"

#include "schema/limits.h"
#include "tests/unit/core_world.h"

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)
#define NAME(chars) .name = TEXT(chars)

static void an_account_that_is_not_there_is_not_found(void **test)
{
    struct world *w = *test;
    REFUSED(not_found, w->owner, account_close, 987654, .has_below = false);
    assert_string_equal(w->reject.field, "on");
    DONE(w->owner, account_close, w->low, .has_below = false);
}

static void an_account_nothing_leads_to_is_not_found(void **test)
{
    struct world *w = *test;
    REFUSED(not_found, w->ann, group_create, w->top, NAME("team"));
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    REFUSED(not_allowed, w->ann, group_create, w->top, NAME("team"));
}

static void a_user_role_or_page_that_is_not_there_is_not_found(void **test)
{
    struct world *w = *test;
    struct ch_ref page[] = {{.name = TEXT("no such page")}};
    REFUSED(not_found, OPERATOR, share_give, w->top, USER(987654));
    assert_string_equal(w->reject.field, "user");
    REFUSED(not_found, OPERATOR, share_give, w->top, USER(w->ann), ROLE("no such role"));
    assert_string_equal(w->reject.field, "role");
    DONE(OPERATOR, share_give, w->top, USER(w->ann), ROLE("watcher"));
    REFUSED(not_found, OPERATOR, share_restrict, w->top, USER(w->ann), .pages = page,
            .pages_len = 1);
}

static void a_role_of_another_account_is_not_found(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, role_define, w->mid, NAME("writer"), .scopes = SCOPE(campaigns_create));
    REFUSED(not_found, OPERATOR, share_give, w->side, USER(w->ann), ROLE("writer"));
    DONE(OPERATOR, share_give, w->mid, USER(w->ann), ROLE("writer"));
}

static void a_group_outside_the_tree_is_not_found(void **test)
{
    struct world *w = *test;
    uint64_t above = add_group(w, w->top, 0, "above");
    uint64_t beside = add_group(w, w->side, 0, "beside");
    REFUSED(not_found, OPERATOR, share_give, w->mid, GROUP(beside));
    DONE(OPERATOR, share_give, w->mid, GROUP(above));
    REFUSED(not_found, OPERATOR, group_create, w->mid, NAME("x"), .has_parent = true,
            .parent = {.id = above});
}

static void only_the_operator_opens_masters_and_locks_users(void **test)
{
    struct world *w = *test;
    REFUSED(operator_only, w->owner, account_open_master, 0, NAME("mine"));
    REFUSED(operator_only, SERVICE, account_open_master, 0, NAME("mine"));
    DONE(OPERATOR, account_open_master, 0, NAME("mine"));
    REFUSED(operator_only, SERVICE, user_lock, 0, .user = {.id = w->ann});
    DONE(OPERATOR, user_lock, 0, .user = {.id = w->ann});
    REFUSED(operator_only, w->owner, user_unlock, 0, .user = {.id = w->ann});
    DONE(OPERATOR, user_unlock, 0, .user = {.id = w->ann});
    REFUSED(operator_only, w->owner, import_begin, 0, .format = TEXT("x"));
}

static void a_service_does_not_act_on_an_account_as_itself(void **test)
{
    struct world *w = *test;
    REFUSED(operator_only, SERVICE, group_create, w->top, NAME("team"));
    DONE(w->owner, group_create, w->top, NAME("team"));
}

static void only_a_service_or_the_operator_makes_users(void **test)
{
    struct world *w = *test;
    REFUSED(service_only, w->owner, user_create, 0, .has_username = true,
            .username = person_name("dee"));
    DONE(SERVICE, user_create, 0, .has_username = true, .username = person_name("dee"));
    DONE(OPERATOR, user_create, 0, .has_username = true, .username = person_name("eve"));
}

static void who_lacks_the_scope_is_not_allowed(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    GIVE(w, w->top, USER(w->bob), ROLE("account_manager"));
    REFUSED(not_allowed, w->ann, share_give, w->top, USER(w->cy), ROLE("watcher"));
    assert_true(ch_scopes_equal(w->reject.scopes, SCOPE(shares_create)));
    DONE(w->bob, share_give, w->top, USER(w->cy), ROLE("watcher"));
    REFUSED(not_allowed, w->bob, account_open_sub, w->top, NAME("new"));
    DONE(w->owner, account_open_sub, w->top, NAME("new"));
}

static void while_an_import_runs_others_wait(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, import_begin, 0, .format = TEXT("access-ndjson"));
    REFUSED(import_running, w->owner, group_create, w->top, NAME("team"));
    REFUSED(import_running, OPERATOR, group_create, w->top, NAME("team"));
    w->imported = true;
    DONE(OPERATOR, group_create, w->top, NAME("team"));
    DONE(OPERATOR, import_end, 0, .line = 1);
    w->imported = false;
    DONE(w->owner, group_create, w->top, NAME("other team"));
}

static void without_an_import_there_is_none_to_advance_or_end(void **test)
{
    struct world *w = *test;
    static const uint8_t digest[32];
    const struct ch_bytes bytes = {digest, sizeof digest};
    REFUSED(no_import, OPERATOR, import_advance, 0, .digest = bytes, .line = 1);
    REFUSED(no_import, OPERATOR, import_end, 0, .line = 1);
    DONE(OPERATOR, import_begin, 0, .format = TEXT("access-ndjson"));
    DONE(OPERATOR, import_advance, 0, .digest = bytes, .line = 1);
    DONE(OPERATOR, import_end, 0, .line = 1);
}

static void an_account_that_changed_since_expect_is_a_conflict(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, group_create, w->top, NAME("one"));
    w->expect = w->made - 1;
    REFUSED(conflict, OPERATOR, group_create, w->top, NAME("two"));
    w->expect = w->made;
    DONE(OPERATOR, group_create, w->top, NAME("two"));
}

static void nothing_is_done_in_or_below_a_closed_account(void **test)
{
    struct world *w = *test;
    DONE(w->owner, account_close, w->mid, .has_below = true, .below = true);
    REFUSED(account_closed, OPERATOR, group_create, w->mid, NAME("team"));
    REFUSED(account_closed, OPERATOR, group_create, w->low, NAME("team"));
    REFUSED(account_closed, w->owner, group_create, w->mid, NAME("team"));
    REFUSED(account_closed, w->owner, account_close, w->mid, .has_below = false);
    DONE(OPERATOR, group_create, w->side, NAME("team"));
}

static void an_account_without_levels_below_opens_none(void **test)
{
    struct world *w = *test;
    REFUSED(not_a_master, OPERATOR, account_open_sub, w->low, NAME("lower"));
    DONE(OPERATOR, account_open_sub, w->mid, NAME("lower"));
}

static void nobody_changes_their_own_share(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->bob), ROLE("watcher"));
    REFUSED(own_rights, w->ann, share_set_role, w->top, USER(w->ann), ROLE("watcher"));
    REFUSED(own_rights, w->ann, share_end, w->top, USER(w->ann));
    DONE(w->ann, share_set_role, w->top, USER(w->bob), ROLE("user"));
    DONE(w->ann, share_end, w->top, USER(w->bob));
}

static void nobody_gives_a_share_to_themselves_or_to_a_group_of_theirs(void **test)
{
    struct world *w = *test;
    uint64_t theirs = add_group(w, w->top, 0, "theirs");
    uint64_t other = add_group(w, w->top, 0, "other");
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    join(w, w->top, w->ann, theirs);
    REFUSED(own_rights, w->ann, share_give, w->mid, USER(w->ann), ROLE("watcher"));
    REFUSED(own_rights, w->ann, share_give, w->mid, GROUP(theirs), ROLE("watcher"));
    DONE(w->ann, share_give, w->mid, GROUP(other), ROLE("watcher"));
    REFUSED(own_rights, w->ann, group_add, w->top, .group = {.id = other}, .user = {.id = w->ann});
}

static void nobody_redefines_a_role_they_have(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    struct ch_scopes manage = SCOPES(roles_update, lists_read);
    DONE(OPERATOR, role_define, w->top, NAME("mine"), .scopes = manage);
    DONE(OPERATOR, role_define, w->top, NAME("ours"), .scopes = SCOPE(lists_read));
    DONE(OPERATOR, role_define, w->top, NAME("theirs"), .scopes = SCOPE(lists_read));
    GIVE(w, w->top, USER(w->ann), ROLE("mine"));
    GIVE(w, w->top, GROUP(group), ROLE("ours"));
    join(w, w->top, w->ann, group);
    REFUSED(own_rights, w->ann, role_define, w->top, NAME("mine"), .scopes = SCOPE(lists_read));
    REFUSED(own_rights, w->ann, role_define, w->top, NAME("ours"), .scopes = SCOPE(roles_update));
    DONE(w->ann, role_define, w->top, NAME("theirs"), .scopes = SCOPE(roles_update));
}

static void a_role_above_the_grantor_is_uncovered(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    REFUSED(uncovered_scopes, w->ann, share_give, w->top, USER(w->bob), ROLE("owner"));
    assert_true(ch_scopes_has(w->reject.scopes, CH_SCOPE_account_close));
    assert_false(ch_scopes_has(w->reject.scopes, CH_SCOPE_lists_read));
    DONE(w->ann, share_give, w->top, USER(w->bob), ROLE("account_manager"));
    REFUSED(uncovered_scopes, w->ann, role_define, w->top, NAME("x"),
            .scopes = SCOPE(account_close));
    DONE(w->ann, role_define, w->top, NAME("x"), .scopes = SCOPE(lists_read));
}

static void a_reach_beyond_the_grantors_is_uncovered(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    REFUSED(uncovered_scopes, w->ann, share_give, w->top, USER(w->bob), ROLE("watcher"), SUBTREE);
    DONE(w->ann, share_give, w->top, USER(w->bob), ROLE("watcher"));
    REFUSED(uncovered_scopes, w->ann, share_set_role, w->top, USER(w->bob), ROLE("watcher"),
            SUBTREE);
    DONE(w->owner, share_set_role, w->top, USER(w->bob), ROLE("watcher"), SUBTREE);
}

static void grants_reach_further_only_where_the_grantor_covers_them(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->bob));
    DONE(w->ann, share_grant, w->top, USER(w->bob), .kind = CH_resource_kind_list,
         .resource = TEXT("red"), .scopes = SCOPE(contacts_export));
    REFUSED(uncovered_scopes, w->ann, share_set_role, w->top, USER(w->bob), SUBTREE);
    DONE(w->owner, share_set_role, w->top, USER(w->bob), SUBTREE);
}

static void a_grant_on_a_resource_the_grantor_lacks_is_uncovered(void **test)
{
    struct world *w = *test;
    static const struct ch_text chosen[] = {TEXT("red")};
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->bob));
    DONE(OPERATOR, share_limit, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resources = chosen, .resources_len = 1);
    REFUSED(uncovered_scopes, w->ann, share_grant, w->top, USER(w->bob),
            .kind = CH_resource_kind_list, .resource = TEXT("blue"), .scopes = SCOPE(lists_read));
    DONE(w->ann, share_grant, w->top, USER(w->bob), .kind = CH_resource_kind_list,
         .resource = TEXT("red"), .scopes = SCOPE(lists_read));
}

static void lifting_a_restriction_or_a_guardrail_must_be_covered(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->top, USER(w->bob), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->cy), ROLE("account_manager"));
    DONE(OPERATOR, share_set_role, w->top, USER(w->bob), ROLE("watcher"));
    DONE(w->ann, share_restrict, w->top, USER(w->bob), .has_scopes = true,
         .scopes = SCOPES(account_close, reports_read));
    REFUSED(uncovered_scopes, w->ann, share_restrict, w->top, USER(w->bob));
    DONE(w->ann, share_restrict, w->top, USER(w->bob), .has_scopes = true,
         .scopes = SCOPE(account_close));
    DONE(w->cy, guardrail_set, w->top, .scopes = SCOPE(reports_read));
    REFUSED(uncovered_scopes, w->cy, guardrail_set, w->top,
            .scopes = {{0, 0}}); /* has it on top alone */
    DONE(w->ann, guardrail_set, w->top, .scopes = {{0, 0}});
}

static void what_a_group_has_must_be_covered_by_who_adds_to_it(void **test)
{
    struct world *w = *test;
    uint64_t strong = add_group(w, w->top, 0, "strong");
    uint64_t weak = add_group(w, w->top, 0, "weak");
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->bob));
    GIVE(w, w->mid, GROUP(strong), ROLE("watcher")); /* ann has nothing on mid */
    GIVE(w, w->top, GROUP(weak), ROLE("watcher"));
    REFUSED(uncovered_scopes, w->ann, group_add, w->top, .group = {.id = strong},
            .user = {.id = w->bob});
    DONE(w->ann, group_add, w->top, .group = {.id = weak}, .user = {.id = w->bob});
    REFUSED(uncovered_scopes, w->ann, group_move, w->top, .group = {.id = weak}, .has_parent = true,
            .parent = {.id = strong});
    DONE(w->owner, group_move, w->top, .group = {.id = weak}, .has_parent = true,
         .parent = {.id = strong});
}

static void activating_and_prolonging_must_be_covered(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->bob), ROLE("watcher"), SUBTREE, .has_expires_at = true,
         .expires_at = w->now + 100);
    DONE(w->ann, share_set_expiry, w->top, USER(w->bob), .has_expires_at = true,
         .expires_at = w->now + 50);
    REFUSED(uncovered_scopes, w->ann, share_set_expiry, w->top, USER(w->bob),
            .has_expires_at = true, .expires_at = w->now + 60);
    DONE(w->ann, share_deactivate, w->top, USER(w->bob));
    REFUSED(uncovered_scopes, w->ann, share_activate, w->top, USER(w->bob));
    DONE(w->owner, share_activate, w->top, USER(w->bob));
    static const struct ch_text chosen[] = {TEXT("red")};
    REFUSED(uncovered_scopes, w->ann, share_limit, w->top, USER(w->bob),
            .kind = CH_resource_kind_list, .resources = chosen, .resources_len = 1);
}

static void the_owners_share_is_not_changed_by_others(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    GIVE(w, w->top, USER(w->bob), ROLE("account_manager"));
    REFUSED(owner_share, w->ann, share_deactivate, w->top, USER(w->owner));
    REFUSED(owner_share, w->ann, share_end, w->top, USER(w->owner));
    REFUSED(owner_share, OPERATOR, share_end, w->top, USER(w->owner));
    REFUSED(owner_share, OPERATOR, share_restrict, w->top, USER(w->owner));
    REFUSED(owner_share, OPERATOR, share_set_expiry, w->top, USER(w->owner));
    /* nor by a second share, or a group, whose restrictions would count for the owner, too */
    REFUSED(owner_share, OPERATOR, share_give, w->mid, USER(w->owner), ROLE("watcher"));
    const uint64_t team = add_group(w, w->top, 0, "team");
    REFUSED(owner_share, w->ann, group_add, w->top, .group = {.id = team},
            .user = {.id = w->owner});
    DONE(w->ann, share_deactivate, w->top, USER(w->bob));
}

static void a_tree_has_one_owner_and_the_operator_appoints_them(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->bob), ROLE("watcher"));
    REFUSED(owner_share, OPERATOR, share_give, w->top, USER(w->ann), ROLE("owner"), SUBTREE);
    REFUSED(owner_share, OPERATOR, share_give, w->mid, USER(w->ann), ROLE("owner"), SUBTREE);
    REFUSED(owner_share, OPERATOR, share_set_role, w->top, USER(w->bob), ROLE("owner"));
    REFUSED(owner_share, w->owner, share_give, w->top, USER(w->ann), ROLE("owner"), SUBTREE);
    DONE(w->owner, share_give, w->top, USER(w->ann), ROLE("account_manager"));
    /* one that has none gets one: by a plain share that reaches everything and has no end */
    DONE(OPERATOR, account_open_master, 0, NAME("free"));
    const uint64_t root = w->made - 1; /* its first key came last */
    REFUSED(owner_share, OPERATOR, share_give, root, USER(w->cy), ROLE("owner"));
    REFUSED(owner_share, OPERATOR, share_give, root, USER(w->cy), ROLE("owner"), SUBTREE,
            .has_expires_at = true, .expires_at = w->now + 1);
    REFUSED(owner_share, OPERATOR, share_give, root, USER(w->cy), ROLE("owner"), SUBTREE,
            .has_kind = true, .kind = CH_share_kind_login);
    DONE(OPERATOR, share_give, root, USER(w->cy), ROLE("owner"), SUBTREE);
}

/* A scope of the invitation's own becomes a grant on each resource that is chosen. */
static void an_invitation_gives_so_many_grants_and_no_more(void **test)
{
    struct world *w = *test;
    static struct ch_text chosen[1024];
    for (size_t i = 0; i < 1024; i++) {
        static char names[1024][8];
        const int len = snprintf(names[i], sizeof names[i], "r%zu", i);
        chosen[i] = (struct ch_text){names[i], (size_t)len};
    }
    const struct ch_named email = {.text = TEXT("new@example.org"), .hash = {7}};
    REFUSED(limit_reached, w->owner, share_invite, w->top, .email = email, .has_scopes = true,
            .scopes = SCOPE(lists_read), .lists = chosen, .lists_len = 1024, .campaigns = chosen,
            .campaigns_len = 1024, .automations = chosen, .automations_len = 1024,
            .contact_groups = chosen, .contact_groups_len = 1024, .templates = chosen,
            .templates_len = 1);
    assert_string_equal(w->reject.limit, "GRANTS_OF_SHARE");
    DONE(w->owner, share_invite, w->top, .email = email, .has_scopes = true,
         .scopes = SCOPE(lists_read), .lists = chosen, .lists_len = 1024, .campaigns = chosen,
         .campaigns_len = 1024, .automations = chosen, .automations_len = 1024,
         .contact_groups = chosen, .contact_groups_len = 1024);
}

/* Scenarios have no peer but the operator, who vouches for everybody. */
static void a_person_alone_records_no_act_done_elsewhere(void **test)
{
    struct world *w = *test;
    const struct ch_named path = {.text = TEXT("Spring sale > Edited")};
    REFUSED(service_only, w->owner, activity_record, w->top, .section = TEXT("Campaigns"),
            .path = path);
}

/* Whoever is another tree's is not there, whatever else is wrong with the call; who is nowhere else
 * can be called in. Who is known from an account that a share leads to is known everywhere. */
static void who_is_from_elsewhere_is_not_there(void **test)
{
    struct world *w = *test;
    const uint64_t past = w->now - 1;
    DONE(OPERATOR, account_open_master, 0, .name = TEXT("other"));
    const uint64_t other = w->made - 1; /* its first key is the last event */
    DONE(OPERATOR, share_give, other, USER(w->cy));
    REFUSED(not_found, w->owner, share_give, w->top, USER(w->cy));
    REFUSED(not_found, w->owner, share_give, w->top, USER(w->cy), .has_expires_at = true,
            .expires_at = past);
    REFUSED(in_the_past, w->owner, share_give, w->top, USER(w->ann), .has_expires_at = true,
            .expires_at = past);
    REFUSED(not_found, w->owner, ownership_offer, w->top, .user = {.id = w->cy});
    REFUSED(not_found, w->owner, share_end, w->top, USER(w->cy));
    REFUSED(not_found, w->owner, share_end, w->top, USER(w->ann));
    DONE(w->owner, share_give, w->low, USER(w->ann));
    REFUSED(not_a_member, w->owner, share_end, w->top, USER(w->ann));
    DONE(w->owner, share_give, w->top, USER(w->ann));
    DONE(w->owner, share_end, w->top, USER(w->ann));
    DONE(w->owner, share_end, w->low, USER(w->ann));
    /* Who had a share of the account is in its list of users for good; of the others no more. */
    REFUSED(not_a_member, w->owner, share_end, w->top, USER(w->ann));
    REFUSED(not_found, w->owner, share_end, w->mid, USER(w->ann));
    DONE(OPERATOR, share_give, w->top, USER(w->bob));
    DONE(OPERATOR, share_give, w->low, USER(w->ann), ROLE("account_manager"));
    REFUSED(not_a_member, w->ann, share_end, w->low, USER(w->bob)); /* of an account above */
    REFUSED(not_found, w->ann, share_end, w->low, USER(w->cy));
}

static void who_has_no_share_of_the_account_is_not_a_member(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    REFUSED(not_a_member, OPERATOR, share_end, w->top, USER(w->ann));
    REFUSED(not_a_member, OPERATOR, group_add, w->top, .group = {.id = group},
            .user = {.id = w->ann});
    GIVE(w, w->top, USER(w->ann));
    REFUSED(not_a_member, OPERATOR, group_remove, w->top, .group = {.id = group},
            .user = {.id = w->ann});
    DONE(OPERATOR, group_add, w->top, .group = {.id = group}, .user = {.id = w->ann});
    DONE(OPERATOR, group_remove, w->top, .group = {.id = group}, .user = {.id = w->ann});
    DONE(OPERATOR, share_end, w->top, USER(w->ann));
}

static void only_a_grant_that_is_there_is_revoked(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann));
    DONE(OPERATOR, share_grant, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("red"), .scopes = SCOPE(lists_read));
    REFUSED(no_such_grant, OPERATOR, share_revoke, w->top, USER(w->ann),
            .kind = CH_resource_kind_list, .resource = TEXT("blue"));
    REFUSED(no_such_grant, OPERATOR, share_revoke, w->top, USER(w->ann),
            .kind = CH_resource_kind_campaign, .resource = TEXT("red"));
    DONE(OPERATOR, share_revoke, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("red"));
}

static void names_are_unique_among_siblings_only(void **test)
{
    struct world *w = *test;
    REFUSED(name_taken, OPERATOR, account_open_master, 0, NAME("top"));
    REFUSED(name_taken, OPERATOR, account_open_sub, w->top, NAME("mid"));
    DONE(OPERATOR, account_open_sub, w->mid, NAME("mid"));
    DONE(OPERATOR, group_create, w->top, NAME("team"));
    REFUSED(name_taken, OPERATOR, group_create, w->top, NAME("team"));
    DONE(OPERATOR, group_create, w->mid, NAME("team"));
}

static void usernames_and_addresses_are_unique(void **test)
{
    struct world *w = *test;
    const struct ch_named address = person_name("dee@example.org");
    REFUSED(username_taken, SERVICE, user_create, 0, .has_username = true,
            .username = person_name("ann"));
    DONE(SERVICE, user_create, 0, .has_email = true, .email = address);
    REFUSED(email_taken, SERVICE, user_create, 0, .has_email = true, .email = address);
    DONE(SERVICE, user_create, 0, .has_email = true, .email = person_name("d@example.org"));
}

static void there_is_one_share_of_an_account_for_each(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann));
    REFUSED(share_exists, OPERATOR, share_give, w->top, USER(w->ann), ROLE("watcher"));
    DONE(OPERATOR, share_give, w->mid, USER(w->ann), ROLE("watcher"));
}

static void a_share_has_one_subject(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    REFUSED(one_subject, OPERATOR, share_give, w->top, .has_kind = false);
    REFUSED(one_subject, OPERATOR, share_give, w->top, USER(w->ann), GROUP(group));
    DONE(OPERATOR, share_give, w->top, GROUP(group));
    REFUSED(one_subject, OPERATOR, share_end, w->top, USER(w->ann), GROUP(group));
    DONE(OPERATOR, share_end, w->top, GROUP(group));
}

static void a_user_needs_a_username_or_an_address(void **test)
{
    struct world *w = *test;
    REFUSED(name_missing, SERVICE, user_create, 0, .has_full_name = true,
            .full_name = person_name("Dee"));
    DONE(SERVICE, user_create, 0, .has_full_name = true, .full_name = person_name("Dee"),
         .has_email = true, .email = person_name("dee@example.org"));
}

static void a_scope_goes_with_its_kind_of_resource_only(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann));
    REFUSED(wrong_resource, OPERATOR, share_grant, w->top, USER(w->ann),
            .kind = CH_resource_kind_list, .resource = TEXT("red"),
            .scopes = SCOPES(lists_read, campaigns_read));
    assert_true(ch_scopes_equal(w->reject.scopes, SCOPE(campaigns_read)));
    REFUSED(wrong_resource, OPERATOR, share_grant, w->top, USER(w->ann),
            .kind = CH_resource_kind_none, .resource = TEXT("red"), .scopes = SCOPE(reports_read));
    REFUSED(wrong_resource, OPERATOR, share_limit, w->top, USER(w->ann),
            .kind = CH_resource_kind_none);
    DONE(OPERATOR, share_grant, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("red"), .scopes = SCOPE(lists_read));
}

static void a_built_in_role_is_not_defined_anew(void **test)
{
    struct world *w = *test;
    REFUSED(built_in, OPERATOR, role_define, w->top, NAME("watcher"), .scopes = SCOPE(lists_read));
    DONE(OPERATOR, role_define, w->top, NAME("watchers"), .scopes = SCOPE(lists_read));
}

static void an_end_lies_in_the_future(void **test)
{
    struct world *w = *test;
    REFUSED(in_the_past, OPERATOR, share_give, w->top, USER(w->ann), .has_expires_at = true,
            .expires_at = w->now);
    DONE(OPERATOR, share_give, w->top, USER(w->ann), .has_expires_at = true,
         .expires_at = w->now + 2);
    REFUSED(in_the_past, OPERATOR, share_set_expiry, w->top, USER(w->ann), .has_expires_at = true,
            .expires_at = w->now);
    DONE(OPERATOR, share_set_expiry, w->top, USER(w->ann), .has_expires_at = true,
         .expires_at = w->now + 1);
}

static void a_group_does_not_stand_below_itself(void **test)
{
    struct world *w = *test;
    uint64_t one = add_group(w, w->top, 0, "one");
    uint64_t two = add_group(w, w->top, one, "two");
    uint64_t three = add_group(w, w->top, 0, "three");
    REFUSED(cycle, OPERATOR, group_move, w->top, .group = {.id = one}, .has_parent = true,
            .parent = {.id = two});
    REFUSED(cycle, OPERATOR, group_move, w->top, .group = {.id = one}, .has_parent = true,
            .parent = {.id = one});
    DONE(OPERATOR, group_move, w->top, .group = {.id = one}, .has_parent = true,
         .parent = {.id = three});
}

static void what_has_others_below_does_not_go_alone(void **test)
{
    struct world *w = *test;
    uint64_t one = add_group(w, w->top, 0, "one");
    uint64_t two = add_group(w, w->top, one, "two");
    REFUSED(has_children, OPERATOR, group_delete, w->top, .group = {.id = one});
    DONE(OPERATOR, group_delete, w->top, .group = {.id = two});
    DONE(OPERATOR, group_delete, w->top, .group = {.id = one});
    REFUSED(has_children, w->owner, account_close, w->mid, .has_below = false);
    DONE(w->owner, account_close, w->low, .has_below = false);
    DONE(w->owner, account_close, w->mid, .has_below = false);
}

static void trees_are_as_deep_as_allowed_and_no_deeper(void **test)
{
    struct world *w = *test;
    char name[] = "group 0";
    uint64_t last = 0, second = 0;
    for (uint64_t i = 0; i < LIMIT_GROUP_DEPTH; i++) {
        name[sizeof name - 2] = (char)('a' + i);
        last = add_group(w, w->top, last, name);
        if (i == 1) second = last;
    }
    REFUSED(too_deep, OPERATOR, group_create, w->top, NAME("deeper"), .has_parent = true,
            .parent = {.id = last});
    uint64_t pair = add_group(w, w->top, 0, "pair");
    uint64_t above = add_group(w, w->top, pair, "above");
    REFUSED(too_deep, OPERATOR, group_move, w->top, .group = {.id = second}, .has_parent = true,
            .parent = {.id = above});
    DONE(OPERATOR, group_move, w->top, .group = {.id = second}, .has_parent = true,
         .parent = {.id = pair});
    REFUSED(too_deep, OPERATOR, account_open_master, 0, NAME("deep"), .has_sub_depth = true,
            .sub_depth = LIMIT_ACCOUNT_DEPTH + 1);
    DONE(OPERATOR, account_open_master, 0, NAME("deep"), .has_sub_depth = true,
         .sub_depth = LIMIT_ACCOUNT_DEPTH);
    for (uint64_t i = 0; i < LIMIT_ACCOUNT_DEPTH; i++) {
        DONE(OPERATOR, account_open_sub, w->made - 1, NAME("down")); /* the first key came last */
    }
    REFUSED(not_a_master, OPERATOR, account_open_sub, w->made - 1, NAME("down"));
}

static void a_user_is_in_so_many_groups_of_an_account_and_no_more(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann));
    GIVE(w, w->mid, USER(w->ann));
    char name[] = "group 00";
    for (uint64_t i = 0; i <= LIMIT_GROUPS_OF_USER; i++) {
        name[sizeof name - 3] = (char)('a' + i / 16);
        name[sizeof name - 2] = (char)('a' + i % 16);
        uint64_t group = add_group(w, w->top, 0, name);
        int code =
            RUN(w, OPERATOR, group_add, w->top, .group = {.id = group}, .user = {.id = w->ann});
        assert_int_equal(code, i < LIMIT_GROUPS_OF_USER ? CH_REJ_none : CH_REJ_limit_reached);
    }
    assert_string_equal(w->reject.limit, "GROUPS_OF_USER");
    join(w, w->mid, w->ann, add_group(w, w->mid, 0, "elsewhere"));
}

static void a_group_has_shares_of_so_many_accounts_and_no_more(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    uint64_t other = add_group(w, w->top, 0, "other");
    char name[] = "sub 00";
    for (uint64_t i = 0; i <= LIMIT_SHARES_OF_GROUP; i++) {
        name[sizeof name - 3] = (char)('a' + i / 16);
        name[sizeof name - 2] = (char)('a' + i % 16);
        uint64_t sub = add_sub(w, w->top, name);
        int code = RUN(w, OPERATOR, share_give, sub, GROUP(group));
        assert_int_equal(code, i < LIMIT_SHARES_OF_GROUP ? CH_REJ_none : CH_REJ_limit_reached);
        if (code != CH_REJ_none) GIVE(w, sub, GROUP(other));
    }
}

static void what_is_so_already_needs_no_event(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    join(w, w->top, w->ann, group);
    join(w, w->top, w->ann, group);
    assert_int_equal(w->count, 0);
    DONE(OPERATOR, share_set_role, w->top, USER(w->ann), ROLE("watcher"));
    assert_int_equal(w->count, 0);
    DONE(OPERATOR, share_activate, w->top, USER(w->ann));
    assert_int_equal(w->count, 0);
    DONE(OPERATOR, guardrail_set, w->top, .scopes = {{0, 0}});
    assert_int_equal(w->count, 0);
    DONE(OPERATOR, user_unlock, 0, .user = {.id = w->ann});
    assert_int_equal(w->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_account_that_is_not_there_is_not_found),
        WORLD_TEST(an_account_nothing_leads_to_is_not_found),
        WORLD_TEST(a_user_role_or_page_that_is_not_there_is_not_found),
        WORLD_TEST(a_role_of_another_account_is_not_found),
        WORLD_TEST(a_group_outside_the_tree_is_not_found),
        WORLD_TEST(only_the_operator_opens_masters_and_locks_users),
        WORLD_TEST(a_service_does_not_act_on_an_account_as_itself),
        WORLD_TEST(only_a_service_or_the_operator_makes_users),
        WORLD_TEST(who_lacks_the_scope_is_not_allowed),
        WORLD_TEST(while_an_import_runs_others_wait),
        WORLD_TEST(without_an_import_there_is_none_to_advance_or_end),
        WORLD_TEST(an_account_that_changed_since_expect_is_a_conflict),
        WORLD_TEST(nothing_is_done_in_or_below_a_closed_account),
        WORLD_TEST(an_account_without_levels_below_opens_none),
        WORLD_TEST(nobody_changes_their_own_share),
        WORLD_TEST(nobody_gives_a_share_to_themselves_or_to_a_group_of_theirs),
        WORLD_TEST(nobody_redefines_a_role_they_have),
        WORLD_TEST(a_role_above_the_grantor_is_uncovered),
        WORLD_TEST(a_reach_beyond_the_grantors_is_uncovered),
        WORLD_TEST(grants_reach_further_only_where_the_grantor_covers_them),
        WORLD_TEST(a_grant_on_a_resource_the_grantor_lacks_is_uncovered),
        WORLD_TEST(lifting_a_restriction_or_a_guardrail_must_be_covered),
        WORLD_TEST(what_a_group_has_must_be_covered_by_who_adds_to_it),
        WORLD_TEST(activating_and_prolonging_must_be_covered),
        WORLD_TEST(the_owners_share_is_not_changed_by_others),
        WORLD_TEST(a_tree_has_one_owner_and_the_operator_appoints_them),
        WORLD_TEST(an_invitation_gives_so_many_grants_and_no_more),
        WORLD_TEST(a_person_alone_records_no_act_done_elsewhere),
        WORLD_TEST(who_is_from_elsewhere_is_not_there),
        WORLD_TEST(who_has_no_share_of_the_account_is_not_a_member),
        WORLD_TEST(only_a_grant_that_is_there_is_revoked),
        WORLD_TEST(names_are_unique_among_siblings_only),
        WORLD_TEST(usernames_and_addresses_are_unique),
        WORLD_TEST(there_is_one_share_of_an_account_for_each),
        WORLD_TEST(a_share_has_one_subject),
        WORLD_TEST(a_user_needs_a_username_or_an_address),
        WORLD_TEST(a_scope_goes_with_its_kind_of_resource_only),
        WORLD_TEST(a_built_in_role_is_not_defined_anew),
        WORLD_TEST(an_end_lies_in_the_future),
        WORLD_TEST(a_group_does_not_stand_below_itself),
        WORLD_TEST(what_has_others_below_does_not_go_alone),
        WORLD_TEST(trees_are_as_deep_as_allowed_and_no_deeper),
        WORLD_TEST(a_user_is_in_so_many_groups_of_an_account_and_no_more),
        WORLD_TEST(a_group_has_shares_of_so_many_accounts_and_no_more),
        WORLD_TEST(what_is_so_already_needs_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
