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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_service_sets_a_first_password_only),
        WORLD_TEST(what_was_compared_with_an_older_password_is_not_good),
        WORLD_TEST(a_password_that_was_replaced_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
