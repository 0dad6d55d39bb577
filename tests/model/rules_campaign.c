/* rules_campaign: approving and sending, in the oracle. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"

static struct o_submission *submission_of(struct o_case *k)
{
    for (size_t i = 0; i < O_SUBMISSIONS; i++) {
        struct o_submission *s = &k->w->submissions[i];
        if (s->id != 0 && s->account == k->on->id && s->campaign == k->c->resource) return s;
    }
    return NULL;
}

static bool stands(const struct o_submission *s)
{
    return s->status == CH_submission_status_submitted ||
           s->status == CH_submission_status_approved;
}

static void submit(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_submission *s = submission_of(k);
    if (s != NULL && stands(s) && s->content == c->content) return;
    for (size_t i = 0; i < O_SUBMISSIONS && s == NULL; i++) {
        if (k->w->submissions[i].id == 0) s = &k->w->submissions[i];
    }
    CH_CHECK(s != NULL);
    *s = (struct o_submission){.id = o_event(k, CH_EV_campaign_submitted, k->on->id),
                               .account = k->on->id,
                               .campaign = c->resource,
                               .content = c->content,
                               .person = o_person(k->w, c->actor_kind, c->actor),
                               .key = c->actor_kind == CH_actor_kind_key ? c->actor : 0};
}

/* Nobody decides their own, in person or by a key of theirs; nor the operator what the operator
 * submitted. */
static bool is_own(const struct o_case *k, const struct o_submission *s)
{
    const uint64_t person = o_person(k->w, k->c->actor_kind, k->c->actor);
    const uint64_t key = k->c->actor_kind == CH_actor_kind_key ? k->c->actor : 0;
    return person != 0 || s->person != 0 ? person == s->person : key == s->key;
}

static bool may(struct o_case *k, uint64_t user, uint8_t scope, const uint8_t *resource)
{
    struct o_question q = {.user = user,
                           .account = k->on->id,
                           .wanted = ch_scopes_of(scope),
                           .any = resource == NULL,
                           .has_resource = resource != NULL,
                           .channel = CH_channel_web,
                           .now = k->c->now};
    struct o_answer answer;
    if (resource != NULL) q.resource = *resource;
    o_access(k->w, &q, &answer);
    return answer.decision == CH_decision_allowed;
}

static void decide(struct o_case *k, bool approves)
{
    const struct o_command *c = k->c;
    struct o_submission *s = submission_of(k);
    o_break_if(k, approves && c->actor_kind == CH_actor_kind_key, CH_REJ_self_only);
    if (k->code != 0) return;
    o_break_if(k, s == NULL, CH_REJ_not_found);
    o_break_if(k, s != NULL && is_own(k, s), CH_REJ_own_request);
    if (k->code != 0) return;
    CH_CHECK(s != NULL);
    if (approves && o_is_person(k)) {
        o_break_if(k,
                   !may(k, c->actor, CH_SCOPE_campaigns_approve, &c->resource) ||
                       !may(k, c->actor, CH_SCOPE_campaigns_send, NULL),
                   CH_REJ_uncovered_scopes);
    }
    o_break_if(k, s->status == CH_submission_status_void, CH_REJ_approval_void);
    o_break_if(k, approves && s->content != c->content, CH_REJ_approval_void);
    o_break_if(k, approves && c->has_thing && c->thing != s->id, CH_REJ_approval_void);
    o_break_if(k, s->status == CH_submission_status_rejected, CH_REJ_decided_already);
    if (k->code != 0) return;
    const bool again = s->status == CH_submission_status_approved &&
                       s->decided_kind == c->actor_kind && s->decided_by == c->actor;
    if (approves && again) return;
    o_event(k, approves ? CH_EV_campaign_approved : CH_EV_campaign_rejected, k->on->id);
    s->status = approves ? CH_submission_status_approved : CH_submission_status_rejected;
    s->decided_kind = c->actor_kind;
    s->decided_by = c->actor;
}

static void edit(struct o_case *k)
{
    struct o_submission *s = submission_of(k);
    if (s == NULL || !stands(s) || s->content == k->c->content) return;
    o_event(k, CH_EV_campaign_edited, k->on->id);
    s->status = CH_submission_status_void;
}

/* What the sender themselves may on the resource, over their channel. */
static bool sender_may(struct o_case *k, uint8_t scope, uint8_t resource)
{
    struct o_question q = o_about_actor(k, k->on->id);
    struct o_answer answer;
    q.wanted = ch_scopes_of(scope);
    q.has_resource = true;
    q.resource = resource;
    o_access(k->w, &q, &answer);
    return answer.decision == CH_decision_allowed;
}

/* By an approval nobody sends who transmits nothing, nor where marketing mail is stopped. */
static bool never_by_approval(struct o_case *k)
{
    const bool key = k->c->actor_kind == CH_actor_kind_key;
    if (key && o_key(k->w, k->c->actor)->kind == CH_key_kind_master) return true;
    return o_is_stopped(k->w, k->on->id, key ? k->c->actor : 0, CH_mail_stream_marketing);
}

static void send(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_submission *s = submission_of(k);
    o_break_if(k, !o_is_bound(k) && !o_is_operator(k), CH_REJ_operator_only);
    if (k->code != 0) return;
    if (o_is_bound(k) && !sender_may(k, CH_SCOPE_campaigns_send, c->list)) {
        const bool may_ask = sender_may(k, CH_SCOPE_campaigns_submit, c->resource);
        o_break_if(k, !may_ask || never_by_approval(k), CH_REJ_not_allowed);
        if (k->code != 0) return;
        o_break_if(k, s == NULL, CH_REJ_not_approved);
        if (s == NULL) return;
        const bool approved = s->status == CH_submission_status_approved;
        o_break_if(k, s->status == CH_submission_status_void, CH_REJ_approval_void);
        o_break_if(k, approved && s->content != c->content, CH_REJ_approval_void);
        o_break_if(k, !approved && s->status != CH_submission_status_void, CH_REJ_not_approved);
        /* The approval lapses with the right of who gave it. */
        const bool of_person = s->decided_kind == CH_actor_kind_user;
        o_break_if(k,
                   approved && of_person && s->content == c->content &&
                       !may(k, s->decided_by, CH_SCOPE_campaigns_send, &c->list),
                   CH_REJ_not_approved);
    }
    if (k->code != 0) return;
    o_event(k, CH_EV_campaign_sent, k->on->id);
    if (s != NULL) memset(s, 0, sizeof *s);
}

void o_campaign_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_campaign_submit) submit(k);
    if (type == CH_CMD_campaign_approve) decide(k, true);
    if (type == CH_CMD_campaign_reject) decide(k, false);
    if (type == CH_CMD_campaign_edit) edit(k);
    if (type == CH_CMD_campaign_send) send(k);
}
