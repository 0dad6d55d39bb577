/* find: rows by id, name or key; see state.h. SPDX-License-Identifier: MIT */
#include "daemon/core/state.h"

#include "schema/event.h"

/* Walks the candidates of a hash; the key is compared by the expression `match` over `row`. */
#define FIND(index, hash, match)                                                                   \
    do {                                                                                           \
        struct ch_probe probe = ch_probe_start(&state->store, (index), (hash));                    \
        for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {        \
            if (match) return row;                                                                 \
        }                                                                                          \
        return 0;                                                                                  \
    } while (0)

uint64_t ch_hash_declared(uint32_t category, uint64_t number)
{
    return ch_hash_mix(category, number);
}

uint64_t ch_hash_in(uint32_t owner, struct ch_text name)
{
    return ch_hash_mix(owner, ch_hash_bytes(name.ptr, name.len));
}

uint64_t ch_hash_share(uint8_t subject_kind, uint32_t subject, uint32_t account)
{
    return ch_hash_mix((uint64_t)subject << 8 | subject_kind, account);
}

uint64_t ch_hash_seat(uint32_t user, uint32_t account)
{
    return ch_hash_mix(user, (uint64_t)account << 8 | 1);
}

uint64_t ch_hash_token(const uint8_t token_hash[32])
{
    return ch_hash_mix(ch_get_le64(token_hash), 2);
}

uint64_t ch_hash_resource(uint32_t share, uint8_t kind, uint32_t resource)
{
    return ch_hash_mix((uint64_t)share << 8 | kind, resource);
}

uint64_t ch_hash_member(uint32_t share, uint32_t group)
{
    return ch_hash_mix(share, group);
}

uint64_t ch_hash_seen(uint8_t actor_kind, uint64_t actor_id, const uint8_t id[16])
{
    return ch_hash_mix(ch_hash_actor(actor_kind, actor_id), ch_hash_bytes(id, 16));
}

uint64_t ch_hash_actor(uint8_t actor_kind, uint64_t actor_id)
{
    return ch_hash_mix(actor_kind, actor_id);
}

uint64_t ch_hash_name(uint8_t kind, const uint8_t hash[16])
{
    return ch_hash_mix(kind, ch_get_le64(hash));
}

uint64_t ch_hash_feed(uint32_t account, uint8_t kind, uint32_t resource, uint32_t to)
{
    return ch_hash_mix(ch_hash_resource(account, kind, resource), to);
}

uint64_t ch_hash_suppressed(uint32_t root, const uint8_t hash[16])
{
    return ch_hash_mix(root, ch_get_le64(hash));
}

uint64_t ch_hash_secret(const uint8_t hash[32])
{
    return ch_get_le64(hash); /* it is one already */
}

uint32_t ch_find_account(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_ACCOUNT_ID, ch_hash_mix(id, 0), ch_account_row(state, row)->id == id);
}

uint32_t ch_find_user(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_USER_ID, ch_hash_mix(id, 0), ch_user_row(state, row)->id == id);
}

uint32_t ch_find_user_number(const struct ch_state *state, uint64_t number)
{
    FIND(CH_I_USER_NUMBER, ch_hash_mix(number, 2), ch_user_row(state, row)->number == number);
}

uint32_t ch_find_share_id(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_SHARE_ID, ch_hash_mix(id, 0), ch_share_row(state, row)->id == id);
}

uint32_t ch_find_group(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_GROUP_ID, ch_hash_mix(id, 0), ch_group_row(state, row)->id == id);
}

uint32_t ch_find_role(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_ROLE_ID, ch_hash_mix(id, 0), ch_role_row(state, row)->id == id);
}

uint64_t ch_hash_submission(uint32_t account, uint32_t campaign)
{
    return ch_hash_mix(account, campaign);
}

uint32_t ch_find_submission(const struct ch_state *state, uint32_t account, struct ch_text campaign)
{
    const uint32_t text = ch_text_find(state, campaign);
    if (text == 0) return 0;
    FIND(CH_I_SUBMISSION, ch_hash_submission(account, text),
         ch_submission_row(state, row)->account == account &&
             ch_submission_row(state, row)->campaign == text);
}

