/* daemon: see daemon.h. SPDX-License-Identifier: MIT */
#include "tools/bench/daemon.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/include/charter/charter.h"
#include "tools/bench/interrupt.h"

enum { PROGRAM_BYTES = 512, WORDS_BYTES = 256, DIAL_PAUSE_NS = 1000000 };

enum ch_err ch_daemon_program(const char *name, char ret[PROGRAM_BYTES], struct ch_why *why)
{
    char own[PROGRAM_BYTES];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    if (len < 0) len = 0;
    own[len] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL) slash[1] = '\0';
    int wanted = snprintf(ret, PROGRAM_BYTES, "%s%s", own, name);
    if (wanted > 0 && wanted < PROGRAM_BYTES && access(ret, X_OK) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_CONFIG, 0, "there is no program %s%s", own, name);
}

enum ch_err ch_daemon_init(const struct ch_options *options, const struct ch_workdir *workdir,
                           struct ch_daemon *ret, struct ch_why *why)
{
    struct ch_daemon daemon = {0};
    if (options->charterd == NULL) {
        enum ch_err err = ch_daemon_program("charterd", daemon.program, why);
        if (err != CH_OK) return err;
    } else if (strlen(options->charterd) >= sizeof daemon.program ||
               access(options->charterd, X_OK) != 0) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "there is no program %s", options->charterd);
    } else {
        (void)snprintf(daemon.program, sizeof daemon.program, "%s", options->charterd);
    }
    ch_workdir_name(workdir, "charterd", daemon.dir);
    ch_workdir_name(workdir, "charterd.ipc", daemon.socket);
    ch_workdir_name(workdir, "charterd.stderr", daemon.log);
    (void)snprintf(daemon.url, sizeof daemon.url, "ipc://%s", daemon.socket);
    *ret = daemon;
    return CH_OK;
}

/* The last line that it wrote to standard error, or an empty text. */
static void last_words(const struct ch_daemon *daemon, char ret[WORDS_BYTES])
{
    char line[WORDS_BYTES];
    ret[0] = '\0';
    FILE *file = fopen(daemon->log, "re");
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0') (void)snprintf(ret, WORDS_BYTES, "%s", line);
    }
    (void)fclose(file);
}

static enum ch_err ended(const struct ch_daemon *daemon, struct ch_why *why)
{
    char words[WORDS_BYTES];
    last_words(daemon, words);
    return ch_fail(why, CH_ERR_STOPPED, 0, "charterd ended: %s", words);
}

/* A replay may take minutes, so there is no limit as long as it runs. */
enum ch_err ch_daemon_start(struct ch_daemon *daemon, struct charter **ret, struct ch_why *why)
{
    char program[] = "charterd";
    char data[] = "--data";
    char listen[] = "--listen";
    char clock[] = "--clock";
    char manual[] = "manual";
    char snapshots[] = "--snapshot-events";
    char none[] = "0";
    char *argv[10] = {program, data, daemon->dir, listen, daemon->url};
    size_t len = 5;
    if (daemon->manual_clock) {
        argv[len++] = clock;
        argv[len++] = manual;
    }
    if (daemon->no_snapshots) {
        argv[len++] = snapshots;
        argv[len++] = none;
    }
    enum ch_err err = ch_child_start(daemon->program, argv, daemon->log, /* waits_ready= */ false,
                                     &daemon->child, why);
    if (err != CH_OK) return err;
    const struct timespec pause = {.tv_nsec = DIAL_PAUSE_NS};
    for (;;) {
        struct charter_error error;
        if (access(daemon->socket, F_OK) == 0 &&
            charter_connect(daemon->url, NULL, ret, &error) == 0) {
            return CH_OK;
        }
        if (!ch_child_runs(&daemon->child)) return ended(daemon, why);
        if (ch_interrupt_seen()) return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
        (void)nanosleep(&pause, NULL);
    }
}

enum ch_err ch_daemon_stop(struct ch_daemon *daemon, struct ch_why *why)
{
    return ch_child_stop(&daemon->child) ? CH_OK : ended(daemon, why);
}

void ch_daemon_discard(struct ch_daemon *daemon)
{
    if (daemon->dir[0] == '\0') return;
    ch_child_kill(&daemon->child);
    if (!daemon->stays) ch_workdir_remove(daemon->dir);
    ch_workdir_remove(daemon->socket);
    ch_workdir_remove(daemon->log);
}

enum ch_err ch_daemon_fail(struct ch_why *why, const char *doing, const struct charter_error *error)
{
    return ch_fail(why, CH_ERR_NET_IO, error->number, "%s: %s: %s", doing, error->code,
                   error->text);
}

enum ch_err ch_daemon_status(struct charter *connection, struct ch_daemon_status *ret,
                             struct ch_why *why)
{
    struct charter_error error = {0};
    struct charter_reply *reply = NULL;
    struct charter_message *message = charter_message_create(NULL);
    if (message == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
    enum ch_err err = CH_OK;
    struct ch_daemon_status status = {0};
    charter_message_call(message, &(struct charter_call_head){.type = "status"});
    if (charter_call(connection, message, &reply, &error) != 0) {
        err = ch_daemon_fail(why, "status", &error);
        goto out;
    }
    struct charter_bytes map = charter_reply_result(reply, 0)->value;
    if (!charter_get_uint(map, "revision", &status.revision) ||
        !charter_get_uint(map, "log_bytes", &status.log_bytes) ||
        !charter_get_uint(map, "resident_bytes", &status.resident_bytes) ||
        !charter_get_uint(map, "state_bytes", &status.state_bytes) ||
        !charter_get_uint(map, "replayed", &status.replayed) ||
        !charter_get_uint(map, "replay_ms", &status.replay_ms) ||
        !charter_get_uint(map, "longest_turn_us", &status.longest_turn_us) ||
        !charter_get_uint(map, "users", &status.users) ||
        !charter_get_uint(map, "shares", &status.shares)) {
        err = ch_fail(why, CH_ERR_UNDECODABLE, 0, "the answer to status lacks a figure");
        goto out;
    }
    (void)charter_get_uint(map, "resumed", &status.resumed); /* there may be none */
    *ret = status;
out:
    charter_reply_destroy(reply);
    charter_message_destroy(message);
    return err;
}
