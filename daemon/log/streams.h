/* streams: which seqs belong to a key: the derived index of the log. SPDX-License-Identifier: MIT
 * A stream is a number, its kind in the top byte and an id below; its postings are ascending seqs.
 * What the keys mean is the caller's. Everything here can be made again from the log, so nothing
 * here is ever an error that stops the daemon: what is missing, torn, damaged, of another version,
 * of another log or ahead of the log is cut off and added again.
 * File DIR/derived/streams: runs one after another, each of exactly 65,536 consecutive seqs:
 *   "chstream" | version u32 | crc u32 | first seq u64 | body bytes u64 | keys u64 | mark u64, body
 * all little-endian. crc: CRC32C of everything behind it. mark: ch_crc_record of the run's last
 * record, which ties the run to its log. body: for each key, ascending: varint (key - the one
 * before), varint (postings), varint (their bytes), then varints: the first seq less the run's
 * first, then the differences. The newest part, behind the last run, is in memory only.
 * Not synced: a tail that a crash takes is added again.
 * A run that the file does not take (a full disk) stays in memory, at some bytes an event.
 * Weighed: an LMDB table with duplicates takes tens of times as long and more space; a table of
 * fixed entries four times the space.
 * Threads: one struct belongs to one thread at a time. */
#ifndef CH_LOG_STREAMS_H
#define CH_LOG_STREAMS_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_streams; /* opaque */

enum { CH_STREAMS_RUN = 65536, CH_STREAMS_VERSION = 6, CH_STREAMS_KEYS = 1100 };

static inline uint64_t ch_stream_key(uint8_t kind, uint64_t id)
{
    return (uint64_t)kind << 56 | (id & (UINT64_MAX >> 8));
}

/* The ch_crc_record of the log's record at seq; false if it cannot be read. */
typedef bool ch_streams_mark(void *arg, uint64_t seq, uint32_t *ret);

/* Opens the file of data directory `dir`, keeping the runs that are good and within the log.
 * log_end: the log's last seq
 * errors:  CH_ERR_NO_MEMORY only */
CH_MUST_USE enum ch_err ch_streams_open(const char *dir, uint64_t log_end, ch_streams_mark *mark,
                                        void *arg, struct ch_streams **ret, struct ch_why *why);
void ch_streams_close(struct ch_streams *streams); /* NULL is a no-op */

/* Whether anything that the log reaches was missing or cut off at open. */
bool ch_streams_rebuilt(const struct ch_streams *streams);
/* The seq that must be added next. */
uint64_t ch_streams_next_seq(const struct ch_streams *streams);
/* Bytes of the file that hold runs. */
uint64_t ch_streams_bytes(const struct ch_streams *streams);

/* Adds one event; seq is CH_CHECKed to be the next. A key given twice counts once.
 * count:  at most CH_STREAMS_KEYS
 * errors: CH_ERR_NO_MEMORY; nothing was added, add it again */
CH_MUST_USE enum ch_err ch_streams_add(struct ch_streams *streams, uint64_t seq,
                                       struct ch_bytes record, const uint64_t *keys, size_t count,
                                       struct ch_why *why);

/* The first `most` seqs of a key that are at least from_seq, ascending; fewer only if there are no
 * more below the next seq.
 * errors: CH_ERR_NO_MEMORY; CH_ERR_FILE_IO (code = errno) when the file is not what it was at open;
 *         the next open repairs it */
CH_MUST_USE enum ch_err ch_streams_find(struct ch_streams *streams, uint64_t key, uint64_t from_seq,
                                        uint64_t *seqs, size_t most, size_t *ret_count,
                                        struct ch_why *why);
/* The same of those that are not above to_seq; what lies behind it is not looked at. */
CH_MUST_USE enum ch_err ch_streams_find_to(struct ch_streams *streams, uint64_t key,
                                           uint64_t from_seq, uint64_t to_seq, uint64_t *seqs,
                                           size_t most, size_t *ret_count, struct ch_why *why);

/* The last `most` seqs of a key that are below below_seq, descending; fewer only if there are no
 * more. Errors as above. */
CH_MUST_USE enum ch_err ch_streams_find_last(struct ch_streams *streams, uint64_t key,
                                             uint64_t below_seq, uint64_t *seqs, size_t most,
                                             size_t *ret_count, struct ch_why *why);
#endif