uint32_t ch_find_request(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_REQUEST_ID, ch_hash_mix(id, 0), ch_request_row(state, row)->id == id);
}

static bool named(const struct ch_state *state, uint32_t text, struct ch_text name)
{
    return ch_chain_is(state, CH_T_TEXT, text, name.ptr, name.len);
}

uint32_t ch_find_account_name(const struct ch_state *state, uint32_t parent, struct ch_text name)
{
    FIND(CH_I_ACCOUNT_NAME, ch_hash_in(parent, name),
         ch_account_row(state, row)->parent == parent &&
             named(state, ch_account_row(state, row)->name, name));
}

uint32_t ch_find_account_path(const struct ch_state *state, struct ch_text path)
{
    uint32_t account = 0;
    size_t start = 0;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') continue;
        account =
            ch_find_account_name(state, account, (struct ch_text){path.ptr + start, i - start});
        if (account == 0) return 0;
        start = i + 1;
    }
    return account;
}

uint32_t ch_find_group_name(const struct ch_state *state, uint32_t account, struct ch_text name)
{
    FIND(CH_I_GROUP_NAME, ch_hash_in(account, name),
         ch_group_row(state, row)->account == account &&
             named(state, ch_group_row(state, row)->name, name));
}

uint32_t ch_find_role_name(const struct ch_state *state, uint32_t account, struct ch_text name)
{
    FIND(CH_I_ROLE_NAME, ch_hash_in(account, name),
         ch_role_row(state, row)->account == account &&
             named(state, ch_role_row(state, row)->name, name));
}

uint32_t ch_find_page(const struct ch_state *state, uint64_t id)
{
    for (uint32_t p = ch_row_next(&state->store, CH_T_PAGE, 0); p != 0;
         p = ch_row_next(&state->store, CH_T_PAGE, p)) { /* a dozen rows */
        if (ch_page_row(state, p)->id == id) return p;
    }
    return 0;
}

uint32_t ch_find_page_name(const struct ch_state *state, struct ch_text name)
{
    FIND(CH_I_PAGE_NAME, ch_hash_in(0, name), named(state, ch_page_row(state, row)->name, name));
}

uint32_t ch_find_user_hash(const struct ch_state *state, uint8_t kind, const uint8_t hash[16])
{
    struct ch_probe probe = ch_probe_start(&state->store, CH_I_NAME, ch_hash_name(kind, hash));
    for (uint32_t row = ch_probe_next(&probe); row != 0; row = ch_probe_next(&probe)) {
        const struct ch_row_name *name = ch_name_row(state, row);
        if (name->kind == kind && memcmp(name->hash, hash, sizeof name->hash) == 0) {
            return name->user;
        }
    }
    return 0;
}

uint32_t ch_find_user_ref(const struct ch_state *state, const struct ch_ref *ref)
{
    if (ref->id != 0) return ch_find_user(state, ref->id);
    return ch_find_user_hash(state, ch_user_name_kind(ref->name), ref->hash);
}

uint32_t ch_find_account_ref(const struct ch_state *state, const struct ch_ref *ref)
{
    return ref->id != 0 ? ch_find_account(state, ref->id) : ch_find_account_path(state, ref->name);
}

uint32_t ch_find_share(const struct ch_state *state, uint8_t subject_kind, uint32_t subject,
                       uint32_t account)
{
    FIND(CH_I_SHARE, ch_hash_share(subject_kind, subject, account),
         ch_share_row(state, row)->subject == subject &&
             ch_share_row(state, row)->account == account &&
             ch_share_row(state, row)->subject_kind == subject_kind);
}

uint32_t ch_find_seat(const struct ch_state *state, uint32_t user, uint32_t account)
{
    FIND(CH_I_SEAT, ch_hash_seat(user, account),
         ch_seat_row(state, row)->user == user && ch_seat_row(state, row)->account == account);
}

