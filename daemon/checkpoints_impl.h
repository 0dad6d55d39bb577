/* checkpoints_impl: what checkpoints are made with; only for checkpoint*.c.
 * SPDX-License-Identifier: MIT */
#ifndef CH_DAEMON_CHECKPOINTS_IMPL_H
#define CH_DAEMON_CHECKPOINTS_IMPL_H
#include "daemon/checkpoints.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/keys.h"
#include "daemon/log/stored.h"
#include "daemon/replay/shadow.h"

enum ch_checkpoint_stage {
    CH_CHECKPOINT_NONE,    /* nothing is under way */
    CH_CHECKPOINT_WORKING, /* with the worker */
    CH_CHECKPOINT_READY,   /* waits for the commit thread */
    CH_CHECKPOINT_STORING, /* with the commit thread */
};

/* The state that checkpoints tell of. */
struct ch_checkpoint_state {
    bool known;
    uint32_t dump_version;
    uint64_t seq;
    uint8_t hash[CH_CHECKPOINT_STATE_BYTES];
};

/* What a checkpoint.make or checkpoint.rotate that came back had waited for. */
struct ch_checkpoint_wish {
    uint64_t seq;       /* a checkpoint of at least this size */
    uint64_t rotations; /* more rotations than these */
};

struct ch_checkpoints {
    struct ch_pipeline *line;
    struct ch_keys keys;
    struct ch_verifier witnesses[CH_CONFIG_LIST_MOST];
    size_t witness_count;
    struct ch_prover *prover; /* the worker's */
    struct ch_loop_timer *timer;
    bool timer_set;
    uint64_t rotations; /* since the start */

    /* the newest stored */
    uint64_t number;
    uint64_t size;
    struct ch_hash root;
    struct ch_checkpoint_state state;
    bool stale; /* it is not signed by our key: that took the place of one that is gone, or the log
                 * was put back from before a rotation */

    /* the one under way */
    enum ch_checkpoint_stage stage;
    struct ch_shadow_job job;
    struct ch_buf note;
    uint64_t put_number; /* above `number`: a new one; else a cosignature */
    uint64_t put_at_ns;
    uint64_t put_size;
    struct ch_hash put_root;
    struct ch_checkpoint_state put_state;
    bool with_state; /* it is to have the state of its own size, whatever that costs */
    bool rotating;
    uint8_t seed[CH_NOTE_SEED_BYTES];
    struct ch_keys next; /* of a rotation */
    struct ch_why made_why;
    uint64_t tried; /* the durable seq at the last try that failed */

    struct ch_buf waiting; /* of requests */
    struct ch_buf back;    /* those that come back now */
    size_t back_at;
    const struct ch_checkpoint_wish *served; /* of the request taken now; NULL: it is new */
    struct ch_checkpoint_wish served_wish;
    struct ch_buf scratch; /* notes read from the log */
};

/* Joins a note and the cosignatures in `lines` that it has not yet.
 * joined:  gets the whole note, where something was new
 * ret_new: whether something was
 * returns: false: refused, reject says why */
bool ch_checkpoint_join(const struct ch_checkpoints *checkpoints, struct ch_text note,
                        struct ch_text lines, struct ch_buf *joined, bool *ret_new,
                        struct ch_reject *reject);
#endif
