/* generate: random commands and questions about a small world. SPDX-License-Identifier: MIT */
#include "tests/model/generate.h"

#include "tests/model/generate_impl.h"

#include "schema/base/check.h"

#include <stdio.h>

enum { MOST_USERS = 7, MOST_ACCOUNTS = 14, MOST_GROUPS = 24, MOST_ROLES = 20, MOST_SHARES = 120 };

const char *const m_labels[M_LABELS] = {"north", "south", "east", "west", "mid"};
const char *const m_people[M_PEOPLE] = {"ann", "bob", "cy", "dee", "eve", "flo", "gus", "hal"};
static const char *const teams[] = {"blue team", "red team", "ops",  "sales", "help", "night",
                                    "day",       "web",      "data", "legal", "art",  "mail"};
static const char *const roles[] = {"writer", "reader", "lead", "owner", "watcher", "user"};
static const char *const built_in[] = {
    "owner",   "account_manager", "full",    "account_manager", "user",       "list_manager",
    "watcher", "collaborator",    "watcher", "account_manager", "statistics", "owner"};
const char *const m_pages[M_PAGES] = {"files",      "lists",   "send",        "messages",
                                      "my_account", "reports", "no such page"};
static const uint8_t scopes[] = {
    CH_SCOPE_lists_read,     CH_SCOPE_contacts_export,    CH_SCOPE_campaigns_send,
    CH_SCOPE_campaigns_read, CH_SCOPE_reports_read,       CH_SCOPE_account_read,
    CH_SCOPE_shares_create,  CH_SCOPE_shares_update,      CH_SCOPE_shares_delete,
    CH_SCOPE_groups_update,  CH_SCOPE_groups_members,     CH_SCOPE_roles_update,
    CH_SCOPE_account_close,  CH_SCOPE_subaccounts_create, CH_SCOPE_guardrails_update,
    CH_SCOPE_templates_read, CH_SCOPE_api_keys_create,    CH_SCOPE_automations_run,
    CH_SCOPE_lists_select,   CH_SCOPE_lists_update,       CH_SCOPE_campaigns_update,
    CH_SCOPE_files_update,   CH_SCOPE_subaccounts_update,
};
static const char *const domains[] = {"mail.example.org", "example.net", ""};
static const int account_types[] = {
    CH_CMD_account_rename,       CH_CMD_account_set_from_domain, CH_CMD_account_request_master,
    CH_CMD_account_grant_master, CH_CMD_account_decline_master,  CH_CMD_account_set_switches,
    CH_CMD_account_suspend,      CH_CMD_account_resume,          CH_CMD_account_resume,
    CH_CMD_account_reopen,       CH_CMD_account_reopen,          CH_CMD_ownership_offer,
    CH_CMD_ownership_offer,      CH_CMD_ownership_withdraw,      CH_CMD_ownership_accept,
    CH_CMD_ownership_accept,     CH_CMD_ownership_decline,       CH_CMD_ownership_assign,
};

uint32_t m_below(struct m_random *random, uint32_t bound)
{
    /* splitmix64; source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" */
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % bound);
}

struct ch_scopes m_some_scopes(struct m_random *random, uint32_t most)
{
    struct ch_scopes set = {{0, 0}};
    for (uint32_t i = m_below(random, most + 1); i > 0; i--) {
        ch_scopes_add(&set, scopes[m_below(random, COUNT(scopes))]);
    }
    return set;
}

void m_put(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s", name);
}

void m_pick_name(struct o_pick *pick, const char *name)
{
    pick->given = true;
    pick->id = 0;
    m_put(pick->name, sizeof pick->name, name);
}

static bool pick_nobody(struct m_random *random, struct o_pick *pick)
{
    if (!m_chance(random, 1)) return false;
    if (m_chance(random, 50)) {
        *pick = (struct o_pick){.given = true, .id = NOBODY};
    } else {
        m_pick_name(pick, "nobody");
    }
    return true;
}

static void path_of(struct o_world *w, const struct o_account *a, char *out, size_t size)
{
    char above[3 * O_NAME] = "";
    if (a->parent == 0) {
        m_put(out, size, a->name);
        return;
    }
    path_of(w, o_account(w, a->parent), above, sizeof above);
    m_put(out, size, above);
    size_t len = strlen(out);
    snprintf(out + len, size - len, "/%s", a->name);
}

