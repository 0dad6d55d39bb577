/* sending: see sending.h. SPDX-License-Identifier: MIT */
#include "daemon/core/sending.h"

#include "daemon/core/reputation.h"

static struct ch_answer ask(const struct ch_state *state, const struct ch_question *question,
                            uint64_t *read_seq)
{
    struct ch_answer answer;
    ch_access(state, question, &answer, NULL, NULL);
    if (answer.read_seq > *read_seq) *read_seq = answer.read_seq;
    return answer;
}

static struct ch_question about(const struct ch_sending *s, enum ch_scope scope,
                                const struct ch_state *state, struct ch_text resource)
{
    return (struct ch_question){.user = s->user,
                                .key = s->key,
                                .account = s->account,
                                .wanted = ch_scopes_of((uint8_t)scope),
                                .has_resource = true,
                                .resource = ch_text_find(state, resource),
                                .channel = s->channel,
                                .now = s->now};
}

/* Whether who approved it may send to the list themselves, now. */
static bool approver_may(const struct ch_state *state, const struct ch_row_submission *row,
                         const struct ch_sending *sending, uint64_t *read_seq)
{
    if (row->decided_kind != CH_actor_kind_user) return true; /* the operator may */
    struct ch_sending approver = *sending;
    approver.user = ch_find_user(state, row->decided_by);
    approver.key = 0;
    approver.channel = CH_channel_web; /* where people approve; other logins may, too */
    if (approver.user == 0) return false;
    const struct ch_question question =
        about(&approver, CH_SCOPE_campaigns_send, state, sending->list);
    return ask(state, &question, read_seq).decision == CH_decision_allowed;
}

/* What no approval lifts: a master key transmits nothing, and what is stopped is not sent. */
static bool is_held(const struct ch_state *state, const struct ch_sending *sending,
                    enum ch_reason *ret)
{
    const struct ch_row_account *account = ch_account_row(state, sending->account);
    bool stopped = (account->stopped >> CH_mail_stream_marketing & 1) != 0;
    *ret = CH_reason_stream_stopped;
    if (sending->key == 0) return stopped;
    const struct ch_row_key *key = ch_key_row(state, sending->key);
    if (key->kind == CH_key_kind_master) {
        *ret = CH_reason_master_key;
        return true;
    }
    const uint32_t row = ch_find_stream(state, key->account, key->id, CH_mail_stream_marketing);
    if (row == 0) return stopped;
    const uint64_t *by = ch_stream_row(state, row)->stopped_seq;
    return stopped || (by[0] | by[1]) != 0;
}

enum ch_reason ch_may_send(const struct ch_state *state, const struct ch_sending *sending,
                           uint64_t *read_seq)
{
    if (sending->user == 0 && sending->key == 0) return CH_reason_operator;
    struct ch_question question = about(sending, CH_SCOPE_campaigns_send, state, sending->list);
    const struct ch_answer own = ask(state, &question, read_seq);
    if (own.decision == CH_decision_allowed) return CH_reason_granted;
    question = about(sending, CH_SCOPE_campaigns_submit, state, sending->campaign);
    if (ask(state, &question, read_seq).decision != CH_decision_allowed) {
        return (enum ch_reason)own.reason;
    }
    enum ch_reason held;
    if (is_held(state, sending, &held)) return held;
    const uint32_t found = ch_find_submission(state, sending->account, sending->campaign);
    if (found == 0) return CH_reason_not_approved;
    const struct ch_row_submission *row = ch_submission_row(state, found);
    if (row->changed > *read_seq) *read_seq = row->changed;
    if (row->status == CH_submission_status_void) return CH_reason_approval_void;
    if (row->status != CH_submission_status_approved) return CH_reason_not_approved;
    if (memcmp(row->content_hash, sending->content_hash.ptr, sizeof row->content_hash) != 0) {
        return CH_reason_approval_void;
    }
    return approver_may(state, row, sending, read_seq) ? CH_reason_approved
                                                       : CH_reason_not_approved;
}

bool ch_may_approve(const struct ch_state *state, uint32_t user, uint32_t account,
                    struct ch_text campaign, uint64_t now, uint64_t *read_seq)
{
    const struct ch_sending s = {
        .user = user, .account = account, .channel = CH_channel_web, .now = now};
    struct ch_question question = about(&s, CH_SCOPE_campaigns_approve, state, campaign);
    if (ask(state, &question, read_seq).decision != CH_decision_allowed) return false;
    question = (struct ch_question){.user = user,
                                    .account = account,
                                    .wanted = ch_scopes_of(CH_SCOPE_campaigns_send),
                                    .any = true,
                                    .channel = CH_channel_web,
                                    .now = now};
    return ask(state, &question, read_seq).decision == CH_decision_allowed;
}
