/* test_role: this version's text of a role or page takes effect by role.publish only, and what it
 * does to whom. SPDX-License-Identifier: MIT */
#include "daemon/core/query.h"
#include "tests/unit/core_world.h"

#define DONE(sender, ident, on, ...)                                                               \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_none)
#define REFUSED(reason, sender, ident, on, ...)                                                    \
    assert_int_equal(RUN(w, sender, ident, on, __VA_ARGS__), CH_REJ_##reason)

/* The role as an older version of charterd had it: one scope, or a name that this one lacks. */
static void older_text(struct world *w, const char *name, struct ch_scopes scopes)
{
    const uint32_t known = ch_find_role_name(&w->state, 0, ch_text_of(name));
    struct ch_ev_role_changed changed = {.version = 2, .scopes = scopes};
    struct ch_ev_role_defined defined = {.name = ch_text_of(name), .scopes = scopes};
    struct ch_event event = {.seq = ch_meta(&w->state)->head + 1, .at = w->now};
    if (known != 0) changed.role.seq = ch_role_row(&w->state, known)->id;
    event.tag = known != 0 ? CH_EV_role_changed : CH_EV_role_defined;
    event.body = known != 0 ? (void *)&changed : (void *)&defined;
    take_event(w, &event);
}

static struct ch_scopes role_gives(struct world *w, const char *name)
{
    const uint32_t role = ch_find_role_name(&w->state, 0, ch_text_of(name));
    return ch_scopes_at(&w->state, ch_role_row(&w->state, role)->scopes);
}

static struct ch_scopes text_gives(const char *name)
{
    for (size_t i = 0; i < ch_role_count(); i++) {
        if (strcmp(ch_role_at(i).name, name) == 0) return ch_role_at(i).scopes;
    }
    return (struct ch_scopes){{0, 0}};
}

static void ask_effect(struct world *w, const char *name, struct ch_query_answer *answer)
{
    const uint32_t role = ch_find_role_name(&w->state, 0, ch_text_of(name));
    struct ch_qry_role_publish_effect args = {.role = {.id = ch_role_row(&w->state, role)->id}};
    const struct ch_call call = {.type = CH_QRY_role_publish_effect, .args = &args};
    const struct ch_moment moment = {.now = w->now, .actor = {.kind = CH_actor_kind_operator}};
    ch_arena_reset(&w->arena);
    ch_query(&w->state, &moment, &call, &w->arena, answer);
}

static void a_later_text_widens_nobody_until_it_is_published(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    GIVE(w, w->side, USER(w->bob), ROLE("watcher"));
    older_text(w, "watcher", SCOPE(account_read));
    struct ch_verdict verdict = {0};
    ch_arena_reset(&w->arena);
    ch_decide_start(&w->state, &w->arena, &verdict);
    assert_int_equal(verdict.count, 0); /* the start of this version leaves it as it is */
    assert_true(ch_scopes_equal(role_gives(w, "watcher"), SCOPE(account_read)));

    struct ch_query_answer answer;
    ask_effect(w, "watcher", &answer);
    const struct ch_qry_role_publish_effect_result *effect = answer.result;
    assert_non_null(effect);
    assert_int_equal(effect->widened, 2);
    assert_int_equal(effect->narrowed, 0);
    assert_int_equal(effect->shares_len, 2);
    assert_true(ch_scopes_has(effect->added, CH_SCOPE_reports_read));
    assert_false(ch_scopes_has(effect->added, CH_SCOPE_account_read));

    DONE(OPERATOR, role_publish, 0, ROLE("watcher"));
    assert_int_equal(w->count, 1);
    assert_true(ch_scopes_equal(role_gives(w, "watcher"), text_gives("watcher")));
    DONE(OPERATOR, role_publish, 0, ROLE("watcher"));
    assert_int_equal(w->count, 0);
    REFUSED(operator_only, SERVICE, role_publish, 0, ROLE("watcher"));
}

static void a_role_that_this_version_lacks_is_not_published(void **test)
{
    struct world *w = *test;
    older_text(w, "librarian", SCOPE(files_read));
    REFUSED(not_in_this_version, OPERATOR, role_publish, 0, ROLE("librarian"));
    assert_string_equal(w->reject.field, "role");
    struct ch_query_answer answer;
    ask_effect(w, "librarian", &answer);
    assert_null(answer.result);
    assert_int_equal(answer.reject.code, CH_REJ_not_in_this_version);
    DONE(OPERATOR, role_publish, 0, ROLE("owner"));
}

static void a_page_is_published_by_itself_and_hides_more_from_then_on(void **test)
{
    struct world *w = *test;
    const struct ch_text name = ch_text_of("reports");
    const uint32_t page = ch_find_page_name(&w->state, name);
    const uint64_t id = ch_page_row(&w->state, page)->id;
    struct ch_ev_page_changed older = {
        .page = {.seq = id}, .version = 2, .scopes = SCOPE(reports_read)};
    struct ch_event event = {.seq = ch_meta(&w->state)->head + 1,
                             .at = w->now,
                             .tag = CH_EV_page_changed,
                             .body = &older};
    take_event(w, &event);
    struct ch_ref hidden[] = {{.id = id}};
    GIVE(w, w->top, USER(w->ann), ROLE("watcher"));
    DONE(OPERATOR, share_restrict, w->top, USER(w->ann), .pages = hidden, .pages_len = 1);
    DONE(OPERATOR, role_publish, 0, .has_page = true, .page = {.id = id});
    assert_int_equal(w->count, 1);
    assert_int_equal(ch_page_row(&w->state, page)->version, 3);
    const uint32_t share =
        ch_find_share(&w->state, CH_subject_kind_user, ch_find_user(&w->state, w->ann),
                      ch_find_account(&w->state, w->top));
    assert_true(ch_scopes_equal(
        ch_scopes_at(&w->state, ch_terms_of(&w->state, ch_share_row(&w->state, share))->denied),
        SCOPE(reports_read))); /* what was hidden stays as it is */
    DONE(OPERATOR, share_restrict, w->top, USER(w->ann), .pages = hidden, .pages_len = 1);
    assert_true(ch_scopes_has(
        ch_scopes_at(&w->state, ch_terms_of(&w->state, ch_share_row(&w->state, share))->denied),
        CH_SCOPE_reports_export));
    REFUSED(one_of_two, OPERATOR, role_publish, 0, .has_page = false);
}

static void a_role_held_below_its_account_is_widened_by_who_has_it_there(void **test)
{
    struct world *w = *test;
    GIVE(w, w->top, USER(w->bob), ROLE("account_manager"));
    DONE(OPERATOR, role_define, w->top, .name = TEXT("helper"), .scopes = SCOPE(account_read));
    GIVE(w, w->top, USER(w->ann), ROLE("helper"));
    DONE(w->bob, role_define, w->top, .name = TEXT("helper"), .scopes = SCOPE(files_read));
    DONE(OPERATOR, share_set_role, w->top, USER(w->ann), ROLE("helper"), SUBTREE);
    REFUSED(uncovered_scopes, w->bob, role_define, w->top, .name = TEXT("helper"),
            .scopes = SCOPES(files_read, reports_read));
    DONE(w->owner, role_define, w->top, .name = TEXT("helper"),
         .scopes = SCOPES(files_read, reports_read));
}

static void a_role_without_holders_goes_with_its_versions(void **test)
{
    struct world *w = *test;
    DONE(OPERATOR, role_define, w->top, .name = TEXT("one"), .scopes = SCOPE(account_read));
    DONE(OPERATOR, role_define, w->top, .name = TEXT("two"), .scopes = SCOPE(account_read));
    DONE(OPERATOR, role_define, w->top, .name = TEXT("three"), .scopes = SCOPE(account_read));
    DONE(OPERATOR, role_define, w->top, .name = TEXT("two"), .scopes = SCOPE(files_read));
    GIVE(w, w->top, USER(w->ann), ROLE("two"));
    const struct ch_ref two = {.name = TEXT("two")};
    REFUSED(role_in_use, OPERATOR, role_delete, w->top, .role = two);
    DONE(OPERATOR, share_end, w->top, USER(w->ann));
    DONE(OPERATOR, role_rename, w->top, .role = two, .name = TEXT("deux"));
    REFUSED(name_taken, OPERATOR, role_rename, w->top, .role = {.name = TEXT("deux")},
            .name = TEXT("one"));
    DONE(OPERATOR, role_delete, w->top, .role = {.name = TEXT("deux")}); /* of the middle */
    DONE(OPERATOR, role_delete, w->top, .role = {.name = TEXT("one")});
    DONE(OPERATOR, role_delete, w->top, .role = {.name = TEXT("three")});
    REFUSED(built_in, OPERATOR, role_delete, w->top, .role = {.name = TEXT("owner")});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_later_text_widens_nobody_until_it_is_published),
        WORLD_TEST(a_role_that_this_version_lacks_is_not_published),
        WORLD_TEST(a_page_is_published_by_itself_and_hides_more_from_then_on),
        WORLD_TEST(a_role_held_below_its_account_is_widened_by_who_has_it_there),
        WORLD_TEST(a_role_without_holders_goes_with_its_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
