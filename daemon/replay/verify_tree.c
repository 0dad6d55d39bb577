/* verify_tree: the tree of the records against tiles and roots; see verify_impl.h.
 * SPDX-License-Identifier: MIT
 * Blocks go round between the thread that reads and the one that hashes: so many that neither waits
 * when the other is held up for some milliseconds. Where the hashing is behind, the reading thread
 * hashes a block's records itself before it hands it over, and leaves only the nodes. */
#include "daemon/replay/verify_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/log/reader.h"
#include "daemon/log/stored_tile.h"
#include "daemon/log/thread.h"
#include "schema/base/buf.h"
#include "schema/base/check.h"

enum { BLOCKS = 12, BLOCK_RECORDS = 1024, BLOCK_BYTES = 256 << 10 };

enum {
    GIVEN_TILE_BYTES = CH_TILE_KEY_BYTES + CH_TILE_VALUE_BYTES,
    BLOCK_TILES = BLOCK_RECORDS / CH_TILE_WIDTH + CH_TILE_LEVELS /* no block fills more */
};

struct block {
    struct ch_buf bytes;
    struct ch_buf tiles; /* given ones, those that the block's records fill */
    size_t tiles_at;     /* the next to be compared */
    size_t ends[BLOCK_RECORDS];
    size_t count;
    struct ch_hash leaves[BLOCK_RECORDS]; /* the records' hashes, if `leaved` */
    bool leaved;
    bool full; /* with the hashing thread */
};

struct ch_verify_tree {
    enum ch_verify_tiles kind;
    const struct ch_expected *expected;
    struct ch_hasher hasher;
    struct ch_tile_reader *reader; /* of stored ones */
    struct block *hashed;          /* the block in work */
    struct ch_tiles tiles;         /* of the records so far */
    size_t next_root;              /* of expected */
    uint64_t good_size;            /* the last root that agreed */
    uint64_t good_against;         /* the same of what was kept elsewhere */
    uint64_t tile_count;
    /* A record and the tile that disagree; a root tells which of them is the false one. */
    uint64_t odd_seq; /* 0: none */
    uint64_t odd_tile;
    struct ch_verify_report found;
    enum ch_err err;
    struct ch_why why;

    bool threaded;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards block.full, ending and over */
    pthread_cond_t changed;
    struct block blocks[BLOCKS];
    bool ending;
    bool over; /* a fault or failure: nothing more is hashed */
    /* the reading thread's */
    struct ch_hasher leaf_hasher;
    unsigned filling;
    bool stopped;   /* over, as far as it knows */
    bool no_memory; /* for a block */
};

/* ---- hashing ------------------------------------------------------------------------------ */

static bool is_over(const struct ch_verify_tree *tree)
{
    return tree->found.part != CH_VERIFY_NOTHING || tree->err != CH_OK;
}

/* The tile that must be the next one given; NULL and a fault where it is another. */
static const uint8_t *given_tile(struct ch_verify_tree *tree, unsigned level, uint64_t index)
{
    uint8_t key[CH_TILE_KEY_BYTES];
    struct block *block = tree->hashed;
    const uint8_t *next = block->tiles.len == 0 ? NULL : block->tiles.ptr + block->tiles_at;
    ch_tile_key(level, index, key);
    if (next == NULL || block->tiles_at == block->tiles.len || memcmp(next, key, sizeof key) != 0) {
        ch_verify_fault(&tree->found, CH_VERIFY_TILE, index,
                        "tile %u/%" PRIu64 " is missing, or not in its place", level, index);
        return NULL;
    }
    block->tiles_at += GIVEN_TILE_BYTES;
    return next + CH_TILE_KEY_BYTES;
}

static const uint8_t *stored_tile(struct ch_verify_tree *tree, unsigned level, uint64_t index)
{
    const uint8_t *stored = NULL;
    tree->err = ch_tile_reader_get(tree->reader, level, index, &stored, &tree->why);
    if (tree->err == CH_ERR_LOG_CORRUPT) {
        tree->err = CH_OK;
        ch_verify_fault(&tree->found, CH_VERIFY_TILE, index, "%s", tree->why.text);
    }
    return stored;
}

