/* decide_campaign: submitting, approving and sending campaigns; see decide_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "daemon/core/sending.h"
#include "schema/limits.h"

static uint64_t account_id(const struct ch_case *c)
{
    return ch_account_row(c->state, c->on)->id;
}

static bool same_content(const struct ch_row_submission *row, struct ch_bytes hash)
{
    return memcmp(row->content_hash, hash.ptr, sizeof row->content_hash) == 0;
}

enum ch_rejection_code ch_decide_campaign_submit(struct ch_case *c)
{
    const struct ch_cmd_campaign_submit *args = c->call->args;
    const uint32_t known = ch_find_submission(c->state, c->on, args->campaign);
    if (known != 0) {
        const struct ch_row_submission *row = ch_submission_row(c->state, known);
        const bool stands = row->status == CH_submission_status_submitted ||
                            row->status == CH_submission_status_approved;
        if (stands && same_content(row, args->content_hash)) return CH_REJ_none;
    } else if (ch_account_row(c->state, c->on)->submission_count >= LIMIT_SUBMISSIONS_OF_ACCOUNT) {
        return ch_reject_limit(c, "SUBMISSIONS_OF_ACCOUNT", "campaign");
    }
    struct ch_ev_campaign_submitted *body = ch_emit(c, CH_EV_campaign_submitted, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->campaign = args->campaign;
    body->content_hash = args->content_hash;
    body->has_remark = args->has_remark;
    body->remark = args->remark;
    return CH_REJ_none;
}

/* Whether the actor submitted it: in person, by a key, or by a key that the same person made. */
static bool is_own(const struct ch_case *c, const struct ch_row_submission *row)
{
    const struct ch_actor *actor = &c->moment->actor;
    const uint32_t person = ch_person_behind(c->state, actor);
    if (row->user != 0 || person != 0) return row->user == person;
    return row->key == (actor->kind == CH_actor_kind_key ? actor->id : 0);
}

/* The submission of the campaign, if it is another's: nobody decides their own. 0 after refusing */
static uint32_t anothers(struct ch_case *c, struct ch_text campaign)
{
    const uint32_t found = ch_find_submission(c->state, c->on, campaign);
    if (found == 0) {
        (void)ch_reject(c, CH_REJ_not_found, "campaign");
        return 0;
    }
    if (!is_own(c, ch_submission_row(c->state, found))) return found;
    (void)ch_reject(c, CH_REJ_own_request, "campaign");
    return 0;
}

/* Who submitted it, or made the key that did, for the event; false: nobody in person. */
static bool submitter(const struct ch_case *c, const struct ch_row_submission *row,
                      struct ch_user_id *ret)
{
    if (row->user == 0) return false;
    ret->seq = ch_user_row(c->state, row->user)->id;
    return true;
}

