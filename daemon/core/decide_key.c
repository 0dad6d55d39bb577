/* decide_key: rules of API keys; see decide_impl.h. SPDX-License-Identifier: MIT
 * A key belongs to its account, not to who made it: what becomes of its maker does not touch it. */
#include "daemon/core/decide_impl.h"
#include "schema/limits.h"

static const uint64_t second_ns = 1000000000u;

/* What no key may do: the owner's acts in person. An account key acts on its account only, so it
 * has to do with no account below it either. */
struct ch_scopes ch_key_never(uint8_t kind)
{
    struct ch_scopes never = ch_scopes_of(CH_SCOPE_master_keys_create);
    ch_scopes_add(&never, CH_SCOPE_account_close);
    ch_scopes_add(&never, CH_SCOPE_account_transfer);
    if (kind == CH_key_kind_master) return never;
    ch_scopes_add(&never, CH_SCOPE_subaccounts_create);
    ch_scopes_add(&never, CH_SCOPE_subaccounts_update);
    ch_scopes_add(&never, CH_SCOPE_credits_allocate);
    ch_scopes_add(&never, CH_SCOPE_content_feed);
    return never;
}

bool ch_acts_as_owner(const struct ch_case *c)
{
    if (c->moment->actor.kind == CH_actor_kind_operator) return true;
    if (c->moment->actor.kind != CH_actor_kind_user) return false;
    if (!ch_is_owner(c->state, c->moment->user_row, c->on)) return false;
    const struct ch_row_share *share = ch_share_row(c->state, ch_owner_share(c->state, c->on));
    return share->status == CH_share_status_active && !ch_is_over(c->state, share, c->moment->now);
}

static uint64_t account_id(const struct ch_case *c)
{
    return ch_account_row(c->state, c->on)->id;
}

struct ch_bytes ch_minted_hash(const struct ch_case *c)
{
    CH_CHECK(c->moment->minted_count == 1);
    return (struct ch_bytes){c->moment->minted[0].hash, sizeof c->moment->minted[0].hash};
}

void ch_emit_first_key(struct ch_case *c, uint64_t account, uint32_t above)
{
    const uint32_t full = ch_find_role_name(c->state, 0, ch_text_of("full"));
    struct ch_scopes scopes = {{0, 0}};
    if (full != 0) scopes = ch_scopes_at(c->state, ch_role_row(c->state, full)->scopes);
    scopes = ch_scopes_but(scopes, ch_key_never(CH_key_kind_account));
    if (above != 0) {
        const struct ch_scopes missing = ch_undelegated(c, above, scopes);
        scopes = ch_scopes_but(scopes, missing);
    }
    struct ch_ev_key_created *body = ch_emit(c, CH_EV_key_created, account);
    if (body == NULL) return;
    body->kind = CH_key_kind_account;
    body->name = ch_text_of("first");
    body->scopes = scopes;
    body->hash = ch_minted_hash(c);
}

enum ch_rejection_code ch_decide_key_create(struct ch_case *c)
{
    const struct ch_cmd_key_create *args = c->call->args;
    const uint8_t kind = args->has_kind ? args->kind : CH_key_kind_account;
    const bool master = kind == CH_key_kind_master;
    const struct ch_row_account *account = ch_account_row(c->state, c->on);
    if (master && ch_levels_below(c->state, c->on) == 0) {
        return ch_reject(c, CH_REJ_not_a_master, "on");
    }
    if (master && !ch_acts_as_owner(c)) return ch_reject(c, CH_REJ_owner_only, "kind");
    const struct ch_scopes never = ch_scopes_and(args->scopes, ch_key_never(kind));
    if (!ch_scopes_empty(never)) {
        return ch_reject_scopes(c, CH_REJ_not_for_keys, "scopes", never);
    }
    const uint8_t reach = master ? CH_reach_subtree : CH_reach_account;
    const struct ch_scopes missing = ch_uncovered(c, c->on, reach, args->scopes, NULL);
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "scopes", missing);
    }
    if (ch_find_key_name(c->state, c->on, args->name) != 0) {
        return ch_reject(c, CH_REJ_name_taken, "name");
    }
    if (args->has_expires_at && args->expires_at <= c->moment->now) {
        return ch_reject(c, CH_REJ_in_the_past, "expires_at");
    }
    if (account->key_count >= LIMIT_KEYS_OF_ACCOUNT) {
        return ch_reject_limit(c, "KEYS_OF_ACCOUNT", "on");
    }
    struct ch_ev_key_created *body = ch_emit(c, CH_EV_key_created, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->kind = kind;
    body->name = args->name;
    body->scopes = args->scopes;
    body->hash = ch_minted_hash(c);
    body->has_expires_at = args->has_expires_at;
    body->expires_at = args->expires_at;
    return CH_REJ_none;
}

