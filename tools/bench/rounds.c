/* rounds: see rounds.h. SPDX-License-Identifier: MIT */
#include "tools/bench/rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "schema/base/check.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/machine.h"

enum { SECTIONS_MAX = 16 };

struct section {
    const char *title;
    const char *unit;
};

struct row {
    uint32_t section;
    char label[CH_ROUNDS_TEXT_BYTES];
    ch_rounds_run_row *run;
    void *context;
    uint32_t samples_len; /* sample k is of round k, in every row */
    struct ch_sample samples[CH_ROUNDS_MAX];
};

struct ratio {
    char label[CH_ROUNDS_TEXT_BYTES];
    uint32_t over;
    uint32_t under;
    bool p99; /* of latencies, not of rates */
};

struct ch_rounds {
    struct section sections[SECTIONS_MAX];
    uint32_t sections_len;
    struct row rows[CH_ROUNDS_ROWS_MAX];
    uint32_t rows_len;
    struct ratio ratios[CH_ROUNDS_RATIOS_MAX];
    uint32_t ratios_len;
    double foreign_cores;
};

/* Median and range of some figures. */
struct spread {
    uint32_t count;
    double median;
    double lowest;
    double highest;
};

enum ch_err ch_rounds_create(struct ch_rounds **ret, struct ch_why *why)
{
    struct ch_rounds *rounds = calloc(1, sizeof *rounds);
    if (rounds == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "rounds");
    *ret = rounds;
    return CH_OK;
}

void ch_rounds_destroy(struct ch_rounds *rounds)
{
    free(rounds);
}

void ch_rounds_section(struct ch_rounds *rounds, const char *title, const char *unit)
{
    CH_CHECK(rounds->sections_len < SECTIONS_MAX);
    rounds->sections[rounds->sections_len] = (struct section){.title = title, .unit = unit};
    rounds->sections_len++;
}

uint32_t ch_rounds_add(struct ch_rounds *rounds, const char *label, ch_rounds_run_row *run,
                       void *context)
{
    CH_CHECK(rounds->sections_len > 0);
    CH_CHECK(rounds->rows_len < CH_ROUNDS_ROWS_MAX);
    struct row *row = &rounds->rows[rounds->rows_len];
    row->section = rounds->sections_len - 1;
    row->run = run;
    row->context = context;
    (void)snprintf(row->label, sizeof row->label, "%s", label);
    return rounds->rows_len++;
}

void ch_rounds_ratio(struct ch_rounds *rounds, const char *label, uint32_t over, uint32_t under)
{
    CH_CHECK(rounds->ratios_len < CH_ROUNDS_RATIOS_MAX);
    CH_CHECK(over < rounds->rows_len && under < rounds->rows_len);
    struct ratio *ratio = &rounds->ratios[rounds->ratios_len++];
    ratio->over = over;
    ratio->under = under;
    (void)snprintf(ratio->label, sizeof ratio->label, "%s", label);
}

