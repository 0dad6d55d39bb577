/* follower: a state computed from the log, up to some seq. SPDX-License-Identifier: MIT
 * Start-up, the shadow and questions about the past are all one: read, check, decode, apply.
 * Threads: a follower belongs to one thread at a time; for a long way it has a second one of its
 * own that decodes ahead, unless it is to be alone. */
#ifndef CH_REPLAY_FOLLOWER_H
#define CH_REPLAY_FOLLOWER_H
#include "daemon/core/state.h"
#include "daemon/log/reader.h"
#include "daemon/replay/directory.h"
#include "schema/base/check.h"
#include "schema/event.h"

struct ch_evlog;
struct ch_group;
struct ch_vouch;

/* Called with each event and its record just before it is applied; the state is the one before it.
 * Returning a failure stops there, and the event comes again when the follower goes on. */
typedef enum ch_err ch_follower_before(void *arg, const struct ch_state *state,
                                       const struct ch_event *event, struct ch_bytes record,
                                       struct ch_why *why);

/* charterd's own when its log is damaged: starting again does not help. */
enum { CH_EXIT_DAMAGED = 3 };

struct ch_follower {
    struct ch_state state;
    struct ch_evlog *log; /* borrowed */
    struct ch_reader *reader;
    struct ch_group *group;               /* read last, unless a decoder reads ahead */
    const struct ch_directory *directory; /* borrowed; NULL: names stay closed */
    struct ch_vouch *vouch;               /* NULL: records are taken as they are */
    ch_follower_before *before;           /* set after open; NULL: none */
    void *before_arg;
    /* set after open; dir NULL: a record that breaks a check of apply is told as a bug. Else the
     * process ends with exit_status, and says that the log was changed */
    struct ch_check_replay replay;
    struct ch_arena arena;
    bool open;
    bool alone; /* set after open: no thread that decodes ahead */
};

/* An empty state at seq 0.
 * log, directory: borrowed; must outlive the follower. log: NULL where the records come by
 *                 ch_follower_take; then nothing else than rewind may be asked
 * errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_follower_open(struct ch_follower *follower, struct ch_evlog *log,
                                         const struct ch_directory *directory, struct ch_why *why);
/* From here on no record is applied that its tile speaks against: see vouch.h.
 * errors: CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_follower_vouch(struct ch_follower *follower, struct ch_why *why);
void ch_follower_close(struct ch_follower *follower); /* NULL and zeroed are no-ops */

static inline uint64_t ch_follower_seq(const struct ch_follower *follower)
{
    return ch_meta(&follower->state)->head;
}

/* Back to an empty state at seq 0. errors: CH_ERR_NO_MEMORY; it is closed then */
CH_MUST_USE enum ch_err ch_follower_rewind(struct ch_follower *follower, struct ch_why *why);

/* Applies events up to `seq`, or to the end of the log if that comes first.
 * progress: called now and then with the seq reached, or NULL; returning false stops early
 * errors:   CH_ERR_LOG_IO, CH_ERR_LOG_CORRUPT, CH_ERR_SEAL_BROKEN, CH_ERR_NO_MEMORY,
 *           CH_ERR_STOPPED */
typedef bool ch_follower_progress(void *arg, uint64_t seq);
CH_MUST_USE enum ch_err ch_follower_go(struct ch_follower *follower, uint64_t seq,
                                       ch_follower_progress *progress, void *arg,
                                       struct ch_why *why);

/* Applies the group's records, which come from elsewhere and follow what was applied before; only
 * `records` and `count` of the group are set. After a failure those before the bad one are applied.
 * errors: CH_ERR_LOG_CORRUPT, CH_ERR_SEAL_BROKEN, CH_ERR_NO_MEMORY, those of the hook */
CH_MUST_USE enum ch_err ch_follower_take(struct ch_follower *follower, struct ch_group *group,
                                         struct ch_why *why);

/* The last seq whose event's time is not after `at_ns`; 0 if there is none. */
CH_MUST_USE enum ch_err ch_follower_seq_at(struct ch_follower *follower, uint64_t at_ns,
                                           uint64_t *ret_seq, struct ch_why *why);
/* The time of an event. errors: CH_ERR_NOT_YET when the log does not reach so far */
CH_MUST_USE enum ch_err ch_follower_time_of(struct ch_follower *follower, uint64_t seq,
                                            uint64_t *ret_at_ns, struct ch_why *why);

enum { CH_STATE_HASH_BYTES = 32 };
/* Of the canonical dump. source: schema/README.md, "State hash". errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_state_hash(const struct ch_state *state,
                                      uint8_t ret[CH_STATE_HASH_BYTES], struct ch_why *why);
#endif
