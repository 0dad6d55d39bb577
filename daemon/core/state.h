/* state: everything charterd knows, computed from the log. SPDX-License-Identifier: MIT
 * The tables of rows.h in one store. decide.h reads it, apply.h alone writes it, access.h and
 * query.h answer from it. Finders take ids or names and give row numbers, 0 for none. */
#ifndef CH_CORE_STATE_H
#define CH_CORE_STATE_H
#include "daemon/core/rows.h"
#include "daemon/core/store.h"
#include "schema/kinds.h"

struct ch_actor;
struct ch_arena;

enum ch_table_number {
#define TABLE(name, noun, dumped) CH_T_##name,
#define CHAINS(name, noun, dumped) CH_T_##name,
#define INDEX(name, table)
#define INDEX_SOME(name, table)
#include "daemon/core/tables.def"
    CH_TABLES,
};

enum ch_index_number {
#define TABLE(name, noun, dumped)
#define CHAINS(name, noun, dumped)
#define INDEX(name, table) CH_I_##name,
#define INDEX_SOME(name, table) CH_I_##name,
#include "daemon/core/tables.def"
    CH_INDEXES,
};

/* Room made ahead in every table and index, so that most calls need not look at each of them. */
struct ch_ahead {
    size_t rows, chains; /* left of it */
    uint64_t losses;     /* of the store then; a rollback since may have taken room back */
};

struct ch_state {
    struct ch_store store;
    struct ch_ahead ahead;
};

/* Makes an empty state; no journal yet. errors: false when out of memory */
CH_MUST_USE bool ch_state_init(struct ch_state *state);
void ch_state_deinit(struct ch_state *state); /* NULL and zeroed are no-ops */
/* Makes it empty again, which takes less than a fresh one. No journal. errors: as ch_state_init; it
 * must then be deinited */
CH_MUST_USE bool ch_state_reset(struct ch_state *state);

/* Room for the writes of one call. items: how many list items it holds; bytes: of its texts;
 * cascade: how many rows its effect touches beside, as the ch_cascade_of functions below count.
 * errors: false when out of memory */
CH_MUST_USE bool ch_state_reserve(struct ch_state *state, size_t items, size_t bytes,
                                  size_t cascade);

/* Rows that ending a share, or deleting a group, would touch, at most. */
size_t ch_cascade_of_share(const struct ch_state *state, uint32_t share);
size_t ch_cascade_of_group(const struct ch_state *state, uint32_t group);
/* parts.c: how many parts a closed account still has; and the rows that ending so many of them, or
 * so many parts of a plan, would touch, at most. */
uint64_t ch_parts_of(const struct ch_state *state, uint32_t account);
size_t ch_cascade_of_parts(const struct ch_state *state, uint32_t account, uint64_t most);
size_t ch_cascade_of_plan(const struct ch_state *state, uint32_t plan, uint64_t most);
/* How many an account and those below it are; counted no further than `most`. */
size_t ch_accounts_below(const struct ch_state *state, uint32_t account, size_t most);
/* Rows of the texts that new settings would replace. */
size_t ch_cascade_of_settings(const struct ch_state *state, uint32_t account);

