/* generate_people: commands about people, keys, requests. SPDX-License-Identifier: MIT */
#include "tests/model/generate_impl.h"

#include "schema/limits.h"

#include <stdio.h>

static const char *const others[] = {"desk", "till", "shop", "lab", "van", "pier"};
static const char *const key_names[] = {"first", "front", "back", "mobile", "batch"};

static void some_email(struct m_random *random, struct o_command *c)
{
    const bool known = m_chance(random, 60);
    snprintf(c->email, sizeof c->email, "%s@example.org",
             known ? m_people[m_below(random, M_PEOPLE)] : others[m_below(random, COUNT(others))]);
}

static void some_names(struct m_random *random, struct o_command *c)
{
    c->has_name = m_chance(random, 40);
    c->has_email = m_chance(random, 40);
    c->has_full_name = m_chance(random, 50);
    if (c->has_name) {
        m_put(c->name, sizeof c->name,
              m_chance(random, 50) ? m_people[m_below(random, M_PEOPLE)]
                                   : others[m_below(random, COUNT(others))]);
    }
    if (c->has_email) some_email(random, c);
}

static void some_login(struct m_random *random, struct o_command *c)
{
    const uint32_t n = m_below(random, 30);
    if (n < COUNT(others)) {
        m_put(c->login, sizeof c->login, others[n]);
    } else {
        snprintf(c->login, sizeof c->login, "login.%u", n);
    }
    c->has_password = m_chance(random, 50);
    c->has_full_name = m_chance(random, 30);
}

/* Most often the right one. */
static void say_password(struct m_random *random, const struct o_user *u, struct o_command *c)
{
    c->has_old = m_chance(random, 90);
    c->old_good = m_chance(random, 88);
    c->old_of = u->password_seq;
    if (m_chance(random, 6)) c->old_of = u->password_seq - (u->password_seq > 0);
}

static const struct o_user *some_user(struct m_random *random, struct o_world *w, bool known)
{
    const struct o_user *u = &w->users[m_below(random, (uint32_t)w->user_count)];
    for (int i = 0; i < 50 && (u->password_seq != 0) != known; i++) {
        u = &w->users[m_below(random, (uint32_t)w->user_count)];
    }
    return u;
}

static void fill_password(struct m_random *random, struct o_world *w, struct o_command *c)
{
    const bool person = c->actor_kind == CH_actor_kind_user;
    const struct o_user *u = some_user(random, w, /* known= */ m_chance(random, 10));
    c->has_password = true;
    if (person) {
        u = o_user(w, c->actor);
        say_password(random, u, c);
        if (m_chance(random, 60)) return;
        if (m_chance(random, 20)) u = &w->users[0];
    }
    if (m_chance(random, 95)) m_pick_id(&c->user, u->id);
}

static void fill_log_in(struct m_random *random, struct o_world *w, struct o_command *c)
{
    static const uint64_t seconds[] = {0, 60, 3600, 90000, LIMIT_SESSION_S, LIMIT_SESSION_S + 1};
    const struct o_user *u = some_user(random, w, /* known= */ m_chance(random, 95));
    m_pick_id(&c->user, u->id);
    if (m_chance(random, 3)) m_pick_id(&c->user, NOBODY);
    say_password(random, u, c);
    c->has_old = true;
    c->has_amount[0] = m_chance(random, 70);
    c->amount[0] = seconds[1 + m_below(random, COUNT(seconds) - 2)];
    if (m_chance(random, 4)) c->amount[0] = seconds[m_chance(random, 50) ? 0 : 5];
}

static void fill_log_out(struct m_random *random, struct o_world *w, struct o_command *c)
{
    for (EACH(i, random, w->sessions)) {
        const struct o_session *s = &w->sessions[i];
        if (s->id == 0) continue;
        if (c->actor_kind == CH_actor_kind_user) m_act_as(c, CH_actor_kind_user, s->user);
        c->thing = s->id;
        break;
    }
    c->has_thing = m_chance(random, 50);
    if (m_chance(random, 15)) {
        c->has_thing = true;
        c->thing = NOBODY;
    }
    c->has_flag = m_chance(random, 25);
    c->flag = c->has_flag && m_chance(random, 80);
}

