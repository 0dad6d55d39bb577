/* long_log: see long_log.h. SPDX-License-Identifier: MIT */
#include "tools/bench/long_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/bench/history.h"
#include "tools/bench/interrupt.h"

static void tell(const struct ch_daemon *daemon, const struct ch_daemon_status *status,
                 const struct ch_history *history)
{
    (void)printf("  %.0f MiB, %" PRIu64 " users, %" PRIu64 " shares; in %s\n",
                 (double)status->log_bytes / (1024.0 * 1024.0), status->users, status->shares,
                 daemon->dir);
    if (history == NULL) return;
    (void)printf("  %" PRIu64 " joined, %" PRIu64 " left, %" PRIu64 " moved, %" PRIu64
                 " came for a while and went, %" PRIu64 " mistakes\n"
                 "  were made and taken back; %" PRIu64 " grants are left\n",
                 history->joined, history->left, history->moved, history->expired,
                 history->mistakes, history->grants);
}

static enum ch_err make(struct ch_daemon *daemon, uint64_t events, uint64_t seed,
                        struct ch_why *why)
{
    struct ch_daemon_status status;
    struct ch_history history = {0};
    struct charter *connection = NULL;
    enum ch_err err = ch_daemon_start(daemon, &connection, why);
    const uint64_t began_ns = ch_interrupt_now_ns();
    if (err == CH_OK) err = ch_history_make(connection, events, seed, &history, why);
    const double seconds = (double)(ch_interrupt_now_ns() - began_ns) / 1e9;
    if (err == CH_OK) err = ch_daemon_status(connection, &status, why);
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(daemon, why);
    if (err != CH_OK) return err;
    (void)printf("a log of %" PRIu64 " events (seed %" PRIu64 ") made in %.1f s, %.0f/s:\n",
                 status.revision, seed, seconds, (double)status.revision / seconds);
    tell(daemon, &status, &history);
    return CH_OK;
}

static enum ch_err find(struct ch_daemon *daemon, struct ch_why *why)
{
    struct ch_daemon_status status;
    struct charter *connection = NULL;
    enum ch_err err = ch_daemon_start(daemon, &connection, why);
    if (err == CH_OK) err = ch_daemon_status(connection, &status, why);
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(daemon, why);
    if (err != CH_OK) return err;
    (void)printf("a log of %" PRIu64 " events, found:\n", status.revision);
    tell(daemon, &status, NULL);
    return CH_OK;
}

enum ch_err ch_long_log_open(const struct ch_options *options, uint64_t events,
                             const struct ch_workdir *workdir, struct ch_daemon *ret,
                             struct ch_why *why)
{
    char file[CH_WORKDIR_NAME_BYTES + 16];
    enum ch_err err = ch_daemon_init(options, workdir, ret, why);
    if (err != CH_OK) return err;
    ret->manual_clock = true;
    if (options->log != NULL) {
        if (strlen(options->log) >= sizeof ret->dir) {
            return ch_fail(why, CH_ERR_CONFIG, 0, "--log %s: at most %zu bytes", options->log,
                           sizeof ret->dir - 1);
        }
        (void)snprintf(ret->dir, sizeof ret->dir, "%s", options->log);
        ret->stays = true;
    }
    (void)snprintf(file, sizeof file, "%s/log.mdb", ret->dir);
    err = access(file, F_OK) == 0 ? find(ret, why) : make(ret, events, options->seed, why);
    (void)fflush(stdout);
    return err;
}

static enum ch_err move_snapshots(const struct ch_daemon *daemon, const char *from, const char *to,
                                  struct ch_why *why)
{
    char old[CH_WORKDIR_NAME_BYTES + 24];
    char new[CH_WORKDIR_NAME_BYTES + 24];
    (void)snprintf(old, sizeof old, "%s/%s", daemon->dir, from);
    (void)snprintf(new, sizeof new, "%s/%s", daemon->dir, to);
    if (rename(old, new) == 0 || errno == ENOENT) return CH_OK;
    return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", old, strerror(errno));
}

enum ch_err ch_long_log_hide_snapshots(struct ch_daemon *daemon, struct ch_why *why)
{
    daemon->no_snapshots = true;
    return move_snapshots(daemon, "snapshots", "snapshots.aside", why);
}

enum ch_err ch_long_log_show_snapshots(struct ch_daemon *daemon, struct ch_why *why)
{
    daemon->no_snapshots = false;
    return move_snapshots(daemon, "snapshots.aside", "snapshots", why);
}
