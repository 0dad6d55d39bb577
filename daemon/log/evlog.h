/* evlog: the append-only event log. SPDX-License-Identifier: MIT
 * Owns the LMDB environment, the head file and the lock of a data directory. Knows records and
 * sequence numbers, not what an event means.
 * Files in the directory: log.mdb, log.mdb-lock (LMDB's), head, lock.
 * Tables in log.mdb: `events` (seq as 8 big-endian bytes -> record, then its checksum, see crc.h),
 * `tiles` (see tiles.h), `checkpoints` (see stored.h), `meta` ("format" -> "charterd log 1").
 * Threads: append, room, sync_head and the getters belong to the commit thread, or to whoever knows
 * that no batch is being committed. Any thread may read through its own struct ch_reader.
 *
 * One batch, from here: ch_evlog_append hashes each record into a copy of the tree, appends record
 * and checksum, stores the tiles that became full, commits (two syncs inside LMDB), makes the copy
 * the tree, overwrites the head file. Only then may anything of the batch be shown to anybody. */
#ifndef CH_LOG_EVLOG_H
#define CH_LOG_EVLOG_H
#include "daemon/log/head.h"

struct ch_evlog; /* opaque */

struct ch_evlog_options {
    uint64_t map_bytes; /* upper bound of log.mdb; rounded down to 4,096; at least 1 MiB. A log that
                         * is larger already opens, and is full */
    uint64_t step_bytes; /* the file is allocated ahead in such steps; 0: 64 MiB */
    bool accept_loss;    /* go on with a log that ends before what the head file says */
};

/* Opens the log in directory `dir`; makes directory (0700) and log if there is none.
 * dir, options: borrowed for the call
 * ret:    owned by the caller, close with ch_evlog_close; untouched on failure
 * Tiles that turn out to be false on the way are made again from the records, if these have the
 * root that the head file says: see ch_evlog_mended.
 * errors: CH_ERR_NO_MEMORY; CH_ERR_LOG_LOCKED (another process has it, the text says which);
 *         CH_ERR_FILE_IO (code = errno); CH_ERR_LOG_IO (code = mdb); CH_ERR_LOG_CORRUPT (not this
 *         format, a gap, one of the last 255 records does not match, or the head file disagrees
 *         about the root of all records); CH_ERR_LOG_BEHIND (the log ends before the head
 *         file, or there are events and no readable head file; not with accept_loss) */
CH_MUST_USE enum ch_err ch_evlog_open(const char *dir, const struct ch_evlog_options *options,
                                      struct ch_evlog **ret, struct ch_why *why);
/* Syncs the head file, closes. All readers must be closed before. NULL is a no-op. */
void ch_evlog_close(struct ch_evlog *log);

/* Opens the log only to read it: nothing in the directory is changed, and another process may have
 * it open. Only readers, tiles, checkpoints and what follows may be asked of it.
 * errors: CH_ERR_FILE_IO (code = errno: it is not there, or may not be read); CH_ERR_LOG_IO,
 *         CH_ERR_LOG_CORRUPT (it is no log, or damaged); CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_evlog_open_read(const char *dir, struct ch_evlog **ret,
                                           struct ch_why *why);

/* How much there is, at one moment; any thread. */
struct ch_evlog_counts {
    uint64_t last;   /* the last record's key; 0: there is none */
    uint64_t events; /* how many; as `last`, unless the log is damaged */
    uint64_t tiles;
    uint64_t checkpoints;
};
/* errors: CH_ERR_LOG_IO, CH_ERR_LOG_CORRUPT, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_evlog_count(struct ch_evlog *log, struct ch_evlog_counts *ret,
                                       struct ch_why *why);
/* Where the records' numbers do not follow each other. *ret_seq: the number that is missing there;
 * 0: something stands among the records that is none.
 * errors: CH_ERR_LOG_CORRUPT (the text says what it is), CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_evlog_check_keys(struct ch_evlog *log, uint64_t *ret_seq,
                                            struct ch_why *why);
/* What the head file says now. ret_found: false if it is missing or damaged.
 * errors: CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err ch_evlog_read_head(const struct ch_evlog *log, struct ch_log_end *ret,
                                           bool *ret_found, struct ch_why *why);

/* What its blocks look like now. errors: CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err ch_evlog_look_at_head(const struct ch_evlog *log, struct ch_head_look *ret,
                                              struct ch_why *why);

/* Appends records[0..count) as seqs first_seq and up, in one transaction; returns when it is
 * durable.
 * first_seq: CH_CHECKed to be the next one
 * records:   none empty; borrowed for the call
 * at_ns:     of the last record; goes into the head file
 * errors:    CH_ERR_STORAGE_FULL, CH_ERR_NO_MEMORY: nothing was changed, the log goes on.
 *            CH_ERR_COMMIT_FAILED (code = errno or mdb): what the disk holds is not known; the
 *            process must stop. Every later append answers the same */
CH_MUST_USE enum ch_err ch_evlog_append(struct ch_evlog *log, uint64_t first_seq,
                                        const struct ch_bytes *records, size_t count,
                                        uint64_t at_ns, struct ch_why *why);

/* Makes sure that `count` records of together `bytes` can be appended: space in the map, and blocks
 * of the file allocated. Append calls it itself; to call it between batches with what the next may
 * need keeps the allocation out of the durable path.
 * errors: CH_ERR_STORAGE_FULL (code = errno, or 0 when the map is full); nothing was changed */
CH_MUST_USE enum ch_err ch_evlog_room(struct ch_evlog *log, uint64_t bytes, uint64_t count,
                                      struct ch_why *why);

/* Allocates the next step when less than half of one is left. Failing is no failure; append will
 * say it. */
void ch_evlog_room_ahead(struct ch_evlog *log);

/* Makes the head file durable; with every checkpoint. errors: CH_ERR_FILE_IO */
CH_MUST_USE enum ch_err ch_evlog_sync_head(struct ch_evlog *log, struct ch_why *why);

/* The view lives as long as the log and changes with each append. */
const struct ch_log_end *ch_evlog_end(const struct ch_evlog *log);
/* How many events the head file knew and the log lacked at open; only with accept_loss above 0. */
uint64_t ch_evlog_lost_events(const struct ch_evlog *log);
/* How many tiles were missing, false or none of this log's at open, and were made again or removed.
 */
uint64_t ch_evlog_mended(const struct ch_evlog *log);
/* A number that changes with each transaction that any process commits to the log. Any thread. */
uint64_t ch_evlog_commits(const struct ch_evlog *log);
/* Bytes of log.mdb in use by pages; what is allocated ahead is not counted. Any thread. */
uint64_t ch_evlog_bytes(const struct ch_evlog *log);
#endif
