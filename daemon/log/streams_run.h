/* streams_run: one run of the derived index, as bytes; see streams.h for the form.
 * SPDX-License-Identifier: MIT */
#ifndef CH_LOG_STREAMS_RUN_H
#define CH_LOG_STREAMS_RUN_H
#include "schema/base/buf.h"

enum { CH_RUN_HEAD_BYTES = 48, CH_RUN_BODY_MOST = 1 << 26 };

/* One posting in memory. */
struct ch_posting {
    uint64_t key;
    uint64_t at; /* seq less the run's first */
};

/* Where a block of entries begins; so one read finds a key. */
struct ch_fence {
    uint64_t key;
    uint64_t at; /* in the body */
};

/* Sorts by key; equal keys stay in their order. spare: room for as many. */
void ch_run_sort(struct ch_posting *postings, struct ch_posting *spare, size_t count);

/* Writes head and body of a run into buf, which must be empty. postings: sorted. */
void ch_run_write(struct ch_buf *buf, uint64_t first_seq, uint32_t mark,
                  const struct ch_posting *postings, size_t count);

/* The body's length that a head tells; false if it is no head of the run that begins there. */
bool ch_run_head(const uint8_t head[CH_RUN_HEAD_BYTES], uint64_t first_seq, uint64_t *ret_body);
/* The mark of a whole run whose checksum and entries are good, and its fences. False: damaged, or
 * (fences->failed) no memory. fences: empty; struct ch_fence */
bool ch_run_check(struct ch_bytes run, struct ch_buf *fences, uint32_t *ret_mark);

/* Seqs of a key from a block of entries that begins with `first_key`. False: damaged.
 * ret_count: raised by what was put at seqs[*ret_count], never above most */
bool ch_run_find(struct ch_bytes block, uint64_t first_key, uint64_t key, uint64_t first_seq,
                 uint64_t from_seq, uint64_t *seqs, size_t most, size_t *ret_count);
#endif
