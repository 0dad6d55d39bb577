/* reader: reads records of the log. SPDX-License-Identifier: MIT
 * Copies records out block by block and checks each checksum; no LMDB transaction outlives a call,
 * so no reader keeps old pages from being used again, however slow its caller is.
 * Sees what is durable, while the commit thread goes on.
 * Threads: any; one reader belongs to one thread at a time.
 * Views it returns die at the next call on the same reader. */
#ifndef CH_LOG_READER_H
#define CH_LOG_READER_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_evlog;
struct ch_reader; /* opaque */

struct ch_log_record {
    uint64_t seq;
    struct ch_bytes bytes; /* ptr NULL: there is none */
};

/* log:    borrowed; must outlive the reader
 * errors: CH_ERR_NO_MEMORY; CH_ERR_LOG_IO (code = mdb; MDB_READERS_FULL beyond 126 readers) */
CH_MUST_USE enum ch_err ch_reader_open(struct ch_evlog *log, struct ch_reader **ret,
                                       struct ch_why *why);
void ch_reader_close(struct ch_reader *reader); /* NULL is a no-op */

/* One record; bytes.ptr is NULL when the log does not reach to seq (or seq is 0). A scan on the
 * same reader goes on where it was, but reads its block again.
 * errors: CH_ERR_LOG_IO (code = mdb), CH_ERR_LOG_CORRUPT (the text names the seq),
 *         CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_reader_read(struct ch_reader *reader, uint64_t seq,
                                       struct ch_log_record *ret, struct ch_why *why);

/* As ch_reader_read, for up to CH_READER_SOME seqs in one go, ascending; each must be there. All
 * stay good until the next call on the reader.
 * errors: as above; one that is not there is CH_ERR_LOG_CORRUPT */
enum { CH_READER_SOME = 512 };
CH_MUST_USE enum ch_err ch_reader_read_these(struct ch_reader *reader, const uint64_t *seqs,
                                             size_t count, struct ch_log_record *ret,
                                             struct ch_why *why);

/* Sets the place of ch_reader_next; reads nothing yet. from_seq: at least 1. */
void ch_reader_seek(struct ch_reader *reader, uint64_t from_seq);

/* The next record of the scan; bytes.ptr is NULL at the end of what is durable now: call again
 * later to follow the log.
 * errors: as ch_reader_read; a missing seq is CH_ERR_LOG_CORRUPT. After a failure the place has
 *         not moved */
CH_MUST_USE enum ch_err ch_reader_next(struct ch_reader *reader, struct ch_log_record *ret,
                                       struct ch_why *why);

/* As ch_reader_next, for several records that follow each other; all stay good until the next call
 * on the reader. ret_count: 1 to most, or 0 at the end of what is durable now. */
CH_MUST_USE enum ch_err ch_reader_next_some(struct ch_reader *reader, struct ch_log_record *ret,
                                            size_t most, size_t *ret_count, struct ch_why *why);

/* The seq of the last durable record, 0 if there is none. errors: CH_ERR_LOG_IO (code = mdb) */
CH_MUST_USE enum ch_err ch_reader_end(struct ch_reader *reader, uint64_t *ret_seq,
                                      struct ch_why *why);
#endif
