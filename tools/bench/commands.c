/* commands: see commands.h. SPDX-License-Identifier: MIT */
#include "tools/bench/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/bare_row.h"
#include "tools/bench/grant_row.h"
#include "tools/bench/lmdb_limit.h"
#include "tools/bench/rounds.h"
#include "tools/bench/workdir.h"

const char ch_commands_help[] =
    "Durable commands a second of charterd (share.grant, each makes one event; one or 16 a\n"
    "message), and in the same interleaved rounds what limits it on this machine:\n"
    "  bare prototype   REP contexts, eventfd, loop, LMDB group commit, reply; decodes nothing\n"
    "  LMDB alone       one thread, commits of as many records as there are commands in flight\n"
    "  nng echo         answers a message of the same size in a libevent loop, stores nothing\n"
    "A row starts its server fresh. With 256 in flight charterd answers `busy` beyond three\n"
    "quarters of its 64 contexts; that is counted, waited for and sent again, and the prototype\n"
    "has 64 contexts there, too.\n"
    "Last come lines `ratio IN_FLIGHT: X`: charterd's commands a second divided by the\n"
    "prototype's, one a message, median of the rounds' own ratios.\n";

enum { FLIGHTS = 4, CALLS = 2, RECORD_BYTES = 80, CONTEXTS = 64 };

static const uint32_t flights[FLIGHTS] = {1, 8, 32, 256};
static const uint32_t calls_of[CALLS] = {1, CH_GRANT_CALLS_MAX};

/* One number in flight, with all its rows next to each other in time. */
struct cell {
    char title[CH_ROUNDS_TEXT_BYTES];
    struct ch_grant_row charterd;
    struct ch_bare_row proto;
    struct ch_bare_row echo;
    struct ch_lmdb_limit lmdb;
    uint32_t charterd_row;
    uint32_t proto_row;
};

static struct ch_bare_row bare(const struct cell *cell, enum ch_serve_kind kind, uint32_t records,
                               size_t record_bytes)
{
    const struct ch_options *options = cell->charterd.options;
    uint32_t in_flight = cell->charterd.in_flight;
    uint32_t contexts = in_flight > CONTEXTS ? CONTEXTS : 0;
    return (struct ch_bare_row){.kind = kind,
                                .workdir = cell->charterd.workdir,
                                .in_flight = in_flight,
                                .contexts = options->contexts > 0 ? options->contexts : contexts,
                                .calls = records,
                                .record_bytes = record_bytes,
                                .warm_up_seconds = options->warm_up_seconds,
                                .seconds = options->seconds};
}

static void add_cell(struct ch_rounds *rounds, struct cell *cell, uint32_t in_flight,
                     uint32_t calls, const struct ch_options *options,
                     const struct ch_workdir *workdir)
{
    const size_t record_bytes = options->record_bytes > 0 ? options->record_bytes : RECORD_BYTES;
    (void)snprintf(cell->title, sizeof cell->title, "%" PRIu32 " in flight, %" PRIu32 " a message",
                   in_flight, calls);
    ch_rounds_section(rounds, cell->title, "a second");
    cell->charterd = (struct ch_grant_row){
        .options = options, .workdir = workdir, .in_flight = in_flight, .calls = calls};
    cell->charterd_row = ch_rounds_add(rounds, "charterd", ch_grant_row_run, &cell->charterd);
    cell->proto = bare(cell, CH_SERVE_PROTO, calls, record_bytes);
    cell->proto_row =
        ch_rounds_add(rounds, "bare prototype, records", ch_bare_row_run, &cell->proto);
    if (calls > 1 && options->is_short) return;
    cell->lmdb = (struct ch_lmdb_limit){.workdir = workdir,
                                        .records = in_flight * calls,
                                        .record_bytes = record_bytes,
                                        .warm_up_seconds = options->warm_up_seconds,
                                        .seconds = options->seconds};
    (void)ch_rounds_add(rounds, "LMDB alone, records", ch_lmdb_limit_run, &cell->lmdb);
    cell->echo = bare(cell, CH_SERVE_ECHO_LOOP, 1, ch_grant_row_message_bytes(calls));
    (void)ch_rounds_add(rounds, "nng echo, messages", ch_bare_row_run, &cell->echo);
}

static void add_ratios(struct ch_rounds *rounds, struct cell cells[CALLS][FLIGHTS])
{
    char label[2 * CH_ROUNDS_TEXT_BYTES];
    for (uint32_t many = 0; many < CALLS; many++) {
        for (uint32_t i = 0; i < FLIGHTS; i++) {
            struct cell *cell = &cells[many][i];
            (void)snprintf(label, sizeof label, "charterd / prototype, %s", cell->title);
            ch_rounds_ratio(rounds, label, cell->charterd_row, cell->proto_row);
        }
    }
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        (void)snprintf(label, sizeof label, "charterd %" PRIu32 ": 16 a message / 1 a message",
                       flights[i]);
        ch_rounds_ratio(rounds, label, cells[1][i].charterd_row, cells[0][i].charterd_row);
    }
}

enum ch_err ch_commands_run(const struct ch_options *options, struct ch_why *why)
{
    struct ch_workdir workdir = {0};
    struct ch_rounds *rounds = NULL;
    struct cell(*cells)[FLIGHTS] = calloc(CALLS, sizeof *cells);
    if (cells == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the rows");
    enum ch_err err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) err = ch_rounds_create(&rounds, why);
    if (err != CH_OK) goto out;
    for (uint32_t many = 0; many < CALLS; many++) {
        for (uint32_t i = 0; i < FLIGHTS; i++) {
            add_cell(rounds, &cells[many][i], flights[i], calls_of[many], options, &workdir);
        }
    }
    add_ratios(rounds, cells);
    err = ch_rounds_run(rounds, options->rounds, why);
    (void)printf("commands: %" PRIu32 " rounds of %g s a row, interleaved; medians; in %s\n",
                 options->rounds, options->seconds, workdir.path);
    ch_rounds_print(rounds);
    (void)puts("");
    for (uint32_t i = 0; i < FLIGHTS; i++) {
        double ratio;
        const struct cell *cell = &cells[0][i];
        if (!ch_rounds_median_ratio(rounds, cell->charterd_row, cell->proto_row, &ratio)) continue;
        (void)printf("ratio %" PRIu32 ": %.3f\n", flights[i], ratio);
    }
out:
    ch_rounds_destroy(rounds);
    ch_workdir_close(&workdir);
    free(cells);
    return err;
}
