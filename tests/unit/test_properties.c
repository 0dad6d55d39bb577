/* test_properties: what must hold whatever people do, over random histories and over all pairs of
 * roles. SPDX-License-Identifier: MIT
 * The seed is CH_TEST_SEED from the environment, or a fixed one; it is printed. After each accepted
 * command of a person the rights of everybody everywhere are compared with those before. */
#include "tests/unit/core_world.h"

#include <stdlib.h>

enum { PEOPLE = 7, ACCOUNTS = 4, GROUPS = 3, RESOURCES = 2, STEPS = 10000, KINDS_OF_QUESTION = 3 };

struct chance {
    uint64_t state;
};

/* splitmix64. source: prng.di.unimi.it/splitmix64.c */
static uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(struct chance *c, uint32_t bound)
{
    return (uint32_t)(chance_next(c) % bound);
}

static const char *const resources[RESOURCES] = {"L1", "L2"};

struct people {
    uint64_t user[PEOPLE];
    uint64_t account[ACCOUNTS]; /* top, mid, low, side */
    uint64_t group[GROUPS];     /* of top, of mid, of mid below the one before */
};

/* The rights of everybody: on all resources, on L1, on L2. */
struct rights {
    struct ch_scopes has[PEOPLE][ACCOUNTS][KINDS_OF_QUESTION];
};

static struct ch_scopes all_scopes(void)
{
    struct ch_scopes all = {{0, 0}};
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name != NULL) ch_scopes_add(&all, (uint8_t)scope);
    }
    return all;
}

static struct ch_scopes rights_of(const struct world *w, uint64_t user, uint64_t account,
                                  const char *resource)
{
    struct ch_question question = {.user = ch_find_user(&w->state, user),
                                   .account = ch_find_account(&w->state, account),
                                   .wanted = all_scopes(),
                                   .has_resource = resource != NULL,
                                   .channel = CH_channel_web,
                                   .now = w->now};
    if (resource != NULL) question.resource = ch_text_find(&w->state, ch_text_of(resource));
    struct ch_answer answer;
    ch_access(&w->state, &question, &answer, NULL, NULL);
    return answer.given;
}

static void rights_now(const struct world *w, const struct people *p, struct rights *ret)
{
    for (int u = 0; u < PEOPLE; u++) {
        for (int a = 0; a < ACCOUNTS; a++) {
            ret->has[u][a][0] = rights_of(w, p->user[u], p->account[a], NULL);
            for (int r = 0; r < RESOURCES; r++) {
                ret->has[u][a][1 + r] = rights_of(w, p->user[u], p->account[a], resources[r]);
            }
        }
    }
}

/* ---- the pairs of roles -------------------------------------------------------------------- */

static void expect_pair(struct world *w, size_t giver, size_t given)
{
    const struct ch_set_row wanted = ch_role_at(given);
    const struct ch_text name = ch_text_of(wanted.name);
    const struct ch_scopes own = rights_of(w, w->ann, w->mid, NULL);
    const bool may_give = ch_scopes_has(own, CH_SCOPE_shares_create);
    const bool covers = ch_scopes_empty(ch_scopes_but(wanted.scopes, own));
    const bool owner = strcmp(wanted.name, "owner") == 0;
    const int got =
        RUN(w, w->ann, share_give, w->mid, USER(w->bob), .has_role = true, .role = {.name = name});
    const int expected = !may_give ? CH_REJ_not_allowed
                         : !covers ? CH_REJ_uncovered_scopes
                         : owner   ? CH_REJ_owner_share
                                   : CH_REJ_none;
    if (got != expected) {
        fail_msg("%s gives %s: %s, not %s", ch_role_at(giver).name, wanted.name,
                 ch_rejections[got].name, ch_rejections[expected].name);
    }
    const struct ch_scopes bob = rights_of(w, w->bob, w->mid, NULL);
    assert_true(ch_scopes_empty(ch_scopes_but(bob, own)));
    assert_true(ch_scopes_empty(rights_of(w, w->bob, w->low, NULL)));
    assert_true(ch_scopes_empty(rights_of(w, w->bob, w->side, NULL)));
    assert_true(ch_scopes_empty(rights_of(w, w->bob, w->top, NULL)));
}

