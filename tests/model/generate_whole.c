/* generate_whole: any command, and who sends it. SPDX-License-Identifier: MIT */
#include "tests/model/generate_impl.h"

#include "schema/base/check.h"

/* What would end a small world too soon, or fill it, comes seldom: percent. */
static uint32_t how_often(int type)
{
    switch (type) {
    case CH_CMD_account_close: return 8;
    case CH_CMD_import_begin: return 5;
    case CH_CMD_import_end: return 100;
    case CH_CMD_limit_set: return 12;
    case CH_CMD_plan_end: return 15;
    case CH_CMD_billing_end_separation: return 40;
    case CH_CMD_role_publish: return 10;
    case CH_CMD_user_lock: return 12;
    case CH_CMD_user_erase: return 4;
    case CH_CMD_account_open_master: return 15;
    case CH_CMD_account_open_sub: return 80;
    case CH_CMD_account_open_own: return 15;
    case CH_CMD_account_suspend: return 15;
    case CH_CMD_ownership_assign: return 20;
    case CH_CMD_user_create: return 30;
    case CH_CMD_login_delete: return 60;
    case CH_CMD_access_review_end: return 60;
    case CH_CMD_key_revoke: return 40;
    case CH_CMD_stream_stop: return 40;
    default: return 100;
    }
}

static size_t used(const void *rows, size_t count, size_t bytes)
{
    static const uint64_t none = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) { /* each begins with an id, or the like */
        n += memcmp((const uint8_t *)rows + i * bytes, &none, sizeof none) != 0;
    }
    return n;
}
#define USED(array) used((array), COUNT(array), sizeof *(array))

static bool opens_account(int type)
{
    return type == CH_CMD_account_open_master || type == CH_CMD_account_open_sub ||
           type == CH_CMD_account_open_own;
}

/* Whether the oracle's arrays have a place for what the command may make. */
static bool has_room(const struct o_world *w, int type)
{
    if (opens_account(type) && w->account_count >= 22) return false;
    if ((opens_account(type) || type == CH_CMD_key_create) && USED(w->keys) >= MOST_KEYS)
        return false;
    const bool user = type == CH_CMD_user_create || type == CH_CMD_login_create ||
                      type == CH_CMD_share_invite || type == CH_CMD_account_open_sub;
    if (user && w->user_count >= O_USERS - 8) return false;
    const bool share =
        user || opens_account(type) || type == CH_CMD_share_give || type == CH_CMD_access_approve;
    if (share && USED(w->shares) >= 120) return false;
    switch (type) {
    case CH_CMD_share_invite:
    case CH_CMD_invitation_resend: return USED(w->seats) < O_SEATS - 4;
    case CH_CMD_session_log_in: return USED(w->sessions) < O_SESSIONS / 2;
    case CH_CMD_access_request: return w->request_count < O_REQUESTS;
    case CH_CMD_campaign_submit: return USED(w->submissions) < O_SUBMISSIONS;
    case CH_CMD_content_feed: return USED(w->feeds) < O_FEEDS;
    case CH_CMD_suppression_rotate_key: return w->hash_keys < O_HASH_KEYS;
    case CH_CMD_suppression_add: return USED(w->suppressed) < O_SUPPRESSED;
    case CH_CMD_stats_add: return w->counted_count < O_COUNTED && USED(w->streams) < O_STREAMS - 4;
    case CH_CMD_stream_stop: return USED(w->streams) < O_STREAMS - 4;
    case CH_CMD_credits_spend:
    case CH_CMD_credits_reserve: return w->taking_count < O_TAKINGS;
    case CH_CMD_plan_set:
    case CH_CMD_billing_grant_separation: return w->plan_count < O_PLANS;
    case CH_CMD_group_create: return USED(w->groups) < 24;
    case CH_CMD_role_define: return w->role_count < 30;
    default: return true;
    }
}

static bool any_share(const struct o_world *w, uint8_t status)
{
    bool any = false;
    for (size_t i = 0; i < O_SHARES; i++) {
        any = any || (w->shares[i].id != 0 && w->shares[i].status == status);
    }
    return any;
}

static bool any_request(const struct o_world *w)
{
    bool any = false;
    for (size_t i = 0; i < w->request_count; i++) {
        any = any || w->requests[i].status == CH_request_status_pending;
    }
    return any;
}

static bool any_reservation(const struct o_world *w)
{
    bool any = false;
    for (size_t i = 0; i < w->taking_count; i++) {
        any = any || w->takings[i].id != 0;
    }
    return any;
}