struct o_account *m_pick_account(struct m_random *random, struct o_world *w, struct o_pick *pick)
{
    if (w->account_count == 0 || pick_nobody(random, pick)) {
        if (!pick->given) m_pick_name(pick, "nobody");
        return NULL;
    }
    /* Most often where people have shares. */
    struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
    for (int i = 0; i < 60 && m_chance(random, 97); i++) {
        const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
        if (s->id == 0) continue;
        a = o_account(w, s->account);
        break;
    }
    bool named = true; /* one that is dissolved has no name any more */
    for (uint64_t up = a->id; up != 0; up = o_account(w, up)->parent) {
        named = named && !o_account(w, up)->dissolved;
    }
    if (!named || m_chance(random, 60)) {
        *pick = (struct o_pick){.given = true, .id = a->id};
    } else {
        char path[3 * O_NAME];
        path_of(w, a, path, sizeof path);
        m_pick_name(pick, path);
    }
    return a;
}

void m_pick_user(struct m_random *random, struct o_world *w, struct o_pick *pick)
{
    if (w->user_count == 0 || pick_nobody(random, pick)) {
        if (!pick->given) m_pick_name(pick, "nobody");
        return;
    }
    const struct o_user *u = &w->users[m_below(random, (uint32_t)w->user_count)];
    uint32_t way = m_below(random, 4);
    if (way == 0 && u->username[0] != 0) {
        m_pick_name(pick, u->username);
    } else if (way == 1 && u->email[0] != 0) {
        m_pick_name(pick, u->email);
    } else {
        *pick = (struct o_pick){.given = true, .id = u->id};
    }
}

/* A group, most often one of the account. False: there is none such, and nothing is picked. */
static bool pick_group(struct m_random *random, struct o_world *w, const struct o_account *on,
                       struct o_pick *pick)
{
    if (pick_nobody(random, pick)) return true;
    const struct o_group *g = NULL;
    bool anywhere = on == NULL || m_chance(random, 3);
    for (int i = 0; i < 600 && g == NULL; i++) {
        const struct o_group *other = &w->groups[m_below(random, O_GROUPS)];
        if (other->id == 0) continue;
        if (anywhere || other->account == on->id ||
            (o_stands_in(w, on->id, other->account) && m_chance(random, 15))) {
            g = other;
        }
    }
    if (g == NULL) return false;
    if (m_chance(random, 30)) {
        m_pick_name(pick, g->name);
    } else {
        *pick = (struct o_pick){.given = true, .id = g->id};
    }
    return true;
}

void m_pick_role(struct m_random *random, struct o_world *w, const struct o_account *on,
                 struct o_pick *pick)
{
    if (pick_nobody(random, pick)) return;
    m_pick_name(pick, built_in[m_below(random, COUNT(built_in))]);
    if (m_chance(random, 40)) return;
    const struct o_role *r = &w->roles[m_below(random, (uint32_t)w->role_count)];
    for (int i = 0; i < 20 && on != NULL && r->account != on->id && !m_chance(random, 2); i++) {
        r = &w->roles[m_below(random, (uint32_t)w->role_count)];
    }
    if (on != NULL && r->account != on->id && m_chance(random, 95)) return;
    if (m_chance(random, 60)) {
        *pick = (struct o_pick){.given = true, .id = r->id};
    } else {
        m_pick_name(pick, r->name);
    }
}

static void pick_subject(struct m_random *random, struct o_world *w, const struct o_account *on,
                         struct o_command *c)
{
    bool odd = m_chance(random, 4);
    bool user = m_chance(random, 65);
    bool both = odd && m_chance(random, 50);
    if (odd && !both) return;
    /* Most often somebody who has a share there. */
    if (user || both) {
        m_pick_user(random, w, &c->user);
        for (int i = 0; i < 100 && on != NULL && c->type != CH_CMD_share_give; i++) {
            const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
            if (s->id == 0 || s->account != on->id || s->subject_kind != 0) continue;
            c->user = (struct o_pick){.given = true, .id = s->subject};
            break;
        }
    }
    if (!user || both) {
        if (!pick_group(random, w, on, &c->group) && !both && !odd) {
            m_pick_user(random, w, &c->user);
        }
        for (int i = 0; i < 100 && on != NULL && c->type != CH_CMD_share_give; i++) {
            const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
            if (s->id == 0 || s->account != on->id || s->subject_kind == 0) continue;
            c->group = (struct o_pick){.given = true, .id = s->subject};
            break;
        }
    }
}