static void a_role_gives_another_only_what_it_covers_for_all_pairs(void **test)
{
    struct world *w = *test;
    for (size_t giver = 0; giver < ch_role_count(); giver++) {
        const struct ch_text name = ch_text_of(ch_role_at(giver).name);
        if (ch_text_is(name, "owner")) continue; /* sits on the root only */
        for (size_t given = 0; given < ch_role_count(); given++) {
            const struct ch_mark mark = ch_store_mark(&w->state.store);
            GIVE(w, w->mid, USER(w->ann), .has_role = true, .role = {.name = name});
            expect_pair(w, giver, given);
            ch_store_rollback(&w->state.store, mark);
        }
    }
}

static void the_owner_gives_every_role_but_their_own(void **test)
{
    struct world *w = *test;
    for (size_t given = 0; given < ch_role_count(); given++) {
        const struct ch_text name = ch_text_of(ch_role_at(given).name);
        const int got = RUN(w, w->owner, share_give, w->mid, USER(w->bob), .has_role = true,
                            .role = {.name = name});
        assert_int_equal(got, ch_text_is(name, "owner") ? CH_REJ_owner_share : CH_REJ_none);
        if (got == CH_REJ_none) {
            assert_int_equal(RUN(w, w->owner, share_end, w->mid, USER(w->bob)), CH_REJ_none);
        }
    }
}

/* ---- random histories ------------------------------------------------------------------------ */

static struct ch_scopes some_scopes(struct chance *c)
{
    struct ch_scopes some = {{0, 0}};
    const uint32_t count = 1 + below(c, 4);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t scope = (uint8_t)below(c, CH_MAX_SCOPE + 1);
        if (ch_scopes_table[scope].name != NULL) ch_scopes_add(&some, scope);
    }
    return some;
}

static struct ch_scopes list_scopes(struct chance *c)
{
    static const uint8_t scopes[] = {CH_SCOPE_lists_read, CH_SCOPE_contacts_read,
                                     CH_SCOPE_campaigns_send, CH_SCOPE_lists_select,
                                     CH_SCOPE_contacts_export};
    return ch_scopes_or(ch_scopes_of(scopes[below(c, 5)]), ch_scopes_of(scopes[below(c, 5)]));
}

/* One command about a share, by anybody, on any account; what it comes to is not foretold. */
static int share_step(struct world *w, const struct people *p, struct chance *c, uint64_t actor,
                      uint64_t on)
{
    const bool group = below(c, 4) == 0;
    const struct ch_ref user = {.id = p->user[below(c, PEOPLE)]};
    const struct ch_ref team = {.id = p->group[below(c, GROUPS)]};
    const uint32_t pick = below(c, (uint32_t)ch_role_count() + 4);
    const struct ch_text role = ch_text_of(pick < ch_role_count() ? ch_role_at(pick).name : "crew");
#define SUBJECT .has_user = !group, .user = user, .has_group = group, .group = team
    switch (below(c, 10)) {
    case 0:
    case 1:
        return RUN(w, actor, share_give, on, SUBJECT, .has_role = below(c, 4) != 0,
                   .role = {.name = role}, .has_reach = true, .reach = (uint8_t)below(c, 2));
    case 2:
        return RUN(w, actor, share_set_role, on, SUBJECT, .has_role = below(c, 4) != 0,
                   .role = {.name = role}, .has_reach = true, .reach = (uint8_t)below(c, 2));
    case 3:
        return RUN(w, actor, share_restrict, on, SUBJECT, .has_scopes = below(c, 3) != 0,
                   .scopes = some_scopes(c));
    case 4:
        return RUN(w, actor, share_grant, on, SUBJECT, .kind = CH_resource_kind_list,
                   .resource = ch_text_of(resources[below(c, RESOURCES)]),
                   .scopes = list_scopes(c));
    case 5:
        return RUN(w, actor, share_revoke, on, SUBJECT, .kind = CH_resource_kind_list,
                   .resource = ch_text_of(resources[below(c, RESOURCES)]));
    case 6: return RUN(w, actor, share_deactivate, on, SUBJECT);
    case 7: return RUN(w, actor, share_activate, on, SUBJECT);
    case 8: {
        const struct ch_text chosen[RESOURCES] = {ch_text_of(resources[0]),
                                                  ch_text_of(resources[1])};
        const bool all = below(c, 2) == 0;
        return RUN(w, actor, share_limit, on, SUBJECT, .kind = CH_resource_kind_list,
                   .has_all = true, .all = all, .resources = chosen,
                   .resources_len = all ? 0 : 1 + below(c, 2));
    }
    default: return RUN(w, actor, share_end, on, SUBJECT);
    }
#undef SUBJECT
}

