/* load_index: every index, made anew from the rows of its table; see load.h.
 * SPDX-License-Identifier: MIT
 * For each index of tables.def there is a key_<INDEX> here: the hash under which a row stands in
 * it, as apply_*.c inserts it. What a key follows is checked, since the bytes came from a file.
 * The cost is the memory: cells at random places. So each array is made as large as it will be, and
 * the cells of some rows are prefetched before the first of them is written. */
#include "daemon/core/load.h"

#include "daemon/core/index.h"
#include "daemon/core/ledger.h"
#include "daemon/core/reputation.h"

#include <stdlib.h>

enum { TOGETHER = 64, TEXT_MOST = 256, DEPTH_MOST = 64 };

struct keys {
    struct ch_state *state;
    uint8_t *later; /* a bit for each suppressed row that another one of its address leads to */
    bool broken;
};

/* A row that a key follows; NULL where it is not there. */
static const void *follow(struct keys *k, uint32_t table, uint32_t row)
{
    const struct ch_store *store = &k->state->store;
    if (row != 0 && row <= store->tables[table].used && ch_row_is_live(store, table, row)) {
        return ch_row(store, table, row);
    }
    k->broken = true;
    return NULL;
}

static uint64_t hash_text(struct keys *k, uint32_t row)
{
    uint8_t bytes[TEXT_MOST];
    const struct ch_row_chain *part = follow(k, CH_T_TEXT, row);
    const size_t len = part == NULL ? 0 : part->len;
    if (len > sizeof bytes) k->broken = true;
    for (size_t at = 0; at < len && !k->broken; at += CH_CHAIN_BYTES) {
        const size_t here = len - at < CH_CHAIN_BYTES ? len - at : CH_CHAIN_BYTES;
        memcpy(bytes + at, part->bytes, here);
        if (len - at > CH_CHAIN_BYTES) part = follow(k, CH_T_TEXT, part->next);
    }
    return k->broken ? 0 : ch_hash_bytes(bytes, len);
}

static uint64_t hash_in(struct keys *k, uint32_t owner, uint32_t text)
{
    return ch_hash_mix(owner, hash_text(k, text)); /* ch_hash_in */
}

static uint32_t root_of(struct keys *k, uint32_t account)
{
    const struct ch_row_account *row = follow(k, CH_T_ACCOUNT, account);
    for (uint32_t depth = 0; row != NULL && row->parent != 0; depth++) {
        account = row->parent;
        row = follow(k, CH_T_ACCOUNT, account);
        if (depth == DEPTH_MOST) k->broken = true;
        if (k->broken) return 0;
    }
    return account;
}

/* KEY(INDEX, noun): a function from the row `r` of the noun's table to *ret; false: the row does
 * not stand in the index. */
#define KEY(index, noun)                                                                           \
    static bool key_##index(struct keys *k, uint32_t row, const struct ch_row_##noun *r,           \
                            uint64_t *ret);                                                        \
    static bool on_##index(struct keys *k, uint32_t row, const void *ptr, uint64_t *ret)           \
    {                                                                                              \
        return key_##index(k, row, ptr, ret);                                                      \
    }                                                                                              \
    static bool key_##index(struct keys *k, uint32_t row, const struct ch_row_##noun *r,           \
                            uint64_t *ret)

/* One that every row of the table has, made of the row alone. */
#define PLAIN_KEY(index, noun, hash)                                                               \
    KEY(index, noun)                                                                               \
    {                                                                                              \
        (void)k;                                                                                   \
        (void)row;                                                                                 \
        *ret = (hash);                                                                             \
        return true;                                                                               \
    }

/* One that some rows have. */
#define SOME_KEY(index, noun, stands, hash)                                                        \
    KEY(index, noun)                                                                               \
    {                                                                                              \
        (void)k;                                                                                   \
        (void)row;                                                                                 \
        if (!(stands)) return false;                                                               \
        *ret = (hash);                                                                             \
        return true;                                                                               \
    }

static const uint8_t no_hash[32] = {0};

