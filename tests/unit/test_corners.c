/* test_corners: corners of the rules, found by the random histories of tests/model.
 * SPDX-License-Identifier: MIT
 * Beside each refusal, what is accepted. */
#include "daemon/core/query.h"
#include "tests/unit/core_world.h"

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)
#define RUN_BARE(w, sender, ident, on) run((w), (sender), CH_CMD_##ident, (on), NULL)

/* An account that is closed, or has changed, answers a stranger as one that is not there: D-18. */
static void switching_tells_a_stranger_nothing_of_a_closed_account(void **test)
{
    struct world *w = *test;
    GIVE(w, w->side, USER(w->ann), ROLE("watcher"));
    DONE(w->owner, account_close, w->mid, .has_below = true, .below = true);
    assert_int_equal(RUN_BARE(w, w->bob, account_switch, w->mid), CH_REJ_not_found);
    w->expect = 1;
    assert_int_equal(RUN_BARE(w, w->bob, account_switch, w->side), CH_REJ_not_found);
    /* who is led there is told what it is */
    assert_int_equal(RUN_BARE(w, w->owner, account_switch, w->mid), CH_REJ_account_closed);
    w->expect = 1;
    assert_int_equal(RUN_BARE(w, w->ann, account_switch, w->side), CH_REJ_conflict);
    /* and who was, that it was revoked */
    DONE(OPERATOR, share_deactivate, w->side, USER(w->ann));
    assert_int_equal(RUN_BARE(w, w->ann, account_switch, w->side), CH_REJ_access_revoked);
}

static void no_invitation_gives_what_only_the_owner_has(void **test)
{
    struct world *w = *test;
    REFUSED(owners_alone, w->owner, share_invite, w->mid, .email = person_name("x@example.org"),
            .has_scopes = true, .scopes = SCOPES(account_close, reports_read));
    assert_true(ch_scopes_equal(w->reject.scopes, SCOPE(account_close)));
    DONE(w->owner, share_invite, w->mid, .email = person_name("x@example.org"), .has_scopes = true,
         .scopes = SCOPE(reports_read));
}

static void the_first_broken_rule_is_the_answer_for_invitations_and_keys(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("account_manager"));
    /* low has no levels below it: nobody makes a master key of it, whoever asks */
    GIVE(w, w->low, USER(w->ann), ROLE("account_manager"));
    REFUSED(not_a_master, w->ann, key_create, w->low, .name = TEXT("k"), .has_kind = true,
            .kind = CH_key_kind_master, .scopes = SCOPE(reports_read));
    REFUSED(owner_only, w->ann, key_create, w->mid, .name = TEXT("k"), .has_kind = true,
            .kind = CH_key_kind_master, .scopes = SCOPE(reports_read));
    /* one's own rights come before what one has not */
    DONE(w->ann, user_update_profile, 0, .has_email = true, .email = person_name("ann@x.org"));
    REFUSED(own_rights, w->ann, share_invite, w->mid, .email = person_name("ann@x.org"),
            .has_scopes = true, .scopes = SCOPE(account_update));
    REFUSED(uncovered_scopes, w->ann, share_invite, w->mid, .email = person_name("bob@x.org"),
            .has_scopes = true, .scopes = SCOPE(account_update));
}

/* A restriction has no resource: lifted for one list it would be lifted for all, beyond what was
 * asked and beyond what the approver has. */
static void approving_for_one_list_lifts_no_restriction_of_all(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("user"));
    DONE(OPERATOR, share_restrict, w->mid, USER(w->ann), .has_scopes = true,
         .scopes = SCOPE(campaigns_send));
    REFUSED(not_requestable, w->ann, access_request, w->mid, .has_scopes = true,
            .scopes = SCOPE(campaigns_send), .has_kind = true, .kind = CH_resource_kind_list,
            .has_resource = true, .resource = TEXT("L1"));
    /* for all lists it can be asked; and for one what nothing takes away */
    DONE(w->ann, access_request, w->mid, .has_scopes = true, .scopes = SCOPE(campaigns_send));
    DONE(w->ann, access_request, w->mid, .has_scopes = true, .scopes = SCOPE(lists_share),
         .has_kind = true, .kind = CH_resource_kind_list, .has_resource = true,
         .resource = TEXT("L1"));
    const uint64_t request = w->made;
    /* nor where the restriction came between */
    DONE(OPERATOR, share_restrict, w->mid, USER(w->ann), .has_scopes = true,
         .scopes = SCOPE(lists_share));
    REFUSED(not_requestable, OPERATOR, access_approve, w->mid, .request = {request});
}

