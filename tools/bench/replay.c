/* replay: see replay.h. SPDX-License-Identifier: MIT */
#include "tools/bench/replay.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/include/charter/charter.h"
#include "tools/bench/daemon.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/long_log.h"
#include "tools/bench/rounds.h"

const char ch_replay_help[] =
    "Makes a log of mixed events by chance of a seed (--events N, 3000000; --seed N), through the\n"
    "daemon in messages of 1,024 commands, then stops it and starts it again, --rounds times: its\n"
    "state is made from the log alone each time, with every record's checksum checked. The figure\n"
    "is the daemon's own time for that; `start` also has the opening of files and sockets. The "
    "log\n"
    "is in the page cache.\n";

enum { EVENTS = 3000000 };

struct restart {
    struct ch_daemon *daemon;
    struct ch_daemon_status status;
    double start_seconds; /* the last start, until it answered */
};

static enum ch_err run_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct restart *restart = context;
    struct charter *connection = NULL;
    const uint64_t began_ns = ch_interrupt_now_ns();
    enum ch_err err = ch_daemon_start(restart->daemon, &connection, why);
    if (err == CH_OK) err = ch_daemon_status(connection, &restart->status, why);
    restart->start_seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(restart->daemon, why);
    if (err != CH_OK) return err;
    const double replay_ms =
        (double)(restart->status.replay_ms > 0 ? restart->status.replay_ms : 1);
    ret->per_second = (double)restart->status.replayed * 1e3 / replay_ms;
    return CH_OK;
}

enum ch_err ch_replay_run(const struct ch_options *options, struct ch_why *why)
{
    const uint64_t events = options->events > 0 ? options->events : EVENTS;
    struct ch_workdir workdir = {0};
    struct ch_daemon daemon = {0};
    struct ch_rounds *rounds = NULL;
    struct restart restart = {.daemon = &daemon};
    enum ch_err err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) err = ch_long_log_open(options, events, &workdir, &daemon, why);
    if (err == CH_OK) err = ch_long_log_hide_snapshots(&daemon, why);
    if (err == CH_OK) err = ch_rounds_create(&rounds, why);
    if (err != CH_OK) goto out;
    ch_rounds_section(rounds, "start on the log", "events/s");
    (void)ch_rounds_add(rounds, "replay", run_row, &restart);
    err = ch_rounds_run(rounds, options->rounds, why);
    ch_rounds_print(rounds);
    (void)printf("last start: %" PRIu64 " events replayed in %.2f s; answered after %.2f s; %.0f "
                 "MiB of memory\n",
                 restart.status.replayed, (double)restart.status.replay_ms / 1e3,
                 restart.start_seconds, (double)restart.status.resident_bytes / (1024.0 * 1024.0));
out:
    if (daemon.no_snapshots) {
        struct ch_why unused;
        const enum ch_err back = ch_long_log_show_snapshots(&daemon, err == CH_OK ? why : &unused);
        if (err == CH_OK) err = back;
    }
    ch_rounds_destroy(rounds);
    ch_daemon_discard(&daemon);
    ch_workdir_close(&workdir);
    return err;
}