PLAIN_KEY(DECLARED, declared, ch_hash_declared(r->category, r->number))
SOME_KEY(TEXT, chain, r->refs > 0, hash_text(k, row))
PLAIN_KEY(SCOPES, scopes, ch_hash_mix(r->words[0], r->words[1]))
PLAIN_KEY(ACCOUNT_ID, account, ch_hash_mix(r->id, 0))
SOME_KEY(ACCOUNT_NAME, account, r->status != CH_account_status_dissolved,
         hash_in(k, r->parent, r->name))
PLAIN_KEY(USER_ID, user, ch_hash_mix(r->id, 0))
PLAIN_KEY(USER_NUMBER, user, ch_hash_mix(r->number, 2))
PLAIN_KEY(SEALED, sealed, ch_hash_mix(r->seq, 0))
PLAIN_KEY(SHARE_ID, share, ch_hash_mix(r->id, 0))
PLAIN_KEY(SHARE, share, ch_hash_share(r->subject_kind, r->subject, r->account))
PLAIN_KEY(SEAT, seat, ch_hash_seat(r->user, r->account))
PLAIN_KEY(TOKEN, invitation, ch_hash_token(r->token_hash))
PLAIN_KEY(GRANT, grant, ch_hash_resource(r->share, (uint8_t)r->kind, r->resource))
PLAIN_KEY(LIMITED, limited, ch_hash_resource(r->share, (uint8_t)r->kind, r->resource))
PLAIN_KEY(GROUP_ID, group, ch_hash_mix(r->id, 0))
PLAIN_KEY(GROUP_NAME, group, hash_in(k, r->account, r->name))
PLAIN_KEY(MEMBER, member, ch_hash_member(r->share, r->group))
PLAIN_KEY(ROLE_ID, role, ch_hash_mix(r->id, 0))
PLAIN_KEY(REQUEST_ID, request, ch_hash_mix(r->id, 0))
PLAIN_KEY(SUBMISSION, submission, ch_hash_submission(r->account, r->campaign))
PLAIN_KEY(ROLE_NAME, role, hash_in(k, r->account, r->name))
PLAIN_KEY(PAGE_NAME, page, hash_in(k, 0, r->name))
PLAIN_KEY(PLAN, plan, ch_hash_mix(r->account, 0))
PLAIN_KEY(ALLOCATION, allocation, ch_hash_mix(r->account, 0))
PLAIN_KEY(USAGE, usage, ch_hash_usage(r->period, r->account))
PLAIN_KEY(RESERVATION, reservation, ch_hash_mix(r->id, 0))
PLAIN_KEY(SEPARATION, separation, ch_hash_mix(r->account, 0))
PLAIN_KEY(SESSION_ID, session, ch_hash_mix(r->id, 0))
PLAIN_KEY(SESSION_HASH, session, ch_hash_secret(r->hash))
PLAIN_KEY(KEY_ID, key, ch_hash_mix(r->id, 0))
PLAIN_KEY(KEY_HASH, key, ch_hash_secret(r->hash))
SOME_KEY(KEY_OLD, key, memcmp(r->old_hash, no_hash, sizeof no_hash) != 0,
         ch_hash_secret(r->old_hash))
PLAIN_KEY(SEEN, seen, ch_hash_seen((uint8_t)r->actor_kind, r->actor_id, r->id))
PLAIN_KEY(REFUSED, refused, ch_hash_actor((uint8_t)r->actor_kind, r->actor_id))
PLAIN_KEY(STREAM, stream, ch_hash_stream(r->account, r->key, (uint8_t)r->stream))
PLAIN_KEY(THRESHOLD, threshold, ch_hash_mix(r->account, 0))
SOME_KEY(SUPPRESSED, suppressed, (k->later[row / 8] >> row % 8 & 1) == 0,
         ch_hash_suppressed(root_of(k, r->account), r->hash))
