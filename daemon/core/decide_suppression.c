/* decide_suppression: rules of unsubscribe lists; see decide_impl.h. SPDX-License-Identifier: MIT
 * Who unsubscribes is nobody's user: the platform's services put them on the list, and no status of
 * the account but its end hinders that. */
#include "daemon/core/decide_impl.h"

/* Whether the actor may change the account's list; refuses otherwise. */
static bool may_change(struct ch_case *c)
{
    return ch_may_there(c, c->on, CH_SCOPE_suppressions_update, "on");
}

/* The address's keyed hash, for an event. */
static struct ch_bytes hash_of(struct ch_case *c, const struct ch_named *address)
{
    const uint8_t *hash = ch_arena_copy(c->arena, address->hash, sizeof address->hash);
    if (hash == NULL) c->ret->no_memory = true;
    return (struct ch_bytes){hash, sizeof address->hash};
}

enum ch_rejection_code ch_decide_suppression_add(struct ch_case *c)
{
    const struct ch_cmd_suppression_add *args = c->call->args;
    if (!may_change(c)) return c->ret->reject.code;
    if (ch_find_suppressed(c->state, c->on, args->address.hash) != 0) return CH_REJ_none;
    struct ch_ev_suppression_added *body =
        ch_emit(c, CH_EV_suppression_added, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->hash = hash_of(c, &args->address);
    body->hash_key = c->moment->hash_key;
    body->reason = args->has_reason ? args->reason : (uint8_t)CH_suppression_reason_unsubscribed;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_suppression_remove(struct ch_case *c)
{
    const struct ch_cmd_suppression_remove *args = c->call->args;
    if (!may_change(c)) return c->ret->reject.code;
    const uint32_t row = ch_find_suppressed(c->state, c->on, args->address.hash);
    if (row == 0) return ch_reject(c, CH_REJ_not_suppressed, "address");
    struct ch_ev_suppression_removed *body =
        ch_emit(c, CH_EV_suppression_removed, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->hash = hash_of(c, &args->address);
    body->hash_key = ch_suppressed_row(c->state, row)->hash_key;
    return CH_REJ_none;
}
