/* lmdb_limit: what LMDB alone can make durable. SPDX-License-Identifier: MIT
 * One thread commits groups of a fixed number of records, one after another: what a server could
 * reach if everything but its log cost nothing and every group were full. */
#ifndef CH_BENCH_LMDB_LIMIT_H
#define CH_BENCH_LMDB_LIMIT_H
#include <stddef.h>
#include <stdint.h>
#include "tools/bench/rounds.h"
#include "tools/bench/workdir.h"

struct ch_lmdb_limit {
    const struct ch_workdir *workdir; /* borrowed */
    uint32_t records;                 /* a commit */
    size_t record_bytes;              /* 8..CH_LMDB_LIMIT_RECORD_MAX */
    double warm_up_seconds;
    double seconds;
};

enum { CH_LMDB_LIMIT_RECORD_MAX = 4096 };

/* A ch_rounds_run_row; context is a struct ch_lmdb_limit. per_second counts records; latencies are
 * those of a commit. */
CH_MUST_USE enum ch_err ch_lmdb_limit_run(void *context, struct ch_sample *ret, struct ch_why *why);
#endif