void m_some_expiry(struct m_random *random, struct o_command *c)
{
    c->has_expiry = true;
    c->expires_at = c->now + m_below(random, 60);
    if (random->whole && m_chance(random, 70)) {
        c->expires_at = c->now + m_below(random, 30) * O_DAY_NS;
    }
    if (m_chance(random, 10)) c->expires_at = c->now - m_below(random, 3);
}

/* The deepest group of the account, so that chains grow long; or any. */
static void pick_deepest(struct m_random *random, struct o_world *w, const struct o_account *on,
                         struct o_pick *pick)
{
    const struct o_group *deepest = NULL;
    int most = 0;
    for (size_t i = 0; i < O_GROUPS && on != NULL; i++) {
        const struct o_group *g = &w->groups[i];
        int depth = 0;
        for (uint64_t up = g->id; up != 0; up = o_group(w, up)->parent) {
            depth++;
        }
        if (depth <= most || g->account != on->id) continue;
        deepest = g;
        most = depth;
    }
    if (deepest == NULL || m_chance(random, 40)) {
        (void)pick_group(random, w, on, pick);
    } else {
        *pick = (struct o_pick){.given = true, .id = deepest->id};
    }
}

/* For adding, most often somebody of the account; for removing, a membership. */
static void pick_member(struct m_random *random, struct o_world *w, const struct o_account *on,
                        struct o_command *c)
{
    for (int i = 0; i < 400 && on != NULL && c->type == CH_CMD_group_add; i++) {
        const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
        if (s->id == 0 || s->account != on->id || s->subject_kind != 0) continue;
        c->user = (struct o_pick){.given = true, .id = s->subject};
        return;
    }
    for (int i = 0; i < 400 && on != NULL && c->type == CH_CMD_group_remove; i++) {
        const struct o_member *m = &w->members[m_below(random, O_MEMBERS)];
        if (m->group == 0 || o_group(w, m->group)->account != on->id) continue;
        c->user = (struct o_pick){.given = true, .id = m->user};
        c->group = (struct o_pick){.given = true, .id = m->group};
        return;
    }
}

/* Most often a grant that there is. */
static void pick_grant(struct m_random *random, struct o_world *w, const struct o_account *on,
                       struct o_command *c)
{
    for (int i = 0; i < 600 && on != NULL; i++) {
        const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
        if (s->id == 0 || s->account != on->id) continue;
        for (uint32_t k = 1; k < O_KINDS; k++) {
            const uint8_t kind = (uint8_t)k;
            for (uint32_t n = 0; n < O_RESOURCES; n++) {
                const uint8_t r = (uint8_t)n;
                if (!s->granted[kind][r] || m_chance(random, 30)) continue;
                struct o_pick subject = {.given = true, .id = s->subject};
                memset(&c->user, 0, sizeof c->user);
                memset(&c->group, 0, sizeof c->group);
                *(s->subject_kind == CH_subject_kind_user ? &c->user : &c->group) = subject;
                c->resource_kind = kind;
                c->resource = r;
                return;
            }
        }
    }
}