/* A full tile against the one that somebody kept. */
static void check_tile(struct ch_verify_tree *tree, unsigned level, uint64_t index)
{
    const struct ch_hash *own = tree->tiles.partial[level];
    if (tree->kind == CH_TILES_NONE) return;
    const uint8_t *stored = tree->kind == CH_TILES_GIVEN ? given_tile(tree, level, index)
                                                         : stored_tile(tree, level, index);
    if (is_over(tree)) return;
    tree->tile_count++;
    for (unsigned i = 0; i < CH_TILE_WIDTH; i++) {
        if (memcmp(stored + (size_t)i * CH_HASH_BYTES, own[i].bytes, CH_HASH_BYTES) == 0) continue;
        if (level > 0) {
            ch_verify_fault(&tree->found, CH_VERIFY_TILE, index,
                            "tile %u/%" PRIu64 " is not what the tiles below it give", level,
                            index);
        } else if (tree->odd_seq == 0) {
            tree->odd_seq = index * CH_TILE_WIDTH + i + 1;
            tree->odd_tile = index;
        }
        return;
    }
}

/* As in tiles.c, but full tiles are compared and not stored. */
static void take_node(void *arg, unsigned height, const struct ch_hash *hash)
{
    struct ch_verify_tree *tree = arg;
    struct ch_tiles *tiles = &tree->tiles;
    if (height % CH_TILE_HEIGHT != 0) return;
    const unsigned level = height / CH_TILE_HEIGHT;
    const uint64_t number = tiles->range.size >> height;
    CH_CHECK(level < CH_TILE_LEVELS);
    tiles->partial[level][number % CH_TILE_WIDTH] = *hash;
    if (number % CH_TILE_WIDTH == CH_TILE_WIDTH - 1 && !is_over(tree)) {
        check_tile(tree, level, number / CH_TILE_WIDTH);
    }
}

static const char *name_of(enum ch_verify_part part)
{
    if (part == CH_VERIFY_SNAPSHOT) return "the snapshot of event";
    return part == CH_VERIFY_HEAD ? "the head file" : "the checkpoint given";
}

/* A root that is not what it should be: what is false? */
static void tell_root(struct ch_verify_tree *tree, const struct ch_expected_root *root)
{
    const uint64_t from = tree->good_size + 1;
    if (tree->odd_seq != 0) {
        ch_verify_fault(&tree->found, CH_VERIFY_RECORD, tree->odd_seq,
                        "record %" PRIu64 " was changed: tile 0/%" PRIu64
                        " has another hash of it, and %s %" PRIu64 " another root",
                        tree->odd_seq, tree->odd_tile,
                        root->part == CH_VERIFY_CHECKPOINT ? "checkpoint" : name_of(root->part),
                        root->part == CH_VERIFY_CHECKPOINT ? root->number : root->size);
    } else if (root->part == CH_VERIFY_CHECKPOINT && !root->trusted) {
        ch_verify_fault(&tree->found, CH_VERIFY_CHECKPOINT, root->number,
                        "checkpoint %" PRIu64 " names another root than records 1 to %" PRIu64
                        " have; it is not signed by a key known",
                        root->number, root->size);
    } else if (root->part == CH_VERIFY_AGAINST) {
        ch_verify_fault(&tree->found, CH_VERIFY_AGAINST, root->size,
                        "this is another log than the one the checkpoint of size %" PRIu64
                        " was made of: forked or re-ordered in records %" PRIu64 " to %" PRIu64,
                        root->size, tree->good_against + 1, root->size);
    } else if (root->part == CH_VERIFY_SNAPSHOT) {
        ch_verify_fault(&tree->found, CH_VERIFY_SNAPSHOT, root->number,
                        "snapshot of event %" PRIu64 ": it names another root than records 1 to "
                        "%" PRIu64 " have: it is of another log, or one of records %" PRIu64
                        " to %" PRIu64 " was changed",
                        root->number, root->size, from, root->size);
    } else if (root->part == CH_VERIFY_HEAD) {
        ch_verify_fault(&tree->found, CH_VERIFY_HEAD, root->size,
                        "the head file names another root than records 1 to %" PRIu64
                        " have: it was changed, or one of records %" PRIu64 " to %" PRIu64,
                        root->size, from, root->size);
    } else {
        ch_verify_fault(&tree->found, CH_VERIFY_RECORD, from,
                        "one of records %" PRIu64 " to %" PRIu64 " was changed: checkpoint %" PRIu64
                        ", which is signed, has another root",
                        from, root->size, root->number);
    }
}