static void fill_switch(struct m_random *random, struct o_world *w, struct o_command *c)
{
    uint64_t user = 0;
    if (c->actor_kind != CH_actor_kind_user) return;
    for (EACH(i, random, w->sessions)) {
        const struct o_session *s = &w->sessions[i];
        if (s->id == 0) continue;
        if (user == 0 || s->user == c->actor) user = s->user;
    }
    if (user == 0) return;
    m_act_as(c, CH_actor_kind_user, user);
    for (EACH(i, random, w->shares)) { /* to where they have a share, most often */
        const struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user || s->subject != user) continue;
        if (m_chance(random, 85)) m_go_to(c, s->account);
        return;
    }
}

static void fill_invite(struct m_random *random, struct o_world *w, const struct o_account *on,
                        struct o_command *c)
{
    some_email(random, c);
    c->has_full_name = m_chance(random, 50);
    c->account_count = m_chance(random, 35) ? 1 + m_below(random, O_PICKED_ACCOUNTS) : 0;
    for (uint32_t i = 0; i < c->account_count; i++) {
        (void)m_pick_account(random, w, &c->accounts[i]);
        for (int n = 0; n < 30 && on != NULL && m_chance(random, 95); n++) {
            const struct o_account *a = &w->accounts[m_below(random, (uint32_t)w->account_count)];
            if (!o_stands_in(w, a->id, on->id) || a->dissolved) continue;
            m_pick_id(&c->accounts[i], a->id);
            break;
        }
    }
    if (m_chance(random, 75)) m_pick_role(random, w, on, &c->role);
    c->has_scopes = m_chance(random, 35);
    if (c->has_scopes) c->scopes = m_some_scopes(random, 4);
    c->has_reach = m_chance(random, 40);
    if (c->has_reach) c->reach = (uint8_t)m_below(random, 2);
    c->page_count = m_chance(random, 30) ? 1 + m_below(random, 2) : 0;
    for (uint32_t i = 0; i < c->page_count; i++) {
        m_pick_name(&c->pages[i], m_pages[m_below(random, M_PAGES * 8) / 8]);
    }
    if (m_chance(random, 20)) m_some_expiry(random, c);
    for (uint32_t i = m_chance(random, 25) ? 1 + m_below(random, 2) : 0; i > 0; i--) {
        c->chosen[1 + m_below(random, O_KINDS - 1)] = (uint8_t)(1 + m_below(random, 15));
    }
}

/* One who waits to answer; or who is inactive and could be asked again. */
static void pick_waiting(struct m_random *random, struct o_world *w, struct o_command *c)
{
    m_pick_user(random, w, &c->user);
    if (m_chance(random, 10)) return;
    for (EACH(i, random, w->shares)) {
        const struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user) continue;
        if (s->status == CH_share_status_active) continue;
        m_pick_id(&c->user, s->subject);
        m_go_to(c, s->account);
        if (c->actor_kind != CH_actor_kind_user) return;
        (void)m_person_there(random, w, o_account(w, s->account), c);
        return;
    }
}

/* Most often a token that waits, from whom it was sent to. */
static void fill_answer(struct m_random *random, struct o_world *w, struct o_command *c)
{
    c->token = 1 + m_below(random, 50);
    c->has_password = m_chance(random, 30);
    const bool any = m_chance(random, 20);
    if (m_chance(random, 5)) return;
    for (EACH(i, random, w->seats)) {
        const struct o_seat *seat = &w->seats[i];
        if (seat->user == 0 || (seat->invitation != CH_invitation_open && !any)) continue;
        const bool fresh = o_user(w, seat->user)->status == CH_user_status_invited;
        c->token = seat->token;
        if (m_chance(random, 10)) return;
        c->has_password = fresh;
        if (fresh) {
            m_act_as(c, CH_actor_kind_service, 1000);
        } else {
            m_act_as(c, CH_actor_kind_user, seat->user);
        }
        return;
    }
}

