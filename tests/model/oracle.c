/* oracle: the plain world, and what ends with what. SPDX-License-Identifier: MIT */
#include "tests/model/oracle.h"

#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/event.h"

const char *const o_resources[O_RESOURCES] = {"red", "green", "blue", "white"};
const char *const o_restrictions[O_RESTRICTIONS] = {
    "files",      "lists",   "send",  "messages", "my_account", "billing",
    "complaints", "reports", "usage", "settings", "surveys"};

void o_start(struct o_world *w)
{
    memset(w, 0, sizeof *w);
}

struct o_account *o_account(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->account_count; i++) {
        if (id != 0 && w->accounts[i].id == id) return &w->accounts[i];
    }
    return NULL;
}

struct o_user *o_user(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->user_count; i++) {
        if (id != 0 && w->users[i].id == id) return &w->users[i];
    }
    return NULL;
}

struct o_group *o_group(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < O_GROUPS; i++) {
        if (id != 0 && w->groups[i].id == id) return &w->groups[i];
    }
    return NULL;
}

struct o_role *o_role(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->role_count; i++) {
        if (id != 0 && w->roles[i].id == id) return &w->roles[i];
    }
    return NULL;
}

struct o_share *o_share(struct o_world *w, uint8_t subject_kind, uint64_t subject, uint64_t account)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0 && s->subject_kind == subject_kind && s->subject == subject &&
            s->account == account) {
            return s;
        }
    }
    return NULL;
}

struct o_share *o_share_id(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < O_SHARES; i++) {
        if (id != 0 && w->shares[i].id == id) return &w->shares[i];
    }
    return NULL;
}

struct o_key *o_key(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < O_KEYS; i++) {
        if (id != 0 && w->keys[i].id == id) return &w->keys[i];
    }
    return NULL;
}

struct o_session *o_session(struct o_world *w, uint64_t id)
{
    for (size_t i = 0; i < O_SESSIONS; i++) {
        if (id != 0 && w->sessions[i].id == id) return &w->sessions[i];
    }
    return NULL;
}

struct o_seat *o_seat(struct o_world *w, uint64_t user, uint64_t account)
{
    for (size_t i = 0; i < O_SEATS; i++) {
        struct o_seat *s = &w->seats[i];
        if (s->user != 0 && s->user == user && s->account == account) return s;
    }
    return NULL;
}

struct o_role *o_built_in(struct o_world *w, const char *name)
{
    for (size_t i = 0; i < w->role_count; i++) {
        struct o_role *r = &w->roles[i];
        if (r->account == 0 && strcmp(r->name, name) == 0) return r;
    }
    CH_CHECK(false);
    return NULL;
}

struct o_page *o_page_named(struct o_world *w, const char *name)
{
    for (size_t i = 0; i < w->page_count; i++) {
        if (strcmp(w->pages[i].name, name) == 0) return &w->pages[i];
    }
    return NULL;
}

bool o_is_member(const struct o_world *w, uint64_t user, uint64_t group)
{
    for (size_t i = 0; i < O_MEMBERS; i++) {
        if (group != 0 && w->members[i].group == group && w->members[i].user == user) return true;
    }
    return false;
}

bool o_stands_in(struct o_world *w, uint64_t account, uint64_t above)
{
    for (; account != 0; account = o_account(w, account)->parent) {
        if (account == above) return true;
    }
    return false;
}

bool o_closed(struct o_world *w, uint64_t account)
{
    for (; account != 0; account = o_account(w, account)->parent) {
        if (o_account(w, account)->closed) return true;
    }
    return false;
}

/* What the operator allowed an account holds for all that stands below it, as far as it goes. */
uint64_t o_levels_left(struct o_world *w, uint64_t account)
{
    uint64_t most = 0, steps = 0;
    for (const struct o_account *a = o_account(w, account); a != NULL;
         a = o_account(w, a->parent), steps++) {
        if (a->sub_depth >= steps + most) most = a->sub_depth - steps;
    }
    return most;
}

bool o_group_in(struct o_world *w, uint64_t group, uint64_t above)
{
    for (; group != 0; group = o_group(w, group)->parent) {
        if (group == above) return true;
    }
    return false;
}

/* An invitation that waits for an answer is over with its share. */
static void leave_seat(struct o_world *w, const struct o_share *s)
{
    struct o_seat *seat = o_seat(w, s->subject, s->account);
    if (s->subject_kind != CH_subject_kind_user || seat == NULL) return;
    if (seat->invitation == CH_invitation_open || seat->invitation == CH_invitation_expired) {
        seat->invitation = CH_invitation_cancelled;
    }
}

/* Who was invited, accepted nothing and has no invitation left is let go; the address is free. */
static void let_go(struct o_world *w, uint64_t user)
{
    struct o_user *u = o_user(w, user);
    if (u->status != CH_user_status_invited) return;
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &w->shares[i];
        if (s->id != 0 && s->subject_kind == CH_subject_kind_user && s->subject == user) return;
    }
    memset(u->username, 0, sizeof u->username);
    memset(u->email, 0, sizeof u->email);
}

void o_end_share(struct o_world *w, struct o_share *s)
{
    const struct o_share was = *s;
    leave_seat(w, s);
    for (size_t i = 0; i < O_MEMBERS && s->subject_kind == CH_subject_kind_user; i++) {
        struct o_member *m = &w->members[i];
        if (m->group != 0 && m->user == s->subject && o_group(w, m->group)->account == s->account) {
            memset(m, 0, sizeof *m);
        }
    }
    memset(s, 0, sizeof *s);
    if (was.subject_kind == CH_subject_kind_user) let_go(w, was.subject);
}

void o_end_sessions(struct o_world *w, uint64_t user, uint64_t but)
{
    for (size_t i = 0; i < O_SESSIONS; i++) {
        struct o_session *s = &w->sessions[i];
        if (s->id != 0 && s->user == user && s->id != but) memset(s, 0, sizeof *s);
    }
}

void o_end_group(struct o_world *w, struct o_group *g)
{
    for (size_t i = 0; i < O_MEMBERS; i++) {
        if (w->members[i].group == g->id) memset(&w->members[i], 0, sizeof w->members[i]);
    }
    for (size_t i = 0; i < O_SHARES; i++) {
        struct o_share *s = &w->shares[i];
        if (s->id != 0 && s->subject_kind == CH_subject_kind_group && s->subject == g->id) {
            o_end_share(w, s);
        }
    }
    memset(g, 0, sizeof *g);
}

void o_refused(struct o_world *w)
{
    w->head++;
}

uint64_t o_person(struct o_world *w, uint8_t actor_kind, uint64_t actor)
{
    if (actor_kind == CH_actor_kind_user) return actor;
    return actor_kind == CH_actor_kind_key ? o_key(w, actor)->person : 0;
}

bool o_is_traffic(uint16_t tag)
{
    static const uint16_t traffic[] = {
        CH_EV_stats_added,       CH_EV_credits_reserved,    CH_EV_credits_settled,
        CH_EV_credits_released,  CH_EV_reservation_expired, CH_EV_credits_spent,
        CH_EV_suppression_added, CH_EV_suppression_removed, CH_EV_activity_recorded,
        CH_EV_session_moved,     CH_EV_access_certified};
    for (size_t i = 0; i < sizeof traffic / sizeof *traffic; i++) {
        if (traffic[i] == tag) return true;
    }
    return false;
}
