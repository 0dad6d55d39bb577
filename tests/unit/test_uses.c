/* test_uses: what checks used, between the check and the log. SPDX-License-Identifier: MIT */
#include "daemon/uses.h"

#include "daemon/core/use.h"
#include "schema/limits.h"
#include "tests/unit/core_world.h"

enum { MANY = 1500 };

/* The answer of a check, asked by the platform, of reports.read on the account. */
static struct ch_query_answer check(struct world *w, uint64_t user, uint64_t account)
{
    struct ch_query_answer answer;
    struct ch_qry_check args = {USER(user), .scopes = ch_scopes_of(CH_SCOPE_reports_read)};
    const struct ch_call call = {
        .type = CH_QRY_check, .has_on = true, .on = {.id = account}, .args = &args};
    const struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_service}};
    ch_arena_reset(&w->arena);
    ch_query(&w->state, &moment, &call, &w->arena, &answer);
    assert_non_null(answer.result);
    return answer;
}

static struct ch_uses_page take(struct world *w, struct ch_uses *uses, bool at_end)
{
    struct ch_uses_page page;
    assert_true(ch_uses_take(uses, &w->state, w->now, at_end, &page));
    return page;
}

static bool is_empty(struct world *w, struct ch_uses *uses)
{
    struct ch_uses_page page;
    return !ch_uses_take(uses, &w->state, w->now, false, &page);
}

/* Tells the log a page, as the line does. */
static void tell(struct world *w, struct ch_uses *uses, const struct ch_uses_page *page)
{
    struct ch_verdict verdict;
    ch_arena_reset(&w->arena);
    assert_true(ch_used_reserve(&w->state, page->count));
    ch_decide_used(&w->state, w->now, page->day_at, page->shares, page->count, page->unnoted,
                   &w->arena, &verdict);
    assert_int_equal(verdict.count, 1);
    take_event(w, &verdict.events[0]);
    assert_null(ch_invariant_broken(&w->state));
    ch_uses_told(uses, page);
}

static void a_use_is_told_when_its_day_is_over_and_once(void **state)
{
    struct world *w = *state;
    struct ch_uses *uses = ch_uses_create();
    GIVE(w, w->top, USER(w->ann), ROLE("statistics"));
    const uint64_t share = w->made;
    assert_true(ch_uses_due(uses) == UINT64_MAX && is_empty(w, uses));
    for (int i = 0; i < 3; i++) {
        const struct ch_query_answer answer = check(w, w->ann, w->top);
        ch_uses_note(uses, &w->state, &answer, w->now);
    }
    const uint64_t midnight = w->now - w->now % CH_DAY_NS + CH_DAY_NS;
    assert_true(ch_uses_due(uses) == midnight && is_empty(w, uses));
    w->now = midnight;
    struct ch_uses_page page = take(w, uses, false);
    assert_int_equal(page.count, 1);
    assert_true(page.shares[0].seq == share && page.day_at == midnight - CH_DAY_NS && page.last);
    page = take(w, uses, false); /* again, until the log has it */
    assert_int_equal(page.count, 1);
    /* meanwhile the next day has begun */
    const struct ch_query_answer answer = check(w, w->ann, w->top);
    ch_uses_note(uses, &w->state, &answer, w->now);
    tell(w, uses, &page);
    const struct ch_row_share *row = ch_share_row(&w->state, ch_find_share_id(&w->state, share));
    assert_int_equal(row->used_day, ch_day_of(page.day_at));
    assert_true(is_empty(w, uses) && ch_uses_due(uses) == midnight + CH_DAY_NS);
    page = take(w, uses, true);
    assert_true(page.count == 1 && page.day_at == midnight);
    tell(w, uses, &page);
    /* what is known is not told again */
    ch_uses_note(uses, &w->state, &answer, w->now);
    page = take(w, uses, true);
    assert_true(page.count == 0 && page.last);
    ch_uses_told(uses, &page);
    assert_true(ch_uses_due(uses) == UINT64_MAX);
    ch_uses_destroy(uses);
}

static void another_share_in_the_same_row_was_not_used(void **state)
{
    struct world *w = *state;
    struct ch_uses *uses = ch_uses_create();
    GIVE(w, w->top, USER(w->ann), ROLE("statistics"));
    const uint32_t row = ch_find_share_id(&w->state, w->made);
    const struct ch_query_answer answer = check(w, w->ann, w->top);
    ch_uses_note(uses, &w->state, &answer, w->now);
    assert_int_equal(RUN(w, OPERATOR, share_end, w->top, USER(w->ann)), CH_REJ_none);
    GIVE(w, w->top, USER(w->bob), ROLE("statistics"));
    assert_int_equal(ch_find_share_id(&w->state, w->made), row);
    const struct ch_uses_page page = take(w, uses, true);
    assert_int_equal(page.count, 0);
    ch_uses_destroy(uses);
}

static void all_shares_that_allow_it_are_used_however_many(void **state)
{
    struct world *w = *state;
    struct ch_uses *uses = ch_uses_create();
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    GIVE(w, w->top, USER(w->ann)); /* gives nothing, but makes her a member: used with them */
    for (int i = 0; i < 10; i++) {
        const uint64_t group = add_group(w, w->top, 0, names[i]);
        join(w, w->top, w->ann, group);
        GIVE(w, w->top, GROUP(group), ROLE("statistics"));
    }
    const struct ch_query_answer answer = check(w, w->ann, w->top);
    assert_int_equal(answer.through.count, 11);
    assert_non_null(answer.through_more);
    ch_uses_note(uses, &w->state, &answer, w->now);
    const struct ch_uses_page page = take(w, uses, true);
    assert_int_equal(page.count, 11);
    ch_uses_destroy(uses);
}

