/* checks: see checks.h. SPDX-License-Identifier: MIT */
#include "tools/bench/checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client/include/charter/charter.h"
#include "schema/request.h"
#include "tools/bench/answer.h"
#include "tools/bench/bare_row.h"
#include "tools/bench/daemon.h"
#include "tools/bench/feed.h"
#include "tools/bench/population.h"
#include "tools/bench/questions.h"
#include "tools/bench/rounds.h"

const char ch_checks_help[] =
    "Checks a second of charterd, 1 and 64 a message, beside nng echoing messages of that size.\n"
    "The questions are drawn from an imported access history where there is one (--history, or\n"
    "../shared/data/k8s-org-history.ndjson.gz seen from the current directory), imported by the\n"
    "program charter beside this one; else from a population made here. The first line says\n"
    "which. Accounts and users are asked about by id, resources by their text.\n";

static const char default_history[] = "../shared/data/k8s-org-history.ndjson.gz";

enum { FLIGHTS = 3, CALLS = 2, ACCOUNTS = 8, USERS = 2000, GRANTS = 20000 };

static const uint32_t flights[FLIGHTS] = {1, 8, 32};
static const uint32_t calls_of[CALLS] = {1, 64};

struct row {
    const struct ch_options *options;
    const struct ch_questions *questions;
    const char *url;
    uint32_t in_flight;
    uint32_t calls;
    struct ch_buf head; /* of every message, up to its calls */
    size_t id_at;
};

struct cell {
    char title[CH_ROUNDS_TEXT_BYTES];
    struct row row;
    struct ch_bare_row echo;
    uint32_t charterd_row;
    uint32_t echo_row;
};

static void make(void *context, struct ch_load_turn *turn)
{
    const struct row *row = context;
    struct ch_buf *request = &turn->request;
    ch_buf_reset(request);
    ch_buf_put(request, row->head.ptr, row->head.len);
    for (uint32_t i = 0; i < row->calls; i++) {
        const uint64_t number = (turn->serial * row->calls + i) * row->in_flight + turn->slot;
        const struct ch_bytes question = ch_questions_at(row->questions, number);
        ch_buf_put(request, question.ptr, question.len);
    }
    if (!request->failed) ch_answer_id(request->ptr + row->id_at, 0, turn);
}

static enum ch_load_verdict look(void *context, struct ch_load_turn *turn, struct ch_bytes reply,
                                 struct ch_why *why)
{
    const struct row *row = context;
    return ch_answer_look(turn->request.ptr + row->id_at, turn, reply, why);
}

static enum ch_err run_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct row *row = context;
    struct ch_load_config config = {
        .url = row->url,
        .in_flight = row->in_flight,
        .calls = row->calls,
        .warm_up_seconds = row->options->warm_up_seconds,
        .seconds = row->options->seconds,
        .ops = {.make = make, .look = look, .context = row},
    };
    struct ch_load_result result;
    enum ch_err err = ch_load_run(&config, &result, why);
    if (err == CH_OK) *ret = ch_load_sample(&result);
    return err;
}

static void add_cell(struct ch_rounds *rounds, struct cell *cell, const struct row *row,
                     const struct ch_workdir *workdir)
{
    cell->row = *row;
    uint8_t id[CH_ANSWER_ID_BYTES];
    memset(id, 0xa5, sizeof id);
    ch_request_begin(&cell->row.head, &(struct ch_request_head){.id = id}, row->calls);
    while (!cell->row.head.failed &&
           memcmp(cell->row.head.ptr + cell->row.id_at, id, sizeof id) != 0) {
        cell->row.id_at++;
    }
    const size_t question_bytes = row->questions->bytes.len / CH_QUESTIONS;
    (void)snprintf(cell->title, sizeof cell->title, "%" PRIu32 " in flight, %" PRIu32 " a message",
                   row->in_flight, row->calls);
    ch_rounds_section(rounds, cell->title, "a second");
    cell->charterd_row = ch_rounds_add(rounds, "charterd, checks", run_row, &cell->row);
    cell->echo =
        (struct ch_bare_row){.kind = CH_SERVE_ECHO_LOOP,
                             .workdir = workdir,
                             .in_flight = row->in_flight,
                             .contexts = row->options->contexts,
                             .calls = 1,
                             .record_bytes = cell->row.head.len + row->calls * question_bytes,
                             .warm_up_seconds = row->options->warm_up_seconds,
                             .seconds = row->options->seconds};
    cell->echo_row = ch_rounds_add(rounds, "nng echo, messages", ch_bare_row_run, &cell->echo);
}

static enum ch_err import(const char *url, const char *file, struct ch_why *why)
{
    char program[512];
    char name[512];
    char at[CH_WORKDIR_NAME_BYTES + 8];
    enum ch_err err = ch_daemon_program("charter", program, why);
    if (err != CH_OK) return err;
    (void)snprintf(name, sizeof name, "%s", file);
    (void)snprintf(at, sizeof at, "%s", url);
    char words[][16] = {"charter",       "--connect", "import", "--format",
                        "access-ndjson", "--under",   "k8s",    "--quiet"};
    char *const argv[] = {words[0], words[1], at,       words[2], words[3],
                          words[4], name,     words[5], words[6], NULL};
    struct ch_child child = {0};
    err = ch_child_start(program, argv, /* log= */ NULL, /* waits_ready= */ false, &child, why);
    if (err != CH_OK || ch_child_wait(&child)) return err;
    return ch_fail(why, CH_ERR_STOPPED, 0, "charter import did not take %s", file);
}

