/* test_access: the page of rules in access.h, line by line. SPDX-License-Identifier: MIT */
#include "daemon/core/access.h"

#include "tests/unit/core_world.h"

/* What is asked beside user, account and scopes. */
struct how {
    const char *resource;
    bool any;
    uint8_t channel; /* web unless said */
    uint64_t later;
};

static struct ch_answer last;

static uint8_t ask(struct world *w, uint64_t user, uint64_t account, struct ch_scopes wanted,
                   struct how how)
{
    struct ch_question q = {
        .user = ch_find_user(&w->state, user),
        .account = ch_find_account(&w->state, account),
        .wanted = wanted,
        .has_resource = how.resource != NULL,
        .any = how.any,
        .channel = how.channel == 0 ? CH_channel_web : how.channel,
        .now = w->now + how.later,
    };
    if (how.resource != NULL) q.resource = ch_text_find(&w->state, ch_text_of(how.resource));
    ch_access(&w->state, &q, &last, NULL, NULL);
    return last.decision;
}

#define ALLOWED(user, account, scope, ...)                                                         \
    assert_int_equal(ask(w, user, account, SCOPE(scope), (struct how){__VA_ARGS__}),               \
                     CH_decision_allowed)
#define NOT_GIVEN(user, account, scope, ...)                                                       \
    assert_int_equal(ask(w, user, account, SCOPE(scope), (struct how){__VA_ARGS__}),               \
                     CH_decision_implicit_deny)
#define TAKEN(user, account, scope, ...)                                                           \
    assert_int_equal(ask(w, user, account, SCOPE(scope), (struct how){__VA_ARGS__}),               \
                     CH_decision_explicit_deny)
#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)

static void nothing_is_allowed_without_a_share(void **test)
{
    struct world *w = *test;
    NOT_GIVEN(w->ann, w->top, account_read, 0);
    assert_int_equal(last.reason, CH_reason_no_share);
    assert_false(last.led);
}

static void a_role_gives_its_scopes_and_no_other(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    ALLOWED(w->ann, w->top, reports_read, 0);
    assert_int_equal(last.reason, CH_reason_granted);
    assert_true(last.led);
    NOT_GIVEN(w->ann, w->top, contacts_export, 0);
    assert_int_equal(last.reason, CH_reason_not_granted);
}

static void all_scopes_of_a_question_must_be_given(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    assert_int_equal(ask(w, w->ann, w->top, SCOPES(reports_read, reports_export), (struct how){0}),
                     CH_decision_allowed);
    assert_int_equal(ask(w, w->ann, w->top, SCOPES(reports_read, contacts_export), (struct how){0}),
                     CH_decision_implicit_deny);
    assert_true(ch_scopes_equal(last.given, SCOPE(reports_read)));
}

static void a_share_of_the_account_reaches_neither_up_down_nor_sideways(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"));
    ALLOWED(w->ann, w->mid, reports_read, 0);
    NOT_GIVEN(w->ann, w->top, reports_read, 0);
    NOT_GIVEN(w->ann, w->low, reports_read, 0);
    NOT_GIVEN(w->ann, w->side, reports_read, 0);
}

static void a_share_with_reach_subtree_reaches_all_below_and_nothing_else(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"), SUBTREE);
    ALLOWED(w->ann, w->mid, reports_read, 0);
    ALLOWED(w->ann, w->low, reports_read, 0);
    NOT_GIVEN(w->ann, w->top, reports_read, 0);
    NOT_GIVEN(w->ann, w->side, reports_read, 0);
}

static void the_owner_has_everything_in_the_tree(void **test)
{
    struct world *w = *test;
    ALLOWED(w->owner, w->top, account_close, 0);
    ALLOWED(w->owner, w->low, contacts_export, 0);
}

