/* test_account: how accounts stand, and who owns them. SPDX-License-Identifier: MIT
 * Beside each refusal, what is accepted. */
#include "schema/limits.h"
#include "tests/unit/core_world.h"

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)
#define NAME(chars) .name = TEXT(chars)
#define REASON(chars) .reason = {.text = TEXT(chars)}

enum { USERS = 150 };
static const uint64_t day_ns = 86400000000000u;

static const struct ch_row_account *account(struct world *w, uint64_t id)
{
    return ch_account_row(&w->state, ch_find_account(&w->state, id));
}

/* Many people in an account with a group, in which each of them is. */
static void fill(struct world *w, uint64_t on)
{
    const uint64_t group = add_group(w, on, 0, "all of them");
    GIVE(w, on, GROUP(group), ROLE("watcher"));
    for (uint64_t i = 0; i < USERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%d", (int)i);
        const uint64_t user = add_user(w, name);
        GIVE(w, on, USER(user), ROLE("user"));
        join(w, on, user, group);
    }
}

static void closing_takes_nothing_and_reopening_gives_all_back(void **test)
{
    struct world *w = *test;
    fill(w, w->side);
    DONE(w->owner, account_close, w->side, .has_below = false);
    assert_int_equal(w->count, 1);
    assert_int_equal(account(w, w->side)->share_count, USERS + 1);
    pass_time(w, 30 * day_ns - 1);
    assert_int_equal(account(w, w->side)->status, CH_account_status_closed);
    DONE(OPERATOR, account_reopen, w->side, .has_below = false);
    assert_int_equal(account(w, w->side)->share_count, USERS + 1);
    assert_int_equal(account(w, w->side)->group_count, 1);
    pass_time(w, 60 * day_ns);
    assert_int_equal(account(w, w->side)->status, CH_account_status_open);
}

static void a_closed_account_is_dissolved_in_small_steps(void **test)
{
    struct world *w = *test;
    fill(w, w->side);
    DONE(w->owner, account_close, w->side, .has_below = false);
    w->now += 30 * day_ns;
    REFUSED(grace_over, OPERATOR, account_reopen, w->side, .has_below = false);
    /* shares, of people and of a group; the group; the first key; seats of people */
    uint64_t left = ch_parts_of(&w->state, ch_find_account(&w->state, w->side));
    assert_int_equal(left, (USERS + 1) + 1 + 1 + USERS);
    const uint64_t parts = left;
    uint32_t events = 0;
    while (account(w, w->side)->status == CH_account_status_closed) {
        struct ch_verdict verdict = {0};
        ch_arena_reset(&w->arena);
        assert_true(ch_due_reserve(&w->state));
        ch_decide_due(&w->state, w->now, &w->arena, &verdict);
        assert_int_equal(verdict.count, 1);
        take_event(w, &verdict.events[0]);
        const char *broken = ch_invariant_broken(&w->state);
        if (broken != NULL) fail_msg("does not hold: %s", broken);
        const uint64_t now = ch_parts_of(&w->state, ch_find_account(&w->state, w->side));
        assert_true(left - now <= LIMIT_DISSOLVE_PARTS);
        left = now;
        events++;
    }
    assert_int_equal(events, (parts + LIMIT_DISSOLVE_PARTS - 1) / LIMIT_DISSOLVE_PARTS);
    assert_int_equal(left, 0);
    assert_int_equal(account(w, w->side)->status, CH_account_status_dissolved);
    REFUSED(grace_over, OPERATOR, account_reopen, w->side, .has_below = false);
    DONE(w->owner, account_open_sub, w->top, NAME("side"));
}

static void a_command_that_closes_many_has_room_for_them(void **test)
{
    struct world *w = *test;
    for (uint64_t i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "sub%d", (int)i);
        (void)add_sub(w, w->top, name);
    }
    DONE(w->owner, account_close, w->top, .has_below = true, .below = true);
    assert_int_equal(w->count, 504);
    DONE(OPERATOR, account_reopen, w->top, .has_below = true, .below = true);
    assert_int_equal(w->count, 504);
    assert_int_equal(account(w, w->top)->open_children, 502);
    assert_int_equal(ch_meta(&w->state)->dues, 0);
}

