/* evidence: see evidence.h. SPDX-License-Identifier: MIT */
#include "tools/bench/evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/include/charter/charter.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/long_log.h"
#include "tools/bench/memory.h"
#include "tools/bench/rounds.h"
#include "tools/bench/scan.h"

const char ch_evidence_help[] =
    "Makes a log of six years of a platform by chance of a seed (--events N, 10000000; --seed N;\n"
    "--log DIR keeps it, or uses one that was kept), then measures on it, with the log in the "
    "page\n"
    "cache:\n"
    "  random reads           lines of memory at random places, 64 asked for ahead, one thread: "
    "the\n"
    "                         limit of a replay, which a shared machine may halve for minutes\n"
    "  raw scan               a cursor through the records, every byte touched, one thread\n"
    "  raw hash               the same, and each record hashed as a leaf of the tree\n"
    "  charter-verify, 1      the whole: checksums, form, tree, tiles, checkpoints, state hash by\n"
    "                         replay, and the snapshots' bytes, with one thread\n"
    "  charter-verify, 2      with two: in two halves, of which the second begins with a snapshot\n"
    "  log alone, 1 and 2     the same with the snapshots put aside, so not in halves\n"
    "  rebuild                a start without snapshots: the state from the log alone\n"
    "  start from a snapshot  a start with those that there are\n"
    "and prints what the state takes in memory for each share.\n";

enum { EVENTS = 10000000, PROGRAM_BYTES = 512, KEY_BYTES = 256 };

struct evidence {
    struct ch_daemon *daemon;
    struct ch_daemon_status status; /* of the last start */
    double start_seconds;           /* until it answered */
    double rebuild_seconds;
    double resume_seconds;
    uint64_t resumed; /* the seq of the snapshot */
    uint64_t records;
    char verify[PROGRAM_BYTES];
    char key[KEY_BYTES]; /* the log's verifier key */
};

struct verifying {
    struct evidence *evidence;
    const char *threads;
    bool log_alone; /* the snapshots are put aside */
};

static enum ch_err verify(const struct verifying *verifying, struct ch_sample *ret,
                          struct ch_why *why)
{
    const struct evidence *evidence = verifying->evidence;
    char threads[4];
    char program[] = "charter-verify";
    char option[] = "--threads";
    char quiet[] = "--quiet";
    char key_option[] = "--key";
    char key[KEY_BYTES];
    struct ch_child child = {0};
    (void)snprintf(threads, sizeof threads, "%s", verifying->threads);
    memcpy(key, evidence->key, sizeof key);
    char *const argv[] = {program, evidence->daemon->dir, option, threads, key_option, key, quiet,
                          NULL};
    const uint64_t began_ns = ch_interrupt_now_ns();
    enum ch_err err = ch_child_start(evidence->verify, argv, evidence->daemon->log,
                                     /* waits_ready= */ false, &child, why);
    if (err != CH_OK) return err;
    const bool good = ch_child_wait(&child);
    const double seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    if (ch_interrupt_seen()) return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
    if (!good) return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "charter-verify found the log false");
    ret->per_second = (double)evidence->records / seconds;
    return CH_OK;
}

static enum ch_err verify_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    const struct verifying *verifying = context;
    struct ch_why unused;
    if (!verifying->log_alone) return verify(verifying, ret, why);
    enum ch_err err = ch_long_log_hide_snapshots(verifying->evidence->daemon, why);
    if (err == CH_OK) err = verify(verifying, ret, why);
    const enum ch_err back =
        ch_long_log_show_snapshots(verifying->evidence->daemon, err == CH_OK ? why : &unused);
    return err == CH_OK ? back : err;
}

/* What charter-verify is to be given; asked of a daemon that is started for it. Its worker is
 * brought to the log's end by a state hash, so that it leaves a snapshot. */
static enum ch_err learn_key(struct evidence *evidence, struct ch_why *why)
{
    struct charter *connection = NULL;
    struct charter_reply *reply = NULL;
    struct charter_error error = {0};
    struct charter_text key;
    struct charter_message *message = charter_message_create(NULL);
    if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
    enum ch_err err = ch_daemon_start(evidence->daemon, &connection, why);
    if (err != CH_OK) goto out;
    charter_message_call(message, &(struct charter_call_head){.type = "checkpoint.key"});
    charter_message_call(message, &(struct charter_call_head){.type = "status"});
    charter_arg_bool(message, "state_hash", true);
    if (charter_call(connection, message, &reply, &error) != 0) {
        err = ch_daemon_fail(why, "checkpoint.key", &error);
    } else if (!charter_get_text(charter_reply_result(reply, 0)->value, "key", &key) ||
               key.len >= sizeof evidence->key) {
        err = ch_fail(why, CH_ERR_UNDECODABLE, 0, "the answer to checkpoint.key has no key");
    } else {
        (void)snprintf(evidence->key, sizeof evidence->key, "%.*s", (int)key.len, key.ptr);
    }
    charter_reply_destroy(reply);
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(evidence->daemon, why);
out:
    charter_message_destroy(message);
    return err;
}

/* A start and an orderly end. */
static enum ch_err start(struct evidence *evidence, struct ch_why *why)
{
    struct charter *connection = NULL;
    const uint64_t began_ns = ch_interrupt_now_ns();
    enum ch_err err = ch_daemon_start(evidence->daemon, &connection, why);
    if (err == CH_OK) err = ch_daemon_status(connection, &evidence->status, why);
    evidence->start_seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    charter_close(connection);
    return err == CH_OK ? ch_daemon_stop(evidence->daemon, why) : err;
}

