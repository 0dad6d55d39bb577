/* receipt: the form of a receipt's file. SPDX-License-Identifier: MIT
 * Text. First a signed note (C2SP signed-note) with one signature, the log's own:
 *   charterd receipt 1
 *   ...                      the statement: lines of a word and its value
 *   attached BYTES BASE64    the length and the SHA-256 of all that follows the note
 *   (empty line)
 *   — NAME BASE64
 *   (empty line)
 * Then what is attached:
 *   explanation
 *   ...                      lines, none of them empty
 *   (empty line)
 *   record SEQ BASE64        an event's record; or: withheld SEQ BASE64, the hash of its leaf
 *   BASE64                   the hashes of its inclusion proof, one a line
 *   (empty line)             behind each record
 *   checkpoint
 *   ...                      the signed note of the checkpoint that the proofs lead to
 * Every byte is either signed, or of the signature, or under the hash that is signed; so whatever
 * byte is changed, the file is no longer good.
 * Bytes only: what the statement and the explanation say is known to who writes and reads them.
 * Threads: as the hasher that is passed. */
#ifndef CH_LOG_RECEIPT_H
#define CH_LOG_RECEIPT_H
#include "daemon/log/note.h"
#include "daemon/log/proof.h"

enum { CH_RECEIPT_STATEMENT_MOST = 8192 };

/* A record, or of one that is withheld the leaf's hash. */
struct ch_receipt_record {
    uint64_t seq;
    bool withheld;
    struct ch_bytes bytes;
    struct ch_proof proof;
};

/* Writes the parts in order: begin, a record at a time, end. */
void ch_receipt_begin(struct ch_buf *attached, struct ch_text explanation);
void ch_receipt_add(struct ch_buf *attached, const struct ch_receipt_record *record);
/* The whole file.
 * statement: its lines behind the first; each ends in a line feed
 * note:      the checkpoint's */
void ch_receipt_end(struct ch_buf *attached, struct ch_text statement, struct ch_text note,
                    const struct ch_signer *signer, struct ch_hasher *hasher, struct ch_buf *out);

/* A file in its parts; views of its bytes. */
struct ch_receipt {
    struct ch_text text; /* what is signed */
    struct ch_text line; /* the signature line */
    struct ch_text statement;
    struct ch_text explanation;
    struct ch_text records;
    struct ch_text note; /* the checkpoint's */
};
/* False for what has another form, or whose attached part is not what was signed; *ret_why says
 * what is wrong. The signature itself is not looked at. */
bool ch_receipt_split(struct ch_text file, struct ch_hasher *hasher, struct ch_receipt *ret,
                      const char **ret_why);
/* The next record; *at is 0 at first. Its bytes go into `room`, which is used again.
 * returns: false at the end, and for another form: then *at is not the length of the part */
bool ch_receipt_next(const struct ch_receipt *receipt, size_t *at, struct ch_buf *room,
                     struct ch_receipt_record *ret);

/* Takes a word and the space behind it off a line. */
bool ch_receipt_word(struct ch_text *line, const char *word);
#endif
