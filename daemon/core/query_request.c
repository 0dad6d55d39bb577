/* query_request: requests for access, and who may decide them; see query.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/decide_impl.h"
#include "daemon/core/query_impl.h"

/* Whether time has passed it is judged at the moment of the question, not by the timer alone. */
static uint8_t status_now(const struct ch_asking *q, const struct ch_row_request *request)
{
    const bool late =
        request->status == CH_request_status_pending && request->expires_at <= q->moment->now;
    return late ? (uint8_t)CH_request_status_expired : (uint8_t)request->status;
}

static struct ch_rec_request_row request_record(struct ch_asking *q, uint32_t row)
{
    const struct ch_row_request *request = ch_request_row(q->state, row);
    const struct ch_row_account *account = ch_account_row(q->state, request->account);
    const struct ch_rec_user_row user = ch_user_record(q, request->user);
    ch_saw(q, request->changed);
    struct ch_text note;
    struct ch_text reason;
    ch_opened_texts(q, request->id, &note, 1);
    ch_opened_texts(q, request->decided_seq, &reason, 1);
    struct ch_rec_request_row record = {.account_name = ch_copy_text(q, account->name),
                                        .user = user.user,
                                        .user_name = user.has_username ? user.username : user.email,
                                        .scopes = ch_scopes_at(q->state, request->scopes),
                                        .has_kind = request->kind != 0,
                                        .kind = (uint8_t)request->kind,
                                        .has_resource = request->resource != 0,
                                        .status = status_now(q, request),
                                        .has_remark = note.len > 0,
                                        .remark = note,
                                        .expires_at = request->expires_at,
                                        .has_decided = request->decided_seq != 0,
                                        .has_decided_by = request->decided_by != 0,
                                        .has_reason = reason.len > 0,
                                        .reason = reason};
    record.request.seq = request->id;
    record.account.seq = account->id;
    record.decided = request->decided_seq;
    record.decided_by.seq = request->decided_by;
    if (request->resource != 0) record.resource = ch_copy_text(q, request->resource);
    return record;
}

static const struct ch_rec_request_row *records(struct ch_asking *q, const struct ch_rows *rows)
{
    struct ch_rec_request_row *requests = ch_take(q, rows->count, sizeof *requests);
    for (uint32_t i = 0; requests != NULL && i < rows->count; i++) {
        requests[i] = request_record(q, rows->row[i]);
    }
    return requests;
}

/* Lists of requests have the newest first; answers the oldest. Rows are used again, so their order
 * says nothing. */
static void turn(struct ch_rows *rows)
{
    for (uint32_t i = 0; i < rows->count / 2; i++) {
        const uint32_t held = rows->row[i];
        rows->row[i] = rows->row[rows->count - 1 - i];
        rows->row[rows->count - 1 - i] = held;
    }
}

/* The requests behind the one whose id is `after`, as many as a page holds. */
static void cut(const struct ch_asking *q, struct ch_rows *rows, uint64_t after, uint32_t limit,
                bool *has_next, uint64_t *next)
{
    uint32_t first = 0;
    while (first < rows->count && ch_request_row(q->state, rows->row[first])->id <= after) {
        first++;
    }
    if (first > 0) rows->row += first;
    rows->count -= first;
    *has_next = rows->count > limit;
    if (!*has_next) return;
    rows->count = limit;
    *next = ch_request_row(q->state, rows->row[limit - 1])->id;
}

void ch_query_access_requests(struct ch_asking *q)
{
    const struct ch_qry_access_requests *args = q->call->args;
    const uint8_t wanted = args->has_status ? args->status : (uint8_t)CH_request_status_pending;
    struct ch_rows rows = {0};
    ch_saw_account(q, q->on);
    for (uint32_t r = ch_account_row(q->state, q->on)->first_request; r != 0;
         r = ch_request_row(q->state, r)->next_of_account) {
        const struct ch_row_request *request = ch_request_row(q->state, r);
        ch_saw(q, request->changed);
        if (status_now(q, request) != wanted) continue;
        if (!ch_rows_add(q, &rows, r)) return;
    }
    turn(&rows);
    struct ch_qry_access_requests_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    cut(q, &rows, args->has_after ? args->after : 0,
        ch_page_of(false, 0, args->has_limit, args->limit).limit, &result->has_next, &result->next);
    result->requests = records(q, &rows);
    result->requests_len = rows.count;
    q->ret->result = result;
}

