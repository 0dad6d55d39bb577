/* main: wiring only; see pipeline.h for the way of a request. SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/opening.h"
#include "daemon/edge/doorbell.h"
#include "daemon/log/evlog.h"
#include "daemon/log/vault.h"
#include "daemon/pipeline.h"
#include "daemon/replay/follower.h"
#include "daemon/replay/resume.h"
#include "schema/limits.h"

enum { EXIT_USAGE = 2, MANUAL_START_S = 1577836800 }; /* 2020-01-01T00:00:00Z */

/* Everything the daemon holds, in the order in which it is let go. */
struct daemon {
    struct ch_arena arena;
    struct ch_config config;
    struct ch_clock clock;
    struct ch_entropy entropy;
    struct ch_loop *loop;
    struct ch_loop_watch *term_watch, *int_watch;
    struct ch_evlog *log;
    struct ch_vault *vault;
    struct ch_directory directory;
    struct ch_follower follower; /* its state is the live one */
    struct ch_ingress *ingress;
    struct ch_doorbell *doorbell;
    struct ch_pipeline line;
    bool line_started;
    uint64_t replay_started_ns;
};

static void on_stop(void *arg)
{
    ch_loop_stop(arg);
}

static bool show_progress(void *arg, uint64_t seq)
{
    const struct daemon *d = arg;
    const uint64_t ns = ch_clock_monotonic_ns() - d->replay_started_ns;
    if (ns > 1000000000u) {
        (void)fprintf(stderr, "charterd: replaying: %llu of %llu events\n", (unsigned long long)seq,
                      (unsigned long long)ch_evlog_end(d->log)->seq);
    }
    return true;
}

static enum ch_err open_log(struct daemon *d, struct ch_why *why)
{
    char path[512];
    if (mkdir(d->config.data, 0700) != 0 && errno != EEXIST) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", d->config.data, strerror(errno));
    }
    const struct ch_evlog_options options = {.map_bytes = LIMIT_MAP_BYTES,
                                             .accept_loss = d->config.accept_loss};
    enum ch_err err = ch_evlog_open(d->config.data, &options, &d->log, why);
    if (err != CH_OK) return err;
    int len = snprintf(path, sizeof path, "%s/vault", d->config.data);
    if (len < 0 || (size_t)len >= sizeof path) {
        return ch_fail(why, CH_ERR_CONFIG, 0, "setting data: the path is too long");
    }
    err = ch_vault_open(path, ch_evlog_end(d->log)->seq == 0, &d->vault, why);
    return err == CH_OK ? ch_directory_init(&d->directory, d->vault, why) : err;
}

static void tell_refused(void *arg, uint64_t seq, const char *text)
{
    (void)arg;
    (void)fprintf(stderr, "charterd: the snapshot of event %llu is not used: %s\n",
                  (unsigned long long)seq, text);
}

/* The state is what the log says; of its beginning a snapshot tells the same, and sooner. */
static enum ch_err recover(struct daemon *d, struct ch_why *why)
{
    d->replay_started_ns = ch_clock_monotonic_ns();
    enum ch_err err = ch_follower_open(&d->follower, d->log, &d->directory, why);
    d->follower.replay =
        (struct ch_check_replay){.dir = d->config.data, .exit_status = CH_EXIT_DAMAGED};
    if (err == CH_OK) {
        err = ch_resume_newest(&d->follower, d->config.data, UINT64_MAX, tell_refused, NULL, why);
    }
    if (err == CH_OK) d->line.resumed = ch_follower_seq(&d->follower);
    if (err == CH_OK) err = ch_follower_go(&d->follower, UINT64_MAX, show_progress, d, why);
    if (err != CH_OK) return err;
    const uint64_t head = ch_follower_seq(&d->follower);
    if (head != ch_evlog_end(d->log)->seq) {
        return ch_fail(why, CH_ERR_LOG_CORRUPT, 0, "the log has %llu events, but %llu were read",
                       (unsigned long long)ch_evlog_end(d->log)->seq, (unsigned long long)head);
    }
    err = ch_directory_check(&d->directory, &d->follower.state, why);
    if (err != CH_OK) return err;
    d->line.replayed = head - d->line.resumed;
    d->line.replay_ms = (ch_clock_monotonic_ns() - d->replay_started_ns) / 1000000u;
    return CH_OK;
}

