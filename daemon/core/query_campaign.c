/* query_campaign: submitted campaigns, who may approve them, and whether one may be sent.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/query_impl.h"
#include "daemon/core/sending.h"

static struct ch_rec_submission_row record_of(struct ch_asking *q, uint32_t found)
{
    const struct ch_row_submission *row = ch_submission_row(q->state, found);
    ch_saw(q, row->changed);
    struct ch_text remark;
    struct ch_text reason;
    ch_opened_texts(q, row->id, &remark, 1);
    ch_opened_texts(q, row->decided_seq, &reason, 1);
    const bool by_user = row->decided_seq != 0 && row->decided_kind == CH_actor_kind_user;
    struct ch_rec_submission_row record = {
        .campaign = ch_copy_text(q, row->campaign),
        .content_hash = {row->content_hash, sizeof row->content_hash},
        .status = (uint8_t)row->status,
        .has_user = row->user != 0,
        .has_key = row->key != 0,
        .has_remark = remark.len > 0,
        .remark = remark,
        .has_decided = row->decided_seq != 0,
        .has_decided_by = by_user,
        .has_reason = reason.len > 0,
        .reason = reason};
    record.submission.seq = row->id;
    record.key.seq = row->key;
    record.decided = row->decided_seq;
    if (by_user) record.decided_by.seq = row->decided_by;
    if (row->user == 0) return record;
    const struct ch_rec_user_row user = ch_user_record(q, row->user);
    record.user = user.user;
    record.has_user_name = user.has_username || user.has_email;
    record.user_name = user.has_username ? user.username : user.email;
    return record;
}

static bool has(struct ch_asking *q, enum ch_scope scope, uint32_t campaign)
{
    const struct ch_question question = {.account = q->on,
                                         .wanted = ch_scopes_of((uint8_t)scope),
                                         .has_resource = true,
                                         .resource = campaign};
    struct ch_answer answer;
    ch_actor_access(q->state, q->moment, &question, &answer);
    ch_saw(q, answer.read_seq);
    return answer.decision == CH_decision_allowed;
}

static bool may_see(struct ch_asking *q, const struct ch_row_submission *row)
{
    if (!ch_is_bound(q->moment)) return true;
    const struct ch_actor *actor = &q->moment->actor;
    const bool by_key = row->key != 0 && actor->kind == CH_actor_kind_key && row->key == actor->id;
    const bool own = by_key || (row->user != 0 && row->user == q->moment->user_row);
    return own || has(q, CH_SCOPE_campaigns_read, row->campaign) ||
           has(q, CH_SCOPE_campaigns_approve, row->campaign);
}

static uint64_t id_of_submission(const struct ch_state *state, uint32_t row)
{
    return ch_submission_row(state, row)->id;
}

void ch_query_campaign_submissions(struct ch_asking *q)
{
    const struct ch_qry_campaign_submissions *args = q->call->args;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t r = ch_account_row(q->state, q->on)->first_submission; r != 0;
         r = ch_submission_row(q->state, r)->next_of_account) {
        const struct ch_row_submission *row = ch_submission_row(q->state, r);
        ch_saw(q, row->changed);
        if (args->has_status && row->status != args->status) continue;
        if (may_see(q, row) && !ch_rows_add(q, &rows, r)) return;
    }
    struct ch_qry_campaign_submissions_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, ch_page_of(args->has_after, args->after, args->has_limit, args->limit),
                 id_of_submission, &result->has_next, &result->next);
    struct ch_rec_submission_row *submissions = ch_take(q, rows.count, sizeof *submissions);
    if (submissions == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        submissions[i] = record_of(q, rows.row[i]);
    }
    result->submissions = submissions;
    result->submissions_len = rows.count;
    q->ret->result = result;
}

void ch_query_campaign_approvers(struct ch_asking *q)
{
    const struct ch_qry_campaign_approvers *args = q->call->args;
    const uint32_t found = ch_find_submission(q->state, q->on, args->campaign);
    ch_saw_account(q, q->on);
    if (found == 0) {
        (void)ch_refuse(q, CH_REJ_not_found, "campaign");
        return;
    }
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    struct ch_rows rows = {0};
    if (!ch_rows_users(q, &rows, page.after)) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows.count && kept <= page.limit; i++) {
        if (rows.row[i] == ch_submission_row(q->state, found)->user) continue;
        uint64_t read_seq = 0;
        const bool may =
            ch_may_approve(q->state, rows.row[i], q->on, args->campaign, q->moment->now, &read_seq);
        ch_saw(q, read_seq);
        if (may) rows.row[kept++] = rows.row[i];
    }
    rows.count = kept;
    struct ch_qry_campaign_approvers_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->users = ch_users_page(q, &rows, page, &result->has_next, &result->next);
    result->users_len = rows.count;
    if (result->users != NULL) q->ret->result = result;
}

/* Whose sending is asked about; false after refusing. */
static bool sender(struct ch_asking *q, const struct ch_qry_campaign_send_check *args,
                   uint32_t *ret)
{
    *ret = args->has_user ? ch_find_user(q->state, args->user.id) : q->moment->user_row;
    if (*ret == 0) return ch_refuse(q, CH_REJ_self_only, "user");
    if (!ch_is_known_here(q, *ret)) return ch_refuse(q, CH_REJ_not_found, "user");
    if (*ret == q->moment->user_row) return true;
    const struct ch_scopes wanted = ch_scopes_of(CH_SCOPE_access_explain);
    if (ch_actor_has(q, q->on, wanted)) return true;
    return ch_refuse_scopes(q, CH_REJ_not_allowed, "user", wanted);
}

void ch_query_campaign_send_check(struct ch_asking *q)
{
    const struct ch_qry_campaign_send_check *args = q->call->args;
    struct ch_sending sending = {.account = q->on,
                                 .campaign = args->campaign,
                                 .list = args->list,
                                 .content_hash = args->content_hash,
                                 .channel = CH_channel_web,
                                 .now = q->moment->now};
    if (!sender(q, args, &sending.user)) return;
    ch_saw_account(q, q->on);
    struct ch_qry_campaign_send_check_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    uint64_t read_seq = 0;
    const enum ch_reason reason = ch_may_send(q->state, &sending, &read_seq);
    const bool may = reason == CH_reason_granted || reason == CH_reason_approved;
    const uint32_t found = ch_find_submission(q->state, q->on, args->campaign);
    ch_saw(q, read_seq);
    result->decision = may ? CH_decision_allowed : CH_decision_implicit_deny;
    result->reason = (uint8_t)reason;
    result->revision = ch_meta(q->state)->head;
    result->has_submission = found != 0;
    if (found != 0) {
        const struct ch_row_submission *row = ch_submission_row(q->state, found);
        ch_saw(q, row->changed);
        result->submission.seq = row->id;
        result->has_approved_by =
            row->status == CH_submission_status_approved && row->decided_kind == CH_actor_kind_user;
        if (result->has_approved_by) result->approved_by.seq = row->decided_by;
    }
    q->ret->result = result;
}