static void fill_share(struct m_random *random, struct o_world *w, const struct o_account *on,
                       struct o_command *c)
{
    pick_subject(random, w, on, c);
    c->resource_kind = (uint8_t)(m_chance(random, 70) ? 1 : m_below(random, O_KINDS));
    c->resource = (uint8_t)m_below(random, O_RESOURCES);
    if (c->type == CH_CMD_share_give) {
        if (m_chance(random, 85)) m_pick_role(random, w, on, &c->role);
        c->has_share_kind = m_chance(random, 30);
        c->share_kind = (uint8_t)m_below(random, 2);
        if (m_chance(random, 25)) m_some_expiry(random, c);
    }
    if (c->type == CH_CMD_share_set_role && m_chance(random, 60))
        m_pick_role(random, w, on, &c->role);
    if (c->type == CH_CMD_share_set_expiry && m_chance(random, 65)) m_some_expiry(random, c);
    if (c->type == CH_CMD_share_give || c->type == CH_CMD_share_set_role) {
        c->has_reach = m_chance(random, 50);
        if (c->has_reach) c->reach = (uint8_t)m_below(random, 2);
    }
    if (c->type == CH_CMD_share_limit) {
        c->has_flag = m_chance(random, 40);
        c->flag = c->has_flag && m_chance(random, 60);
        if (!c->flag) c->resources = (uint8_t)m_below(random, 1U << O_RESOURCES);
    }
    if (c->type == CH_CMD_share_restrict) {
        c->has_scopes = m_chance(random, 70);
        if (c->has_scopes) c->scopes = m_some_scopes(random, 3);
        c->page_count = m_chance(random, 40) ? m_below(random, O_PICKED_PAGES + 1) : 0;
        for (uint32_t i = 0; i < c->page_count; i++) {
            m_pick_name(&c->pages[i], m_pages[m_below(random, M_PAGES * 8) / 8]);
        }
    }
    if (c->type == CH_CMD_share_end || c->type == CH_CMD_share_deactivate) {
        c->has_flag = random->whole && m_chance(random, 50);
        c->flag = c->has_flag && m_chance(random, 80);
    }
    if (c->type == CH_CMD_share_set_scopes && m_chance(random, 80)) {
        c->scopes = m_some_scopes(random, 4);
    }
    if (c->type == CH_CMD_share_revoke && m_chance(random, 75)) pick_grant(random, w, on, c);
    if (c->type == CH_CMD_share_set_role && m_chance(random, 35)) pick_grant(random, w, on, c);
    if (c->type == CH_CMD_share_grant) {
        c->scopes = m_some_scopes(random, 12);
        bool fitting = m_chance(random, 90);
        for (uint8_t s = 0; s <= CH_MAX_SCOPE && fitting; s++) {
            bool fits = ch_scopes_table[s].resource_kind == c->resource_kind;
            if (!fits) c->scopes = ch_scopes_but(c->scopes, ch_scopes_of(s));
        }
    }
}

/* Most often of an account right below the one the command is on. */
static void some_switches(struct m_random *random, struct o_world *w, const struct o_account *on,
                          struct o_command *c)
{
    const uint32_t often = c->type == CH_CMD_account_open_sub ? 15 : 70;
    for (uint32_t i = 0; i < O_SWITCHES; i++) {
        const bool seldom = i != CH_setting_switch_content_locked;
        c->has_switch[i] = m_chance(random, seldom ? often / 3 : often);
        c->switch_on[i] = c->has_switch[i] && m_chance(random, 50);
    }
    if (c->type == CH_CMD_account_open_sub) return;
    (void)m_pick_account(random, w, &c->below);
    for (int i = 0; i < 60 && on != NULL && !m_chance(random, 2); i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        if (a->parent != on->id) continue;
        c->below = (struct o_pick){.given = true, .id = a->id};
        return;
    }
}