enum ch_rejection_code ch_decide_campaign_approve(struct ch_case *c)
{
    const struct ch_cmd_campaign_approve *args = c->call->args;
    const struct ch_actor *actor = &c->moment->actor;
    if (actor->kind == CH_actor_kind_key) return ch_reject(c, CH_REJ_self_only, NULL);
    const uint32_t found = anothers(c, args->campaign);
    if (found == 0) return CH_REJ_none;
    const struct ch_row_submission *row = ch_submission_row(c->state, found);
    uint64_t read_seq = 0;
    if (actor->kind == CH_actor_kind_user &&
        !ch_may_approve(c->state, c->moment->user_row, c->on, args->campaign, c->moment->now,
                        &read_seq)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "campaign",
                                ch_scopes_of(CH_SCOPE_campaigns_send));
    }
    if (row->status == CH_submission_status_void || !same_content(row, args->content_hash)) {
        return ch_reject(c, CH_REJ_approval_void, "content_hash");
    }
    if (args->has_submission && args->submission.seq != row->id) {
        return ch_reject(c, CH_REJ_approval_void, "submission");
    }
    if (row->status == CH_submission_status_rejected) {
        return ch_reject(c, CH_REJ_decided_already, "campaign");
    }
    const bool again = row->status == CH_submission_status_approved &&
                       row->decided_kind == actor->kind && row->decided_by == actor->id;
    if (again) return CH_REJ_none;
    struct ch_ev_campaign_approved *body = ch_emit(c, CH_EV_campaign_approved, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->submission.seq = row->id;
    body->campaign = args->campaign;
    body->content_hash = args->content_hash;
    body->has_user = submitter(c, row, &body->user);
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_campaign_reject(struct ch_case *c)
{
    const struct ch_cmd_campaign_reject *args = c->call->args;
    const uint32_t found = anothers(c, args->campaign);
    if (found == 0) return CH_REJ_none;
    const struct ch_row_submission *row = ch_submission_row(c->state, found);
    if (row->status == CH_submission_status_void) {
        return ch_reject(c, CH_REJ_approval_void, "campaign");
    }
    if (row->status == CH_submission_status_rejected) {
        return ch_reject(c, CH_REJ_decided_already, "campaign");
    }
    struct ch_ev_campaign_rejected *body = ch_emit(c, CH_EV_campaign_rejected, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->submission.seq = row->id;
    body->campaign = args->campaign;
    body->has_user = submitter(c, row, &body->user);
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_campaign_edit(struct ch_case *c)
{
    const struct ch_cmd_campaign_edit *args = c->call->args;
    const uint32_t found = ch_find_submission(c->state, c->on, args->campaign);
    if (found == 0) return CH_REJ_none; /* nothing was submitted: nothing becomes void */
    const struct ch_row_submission *row = ch_submission_row(c->state, found);
    const bool stands = row->status == CH_submission_status_submitted ||
                        row->status == CH_submission_status_approved;
    if (!stands || same_content(row, args->content_hash)) return CH_REJ_none;
    struct ch_ev_campaign_edited *body = ch_emit(c, CH_EV_campaign_edited, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->submission.seq = row->id;
    body->campaign = args->campaign;
    body->content_hash = args->content_hash;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_campaign_send(struct ch_case *c)
{
    const struct ch_cmd_campaign_send *args = c->call->args;
    const struct ch_sending sending = {.user = c->moment->user_row,
                                       .key = c->moment->key_row,
                                       .account = c->on,
                                       .campaign = args->campaign,
                                       .list = args->list,
                                       .content_hash = args->content_hash,
                                       .channel = c->moment->channel,
                                       .now = c->moment->now};
    const uint8_t kind = c->moment->actor.kind;
    if (!ch_is_bound(c->moment) && kind != CH_actor_kind_operator) { /* a service acts for one */
        return ch_reject(c, CH_REJ_operator_only, NULL);
    }
    uint64_t read_seq = 0;
    const enum ch_reason reason = ch_may_send(c->state, &sending, &read_seq);
    if (reason == CH_reason_not_approved) return ch_reject(c, CH_REJ_not_approved, "campaign");
    if (reason == CH_reason_approval_void) {
        return ch_reject(c, CH_REJ_approval_void, "content_hash");
    }
    const bool may =
        reason == CH_reason_granted || reason == CH_reason_approved || reason == CH_reason_operator;
    if (!may) {
        return ch_reject_scopes(c, CH_REJ_not_allowed, "list",
                                ch_scopes_of(CH_SCOPE_campaigns_send));
    }
    const uint32_t known = ch_find_submission(c->state, c->on, args->campaign);
    struct ch_ev_campaign_sent *body = ch_emit(c, CH_EV_campaign_sent, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->campaign = args->campaign;
    body->list = args->list;
    body->content_hash = args->content_hash;
    body->has_submission = known != 0;
    if (known != 0) body->submission.seq = ch_submission_row(c->state, known)->id;
    body->by_approval = reason == CH_reason_approved;
    return CH_REJ_none;
}