void ch_rounds_ratio_p99(struct ch_rounds *rounds, const char *label, uint32_t over, uint32_t under)
{
    ch_rounds_ratio(rounds, label, over, under);
    rounds->ratios[rounds->ratios_len - 1].p99 = true;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Sorts the figures. An even count has the mean of its middle two as median. */
static struct spread spread_of(double *figures, uint32_t count)
{
    if (count == 0) return (struct spread){0};
    qsort(figures, count, sizeof *figures, compare);
    return (struct spread){.count = count,
                           .median = (figures[(count - 1) / 2] + figures[count / 2]) / 2,
                           .lowest = figures[0],
                           .highest = figures[count - 1]};
}

enum figure { PER_SECOND, P50_US, P99_US, BUSY };

static double figure_of(const struct ch_sample *sample, enum figure figure)
{
    switch (figure) {
    case PER_SECOND: return sample->per_second;
    case P50_US: return sample->p50_us;
    case P99_US: return sample->p99_us;
    case BUSY: return (double)sample->busy;
    }
    return 0;
}

static struct spread spread_of_row(const struct row *row, enum figure figure)
{
    double figures[CH_ROUNDS_MAX];
    for (uint32_t i = 0; i < row->samples_len; i++) {
        figures[i] = figure_of(&row->samples[i], figure);
    }
    return spread_of(figures, row->samples_len);
}

/* Round by round, so that drift of the machine between rounds cancels out. */
static struct spread spread_of_ratio(const struct row *over, const struct row *under,
                                     enum figure figure)
{
    double figures[CH_ROUNDS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < over->samples_len && i < under->samples_len; i++) {
        const double below = figure_of(&under->samples[i], figure);
        if (below > 0) figures[count++] = figure_of(&over->samples[i], figure) / below;
    }
    return spread_of(figures, count);
}

static void show_progress(const struct ch_rounds *rounds, uint32_t round, uint32_t count,
                          uint32_t done, const struct row *row)
{
    const struct section *section = &rounds->sections[row->section];
    if (isatty(STDERR_FILENO) != 0) {
        (void)fprintf(stderr,
                      "\r\033[Kround %" PRIu32 "/%" PRIu32 ", row %" PRIu32 "/%" PRIu32 ": %s, %s",
                      round + 1, count, done + 1, rounds->rows_len, section->title, row->label);
    } else if (done == 0) {
        (void)fprintf(stderr, "charter-bench: round %" PRIu32 " of %" PRIu32 ", %" PRIu32 " rows\n",
                      round + 1, count, rounds->rows_len);
    }
}

static enum ch_err run_round(struct ch_rounds *rounds, uint32_t round, uint32_t count,
                             struct ch_why *why)
{
    for (uint32_t i = 0; i < rounds->rows_len; i++) {
        if (ch_interrupt_seen()) return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
        struct row *row = &rounds->rows[round % 2 == 0 ? i : rounds->rows_len - 1 - i];
        show_progress(rounds, round, count, i, row);
        struct ch_sample sample = {0};
        enum ch_err err = row->run(row->context, &sample, why);
        if (err != CH_OK) return err;
        row->samples[row->samples_len++] = sample;
    }
    return CH_OK;
}

enum ch_err ch_rounds_run(struct ch_rounds *rounds, uint32_t count, struct ch_why *why)
{
    CH_CHECK(count >= 1 && count <= CH_ROUNDS_MAX);
    CH_CHECK(rounds->rows_len > 0 && rounds->rows[0].samples_len == 0);
    struct ch_machine before;
    struct ch_machine after;
    ch_machine_look(&before);
    enum ch_err err = CH_OK;
    for (uint32_t round = 0; round < count && err == CH_OK; round++) {
        err = run_round(rounds, round, count, why);
    }
    ch_machine_look(&after);
    rounds->foreign_cores = ch_machine_foreign_cores(&before, &after);
    if (isatty(STDERR_FILENO) != 0) (void)fputs("\r\033[K", stderr);
    if (err != CH_ERR_STOPPED) return err;
    (void)fputs("charter-bench: stopped; what was measured until now follows\n", stderr);
    return CH_OK;
}

static void print_latency(double us)
{
    if (us <= 0) {
        (void)printf(" %9s", "-");
    } else {
        (void)printf(" %9.0f", us);
    }
}

static void print_row(const struct row *row)
{
    if (row->samples_len == 0) {
        (void)printf("  %-30s not measured\n", row->label);
        return;
    }
    struct spread rate = spread_of_row(row, PER_SECOND);
    (void)printf("  %-30s %11.0f [%.0f..%.0f]", row->label, rate.median, rate.lowest, rate.highest);
    int range_len = snprintf(NULL, 0, "[%.0f..%.0f]", rate.lowest, rate.highest);
    (void)printf("%*s", range_len < 22 ? 22 - range_len : 0, "");
    print_latency(spread_of_row(row, P50_US).median);
    print_latency(spread_of_row(row, P99_US).median);
    (void)printf(" %8.0f\n", spread_of_row(row, BUSY).median);
}

static void print_sections(const struct ch_rounds *rounds)
{
    for (uint32_t section = 0; section < rounds->sections_len; section++) {
        const struct section *head = &rounds->sections[section];
        (void)printf("\n%s\n", head->title);
        (void)printf("  %-30s %11s %-22s %9s %9s %8s\n", "", head->unit, "[lowest..highest]",
                     "p50 us", "p99 us", "busy");
        for (uint32_t i = 0; i < rounds->rows_len; i++) {
            if (rounds->rows[i].section == section) print_row(&rounds->rows[i]);
        }
    }
}

void ch_rounds_print(const struct ch_rounds *rounds)
{
    print_sections(rounds);
    if (rounds->ratios_len > 0) (void)puts("\nratios (median of the rounds' own)");
    for (uint32_t i = 0; i < rounds->ratios_len; i++) {
        const struct ratio *ratio = &rounds->ratios[i];
        struct spread spread =
            spread_of_ratio(&rounds->rows[ratio->over], &rounds->rows[ratio->under],
                            ratio->p99 ? P99_US : PER_SECOND);
        if (spread.count == 0) continue;
        (void)printf("  %-54s %7.3f [%.3f..%.3f]\n", ratio->label, spread.median, spread.lowest,
                     spread.highest);
    }
    (void)printf("\nmachine: %ld processors, of which other programs kept %.2f busy\n",
                 sysconf(_SC_NPROCESSORS_ONLN), rounds->foreign_cores);
    (void)fflush(stdout);
}

bool ch_rounds_median(const struct ch_rounds *rounds, uint32_t row, double *ret_per_second)
{
    CH_CHECK(row < rounds->rows_len);
    struct spread spread = spread_of_row(&rounds->rows[row], PER_SECOND);
    if (spread.count > 0) *ret_per_second = spread.median;
    return spread.count > 0;
}

bool ch_rounds_median_ratio(const struct ch_rounds *rounds, uint32_t over, uint32_t under,
                            double *ret)
{
    CH_CHECK(over < rounds->rows_len && under < rounds->rows_len);
    struct spread spread = spread_of_ratio(&rounds->rows[over], &rounds->rows[under], PER_SECOND);
    if (spread.count > 0) *ret = spread.median;
    return spread.count > 0;
}