/* A key of the account; of another account's it is told no more than of one that is not there. A
 * master key is the owner's alone. 0 after refusing. */
static uint32_t key_to_change(struct ch_case *c, struct ch_key_id id)
{
    const uint32_t row = ch_find_key(c->state, id.seq);
    if (row == 0 || ch_key_row(c->state, row)->account != c->on) {
        (void)ch_reject(c, CH_REJ_not_found, "key");
        return 0;
    }
    if (ch_key_row(c->state, row)->kind == CH_key_kind_master && !ch_acts_as_owner(c)) {
        (void)ch_reject(c, CH_REJ_owner_only, "key");
        return 0;
    }
    return row;
}

enum ch_rejection_code ch_decide_key_rename(struct ch_case *c)
{
    const struct ch_cmd_key_rename *args = c->call->args;
    const uint32_t row = key_to_change(c, args->key);
    if (row == 0) return CH_REJ_none;
    const uint32_t known = ch_find_key_name(c->state, c->on, args->name);
    if (known == row) return CH_REJ_none;
    if (known != 0) return ch_reject(c, CH_REJ_name_taken, "name");
    struct ch_ev_key_renamed *body = ch_emit(c, CH_EV_key_renamed, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->key = args->key;
    body->name = args->name;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_key_rotate(struct ch_case *c)
{
    const struct ch_cmd_key_rotate *args = c->call->args;
    const uint32_t row = key_to_change(c, args->key);
    if (row == 0) return CH_REJ_none;
    const struct ch_row_key *key = ch_key_row(c->state, row);
    const bool master = key->kind == CH_key_kind_master;
    /* Whoever gets the secret gets what it may do, so it must be theirs. */
    const struct ch_scopes missing =
        ch_uncovered(c, c->on, master ? CH_reach_subtree : CH_reach_account,
                     ch_scopes_at(c->state, key->scopes), NULL);
    if (!ch_scopes_empty(missing)) {
        return ch_reject_scopes(c, CH_REJ_uncovered_scopes, "key", missing);
    }
    const uint64_t overlap_s = args->has_overlap_s ? args->overlap_s : LIMIT_KEY_OVERLAP_USUAL_S;
    if (overlap_s > LIMIT_KEY_OVERLAP_S) return ch_reject_limit(c, "KEY_OVERLAP_S", "overlap_s");
    struct ch_ev_key_rotated *body = ch_emit(c, CH_EV_key_rotated, account_id(c));
    if (body == NULL) return CH_REJ_none;
    body->key = args->key;
    body->hash = ch_minted_hash(c);
    body->has_old_until = overlap_s > 0;
    body->old_until = overlap_s > 0 ? c->moment->now + overlap_s * second_ns : 0;
    return CH_REJ_none;
}

enum ch_rejection_code ch_decide_key_revoke(struct ch_case *c)
{
    const struct ch_cmd_key_revoke *args = c->call->args;
    const uint32_t row = key_to_change(c, args->key);
    if (row == 0) return CH_REJ_none;
    struct ch_ev_key_revoked *body = ch_emit(c, CH_EV_key_revoked, account_id(c));
    if (body != NULL) body->key = args->key;
    return CH_REJ_none;
}

void ch_key_due(struct ch_case *c, uint32_t row)
{
    const struct ch_row_key *key = ch_key_row(c->state, row);
    struct ch_ev_key_expired *body =
        ch_emit(c, CH_EV_key_expired, ch_account_row(c->state, key->account)->id);
    if (body != NULL) body->key.seq = key->id;
}