static void nobody_requests_what_no_approval_could_give(void **test)
{
    struct world *w = *test;
    /* an other login: keys are never theirs */
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"), .has_kind = true, .kind = CH_share_kind_login);
    REFUSED(not_requestable, w->ann, access_request, w->mid, .has_scopes = true,
            .scopes = SCOPE(api_keys_create));
    DONE(w->ann, access_request, w->mid, .has_scopes = true, .scopes = SCOPE(lists_read));
    /* the owner: what they lack the account's standing takes, and a share beside theirs could only
     * take more */
    DONE(OPERATOR, account_suspend, w->mid, .reason = {.text = TEXT("unpaid")});
    REFUSED(not_requestable, w->owner, access_request, w->mid, .has_scopes = true,
            .scopes = SCOPE(campaigns_send));
    /* the first broken rule is the answer */
    REFUSED(wrong_resource, w->ann, access_request, w->mid, .has_kind = true,
            .kind = CH_resource_kind_list);
}

static const uint8_t content[32] = {1};
#define CONTENT .content_hash = {content, sizeof content}

static uint64_t master_key(struct world *w)
{
    struct ch_scopes scopes = SCOPES(campaigns_submit, account_read);
    DONE(w->owner, key_create, w->top, .name = TEXT("root"), .has_kind = true,
         .kind = CH_key_kind_master, .scopes = scopes);
    return w->made;
}

static void no_approval_lets_a_master_key_transmit(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("collaborator"));
    const uint64_t root = master_key(w);
    DONE(w->owner, key_create, w->mid, .name = TEXT("plain"), .scopes = SCOPE(campaigns_submit));
    const uint64_t plain = w->made;
    DONE(w->ann, campaign_submit, w->mid, .campaign = TEXT("C"), CONTENT);
    DONE(w->owner, campaign_approve, w->mid, .campaign = TEXT("C"), CONTENT);
    REFUSED(not_allowed, root, campaign_send, w->mid, .campaign = TEXT("C"), CONTENT,
            .list = TEXT("L"));
    DONE(plain, campaign_send, w->mid, .campaign = TEXT("C"), CONTENT, .list = TEXT("L"));
}

static void no_approval_sends_what_is_stopped(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("collaborator"));
    DONE(w->ann, campaign_submit, w->mid, .campaign = TEXT("C"), CONTENT);
    DONE(OPERATOR, campaign_approve, w->mid, .campaign = TEXT("C"), CONTENT);
    DONE(OPERATOR, stream_stop, w->mid, .stream = CH_mail_stream_marketing,
         .reason = {.text = TEXT("bounces")});
    REFUSED(not_allowed, w->ann, campaign_send, w->mid, .campaign = TEXT("C"), CONTENT,
            .list = TEXT("L"));
    DONE(OPERATOR, stream_resume, w->mid, .stream = CH_mail_stream_marketing,
         .reason = {.text = TEXT("clean")});
    DONE(w->ann, campaign_send, w->mid, .campaign = TEXT("C"), CONTENT, .list = TEXT("L"));
}

/* Nobody decides their own, and what a key submitted is not the operator's. */
static void the_operator_decides_what_a_key_submitted(void **test)
{
    struct world *w = *test;
    DONE(w->owner, key_create, w->mid, .name = TEXT("plain"),
         .scopes = SCOPES(campaigns_submit, campaigns_approve));
    const uint64_t key = w->made;
    DONE(key, campaign_submit, w->mid, .campaign = TEXT("C"), CONTENT);
    REFUSED(own_request, key, campaign_reject, w->mid, .campaign = TEXT("C"));
    DONE(OPERATOR, campaign_approve, w->mid, .campaign = TEXT("C"), CONTENT);
    DONE(OPERATOR, campaign_submit, w->mid, .campaign = TEXT("D"), CONTENT);
    REFUSED(own_request, OPERATOR, campaign_approve, w->mid, .campaign = TEXT("D"), CONTENT);
    DONE(key, campaign_reject, w->mid, .campaign = TEXT("D"));
}

/* Each of two shares takes the same scope away, so the end of one alone gives nothing back; the end
 * of both does. */
