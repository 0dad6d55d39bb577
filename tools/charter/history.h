/* history: the lines of an import, in order, with their digest. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_HISTORY_H
#define CH_CHARTER_HISTORY_H
#include "tools/charter/batch.h"
#include "tools/charter/lines.h"

struct history { /* zeroed: not open; close it nevertheless */
    struct lines *lines;
    struct charter_digest *digest; /* of all lines counted */
    uint64_t count;                /* lines given out or skipped */
    struct names known;            /* users of the lines counted */
    uint64_t last_at_ns;           /* of the lines counted */
    bool has_last_at;
    bool pending; /* `next` and `next_text` were read and belong to the next batch */
    struct access_line next;
    struct ch_text next_text;
};

/* Opens it at its first line; again, if it is open. path: "-" is standard input
 * errors: CH_ERR_FILE_IO, NO_MEMORY */
CH_MUST_USE enum ch_err history_open(struct history *history, const char *path, struct ch_why *why);
void history_close(struct history *history);

/* Skips so many lines, or all there are. ret: the digest of the lines counted then
 * errors: CH_ERR_FILE_IO, NO_MEMORY */
CH_MUST_USE enum ch_err history_skip(struct history *history, uint64_t count,
                                     uint8_t ret[CHARTER_DIGEST_BYTES], struct ch_why *why);

/* Makes the next batch: lines of one time, at most so many, and import.advance. An empty batch:
 * the lines are at their end; one without a message: no line of it has a time.
 * errors: CH_ERR_FILE_IO, NO_MEMORY */
CH_MUST_USE enum ch_err history_fill(struct history *history, const char *under, size_t most,
                                     struct batch *batch, struct ch_why *why);
#endif