void ch_query_access_mine(struct ch_asking *q)
{
    const struct ch_row_user *user = ch_user_row(q->state, q->moment->user_row);
    struct ch_rows rows = {0};
    ch_saw(q, user->changed);
    for (uint32_t r = user->first_request; r != 0; r = ch_request_row(q->state, r)->next_of_user) {
        if (!ch_rows_add(q, &rows, r)) return;
    }
    turn(&rows);
    struct ch_qry_access_mine_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    result->requests = records(q, &rows);
    result->requests_len = rows.count;
    q->ret->result = result;
}

static bool may_decide(struct ch_asking *q, uint32_t user)
{
    const struct ch_question question = {.user = user,
                                         .account = q->on,
                                         .wanted = ch_scopes_of(CH_SCOPE_access_decide),
                                         .channel = CH_channel_web,
                                         .now = q->moment->now};
    struct ch_answer answer;
    ch_access(q->state, &question, &answer, NULL, NULL);
    ch_saw(q, answer.read_seq);
    return answer.decision == CH_decision_allowed;
}

/* Whether the user has all that approving gives: the very rule that an approval meets. It looks
 * further down the tree, too, so the answer is as durable as the newest event. */
static bool covers(struct ch_asking *q, uint32_t user, const struct ch_row_request *request)
{
    char chars[128];
    const struct ch_moment moment = {
        .now = q->moment->now,
        .actor = {.kind = CH_actor_kind_user, .id = ch_user_row(q->state, user)->id},
        .channel = CH_channel_web,
        .user_row = user};
    const struct ch_case c = {.state = q->state, .moment = &moment, .on = q->on};
    const uint32_t share = ch_find_share(q->state, CH_subject_kind_user, request->user, q->on);
    const uint8_t reach =
        share == 0 ? (uint8_t)CH_reach_account : ch_share_row(q->state, share)->reach;
    const struct ch_text resource = {
        chars, ch_chain_get(q->state, CH_T_TEXT, request->resource, chars, sizeof chars)};
    ch_saw(q, ch_meta(q->state)->head);
    return ch_scopes_empty(ch_uncovered(&c, q->on, reach, ch_scopes_at(q->state, request->scopes),
                                        request->resource == 0 ? NULL : &resource));
}

void ch_query_access_deciders(struct ch_asking *q)
{
    const struct ch_qry_access_deciders *args = q->call->args;
    const uint32_t row = ch_find_request(q->state, args->request.seq);
    const struct ch_row_request *request = row == 0 ? NULL : ch_request_row(q->state, row);
    ch_saw_account(q, q->on);
    if (request == NULL || request->account != q->on) {
        (void)ch_refuse(q, CH_REJ_not_found, "request");
        return;
    }
    const struct ch_page page =
        ch_page_of(args->has_after, args->after, args->has_limit, args->limit);
    struct ch_rows rows = {0};
    if (!ch_rows_users(q, &rows, page.after)) return;
    uint32_t found = 0;
    for (uint32_t i = 0; i < rows.count && found <= page.limit; i++) {
        if (rows.row[i] == request->user) continue;
        if (may_decide(q, rows.row[i])) rows.row[found++] = rows.row[i];
    }
    rows.count = found;
    struct ch_qry_access_deciders_result *result = ch_take(q, 1, sizeof *result);
    if (result == NULL) return;
    ch_rows_page(q, &rows, page, ch_id_of_user, &result->has_next, &result->next);
    struct ch_rec_decider_row *users = ch_take(q, rows.count, sizeof *users);
    if (users == NULL) return;
    for (uint32_t i = 0; i < rows.count; i++) {
        const struct ch_rec_user_row user = ch_user_record(q, rows.row[i]);
        users[i] = (struct ch_rec_decider_row){.user = user.user,
                                               .has_username = user.has_username,
                                               .username = user.username,
                                               .has_email = user.has_email,
                                               .email = user.email,
                                               .has_full_name = user.has_full_name,
                                               .full_name = user.full_name};
        users[i].may_approve = covers(q, rows.row[i], request);
    }
    result->users = users;
    result->users_len = rows.count;
    q->ret->result = result;
}