static void a_limit_holds_for_its_kind_of_resource_only(void **test)
{
    struct world *w = *test;
    static const struct ch_text chosen[] = {TEXT("red")};
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    DONE(OPERATOR, share_limit, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resources = chosen, .resources_len = 1);
    ALLOWED(w->ann, w->top, lists_read, .resource = "red");
    NOT_GIVEN(w->ann, w->top, lists_read, .resource = "blue");
    NOT_GIVEN(w->ann, w->top, lists_read, 0); /* all lists */
    ALLOWED(w->ann, w->top, lists_read, .any = true);
    ALLOWED(w->ann, w->top, campaigns_read, .resource = "blue"); /* another kind */
    ALLOWED(w->ann, w->top, campaigns_read, 0);
    ALLOWED(w->ann, w->top, reports_read, .resource = "blue"); /* takes no resource */
    DONE(OPERATOR, share_limit, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .has_all = true, .all = true);
    ALLOWED(w->ann, w->top, lists_read, .resource = "blue");
}

static void a_limit_to_nothing_gives_not_even_any(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("list_manager"));
    ALLOWED(w->ann, w->top, lists_read, .any = true);
    DONE(OPERATOR, share_limit, w->top, USER(w->ann), .kind = CH_resource_kind_list);
    NOT_GIVEN(w->ann, w->top, lists_read, .any = true);
    NOT_GIVEN(w->ann, w->top, lists_read, .resource = "red");
}

static void a_grant_gives_its_scopes_on_its_own_resource(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann));
    DONE(OPERATOR, share_grant, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("red"), .scopes = SCOPE(contacts_export));
    ALLOWED(w->ann, w->top, contacts_export, .resource = "red");
    ALLOWED(w->ann, w->top, contacts_export, .any = true);
    NOT_GIVEN(w->ann, w->top, contacts_export, 0);
    NOT_GIVEN(w->ann, w->top, contacts_export, .resource = "blue");
    NOT_GIVEN(w->ann, w->top, lists_read, .resource = "red");
    DONE(OPERATOR, share_revoke, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("red"));
    NOT_GIVEN(w->ann, w->top, contacts_export, .resource = "red");
    NOT_GIVEN(w->ann, w->top, contacts_export, .any = true);
}

static void a_grant_adds_to_what_a_limit_leaves(void **test)
{
    struct world *w = *test;
    static const struct ch_text chosen[] = {TEXT("red")};
    GIVE(w, w->top, USER(w->ann), ROLE("list_manager"));
    DONE(OPERATOR, share_limit, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resources = chosen, .resources_len = 1);
    DONE(OPERATOR, share_grant, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("blue"), .scopes = SCOPE(lists_read));
    ALLOWED(w->ann, w->top, lists_read, .resource = "red");
    ALLOWED(w->ann, w->top, lists_read, .resource = "blue");
    NOT_GIVEN(w->ann, w->top, lists_update, .resource = "blue");
}

static void a_restriction_of_one_share_takes_from_what_all_shares_give(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"));
    DONE(OPERATOR, share_restrict, w->mid, USER(w->ann), .has_scopes = true,
         .scopes = SCOPE(contacts_export));
    TAKEN(w->ann, w->mid, contacts_export, 0);
    assert_int_equal(last.reason, CH_reason_restricted);
    ALLOWED(w->ann, w->mid, lists_read, 0);
    ALLOWED(w->ann, w->low, contacts_export, 0); /* that share does not reach there */
    DONE(OPERATOR, share_deactivate, w->mid, USER(w->ann));
    ALLOWED(w->ann, w->mid, contacts_export, 0); /* a share that does not count takes nothing */
}

static void sending_to_a_list_implies_choosing_it(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann));
    DONE(OPERATOR, share_grant, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resource = TEXT("L1"), .scopes = SCOPE(campaigns_send));
    ALLOWED(w->ann, w->top, lists_select, .resource = "L1");
    NOT_GIVEN(w->ann, w->top, lists_select, .resource = "L2");
    NOT_GIVEN(w->ann, w->top, lists_read, .resource = "L1");
    DONE(OPERATOR, share_restrict, w->top, USER(w->ann), .has_scopes = true,
         .scopes = SCOPE(campaigns_send));
    TAKEN(w->ann, w->top, lists_select, .resource = "L1");
    assert_int_equal(last.reason, CH_reason_restricted);
}