static enum ch_err rebuild_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct evidence *evidence = context;
    struct ch_why unused;
    enum ch_err err = ch_long_log_hide_snapshots(evidence->daemon, why);
    if (err == CH_OK) err = start(evidence, why);
    const enum ch_err back =
        ch_long_log_show_snapshots(evidence->daemon, err == CH_OK ? why : &unused);
    if (err == CH_OK) err = back;
    if (err != CH_OK) return err;
    const double ms = (double)(evidence->status.replay_ms > 0 ? evidence->status.replay_ms : 1);
    ret->per_second = (double)evidence->status.replayed * 1e3 / ms;
    evidence->rebuild_seconds = evidence->start_seconds;
    return CH_OK;
}

static enum ch_err resume_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct evidence *evidence = context;
    enum ch_err err = start(evidence, why);
    if (err != CH_OK) return err;
    if (evidence->status.resumed == 0) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "the start found no snapshot to go on from");
    }
    ret->per_second = (double)evidence->records / evidence->start_seconds;
    evidence->resumed = evidence->status.resumed;
    evidence->resume_seconds = evidence->start_seconds;
    return CH_OK;
}

static void print_starts(const struct evidence *evidence)
{
    const struct ch_daemon_status *status = &evidence->status;
    const double shares = (double)(status->shares > 0 ? status->shares : 1);
    (void)printf("last starts, until the first answer: %.2f s from the log alone; %.2f s from the "
                 "snapshot of\n  event %" PRIu64 " and the %" PRIu64 " events behind it\n"
                 "the state takes %.0f MiB, %.0f bytes for each of %" PRIu64 " shares\n",
                 evidence->rebuild_seconds, evidence->resume_seconds, evidence->resumed,
                 evidence->records - evidence->resumed,
                 (double)status->state_bytes / (1024.0 * 1024.0),
                 (double)status->state_bytes / shares, status->shares);
}

enum ch_err ch_evidence_run(const struct ch_options *options, struct ch_why *why)
{
    struct ch_workdir workdir = {0};
    struct ch_daemon daemon = {0};
    struct ch_rounds *rounds = NULL;
    struct evidence evidence = {.daemon = &daemon};
    struct verifying alone = {&evidence, "1", false};
    struct verifying both = {&evidence, "2", false};
    struct verifying log_alone = {&evidence, "1", true};
    struct verifying log_both = {&evidence, "2", true};
    struct ch_scan scan = {.hash = false};
    struct ch_scan hash = {.hash = true};
    struct ch_memory memory = {.lines = NULL};
    struct ch_sample unused;
    enum ch_err err = ch_daemon_program("charter-verify", evidence.verify, why);
    if (err == CH_OK) err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) {
        err = ch_long_log_open(options, options->events > 0 ? options->events : EVENTS, &workdir,
                               &daemon, why);
    }
    scan.dir = hash.dir = daemon.dir;
    if (err == CH_OK) err = ch_scan_run(&scan, &unused, why); /* into the page cache */
    evidence.records = scan.records;
    if (err == CH_OK) err = learn_key(&evidence, why);
    if (err == CH_OK) err = ch_rounds_create(&rounds, why);
    if (err != CH_OK) goto out;
    ch_rounds_section(rounds, "memory", "lines/s");
    const uint32_t lines = ch_rounds_add(rounds, "random reads", ch_memory_run, &memory);
    ch_rounds_section(rounds, "a whole log", "events/s");
    const uint32_t raw = ch_rounds_add(rounds, "raw scan", ch_scan_run, &scan);
    const uint32_t hashed = ch_rounds_add(rounds, "raw hash", ch_scan_run, &hash);
    const uint32_t one = ch_rounds_add(rounds, "charter-verify, 1 thread", verify_row, &alone);
    const uint32_t two = ch_rounds_add(rounds, "charter-verify, 2 threads", verify_row, &both);
    const uint32_t log_one =
        ch_rounds_add(rounds, "verify, log alone, 1 thread", verify_row, &log_alone);
    const uint32_t log_two =
        ch_rounds_add(rounds, "verify, log alone, 2 threads", verify_row, &log_both);
    const uint32_t rebuild = ch_rounds_add(rounds, "rebuild", rebuild_row, &evidence);
    const uint32_t resume = ch_rounds_add(rounds, "start from a snapshot", resume_row, &evidence);
    ch_rounds_ratio(rounds, "verify, 1 thread / raw hash", one, hashed);
    ch_rounds_ratio(rounds, "random reads / verify, 1 thread", lines, one);
    ch_rounds_ratio(rounds, "verify, 2 threads / 1 thread", two, one);
    ch_rounds_ratio(rounds, "verify, log alone, 2 threads / 1 thread", log_two, log_one);
    ch_rounds_ratio(rounds, "rebuild / raw scan", rebuild, raw);
    ch_rounds_ratio(rounds, "random reads / rebuild", lines, rebuild);
    ch_rounds_ratio(rounds, "start from a snapshot / rebuild", resume, rebuild);
    err = ch_rounds_run(rounds, options->rounds, why);
    ch_rounds_print(rounds);
    print_starts(&evidence);
out:
    ch_memory_deinit(&memory);
    ch_rounds_destroy(rounds);
    ch_daemon_discard(&daemon);
    ch_workdir_close(&workdir);
    return err;
}
