/* apply_request: requests for access; see apply_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"

static struct ch_row_request *edit(struct ch_state *state, uint32_t row)
{
    return ch_row_edit(&state->store, CH_T_REQUEST, row);
}

void ch_forget_request(struct ch_state *state, uint32_t row)
{
    const struct ch_row_request request = *ch_request_row(state, row);
    CH_CHECK(request.status != CH_request_status_pending && request.due == 0);
    if (request.next_of_account != 0) {
        edit(state, request.next_of_account)->prev_of_account = request.prev_of_account;
    }
    if (request.prev_of_account != 0) {
        edit(state, request.prev_of_account)->next_of_account = request.next_of_account;
    } else {
        struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, request.account);
        account->first_request = request.next_of_account;
    }
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, request.user);
    user->request_count--;
    if (request.next_of_user != 0) {
        edit(state, request.next_of_user)->prev_of_user = request.prev_of_user;
    }
    if (request.prev_of_user != 0) {
        edit(state, request.prev_of_user)->next_of_user = request.next_of_user;
    } else {
        user->first_request = request.next_of_user;
    }
    ch_sealed_drop(state, request.id);
    if (request.decided_seq != 0) ch_sealed_drop(state, request.decided_seq);
    ch_scopes_drop(state, request.scopes);
    if (request.resource != 0) ch_text_drop(state, request.resource);
    ch_index_remove(&state->store, CH_I_REQUEST_ID, ch_hash_mix(request.id, 0), row);
    ch_row_give(&state->store, CH_T_REQUEST, row);
}

void ch_apply_access_requested(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_requested *body = event->body;
    if (body->has_forgets) ch_forget_request(state, ch_find_request(state, body->forgets.seq));
    const uint32_t account_row = ch_find_account(state, event->account);
    const uint32_t user_row = ch_find_user(state, body->user.seq);
    const uint32_t row = ch_row_take(&state->store, CH_T_REQUEST);
    struct ch_row_request *request = edit(state, row);
    request->account = account_row;
    request->user = user_row;
    request->status = CH_request_status_pending;
    request->id = event->seq;
    request->changed = event->seq;
    request->expires_at = body->expires_at;
    request->scopes = ch_scopes_take(state, body->scopes);
    request->kind = body->has_kind ? body->kind : CH_resource_kind_none;
    if (body->has_resource) request->resource = ch_text_take(state, body->resource);
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, account_row);
    request->next_of_account = account->first_request;
    if (request->next_of_account != 0) edit(state, request->next_of_account)->prev_of_account = row;
    account->first_request = row;
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, user_row);
    request->next_of_user = user->first_request;
    if (request->next_of_user != 0) edit(state, request->next_of_user)->prev_of_user = row;
    user->first_request = row;
    user->request_count++;
    user->changed = event->seq;
    ch_index_insert(&state->store, CH_I_REQUEST_ID, ch_hash_mix(event->seq, 0), row);
    ch_due_set(state, CH_DUE_REQUEST, row, body->expires_at);
    ch_sealed_keep(state, event);
}

static void settle(struct ch_state *state, const struct ch_event *event, struct ch_request_id id,
                   enum ch_request_status status)
{
    const uint32_t row = ch_find_request(state, id.seq);
    CH_CHECK(row != 0);
    ch_due_set(state, CH_DUE_REQUEST, row, 0);
    struct ch_row_request *request = edit(state, row);
    request->status = status;
    request->changed = event->seq;
    request->decided_seq = event->seq;
    request->decided_by = event->actor.kind == CH_actor_kind_user ? event->actor.id : 0;
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, request->user);
    user->changed = event->seq;
}

void ch_apply_access_approved(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_approved *body = event->body;
    settle(state, event, body->request, CH_request_status_approved);
}

void ch_apply_access_denied(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_denied *body = event->body;
    settle(state, event, body->request, CH_request_status_denied);
    ch_sealed_keep(state, event);
}

void ch_apply_access_withdrawn(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_withdrawn *body = event->body;
    settle(state, event, body->request, CH_request_status_withdrawn);
}

void ch_apply_access_request_expired(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_access_request_expired *body = event->body;
    settle(state, event, body->request, CH_request_status_expired);
}
