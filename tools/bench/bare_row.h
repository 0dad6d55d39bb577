/* bare_row: one measured row of a server without charterd in it. SPDX-License-Identifier: MIT
 * Starts an echo or the bare prototype as a child, loads it, stops it and removes what it wrote. */
#ifndef CH_BENCH_BARE_ROW_H
#define CH_BENCH_BARE_ROW_H
#include <stddef.h>
#include <stdint.h>
#include "tools/bench/rounds.h"
#include "tools/bench/serve.h"
#include "tools/bench/workdir.h"

struct ch_bare_row {
    enum ch_serve_kind kind;
    const struct ch_workdir *workdir; /* borrowed */
    uint32_t in_flight;
    uint32_t contexts;   /* REP contexts of the server; 0: as many as in flight, 4 to 256 */
    uint32_t calls;      /* records in one message */
    size_t record_bytes; /* at least 16 */
    double warm_up_seconds;
    double seconds;
};

/* A ch_rounds_run_row; context is a struct ch_bare_row. per_second counts records, not messages. */
CH_MUST_USE enum ch_err ch_bare_row_run(void *context, struct ch_sample *ret, struct ch_why *why);
#endif