static void fill_login(struct m_random *random, struct o_world *w, struct o_command *c)
{
    for (uint32_t i = m_below(random, 4); i > 0; i--) {
        c->restrictions |= 1U << m_below(random, O_RESTRICTIONS);
    }
    if (c->type == CH_CMD_login_create) {
        some_login(random, c);
        if (m_chance(random, 20)) m_some_expiry(random, c);
        return;
    }
    m_pick_user(random, w, &c->user);
    if (m_chance(random, 10)) return;
    for (EACH(i, random, w->shares)) {
        const struct o_share *s = &w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user) continue;
        if (s->kind != CH_share_kind_login) continue;
        m_pick_id(&c->user, s->subject);
        m_go_to(c, s->account);
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, s->account), c);
        }
        return;
    }
}

/* Nearly all there is, without what no key has. */
static struct ch_scopes much(struct m_random *random)
{
    struct ch_scopes set = {{0, 0}};
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name != NULL) ch_scopes_add(&set, scope);
    }
    set = ch_scopes_but(set, o_owners_own());
    return ch_scopes_but(set, m_some_scopes(random, 3));
}

/* To an account that may have others below it; most often as its owner, whose alone it is. */
static void go_to_master(struct m_random *random, struct o_world *w, struct o_command *c)
{
    for (EACH(i, random, w->accounts)) {
        const struct o_account *a = &w->accounts[i];
        if (a->id == 0 || a->closed || o_levels_left(w, a->id) == 0) continue;
        m_go_to(c, a->id);
        const uint64_t owner = o_owner(w, a->id);
        m_act_as(c, CH_actor_kind_operator, 0);
        if (owner != 0 && m_chance(random, 75)) m_act_as(c, CH_actor_kind_user, owner);
        return;
    }
}

static void fill_key(struct m_random *random, struct o_world *w, const struct o_account *on,
                     struct o_command *c)
{
    static const uint64_t overlaps[] = {0, 60, LIMIT_KEY_OVERLAP_S, LIMIT_KEY_OVERLAP_S + 1};
    m_put(c->name, sizeof c->name, key_names[m_below(random, COUNT(key_names))]);
    if (c->type == CH_CMD_key_create) {
        c->has_share_kind = m_chance(random, 60);
        c->share_kind =
            c->has_share_kind && m_chance(random, 60) ? CH_key_kind_master : CH_key_kind_account;
        c->scopes = m_some_scopes(random, 8);
        if (m_chance(random, c->share_kind == CH_key_kind_master ? 75 : 30)) {
            c->scopes = much(random);
        }
        if (m_chance(random, 25)) m_some_expiry(random, c);
        if (c->share_kind == CH_key_kind_master && m_chance(random, 80)) go_to_master(random, w, c);
        return;
    }
    c->has_thing = true;
    c->thing = NOBODY;
    const bool elsewhere = m_chance(random, 5);
    for (EACH(i, random, w->keys)) {
        const struct o_key *key = &w->keys[i];
        if (key->id == 0 || (on != NULL && key->account != on->id && !elsewhere)) continue;
        c->thing = key->id;
        break;
    }
    c->has_amount[0] = m_chance(random, 60);
    c->amount[0] = overlaps[m_below(random, COUNT(overlaps))];
}

static void fill_request(struct m_random *random, struct o_world *w, struct o_command *c)
{
    if (c->type == CH_CMD_access_request) {
        c->has_scopes = m_chance(random, 65);
        if (c->has_scopes) c->scopes = m_some_scopes(random, 2);
        if (c->has_scopes == m_chance(random, 5)) {
            m_pick_name(&c->page, m_pages[m_below(random, M_PAGES * 6) / 6]);
        }
        c->has_kind = m_chance(random, 40);
        c->resource_kind =
            (uint8_t)(m_chance(random, 80) ? 1 + m_below(random, 2) : m_below(random, O_KINDS));
        c->has_resource = m_chance(random, 3) ? !c->has_kind : c->has_kind;
        c->resource = (uint8_t)m_below(random, O_RESOURCES);
        for (int i = 0; i < 9 && c->has_scopes; i++) {
            c->scopes = m_some_scopes(random, 3);
            if (c->has_kind) c->scopes = o_of_kind(c->scopes, c->resource_kind);
            if (!ch_scopes_empty(c->scopes)) break;
        }
        if (m_chance(random, 4)) c->scopes = m_some_scopes(random, 3);
        return;
    }
    c->has_thing = true;
    c->thing = NOBODY;
    const bool any = m_chance(random, 10);
    for (EACH(i, random, w->requests)) {
        const struct o_request *r = &w->requests[i];
        if (r->id == 0 || (r->status != CH_request_status_pending && !any)) continue;
        c->thing = r->id;
        if (m_chance(random, 5)) return;
        m_go_to(c, r->account);
        if (c->type == CH_CMD_access_withdraw && m_chance(random, 90)) {
            m_act_as(c, CH_actor_kind_user, r->user);
        } else if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, r->account), c);
        }
        return;
    }
}

