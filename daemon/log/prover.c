/* prover: see prover.h. SPDX-License-Identifier: MIT */
#include "daemon/log/prover.h"

#include "daemon/log/evlog_impl.h"
#include "schema/base/check.h"

#include <inttypes.h>
#include <stdlib.h>

/* A hash that was made from below; number + 1, so that zero is none. */
struct kept {
    uint64_t tag;
    struct ch_hash hash;
};

struct ch_prover {
    struct ch_evlog *log; /* borrowed */
    struct ch_hasher hasher;
    MDB_txn *txn; /* of the call */
    /* The nodes of height 8k behind the last full tile of level k, by number modulo 256. */
    struct kept kept[CH_TILE_LEVELS][CH_TILE_WIDTH];
};

enum ch_err ch_prover_open(struct ch_evlog *log, struct ch_prover **ret, struct ch_why *why)
{
    struct ch_prover *prover = calloc(1, sizeof *prover);
    if (prover == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "prover");
    prover->log = log;
    enum ch_err err = ch_hasher_init(&prover->hasher, why);
    if (err != CH_OK) {
        free(prover);
        return err;
    }
    *ret = prover;
    return CH_OK;
}

void ch_prover_close(struct ch_prover *prover)
{
    if (prover == NULL) return;
    ch_hasher_deinit(&prover->hasher);
    free(prover);
}

/* The root of `count` hashes, a power of two, that stand one behind the other. */
static void join(struct ch_hasher *hasher, const uint8_t *hashes, size_t count, struct ch_hash *ret)
{
    struct ch_hash row[CH_TILE_WIDTH];
    memcpy(row, hashes, count * CH_HASH_BYTES);
    for (; count > 1; count /= 2) {
        for (size_t i = 0; i < count / 2; i++) {
            ch_merkle_node(hasher, &row[2 * i], &row[2 * i + 1], &row[i]);
        }
    }
    *ret = row[0];
}

/* A node from the stored tile that holds what is below it. ret_found: false if it is not full, so
 * not stored. */
static enum ch_err from_tile(struct ch_prover *prover, unsigned height, uint64_t number,
                             struct ch_hash *ret, bool *ret_found, struct ch_why *why)
{
    const unsigned level = height / CH_TILE_HEIGHT;
    const unsigned above = height % CH_TILE_HEIGHT;
    const uint64_t first = number << above;
    const uint64_t index = first / CH_TILE_WIDTH;
    uint8_t place[CH_TILE_KEY_BYTES];
    ch_tile_key(level, index, place);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {0};
    int code = mdb_get(prover->txn, prover->log->tiles_table, &key, &value);
    *ret_found = code == 0;
    if (code == MDB_NOTFOUND) return CH_OK;
    if (code != 0) return ch_evlog_fail_read(why, code, "read a tile");
    if (value.mv_size != CH_TILE_VALUE_BYTES) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "tile %u/%" PRIu64 " has %zu bytes", level,
                       index, value.mv_size);
    }
    const uint8_t *bytes = value.mv_data;
    join(&prover->hasher, bytes + first % CH_TILE_WIDTH * CH_HASH_BYTES, (size_t)1 << above, ret);
    return CH_OK;
}

static enum ch_err leaf(struct ch_prover *prover, uint64_t number, struct ch_hash *ret,
                        struct ch_why *why)
{
    const uint64_t seq = number + 1;
    uint8_t place[CH_SEQ_KEY_BYTES];
    ch_put_be64(place, seq);
    MDB_val key = {.mv_size = sizeof place, .mv_data = place};
    MDB_val value = {0};
    int code = mdb_get(prover->txn, prover->log->events, &key, &value);
    if (code == MDB_NOTFOUND) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, code, "record %" PRIu64 " is missing", seq);
    }
    if (code != 0) return ch_evlog_fail_read(why, code, "read a record");
    struct ch_bytes record = {0};
    enum ch_err err = ch_evlog_unpack(seq, value, &record, why);
    if (err == CH_OK) ch_merkle_leaf(&prover->hasher, record, ret);
    return err;
}

/* Heights are at most 56, so this goes no deeper. */
static enum ch_err node(void *arg, unsigned height, uint64_t number, struct ch_hash *ret,
                        struct ch_why *why)
{
    struct ch_prover *prover = arg;
    struct kept *kept = NULL;
    CH_CHECK(height < CH_TILE_LEVELS * CH_TILE_HEIGHT);
    if (height % CH_TILE_HEIGHT == 0) {
        kept = &prover->kept[height / CH_TILE_HEIGHT][number % CH_TILE_WIDTH];
        if (kept->tag == number + 1) {
            *ret = kept->hash;
            return CH_OK;
        }
    }
    bool found = false;
    enum ch_err err = from_tile(prover, height, number, ret, &found, why);
    if (err != CH_OK || found) return err;
    if (height == 0) {
        err = leaf(prover, number, ret, why);
    } else {
        struct ch_hash left;
        struct ch_hash right;
        err = node(prover, height - 1, 2 * number, &left, why);
        if (err == CH_OK) err = node(prover, height - 1, 2 * number + 1, &right, why);
        if (err == CH_OK) ch_merkle_node(&prover->hasher, &left, &right, ret);
    }
    if (err == CH_OK && kept != NULL) *kept = (struct kept){.tag = number + 1, .hash = *ret};
    return err;
}

static enum ch_err begin(struct ch_prover *prover, struct ch_why *why)
{
    int code = mdb_txn_begin(prover->log->env, NULL, MDB_RDONLY, &prover->txn);
    return code == 0 ? CH_OK : ch_evlog_fail_read(why, code, "read the tree");
}

static void end(struct ch_prover *prover)
{
    mdb_txn_abort(prover->txn);
    prover->txn = NULL;
}

static struct ch_proof_source source_of(struct ch_prover *prover)
{
    return (struct ch_proof_source){.hasher = &prover->hasher, .node = node, .arg = prover};
}

enum ch_err ch_prover_root(struct ch_prover *prover, uint64_t size, struct ch_hash *ret,
                           struct ch_why *why)
{
    const struct ch_proof_source source = source_of(prover);
    enum ch_err err = begin(prover, why);
    if (err != CH_OK) return err;
    err = ch_proof_root(&source, size, ret, why);
    end(prover);
    return err;
}

enum ch_err ch_prover_inclusion(struct ch_prover *prover, uint64_t index, uint64_t size,
                                struct ch_proof *ret, struct ch_why *why)
{
    const struct ch_proof_source source = source_of(prover);
    enum ch_err err = begin(prover, why);
    if (err != CH_OK) return err;
    err = ch_proof_inclusion(&source, index, size, ret, why);
    end(prover);
    return err;
}

enum ch_err ch_prover_consistency(struct ch_prover *prover, uint64_t size1, uint64_t size2,
                                  struct ch_proof *ret, struct ch_why *why)
{
    const struct ch_proof_source source = source_of(prover);
    enum ch_err err = begin(prover, why);
    if (err != CH_OK) return err;
    err = ch_proof_consistency(&source, size1, size2, ret, why);
    end(prover);
    return err;
}
