/* invariant_request: what holds of requests for access; see invariant.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/invariant_impl.h"

static const char *one(struct tally *t, uint32_t row)
{
    const struct ch_state *s = t->state;
    const struct ch_row_request *request = ch_request_row(s, row);
    const bool pending = request->status == CH_request_status_pending;
    HOLDS(live(s, CH_T_ACCOUNT, request->account) && live(s, CH_T_USER, request->user),
          "a request's account and user are there");
    HOLDS(ch_find_request(s, request->id) == row, "a request is found by id");
    HOLDS(request->scopes != 0 && count_scopes(t, request->scopes), "a request asks for something");
    HOLDS((request->kind != 0) == (request->resource != 0), "a resource has a kind");
    HOLDS(request->resource == 0 || count_text(t, request->resource), "a resource has a name");
    HOLDS(pending == (request->due != 0), "only an undecided request expires");
    HOLDS(pending == (request->decided_seq == 0), "a settled request was settled by an event");
    HOLDS(request->id <= request->changed && request->changed <= ch_meta(s)->head,
          "a request's seqs are in order");
    t->dues += request->due != 0;
    return NULL;
}

const char *ch_requests_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t listed = 0;
    const char *broken = NULL;
    for (uint32_t row = next(s, CH_T_REQUEST, 0); row != 0; row = next(s, CH_T_REQUEST, row)) {
        if ((broken = one(t, row)) != NULL) return broken;
    }
    for (uint32_t a = next(s, CH_T_ACCOUNT, 0); a != 0; a = next(s, CH_T_ACCOUNT, a)) {
        uint32_t before = 0;
        for (uint32_t r = ch_account_row(s, a)->first_request; r != 0;
             r = ch_request_row(s, r)->next_of_account) {
            HOLDS(live(s, CH_T_REQUEST, r) && listed++ < live_rows(s, CH_T_REQUEST),
                  "an account's requests stand in one list");
            HOLDS(ch_request_row(s, r)->account == a &&
                      ch_request_row(s, r)->prev_of_account == before,
                  "an account's requests are linked both ways");
            before = r;
        }
    }
    HOLDS(listed == live_rows(s, CH_T_REQUEST), "every request is in its account's list");
    listed = 0;
    for (uint32_t u = next(s, CH_T_USER, 0); u != 0; u = next(s, CH_T_USER, u)) {
        uint32_t before = 0;
        uint32_t count = 0;
        for (uint32_t r = ch_user_row(s, u)->first_request; r != 0;
             r = ch_request_row(s, r)->next_of_user) {
            HOLDS(live(s, CH_T_REQUEST, r) && count++ < ch_user_row(s, u)->request_count,
                  "a user counts their requests");
            HOLDS(ch_request_row(s, r)->user == u && ch_request_row(s, r)->prev_of_user == before,
                  "a user's requests are linked both ways");
            before = r;
        }
        HOLDS(count == ch_user_row(s, u)->request_count, "a user counts their requests");
        listed += count;
    }
    HOLDS(listed == live_rows(s, CH_T_REQUEST), "every request is in its user's list");
    return NULL;
}

const char *ch_submissions_broken(struct tally *t)
{
    const struct ch_state *s = t->state;
    uint64_t listed = 0;
    struct short_text space;
    for (uint32_t a = next(s, CH_T_ACCOUNT, 0); a != 0; a = next(s, CH_T_ACCOUNT, a)) {
        uint32_t before = 0;
        uint32_t count = 0;
        for (uint32_t r = ch_account_row(s, a)->first_submission; r != 0;
             r = ch_submission_row(s, r)->next_of_account) {
            HOLDS(live(s, CH_T_SUBMISSION, r) && count++ < ch_account_row(s, a)->submission_count,
                  "an account counts its submissions");
            const struct ch_row_submission *row = ch_submission_row(s, r);
            HOLDS(row->account == a && row->prev_of_account == before,
                  "an account's submissions are linked both ways");
            HOLDS(row->user == 0 || live(s, CH_T_USER, row->user), "who submitted it is there");
            HOLDS(count_text(t, row->campaign), "a submission is of a campaign");
            HOLDS(ch_find_submission(s, a, text_at(s, row->campaign, &space)) == r,
                  "a campaign has one submission, which is found");
            HOLDS((row->status == CH_submission_status_submitted) == (row->decided_seq == 0),
                  "what became of a submission is of an event");
            before = r;
        }
        HOLDS(count == ch_account_row(s, a)->submission_count, "an account counts its submissions");
        listed += count;
    }
    HOLDS(listed == live_rows(s, CH_T_SUBMISSION), "every submission is in its account's list");
    return NULL;
}
