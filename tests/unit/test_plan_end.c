/* test_plan_end: what becomes of a plan that ends, by itself or with its account.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"
#include "tests/unit/core_world.h"

#include <stdio.h>

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)

/* Accounts below a plan, each with an allocation, a use of two periods, and an open reservation. */
static void fill_plan(struct world *w, uint64_t *subs, uint32_t count)
{
    DONE(OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = 100000, .has_period = true,
         .period = CH_frequency_daily);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "shop%u", i);
        subs[i] = add_sub(w, w->top, name);
        DONE(w->owner, credits_allocate, w->top, .account = {.id = subs[i]},
             .type = CH_allocation_type_nonrecurring, .has_total = true, .total = 10);
        DONE(OPERATOR, credits_spend, subs[i], .amount = 1);
    }
    pass_time(w, CH_DAY_NS);
    for (uint32_t i = 0; i < count; i++) {
        DONE(OPERATOR, credits_spend, subs[i], .amount = 1);
        DONE(OPERATOR, credits_reserve, subs[i], .amount = 2, .has_expires_at = true,
             .expires_at = w->now + 6 * CH_DAY_NS);
    }
}

static void nothing_is_left_of_plans(const struct world *w)
{
    static const int tables[] = {CH_T_PLAN, CH_T_PERIOD, CH_T_USAGE, CH_T_ALLOCATION,
                                 CH_T_RESERVATION};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        assert_int_equal(ch_table_live(&w->state.store, (uint32_t)tables[i]), 0);
    }
}

static void a_plan_goes_with_its_account_in_small_steps(void **test)
{
    enum { SUBS = 200 };
    struct world *w = *test;
    uint64_t subs[SUBS];
    DONE(OPERATOR, limit_set, 0, .name = TEXT("CLOSE_GRACE_DAYS"), .value = 1);
    fill_plan(w, subs, SUBS);
    DONE(w->owner, account_close, w->top, .has_below = true, .below = true);
    /* pass_time holds every step to the invariants, conservation among them. */
    pass_time(w, CH_DAY_NS);
    nothing_is_left_of_plans(w);
    assert_int_equal(ch_table_live(&w->state.store, CH_T_KEY), 0);
    assert_int_equal(ch_table_live(&w->state.store, CH_T_SEAT), 0);
    assert_int_equal(ch_meta(&w->state)->dues, 0);
}

static void a_plan_ends_at_once_when_nothing_is_reserved(void **test)
{
    enum { SUBS = 200 };
    struct world *w = *test;
    uint64_t subs[SUBS];
    fill_plan(w, subs, SUBS);
    REFUSED(reservations_open, OPERATOR, plan_end, w->top, .unused_ = false);
    pass_time(w, 6 * CH_DAY_NS);
    const struct ch_mark mark = ch_store_mark(&w->state.store);
    const uint32_t uses = ch_table_live(&w->state.store, CH_T_USAGE);
    DONE(OPERATOR, plan_end, w->top, .unused_ = false);
    assert_int_equal(w->count, 1);
    nothing_is_left_of_plans(w);
    assert_null(ch_invariant_broken(&w->state));
    ch_store_rollback(&w->state.store, mark);
    assert_null(ch_invariant_broken(&w->state));
    assert_int_equal(ch_table_live(&w->state.store, CH_T_USAGE), uses);
    w->now += CH_DAY_NS;
    DONE(OPERATOR, plan_end, w->top, .unused_ = false);
    assert_int_equal(w->count, 2); /* the period that is over, first */
    nothing_is_left_of_plans(w);
    REFUSED(no_plan, OPERATOR, plan_end, w->top, .unused_ = false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_plan_goes_with_its_account_in_small_steps),
        WORLD_TEST(a_plan_ends_at_once_when_nothing_is_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