static void fill_other(struct m_random *random, struct o_world *w, const struct o_account *on,
                       struct o_command *c)
{
    const char *name = NULL;
    if (c->type == CH_CMD_account_open_master || c->type == CH_CMD_account_open_sub) {
        name = m_labels[m_below(random, M_LABELS)];
    }
    if (c->type == CH_CMD_account_open_sub && random->whole) m_fill_sub(random, w, c);
    if (c->type == CH_CMD_account_open_sub || c->type == CH_CMD_account_set_switches) {
        some_switches(random, w, on, c);
    }
    if (c->type == CH_CMD_account_open_master) {
        if (m_chance(random, 80)) m_pick_user(random, w, &c->user);
        c->has_depth = m_chance(random, 70);
        if (c->has_depth)
            c->depth = m_chance(random, 90) ? 1 + m_below(random, 3) : 8 + m_below(random, 2);
    }
    if (c->type == CH_CMD_account_rename) name = m_labels[m_below(random, M_LABELS)];
    if (c->type == CH_CMD_account_set_from_domain) {
        m_put(c->domain, sizeof c->domain, domains[m_below(random, COUNT(domains))]);
    }
    if (c->type == CH_CMD_account_grant_master) {
        c->has_depth = m_chance(random, 70);
        if (c->has_depth) c->depth = m_below(random, m_chance(random, 90) ? 3 : 10);
    }
    if (c->type == CH_CMD_account_close || c->type == CH_CMD_account_reopen) {
        c->has_flag = m_chance(random, 50);
        c->flag = c->has_flag && m_chance(random, 50);
    }
    if (c->type == CH_CMD_guardrail_set && m_chance(random, 60)) {
        c->scopes = m_some_scopes(random, 2);
    }
    if (c->type == CH_CMD_user_create) {
        const char *who = m_people[m_below(random, M_PEOPLE)];
        c->has_name = m_chance(random, 70);
        c->has_email = m_chance(random, 70);
        c->has_full_name = m_chance(random, 50);
        m_put(c->full_name, sizeof c->full_name, m_people[m_below(random, M_PEOPLE)]);
        if (c->has_name) name = who;
        if (c->has_email) {
            snprintf(c->email, sizeof c->email, "%s@example.org",
                     m_people[m_below(random, M_PEOPLE)]);
        }
    }
    if (c->type == CH_CMD_user_lock || c->type == CH_CMD_user_unlock ||
        c->type == CH_CMD_user_erase || c->type == CH_CMD_group_add ||
        c->type == CH_CMD_group_remove) {
        m_pick_user(random, w, &c->user);
        pick_member(random, w, on, c);
    }
    if (c->type == CH_CMD_group_create) {
        name = teams[m_below(random, COUNT(teams))];
        if (m_chance(random, 75)) pick_deepest(random, w, on, &c->parent);
    }
    if (c->type == CH_CMD_group_move && m_chance(random, 75)) {
        (void)pick_group(random, w, on, &c->parent);
    }
    if (c->type > CH_CMD_group_create && c->type <= CH_CMD_group_remove) {
        if (!c->group.given && !pick_group(random, w, on, &c->group)) {
            m_pick_name(&c->group, teams[m_below(random, COUNT(teams))]);
        }
    }
    if (c->type == CH_CMD_role_define) {
        name = roles[m_below(random, COUNT(roles))];
        c->scopes = m_some_scopes(random, 12);
    }
    if (name != NULL) m_put(c->name, sizeof c->name, name);
}

static size_t used_groups(const struct o_world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < O_GROUPS; i++) {
        n += w->groups[i].id != 0;
    }
    return n;
}

static size_t used_shares(const struct o_world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < O_SHARES; i++) {
        n += w->shares[i].id != 0;
    }
    return n;
}

static size_t used_keys(const struct o_world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < O_KEYS; i++) {
        n += w->keys[i].id != 0;
    }
    return n;
}

/* Shares come often, accounts and people mostly at first, ends seldom. */
static int some_structure(struct m_random *random, const struct o_world *w)
{
    for (;;) {
        int type = (int)m_below(random, CH_CMD_role_define + 1);
        if (m_chance(random, 20)) type = CH_CMD_share_give;
        if (m_chance(random, 8)) return account_types[m_below(random, COUNT(account_types))];
        if (m_chance(random, 6)) type = CH_CMD_share_grant;
        if (m_chance(random, 4)) type = CH_CMD_group_create;
        bool system = type == CH_CMD_user_create || type == CH_CMD_user_lock ||
                      type == CH_CMD_user_unlock || type == CH_CMD_account_open_master;
        if (system && !m_chance(random, 25)) continue;
        if (type == CH_CMD_user_erase && !m_chance(random, 5)) continue;
        if (w->user_count < 4 && m_chance(random, 60)) type = CH_CMD_user_create;
        if (w->account_count < 4 && m_chance(random, 60)) {
            type = w->account_count == 0 || m_chance(random, 20) ? CH_CMD_account_open_master
                                                                 : CH_CMD_account_open_sub;
        }
        bool account = type == CH_CMD_account_open_master || type == CH_CMD_account_open_sub;
        bool group = type > CH_CMD_group_create && type <= CH_CMD_group_remove;
        if (type == CH_CMD_account_close && !m_chance(random, 12)) continue;
        if (type == CH_CMD_group_delete && !m_chance(random, 30)) continue;
        if (type == CH_CMD_share_end && !m_chance(random, 40)) continue;
        if (group && used_groups(w) == 0) continue;
        if (account && w->account_count >= MOST_ACCOUNTS) continue;
        if (account && w->account_count >= 6 && !m_chance(random, 15)) continue;
        if (type == CH_CMD_user_create && w->user_count >= MOST_USERS) continue;
        if (account && used_keys(w) >= MOST_KEYS) continue;
        if (type == CH_CMD_group_create && used_groups(w) >= MOST_GROUPS) continue;
        if (type == CH_CMD_role_define && w->role_count >= MOST_ROLES) continue;
        if (type == CH_CMD_share_give && used_shares(w) >= MOST_SHARES) continue;
        return type;
    }
}

