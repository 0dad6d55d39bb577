/* test_credentials: rules of passwords that no scenario can meet: what a service does, and what was
 * compared with an older password. SPDX-License-Identifier: MIT */
#include "tests/unit/core_world.h"

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)
#define NEW(chars) .password = {.verifier = TEXT(chars)}
#define OLD(is_good, seq) .has_old = true, .old = {.good = (is_good), .of = (seq)}

static void a_service_sets_a_first_password_only(void **test)
{
    struct world *w = *test;
    DONE(SERVICE, user_set_password, 0, USER(w->ann), NEW("v1"));
    REFUSED(password_known, SERVICE, user_set_password, 0, USER(w->ann), NEW("v2"));
    DONE(OPERATOR, user_set_password, 0, USER(w->ann), NEW("v2"));
    DONE(SERVICE, user_set_password, 0, USER(w->bob), NEW("v1"));
}

static void what_was_compared_with_an_older_password_is_not_good(void **test)
{
    struct world *w = *test;
    DONE(w->ann, user_set_password, 0, NEW("v1"));
    const uint64_t first = w->made;
    REFUSED(wrong_credentials, w->ann, user_set_password, 0, OLD(false, first), NEW("v2"));
    DONE(w->ann, user_set_password, 0, OLD(true, first), NEW("v2"));
    const uint64_t second = w->made;
    REFUSED(wrong_credentials, w->ann, user_set_password, 0, OLD(true, first), NEW("v3"));
    REFUSED(wrong_credentials, w->ann, user_set_password, 0, OLD(true, 0), NEW("v3"));
    DONE(w->ann, user_set_password, 0, OLD(true, second), NEW("v3"));
    DONE(w->bob, user_set_password, 0, NEW("v1"));
    REFUSED(wrong_credentials, w->ann, user_set_password, 0, OLD(true, w->made), NEW("v4"));
}

static void a_password_that_was_replaced_leaves_nothing(void **test)
{
    struct world *w = *test;
    DONE(w->ann, user_set_password, 0, NEW("v1"));
    const uint64_t first = w->made;
    const uint32_t rows = ch_table_live(&w->state.store, CH_T_SEALED);
    assert_int_not_equal(ch_find_sealed(&w->state, first), 0);
    DONE(OPERATOR, user_set_password, 0, USER(w->ann), NEW("v2"));
    assert_int_equal(ch_find_sealed(&w->state, first), 0);
    assert_int_equal(ch_table_live(&w->state.store, CH_T_SEALED), rows);
}

static uint64_t add_key(struct world *w, uint64_t maker, uint64_t account, const char *name,
                        uint8_t kind, struct ch_scopes scopes)
{
    DONE(maker, key_create, account, .name = ch_text_of(name), .has_kind = true, .kind = kind,
         .scopes = scopes);
    return w->made;
}

static void a_key_is_guarded_by_the_function_that_guards_people(void **test)
{
    struct world *w = *test;
    const uint64_t key = add_key(w, w->owner, w->mid, "k", CH_key_kind_account,
                                 SCOPES(groups_update, shares_create));
    DONE(key, group_create, w->mid, .name = TEXT("crew"));
    REFUSED(not_allowed, key, guardrail_set, w->mid, .scopes = SCOPE(lists_read));
    /* It leads to its own account only: others are as if they were not there. */
    REFUSED(not_found, key, group_create, w->low, .name = TEXT("crew"));
    REFUSED(not_found, key, group_create, w->side, .name = TEXT("crew"));
    REFUSED(not_found, key, group_create, w->top, .name = TEXT("crew"));
    /* Nor does it give what it does not have. */
    REFUSED(uncovered_scopes, key, share_give, w->mid, USER(w->ann), ROLE("watcher"));
    DONE(key, share_give, w->mid, USER(w->ann), .has_kind = false);
    REFUSED(self_only, key, user_set_password, 0, USER(w->ann), NEW("v1"));
    DONE(w->owner, guardrail_set, w->top, .scopes = SCOPE(groups_update));
    REFUSED(not_allowed, key, group_create, w->mid, .name = TEXT("more"));
}