static void what_another_act_closed_stays_closed(void **test)
{
    struct world *w = *test;
    DONE(w->owner, account_close, w->low, .has_below = false);
    DONE(w->owner, account_close, w->top, .has_below = true, .below = true);
    REFUSED(account_closed, OPERATOR, account_reopen, w->low, .has_below = false);
    DONE(OPERATOR, account_reopen, w->top, .has_below = false);
    assert_int_equal(w->count, 1);
    DONE(OPERATOR, account_reopen, w->mid, .has_below = true, .below = true);
    assert_int_equal(w->count, 1);
    assert_int_equal(account(w, w->low)->status, CH_account_status_closed);
    DONE(OPERATOR, account_reopen, w->low, .has_below = false);
    REFUSED(not_closed, OPERATOR, account_reopen, w->low, .has_below = false);
    assert_int_equal(account(w, w->side)->status, CH_account_status_closed);
}

static void without_grace_there_is_no_reopening(void **test)
{
    struct world *w = *test;
    REFUSED(limit_fixed, OPERATOR, limit_set, 0, .name = TEXT("IDS_KEPT"), .value = 1);
    REFUSED(not_found, OPERATOR, limit_set, 0, .name = TEXT("NOTHING"), .value = 1);
    REFUSED(limit_reached, OPERATOR, limit_set, 0, .name = TEXT("CLOSE_GRACE_DAYS"),
            .value = LIMIT_SETTING_DAYS + 1);
    DONE(OPERATOR, limit_set, 0, .name = TEXT("CLOSE_GRACE_DAYS"), .value = 0);
    DONE(w->owner, account_close, w->side, .has_below = false);
    REFUSED(grace_over, OPERATOR, account_reopen, w->side, .has_below = false);
    pass_time(w, 0);
    assert_int_equal(account(w, w->side)->status, CH_account_status_dissolved);
}

static void only_the_owner_closes_and_the_operator_what_nobody_owns(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    REFUSED(owner_only, OPERATOR, account_close, w->side, .has_below = false);
    REFUSED(not_allowed, w->ann, account_close, w->side, .has_below = false);
    REFUSED(owners_alone, w->owner, role_define, w->top, NAME("closer"),
            .scopes = SCOPES(account_close, reports_read));
    assert_true(ch_scopes_equal(w->reject.scopes, SCOPE(account_close)));
    REFUSED(owners_alone, OPERATOR, share_set_scopes, w->top, USER(w->ann),
            .scopes = SCOPE(master_keys_create));
    DONE(OPERATOR, share_set_scopes, w->top, USER(w->ann), .scopes = SCOPE(api_keys_create));
    DONE(w->owner, account_close, w->side, .has_below = false);
    DONE(OPERATOR, account_open_master, 0, NAME("nobody's"));
    DONE(OPERATOR, account_close, w->made - 1, .has_below = false);
}

static void each_authority_takes_back_its_own_suspension(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, account_suspend, w->mid, REASON("complaints"));
    REFUSED(not_suspended, w->owner, account_resume, w->mid, REASON("no"));
    DONE(w->owner, account_suspend, w->mid, REASON("on holiday"));
    DONE(w->owner, account_suspend, w->mid, REASON("on a long holiday"));
    DONE(w->owner, account_resume, w->mid, REASON("back"));
    assert_true(ch_is_suspended(&w->state, ch_find_account(&w->state, w->low)));
    assert_false(ch_is_suspended(&w->state, ch_find_account(&w->state, w->top)));
    REFUSED(not_allowed, w->owner, group_create, w->low, NAME("team"));
    DONE(OPERATOR, group_create, w->low, NAME("team"));
    DONE(OPERATOR, account_resume, w->mid, REASON("fine"));
    DONE(w->owner, group_create, w->low, NAME("crew"));
    assert_int_equal(ch_table_live(&w->state.store, CH_T_SEALED), 4 + 2); /* users and reasons */
}