static bool may_send(struct o_world *w, const struct o_account *on, const struct o_command *c,
                     uint64_t user)
{
    const struct o_question q = {.user = user,
                                 .account = on->id,
                                 .wanted = ch_scopes_of(ch_calls[c->type].scope),
                                 .any = true,
                                 .channel = CH_channel_web,
                                 .now = c->now};
    struct o_answer answer;
    o_access(w, &q, &answer);
    return answer.decision == CH_decision_allowed;
}

bool m_person_there(struct m_random *random, struct o_world *w, const struct o_account *on,
                    struct o_command *c)
{
    const struct o_share *found = NULL;
    uint32_t tries = random->whole && m_chance(random, 75) ? 12 : 1;
    for (int i = 0; i < 300 && tries > 0; i++) {
        const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user) continue;
        if (!o_stands_in(w, on->id, s->account)) continue;
        if (s->account != on->id && s->reach != CH_reach_subtree && !m_chance(random, 10)) continue;
        found = s;
        if (--tries > 0 && may_send(w, on, c, s->subject)) tries = 0;
    }
    if (found == NULL) return false;
    c->actor_kind = CH_actor_kind_user;
    c->channel = m_chance(random, random->whole ? 90 : 75) ? CH_channel_web : CH_channel_api;
    c->actor = found->subject;
    return true;
}

/* Whoever sends it: most often somebody who might. */
static void some_actor(struct m_random *random, struct o_world *w, const struct o_account *on,
                       struct o_command *c)
{
    c->actor_kind = CH_actor_kind_operator;
    c->channel = CH_channel_operator;
    if (m_chance(random, 3)) {
        c->actor_kind = CH_actor_kind_service;
        c->actor = 1000 + m_below(random, 2);
        c->channel = CH_channel_api;
        return;
    }
    if (w->user_count == 0 || m_chance(random, ch_calls[c->type].on ? 35 : 90)) return;
    c->actor_kind = CH_actor_kind_user;
    c->actor = w->users[m_below(random, (uint32_t)w->user_count)].id;
    c->channel = m_chance(random, 75) ? CH_channel_web : CH_channel_api;
    if (on == NULL || m_chance(random, 12)) return;
    if (m_person_there(random, w, on, c)) return;
    if (m_chance(random, 10)) return; /* nothing leads them there */
    c->actor_kind = CH_actor_kind_operator;
    c->actor = 0;
    c->channel = CH_channel_operator;
}

/* What takes something back goes, most often, to an account where there is something to take back,
 * and comes from who can. */
static void pick_standing(struct m_random *random, struct o_world *w, struct o_command *c)
{
    const bool reopens = c->type == CH_CMD_account_reopen;
    const bool resumes = c->type == CH_CMD_account_resume;
    const bool declines = c->type == CH_CMD_account_decline_master;
    if ((!reopens && !resumes && !declines) || w->account_count == 0) return;
    for (int i = 0; i < 60; i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        const bool own = a->suspended[0] && !a->suspended[1];
        if (reopens && !a->closed) continue;
        if (resumes && !a->suspended[0] && !a->suspended[1]) continue;
        if (declines && !a->asks_master) continue;
        c->on = (struct o_pick){.given = true, .id = a->id};
        c->has_expect = false;
        if (m_chance(random, 10) || (resumes && own)) return;
        c->actor_kind = CH_actor_kind_operator;
        c->actor = 0;
        c->channel = CH_channel_operator;
        return;
    }
}