static bool any_asked(const struct o_world *w)
{
    bool any = false;
    for (size_t i = 0; i < w->account_count; i++) {
        any = any || w->accounts[i].separation == CH_separation_status_requested;
    }
    return any;
}

static bool any_locked(const struct o_world *w)
{
    bool any = false;
    for (size_t i = 0; i < w->user_count; i++) {
        any = any || w->users[i].status == CH_user_status_locked;
    }
    return any;
}

/* Whether there is what the command would answer, end or take back. */
static bool has_object(const struct o_world *w, int type)
{
    switch (type) {
    case CH_CMD_account_switch:
    case CH_CMD_session_log_out: return USED(w->sessions) > 0;
    case CH_CMD_invitation_accept:
    case CH_CMD_invitation_decline:
    case CH_CMD_invitation_cancel: return any_share(w, CH_share_status_pending);
    case CH_CMD_share_activate: return any_share(w, CH_share_status_inactive);
    case CH_CMD_access_approve:
    case CH_CMD_access_deny:
    case CH_CMD_access_withdraw: return any_request(w);
    case CH_CMD_campaign_approve:
    case CH_CMD_campaign_reject:
    case CH_CMD_campaign_edit: return USED(w->submissions) > 0;
    case CH_CMD_content_unfeed: return USED(w->feeds) > 0;
    case CH_CMD_suppression_remove: return USED(w->suppressed) > 0;
    case CH_CMD_stream_resume: return USED(w->streams) > 0;
    case CH_CMD_credits_settle:
    case CH_CMD_credits_release: return any_reservation(w);
    case CH_CMD_plan_change:
    case CH_CMD_credits_allocate:
    case CH_CMD_credits_withdraw:
    case CH_CMD_credits_spend:
    case CH_CMD_credits_reserve: return w->plan_count > 0;
    case CH_CMD_billing_grant_separation:
    case CH_CMD_billing_refuse_separation: return any_asked(w);
    case CH_CMD_user_unlock: return any_locked(w);
    case CH_CMD_import_advance:
    case CH_CMD_import_end: return w->importing;
    default: return true;
    }
}

int m_some_command(struct m_random *random, const struct o_world *w)
{
    static const int openings[] = {
        CH_CMD_session_log_in,  CH_CMD_share_invite,      CH_CMD_access_request,
        CH_CMD_campaign_submit, CH_CMD_user_set_password, CH_CMD_campaign_send,
        CH_CMD_account_switch,  CH_CMD_access_approve,    CH_CMD_invitation_accept,
        CH_CMD_key_create,      CH_CMD_credits_reserve};
    for (;;) {
        int type = (int)m_below(random, CH_COMMANDS);
        if (m_chance(random, 20)) type = openings[m_below(random, COUNT(openings))];
        if (w->importing && m_chance(random, 25)) {
            type = m_chance(random, 50) ? CH_CMD_import_advance : CH_CMD_import_end;
        }
        if (w->user_count < 3) type = CH_CMD_user_create;
        if (w->account_count < 2) type = CH_CMD_account_open_master;
        if (!has_room(w, type)) continue;
        if (!has_object(w, type) && !m_chance(random, 8)) continue;
        if (m_chance(random, how_often(type)) || w->account_count < 2) return type;
    }
}

void m_act_as(struct o_command *c, uint8_t kind, uint64_t id)
{
    c->actor_kind = kind;
    c->actor = id;
    c->channel = kind == CH_actor_kind_user       ? CH_channel_web
                 : kind == CH_actor_kind_operator ? CH_channel_operator
                                                  : CH_channel_api;
}

void m_go_to(struct o_command *c, uint64_t account)
{
    m_pick_id(&c->on, account);
    c->has_expect = false;
}

static bool key_leads(struct o_world *w, const struct o_key *key, const struct o_account *on)
{
    if (key->account == on->id) return true;
    return key->kind == CH_key_kind_master && o_stands_in(w, on->id, key->account);
}

/* Most often one that may: a master key, too, on accounts below its own. */
static const struct o_key *some_key(struct m_random *random, struct o_world *w,
                                    const struct o_account *on, const struct o_command *c)
{
    const struct o_key *found = NULL;
    const bool any = on == NULL || m_chance(random, 15);
    const bool master = m_chance(random, 50);
    for (EACH(i, random, w->keys)) {
        const struct o_key *key = &w->keys[i];
        if (key->id == 0) continue;
        if (found == NULL) found = key;
        if (any || !key_leads(w, key, on)) continue;
        const struct o_question q = {.key = key->id,
                                     .account = on->id,
                                     .wanted = ch_scopes_of(ch_calls[c->type].scope),
                                     .any = true,
                                     .channel = CH_channel_api,
                                     .now = c->now};
        struct o_answer answer;
        o_access(w, &q, &answer);
        const bool may = answer.decision == CH_decision_allowed;
        if (may || !key_leads(w, found, on)) found = key;
        if (may && (!master || key->kind == CH_key_kind_master)) return key;
    }
    return found;
}

