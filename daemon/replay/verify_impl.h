/* verify_impl: what verifying is made of; only for verify*.c. SPDX-License-Identifier: MIT */
#ifndef CH_REPLAY_VERIFY_IMPL_H
#define CH_REPLAY_VERIFY_IMPL_H
#include <pthread.h>

#include "daemon/log/checkpoint.h"
#include "daemon/log/evlog.h"
#include "daemon/log/tiles.h"
#include "daemon/replay/verify.h"

/* What the log has when the work begins; a daemon may append more meanwhile. */
struct ch_verify_begin {
    struct ch_log_end head; /* of the head file, read before the counts */
    bool has_head;
    struct ch_evlog_counts counts;
};

/* Notes the fault unless there is one already. */
void ch_verify_fault(struct ch_verify_report *report, enum ch_verify_part part, uint64_t number,
                     const char *format, ...) CH_PRINTF(4, 5);

/* A root that the first `size` records must have. */
struct ch_expected_root {
    uint64_t size;
    enum ch_verify_part part; /* CHECKPOINT, HEAD or AGAINST */
    uint64_t number;          /* of the checkpoint; of the note in the order given */
    bool trusted;             /* signed by a key known */
    struct ch_hash root;
};

/* A state hash that is due. */
struct ch_expected_state {
    uint64_t seq;
    uint64_t number; /* of the checkpoint */
    uint8_t hash[CH_CHECKPOINT_STATE_BYTES];
};

struct ch_expected {
    struct ch_expected_root *roots; /* by size */
    size_t root_count;
    struct ch_expected_state *states; /* by seq */
    size_t state_count;
};

/* verify_notes.c: reads head file, checkpoints and the notes from elsewhere; checks what can be
 * told without the records. ret: free with the other one
 * errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_verify_notes(struct ch_evlog *log,
                                        const struct ch_verify_options *options,
                                        const struct ch_verify_begin *begin,
                                        struct ch_expected *ret, struct ch_verify_report *report,
                                        struct ch_why *why);
void ch_expected_deinit(struct ch_expected *expected);

/* verify_tree.c: the tree of the records, in the order they come. */
struct ch_verify_tree;
/* log, expected, report: borrowed until destroy; report is only touched with the tree's own faults,
 * and only read after finish. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_tree_create(struct ch_evlog *log,
                                              const struct ch_expected *expected, unsigned threads,
                                              struct ch_verify_tree **ret, struct ch_why *why);
void ch_verify_tree_destroy(struct ch_verify_tree *tree); /* NULL is a no-op; after finish */
/* The next record. False: a fault was found already; the rest is of no use. */
bool ch_verify_tree_add(struct ch_verify_tree *tree, struct ch_bytes record);
/* Waits until all is hashed. report: gets the tree's first fault, unless it has one already that
 * comes before; and what was checked. errors: CH_ERR_LOG_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_verify_tree_finish(struct ch_verify_tree *tree,
                                              struct ch_verify_report *report, struct ch_why *why);
#endif