static int step(struct world *w, const struct people *p, struct chance *c, uint64_t actor)
{
    const uint64_t on = p->account[below(c, ACCOUNTS)];
    const struct ch_ref user = {.id = p->user[below(c, PEOPLE)]};
    const struct ch_ref team = {.id = p->group[below(c, GROUPS)]};
    switch (below(c, 8)) {
    case 0: return RUN(w, actor, group_add, on, .group = team, .user = user);
    case 1: return RUN(w, actor, group_remove, on, .group = team, .user = user);
    case 2: return RUN(w, actor, guardrail_set, on, .scopes = some_scopes(c));
    case 3: return RUN(w, actor, role_define, on, .name = TEXT("crew"), .scopes = some_scopes(c));
    default: return share_step(w, p, c, actor, on);
    }
}

/* Nobody gains what the actor had not, and the actor gains nothing at all. */
static void nobody_gained(const struct people *p, const struct rights *before,
                          const struct rights *after, int actor, const char *what)
{
    for (int u = 0; u < PEOPLE; u++) {
        for (int a = 0; a < ACCOUNTS; a++) {
            for (int k = 0; k < KINDS_OF_QUESTION; k++) {
                const struct ch_scopes gained =
                    ch_scopes_but(after->has[u][a][k], before->has[u][a][k]);
                const struct ch_scopes had = before->has[actor][a][k];
                const struct ch_scopes beyond = u == actor ? gained : ch_scopes_but(gained, had);
                if (ch_scopes_empty(beyond)) continue;
                fail_msg("%s by person %d: person %d gained %llx %llx on account %d (question %d, "
                         "ids %llu, %llu)",
                         what, actor, u, (unsigned long long)beyond.words[0],
                         (unsigned long long)beyond.words[1], a, k, (unsigned long long)p->user[u],
                         (unsigned long long)p->account[a]);
            }
        }
    }
}

/* Whether any share of the user's or of a group could lead to the account. */
static bool is_led(const struct world *w, const struct people *p, int u, int a)
{
    for (uint32_t at = ch_find_account(&w->state, p->account[a]); at != 0;
         at = ch_account_row(&w->state, at)->parent) {
        const uint32_t user = ch_find_user(&w->state, p->user[u]);
        const uint32_t share = ch_find_share(&w->state, CH_subject_kind_user, user, at);
        if (share == 0 || ch_share_row(&w->state, share)->status != CH_share_status_active)
            continue;
        return true; /* its own, or one that may lead to a group */
    }
    return false;
}

static void what_must_hold(const struct world *w, const struct people *p, const struct rights *now)
{
    for (int u = 0; u < PEOPLE; u++) {
        for (int a = 0; a < ACCOUNTS; a++) {
            for (int k = 0; k < KINDS_OF_QUESTION; k++) {
                const struct ch_scopes has = now->has[u][a][k];
                /* sending to a list implies seeing it */
                if (ch_scopes_has(has, CH_SCOPE_campaigns_send)) {
                    assert_true(ch_scopes_has(has, CH_SCOPE_lists_select));
                }
                /* nothing flows sideways or upward */
                if (!is_led(w, p, u, a)) assert_true(ch_scopes_empty(has));
            }
            /* deny wins: what the own share of the account takes is not there */
            const uint32_t share =
                ch_find_share(&w->state, CH_subject_kind_user, ch_find_user(&w->state, p->user[u]),
                              ch_find_account(&w->state, p->account[a]));
            if (share == 0 || ch_share_row(&w->state, share)->status != CH_share_status_active) {
                continue;
            }
            const struct ch_scopes denied = ch_scopes_at(
                &w->state, ch_terms_of(&w->state, ch_share_row(&w->state, share))->denied);
            assert_true(ch_scopes_empty(ch_scopes_and(denied, now->has[u][a][0])));
        }
    }
}

