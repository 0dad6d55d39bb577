/* verify_impl: what verifying is made of; only for verify*.c and scrub.c.
 * SPDX-License-Identifier: MIT */
#ifndef CH_REPLAY_VERIFY_IMPL_H
#define CH_REPLAY_VERIFY_IMPL_H
#include <pthread.h>

#include "daemon/core/state.h"
#include "daemon/log/bundle.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/evlog.h"
#include "daemon/log/snapshot.h"
#include "daemon/log/stored.h"
#include "daemon/log/tiles.h"
#include "daemon/replay/follower.h"
#include "daemon/replay/verify.h"
#include "schema/base/arena.h"

struct ch_event;
struct ch_verifying;

enum { CH_VERIFY_SNAPSHOTS_MOST = 256 };

/* What the log has when the work begins; a daemon may append more meanwhile. */
struct ch_verify_begin {
    struct ch_snapshot_file snapshots[CH_VERIFY_SNAPSHOTS_MOST]; /* listed before the counts */
    size_t snapshot_count;
    struct ch_log_end head; /* of the head file, read before the counts */
    bool has_head;
    struct ch_head_look look;
    struct ch_evlog_counts counts; /* last: of what is looked at; whole: of what there is */
    uint64_t whole;
};

/* Notes the fault unless there is one already. */
void ch_verify_fault(struct ch_verify_report *report, enum ch_verify_part part, uint64_t number,
                     const char *format, ...) CH_PRINTF(4, 5);

/* A root that the first `size` records must have. */
struct ch_expected_root {
    uint64_t size;
    enum ch_verify_part part; /* CHECKPOINT, HEAD, AGAINST or SNAPSHOT */
    uint64_t number;          /* of the checkpoint; of the note in the order given; the seq */
    bool trusted;             /* signed by a key known */
    bool timed;               /* at_ns is that of the last of them */
    uint64_t at_ns;
    struct ch_hash root;
};

/* A state hash that is due. */
struct ch_expected_state {
    uint64_t seq;
    enum ch_verify_part part; /* STATE: a checkpoint names it; SNAPSHOT: it is one */
    uint64_t number;          /* of the checkpoint */
    uint64_t at_ns;           /* of a snapshot */
    uint8_t hash[CH_CHECKPOINT_STATE_BYTES];
};

struct ch_expected {
    struct ch_expected_root *roots; /* by size */
    size_t root_count;
    struct ch_expected_state *states; /* by seq */
    size_t state_count;
    size_t root_cap, state_cap;
};

/* One more, at the end. False when out of memory. */
CH_MUST_USE bool ch_expected_add_root(struct ch_expected *expected,
                                      const struct ch_expected_root *root);
CH_MUST_USE bool ch_expected_add_state(struct ch_expected *expected,
                                       const struct ch_expected_state *state);

/* Where the stored checkpoints come from. */
struct ch_verify_checkpoints {
    /* as ch_stored_get; number 0 in ret: there are no more */
    enum ch_err (*get)(void *arg, uint64_t number, struct ch_buf *copy, struct ch_stored *ret,
                       struct ch_why *why);
    void *arg;
    uint64_t count; /* UINT64_MAX: until there are no more */
};

/* verify_notes.c: reads head file, checkpoints and the notes from elsewhere; checks what can be
 * told without the records. ret: free with the other one
 * errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_verify_notes(const struct ch_verify_checkpoints *from,
                                        const struct ch_verify_options *options,
                                        const struct ch_verify_begin *begin,
                                        struct ch_expected *ret, struct ch_verify_report *report,
                                        struct ch_why *why);
void ch_expected_deinit(struct ch_expected *expected);

/* verify_snapshots.c: which there are; begin gets them. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_list_snapshots(const char *dir, struct ch_verify_begin *begin,
                                                 struct ch_verify_report *report,
                                                 struct ch_why *why);
/* Reads their heads; their roots and states are expected. The bytes of one whose state will be
 * compared are read then. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_snapshots(const struct ch_verify_options *options,
                                            const struct ch_verify_begin *begin,
                                            struct ch_expected *expected,
                                            struct ch_verify_report *report, struct ch_why *why);

/* One of them against the state of that event. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_snapshot(struct ch_verifying *v,
                                           const struct ch_expected_state *expected,
                                           struct ch_why *why);
/* The bytes of those whose states were expected and not reached. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_snapshots_left(struct ch_verifying *v, struct ch_why *why);

/* verify_tree.c: the tree of the records, in the order they come. */
struct ch_verify_tree;
enum ch_verify_tiles {
    CH_TILES_STORED, /* compared with those of the log */
    CH_TILES_GIVEN,  /* with those that come with ch_verify_tree_tile */
    CH_TILES_NONE,
};
/* log, expected: borrowed until destroy; log: NULL unless tiles are stored there
 * errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_tree_create(struct ch_evlog *log, enum ch_verify_tiles tiles,
                                              const struct ch_expected *expected, unsigned threads,
                                              struct ch_verify_tree **ret, struct ch_why *why);
/* NULL is a no-op; with two threads after finish */
void ch_verify_tree_destroy(struct ch_verify_tree *tree);
/* The next record. False: a fault was found already; the rest is of no use. */
bool ch_verify_tree_add(struct ch_verify_tree *tree, struct ch_bytes record);
/* A tile that the records so far have filled: its key, then its hashes. Behind the record that
 * filled it and before the next; the lower level first. Returns as add. */
bool ch_verify_tree_tile(struct ch_verify_tree *tree, struct ch_bytes tile);
/* Without a second thread: hashes what came so far. Returns the record up to which nothing speaks
 * against them; where that is not the last, finish tells what is false. */
