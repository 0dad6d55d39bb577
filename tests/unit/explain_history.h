/* explain_history: random histories of everything that bears on a right, for test_explain.
 * SPDX-License-Identifier: MIT */
#ifndef CH_TESTS_EXPLAIN_HISTORY_H
#define CH_TESTS_EXPLAIN_HISTORY_H
#include "tests/unit/core_world.h"

enum { PEOPLE = 7, ACCOUNTS = 4, GROUPS = 4, RESOURCES = 2, KEYS = 8 };

struct chance {
    uint64_t state;
};

/* splitmix64. source: prng.di.unimi.it/splitmix64.c */
static inline uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t below(struct chance *c, uint32_t bound)
{
    return (uint32_t)(chance_next(c) % bound);
}

static const char *const resources[RESOURCES] = {"L1", "L2"};

struct people {
    uint64_t user[PEOPLE];
    uint64_t account[ACCOUNTS]; /* top, mid, low, side */
    uint64_t group[GROUPS];     /* of top; of mid, one below it, one below that */
    uint64_t key[KEYS];
    uint32_t keys;
};

/* Scopes that everything here bears on: few, so that they meet. */
static const uint8_t met[] = {
    CH_SCOPE_lists_select,       CH_SCOPE_lists_select,  CH_SCOPE_campaigns_send,
    CH_SCOPE_campaigns_send,     CH_SCOPE_lists_read,    CH_SCOPE_campaigns_update,
    CH_SCOPE_transactional_send, CH_SCOPE_reports_read,  CH_SCOPE_subaccounts_create,
    CH_SCOPE_api_keys_create,    CH_SCOPE_account_close, CH_SCOPE_shares_update};
enum { METS = sizeof met };

static inline struct ch_scopes some_scopes(struct chance *c)
{
    struct ch_scopes some = {{0, 0}};
    for (uint32_t count = 1 + below(c, 4); count > 0; count--) {
        ch_scopes_add(&some, met[below(c, METS)]);
    }
    return some;
}

static inline struct ch_scopes list_scopes(struct chance *c)
{
    static const uint8_t scopes[] = {CH_SCOPE_lists_read, CH_SCOPE_campaigns_send,
                                     CH_SCOPE_lists_select};
    return ch_scopes_or(ch_scopes_of(scopes[below(c, 3)]), ch_scopes_of(scopes[below(c, 3)]));
}

/* One command about a share; what it comes to is not foretold. */
static inline int share_step(struct world *w, const struct people *p, struct chance *c,
                             uint64_t actor, uint64_t on)
{
    const bool group = below(c, 3) == 0;
    const struct ch_ref user = {.id = p->user[below(c, PEOPLE)]};
    const struct ch_ref team = {.id = p->group[below(c, GROUPS)]};
    const uint32_t pick = below(c, (uint32_t)ch_role_count() + 4);
    const struct ch_text role = ch_text_of(pick < ch_role_count() ? ch_role_at(pick).name : "crew");
    const struct ch_text chosen[RESOURCES] = {ch_text_of(resources[0]), ch_text_of(resources[1])};
    const bool all = below(c, 3) == 0;
#define SUBJECT .has_user = !group, .user = user, .has_group = group, .group = team
    switch (below(c, 12)) {
    case 0:
    case 1:
    case 2:
        return RUN(w, actor, share_give, on, SUBJECT, .has_role = below(c, 4) != 0,
                   .role = {.name = role}, .has_reach = true, .reach = (uint8_t)below(c, 2),
                   .has_kind = below(c, 6) == 0 && !group, .kind = CH_share_kind_login,
                   .has_expires_at = below(c, 6) == 0, .expires_at = w->now + 1 + below(c, 90));
    case 3:
        return RUN(w, actor, share_set_role, on, SUBJECT, .has_role = below(c, 4) != 0,
                   .role = {.name = role}, .has_reach = true, .reach = (uint8_t)below(c, 2));
    case 4:
        return RUN(w, actor, share_restrict, on, SUBJECT, .has_scopes = below(c, 3) != 0,
                   .scopes = some_scopes(c));
    case 5:
        return RUN(w, actor, share_grant, on, SUBJECT, .kind = CH_resource_kind_list,
                   .resource = chosen[below(c, RESOURCES)], .scopes = list_scopes(c));
    case 6:
        return RUN(w, actor, share_revoke, on, SUBJECT, .kind = CH_resource_kind_list,
                   .resource = chosen[below(c, RESOURCES)]);
    case 7:
        if (below(c, 2) == 0) return RUN(w, actor, share_deactivate, on, SUBJECT);
        return RUN(w, OPERATOR, share_restrict, on, SUBJECT);
    case 8: return RUN(w, actor, share_activate, on, SUBJECT);
    case 9:
        return RUN(w, actor, share_limit, on, SUBJECT, .kind = CH_resource_kind_list,
                   .has_all = true, .all = all, .resources = chosen,
                   .resources_len = all ? 0 : 1 + below(c, 2));
    case 10: return RUN(w, actor, share_set_scopes, on, SUBJECT, .scopes = some_scopes(c));
    default:
        if (below(c, 3) == 0) return RUN(w, actor, share_end, on, SUBJECT);
        return RUN(w, OPERATOR, share_give, on, SUBJECT, ROLE("user"), SUBTREE);
    }
#undef SUBJECT
}