/* The time that stands beside a checkpoint is under no signature. last: the last record of it */
static void check_time(struct ch_verify_tree *tree, const struct ch_expected_root *root,
                       struct ch_bytes last)
{
    if (!root->timed || root->at_ns == ch_verify_time_of(last)) return;
    ch_verify_fault(&tree->found, CH_VERIFY_CHECKPOINT, root->number,
                    "checkpoint %" PRIu64 " has another time than record %" PRIu64
                    ", its last: %" PRIu64 " and not %" PRIu64,
                    root->number, root->size, root->at_ns, ch_verify_time_of(last));
}

/* last: the last record that came */
static void check_roots(struct ch_verify_tree *tree, struct ch_bytes last)
{
    const struct ch_expected *expected = tree->expected;
    struct ch_hash root;
    bool made = false;
    while (tree->next_root < expected->root_count && !is_over(tree)) {
        const struct ch_expected_root *next = &expected->roots[tree->next_root];
        if (next->size > tree->tiles.range.size) return;
        if (!made) ch_merkle_root(&tree->tiles.range, &tree->hasher, &root);
        made = true;
        tree->next_root++;
        if (!ch_hash_equal(&root, &next->root)) {
            tell_root(tree, next);
        } else if (tree->odd_seq != 0) {
            ch_verify_fault(&tree->found, CH_VERIFY_TILE, tree->odd_tile,
                            "tile 0/%" PRIu64 " has a false hash of record %" PRIu64
                            ": the record is what the root of %" PRIu64 " records was made of",
                            tree->odd_tile, tree->odd_seq, next->size);
        } else {
            tree->good_size = next->size;
            if (next->part == CH_VERIFY_AGAINST) {
                tree->found.against++;
                tree->good_against = next->size;
            }
            check_time(tree, next, last);
        }
    }
}

static void push_leaf(struct ch_verify_tree *tree, const struct ch_hash *leaf,
                      struct ch_bytes record)
{
    ch_merkle_push(&tree->tiles.range, &tree->hasher, leaf, take_node, tree);
    const struct ch_expected *expected = tree->expected;
    if (tree->next_root < expected->root_count &&
        expected->roots[tree->next_root].size <= tree->tiles.range.size) {
        check_roots(tree, record);
    }
}

static struct ch_bytes record_at(const struct block *block, size_t i)
{
    const size_t start = i == 0 ? 0 : block->ends[i - 1];
    return (struct ch_bytes){block->bytes.ptr + start, block->ends[i] - start};
}

static void make_leaves(struct block *block, struct ch_hasher *hasher)
{
    for (size_t i = 0; i < block->count; i++) {
        ch_merkle_leaf(hasher, record_at(block, i), &block->leaves[i]);
    }
    block->leaved = true;
}

static void hash_block(struct ch_verify_tree *tree, struct block *block)
{
    tree->hashed = block;
    block->tiles_at = 0;
    if (!block->leaved) make_leaves(block, &tree->hasher);
    for (size_t i = 0; i < block->count && !is_over(tree); i++) {
        push_leaf(tree, &block->leaves[i], record_at(block, i));
    }
    if (is_over(tree) || block->tiles_at == block->tiles.len) return;
    ch_verify_fault(&tree->found, CH_VERIFY_TILE,
                    ch_get_be64(block->tiles.ptr + block->tiles_at + 1),
                    "a tile of level %u stands where none is full, before record %" PRIu64,
                    block->tiles.ptr[block->tiles_at], tree->tiles.range.size + 1);
}

/* ---- threads ------------------------------------------------------------------------------ */

static void lock(struct ch_verify_tree *tree)
{
    CH_CHECK(pthread_mutex_lock(&tree->mutex) == 0);
}

static void unlock(struct ch_verify_tree *tree)
{
    CH_CHECK(pthread_mutex_unlock(&tree->mutex) == 0);
}

static void wait_change(struct ch_verify_tree *tree)
{
    CH_CHECK(pthread_cond_wait(&tree->changed, &tree->mutex) == 0);
}