void m_fill_sub(struct m_random *random, struct o_world *w, struct o_command *c)
{
    static const char domain[] = "mail.example.org";
    if (w->user_count >= O_USERS - 8) return;
    c->has_name = m_chance(random, 40);
    if (c->has_name) some_login(random, c);
    if (!c->has_name && m_chance(random, 5)) c->has_password = true;
    if (m_chance(random, 20)) m_put(c->domain, sizeof c->domain, domain);
}

/* Most often shares of the account, and days that some of them were unused for. */
static void fill_review(struct m_random *random, struct o_world *w, const struct o_account *on,
                        struct o_command *c)
{
    static const uint64_t odd[] = {0, 3651, 3650};
    c->has_amount[0] = m_chance(random, 75);
    c->amount[0] =
        m_chance(random, 12) ? odd[m_below(random, COUNT(odd))] : 1 + m_below(random, 12);
    c->has_flag = m_chance(random, 50);
    c->flag = c->has_flag && m_chance(random, 80);
    if (c->type == CH_CMD_access_set_review || m_chance(random, 3)) return;
    const uint32_t most = m_chance(random, 70) ? 1 : COUNT(c->listed);
    for (EACH(i, random, w->shares)) {
        const struct o_share *s = &w->shares[i];
        const bool here = on != NULL && s->account == on->id;
        const bool odd_one = s->status == CH_share_status_pending || s->subject == c->actor;
        if (s->id == 0 || (!here && !m_chance(random, 2))) continue;
        if (odd_one && !m_chance(random, 10)) continue;
        c->listed[c->listed_count++] = m_chance(random, 1) ? NOBODY : s->id;
        if (c->listed_count == most) return;
    }
}

void m_fill_people(struct m_random *random, struct o_world *w, const struct o_account *on,
                   struct o_command *c)
{
    m_put(c->full_name, sizeof c->full_name, m_people[m_below(random, M_PEOPLE)]);
    switch (c->type) {
    case CH_CMD_user_update_profile: some_names(random, c); break;
    case CH_CMD_user_set_password: fill_password(random, w, c); break;
    case CH_CMD_session_log_in: fill_log_in(random, w, c); break;
    case CH_CMD_session_log_out: fill_log_out(random, w, c); break;
    case CH_CMD_account_switch: fill_switch(random, w, c); break;
    case CH_CMD_account_open_own:
        m_put(c->name, sizeof c->name, m_labels[m_below(random, M_LABELS)]);
        break;
    case CH_CMD_share_invite: fill_invite(random, w, on, c); break;
    case CH_CMD_invitation_resend:
    case CH_CMD_invitation_cancel: pick_waiting(random, w, c); break;
    case CH_CMD_invitation_accept:
    case CH_CMD_invitation_decline: fill_answer(random, w, c); break;
    case CH_CMD_login_create:
    case CH_CMD_login_edit:
    case CH_CMD_login_delete: fill_login(random, w, c); break;
    case CH_CMD_key_create:
    case CH_CMD_key_rename:
    case CH_CMD_key_rotate:
    case CH_CMD_key_revoke: fill_key(random, w, on, c); break;
    case CH_CMD_access_set_review:
    case CH_CMD_access_certify:
    case CH_CMD_access_review_end: fill_review(random, w, on, c); break;
    case CH_CMD_access_request:
    case CH_CMD_access_approve:
    case CH_CMD_access_deny:
    case CH_CMD_access_withdraw: fill_request(random, w, c); break;
    default: break;
    }
}
