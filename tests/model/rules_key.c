/* rules_key: API keys in the oracle's world. SPDX-License-Identifier: MIT */
#include "tests/model/rules.h"

#include "schema/base/check.h"
#include "schema/limits.h"

/* The owner's acts are done in person; an account key acts on its own account only, so it has to do
 * with none below. */
static struct ch_scopes never_of(uint8_t kind)
{
    struct ch_scopes never = o_owners_own();
    if (kind == CH_key_kind_master) return never;
    ch_scopes_add(&never, CH_SCOPE_subaccounts_create);
    ch_scopes_add(&never, CH_SCOPE_subaccounts_update);
    ch_scopes_add(&never, CH_SCOPE_credits_allocate);
    ch_scopes_add(&never, CH_SCOPE_content_feed);
    return never;
}

static void new_key(struct o_case *k, const struct o_key *made)
{
    for (size_t i = 0; i < O_KEYS; i++) {
        if (k->w->keys[i].id != 0) continue;
        k->w->keys[i] = *made;
        k->w->keys[i].person = o_person(k->w, k->c->actor_kind, k->c->actor);
        k->w->keys[i].id = o_event(k, CH_EV_key_created, made->account);
        return;
    }
    CH_CHECK(false);
}

/* What role full gives, as far as whoever opens the account has it below `above`. What a master key
 * cannot do itself, because it never transmits, it may still open accounts for. */
struct ch_scopes o_first_key_scopes(const struct o_case *k, uint64_t above)
{
    const struct ch_scopes full =
        ch_scopes_but(o_built_in(k->w, "full")->scopes, never_of(CH_key_kind_account));
    if (above == 0) return full;
    struct ch_scopes has = o_covered(k, above, CH_reach_subtree, full, NULL);
    if (k->c->actor_kind == CH_actor_kind_key) {
        has = ch_scopes_or(has, ch_scopes_and(o_key(k->w, k->c->actor)->scopes, o_transmits()));
    }
    return ch_scopes_and(full, has);
}

void o_first_key(struct o_case *k, uint64_t account, struct ch_scopes scopes)
{
    const struct o_key first = {.account = account, .name = "first", .scopes = scopes};
    new_key(k, &first);
}

bool o_acts_as_owner(const struct o_case *k)
{
    if (o_is_operator(k)) return true;
    return o_is_person(k) && o_owner(k->w, k->on->id) == k->c->actor;
}

static const struct o_key *named(struct o_case *k, const char *name)
{
    for (size_t i = 0; i < O_KEYS; i++) {
        const struct o_key *key = &k->w->keys[i];
        if (key->id != 0 && key->account == k->on->id && strcmp(key->name, name) == 0) return key;
    }
    return NULL;
}

static void create_key(struct o_case *k)
{
    const struct o_command *c = k->c;
    const uint8_t kind = c->has_share_kind ? c->share_kind : CH_key_kind_account;
    const bool master = kind == CH_key_kind_master;
    o_break_if(k, master && o_levels_left(k->w, k->on->id) == 0, CH_REJ_not_a_master);
    o_break_if(k, master && !o_acts_as_owner(k), CH_REJ_owner_only);
    o_break_if(k, !ch_scopes_empty(ch_scopes_and(c->scopes, never_of(kind))), CH_REJ_not_for_keys);
    o_break_if(
        k, !o_covers(k, k->on->id, master ? CH_reach_subtree : CH_reach_account, c->scopes, NULL),
        CH_REJ_uncovered_scopes);
    o_break_if(k, named(k, c->name) != NULL, CH_REJ_name_taken);
    o_break_if(k, c->has_expiry && c->expires_at <= c->now, CH_REJ_in_the_past);
    if (k->code != 0) return;
    struct o_key made = {.account = k->on->id,
                         .kind = kind,
                         .scopes = c->scopes,
                         .expires_at = c->has_expiry ? c->expires_at : 0};
    memcpy(made.name, c->name, sizeof made.name);
    new_key(k, &made);
}

static void change_key(struct o_case *k)
{
    const struct o_command *c = k->c;
    struct o_key *key = o_key(k->w, c->thing);
    const struct o_key *known = named(k, c->name);
    o_break_if(k, key == NULL || key->account != k->on->id, CH_REJ_not_found);
    if (k->code != 0) return;
    CH_CHECK(key != NULL);
    const bool master = key->kind == CH_key_kind_master;
    o_break_if(k, master && !o_acts_as_owner(k), CH_REJ_owner_only);
    if (c->type == CH_CMD_key_rename) {
        o_break_if(k, known != NULL && known != key, CH_REJ_name_taken);
        if (k->code != 0 || known == key) return;
        o_event(k, CH_EV_key_renamed, k->on->id);
        memcpy(key->name, c->name, sizeof key->name);
        return;
    }
    if (c->type == CH_CMD_key_rotate) { /* who gets the secret gets what it may do */
        const uint8_t reach = master ? CH_reach_subtree : CH_reach_account;
        o_break_if(k, !o_covers(k, k->on->id, reach, key->scopes, NULL), CH_REJ_uncovered_scopes);
        o_break_if(k, c->has_amount[0] && c->amount[0] > LIMIT_KEY_OVERLAP_S, CH_REJ_limit_reached);
        if (k->code == 0) o_event(k, CH_EV_key_rotated, k->on->id);
        return;
    }
    if (k->code != 0) return;
    o_event(k, CH_EV_key_revoked, k->on->id);
    memset(key, 0, sizeof *key);
}

void o_key_rules(struct o_case *k)
{
    const int type = k->c->type;
    if (type == CH_CMD_key_create) create_key(k);
    if (type == CH_CMD_key_rename || type == CH_CMD_key_rotate || type == CH_CMD_key_revoke) {
        change_key(k);
    }
}