/* An offer comes, most often, from the owner of a tree, and its answer from whom it was made to. */
static void fill_ownership(struct m_random *random, struct o_world *w, struct o_command *c)
{
    const bool offers = c->type == CH_CMD_ownership_offer;
    const bool assigns = c->type == CH_CMD_ownership_assign;
    const bool withdraws = c->type == CH_CMD_ownership_withdraw;
    const bool answers = c->type == CH_CMD_ownership_accept || c->type == CH_CMD_ownership_decline;
    if (offers || assigns) m_pick_user(random, w, &c->user);
    if (answers) (void)m_pick_account(random, w, &c->account);
    if (w->account_count == 0 || (!offers && !assigns && !withdraws && !answers)) return;
    for (int i = 0; i < 60 && !m_chance(random, 3); i++) {
        const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
        const struct o_share *s = &w->shares[m_below(random, O_SHARES)];
        const bool of_root = s->id != 0 && s->subject_kind == CH_subject_kind_user &&
                             o_account(w, s->account)->parent == 0;
        if ((withdraws || answers) && a->offered_to == 0) continue;
        if (assigns && (!of_root || !m_chance(random, 20))) continue;
        if (offers && !of_root) continue;
        const uint64_t on = withdraws ? a->id : s->account;
        const uint64_t who = answers ? a->offered_to : o_owner(w, on);
        if (!assigns && who == 0) continue;
        if (answers) {
            c->account = (struct o_pick){.given = true, .id = a->id};
        } else {
            c->on = (struct o_pick){.given = true, .id = on};
            c->has_expect = false;
        }
        if (assigns) return;
        c->actor = who;
        c->actor_kind = CH_actor_kind_user;
        c->channel = CH_channel_web;
        return;
    }
}

void m_generate(struct m_random *random, struct o_world *w, uint64_t now, struct o_command *ret)
{
    memset(ret, 0, sizeof *ret);
    const bool whole = random->whole && (random->wanted != NULL || m_chance(random, 55));
    ret->type = random->wanted != NULL ? *random->wanted
                : whole                ? m_some_command(random, w)
                                       : some_structure(random, w);
    ret->mailer = m_chance(random, 94);
    ret->now = now;
    const struct o_account *on = NULL;
    if (ch_calls[ret->type].on) {
        on = m_pick_account(random, w, &ret->on);
        if (ret->type == CH_CMD_group_create && on != NULL && m_chance(random, 60)) {
            on = &w->accounts[0]; /* one place where groups grow deep */
            ret->on = (struct o_pick){.given = true, .id = on->id};
        }
        /* Those whose own rules say who may send them look at `expect` before that. */
        const bool own = ch_calls[ret->type].who == CH_WHO_ANYONE;
        ret->has_expect = on != NULL && !own && m_chance(random, 5);
        if (ret->has_expect) ret->expect = on->last_seq - m_below(random, 2);
    }
    if (whole) {
        m_actor(random, w, on, ret);
        m_fill(random, w, on, ret);
    } else {
        some_actor(random, w, on, ret);
    }
    pick_standing(random, w, ret);
    fill_ownership(random, w, ret);
    if (ret->type >= CH_CMD_share_give && ret->type <= CH_CMD_share_end) {
        fill_share(random, w, on, ret);
    } else {
        fill_other(random, w, on, ret);
    }
    if (whole) m_go_back(random, w, ret);
    if (random->whole) m_means(random, w, ret);
}

void m_question(struct m_random *random, uint64_t user, uint64_t key, uint64_t account,
                uint64_t now, struct o_question *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->user = user;
    ret->key = key;
    ret->account = account;
    while (ch_scopes_empty(ret->wanted)) {
        ret->wanted = m_some_scopes(random, m_chance(random, 70) ? 1 : 4);
    }
    ret->has_resource = m_chance(random, 50);
    if (ret->has_resource) ret->resource = (uint8_t)m_below(random, O_RESOURCES + 1);
    ret->any = !ret->has_resource && m_chance(random, 50);
    ret->granting = m_chance(random, 20);
    ret->channel = m_chance(random, 50) ? CH_channel_web : CH_channel_api;
    ret->now = now + (m_chance(random, 60) ? 0 : m_below(random, 70));
}