PLAIN_KEY(FEED, feed, ch_hash_feed(r->account, (uint8_t)r->kind, r->resource, r->to))
PLAIN_KEY(NAME, name, ch_hash_name((uint8_t)r->kind, r->hash))
PLAIN_KEY(OPENED, opened, ch_hash_mix(r->sealed, 1))

struct maker {
    uint32_t table;
    bool some; /* not every row of the table stands in it */
    bool (*key)(struct keys *k, uint32_t row, const void *ptr, uint64_t *ret);
};

static const struct maker makers[CH_INDEXES] = {
#define TABLE(name, noun, dumped)
#define CHAINS(name, noun, dumped)
#define INDEX(name, of) [CH_I_##name] = {CH_T_##of, false, on_##name},
#define INDEX_SOME(name, of) [CH_I_##name] = {CH_T_##of, true, on_##name},
#include "daemon/core/tables.def"
};

/* The first row of an address in its tree is the one that no other leads to. */
static bool find_later(struct keys *k)
{
    const struct ch_store *store = &k->state->store;
    const uint32_t used = store->tables[CH_T_SUPPRESSED].used;
    k->later = calloc((size_t)used / 8 + 1, 1);
    if (k->later == NULL) return false;
    for (uint32_t row = 0; (row = ch_row_next(store, CH_T_SUPPRESSED, row)) != 0;) {
        const uint32_t same = ch_suppressed_row(k->state, row)->same;
        if (same == 0) continue;
        if (same > used) {
            k->broken = true;
        } else {
            k->later[same / 8] |= (uint8_t)(1u << same % 8);
        }
    }
    return true;
}

struct some_cells {
    uint64_t hashes[TOGETHER];
    uint32_t rows[TOGETHER];
    uint32_t count;
};

static void put_cells(struct ch_state *state, uint32_t index, struct some_cells *cells)
{
    for (uint32_t i = 0; i < cells->count; i++) {
        const struct ch_probe probe = ch_probe_start(&state->store, index, cells->hashes[i]);
        __builtin_prefetch(&probe.cells->cell[probe.place], 1);
    }
    for (uint32_t i = 0; i < cells->count; i++) {
        ch_index_insert(&state->store, index, cells->hashes[i], cells->rows[i]);
    }
    cells->count = 0;
}

/* How many rows stand in an index. */
static uint32_t count_cells(struct keys *k, const struct maker *maker)
{
    const struct ch_store *store = &k->state->store;
    uint32_t count = 0;
    if (!maker->some) return ch_table_live(store, maker->table);
    for (uint32_t row = 0; (row = ch_row_next(store, maker->table, row)) != 0;) {
        uint64_t hash;
        if (maker->key(k, row, ch_row(store, maker->table, row), &hash)) count++;
    }
    return count;
}

/* With some room left, so that it does not grow right away, and all at once. */
static bool make_index(struct keys *k, uint32_t index)
{
    struct ch_store *store = &k->state->store;
    const struct maker *maker = &makers[index];
    struct some_cells cells = {.count = 0};
    const uint32_t count = count_cells(k, maker);
    if (count == 0) return true;
    if (!ch_store_reserve_cells(store, index, count + count / 6)) return false;
    for (uint32_t row = 0; (row = ch_row_next(store, maker->table, row)) != 0 && !k->broken;) {
        uint64_t hash = 0;
        if (!maker->key(k, row, ch_row(store, maker->table, row), &hash)) continue;
        cells.hashes[cells.count] = hash;
        cells.rows[cells.count++] = row;
        if (cells.count == TOGETHER) put_cells(k->state, index, &cells);
    }
    put_cells(k->state, index, &cells);
    return true;
}

bool ch_load_index(struct ch_load *load)
{
    struct keys k = {.state = load->state};
    bool room = find_later(&k);
    for (uint32_t index = 0; room && !k.broken && index < CH_INDEXES; index++) {
        load->table = makers[index].table;
        room = make_index(&k, index);
    }
    free(k.later);
    if (!room) load->no_memory = true;
    if (k.broken) load->wrong = "a row leads nowhere";
    return room && !k.broken;
}
