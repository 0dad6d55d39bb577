/* prover: proofs about the log, from its stored tiles and records. SPDX-License-Identifier: MIT
 * Any size up to the log's durable end can be asked for, not only the present one. What lies behind
 * the last full tile of a level is hashed again from below, and kept: a complete subtree never
 * changes, so after the first proof a few tiles are read for each.
 * Threads: any; one prover belongs to one thread at a time. No LMDB transaction outlives a call. */
#ifndef CH_LOG_PROVER_H
#define CH_LOG_PROVER_H
#include "daemon/log/proof.h"

struct ch_evlog;
struct ch_prover; /* opaque */

/* log: borrowed; must outlive the prover. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_prover_open(struct ch_evlog *log, struct ch_prover **ret,
                                       struct ch_why *why);
void ch_prover_close(struct ch_prover *prover); /* NULL is a no-op */

/* All three: sizes and the index are those of proof.h. The log must reach to the size.
 * errors: CH_ERR_LOG_CORRUPT (a tile or record that is needed is missing or damaged; the text names
 *         it), CH_ERR_LOG_IO, CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_prover_root(struct ch_prover *prover, uint64_t size, struct ch_hash *ret,
                                       struct ch_why *why);
CH_MUST_USE enum ch_err ch_prover_inclusion(struct ch_prover *prover, uint64_t index, uint64_t size,
                                            struct ch_proof *ret, struct ch_why *why);
CH_MUST_USE enum ch_err ch_prover_consistency(struct ch_prover *prover, uint64_t size1,
                                              uint64_t size2, struct ch_proof *ret,
                                              struct ch_why *why);
#endif
