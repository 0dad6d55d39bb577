/* apply_account: accounts, guardrails and users; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/ledger.h"

static struct ch_row_account *edit_account(struct ch_state *state, uint32_t row, uint64_t seq)
{
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
    account->changed = seq;
    return account;
}

void ch_apply_account_opened(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_opened *body = event->body;
    uint32_t parent = body->has_parent ? ch_find_account(state, body->parent.seq) : 0;
    uint32_t row = ch_row_take(&state->store, CH_T_ACCOUNT);
    struct ch_row_account *account = ch_row_edit(&state->store, CH_T_ACCOUNT, row);
    account->parent = parent;
    account->id = event->seq;
    account->changed = event->seq;
    account->last_seq = event->seq;
    account->set_seq = event->seq;
    account->sub_depth = (uint32_t)body->sub_depth;
    account->name = ch_text_take(state, body->name);
    if (parent != 0) {
        struct ch_row_account *above = edit_account(state, parent, event->seq);
        account->depth = above->depth + 1;
        account->next_sibling = above->first_child;
        above->first_child = row;
        above->open_children++;
        if (account->next_sibling != 0) {
            struct ch_row_account *next =
                ch_row_edit(&state->store, CH_T_ACCOUNT, account->next_sibling);
            next->prev_sibling = row;
        }
    }
    ch_index_insert(&state->store, CH_I_ACCOUNT_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_ACCOUNT_NAME, ch_hash_in(parent, body->name), row);
}

/* A closed account's plan closes no periods; reopened, one event closes all that passed. */
static void time_plan(struct ch_state *state, uint32_t account)
{
    const uint32_t plan = ch_find_plan(state, account);
    if (plan != 0) ch_due_set(state, CH_DUE_PERIOD, plan, ch_plan_due(state, plan));
}

void ch_apply_account_closed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_closed *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    account->status = CH_account_status_closed;
    account->closed_seq = event->seq;
    account->closed_at = event->at;
    account->closed_act = event->cause.kind == CH_CAUSE_EVENT ? event->cause.first : event->seq;
    account->reopen_until = body->until;
    ch_due_set(state, CH_DUE_ACCOUNT, row, body->until);
    time_plan(state, row);
    if (account->parent == 0) return;
    struct ch_row_account *above = edit_account(state, account->parent, event->seq);
    above->open_children--;
}

void ch_apply_account_reopened(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_reopened *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    ch_due_set(state, CH_DUE_ACCOUNT, row, 0);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    account->status = CH_account_status_open;
    account->closed_seq = 0;
    account->closed_at = 0;
    account->closed_act = 0;
    account->reopen_until = 0;
    time_plan(state, row);
    if (account->parent == 0) return;
    struct ch_row_account *above = edit_account(state, account->parent, event->seq);
    above->open_children++;
}

static void drop_name(struct ch_state *state, uint32_t row)
{
    const struct ch_row_account *account = ch_account_row(state, row);
    char name[128];
    const size_t len = ch_chain_get(state, CH_T_TEXT, account->name, name, sizeof name);
    ch_index_remove(&state->store, CH_I_ACCOUNT_NAME,
                    ch_hash_in(account->parent, (struct ch_text){name, len}), row);
}

void ch_apply_account_dissolved(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_dissolved *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    uint64_t parts = body->parts;
    while (parts > 0 && ch_end_part(state, row, event->seq)) {
        parts--;
    }
    struct ch_row_account *account = edit_account(state, row, event->seq);
    if (ch_parts_of(state, row) > 0) return; /* it is due again */
    ch_due_set(state, CH_DUE_ACCOUNT, row, 0);
    drop_name(state, row);
    account->status = CH_account_status_dissolved;
    account->reopen_until = 0;
}

/* What one of its two authorities says; the reason of what it said before goes. */
static struct ch_row_account *stand(struct ch_state *state, const struct ch_event *event,
                                    uint64_t id, uint8_t authority)
{
    CH_CHECK(authority < 2);
    struct ch_row_account *account = edit_account(state, ch_find_account(state, id), event->seq);
    ch_sealed_drop(state, account->standing_seq[authority]);
    ch_sealed_keep(state, event);
    account->standing_seq[authority] = event->seq;
    account->standing_at[authority] = event->at;
    return account;
}