uint32_t ch_find_token(const struct ch_state *state, const uint8_t token_hash[32])
{
    FIND(CH_I_TOKEN, ch_hash_token(token_hash),
         memcmp(ch_invitation_row(state, row)->token_hash, token_hash, 32) == 0);
}

const struct ch_row_terms ch_no_terms = {.share = 0};

uint64_t ch_status_seq(const struct ch_state *state, const struct ch_row_share *share)
{
    if (share->seat != 0) return ch_seat_row(state, share->seat)->status_seq;
    const uint64_t set = ch_terms_of(state, share)->status_seq;
    return set == 0 ? share->id : set;
}

const struct ch_row_invitation *ch_invitation_of(const struct ch_state *state, uint32_t seat)
{
    static const struct ch_row_invitation none = {.status = CH_invitation_none};
    const uint32_t row = ch_seat_row(state, seat)->invitation;
    return row == 0 ? &none : ch_invitation_row(state, row);
}

uint32_t ch_find_grant(const struct ch_state *state, uint32_t share, uint8_t kind,
                       uint32_t resource)
{
    FIND(CH_I_GRANT, ch_hash_resource(share, kind, resource),
         ch_grant_row(state, row)->share == share && ch_grant_row(state, row)->kind == kind &&
             ch_grant_row(state, row)->resource == resource);
}

uint32_t ch_find_limited(const struct ch_state *state, uint32_t share, uint8_t kind,
                         uint32_t resource)
{
    FIND(CH_I_LIMITED, ch_hash_resource(share, kind, resource),
         ch_limited_row(state, row)->share == share && ch_limited_row(state, row)->kind == kind &&
             ch_limited_row(state, row)->resource == resource);
}

bool ch_is_limited_to(const struct ch_state *state, uint32_t share, uint8_t kind, uint32_t resource)
{
    return resource != 0 && ch_find_limited(state, share, kind, resource) != 0;
}

uint32_t ch_find_member(const struct ch_state *state, uint32_t share, uint32_t group)
{
    FIND(CH_I_MEMBER, ch_hash_member(share, group),
         ch_member_row(state, row)->share == share && ch_member_row(state, row)->group == group);
}

uint32_t ch_find_declared(const struct ch_state *state, uint32_t category, uint64_t number)
{
    FIND(CH_I_DECLARED, ch_hash_declared(category, number),
         ch_declared_row(state, row)->category == category &&
             ch_declared_row(state, row)->number == number);
}

uint32_t ch_find_seen(const struct ch_state *state, uint8_t actor_kind, uint64_t actor_id,
                      const uint8_t id[16])
{
    FIND(CH_I_SEEN, ch_hash_seen(actor_kind, actor_id, id),
         ch_seen_row(state, row)->actor_id == actor_id &&
             ch_seen_row(state, row)->actor_kind == actor_kind &&
             memcmp(ch_seen_row(state, row)->id, id, 16) == 0);
}

uint32_t ch_find_refused(const struct ch_state *state, uint8_t actor_kind, uint64_t actor_id)
{
    FIND(CH_I_REFUSED, ch_hash_actor(actor_kind, actor_id),
         ch_refused_row(state, row)->actor_id == actor_id &&
             ch_refused_row(state, row)->actor_kind == actor_kind);
}

uint32_t ch_find_sealed(const struct ch_state *state, uint64_t seq)
{
    FIND(CH_I_SEALED, ch_hash_mix(seq, 0), ch_sealed_row(state, row)->seq == seq);
}

uint32_t ch_find_opened(const struct ch_state *state, uint32_t sealed)
{
    FIND(CH_I_OPENED, ch_hash_mix(sealed, 1), ch_opened_row(state, row)->sealed == sealed);
}

uint32_t ch_find_bound(const struct ch_state *state, struct ch_text name)
{
    for (uint32_t row = ch_row_next(&state->store, CH_T_BOUND, 0); row != 0;
         row = ch_row_next(&state->store, CH_T_BOUND, row)) {
        if (named(state, ch_bound_row(state, row)->name, name)) return row;
    }
    return 0;
}

