/* decide_standing: rules of how an account stands: closed, reopened, suspended, resumed; see
 * decide_impl.h. SPDX-License-Identifier: MIT */
#include "daemon/core/calendar.h"
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

struct ch_scopes ch_owners_own(struct ch_scopes scopes)
{
    struct ch_scopes own = ch_scopes_of(CH_SCOPE_account_close);
    ch_scopes_add(&own, CH_SCOPE_account_transfer);
    ch_scopes_add(&own, CH_SCOPE_master_keys_create);
    return ch_scopes_and(own, scopes);
}

bool ch_is_givable(struct ch_case *c, struct ch_scopes scopes, const char *field)
{
    const struct ch_scopes own = ch_owners_own(scopes);
    if (ch_scopes_empty(own)) return true;
    (void)ch_reject_scopes(c, CH_REJ_owners_alone, field, own);
    return false;
}

uint64_t ch_days_ahead(const struct ch_case *c, uint64_t days)
{
    const uint64_t left = CH_MAX_TIME - c->moment->now;
    return days > left / CH_DAY_NS ? CH_MAX_TIME : c->moment->now + days * CH_DAY_NS;
}

/* Closes from the leaves up, so that none is open below a closed one on the way. */
static void close_below(struct ch_case *c, uint32_t account, uint64_t until)
{
    const struct ch_row_account *row = ch_account_row(c->state, account);
    for (uint32_t child = row->first_child; child != 0;
         child = ch_account_row(c->state, child)->next_sibling) {
        if (ch_account_row(c->state, child)->status == CH_account_status_open) {
            close_below(c, child, until); /* LIMIT_ACCOUNT_DEPTH deep at most */
        }
    }
    if (c->ret->count > LIMIT_MESSAGE_EVENTS || c->ret->no_memory) return;
    struct ch_ev_account_closed *body = ch_emit(c, CH_EV_account_closed, row->id);
    if (body == NULL) return;
    body->account.seq = row->id;
    body->until = until;
}

enum ch_rejection_code ch_decide_account_close(struct ch_case *c)
{
    const struct ch_cmd_account_close *args = c->call->args;
    const bool below = args->has_below && args->below;
    const bool owned = ch_owner_share(c->state, c->on) != 0;
    const bool by_owner = c->moment->actor.kind == CH_actor_kind_user &&
                          ch_is_owner(c->state, c->moment->user_row, c->on);
    if (owned && !by_owner) return ch_reject(c, CH_REJ_owner_only, "on");
    if (!below && ch_account_row(c->state, c->on)->open_children > 0) {
        return ch_reject(c, CH_REJ_has_children, "below");
    }
    close_below(c, c->on, ch_days_ahead(c, ch_limit(c->state, "CLOSE_GRACE_DAYS")));
    return CH_REJ_none;
}

/* Reopens from the root down, what the same act closed. */
static void reopen_below(struct ch_case *c, uint32_t account, uint64_t act, bool below)
{
    const struct ch_row_account *row = ch_account_row(c->state, account);
    if (c->ret->count > LIMIT_MESSAGE_EVENTS || c->ret->no_memory) return;
    struct ch_ev_account_reopened *body = ch_emit(c, CH_EV_account_reopened, row->id);
    if (body == NULL) return;
    body->account.seq = row->id;
    for (uint32_t child = below ? row->first_child : 0; child != 0;
         child = ch_account_row(c->state, child)->next_sibling) {
        const struct ch_row_account *next = ch_account_row(c->state, child);
        if (next->status == CH_account_status_closed && next->closed_act == act) {
            reopen_below(c, child, act, below); /* LIMIT_ACCOUNT_DEPTH deep at most */
        }
    }
}

enum ch_rejection_code ch_decide_account_reopen(struct ch_case *c)
{
    const struct ch_cmd_account_reopen *args = c->call->args;
    const struct ch_row_account *row = ch_account_row(c->state, c->on);
    if (!ch_is_open(c->state, row->parent)) return ch_reject(c, CH_REJ_account_closed, "on");
    if (row->status == CH_account_status_open) return ch_reject(c, CH_REJ_not_closed, "on");
    if (row->reopen_until <= c->moment->now) return ch_reject(c, CH_REJ_grace_over, "on");
    reopen_below(c, c->on, row->closed_act, args->has_below && args->below);
    return CH_REJ_none;
}

void ch_due_account(struct ch_case *c, uint32_t account)
{
    const struct ch_row_account *row = ch_account_row(c->state, account);
    const uint64_t parts = ch_parts_of(c->state, account);
    struct ch_ev_account_dissolved *body = ch_emit(c, CH_EV_account_dissolved, row->id);
    if (body == NULL) return;
    body->account.seq = row->id;
    body->parts = parts < LIMIT_DISSOLVE_PARTS ? parts : LIMIT_DISSOLVE_PARTS;
}

/* Whose word the actor's is. */
static uint8_t authority_of(const struct ch_case *c)
{
    return c->moment->actor.kind == CH_actor_kind_operator ? CH_authority_operator
                                                           : CH_authority_customer;
}

enum ch_rejection_code ch_decide_account_suspend(struct ch_case *c)
{
    const struct ch_cmd_account_suspend *args = c->call->args;
    const uint64_t account = ch_account_row(c->state, c->on)->id;
    struct ch_ev_account_suspended *body = ch_emit(c, CH_EV_account_suspended, account);
    if (body == NULL) return CH_REJ_none;
    body->account.seq = account;
    body->authority = authority_of(c);
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_account_resume(struct ch_case *c)
{
    const struct ch_cmd_account_resume *args = c->call->args;
    const struct ch_row_account *row = ch_account_row(c->state, c->on);
    if (row->suspended_seq[authority_of(c)] == 0) {
        return ch_reject(c, CH_REJ_not_suspended, "on");
    }
    struct ch_ev_account_resumed *body = ch_emit(c, CH_EV_account_resumed, row->id);
    if (body == NULL) return CH_REJ_none;
    body->account.seq = row->id;
    body->authority = authority_of(c);
    body->has_reason = true;
    body->reason = args->reason;
    return CH_REJ_none;
}