static void ending_all_that_somebody_made_gives_nothing_back(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("account_manager"), SUBTREE);
    DONE(w->ann, share_give, w->mid, USER(w->cy), ROLE("watcher"), SUBTREE);
    DONE(w->ann, share_give, w->low, USER(w->cy), ROLE("watcher"));
    for (int i = 0; i < 2; i++) {
        DONE(OPERATOR, share_restrict, i == 0 ? w->mid : w->low, USER(w->cy), .has_scopes = true,
             .scopes = SCOPE(reports_export));
    }
    GIVE(w, w->top, USER(w->cy), ROLE("watcher"), SUBTREE);
    DONE(OPERATOR, role_define, w->mid, .name = TEXT("ender"),
         .scopes = SCOPES(shares_delete, account_read));
    GIVE(w, w->mid, USER(w->bob), ROLE("ender"), SUBTREE);
    REFUSED(uncovered_scopes, w->bob, share_end, w->mid, USER(w->ann), .has_end_made = true,
            .end_made = true);
    assert_true(ch_scopes_equal(w->reject.scopes, SCOPE(reports_export)));
    /* who has it may */
    DONE(w->owner, share_end, w->mid, USER(w->ann), .has_end_made = true, .end_made = true);
    assert_int_equal(w->count, 3);
}

/* An other login may be made to reach the subtree; its restriction takes there, too. */
static void a_login_that_reaches_further_is_lifted_only_by_who_does(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->bob), ROLE("full"), .has_kind = true, .kind = CH_share_kind_login,
         SUBTREE);
    DONE(OPERATOR, share_restrict, w->mid, USER(w->bob), .has_scopes = true,
         .scopes = SCOPES(files_read, files_update));
    GIVE(w, w->mid, USER(w->ann), ROLE("account_manager"));
    REFUSED(uncovered_scopes, w->ann, login_edit, w->mid, .user = {.id = w->bob});
    DONE(OPERATOR, share_set_role, w->mid, USER(w->ann), ROLE("account_manager"), SUBTREE);
    DONE(w->ann, login_edit, w->mid, .user = {.id = w->bob});
}

/* Whether access.deciders tells that ann may approve the request. */
static bool may_approve(struct world *w, uint64_t request)
{
    struct ch_qry_access_deciders args = {.request = {request}};
    const struct ch_call call = {
        .type = CH_QRY_access_deciders, .has_on = true, .on = {.id = w->mid}, .args = &args};
    const struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_operator}};
    struct ch_query_answer answer = {0};
    ch_arena_reset(&w->arena);
    ch_query(&w->state, &moment, &call, &w->arena, &answer);
    const struct ch_qry_access_deciders_result *result = answer.result;
    for (uint32_t i = 0; i < result->users_len; i++) {
        if (result->users[i].user.seq == w->ann) return result->users[i].may_approve;
    }
    fail_msg("ann is not told of");
    return false;
}

/* A stopped stream stops mail, not what can be given; what is denied further down does. */
static void who_may_approve_is_told_by_the_rule_that_approving_meets(void **test)
{
    struct world *w = *test;
    GIVE(w, w->mid, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->mid, USER(w->bob), ROLE("watcher"), SUBTREE);
    DONE(w->bob, access_request, w->mid, .has_scopes = true, .scopes = SCOPE(campaigns_send));
    const uint64_t request = w->made;
    assert_true(may_approve(w, request));
    DONE(OPERATOR, stream_stop, w->mid, .stream = CH_mail_stream_marketing,
         .reason = {.text = TEXT("bounces")});
    assert_true(may_approve(w, request));
    GIVE(w, w->low, USER(w->ann), ROLE("watcher"));
    DONE(OPERATOR, share_restrict, w->low, USER(w->ann), .has_scopes = true,
         .scopes = SCOPE(campaigns_send));
    assert_false(may_approve(w, request));
    REFUSED(uncovered_scopes, w->ann, access_approve, w->mid, .request = {request});
    DONE(OPERATOR, share_end, w->low, USER(w->ann));
    assert_true(may_approve(w, request));
    DONE(w->ann, access_approve, w->mid, .request = {request});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(switching_tells_a_stranger_nothing_of_a_closed_account),
        WORLD_TEST(no_invitation_gives_what_only_the_owner_has),
        WORLD_TEST(the_first_broken_rule_is_the_answer_for_invitations_and_keys),
        WORLD_TEST(approving_for_one_list_lifts_no_restriction_of_all),
        WORLD_TEST(nobody_requests_what_no_approval_could_give),
        WORLD_TEST(no_approval_lets_a_master_key_transmit),
        WORLD_TEST(no_approval_sends_what_is_stopped),
        WORLD_TEST(the_operator_decides_what_a_key_submitted),
        WORLD_TEST(ending_all_that_somebody_made_gives_nothing_back),
        WORLD_TEST(a_login_that_reaches_further_is_lifted_only_by_who_does),
        WORLD_TEST(who_may_approve_is_told_by_the_rule_that_approving_meets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