CH_MUST_USE uint64_t ch_verify_tree_settle(struct ch_verify_tree *tree);
/* Behind settle: whether it found a fault. That may be none of a record: also the time of a
 * checkpoint is compared. */
CH_MUST_USE bool ch_verify_tree_is_over(const struct ch_verify_tree *tree);
/* A new tree without a second thread: goes on behind the log's first `size` records, whose hashes
 * are taken from the stored tiles and the last records.
 * errors: CH_ERR_LOG_CORRUPT (they have another root, or something of it is damaged),
 *         CH_ERR_LOG_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_tree_behind(struct ch_verify_tree *tree, struct ch_evlog *log,
                                              uint64_t size, const struct ch_hash *root,
                                              struct ch_why *why);
/* How many records the last root was of that agreed; 0: none did. */
CH_MUST_USE uint64_t ch_verify_tree_rooted(const struct ch_verify_tree *tree);
/* Waits until all is hashed. report: gets the tree's first fault, unless it has one already that
 * comes before; what was checked is added to it. errors: CH_ERR_LOG_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_tree_finish(struct ch_verify_tree *tree,
                                              struct ch_verify_report *report, struct ch_why *why);

/* The work as a whole. */
struct ch_verifying {
    const struct ch_verify_options *options;
    struct ch_verify_report *report;
    struct ch_evlog *log; /* NULL: a source has the records */
    struct ch_verify_begin begin;
    struct ch_expected expected;
    uint64_t to; /* the last record of this run */
    struct ch_verify_tree *tree;
    struct ch_follower follower; /* open where there is replay */
    size_t next_state;           /* of those expected */
    bool tree_over;              /* it has found a fault: what comes is of no use */
    bool newer; /* a record that this program has no type for: the rest is not replayed */
    uint64_t last_at;
    struct ch_arena arena;
    /* The state hash made last; seq 0: none yet. */
    uint64_t hashed_seq;
    uint8_t hashed[CH_STATE_HASH_BYTES];
    bool half;                   /* another run goes on at the same time */
    const atomic_bool *unwanted; /* its result; NULL: it always is wanted */
};

static inline bool ch_verify_over(const struct ch_verifying *v)
{
    return v->tree_over || v->report->part != CH_VERIFY_NOTHING;
}

/* verify.c: a record that has passed its own checks: counted, copied, given to the tree.
 * at_ns:  its time
 * errors: CH_ERR_STOPPED (by whoever looks on, or the tree is over), those of the copy */
CH_MUST_USE enum ch_err ch_verify_take(struct ch_verifying *v, struct ch_bytes record,
                                       uint64_t at_ns, struct ch_why *why);
/* The form of one record, its place and its time. last_at: of the record before; gets its own.
 * errors: CH_ERR_LOG_CORRUPT (the text names the seq), CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_record(uint64_t seq, struct ch_bytes record, uint64_t *last_at,
                                         struct ch_arena *arena, struct ch_why *why);
/* The checks of one record that is not replayed. ret_at: its time, also of one that fails
 * errors: CH_ERR_LOG_CORRUPT, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_check_record(struct ch_verifying *v, uint64_t seq,
                                               struct ch_bytes record, uint64_t *ret_at,
                                               struct ch_why *why);
/* The time in a record that has passed. */
uint64_t ch_verify_time_of(struct ch_bytes record);
/* Whether the record is of a type that only a later charterd knows. */
bool ch_verify_is_newer(struct ch_bytes record);
/* A failure at the record that comes next: a fault of the log is none. */
CH_MUST_USE enum ch_err ch_verify_judge(struct ch_verifying *v, enum ch_err err,
                                        const struct ch_why *why);
/* The state is that behind record `expected->seq`. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_check_state(struct ch_verifying *v,
                                              const struct ch_expected_state *expected,
                                              struct ch_why *why);
/* Whether the follower's state has that hash; it is made once. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_state_is(struct ch_verifying *v,
                                           const uint8_t hash[CH_STATE_HASH_BYTES], bool *ret,
                                           struct ch_why *why);
/* Goes on to record `v->to`, or to the first fault. errors: those of ch_verify */
CH_MUST_USE enum ch_err ch_verify_go(struct ch_verifying *v, struct ch_why *why);
bool ch_verify_told_to_stop(const struct ch_verifying *v);

/* verify_half.c: the second half of a log, on a thread of its own. */
struct ch_verify_half;
/* Starts it where the log has a snapshot that it can begin with, and lets `v`, which has not begun,
 * end there. Returns NULL where that is not so, or no thread starts. */
struct ch_verify_half *ch_verify_half_start(struct ch_verifying *v);
/* `v` has come to its end, with `err`. Waits for the second half, and frees it. If `v` found
 * nothing false up to there, and the second half could begin, its findings become those of `v`;
 * else `v` goes on alone, if it can.
 * errors: `err`; those of ch_verify_go */
CH_MUST_USE enum ch_err ch_verify_half_join(struct ch_verify_half *half, struct ch_verifying *v,
                                            enum ch_err err, struct ch_why *why);
/* A follower's hook: its argument is the work. */
enum ch_err ch_verify_before(void *arg, const struct ch_state *state, const struct ch_event *event,
                             struct ch_bytes record, struct ch_why *why);
/* The tree's end: waits for it, destroys it, tells what it found. */
CH_MUST_USE enum ch_err ch_verify_end_tree(struct ch_verifying *v, enum ch_err err,
                                           struct ch_why *why);

/* verify_source.c: the whole work where a source has the records. */
CH_MUST_USE enum ch_err ch_verify_from_source(struct ch_verifying *v, struct ch_why *why);
#endif
