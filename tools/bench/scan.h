/* scan: what reading and hashing a log cost at least. SPDX-License-Identifier: MIT
 * Goes through the table `events` of a log.mdb with a cursor, in one thread, and touches every byte
 * of each record, or hashes it as a leaf of the tree (SHA-256 by libcrypto, 0x00 before it); no
 * checksum is compared, nothing is decoded. A limit to compare charter-verify and a rebuild with.
 * Threads: none. */
#ifndef CH_BENCH_SCAN_H
#define CH_BENCH_SCAN_H
#include <stdbool.h>
#include <stdint.h>
#include "schema/base/err.h"
#include "tools/bench/rounds.h"

struct ch_scan {
    const char *dir; /* the data directory; nobody writes to it */
    bool hash;
    uint64_t records; /* set by the run */
    uint64_t bytes;
};

/* A ch_rounds_run_row. context: a struct ch_scan.
 * errors: CH_ERR_LOG_IO (code = mdb), CH_ERR_NO_MEMORY, CH_ERR_STOPPED */
CH_MUST_USE enum ch_err ch_scan_run(void *context, struct ch_sample *ret, struct ch_why *why);
#endif