static void a_master_key_administers_the_tree_below_it(void **test)
{
    struct world *w = *test;
    struct ch_scopes wanted = SCOPES(subaccounts_create, campaigns_send);
    wanted = ch_scopes_or(wanted, SCOPES(api_keys_create, reports_read));
    const uint64_t root = add_key(w, w->owner, w->top, "root", CH_key_kind_master, wanted);
    DONE(root, account_open_sub, w->mid, .name = TEXT("new"));
    const struct ch_row_key *first = ch_key_row(&w->state, ch_find_key(&w->state, w->made));
    const uint64_t opened = w->made - 1;
    /* The first key of what it opens has what it has, and what only its kind keeps from it. */
    assert_true(ch_scopes_equal(ch_scopes_at(&w->state, first->scopes),
                                SCOPES(campaigns_send, reports_read)));
    /* Further keys are within what it may do. */
    REFUSED(uncovered_scopes, root, key_create, opened, .name = TEXT("x"),
            .scopes = SCOPE(campaigns_send));
    DONE(root, key_create, opened, .name = TEXT("x"), .scopes = SCOPE(reports_read));
    REFUSED(owner_only, root, key_create, w->top, .name = TEXT("y"), .has_kind = true,
            .kind = CH_key_kind_master, .scopes = SCOPE(reports_read));
    DONE(w->owner, key_revoke, w->top, .key = {root});
    assert_int_equal(ch_find_key(&w->state, root), 0);
}

static void a_first_key_has_no_more_than_who_opens_the_account(void **test)
{
    struct world *w = *test;
    DONE(w->owner, role_define, w->top, .name = TEXT("opener"),
         .scopes = SCOPES(subaccounts_create, reports_read));
    GIVE(w, w->top, USER(w->ann), ROLE("opener"), SUBTREE);
    DONE(w->ann, account_open_sub, w->top, .name = TEXT("anns"));
    const struct ch_row_key *first = ch_key_row(&w->state, ch_find_key(&w->state, w->made));
    assert_true(ch_scopes_equal(ch_scopes_at(&w->state, first->scopes), SCOPE(reports_read)));
    assert_int_equal(first->made_by, w->ann);
}

static bool secret_opens(struct world *w, const uint8_t hash[32], uint64_t key)
{
    const uint32_t row = ch_find_key_secret(&w->state, hash, w->now);
    return row != 0 && ch_key_row(&w->state, row)->id == key;
}

static void a_rotated_key_has_two_secrets_for_the_time_said(void **test)
{
    struct world *w = *test;
    uint8_t secrets[3][32];
    const uint64_t key =
        add_key(w, w->owner, w->mid, "k", CH_key_kind_account, SCOPE(reports_read));
    memcpy(secrets[0], w->secret, 32);
    DONE(w->owner, key_rotate, w->mid, .key = {key}, .has_overlap_s = true, .overlap_s = 60);
    memcpy(secrets[1], w->secret, 32);
    assert_true(secret_opens(w, secrets[0], key) && secret_opens(w, secrets[1], key));
    pass_time(w, 60000000000u - 1);
    assert_true(secret_opens(w, secrets[0], key));
    pass_time(w, 1);
    assert_false(secret_opens(w, secrets[0], key));
    assert_true(secret_opens(w, secrets[1], key));
    DONE(w->owner, key_rotate, w->mid, .key = {key}, .has_overlap_s = true, .overlap_s = 0);
    memcpy(secrets[2], w->secret, 32);
    assert_false(secret_opens(w, secrets[1], key));
    assert_true(secret_opens(w, secrets[2], key));
    DONE(w->owner, key_rotate, w->mid, .key = {key}, .has_overlap_s = false);
    pass_time(w, 86399000000000u);
    assert_true(secret_opens(w, secrets[2], key));
    DONE(w->owner, key_revoke, w->mid, .key = {key});
    assert_false(secret_opens(w, secrets[2], key) || secret_opens(w, w->secret, key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_service_sets_a_first_password_only),
        WORLD_TEST(what_was_compared_with_an_older_password_is_not_good),
        WORLD_TEST(a_password_that_was_replaced_leaves_nothing),
        WORLD_TEST(a_key_is_guarded_by_the_function_that_guards_people),
        WORLD_TEST(a_master_key_administers_the_tree_below_it),
        WORLD_TEST(a_first_key_has_no_more_than_who_opens_the_account),
        WORLD_TEST(a_rotated_key_has_two_secrets_for_the_time_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
