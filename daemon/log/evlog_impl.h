/* evlog_impl: what the event log is made of; only for evlog*.c and reader.c.
 * SPDX-License-Identifier: MIT */
#ifndef CH_LOG_EVLOG_IMPL_H
#define CH_LOG_EVLOG_IMPL_H
#include "daemon/log/evlog.h"
#include "daemon/log/room.h"
#include "daemon/log/tiles.h"

#include <lmdb.h>

enum { CH_SEQ_KEY_BYTES = 8 };

struct ch_evlog {
    int dir_fd;
    int lock_fd; /* flock'ed: one process per directory */
    MDB_env *env;
    MDB_dbi events;
    MDB_dbi tiles_table;
    MDB_dbi meta;
    MDB_dbi checkpoints;
    struct ch_hasher hasher;
    struct ch_tiles *tree; /* the tree of what is durable */
    struct ch_tiles *next; /* where append makes the tree of what it appends */
    struct ch_log_end end;
    struct ch_head head;
    struct ch_room room;
    uint64_t page_bytes;
    uint64_t lost_events;
    uint64_t mended; /* tiles, at open */
    bool doubt;  /* while it opens: tiles cannot be what the records give; the tree is not set */
    bool broken; /* a commit failed: nothing is appended any more */
};

/* The file has all the pages that its last transaction names: a read behind its end would kill the
 * process. path: of log.mdb. errors: CH_ERR_LOG_CORRUPT, CH_ERR_FILE_IO, CH_ERR_LOG_IO */
CH_MUST_USE enum ch_err ch_evlog_check_length(MDB_env *env, const char *path, struct ch_why *why);

/* Checks the head file against log->end, and writes it anew where loss was accepted. */
CH_MUST_USE enum ch_err ch_evlog_check_head(struct ch_evlog *log, bool accept_loss,
                                            struct ch_why *why);

/* Sets log->end.seq from the tables; log->tree and log->end.root too, or log->doubt. */
CH_MUST_USE enum ch_err ch_evlog_recover(struct ch_evlog *log, struct ch_why *why);

/* Sets log->tree and log->end.root from all records, and makes the stored tiles those of them.
 * said:   what the first so many must have, at most log->end.seq; NULL: nobody says it
 * errors: CH_ERR_LOG_CORRUPT (a record is damaged, or they have another root), CH_ERR_LOG_IO,
 *         CH_ERR_STORAGE_FULL, CH_ERR_NO_MEMORY: nothing was changed; CH_ERR_COMMIT_FAILED */
CH_MUST_USE enum ch_err ch_evlog_mend(struct ch_evlog *log, const struct ch_log_end *said,
                                      struct ch_why *why);

/* A stored value of `events` as record; checks the checksum.
 * errors: CH_ERR_LOG_CORRUPT (the text names the seq) */
CH_MUST_USE enum ch_err ch_evlog_unpack(uint64_t seq, MDB_val value, struct ch_bytes *ret,
                                        struct ch_why *why);
/* The same of a key and its value that stand one behind the other. */
CH_MUST_USE enum ch_err ch_evlog_unpack_row(struct ch_bytes row, struct ch_bytes *ret,
                                            struct ch_why *why);

/* A failure before a commit began: nothing was written. What says more than "full" or "no memory"
 * is not trusted to be only that: the log is broken from then on. */
enum ch_err ch_evlog_fail_before(struct ch_evlog *log, int code, const char *what,
                                 struct ch_why *why);
/* A failure of a commit: CH_ERR_COMMIT_FAILED, and the log is broken from then on. */
enum ch_err ch_evlog_fail_broken(struct ch_evlog *log, int code, const char *what,
                                 struct ch_why *why);

/* An MDB_ code or errno of a read as failure: CH_ERR_LOG_CORRUPT, CH_ERR_NO_MEMORY or
 * CH_ERR_LOG_IO. */
enum ch_err ch_evlog_fail_read(struct ch_why *why, int code, const char *what);
#endif
