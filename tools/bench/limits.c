/* limits: see limits.h. SPDX-License-Identifier: MIT */
#include "tools/bench/limits.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/base/check.h"
#include "tools/bench/bare_row.h"
#include "tools/bench/lmdb_limit.h"
#include "tools/bench/rounds.h"
#include "tools/bench/workdir.h"

const char ch_limits_help[] =
    "Measures what lies under charterd, without charterd: nng echoing alone, LMDB committing "
    "alone,\n"
    "and the bare prototype, which is both joined by an eventfd and a libevent loop and decodes\n"
    "nothing. No charterd on this machine can be faster than its prototype; `commands` compares.\n"
    "  nng echo, in callback   an answer costs nothing but nng\n"
    "  nng echo, in loop       the same through one eventfd into a libevent loop\n"
    "  LMDB alone              one thread, commits of that many records each\n"
    "  bare prototype          REP contexts, eventfd, loop, group commit, reply\n";

enum { ECHO_FLIGHTS = 4, LMDB_GROUPS = 8, PROTO_FLIGHTS = 4, PROTO_CALLS = 2, CALLS_MANY = 16 };
enum { RECORD_BYTES = 256 };
enum { FEW_CONTEXTS = 64 }; /* as many as charterd has */

static const uint32_t echo_flights[ECHO_FLIGHTS] = {1, 8, 32, 64};
static const uint32_t proto_flights[PROTO_FLIGHTS] = {1, 8, 32, 256};
/* Each number in flight, with 1 and with 16 records a message; and 128, which peers are told with.
 */
static const uint32_t lmdb_groups[LMDB_GROUPS] = {1, 8, 16, 32, 128, 256, 512, 4096};

/* The rows' contexts, and their numbers for the ratios. */
struct plan {
    struct ch_bare_row callback[ECHO_FLIGHTS];
    struct ch_bare_row loop[ECHO_FLIGHTS];
    struct ch_lmdb_limit lmdb[LMDB_GROUPS];
    struct ch_bare_row proto[PROTO_CALLS][PROTO_FLIGHTS];
    struct ch_bare_row proto_few;
    uint32_t callback_rows[ECHO_FLIGHTS];
    uint32_t loop_rows[ECHO_FLIGHTS];
    uint32_t lmdb_rows[LMDB_GROUPS];
    uint32_t proto_rows[PROTO_CALLS][PROTO_FLIGHTS];
    uint32_t proto_few_row;
};

static size_t record_bytes(const struct ch_options *options)
{
    return options->record_bytes > 0 ? options->record_bytes : RECORD_BYTES;
}

static struct ch_bare_row bare(const struct ch_options *options, const struct ch_workdir *workdir,
                               enum ch_serve_kind kind, uint32_t in_flight, uint32_t calls)
{
    return (struct ch_bare_row){.kind = kind,
                                .workdir = workdir,
                                .in_flight = in_flight,
                                .contexts = options->contexts,
                                .calls = calls,
                                .record_bytes = record_bytes(options),
                                .warm_up_seconds = options->warm_up_seconds,
                                .seconds = options->seconds};
}

static void add_echoes(struct ch_rounds *rounds, struct ch_bare_row *rows, uint32_t *ret_rows,
                       const struct ch_options *options, const struct ch_workdir *workdir,
                       enum ch_serve_kind kind)
{
    for (uint32_t i = 0; i < ECHO_FLIGHTS; i++) {
        char label[CH_ROUNDS_TEXT_BYTES];
        (void)snprintf(label, sizeof label, "%" PRIu32 " in flight", echo_flights[i]);
        rows[i] = bare(options, workdir, kind, echo_flights[i], 1);
        ret_rows[i] = ch_rounds_add(rounds, label, ch_bare_row_run, &rows[i]);
    }
}

static void add_lmdb(struct ch_rounds *rounds, struct plan *plan, const struct ch_options *options,
                     const struct ch_workdir *workdir)
{
    for (uint32_t i = 0; i < LMDB_GROUPS; i++) {
        char label[CH_ROUNDS_TEXT_BYTES];
        (void)snprintf(label, sizeof label, "%" PRIu32 " a commit", lmdb_groups[i]);
        plan->lmdb[i] = (struct ch_lmdb_limit){.workdir = workdir,
                                               .records = lmdb_groups[i],
                                               .record_bytes = record_bytes(options),
                                               .warm_up_seconds = options->warm_up_seconds,
                                               .seconds = options->seconds};
        plan->lmdb_rows[i] = ch_rounds_add(rounds, label, ch_lmdb_limit_run, &plan->lmdb[i]);
    }
}

