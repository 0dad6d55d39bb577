/* grant_row: one measured row of durable commands to charterd. SPDX-License-Identifier: MIT
 * Starts a fresh charterd, makes a population, loads it with share.grant and stops it. Each command
 * gives another share another resource, so each makes exactly one event, which is checked at the
 * end by the daemon's revision. Messages are encoded once for each slot and then patched. */
#ifndef CH_BENCH_GRANT_ROW_H
#define CH_BENCH_GRANT_ROW_H
#include <stddef.h>
#include "tools/bench/options.h"
#include "tools/bench/rounds.h"
#include "tools/bench/workdir.h"

enum { CH_GRANT_CALLS_MAX = 16 };

struct charter;

struct ch_grant_row {
    const struct ch_options *options; /* borrowed */
    const struct ch_workdir *workdir; /* borrowed */
    uint32_t in_flight;
    uint32_t calls; /* commands a message, 1..CH_GRANT_CALLS_MAX */
};

/* A ch_rounds_run_row; context is a struct ch_grant_row. per_second counts commands. */
CH_MUST_USE enum ch_err ch_grant_row_run(void *context, struct ch_sample *ret, struct ch_why *why);

/* The same load on a charterd that has other things too, and runs on and off. */
struct ch_grants; /* opaque */

/* Makes the population. options: borrowed until destroy. errors: those of ch_population_make */
CH_MUST_USE enum ch_err ch_grants_create(const struct ch_options *options, uint32_t in_flight,
                                         struct charter *connection, struct ch_grants **ret,
                                         struct ch_why *why);
void ch_grants_destroy(struct ch_grants *grants); /* NULL is a no-op */
/* Loads it once. errors: those of ch_load_run */
CH_MUST_USE enum ch_err ch_grants_run(struct ch_grants *grants, const char *url,
                                      struct ch_sample *ret, struct ch_why *why);

/* Bytes of a message with so many commands; what an echo of the same size is measured with. */
size_t ch_grant_row_message_bytes(uint32_t calls);
#endif