static inline int account_step(struct world *w, const struct people *p, struct chance *c,
                               uint64_t actor, uint64_t on)
{
    static const struct ch_named reason = {.text = {"because", 7}};
    const struct ch_ref sub = {.id = p->account[1 + below(c, ACCOUNTS - 1)]};
    const uint8_t stream = (uint8_t)below(c, 2);
    switch (below(c, 12)) {
    case 0:
        return below(c, 2) == 0 ? 0 : RUN(w, actor, guardrail_set, on, .scopes = some_scopes(c));
    case 1: return RUN(w, OPERATOR, guardrail_set, on, .scopes = {{0, 0}});
    case 2:
        return RUN(w, OPERATOR, account_set_switches, sub.id == w->low ? w->mid : w->top,
                   .account = sub, .has_content_locked = true, .content_locked = below(c, 3) == 0);
    case 3:
        return RUN(w, below(c, 2) == 0 ? OPERATOR : w->owner, account_suspend, on,
                   .reason = reason);
    case 4: return RUN(w, OPERATOR, account_resume, on, .reason = reason);
    case 5: return RUN(w, w->owner, account_resume, on, .reason = reason);
    case 6:
        return RUN(w, below(c, 2) == 0 ? OPERATOR : w->owner, stream_stop, on, .stream = stream,
                   .reason = reason);
    case 7: return RUN(w, OPERATOR, stream_resume, on, .stream = stream, .reason = reason);
    case 8: return RUN(w, w->owner, stream_resume, on, .stream = stream, .reason = reason);
    case 9:
        return RUN(w, OPERATOR, plan_change, w->top, .has_paid = true, .paid = below(c, 2) == 0);
    case 10:
        return below(c, 6) == 0
                   ? RUN(w, w->owner, account_close, on, .has_below = true, .below = true)
                   : 0;
    default: return RUN(w, OPERATOR, account_reopen, on, .has_below = true, .below = true);
    }
}

static inline int key_step(struct world *w, struct people *p, struct chance *c, uint64_t on)
{
    char name[16];
    const bool master = below(c, 3) == 0;
    if (p->keys == KEYS) {
        const uint32_t gone = below(c, KEYS);
        if (RUN(w, OPERATOR, key_revoke, on, .key = {p->key[gone]}) != CH_REJ_none) return 0;
        p->key[gone] = p->key[--p->keys];
        return 0;
    }
    (void)snprintf(name, sizeof name, "k%llu", (unsigned long long)w->messages);
    const int code = RUN(w, OPERATOR, key_create, on, .name = ch_text_of(name), .has_kind = true,
                         .kind = (uint8_t)(master ? CH_key_kind_master : CH_key_kind_account),
                         .scopes = some_scopes(c), .has_expires_at = false);
    if (code == CH_REJ_none) p->key[p->keys++] = w->made;
    return code;
}

static inline int history_step(struct world *w, struct people *p, struct chance *c, uint64_t actor)
{
    const uint64_t on = p->account[below(c, ACCOUNTS)];
    const struct ch_ref user = {.id = p->user[below(c, PEOPLE)]};
    const struct ch_ref team = {.id = p->group[below(c, GROUPS)]};
    switch (below(c, 16)) {
    case 0:
    case 1: return RUN(w, OPERATOR, group_add, on, .group = team, .user = user);
    case 2: return RUN(w, actor, group_remove, on, .group = team, .user = user);
    case 3:
        return RUN(w, OPERATOR, group_move, on, .group = team, .has_parent = below(c, 4) != 0,
                   .parent = {.id = p->group[below(c, GROUPS)]});
    case 4: return RUN(w, actor, role_define, on, .name = TEXT("crew"), .scopes = some_scopes(c));
    case 5:
    case 6: return account_step(w, p, c, actor, on);
    case 7:
        return below(c, 8) == 0 ? RUN(w, OPERATOR, user_lock, 0, .user = user)
                                : RUN(w, OPERATOR, user_unlock, 0, .user = user);
    case 8: return key_step(w, p, c, on);
    default: return share_step(w, p, c, actor, on);
    }
}

/* What stops everybody everywhere ends, so that not all of a history is refused. */
static inline void heal(struct world *w, const struct people *p)
{
    static const struct ch_named reason = {.text = {"because", 7}};
    (void)RUN(w, OPERATOR, account_reopen, w->top, .has_below = true, .below = true);
    for (int a = 0; a < ACCOUNTS; a++) {
        (void)RUN(w, OPERATOR, account_resume, p->account[a], .reason = reason);
        (void)RUN(w, w->owner, account_resume, p->account[a], .reason = reason);
        (void)RUN(w, OPERATOR, guardrail_set, p->account[a], .scopes = {{0, 0}});
    }
    for (int u = 0; u < PEOPLE; u++) {
        (void)RUN(w, OPERATOR, user_unlock, 0, .user = {.id = p->user[u]});
    }
}

static inline void make_people(struct world *w, struct people *p)
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
    p->group[3] = add_group(w, w->mid, p->group[2], "guests");
    GIVE(w, w->top, USER(w->ann), ROLE("account_manager"), SUBTREE);
    GIVE(w, w->mid, USER(w->bob), ROLE("account_manager"));
    GIVE(w, w->side, USER(w->cy), ROLE("full"));
    GIVE(w, w->mid, USER(p->user[4]), ROLE("user"));
    assert_int_equal(RUN(w, OPERATOR, plan_set, w->top, .name = TEXT("Plan"), .total = 1000),
                     CH_REJ_none);
}
#endif