static void *run(void *arg)
{
    struct ch_verify_tree *tree = arg;
    for (unsigned at = 0;; at = (at + 1) % BLOCKS) {
        struct block *block = &tree->blocks[at];
        lock(tree);
        while (!block->full && !tree->ending) {
            wait_change(tree);
        }
        const bool work = block->full;
        unlock(tree);
        if (!work) return NULL;
        hash_block(tree, block);
        lock(tree);
        block->full = false;
        tree->over = is_over(tree);
        CH_CHECK(pthread_cond_signal(&tree->changed) == 0);
        unlock(tree);
    }
}

/* The block that is being filled goes to be hashed; the next one is waited for. */
static void hand_over(struct ch_verify_tree *tree)
{
    struct block *block = &tree->blocks[tree->filling];
    if (block->count == 0 && block->tiles.len == 0) return;
    if (!tree->threaded) {
        hash_block(tree, block);
        tree->stopped = is_over(tree);
    } else {
        const unsigned next = (tree->filling + 1) % BLOCKS;
        lock(tree);
        const bool behind = tree->blocks[next].full;
        unlock(tree);
        if (behind) make_leaves(block, &tree->leaf_hasher);
        lock(tree);
        block->full = true;
        CH_CHECK(pthread_cond_signal(&tree->changed) == 0);
        tree->filling = next;
        while (tree->blocks[tree->filling].full) {
            wait_change(tree);
        }
        tree->stopped = tree->over;
        unlock(tree);
        block = &tree->blocks[tree->filling];
    }
    ch_buf_reset(&block->bytes);
    ch_buf_reset(&block->tiles);
    block->count = 0;
    block->leaved = false;
}

/* A block goes before the next record comes, so that the tiles that its last one fills are in it.
 */
bool ch_verify_tree_add(struct ch_verify_tree *tree, struct ch_bytes record)
{
    struct block *block = &tree->blocks[tree->filling];
    if (block->count == BLOCK_RECORDS || block->bytes.len >= BLOCK_BYTES) {
        hand_over(tree);
        block = &tree->blocks[tree->filling];
        if (tree->stopped) return false;
    }
    ch_buf_put(&block->bytes, record.ptr, record.len);
    block->ends[block->count++] = block->bytes.len;
    if (block->bytes.failed) {
        block->count = 0;
        tree->no_memory = true;
        return false;
    }
    return !tree->stopped;
}

bool ch_verify_tree_tile(struct ch_verify_tree *tree, struct ch_bytes tile)
{
    struct block *block = &tree->blocks[tree->filling];
    if (tile.len != GIVEN_TILE_BYTES) {
        return false; /* the source has told it */
    }
    if (block->tiles.len >= (size_t)BLOCK_TILES * GIVEN_TILE_BYTES) { /* too many */
        hand_over(tree);
        block = &tree->blocks[tree->filling];
    }
    ch_buf_put(&block->tiles, tile.ptr, tile.len);
    if (block->tiles.failed) tree->no_memory = true;
    return !tree->stopped && !tree->no_memory;
}

enum ch_err ch_verify_tree_create(struct ch_evlog *log, enum ch_verify_tiles tiles,
                                  const struct ch_expected *expected, unsigned threads,
                                  struct ch_verify_tree **ret, struct ch_why *why)
{
    struct ch_verify_tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the tree");
    tree->kind = tiles;
    tree->expected = expected;
    tree->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    tree->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    enum ch_err err = ch_hasher_init(&tree->hasher, why);
    if (err == CH_OK) err = ch_hasher_init(&tree->leaf_hasher, why);
    if (err == CH_OK && tiles == CH_TILES_STORED) {
        err = ch_tile_reader_open(log, &tree->reader, why);
    }
    if (err == CH_OK && threads > 1) { /* where it does not start, without */
        tree->threaded = ch_thread_start(&tree->thread, "tree", run, tree) == 0;
    }
    if (err != CH_OK) {
        ch_verify_tree_destroy(tree);
        return err;
    }
    *ret = tree;
    return CH_OK;
}

