/* decoder: events of the log, read and decoded group by group. SPDX-License-Identifier: MIT
 * Alone, by whoever applies them; or, for a long stretch, by a thread that stays a few groups
 * ahead, so that reading, checking and decoding cost the one who applies no time.
 * Threads: a group or a decoder belongs to one thread at a time; the decoder's own thread is its
 * own business. */
#ifndef CH_REPLAY_DECODER_H
#define CH_REPLAY_DECODER_H
#include "daemon/log/reader.h"
#include "schema/base/arena.h"
#include "schema/event.h"

struct ch_vouch; /* vouch.h */

/* What a reader hands out at once at most. */
enum { CH_GROUP_EVENTS = 512 };

/* Events that follow each other, with their records. Zeroed: empty. */
struct ch_group {
    struct ch_log_record records[CH_GROUP_EVENTS]; /* views into the reader's copy */
    struct ch_event events[CH_GROUP_EVENTS];       /* views into records, bodies and arena */
    union ch_event_body bodies[CH_GROUP_EVENTS];
    struct ch_arena arena;
    size_t count;
};

/* Reads events from..to, or as many as there are and fit. A bad record ends the group before it and
 * is met again as the first of the next. count: 0 at the end of what is durable.
 * vouch:  says whether they are what they were; NULL: nobody is asked
 * group:  filled; good until the next call with it or with the reader
 * errors: CH_ERR_LOG_IO, CH_ERR_LOG_CORRUPT (the text names the seq), CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_group_read(struct ch_group *group, struct ch_reader *reader,
                                      struct ch_vouch *vouch, uint64_t from, uint64_t to,
                                      struct ch_why *why);
/* Decodes the group's records; a bad one ends the group before it, and is told if it is the first.
 * errors: CH_ERR_LOG_CORRUPT, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_group_decode(struct ch_group *group, struct ch_why *why);
void ch_group_deinit(struct ch_group *group); /* zeroed is a no-op */

struct ch_decoder; /* opaque */

/* Begins to read from..to on a thread.
 * log, vouch: borrowed until ch_decoder_stop; vouch as ch_group_read
 * errors:     CH_ERR_NO_MEMORY, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_decoder_start(struct ch_evlog *log, struct ch_vouch *vouch,
                                         uint64_t from, uint64_t to, struct ch_decoder **ret,
                                         struct ch_why *why);

/* The next group, NULL at the end; good until the next call. Waits for it.
 * errors: as ch_group_read, after all groups before the failure */
CH_MUST_USE enum ch_err ch_decoder_next(struct ch_decoder *decoder, const struct ch_group **ret,
                                        struct ch_why *why);
void ch_decoder_stop(struct ch_decoder *decoder); /* NULL is a no-op; may come before the end */
#endif