static void add_protos(struct ch_rounds *rounds, struct plan *plan,
                       const struct ch_options *options, const struct ch_workdir *workdir)
{
    for (uint32_t many = 0; many < PROTO_CALLS; many++) {
        for (uint32_t i = 0; i < PROTO_FLIGHTS; i++) {
            uint32_t calls = many == 0 ? 1 : CALLS_MANY;
            char label[CH_ROUNDS_TEXT_BYTES];
            (void)snprintf(label, sizeof label, "%" PRIu32 " in flight, %" PRIu32 " a message",
                           proto_flights[i], calls);
            struct ch_bare_row *row = &plan->proto[many][i];
            *row = bare(options, workdir, CH_SERVE_PROTO, proto_flights[i], calls);
            plan->proto_rows[many][i] = ch_rounds_add(rounds, label, ch_bare_row_run, row);
        }
    }
    plan->proto_few = plan->proto[0][PROTO_FLIGHTS - 1];
    plan->proto_few.contexts = FEW_CONTEXTS;
    plan->proto_few_row =
        ch_rounds_add(rounds, "256, 1, but 64 contexts", ch_bare_row_run, &plan->proto_few);
}

static uint32_t lmdb_row_of(const struct plan *plan, uint32_t records)
{
    for (uint32_t i = 0; i < LMDB_GROUPS; i++) {
        if (lmdb_groups[i] == records) return plan->lmdb_rows[i];
    }
    CH_CHECK(false); /* lmdb_groups lacks a product of the other two lists */
    return 0;
}

static void add_ratios(struct ch_rounds *rounds, const struct plan *plan)
{
    char label[CH_ROUNDS_TEXT_BYTES];
    for (uint32_t i = 0; i < ECHO_FLIGHTS; i++) {
        (void)snprintf(label, sizeof label, "echo %" PRIu32 ": in loop / in callback",
                       echo_flights[i]);
        ch_rounds_ratio(rounds, label, plan->loop_rows[i], plan->callback_rows[i]);
    }
    for (uint32_t i = 0; i < ECHO_FLIGHTS && i < PROTO_FLIGHTS; i++) {
        if (echo_flights[i] != proto_flights[i]) continue;
        (void)snprintf(label, sizeof label, "prototype %" PRIu32 " / echo in loop %" PRIu32,
                       proto_flights[i], echo_flights[i]);
        ch_rounds_ratio(rounds, label, plan->proto_rows[0][i], plan->loop_rows[i]);
    }
    for (uint32_t many = 0; many < PROTO_CALLS; many++) {
        for (uint32_t i = 0; i < PROTO_FLIGHTS; i++) {
            uint32_t calls = many == 0 ? 1 : CALLS_MANY;
            uint32_t records = proto_flights[i] * calls;
            (void)snprintf(label, sizeof label,
                           "prototype %" PRIu32 " x %" PRIu32 " / LMDB, %" PRIu32 " a commit",
                           proto_flights[i], calls, records);
            ch_rounds_ratio(rounds, label, plan->proto_rows[many][i], lmdb_row_of(plan, records));
        }
    }
    for (uint32_t i = 0; i < PROTO_FLIGHTS; i++) {
        (void)snprintf(label, sizeof label, "prototype %" PRIu32 ": 16 a message / 1 a message",
                       proto_flights[i]);
        ch_rounds_ratio(rounds, label, plan->proto_rows[1][i], plan->proto_rows[0][i]);
    }
    ch_rounds_ratio(rounds, "prototype 256: 64 contexts / as many as in flight",
                    plan->proto_few_row, plan->proto_rows[0][PROTO_FLIGHTS - 1]);
}

enum ch_err ch_limits_run(const struct ch_options *options, struct ch_why *why)
{
    struct ch_workdir workdir = {0};
    struct ch_rounds *rounds = NULL;
    struct plan plan;
    enum ch_err err = ch_workdir_open(options->dir, &workdir, why);
    if (err != CH_OK) goto out;
    err = ch_rounds_create(&rounds, why);
    if (err != CH_OK) goto out;
    ch_rounds_section(rounds, "nng echo, answered in nng's callback", "messages/s");
    add_echoes(rounds, plan.callback, plan.callback_rows, options, &workdir,
               CH_SERVE_ECHO_CALLBACK);
    ch_rounds_section(rounds, "nng echo, answered in the libevent loop", "messages/s");
    add_echoes(rounds, plan.loop, plan.loop_rows, options, &workdir, CH_SERVE_ECHO_LOOP);
    ch_rounds_section(rounds, "LMDB alone, durable", "records/s");
    add_lmdb(rounds, &plan, options, &workdir);
    ch_rounds_section(rounds, "bare prototype, durable", "records/s");
    add_protos(rounds, &plan, options, &workdir);
    add_ratios(rounds, &plan);
    err = ch_rounds_run(rounds, options->rounds, why);
    (void)printf("limits: %" PRIu32 " rounds of %g s a row, interleaved; medians; records of %zu "
                 "bytes, in %s\n",
                 options->rounds, options->seconds, record_bytes(options), workdir.path);
    ch_rounds_print(rounds);
out:
    ch_rounds_destroy(rounds);
    ch_workdir_close(&workdir);
    return err;
}