static void scopes_of_a_share_hold_beside_its_role_on_every_resource(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("list_manager"));
    struct ch_text none[1] = {TEXT("L1")};
    DONE(OPERATOR, share_limit, w->top, USER(w->ann), .kind = CH_resource_kind_list,
         .resources = none, .resources_len = 1);
    NOT_GIVEN(w->ann, w->top, contacts_export, 0);
    DONE(OPERATOR, share_set_scopes, w->top, USER(w->ann), .scopes = SCOPE(contacts_export));
    ALLOWED(w->ann, w->top, contacts_export, 0);
    NOT_GIVEN(w->ann, w->top, contacts_read, 0);
    DONE(OPERATOR, share_set_scopes, w->top, USER(w->ann), .scopes = {{0, 0}});
    NOT_GIVEN(w->ann, w->top, contacts_export, 0);
}

static void a_restriction_of_what_nothing_gives_is_no_explicit_denial(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    DONE(OPERATOR, share_restrict, w->top, USER(w->ann), .has_scopes = true,
         .scopes = SCOPE(contacts_export));
    NOT_GIVEN(w->ann, w->top, contacts_export, 0);
}

static void a_hidden_page_takes_all_its_scopes(void **test)
{
    struct world *w = *test;
    const struct ch_ref page[] = {{.name = TEXT("reports")}};
    struct ch_ref pages[1];
    memcpy(pages, page, sizeof pages);
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"));
    DONE(OPERATOR, share_restrict, w->top, USER(w->ann), .pages = pages, .pages_len = 1);
    TAKEN(w->ann, w->top, reports_read, 0);
    TAKEN(w->ann, w->top, reports_export, 0);
    ALLOWED(w->ann, w->top, usage_read, 0);
}

static void a_guardrail_takes_from_shares_below_its_account_only(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->mid, USER(w->bob), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->low, USER(w->cy), ROLE("account_manager"));
    DONE(OPERATOR, guardrail_set, w->mid, .scopes = SCOPE(contacts_export));
    TAKEN(w->cy, w->low, contacts_export, 0);
    assert_int_equal(last.reason, CH_reason_guardrail);
    ALLOWED(w->bob, w->mid, contacts_export, 0); /* the account itself is not below it */
    ALLOWED(w->bob, w->low, contacts_export, 0); /* the share is of mid, not of low */
    ALLOWED(w->ann, w->low, contacts_export, 0);
    DONE(OPERATOR, guardrail_set, w->top, .scopes = SCOPE(contacts_export));
    TAKEN(w->bob, w->low, contacts_export, 0);
    ALLOWED(w->ann, w->low, contacts_export, 0);
}

static void who_comes_by_two_shares_has_what_either_leaves(void **test)
{
    struct world *w = *test;
    GIVE(w, w->low, USER(w->ann), ROLE("account_manager"));
    DONE(OPERATOR, guardrail_set, w->top, .scopes = SCOPE(contacts_export));
    TAKEN(w->ann, w->low, contacts_export, 0);
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    ALLOWED(w->ann, w->low, contacts_export, 0);
}

static void a_member_has_what_the_group_and_those_above_it_have(void **test)
{
    struct world *w = *test;
    uint64_t all = add_group(w, w->top, 0, "all");
    uint64_t some = add_group(w, w->top, all, "some");
    uint64_t under = add_group(w, w->top, some, "under");
    GIVE(w, w->top, USER(w->ann));
    join(w, w->top, w->ann, some);
    GIVE(w, w->mid, GROUP(all), ROLE("watcher"));
    GIVE(w, w->side, GROUP(some), ROLE("watcher"), SUBTREE);
    GIVE(w, w->low, GROUP(under), ROLE("watcher"));
    ALLOWED(w->ann, w->mid, reports_read, 0);
    ALLOWED(w->ann, w->side, reports_read, 0);
    NOT_GIVEN(w->ann, w->low, reports_read, 0); /* a group below gives nothing upward */
    NOT_GIVEN(w->ann, w->top, reports_read, 0);
    DONE(OPERATOR, group_move, w->top, .group = {.id = some});
    NOT_GIVEN(w->ann, w->mid, reports_read, 0);
    ALLOWED(w->ann, w->side, reports_read, 0);
    DONE(OPERATOR, group_remove, w->top, .group = {.id = some}, .user = {.id = w->ann});
    NOT_GIVEN(w->ann, w->side, reports_read, 0);
}