/* What is not as it was, and does not keep it from starting. */
static void tell_losses(const struct daemon *d, uint64_t lacking)
{
    const uint64_t lost = ch_evlog_lost_events(d->log);
    if (lost > 0) {
        (void)fprintf(stderr,
                      "charterd: %llu events that had been acknowledged are lost, as accepted\n",
                      (unsigned long long)lost);
    }
    if (lacking > 0) {
        (void)fprintf(stderr,
                      "charterd: the vault never had the keys of %llu users, so nothing tells "
                      "their names, and others can take them: it is older than the log, or cut "
                      "off; stop charterd and put back the newest copy\n",
                      (unsigned long long)lacking);
    }
}

static enum ch_err set_clock(struct daemon *d, struct ch_why *why)
{
    const struct ch_row_meta *meta = ch_meta(&d->follower.state);
    if (strcmp(d->config.clock, "manual") == 0) {
        const uint64_t start = (uint64_t)MANUAL_START_S * 1000000000u;
        d->clock = ch_clock_manual(meta->last_at > 0 ? meta->last_at : start);
        for (size_t i = 0; i < d->config.listen.count; i++) {
            if (strncmp(d->config.listen.items[i], "ipc://", 6) == 0) continue;
            return ch_fail(why, CH_ERR_CONFIG, 0, "setting clock: manual goes with ipc:// only");
        }
        return CH_OK;
    }
    d->clock = ch_clock_real();
    const uint64_t now = ch_clock_now_ns(&d->clock);
    const uint64_t jump = LIMIT_CLOCK_JUMP_MS * 1000000u;
    if (meta->own_at == 0 || now < meta->own_at + jump || d->config.accept_clock) return CH_OK;
    return ch_fail(
        why, CH_ERR_CLOCK_AHEAD, 0,
        "this machine's clock is %llu days ahead of the last event; if it is right, start "
        "with --accept-clock",
        (unsigned long long)((now - meta->own_at) / 86400000000000u));
}

static enum ch_err open_edge(struct daemon *d, struct ch_why *why)
{
    struct ch_listen_options listen = {.receive_bytes_max = 4 * LIMIT_MESSAGE_BYTES,
                                       .allow_remote = d->config.allow_remote};
    if (d->config.tls_cert[0] != '\0') listen.tls_certificate_file = d->config.tls_cert;
    if (d->config.tls_key[0] != '\0') listen.tls_key_file = d->config.tls_key;
    if (d->config.tls_ca[0] != '\0') listen.tls_ca_file = d->config.tls_ca;
    if (d->config.socket_group[0] != '\0') listen.socket_group = d->config.socket_group;
    const struct ch_ingress_options options = {.urls = d->config.listen.items,
                                               .url_count = d->config.listen.count,
                                               .listen = listen,
                                               .slots = (uint32_t)d->config.contexts};
    enum ch_err err = ch_ingress_open(&options, &d->ingress, why);
    if (err != CH_OK || d->config.doorbell[0] == '\0') return err;
    listen.needs_client_certificate = true;
    return ch_doorbell_open(d->config.doorbell, &listen, &d->doorbell, why);
}

