/* rules_session: logging in and switching, in the oracle. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

static void access_to_switch(struct o_case *k, uint64_t user, uint64_t account, uint8_t channel,
                             struct o_answer *ret)
{
    const struct o_question q = {.user = user,
                                 .account = account,
                                 .wanted = ch_scopes_of(CH_SCOPE_account_switch),
                                 .channel = channel,
                                 .now = k->c->now};
    o_access(k->w, &q, ret);
}

/* Where a session begins: at the oldest share of the person's own that lets them. */
static uint64_t first_account(struct o_case *k, uint64_t user)
{
    const struct o_share *oldest = NULL;
    for (size_t i = 0; i < O_SHARES; i++) {
        const struct o_share *s = &k->w->shares[i];
        if (s->id == 0 || s->subject_kind != CH_subject_kind_user || s->subject != user) continue;
        struct o_answer answer;
        access_to_switch(k, user, s->account, CH_channel_web, &answer);
        if (answer.decision != CH_decision_allowed) continue;
        if (oldest == NULL || s->id < oldest->id) oldest = s;
    }
    return oldest == NULL ? 0 : oldest->account;
}

/* Nobody learns more than that user and password do not go together, before they do. */
static void log_in(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_user *u = k->user;
    const uint64_t seconds = c->has_amount[0] ? c->amount[0] : LIMIT_SESSION_USUAL_S;
    const bool proves =
        u != NULL && u->password_seq != 0 && c->old_good && c->old_of == u->password_seq;
    o_break_if(k, !proves, CH_REJ_wrong_credentials);
    if (k->code != 0) return;
    CH_CHECK(u != NULL);
    o_break_if(k, u->status != CH_user_status_active, CH_REJ_user_locked);
    o_break_if(k, seconds == 0 || seconds > LIMIT_SESSION_S, CH_REJ_limit_reached);
    if (k->code != 0) return;
    for (size_t i = 0; i < O_SESSIONS; i++) {
        struct o_session *s = &k->w->sessions[i];
        if (s->id != 0) continue;
        s->current = first_account(k, u->id);
        s->user = u->id;
        s->expires_at = c->now + seconds * 1000000000;
        s->id = o_event(k, CH_EV_session_opened, 0);
        return;
    }
    CH_CHECK(false);
}

static void log_out(struct o_case *k)
{
    const struct o_command *c = k->c;
    const bool all = c->has_flag && c->flag;
    const uint64_t id = c->has_thing ? c->thing : c->session;
    struct o_session *one = o_session(k->w, id);
    o_break_if(k, !all && (one == NULL || one->user != c->actor), CH_REJ_not_found);
    if (k->code != 0) return;
    for (size_t i = 0; i < O_SESSIONS; i++) {
        struct o_session *s = &k->w->sessions[i];
        if (s->id == 0 || (all ? s->user != c->actor : s != one)) continue;
        o_event(k, CH_EV_session_closed, 0);
        memset(s, 0, sizeof *s);
    }
}

bool o_was_revoked(const struct o_case *k)
{
    for (uint64_t a = k->on->id; a != 0 && o_is_person(k); a = o_account(k->w, a)->parent) {
        const struct o_share *s = o_share(k->w, CH_subject_kind_user, k->c->actor, a);
        if (s == NULL || (a != k->on->id && s->reach != CH_reach_subtree)) continue;
        if (s->status == CH_share_status_inactive) return true;
        if (s->expires_at != 0 && s->expires_at <= k->c->now) return true;
    }
    return false;
}

static void switch_account(struct o_case *k)
{
    struct o_session *s = o_session(k->w, k->c->session);
    struct o_answer answer;
    access_to_switch(k, k->c->actor, k->on->id, k->c->channel, &answer);
    o_break_if(k, !answer.led, CH_REJ_access_revoked); /* else admission said not_found */
    o_break_if(k, answer.led && answer.decision != CH_decision_allowed, CH_REJ_not_allowed);
    if (k->code != 0) return;
    o_break_if(k, s == NULL, CH_REJ_not_found);
    if (k->code != 0) return;
    CH_CHECK(s != NULL);
    if (s->current == k->on->id) return;
    o_event(k, CH_EV_session_moved, k->on->id);
    s->current = k->on->id;
}

void o_session_rules(struct o_case *k)
{
    if (k->c->type == CH_CMD_session_log_in) log_in(k);
    if (k->c->type == CH_CMD_session_log_out) log_out(k);
    if (k->c->type == CH_CMD_account_switch) switch_account(k);
}