/* The records behind the last full tile. */
static enum ch_err push_last(struct ch_verify_tree *tree, struct ch_evlog *log, uint64_t size,
                             struct ch_why *why)
{
    struct ch_reader *reader = NULL;
    enum ch_err err = ch_reader_open(log, &reader, why);
    if (err == CH_OK) ch_reader_seek(reader, tree->tiles.range.size + 1);
    while (err == CH_OK && tree->tiles.range.size < size) {
        struct ch_log_record record;
        struct ch_hash leaf;
        err = ch_reader_next(reader, &record, why);
        if (err == CH_OK && record.bytes.ptr == NULL) {
            err = ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the log ends before");
        }
        if (err != CH_OK) break;
        ch_merkle_leaf(&tree->hasher, record.bytes, &leaf);
        ch_merkle_push(&tree->tiles.range, &tree->hasher, &leaf, take_node, tree);
    }
    ch_reader_close(reader);
    return err;
}

enum ch_err ch_verify_tree_behind(struct ch_verify_tree *tree, struct ch_evlog *log, uint64_t size,
                                  const struct ch_hash *root, struct ch_why *why)
{
    struct ch_hash found;
    const uint64_t stored = size - size % CH_TILE_WIDTH;
    CH_CHECK(!tree->threaded && tree->kind == CH_TILES_STORED && tree->tiles.range.size == 0);
    enum ch_err err = ch_tile_reader_load(tree->reader, &tree->hasher, stored, &tree->tiles, why);
    if (err == CH_OK) err = push_last(tree, log, size, why);
    if (err != CH_OK) return err;
    ch_merkle_root(&tree->tiles.range, &tree->hasher, &found);
    tree->good_size = size;
    if (ch_hash_equal(&found, root)) return CH_OK;
    return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "records 1 to %" PRIu64 " have another root", size);
}

void ch_verify_tree_destroy(struct ch_verify_tree *tree)
{
    if (tree == NULL) return;
    ch_tile_reader_close(tree->reader);
    ch_hasher_deinit(&tree->hasher);
    ch_hasher_deinit(&tree->leaf_hasher);
    for (size_t i = 0; i < BLOCKS; i++) {
        ch_buf_deinit(&tree->blocks[i].bytes);
        ch_buf_deinit(&tree->blocks[i].tiles);
    }
    (void)pthread_cond_destroy(&tree->changed);
    (void)pthread_mutex_destroy(&tree->mutex);
    free(tree);
}

uint64_t ch_verify_tree_settle(struct ch_verify_tree *tree)
{
    CH_CHECK(!tree->threaded);
    hand_over(tree);
    if (tree->odd_seq != 0) return tree->odd_seq - 1;
    return tree->stopped || tree->no_memory ? tree->good_size : tree->tiles.range.size;
}

bool ch_verify_tree_is_over(const struct ch_verify_tree *tree)
{
    return is_over(tree);
}

uint64_t ch_verify_tree_rooted(const struct ch_verify_tree *tree)
{
    return tree->good_size;
}

enum ch_err ch_verify_tree_finish(struct ch_verify_tree *tree, struct ch_verify_report *report,
                                  struct ch_why *why)
{
    hand_over(tree);
    if (tree->threaded) {
        lock(tree);
        tree->ending = true;
        CH_CHECK(pthread_cond_signal(&tree->changed) == 0);
        unlock(tree);
        CH_CHECK(pthread_join(tree->thread, NULL) == 0);
        tree->threaded = false;
    }
    if (tree->no_memory) {
        return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a block of records");
    }
    if (tree->err != CH_OK) {
        *why = tree->why;
        return tree->err;
    }
    if (tree->odd_seq != 0) {
        ch_verify_fault(&tree->found, CH_VERIFY_RECORD, tree->odd_seq,
                        "record %" PRIu64 " does not match its hash in tile 0/%" PRIu64
                        ", and no root further on tells which of the two was changed",
                        tree->odd_seq, tree->odd_tile);
    }
    report->tiles += tree->tile_count;
    report->against += tree->found.against;
    ch_merkle_root(&tree->tiles.range, &tree->hasher, &report->root);
    /* It saw only what comes before a fault of the reading. */
    if (tree->found.part != CH_VERIFY_NOTHING) {
        report->part = tree->found.part;
        report->number = tree->found.number;
        memcpy(report->text, tree->found.text, sizeof report->text);
    }
    return CH_OK;
}