static enum ch_err pin(const struct daemon *d, struct ch_why *why)
{
    if (d->config.pin_cpu[0] == '\0') return CH_OK;
    char *end = NULL;
    unsigned long cpu = strtoul(d->config.pin_cpu, &end, 10);
    cpu_set_t set;
    CPU_ZERO(&set);
    if (*end == '\0' && cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
    if (CPU_COUNT(&set) == 1 && sched_setaffinity(0, sizeof set, &set) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_CONFIG, errno, "setting pin_cpu: %s is no processor here",
                   d->config.pin_cpu);
}

static enum ch_err start(struct daemon *d, struct ch_why *why)
{
    enum ch_err err = ch_entropy_init(&d->entropy, NULL, why);
    if (err == CH_OK) err = open_log(d, why);
    if (err == CH_OK) err = recover(d, why);
    if (err == CH_OK) err = set_clock(d, why);
    uint64_t lacking = 0;
    if (err == CH_OK) err = ch_opening_run(d->log, d->vault, &d->follower.state, &lacking, why);
    if (err == CH_OK) tell_losses(d, lacking);
    if (err == CH_OK && !ch_store_journal(&d->follower.state.store, true)) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for the journal");
    }
    if (err == CH_OK) err = ch_loop_create(&d->loop, why);
    if (err == CH_OK) {
        err = ch_loop_watch_signal(d->loop, SIGTERM, on_stop, d->loop, &d->term_watch, why);
    }
    if (err == CH_OK) {
        err = ch_loop_watch_signal(d->loop, SIGINT, on_stop, d->loop, &d->int_watch, why);
    }
    if (err == CH_OK) err = pin(d, why);
    if (err == CH_OK) err = open_edge(d, why);
    if (err != CH_OK) return err;
    d->line.config = &d->config;
    d->line.loop = d->loop;
    d->line.clock = &d->clock;
    d->line.entropy = &d->entropy;
    d->line.log = d->log;
    d->line.reader = d->follower.reader;
    d->line.directory = &d->directory;
    d->line.ingress = d->ingress;
    d->line.doorbell = d->doorbell;
    d->line.state = &d->follower.state;
    d->line.own_uid = (uint32_t)getuid();
    d->line_started = true;
    return ch_pipeline_start(&d->line, why);
}

static void stop(struct daemon *d)
{
    if (d->line_started) ch_pipeline_stop(&d->line);
    ch_doorbell_close(d->doorbell);
    ch_ingress_close(d->ingress);
    ch_loop_watch_destroy(d->term_watch);
    ch_loop_watch_destroy(d->int_watch);
    ch_loop_destroy(d->loop);
    ch_follower_close(&d->follower);
    ch_directory_deinit(&d->directory);
    ch_evlog_close(d->log);
    ch_vault_close(d->vault);
    ch_entropy_deinit(&d->entropy);
    ch_arena_deinit(&d->arena);
}

static void tell_ready(const struct daemon *d)
{
    char from[64] = "";
    if (d->line.resumed > 0) {
        (void)snprintf(from, sizeof from, "from the snapshot of event %llu, ",
                       (unsigned long long)d->line.resumed);
    }
    (void)fprintf(stderr, "charterd: ready at %s, %s%llu events replayed in %llu ms\n",
                  ch_ingress_url(d->ingress, 0), from, (unsigned long long)d->line.replayed,
                  (unsigned long long)d->line.replay_ms);
}

int main(int argc, char **argv)
{
    struct daemon d = {.line_started = false};
    struct ch_why why = {.err = CH_OK};
    /* Large arrays come fresh from the kernel, zeroed page by page when they are touched: glibc
     * would raise its threshold and clear reused memory at once, which stops the loop. */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told, as a full disk is */
    enum ch_err err = ch_config_read(argc, argv, &d.arena, &d.config, &why);
    if (err != CH_OK) {
        (void)fprintf(stderr, "charterd: %s\n", why.text);
        ch_arena_deinit(&d.arena);
        return EXIT_USAGE;
    }
    if (d.config.show_help) {
        ch_config_help();
        return EXIT_SUCCESS;
    }
    if (d.config.show_version) {
        (void)printf("charterd %s\n", CH_VERSION);
        return EXIT_SUCCESS;
    }
    err = start(&d, &why);
    if (err == CH_OK) {
        tell_ready(&d);
        err = ch_loop_run(d.loop, &why);
    }
    stop(&d);
    if (err == CH_OK && d.line.stop_err != CH_OK) { /* also what it met while it stopped */
        err = d.line.stop_err;
        why = d.line.stop_why;
    }
    if (err == CH_OK) return EXIT_SUCCESS;
    (void)fprintf(stderr, "charterd: %s: %s\n", ch_err_code(err), why.text);
    if (err == CH_ERR_CONFIG) return EXIT_USAGE;
    if (err != CH_ERR_LOG_CORRUPT) return EXIT_FAILURE;
    (void)fprintf(stderr,
                  "charterd: the log is damaged or was changed: run charter-verify %s, which names "
                  "what is false; then restore a backup\n",
                  d.config.data);
    return CH_EXIT_DAMAGED;
}
