/* decide_suppression: rules of unsubscribe lists; see decide_impl.h. SPDX-License-Identifier: MIT
 * Who unsubscribes is nobody's user: the platform's services put them on the list, and no status of
 * the account but its end hinders that. */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

/* Whether the actor may change the account's list; refuses otherwise. */
static bool may_change(struct ch_case *c)
{
    return ch_may_there(c, c->on, CH_SCOPE_suppressions_update, "on");
}

/* A keyed hash, for an event. */
static struct ch_bytes hash_of(struct ch_case *c, const uint8_t hash[16])
{
    const uint8_t *own = ch_arena_copy(c->arena, hash, 16);
    if (own == NULL) c->ret->no_memory = true;
    return (struct ch_bytes){own, 16};
}

/* The address's row on the account's own list, under whatever key in use; 0: it is not there. */
static uint32_t find_address(const struct ch_case *c)
{
    CH_CHECK(c->moment->address_count > 0);
    uint32_t row = 0;
    for (uint32_t i = 0; row == 0 && i < c->moment->address_count; i++) {
        row = ch_find_suppressed(c->state, c->on, c->moment->address[i].hash);
    }
    return row;
}

enum ch_rejection_code ch_decide_suppression_add(struct ch_case *c)
{
    const struct ch_cmd_suppression_add *args = c->call->args;
    if (!may_change(c)) return c->ret->reject.code;
    if (find_address(c) != 0) return CH_REJ_none;
    const struct ch_address_hash *newest = &c->moment->address[c->moment->address_count - 1];
    CH_CHECK(newest->key == ch_hash_key_newest(c->state));
    struct ch_ev_suppression_added *body =
        ch_emit(c, CH_EV_suppression_added, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->hash = hash_of(c, newest->hash);
    body->hash_key = newest->key;
    body->reason = args->has_reason ? args->reason : (uint8_t)CH_suppression_reason_unsubscribed;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_suppression_remove(struct ch_case *c)
{
    if (!may_change(c)) return c->ret->reject.code;
    const uint32_t row = find_address(c);
    if (row == 0) return ch_reject(c, CH_REJ_not_suppressed, "address");
    struct ch_ev_suppression_removed *body =
        ch_emit(c, CH_EV_suppression_removed, ch_account_row(c->state, c->on)->id);
    if (body == NULL) return CH_REJ_none;
    body->hash = hash_of(c, ch_suppressed_row(c->state, row)->hash);
    body->hash_key = ch_suppressed_row(c->state, row)->hash_key;
    return CH_REJ_none;
}

/* The new key lies in the vault like a person's, under the next number. */
enum ch_rejection_code ch_decide_suppression_rotate_key(struct ch_case *c)
{
    const uint32_t newest = ch_hash_key_newest(c->state);
    uint32_t in_use = 0;
    for (uint32_t number = 1; number <= newest; number++) {
        in_use += ch_hash_key_in_use(c->state, number);
    }
    CH_CHECK(LIMIT_HASH_KEYS <= CH_ADDRESS_HASHES);
    if (in_use >= LIMIT_HASH_KEYS || newest == UINT16_MAX) {
        return ch_reject_limit(c, "HASH_KEYS", NULL);
    }
    struct ch_ev_hash_key_made *body = ch_emit(c, CH_EV_hash_key_made, /* account= */ 0);
    if (body == NULL) return CH_REJ_none;
    body->number = newest + 1;
    body->slot = ch_meta(c->state)->next_user_number;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_suppression_retire_key(struct ch_case *c)
{
    const struct ch_cmd_suppression_retire_key *args = c->call->args;
    const uint32_t newest = ch_hash_key_newest(c->state);
    if (!ch_hash_key_in_use(c->state, args->key)) return ch_reject(c, CH_REJ_not_found, "key");
    if (args->key == newest || ch_hash_key_row(c->state, (uint32_t)args->key)->addresses > 0) {
        return ch_reject(c, CH_REJ_key_in_use, "key");
    }
    struct ch_ev_hash_key_retired *body = ch_emit(c, CH_EV_hash_key_retired, /* account= */ 0);
    if (body != NULL) body->number = args->key;
    return CH_REJ_none;
}