static void a_group_reached_through_an_inactive_share_gives_and_denies_nothing(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    GIVE(w, w->top, USER(w->ann));
    join(w, w->top, w->ann, group);
    GIVE(w, w->mid, GROUP(group), ROLE("watcher"));
    GIVE(w, w->mid, USER(w->ann), ROLE("account_manager"));
    DONE(OPERATOR, share_restrict, w->mid, GROUP(group), .has_scopes = true,
         .scopes = SCOPE(reports_export));
    TAKEN(w->ann, w->mid, reports_export, 0);
    DONE(OPERATOR, share_deactivate, w->top, USER(w->ann));
    ALLOWED(w->ann, w->mid, reports_export, 0);
    DONE(OPERATOR, share_end, w->mid, USER(w->ann));
    NOT_GIVEN(w->ann, w->mid, reports_read, 0);
    DONE(OPERATOR, share_activate, w->top, USER(w->ann));
    ALLOWED(w->ann, w->mid, reports_read, 0); /* memberships outlast a deactivation */
    TAKEN(w->ann, w->mid, reports_export, 0);
}

static void a_group_reached_through_an_expired_share_gives_nothing(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    GIVE(w, w->top, USER(w->ann), .has_expires_at = true, .expires_at = w->now + 100);
    join(w, w->top, w->ann, group);
    GIVE(w, w->mid, GROUP(group), ROLE("watcher"));
    ALLOWED(w->ann, w->mid, reports_read, .later = 99);
    assert_int_equal(last.valid_until, w->now + 100);
    NOT_GIVEN(w->ann, w->mid, reports_read, .later = 100);
    pass_time(w, 100);
    NOT_GIVEN(w->ann, w->mid, reports_read, 0);
}

static void a_share_counts_up_to_its_end_and_not_at_it(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"), .has_expires_at = true,
         .expires_at = w->now + 100);
    ALLOWED(w->ann, w->top, reports_read, .later = 99);
    assert_int_equal(last.valid_until, w->now + 100);
    NOT_GIVEN(w->ann, w->top, reports_read, .later = 100);
    assert_false(last.led);
    assert_int_equal(last.valid_until, 0);
}

static void a_login_works_over_web_only(void **test)
{
    struct world *w = *test;
    uint64_t group = add_group(w, w->top, 0, "team");
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"), .has_kind = true, .kind = CH_share_kind_login);
    join(w, w->top, w->ann, group);
    GIVE(w, w->mid, GROUP(group), ROLE("watcher"));
    ALLOWED(w->ann, w->top, reports_read, .channel = CH_channel_web);
    ALLOWED(w->ann, w->mid, reports_read, .channel = CH_channel_web);
    NOT_GIVEN(w->ann, w->top, reports_read, .channel = CH_channel_api);
    assert_int_equal(last.reason, CH_reason_channel);
    NOT_GIVEN(w->ann, w->top, reports_read, .channel = CH_channel_smtp);
    NOT_GIVEN(w->ann, w->mid, reports_read, .channel = CH_channel_api); /* nor its groups */
    GIVE(w, w->mid, USER(w->bob), ROLE("watcher"));
    ALLOWED(w->bob, w->mid, reports_read, .channel = CH_channel_api);
}