uint64_t ch_limit(const struct ch_state *state, const char *name)
{
    const uint32_t row = ch_find_bound(state, ch_text_of(name));
    return row == 0 ? 0 : ch_bound_row(state, row)->value;
}

bool ch_is_open(const struct ch_state *state, uint32_t account)
{
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        if (ch_account_row(state, a)->status != CH_account_status_open) return false;
    }
    return true;
}

bool ch_is_suspended(const struct ch_state *state, uint32_t account)
{
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        const struct ch_row_account *row = ch_account_row(state, a);
        if ((row->suspended_seq[0] | row->suspended_seq[1]) != 0) return true;
    }
    return false;
}

bool ch_is_built_in(const struct ch_state *state, uint32_t role, const char *name)
{
    if (role == 0 || ch_role_row(state, role)->account != 0) return false;
    return named(state, ch_role_row(state, role)->name, ch_text_of(name));
}

uint32_t ch_root_of(const struct ch_state *state, uint32_t account)
{
    uint32_t root = account;
    while (ch_account_row(state, root)->parent != 0) {
        root = ch_account_row(state, root)->parent;
    }
    return root;
}

uint32_t ch_owner_share(const struct ch_state *state, uint32_t account)
{
    return ch_account_row(state, ch_root_of(state, account))->owner;
}

bool ch_is_owner(const struct ch_state *state, uint32_t user, uint32_t account)
{
    const uint32_t share = ch_owner_share(state, account);
    return share != 0 && ch_share_row(state, share)->subject == user;
}

uint32_t ch_levels_below(const struct ch_state *state, uint32_t account)
{
    uint32_t most = 0;
    uint32_t above = 0;
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        const uint32_t allowed = ch_account_row(state, a)->sub_depth;
        if (allowed > above && allowed - above > most) most = allowed - above;
        above++;
    }
    return most;
}

struct ch_scopes ch_mask(const struct ch_state *state, enum ch_mask_kind kind)
{
    const struct ch_scopes none = {{0, 0}};
    const uint32_t row = (uint32_t)kind;
    if (row > state->store.tables[CH_T_MASK].used) return none; /* an older log lacks it */
    return ch_scopes_at(state, ch_mask_row(state, row)->scopes);
}

uint32_t ch_first_suppressed(const struct ch_state *state, uint32_t account, const uint8_t hash[16])
{
    const uint32_t root = ch_root_of(state, account);
    FIND(CH_I_SUPPRESSED, ch_hash_suppressed(root, hash),
         memcmp(ch_suppressed_row(state, row)->hash, hash, 16) == 0 &&
             ch_root_of(state, ch_suppressed_row(state, row)->account) == root);
}

uint32_t ch_find_suppressed(const struct ch_state *state, uint32_t account, const uint8_t hash[16])
{
    uint32_t row = ch_first_suppressed(state, account, hash);
    while (row != 0 && ch_suppressed_row(state, row)->account != account) {
        row = ch_suppressed_row(state, row)->same;
    }
    return row;
}

bool ch_is_on(const struct ch_state *state, uint32_t account, enum ch_setting_switch which)
{
    const uint32_t row = ch_account_row(state, account)->settings;
    return row != 0 && (ch_settings_row(state, row)->switches >> which & 1) != 0;
}

uint32_t ch_find_feed(const struct ch_state *state, uint32_t account, uint8_t kind,
                      uint32_t resource, uint32_t to)
{
    if (resource == 0) return 0; /* never named */
    FIND(CH_I_FEED, ch_hash_feed(account, kind, resource, to),
         ch_feed_row(state, row)->account == account && ch_feed_row(state, row)->kind == kind &&
             ch_feed_row(state, row)->resource == resource && ch_feed_row(state, row)->to == to);
}

uint32_t ch_fed_by(const struct ch_state *state, uint32_t account, uint8_t kind, uint32_t resource)
{
    const uint32_t above = ch_account_row(state, account)->parent;
    if (!ch_is_on(state, account, CH_setting_switch_feed_from_master)) return 0;
    const uint32_t named = ch_find_feed(state, above, kind, resource, account);
    return named != 0 ? named : ch_find_feed(state, above, kind, resource, /* to= */ 0);
}

