/* apply_campaign: submitted campaigns; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_submission *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_SUBMISSION, row);
}

/* What the submitter and who decided it wrote. */
static void drop_remarks(struct ch_state *state, uint32_t row)
{
    const struct ch_row_submission submission = *ch_submission_row(state, row);
    ch_sealed_drop(state, submission.id);
    if (submission.decided_seq != 0) ch_sealed_drop(state, submission.decided_seq);
}

static uint32_t fresh(struct ch_state *state, uint32_t account_row, struct ch_text campaign)
{
    const uint32_t row = ch_row_take(&state->store, CH_T_SUBMISSION);
    struct ch_row_submission *submission = edit(state, row);
    submission->account = account_row;
    submission->campaign = ch_text_take(state, campaign);
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, account_row);
    submission->next_of_account = account->first_submission;
    if (submission->next_of_account != 0) {
        edit(state, submission->next_of_account)->prev_of_account = row;
    }
    account->first_submission = row;
    account->submission_count++;
    ch_index_insert(&state->store, CH_I_SUBMISSION,
                    ch_hash_submission(account_row, submission->campaign), row);
    return row;
}

void ch_apply_campaign_submitted(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_campaign_submitted *body = event->body;
    const uint32_t account = ch_find_account(state, event->account);
    uint32_t row = ch_find_submission(state, account, body->campaign);
    if (row != 0) {
        drop_remarks(state, row);
    } else {
        row = fresh(state, account, body->campaign);
    }
    struct ch_row_submission *submission = edit(state, row);
    submission->status = CH_submission_status_submitted;
    submission->id = event->seq;
    submission->changed = event->seq;
    submission->decided_seq = 0;
    submission->decided_by = 0;
    submission->decided_kind = 0;
    submission->user = ch_person_behind(state, &event->actor);
    submission->key = event->actor.kind == CH_actor_kind_key ? event->actor.id : 0;
    memcpy(submission->content_hash, body->content_hash.ptr, sizeof submission->content_hash);
    ch_sealed_keep(state, event);
}

static void settle(struct ch_state *state, const struct ch_event *event, struct ch_text campaign,
                   enum ch_submission_status status)
{
    const uint32_t account = ch_find_account(state, event->account);
    const uint32_t row = ch_find_submission(state, account, campaign);
    CH_CHECK(row != 0);
    struct ch_row_submission *submission = edit(state, row);
    if (submission->decided_seq != 0) ch_sealed_drop(state, submission->decided_seq);
    submission->status = status;
    submission->changed = event->seq;
    submission->decided_seq = event->seq;
    submission->decided_by = event->actor.id;
    submission->decided_kind = event->actor.kind;
}

void ch_apply_campaign_approved(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_campaign_approved *body = event->body;
    settle(state, event, body->campaign, CH_submission_status_approved);
}

void ch_apply_campaign_rejected(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_campaign_rejected *body = event->body;
    settle(state, event, body->campaign, CH_submission_status_rejected);
    ch_sealed_keep(state, event);
}

void ch_apply_campaign_edited(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_campaign_edited *body = event->body;
    settle(state, event, body->campaign, CH_submission_status_void);
}

void ch_apply_campaign_sent(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_campaign_sent *body = event->body;
    if (!body->has_submission) return;
    const uint32_t account_row = ch_find_account(state, event->account);
    const uint32_t row = ch_find_submission(state, account_row, body->campaign);
    CH_CHECK(row != 0);
    drop_remarks(state, row);
    const struct ch_row_submission submission = *ch_submission_row(state, row);
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, account_row);
    if (submission.next_of_account != 0) {
        edit(state, submission.next_of_account)->prev_of_account = submission.prev_of_account;
    }
    if (submission.prev_of_account != 0) {
        edit(state, submission.prev_of_account)->next_of_account = submission.next_of_account;
    } else {
        account->first_submission = submission.next_of_account;
    }
    account->submission_count--;
    ch_index_remove(&state->store, CH_I_SUBMISSION,
                    ch_hash_submission(account_row, submission.campaign), row);
    ch_text_drop(state, submission.campaign);
    ch_row_give(&state->store, CH_T_SUBMISSION, row);
}
