/* stored: the checkpoints that the log keeps. SPDX-License-Identifier: MIT
 * Table `checkpoints` of log.mdb: number (8 bytes, big-endian; from 1, without gaps) -> time of its
 * last event (8 bytes, little-endian, nanoseconds since 1970), the signed note, CRC32C (4 bytes,
 * little-endian) over the number as it stands in the key and what is before. Sizes never go down.
 * Threads: put is the commit thread's; the others may be called by any. */
#ifndef CH_LOG_STORED_H
#define CH_LOG_STORED_H
#include "schema/base/buf.h"
#include "schema/base/err.h"

struct ch_evlog;

struct ch_stored {
    uint64_t number; /* 0: there is none */
    uint64_t at_ns;
    struct ch_text note; /* in the buffer passed; until it is next used */
};

/* Stores a checkpoint: the next number, or one that is there and gets its new note (with a
 * cosignature). Durable on return.
 * errors: CH_ERR_STORAGE_FULL, CH_ERR_NO_MEMORY: nothing was changed; CH_ERR_COMMIT_FAILED: the
 *         process must stop */
CH_MUST_USE enum ch_err ch_stored_put(struct ch_evlog *log, uint64_t number, uint64_t at_ns,
                                      struct ch_text note, struct ch_why *why);

/* Stores many new ones, which follow those there are, in one transaction; for a log that is being
 * made from another. The numbers of `list` are as they are in the other log, without gaps.
 * errors: as put */
CH_MUST_USE enum ch_err ch_stored_put_many(struct ch_evlog *log, const struct ch_stored *list,
                                           size_t count, struct ch_why *why);

/* Reads one. number: 0 is the last
 * copy:   gets the note
 * errors: CH_ERR_LOG_IO, CH_ERR_NO_MEMORY, CH_ERR_LOG_CORRUPT (the text names the number) */
CH_MUST_USE enum ch_err ch_stored_get(struct ch_evlog *log, uint64_t number, struct ch_buf *copy,
                                      struct ch_stored *ret, struct ch_why *why);

/* The last one of this size; number 0: none has it. errors: as get */
CH_MUST_USE enum ch_err ch_stored_find(struct ch_evlog *log, uint64_t size, struct ch_buf *copy,
                                       struct ch_stored *ret, struct ch_why *why);
#endif