uint32_t ch_find_key(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_KEY_ID, ch_hash_mix(id, 0), ch_key_row(state, row)->id == id);
}

static uint32_t find_key_by(const struct ch_state *state, const uint8_t hash[32])
{
    FIND(CH_I_KEY_HASH, ch_hash_secret(hash), memcmp(ch_key_row(state, row)->hash, hash, 32) == 0);
}

static uint32_t find_key_before(const struct ch_state *state, const uint8_t hash[32])
{
    FIND(CH_I_KEY_OLD, ch_hash_secret(hash),
         memcmp(ch_key_row(state, row)->old_hash, hash, 32) == 0);
}

uint32_t ch_find_key_secret(const struct ch_state *state, const uint8_t hash[32], uint64_t now)
{
    const uint32_t row = find_key_by(state, hash);
    if (row != 0) return row;
    const uint32_t before = find_key_before(state, hash);
    return before != 0 && ch_key_row(state, before)->old_until > now ? before : 0;
}

uint32_t ch_find_key_name(const struct ch_state *state, uint32_t account, struct ch_text name)
{
    const uint32_t text = ch_text_find(state, name);
    if (text == 0) return 0;
    for (uint32_t k = ch_account_row(state, account)->first_key; k != 0;
         k = ch_key_row(state, k)->next_of_account) {
        if (ch_key_row(state, k)->name == text) return k;
    }
    return 0;
}

bool ch_key_leads(const struct ch_state *state, uint32_t key_row, uint32_t account)
{
    const struct ch_row_key *key = ch_key_row(state, key_row);
    for (uint32_t a = account; a != 0; a = ch_account_row(state, a)->parent) {
        if (a == key->account) return a == account || key->kind == CH_key_kind_master;
    }
    return false;
}

uint32_t ch_find_session(const struct ch_state *state, uint64_t id)
{
    FIND(CH_I_SESSION_ID, ch_hash_mix(id, 0), ch_session_row(state, row)->id == id);
}

uint32_t ch_hash_key_newest(const struct ch_state *state)
{
    const uint32_t rows = state->store.tables[CH_T_HASH_KEY].used;
    return rows == 0 ? 1 : rows;
}

bool ch_hash_key_in_use(const struct ch_state *state, uint64_t number)
{
    if (number == 0 || number > ch_hash_key_newest(state)) return false;
    if (state->store.tables[CH_T_HASH_KEY].used == 0) return true; /* number 1, without a row yet */
    return ch_hash_key_row(state, (uint32_t)number)->retired_seq == 0;
}

uint32_t ch_person_behind(const struct ch_state *state, const struct ch_actor *actor)
{
    if (actor->kind == CH_actor_kind_user) return ch_find_user(state, actor->id);
    const uint32_t key = actor->kind == CH_actor_kind_key ? ch_find_key(state, actor->id) : 0;
    return key == 0 ? 0 : ch_key_row(state, key)->person;
}

uint32_t ch_session_account(const struct ch_state *state, uint32_t session)
{
    const uint32_t account = ch_session_row(state, session)->account;
    if (account == 0) return 0;
    return ch_account_row(state, account)->status == CH_account_status_dissolved ? 0 : account;
}

uint32_t ch_find_session_secret(const struct ch_state *state, const uint8_t hash[32])
{
    FIND(CH_I_SESSION_HASH, ch_hash_secret(hash),
         memcmp(ch_session_row(state, row)->hash, hash, 32) == 0);
}

uint32_t ch_next_in_tree(const struct ch_state *state, uint32_t top, uint32_t at)
{
    if (at == 0) return top;
    if (ch_account_row(state, at)->first_child != 0) return ch_account_row(state, at)->first_child;
    while (at != top) {
        const struct ch_row_account *row = ch_account_row(state, at);
        if (row->next_sibling != 0) return row->next_sibling;
        at = row->parent;
    }
    return 0;
}
