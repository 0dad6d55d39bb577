/* test_corners: corners of the rules, found by the random histories of tests/model.
 * SPDX-License-Identifier: MIT
 * Beside each refusal, what is accepted. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(switching_tells_a_stranger_nothing_of_a_closed_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
