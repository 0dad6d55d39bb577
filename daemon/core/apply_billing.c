/* apply_billing: separate billing of an account below; see apply_impl.h.
 * SPDX-License-Identifier: MIT */
#include "daemon/core/apply_impl.h"
#include "daemon/core/ledger.h"

/* The account's row is made with its first request. What was said earlier goes. */
static struct ch_row_separation *separation_of(struct ch_state *state, const struct ch_event *event)
{
    const uint32_t account = ch_find_account(state, event->account);
    uint32_t row = ch_find_separation(state, account);
    if (row == 0) {
        row = ch_row_take(&state->store, CH_T_SEPARATION);
        struct ch_row_separation *fresh = ch_row_edit(&state->store, CH_T_SEPARATION, row);
        fresh->account = account;
        ch_index_insert(&state->store, CH_I_SEPARATION, ch_hash_mix(account, 0), row);
    } else {
        ch_sealed_drop(state, ch_separation_row(state, row)->changed);
    }
    struct ch_row_separation *separation = ch_row_edit(&state->store, CH_T_SEPARATION, row);
    separation->changed = event->seq;
    return separation;
}

void ch_apply_separation_requested(struct ch_state *state, const struct ch_event *event)
{
    const struct ch_ev_separation_requested *body = event->body;
    struct ch_row_separation *separation = separation_of(state, event);
    separation->status = CH_separation_status_requested;
    separation->user = body->has_user ? body->user.seq : 0;
    ch_sealed_keep(state, event);
}

void ch_apply_separation_refused(struct ch_state *state, const struct ch_event *event)
{
    separation_of(state, event)->status = CH_separation_status_refused;
    ch_sealed_keep(state, event);
}

void ch_apply_separation_ended(struct ch_state *state, const struct ch_event *event)
{
    struct ch_row_separation *separation = separation_of(state, event);
    separation->status = CH_separation_status_none;
    separation->user = 0;
}

static bool stands_in(const struct ch_state *state, uint32_t account, uint32_t above)
{
    uint32_t a = account;
    while (a != 0 && a != above) {
        a = ch_account_row(state, a)->parent;
    }
    return a == above;
}

void ch_apply_separation_granted(struct ch_state *state, const struct ch_event *event)
{
    struct ch_row_separation *separation = separation_of(state, event);
    separation->status = CH_separation_status_granted;
    const uint32_t account = separation->account;
    const uint32_t plan = ch_plan_over(state, account);
    if (plan == 0) return;
    uint32_t next;
    for (uint32_t a = ch_plan_row(state, plan)->first_allocation; a != 0; a = next) {
        next = ch_allocation_row(state, a)->next;
        if (!stands_in(state, ch_allocation_row(state, a)->account, account)) continue;
        ch_end_allocation(state, a, event->seq);
    }
    ch_due_set(state, CH_DUE_PERIOD, plan, ch_plan_due(state, plan));
}