static void a_share_whose_gift_a_guardrail_takes_is_not_used_among_many(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    GIVE(w, w->top, USER(w->ann));
    for (int i = 0; i < 10; i++) {
        const uint64_t group = add_group(w, w->top, 0, names[i]);
        join(w, w->top, w->ann, group);
        GIVE(w, w->top, GROUP(group), ROLE("statistics"), SUBTREE);
    }
    GIVE(w, w->mid, USER(w->ann), ROLE("statistics"));
    assert_int_equal(check(w, w->ann, w->mid).through.count, 12);
    assert_int_equal(
        RUN(w, OPERATOR, guardrail_set, w->top, .scopes = ch_scopes_of(CH_SCOPE_reports_read)),
        CH_REJ_none);
    assert_int_equal(check(w, w->ann, w->mid).through.count, 11);
}

static bool is_used(const struct ch_query_answer *answer, uint32_t row)
{
    for (uint32_t i = 0; i < answer->through.count; i++) {
        if (answer->through.share[i] == row) return true;
    }
    return false;
}

static void a_share_by_which_somebody_is_a_member_is_used_with_the_groups(void **state)
{
    struct world *w = *state;
    const uint64_t writers = add_group(w, w->top, 0, "writers");
    const uint64_t idlers = add_group(w, w->top, 0, "idlers");
    GIVE(w, w->top, USER(w->ann));
    const uint32_t own = ch_find_share_id(&w->state, w->made);
    join(w, w->top, w->ann, writers);
    join(w, w->top, w->ann, idlers);
    GIVE(w, w->mid, GROUP(writers), ROLE("statistics"));
    const uint32_t by_group = ch_find_share_id(&w->state, w->made);
    GIVE(w, w->mid, GROUP(idlers));
    struct ch_query_answer answer = check(w, w->ann, w->mid);
    assert_int_equal(answer.through.count, 2);
    assert_true(is_used(&answer, own) && is_used(&answer, by_group));
    /* where another share alone gives it, that one is used, and not the membership's */
    assert_int_equal(RUN(w, OPERATOR, share_end, w->mid, GROUP(writers)), CH_REJ_none);
    GIVE(w, w->mid, USER(w->ann), ROLE("statistics"));
    answer = check(w, w->ann, w->mid);
    assert_int_equal(answer.through.count, 1);
    assert_false(is_used(&answer, own));
}

static void shares_beyond_the_limit_are_counted(void **state)
{
    struct world *w = *state;
    struct ch_uses *uses = ch_uses_create();
    const struct ch_query_answer beyond = {
        .through = {.count = 2,
                    .share = {(uint32_t)LIMIT_USED_SHARES + 1, (uint32_t)LIMIT_USED_SHARES + 2}}};
    ch_uses_note(uses, &w->state, &beyond, w->now);
    ch_uses_note(uses, &w->state, &beyond, w->now);
    const struct ch_uses_page page = take(w, uses, true);
    assert_true(page.count == 0 && page.unnoted == 4 && page.last);
    tell(w, uses, &page);
    assert_true(ch_uses_due(uses) == UINT64_MAX);
    ch_uses_destroy(uses);
}

/* An event as it stands; no rule is asked, so that many are made at once. */
static uint64_t put(struct world *w, uint16_t tag, uint64_t account, void *body)
{
    struct ch_event event = {.seq = ch_meta(&w->state)->head + 1,
                             .at = w->now,
                             .tag = tag,
                             .account = account,
                             .body = body};
    take_event(w, &event);
    return event.seq;
}

static void more_than_an_event_names_are_told_in_several(void **state)
{
    struct world *w = *state;
    struct ch_uses *uses = ch_uses_create();
    struct ch_query_answer answer = {.through = {.count = 1}};
    for (uint64_t i = 0; i < MANY; i++) {
        struct ch_ev_user_created user = {.number = ch_meta(&w->state)->next_user_number};
        struct ch_ev_share_given given = {.subject = put(w, CH_EV_user_created, 0, &user)};
        const uint64_t share = put(w, CH_EV_share_given, w->low, &given);
        answer.through.share[0] = ch_find_share_id(&w->state, share);
        ch_uses_note(uses, &w->state, &answer, w->now);
    }
    struct ch_uses_page page = take(w, uses, true);
    assert_true(page.count == LIMIT_USED_PAGE && !page.last);
    tell(w, uses, &page);
    page = take(w, uses, true);
    assert_true(page.count == MANY - LIMIT_USED_PAGE && page.last);
    tell(w, uses, &page);
    assert_true(is_empty(w, uses));
    ch_uses_destroy(uses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_use_is_told_when_its_day_is_over_and_once),
        WORLD_TEST(another_share_in_the_same_row_was_not_used),
        WORLD_TEST(all_shares_that_allow_it_are_used_however_many),
        WORLD_TEST(a_share_whose_gift_a_guardrail_takes_is_not_used_among_many),
        WORLD_TEST(a_share_by_which_somebody_is_a_member_is_used_with_the_groups),
        WORLD_TEST(shares_beyond_the_limit_are_counted),
        WORLD_TEST(more_than_an_event_names_are_told_in_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