static void make_people(struct world *w, struct people *p)
{
    static const char *const names[] = {"dan", "eve", "fay"};
    *p = (struct people){.user = {w->owner, w->ann, w->bob, w->cy},
                         .account = {w->top, w->mid, w->low, w->side}};
    for (int i = 0; i < 3; i++) {
        p->user[4 + i] = add_user(w, names[i]);
    }
    p->group[0] = add_group(w, w->top, 0, "writers");
    p->group[1] = add_group(w, w->mid, 0, "editors");
    p->group[2] = add_group(w, w->mid, p->group[1], "juniors");
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->mid, USER(w->bob), ROLE("account_manager"));
    GIVE(w, w->side, USER(w->cy), ROLE("full"));
    GIVE(w, w->mid, USER(p->user[4]), ROLE("user"));
}

static void no_history_gives_anybody_more_than_its_actors_had(void **test)
{
    struct world *w = *test;
    const char *given = getenv("CH_TEST_SEED");
    struct chance c = {given != NULL ? strtoull(given, NULL, 10) : UINT64_C(20261126)};
    print_message("seed %llu\n", (unsigned long long)c.state);
    struct people p;
    make_people(w, &p);
    struct rights before;
    struct rights after;
    rights_now(w, &p, &before);
    uint32_t accepted = 0;
    for (int i = 0; i < STEPS; i++) {
        char what[64];
        const bool operator= below(&c, 6) == 0;
        const int actor = (int)below(&c, PEOPLE);
        const int code = step(w, &p, &c, operator? OPERATOR : p.user[actor]);
        rights_now(w, &p, &after);
        if (code == CH_REJ_none && w->count > 0) accepted++;
        (void)snprintf(what, sizeof what, "step %d, %s", i, ch_calls[w->type].args.name);
        if (!operator) nobody_gained(&p, &before, &after, actor, what);
        if (code != CH_REJ_none) assert_memory_equal(&before, &after, sizeof before);
        what_must_hold(w, &p, &after);
        before = after;
    }
    print_message("%u of %d commands changed something\n", accepted, STEPS);
    assert_true(accepted > STEPS / 20);
}

static void deactivation_holds_for_the_very_next_question(void **test)
{
    struct world *w = *test;
    struct people p;
    make_people(w, &p);
    join(w, w->mid, p.user[4], p.group[2]);
    GIVE(w, w->low, GROUP(p.group[1]), ROLE("collaborator"));
    assert_true(ch_scopes_has(rights_of(w, p.user[4], w->low, NULL), CH_SCOPE_campaigns_update));
    const struct ch_scopes had = rights_of(w, p.user[4], w->mid, NULL);
    assert_int_equal(RUN(w, w->ann, share_deactivate, w->mid, USER(p.user[4])), CH_REJ_none);
    assert_true(ch_scopes_empty(rights_of(w, p.user[4], w->mid, NULL)));
    assert_true(ch_scopes_empty(rights_of(w, p.user[4], w->low, NULL)));
    assert_int_equal(RUN(w, w->ann, share_activate, w->mid, USER(p.user[4])), CH_REJ_none);
    assert_true(ch_scopes_equal(rights_of(w, p.user[4], w->mid, NULL), had));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_role_gives_another_only_what_it_covers_for_all_pairs),
        WORLD_TEST(the_owner_gives_every_role_but_their_own),
        WORLD_TEST(no_history_gives_anybody_more_than_its_actors_had),
        WORLD_TEST(deactivation_holds_for_the_very_next_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