/* Grants for the population that is made where there is no history. */
static enum ch_err make_grants(struct charter *connection, const struct ch_population *population,
                               struct ch_why *why)
{
    static const char *const scopes[] = {"lists.read", "contacts.read"};
    struct ch_feed *feed = NULL;
    enum ch_err err = ch_feed_create(connection, &feed, why);
    for (uint32_t i = 0; err == CH_OK && i < GRANTS; i++) {
        char resource[32];
        struct charter_message *message = NULL;
        const uint32_t user = i % population->users_len;
        const struct charter_call_head head = {
            .type = "share.grant", .on_id = population->accounts[user % population->accounts_len]};
        err = ch_feed_call(feed, &head, NULL, &message, why);
        if (err != CH_OK) break;
        (void)snprintf(resource, sizeof resource, "list-%" PRIu32, i * 7919 % (GRANTS / 10));
        charter_arg_uint(message, "user", population->users[user]);
        charter_arg_text(message, "kind", "list");
        charter_arg_text(message, "resource", resource);
        charter_arg_texts(message, "scopes", scopes, 2);
    }
    if (err == CH_OK) err = ch_feed_finish(feed, why);
    ch_feed_destroy(feed);
    return err;
}

/* Fills the daemon. ret_what: what with. */
static enum ch_err fill(const struct ch_options *options, const struct ch_daemon *daemon,
                        struct charter *connection, const char **ret_what, struct ch_why *why)
{
    const char *file = options->history;
    if (file == NULL && access(default_history, R_OK) == 0) file = default_history;
    *ret_what = file;
    if (file != NULL) return import(daemon->url, file, why);
    *ret_what = "a population made here: no history was found";
    struct ch_population population = {0};
    enum ch_err err = ch_population_make(connection, ACCOUNTS, USERS, NULL, &population, why);
    if (err == CH_OK) err = make_grants(connection, &population, why);
    ch_population_deinit(&population);
    return err;
}

static enum ch_err measure(struct cell cells[CALLS][FLIGHTS], const struct row *row,
                           const struct ch_workdir *workdir, const char *what, struct ch_why *why)
{
    char label[2 * CH_ROUNDS_TEXT_BYTES];
    struct ch_rounds *rounds = NULL;
    enum ch_err err = ch_rounds_create(&rounds, why);
    if (err != CH_OK) return err;
    for (uint32_t many = 0; many < CALLS; many++) {
        for (uint32_t i = 0; i < FLIGHTS; i++) {
            struct cell *cell = &cells[many][i];
            struct row one = *row;
            one.in_flight = flights[i];
            one.calls = calls_of[many];
            add_cell(rounds, cell, &one, workdir);
            (void)snprintf(label, sizeof label, "checks / echoes, %s", cell->title);
            ch_rounds_ratio(rounds, label, cell->charterd_row, cell->echo_row);
        }
    }
    ch_rounds_ratio(rounds, "checks, 32 in flight: 64 a message / 1 a message",
                    cells[1][FLIGHTS - 1].charterd_row, cells[0][FLIGHTS - 1].charterd_row);
    err = ch_rounds_run(rounds, row->options->rounds, why);
    (void)printf("checks: %" PRIu32 " rounds of %g s a row, interleaved; medians\nstate: %s\n"
                 "questions drawn from %" PRIu32 " accounts, %" PRIu32 " users of them, %" PRIu32
                 " grants\n",
                 row->options->rounds, row->options->seconds, what, row->questions->accounts,
                 row->questions->users, row->questions->resources);
    ch_rounds_print(rounds);
    ch_rounds_destroy(rounds);
    return err;
}

enum ch_err ch_checks_run(const struct ch_options *options, struct ch_why *why)
{
    struct ch_workdir workdir = {0};
    struct ch_daemon daemon = {0};
    struct charter *connection = NULL;
    struct ch_questions questions = {0};
    struct cell cells[CALLS][FLIGHTS] = {0};
    const char *what = "";
    enum ch_err err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) err = ch_daemon_init(options, &workdir, &daemon, why);
    if (err == CH_OK) err = ch_daemon_start(&daemon, &connection, why);
    if (err == CH_OK) err = fill(options, &daemon, connection, &what, why);
    if (err == CH_OK) err = ch_questions_draw(connection, options->seed, &questions, why);
    if (err == CH_OK) {
        const struct row row = {.options = options, .questions = &questions, .url = daemon.url};
        err = measure(cells, &row, &workdir, what, why);
    }
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(&daemon, why);
    ch_daemon_discard(&daemon);
    ch_questions_deinit(&questions);
    for (uint32_t i = 0; i < CALLS * FLIGHTS; i++) {
        ch_buf_deinit(&cells[i / FLIGHTS][i % FLIGHTS].row.head);
    }
    ch_workdir_close(&workdir);
    return err;
}
