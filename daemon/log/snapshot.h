/* snapshot: files that each hold the bytes of a state at one seq. SPDX-License-Identifier: MIT
 * Never the truth: a start that takes one saves the replay of what comes before it. What the bytes
 * mean is the caller's business; here they are a body with a head that ties it to its log.
 * File DIR/snapshots/<seq, 16 digits>.snap, mode 0600; all numbers little-endian:
 *   "chsnap1\n" | file version u32 | crc u32 | body version u32 | event types u32 | seq u64 |
 *   time u64 | body bytes u64 | root 32 | hash 32 | body crc u32 | zeros to 128 bytes | body
 * crc: CRC32C of the head behind it; body crc: of the body. root: of the log's first seq records.
 * hash: of the body, which is the state hash. event types: what the writer knew.
 * Written under another name, made durable, then renamed: a file with the right name is whole.
 * Nothing personal is in the clear in it: the body is the dump, which keeps ciphertext.
 * Threads: any; a reader or writer belongs to one thread at a time. */
#ifndef CH_LOG_SNAPSHOT_H
#define CH_LOG_SNAPSHOT_H
#include "daemon/log/hasher.h"

enum { CH_SNAPSHOT_VERSION = 1, CH_SNAPSHOT_HASH_BYTES = 32, CH_SNAPSHOT_HEAD_BYTES = 128 };

struct ch_snapshot {
    uint64_t seq;
    uint64_t at_ns; /* of that event */
    uint64_t bytes; /* of the body */
    uint32_t body_version;
    uint32_t event_types;
    uint32_t body_crc;
    struct ch_hash root;
    uint8_t hash[CH_SNAPSHOT_HASH_BYTES];
};

/* ---- which there are ---------------------------------------------------------------------- */

struct ch_snapshot_file {
    uint64_t seq;
    uint64_t bytes; /* of the file */
};

/* The snapshots of data directory `dir`, by ascending seq; where there are more than `most`, the
 * newest. None is no failure. errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_snapshot_list(const char *dir, struct ch_snapshot_file *ret, size_t most,
                                         size_t *ret_count, struct ch_why *why);

/* Deletes one. errors: CH_ERR_FILE_IO (code = errno) */
CH_MUST_USE enum ch_err ch_snapshot_remove(const char *dir, uint64_t seq, struct ch_why *why);

/* Which one is to go first, so that there are at most `most` files of at most `bytes` together: the
 * newest two stay (the newest, where that is too many bytes), and the older they are the further
 * apart they may be. Distances then about double, so that whatever seq is asked about, the way from
 * the one before it is short as compared with its age.
 * returns: its place; `count`: none needs to go */
size_t ch_snapshot_surplus(const struct ch_snapshot_file *files, size_t count, size_t most,
                           uint64_t bytes);

/* ---- reading ------------------------------------------------------------------------------ */

struct ch_snapshot_reader; /* opaque */

/* Opens one and reads its head.
 * errors: CH_ERR_FILE_IO (code = errno), CH_ERR_NO_MEMORY, CH_ERR_LOG_CORRUPT (it is damaged, or of
 *         another file version; the text says what) */
CH_MUST_USE enum ch_err ch_snapshot_open(const char *dir, uint64_t seq,
                                         struct ch_snapshot_reader **ret, struct ch_snapshot *head,
                                         struct ch_why *why);
void ch_snapshot_close(struct ch_snapshot_reader *reader); /* NULL is a no-op */

/* Whether a failure of opening or reading says that the file itself is no good, and not that memory
 * or descriptors ran out. */
bool ch_snapshot_is_bad(const struct ch_why *why);

/* The next piece of the body; len 0 at its end, where the checksum has been found right.
 * ret:    until the next call. errors: CH_ERR_FILE_IO, CH_ERR_LOG_CORRUPT */
CH_MUST_USE enum ch_err ch_snapshot_next(struct ch_snapshot_reader *reader, struct ch_bytes *ret,
                                         struct ch_why *why);

/* ---- writing ------------------------------------------------------------------------------ */

struct ch_snapshot_writer; /* opaque */

/* Begins one in `dir`, whose folder `snapshots` is made; what an interrupted write left there is
 * deleted. One at a time. errors: CH_ERR_FILE_IO (code = errno), CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_snapshot_begin(const char *dir, struct ch_snapshot_writer **ret,
                                          struct ch_why *why);
/* Takes more of the body. Sticky: a failure is told by commit. */
void ch_snapshot_put(struct ch_snapshot_writer *writer, const void *ptr, size_t len);
/* Whether a put failed: the rest can be spared. */
bool ch_snapshot_failed(const struct ch_snapshot_writer *writer);
/* Makes it durable under its name, which takes the place of one that is there. The writer is gone,
 * whatever it returns.
 * head:   without bytes, hash and body_crc, which are set here
 * errors: CH_ERR_FILE_IO (code = errno); nothing is left of it */
CH_MUST_USE enum ch_err ch_snapshot_commit(struct ch_snapshot_writer *writer,
                                           struct ch_snapshot *head, struct ch_why *why);
void ch_snapshot_abort(struct ch_snapshot_writer *writer); /* NULL is a no-op */
#endif