void ch_apply_account_suspended(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_suspended *body = event->body;
    stand(state, event, body->account.seq, body->authority)->suspended_seq[body->authority] =
        event->seq;
}

void ch_apply_account_resumed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_resumed *body = event->body;
    stand(state, event, body->account.seq, body->authority)->suspended_seq[body->authority] = 0;
}

void ch_apply_account_renamed(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_account_renamed *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    drop_name(state, row);
    ch_index_insert(&state->store, CH_I_ACCOUNT_NAME, ch_hash_in(account->parent, body->name), row);
    const uint32_t was = account->name;
    account->name = ch_text_take(state, body->name);
    ch_text_drop(state, was);
}

void ch_apply_from_domain_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_from_domain_set *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    const uint32_t was = account->from_domain;
    account->from_domain = body->has_from_domain ? ch_text_take(state, body->from_domain) : 0;
    if (was != 0) ch_text_drop(state, was);
}

/* Forgets what was asked and answered about master status, with the reasons. */
static void forget_master(struct ch_state *state, struct ch_row_account *account)
{
    ch_sealed_drop(state, account->master_asked_seq);
    ch_sealed_drop(state, account->master_declined_seq);
    account->master_asked_seq = 0;
    account->master_asked_at = 0;
    account->master_declined_seq = 0;
    account->master_declined_at = 0;
}

void ch_apply_master_requested(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_master_requested *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    forget_master(state, account);
    account->master_asked_seq = event->seq;
    account->master_asked_at = event->at;
    ch_sealed_keep(state, event);
}

void ch_apply_master_granted(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_master_granted *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    forget_master(state, account);
    account->sub_depth = (uint32_t)body->sub_depth;
}

void ch_apply_master_declined(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_master_declined *body = event->body;
    const uint32_t row = ch_find_account(state, body->account.seq);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    forget_master(state, account);
    account->master_declined_seq = event->seq;
    account->master_declined_at = event->at;
    ch_sealed_keep(state, event);
}

void ch_apply_guardrail_set(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_guardrail_set *body = event->body;
    uint32_t row = ch_find_account(state, event->account);
    struct ch_row_account *account = edit_account(state, row, event->seq);
    uint32_t old = account->guardrail;
    account->guardrail = ch_scopes_take(state, body->denied);
    account->guardrail_seq = event->seq;
    ch_scopes_drop(state, old);
}

void ch_apply_user_created(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_user_created *body = event->body;
    uint32_t row = ch_row_take(&state->store, CH_T_USER);
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->number = (uint32_t)body->number;
    user->id = event->seq;
    user->changed = event->seq;
    user->profile_seq = event->seq;
    struct ch_row_meta *meta = ch_row_edit(&state->store, CH_T_META, 1);
    CH_CHECK(body->number == meta->next_user_number);
    meta->next_user_number++;
    ch_index_insert(&state->store, CH_I_USER_ID, ch_hash_mix(event->seq, 0), row);
    ch_index_insert(&state->store, CH_I_USER_NUMBER, ch_hash_mix(body->number, 2), row);
    ch_sealed_keep(state, event); /* in the list of the user whose number it bears */
}

static void user_status(struct ch_state *state, const struct ch_event *event, uint64_t id,
                        enum ch_user_status status)
{
    uint32_t row = ch_find_user(state, id);
    struct ch_row_user *user = ch_row_edit(&state->store, CH_T_USER, row);
    user->status = status;
    user->status_seq = event->seq;
    user->changed = event->seq;
}

void ch_apply_user_locked(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_user_locked *body = event->body;
    user_status(state, event, body->user.seq, CH_user_status_locked);
}

void ch_apply_user_unlocked(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_user_unlocked *body = event->body;
    user_status(state, event, body->user.seq, CH_user_status_active);
}