static void ownership_passes_in_one_event(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    GIVE(w, w->mid, USER(w->ann), ROLE("watcher"), SUBTREE);
    const uint64_t group = add_group(w, w->top, 0, "team");
    join(w, w->top, w->ann, group);
    REFUSED(owner_only, OPERATOR, ownership_offer, w->top, .user = {.id = w->ann});
    REFUSED(not_a_root, w->owner, ownership_offer, w->mid, .user = {.id = w->ann});
    REFUSED(own_rights, w->owner, ownership_offer, w->top, .user = {.id = w->owner});
    REFUSED(not_found, w->ann, ownership_accept, 0, .account = {.id = w->top});
    REFUSED(nothing_asked, w->owner, ownership_withdraw, w->top, .has_user = false);
    DONE(w->owner, ownership_offer, w->top, .user = {.id = w->ann});
    REFUSED(already_asked, w->owner, ownership_offer, w->top, .user = {.id = w->bob});
    REFUSED(not_found, w->bob, ownership_accept, 0, .account = {.id = w->top});
    DONE(w->ann, ownership_accept, 0, .account = {.id = w->top});
    assert_int_equal(w->count, 1);
    assert_int_equal(ch_user_row(&w->state, ch_find_user(&w->state, w->ann))->share_count, 1);
    assert_true(ch_is_owner(&w->state, ch_find_user(&w->state, w->ann),
                            ch_find_account(&w->state, w->low)));
    REFUSED(owner_share, w->owner, share_end, w->top, USER(w->ann));
    DONE(w->ann, share_end, w->top, USER(w->owner));
    DONE(OPERATOR, ownership_assign, w->top, .user = {.id = w->bob});
    DONE(OPERATOR, ownership_assign, w->top, .user = {.id = w->bob});
    assert_int_equal(w->count, 0);
}

static void an_offer_runs_out_or_is_withdrawn_or_declined(void **test)
{
    struct world *w = *test;
    DONE(w->owner, ownership_offer, w->top, .user = {.id = w->ann});
    w->now += 7 * day_ns;
    REFUSED(not_found, w->ann, ownership_accept, 0, .account = {.id = w->top});
    pass_time(w, 0);
    assert_int_equal(account(w, w->top)->offer, 0);
    DONE(w->owner, ownership_offer, w->top, .user = {.id = w->ann});
    DONE(w->ann, ownership_decline, 0, .account = {.id = w->top}, .has_reason = true,
         REASON("no time"));
    DONE(w->owner, ownership_offer, w->top, .user = {.id = w->ann});
    REFUSED(not_found, w->owner, ownership_withdraw, w->top, USER(w->bob));
    DONE(OPERATOR, share_give, w->low, USER(w->bob));
    REFUSED(nothing_asked, w->owner, ownership_withdraw, w->top, USER(w->bob));
    DONE(w->owner, ownership_withdraw, w->top, USER(w->ann));
    DONE(w->owner, ownership_offer, w->top, .user = {.id = w->ann});
    DONE(OPERATOR, ownership_assign, w->top, .user = {.id = w->bob}); /* ends it, too */
    REFUSED(not_found, w->ann, ownership_accept, 0, .account = {.id = w->top});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(closing_takes_nothing_and_reopening_gives_all_back),
        WORLD_TEST(a_closed_account_is_dissolved_in_small_steps),
        WORLD_TEST(a_command_that_closes_many_has_room_for_them),
        WORLD_TEST(what_another_act_closed_stays_closed),
        WORLD_TEST(without_grace_there_is_no_reopening),
        WORLD_TEST(only_the_owner_closes_and_the_operator_what_nobody_owns),
        WORLD_TEST(each_authority_takes_back_its_own_suspension),
        WORLD_TEST(ownership_passes_in_one_event),
        WORLD_TEST(an_offer_runs_out_or_is_withdrawn_or_declined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
