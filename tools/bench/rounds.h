/* rounds: rows measured in interleaved rounds. SPDX-License-Identifier: MIT
 * A machine drifts over minutes by more than the differences looked for. So each round runs every
 * row once (every other round backwards), a row is told by its median and range over the rounds,
 * and a ratio is made inside each round from rows minutes apart at most, then its median taken.
 * Progress goes to standard error, tables to standard output. */
#ifndef CH_BENCH_ROUNDS_H
#define CH_BENCH_ROUNDS_H
#include <stdbool.h>
#include <stdint.h>
#include "schema/base/err.h"

enum {
    CH_ROUNDS_MAX = 50,
    CH_ROUNDS_ROWS_MAX = 64,
    CH_ROUNDS_RATIOS_MAX = 64,
    CH_ROUNDS_TEXT_BYTES = 80,
};

/* What one run of one row gives. */
struct ch_sample {
    double per_second;
    double p50_us; /* latency; 0: none was measured, printed as "-" */
    double p99_us;
    uint64_t busy; /* busy answers, each retried */
};

/* Measures a row once.
 * errors: CH_ERR_STOPPED ends all rounds without being a failure; any other is one */
typedef enum ch_err ch_rounds_run_row(void *context, struct ch_sample *ret, struct ch_why *why);

struct ch_rounds; /* opaque */

/* ret: owned by the caller. errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_rounds_create(struct ch_rounds **ret, struct ch_why *why);
void ch_rounds_destroy(struct ch_rounds *rounds); /* NULL is a no-op */

/* Rows added from here on stand under this title; texts must outlive the rounds. */
void ch_rounds_section(struct ch_rounds *rounds, const char *title, const char *unit);

/* Adds a row; ret: its number, for ratios. context: borrowed until the rounds ran. */
uint32_t ch_rounds_add(struct ch_rounds *rounds, const char *label, ch_rounds_run_row *run,
                       void *context);

/* Adds a line to the table of ratios: row `over` divided by row `under`. */
void ch_rounds_ratio(struct ch_rounds *rounds, const char *label, uint32_t over, uint32_t under);

/* The same of the 99th percentiles of their latencies. */
void ch_rounds_ratio_p99(struct ch_rounds *rounds, const char *label, uint32_t over,
                         uint32_t under);

/* Runs 1..CH_ROUNDS_MAX rounds. Ends early, with CH_OK, when interrupted or a row says stopped. */
CH_MUST_USE enum ch_err ch_rounds_run(struct ch_rounds *rounds, uint32_t count, struct ch_why *why);

/* Prints what was measured so far: sections, ratios, how busy the machine was with other work. */
void ch_rounds_print(const struct ch_rounds *rounds);

/* Median over the rounds measured so far; false when there is none. */
bool ch_rounds_median(const struct ch_rounds *rounds, uint32_t row, double *ret_per_second);
bool ch_rounds_median_ratio(const struct ch_rounds *rounds, uint32_t over, uint32_t under,
                            double *ret);
#endif
