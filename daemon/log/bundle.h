/* bundle: the whole log as one file that is written and read from its beginning to its end.
 * SPDX-License-Identifier: MIT
 * A backup, and an export with proofs. It holds no secret: neither the vault nor the signing key.
 * Format: the line "charterd bundle 1\n", then items. An item: its kind (1 byte), the length of its
 * content (4 bytes, little-endian), the content, and CRC32C (4 bytes, little-endian) over the
 * item's number among those of its kind (8 bytes, big-endian; from 1) and what is before. Kinds, in
 * the order in which they stand:
 *   h  once: "size N\n", how many records follow
 *   k  a verifier key of the log, the oldest first; for convenience, not to be trusted for it
 *   c  a checkpoint: time of its last event (8 bytes, little-endian, ns), the signed note
 *   r  a record of the log; its number is its seq
 *   t  a full tile, behind the record that filled it, the lower level first: its key and its value
 *      as in the table `tiles` (see tiles.h); so that a record that was changed is named, and
 *      proofs can be made without hashing all records
 *   e  once: "size N\ncheckpoints N\nroot BASE64\n", what stood before it
 * Chance is the checksums' business, malice the tree's and the checkpoints'.
 * Threads: a struct belongs to one at a time. */
#ifndef CH_LOG_BUNDLE_H
#define CH_LOG_BUNDLE_H
#include "daemon/log/hasher.h"
#include "schema/base/buf.h"

enum ch_bundle_kind {
    CH_BUNDLE_NONE = 0,
    CH_BUNDLE_HEAD = 'h',
    CH_BUNDLE_KEY = 'k',
    CH_BUNDLE_CHECKPOINT = 'c',
    CH_BUNDLE_RECORD = 'r',
    CH_BUNDLE_TILE = 't',
    CH_BUNDLE_END = 'e',
};

struct ch_bundle_item {
    enum ch_bundle_kind kind; /* NONE: behind the last one */
    uint64_t number;          /* among those of its kind, from 1 */
    struct ch_bytes content;  /* until the next call */
};

/* What the last item says. */
struct ch_bundle_end {
    uint64_t size;
    uint64_t checkpoints;
    struct ch_hash root;
};

/* ---- writing ------------------------------------------------------------------------------ */

/* Zeroed it is ready; deinit it. */
struct ch_bundle_writer {
    uint64_t counts[256];  /* by kind */
    struct ch_buf waiting; /* items that have no checksum yet */
};

void ch_bundle_writer_deinit(struct ch_bundle_writer *writer);

/* Appends the first line. */
void ch_bundle_begin(struct ch_buf *out);
/* An item whose content is `first` and then `rest`; either may be empty. It waits to be passed. */
void ch_bundle_put(struct ch_bundle_writer *writer, enum ch_bundle_kind kind, struct ch_bytes first,
                   struct ch_bytes rest);
/* Appends what waits, with checksums; out->failed also says that memory was lacking before. Of some
 * dozen items that wait a checksum takes a third of the time that it takes of one, for the
 * processor does not wait for what it wrote last. */
void ch_bundle_pass(struct ch_bundle_writer *writer, struct ch_buf *out);

/* ---- reading ------------------------------------------------------------------------------ */

struct ch_bundle_reader; /* opaque */

/* Whether a file begins as a bundle does. */
bool ch_bundle_is(struct ch_bytes beginning);

/* fd:     a file or a pipe at its beginning; borrowed until close
 * ret:    close it; untouched on failure
 * errors: CH_ERR_NO_MEMORY; CH_ERR_FILE_IO (code = errno); CH_ERR_LOG_CORRUPT: it is no bundle */
CH_MUST_USE enum ch_err ch_bundle_open(int fd, struct ch_bundle_reader **ret, struct ch_why *why);
void ch_bundle_close(struct ch_bundle_reader *reader); /* NULL is a no-op */

/* The next item, its checksum, its order and its bounds checked; kind NONE after the last.
 * ret:    also set on failure: the item at fault, as far as that can be told
 * errors: CH_ERR_FILE_IO, CH_ERR_NO_MEMORY; CH_ERR_LOG_CORRUPT: it is damaged or cut short there,
 *         and the text says where */
CH_MUST_USE enum ch_err ch_bundle_next(struct ch_bundle_reader *reader, struct ch_bundle_item *ret,
                                       struct ch_why *why);

/* Writes and reads the contents of the first and the last item; false for another form. */
void ch_bundle_text_head(struct ch_buf *out, uint64_t size);
void ch_bundle_text_end(struct ch_buf *out, const struct ch_bundle_end *end);
bool ch_bundle_read_head(struct ch_bytes content, uint64_t *ret_size);
bool ch_bundle_read_end(struct ch_bytes content, struct ch_bundle_end *ret);
#endif