static void nothing_is_allowed_in_or_below_a_closed_account(void **test)
{
    struct world *w = *test;
    DONE(w->owner, account_close, w->mid, .has_below = true, .below = true);
    TAKEN(w->owner, w->mid, account_read, 0);
    assert_int_equal(last.reason, CH_reason_account_closed);
    assert_true(ch_scopes_empty(last.given));
    TAKEN(w->owner, w->low, account_read, 0);
    ALLOWED(w->owner, w->side, account_read, 0);
}

static void a_locked_user_is_given_nothing_until_unlocked(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, user_lock, 0, .user = {.id = w->owner});
    TAKEN(w->owner, w->top, account_read, 0);
    assert_int_equal(last.reason, CH_reason_user_locked);
    assert_true(ch_scopes_empty(last.given));
    DONE(OPERATOR, user_unlock, 0, .user = {.id = w->owner});
    ALLOWED(w->owner, w->top, account_read, 0);
}

static void a_resource_never_named_is_answered_by_the_same_rules(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("list_manager"));
    ALLOWED(w->ann, w->top, lists_read, .resource = "nobody ever named this");
}

static void subtree_only_leaves_out_what_ends_at_the_account(void **test)
{
    struct world *w = *test;
    struct ch_answer answer;
    struct ch_question q = {.account = ch_find_account(&w->state, w->mid),
                            .wanted = SCOPE(reports_read),
                            .subtree_only = true,
                            .channel = CH_channel_web,
                            .now = w->now};
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"));
    GIVE(w, w->mid, USER(w->bob), ROLE("watcher"), SUBTREE);
    q.user = ch_find_user(&w->state, w->ann);
    ch_access(&w->state, &q, &answer, NULL, NULL);
    assert_int_equal(answer.decision, CH_decision_implicit_deny);
    q.user = ch_find_user(&w->state, w->bob);
    ch_access(&w->state, &q, &answer, NULL, NULL);
    assert_int_equal(answer.decision, CH_decision_allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(nothing_is_allowed_without_a_share),
        WORLD_TEST(a_role_gives_its_scopes_and_no_other),
        WORLD_TEST(all_scopes_of_a_question_must_be_given),
        WORLD_TEST(a_share_of_the_account_reaches_neither_up_down_nor_sideways),
        WORLD_TEST(a_share_with_reach_subtree_reaches_all_below_and_nothing_else),
        WORLD_TEST(the_owner_has_everything_in_the_tree),
        WORLD_TEST(a_limit_holds_for_its_kind_of_resource_only),
        WORLD_TEST(a_limit_to_nothing_gives_not_even_any),
        WORLD_TEST(a_grant_gives_its_scopes_on_its_own_resource),
        WORLD_TEST(a_grant_adds_to_what_a_limit_leaves),
        WORLD_TEST(a_restriction_of_one_share_takes_from_what_all_shares_give),
        WORLD_TEST(sending_to_a_list_implies_choosing_it),
        WORLD_TEST(scopes_of_a_share_hold_beside_its_role_on_every_resource),
        WORLD_TEST(a_restriction_of_what_nothing_gives_is_no_explicit_denial),
        WORLD_TEST(a_hidden_page_takes_all_its_scopes),
        WORLD_TEST(a_guardrail_takes_from_shares_below_its_account_only),
        WORLD_TEST(who_comes_by_two_shares_has_what_either_leaves),
        WORLD_TEST(a_member_has_what_the_group_and_those_above_it_have),
        WORLD_TEST(a_group_reached_through_an_inactive_share_gives_and_denies_nothing),
        WORLD_TEST(a_group_reached_through_an_expired_share_gives_nothing),
        WORLD_TEST(a_share_counts_up_to_its_end_and_not_at_it),
        WORLD_TEST(a_login_works_over_web_only),
        WORLD_TEST(nothing_is_allowed_in_or_below_a_closed_account),
        WORLD_TEST(a_locked_user_is_given_nothing_until_unlocked),
        WORLD_TEST(a_resource_never_named_is_answered_by_the_same_rules),
        WORLD_TEST(subtree_only_leaves_out_what_ends_at_the_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