static void act_as_somebody(struct m_random *random, struct o_world *w, const struct o_account *on,
                            struct o_command *c)
{
    const struct o_user *u = &w->users[m_below(random, (uint32_t)w->user_count)];
    m_act_as(c, CH_actor_kind_user, u->id);
    if (on != NULL && !m_chance(random, 10)) (void)m_person_there(random, w, on, c);
    if (m_chance(random, 15)) c->channel = CH_channel_api;
}

void m_actor(struct m_random *random, struct o_world *w, const struct o_account *on,
             struct o_command *c)
{
    /* percent: operator, service, key; else a person */
    static const uint8_t shares[][3] = {[CH_WHO_OPERATOR] = {86, 4, 3},
                                        [CH_WHO_SERVICE] = {35, 52, 4},
                                        [CH_WHO_SELF] = {3, 3, 4},
                                        [CH_WHO_SCOPE] = {24, 2, 22},
                                        [CH_WHO_ANYONE] = {18, 22, 12}};
    const uint8_t *share = shares[ch_calls[c->type].who];
    const uint32_t roll = m_below(random, 100);
    const struct o_key *key = some_key(random, w, on, c);
    m_act_as(c, CH_actor_kind_operator, 0);
    if (roll < share[0] || w->user_count == 0) return;
    if (roll < (uint32_t)share[0] + share[1]) {
        m_act_as(c, CH_actor_kind_service, 1000 + m_below(random, 2));
    } else if (key != NULL && roll < (uint32_t)share[0] + share[1] + share[2]) {
        m_act_as(c, CH_actor_kind_key, key->id);
    } else {
        act_as_somebody(random, w, on, c);
    }
}

/* By which session, whether a service acts for them, and whether it is an import's message. */
void m_means(struct m_random *random, struct o_world *w, struct o_command *c)
{
    const bool person = c->actor_kind == CH_actor_kind_user;
    const bool needs = c->type == CH_CMD_account_switch || c->type == CH_CMD_session_log_out;
    const bool by_session = person && m_chance(random, needs ? 95 : 50);
    for (EACH(i, random, w->sessions)) {
        const struct o_session *s = &w->sessions[i];
        if (!by_session || s->id == 0 || s->user != c->actor || s->expires_at <= c->now) continue;
        c->session = s->id;
        c->channel = CH_channel_web;
        break;
    }
    const bool told = c->type == CH_CMD_activity_record;
    c->via = (person || c->actor_kind == CH_actor_kind_key) && m_chance(random, told ? 80 : 10);
    c->imported = w->importing && m_chance(random, 60);
    /* A key has an account, and a session a current one; a master key must say on whose behalf. */
    const bool has_default = c->actor_kind == CH_actor_kind_key || c->session != 0;
    if (c->on.given && has_default && m_chance(random, 8)) {
        memset(&c->on, 0, sizeof c->on);
        c->has_expect = false;
    }
}

/* What there is to give back is given back. */
void m_go_back(struct m_random *random, struct o_world *w, struct o_command *c)
{
    if (m_chance(random, 10)) return;
    for (EACH(i, random, w->shares)) {
        const struct o_share *s = &w->shares[i];
        if (c->type != CH_CMD_share_activate) break;
        if (s->id == 0 || s->status != CH_share_status_inactive) continue;
        m_go_to(c, s->account);
        c->user = c->group = (struct o_pick){0};
        m_pick_id(s->subject_kind == CH_subject_kind_user ? &c->user : &c->group, s->subject);
        if (c->actor_kind == CH_actor_kind_user) {
            (void)m_person_there(random, w, o_account(w, s->account), c);
        }
        break;
    }
    for (EACH(i, random, w->users)) {
        const struct o_user *u = &w->users[i];
        if (c->type != CH_CMD_user_unlock || u->id == 0) continue;
        if (u->status == CH_user_status_locked) m_pick_id(&c->user, u->id);
    }
}

void m_fill(struct m_random *random, struct o_world *w, const struct o_account *on,
            struct o_command *c)
{
    m_fill_people(random, w, on, c);
    m_fill_mail(random, w, on, c);
    m_fill_billing(random, w, on, c);
}