/* Rows to read; the row must be live: ch_account_row(state, row) and so on. */
#define TABLE(name, noun, dumped)                                                                  \
    static inline const struct ch_row_##noun *ch_##noun##_row(const struct ch_state *state,        \
                                                              uint32_t row)                        \
    {                                                                                              \
        return ch_row(&state->store, CH_T_##name, row);                                            \
    }
#define CHAINS(name, noun, dumped)
#define INDEX(name, table)
#define INDEX_SOME(name, table)
#include "daemon/core/tables.def"

static inline const struct ch_row_meta *ch_meta(const struct ch_state *state)
{
    return ch_row(&state->store, CH_T_META, 1);
}

/* The terms of a share; of all zeros where it has none. */
extern const struct ch_row_terms ch_no_terms;
static inline const struct ch_row_terms *ch_terms_of(const struct ch_state *state,
                                                     const struct ch_row_share *share)
{
    return share->terms == 0 ? &ch_no_terms : ch_terms_row(state, share->terms);
}

/* Whether a share has an end, and that has come. */
static inline bool ch_is_over(const struct ch_state *state, const struct ch_row_share *share,
                              uint64_t now)
{
    const uint64_t end = ch_terms_of(state, share)->expires_at;
    return end != 0 && end <= now;
}

/* The event since which a share is active, inactive or pending. */
uint64_t ch_status_seq(const struct ch_state *state, const struct ch_row_share *share);

/* The last invitation to a seat; of status none, and zero, where there was none. */
const struct ch_row_invitation *ch_invitation_of(const struct ch_state *state, uint32_t seat);

/* By id (the seq that made it). */
uint32_t ch_find_account(const struct ch_state *state, uint64_t id);
uint32_t ch_find_user(const struct ch_state *state, uint64_t id);
uint32_t ch_find_user_number(const struct ch_state *state, uint64_t number); /* vault slot */
uint32_t ch_find_share_id(const struct ch_state *state, uint64_t id);
uint32_t ch_find_group(const struct ch_state *state, uint64_t id);
uint32_t ch_find_role(const struct ch_state *state, uint64_t id);
uint32_t ch_find_session(const struct ch_state *state, uint64_t id);
uint32_t ch_find_session_secret(const struct ch_state *state, const uint8_t hash[32]);
uint32_t ch_find_key(const struct ch_state *state, uint64_t id);
/* The current account of a session; 0: none, or one that is dissolved. */
uint32_t ch_session_account(const struct ch_state *state, uint32_t session);

/* The user who acts, or who made the key that does, also by way of other keys; 0: nobody in
 * person. */
uint32_t ch_person_behind(const struct ch_state *state, const struct ch_actor *actor);

/* By name or key. parent, account: rows; 0 for a root account, a built-in role. */
uint32_t ch_find_account_name(const struct ch_state *state, uint32_t parent, struct ch_text name);
uint32_t ch_find_account_path(const struct ch_state *state, struct ch_text path);
uint32_t ch_find_group_name(const struct ch_state *state, uint32_t account, struct ch_text name);
uint32_t ch_find_role_name(const struct ch_state *state, uint32_t account, struct ch_text name);
uint32_t ch_find_submission(const struct ch_state *state, uint32_t account,
                            struct ch_text campaign);
uint32_t ch_find_request(const struct ch_state *state, uint64_t id);
uint32_t ch_find_page(const struct ch_state *state, uint64_t id);
uint32_t ch_find_page_name(const struct ch_state *state, struct ch_text name);
uint32_t ch_find_user_hash(const struct ch_state *state, uint8_t kind, const uint8_t hash[16]);
/* By what a request says: an id, or a name; of a user's the hash must be in place. */
uint32_t ch_find_user_ref(const struct ch_state *state, const struct ch_ref *ref);
uint32_t ch_find_account_ref(const struct ch_state *state, const struct ch_ref *ref);
uint32_t ch_find_share(const struct ch_state *state, uint8_t subject_kind, uint32_t subject,
                       uint32_t account);
uint32_t ch_find_seat(const struct ch_state *state, uint32_t user, uint32_t account);
/* The invitation that has the token. */
uint32_t ch_find_token(const struct ch_state *state, const uint8_t token_hash[32]);
uint32_t ch_find_grant(const struct ch_state *state, uint32_t share, uint8_t kind,
                       uint32_t resource);
uint32_t ch_find_limited(const struct ch_state *state, uint32_t share, uint8_t kind,
                         uint32_t resource);
bool ch_is_limited_to(const struct ch_state *state, uint32_t share, uint8_t kind,
                      uint32_t resource);
uint32_t ch_find_member(const struct ch_state *state, uint32_t share, uint32_t group);
/* The key whose present secret has the hash, or whose secret before it, as long as that works. */
uint32_t ch_find_key_secret(const struct ch_state *state, const uint8_t hash[32], uint64_t now);
/* Whether a key can be used on the account: its own, or for a master key one below. */
bool ch_key_leads(const struct ch_state *state, uint32_t key, uint32_t account);
uint32_t ch_find_key_name(const struct ch_state *state, uint32_t account, struct ch_text name);
uint32_t ch_find_declared(const struct ch_state *state, uint32_t category, uint64_t number);
uint32_t ch_find_seen(const struct ch_state *state, uint8_t actor_kind, uint64_t actor_id,
                      const uint8_t id[16]);
uint32_t ch_find_refused(const struct ch_state *state, uint8_t actor_kind, uint64_t actor_id);
uint32_t ch_find_sealed(const struct ch_state *state, uint64_t seq);
/* The first row of an address in the account's whole tree, the others by `same`; and the account's
 * own. Address: keyed hash. */
uint32_t ch_first_suppressed(const struct ch_state *state, uint32_t account,
                             const uint8_t hash[16]);
uint32_t ch_find_suppressed(const struct ch_state *state, uint32_t account, const uint8_t hash[16]);
uint32_t ch_find_opened(const struct ch_state *state, uint32_t sealed);

/* Keys of address hashes, by number, from 1. The newest is what addresses are hashed with from now
 * on; those in use are what an address is looked for under. */
uint32_t ch_hash_key_newest(const struct ch_state *state);
bool ch_hash_key_in_use(const struct ch_state *state, uint64_t number);

/* Lists and groups of contacts are an account's own; content is what messages are made of. */
static inline bool ch_is_content(uint8_t kind)
{
    return kind == CH_resource_kind_campaign || kind == CH_resource_kind_automation ||
           kind == CH_resource_kind_template;
}

/* A feed of an account's resource (a text row) to an account below, or, with to 0, to all; and the
 * one by which the account above feeds it to the account now, by its switch. */
uint32_t ch_find_feed(const struct ch_state *state, uint32_t account, uint8_t kind,
                      uint32_t resource, uint32_t to);
uint32_t ch_fed_by(const struct ch_state *state, uint32_t account, uint8_t kind, uint32_t resource);

/* Whether a switch of the account is on. */
bool ch_is_on(const struct ch_state *state, uint32_t account, enum ch_setting_switch which);

/* A limit that decides, as the log defines it; 0 where an older log lacks it. */
uint64_t ch_limit(const struct ch_state *state, const char *name);
uint32_t ch_find_bound(const struct ch_state *state, struct ch_text name);

/* Whether an account and all above it are open. */
bool ch_is_open(const struct ch_state *state, uint32_t account);
/* Whether it or one above it is suspended, by either authority. */
bool ch_is_suspended(const struct ch_state *state, uint32_t account);

/* Whether a role is the built-in one of this name; row 0 is none. */
bool ch_is_built_in(const struct ch_state *state, uint32_t role, const char *name);

/* The account at the top of an account's tree, and the share of the tree's owner; 0: none. */
uint32_t ch_root_of(const struct ch_state *state, uint32_t account);
uint32_t ch_owner_share(const struct ch_state *state, uint32_t account);

bool ch_is_owner(const struct ch_state *state, uint32_t user, uint32_t account);

/* How many levels of accounts may stand below the account: what the operator allowed it, or what is
 * left there of what was allowed one above it. */
uint32_t ch_levels_below(const struct ch_state *state, uint32_t account);

/* The next account of the tree whose top is `top`, in preorder; 0 at the end. It begins with 0. */
uint32_t ch_next_in_tree(const struct ch_state *state, uint32_t top, uint32_t at);

/* What is taken away by a state of things; as the log defines it. */
struct ch_scopes ch_mask(const struct ch_state *state, enum ch_mask_kind kind);

/* The personal texts of the event at seq, in the order of its rows, where state keeps them and the
 * directory could open them; a text of no length where there is none. Memory is the arena's.
 * errors: false when out of memory */
CH_MUST_USE bool ch_opened_read(const struct ch_state *state, uint64_t seq, struct ch_arena *arena,
                                struct ch_text *ret, uint32_t count);

/* The hashes under which rows stand in the indexes; for apply. */
uint64_t ch_hash_declared(uint32_t category, uint64_t number);
uint64_t ch_hash_in(uint32_t owner, struct ch_text name);
uint64_t ch_hash_share(uint8_t subject_kind, uint32_t subject, uint32_t account);
uint64_t ch_hash_seat(uint32_t user, uint32_t account);
uint64_t ch_hash_token(const uint8_t token_hash[32]);
uint64_t ch_hash_resource(uint32_t share, uint8_t kind, uint32_t resource);
uint64_t ch_hash_submission(uint32_t account, uint32_t campaign);
uint64_t ch_hash_member(uint32_t share, uint32_t group);
uint64_t ch_hash_seen(uint8_t actor_kind, uint64_t actor_id, const uint8_t id[16]);
uint64_t ch_hash_actor(uint8_t actor_kind, uint64_t actor_id);
uint64_t ch_hash_feed(uint32_t account, uint8_t kind, uint32_t resource, uint32_t to);
uint64_t ch_hash_suppressed(uint32_t root, const uint8_t hash[16]);
uint64_t ch_hash_secret(const uint8_t hash[32]);
uint64_t ch_hash_name(uint8_t kind, const uint8_t hash[16]);

/* Interned texts and scope sets. A row number stands for the value; equal values have equal
 * rows. */
uint32_t ch_text_find(const struct ch_state *state, struct ch_text text); /* 0: never interned */
uint32_t ch_text_take(struct ch_state *state, struct ch_text text);       /* a reference more */
void ch_text_drop(struct ch_state *state, uint32_t row);                  /* a reference less; 0 */
uint32_t ch_scopes_take(struct ch_state *state, struct ch_scopes scopes); /* empty: row 0 */
void ch_scopes_drop(struct ch_state *state, uint32_t row);
struct ch_scopes ch_scopes_at(const struct ch_state *state, uint32_t row); /* row 0: empty */

/* Chains: bytes over several rows. */
enum { CH_CHAIN_BYTES = 48 };
uint32_t ch_chain_put(struct ch_state *state, uint32_t table, const void *ptr, size_t len);
void ch_chain_drop(struct ch_state *state, uint32_t table, uint32_t row);
size_t ch_chain_len(const struct ch_state *state, uint32_t table, uint32_t row);
/* Copies at most `most` bytes; returns how many. */
size_t ch_chain_get(const struct ch_state *state, uint32_t table, uint32_t row, void *out,
                    size_t most);
bool ch_chain_is(const struct ch_state *state, uint32_t table, uint32_t row, const void *ptr,
                 size_t len);
#endif
