/* backup: see backup.h. SPDX-License-Identifier: MIT */
#include "tools/bench/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/include/charter/charter.h"
#include "tools/bench/daemon.h"
#include "tools/bench/grant_row.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/long_log.h"
#include "tools/bench/rounds.h"

const char ch_backup_help[] =
    "Makes a log of mixed events by chance of a seed (--events N, 3000000; --seed N); measures, "
    "in\n"
    "interleaved rounds:\n"
    "  raw read         the log file from its beginning to its end, as cp reads it, with cold\n"
    "                   caches\n"
    "  direct read      the same past the page cache: where a host below has the file in its\n"
    "                   memory, which a log just made often is, this is the rate of that memory\n"
    "                   and not of the disk\n"
    "  backup           charter backup of it, with cold caches, until the file is durable; all\n"
    "                   records are checked and hashed; the bytes are those of the log file\n"
    "  commands alone   durable share.grant, 32 in flight, on a charterd with that log\n"
    "  beside a backup  the same while backups are made of it, one after the other\n"
    "Caches are cold when the file has left the page cache 3 s ago: by then a virtual machine has\n"
    "given back the memory that it was in, as it has when nobody has read for a while.\n"
    "The ratios are what counts: a backup is at half the rate of the raw read or better, and does\n"
    "not double the 99th percentile.\n";

enum {
    EVENTS = 3000000,
    IN_FLIGHT = 32,
    READ_BYTES = 1 << 20,
    READ_ALIGN = 4096,
    PATH_BYTES = 192,
    SCRIPT_BYTES = 1536
};

static const uint64_t cold_ns = 3000000000u;

struct bench {
    struct ch_daemon daemon;
    struct ch_grants *grants;
    char program[512]; /* charter-keep */
    char log[PATH_BYTES];
    char file[CH_WORKDIR_NAME_BYTES]; /* the backup */
    uint64_t log_bytes;               /* of the log file, those in use */
};

/* The next read of the file finds it in no cache of this machine, and no memory at hand for it: the
 * first one in pages that were freed a moment ago is several times as fast as it ever is else. */
static enum ch_err cool(const struct bench *bench, struct ch_why *why)
{
    const int fd = open(bench->log, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", bench->log, strerror(errno));
    (void)fsync(fd);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
    if (ch_interrupt_sleep_until(ch_interrupt_now_ns() + cold_ns)) return CH_OK;
    return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
}

static enum ch_err read_file(const struct bench *bench, int flags, struct ch_sample *ret,
                             struct ch_why *why)
{
    uint64_t done = 0;
    char *buffer = aligned_alloc(READ_ALIGN, READ_BYTES);
    if (buffer == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory to read");
    enum ch_err err = cool(bench, why);
    const uint64_t began_ns = ch_interrupt_now_ns();
    const int fd = open(bench->log, O_RDONLY | O_CLOEXEC | flags);
    while (err == CH_OK && done < bench->log_bytes) {
        const ssize_t got = fd < 0 ? -1 : read(fd, buffer, READ_BYTES);
        if (got <= 0) {
            err = ch_fail(why, CH_ERR_FILE_IO, errno, "%s: %s", bench->log,
                          got == 0 ? "it ends early" : strerror(errno));
        } else {
            done += (uint64_t)got;
        }
    }
    ret->per_second = (double)done / 1e6 / ((double)(ch_interrupt_now_ns() - began_ns) / 1e9);
    if (fd >= 0) (void)close(fd);
    free(buffer);
    return err;
}

static enum ch_err read_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    return read_file(context, 0, ret, why);
}

static enum ch_err direct_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    return read_file(context, O_DIRECT, ret, why);
}

/* Not every file system can. */
static bool reads_directly(const struct bench *bench)
{
    const int fd = open(bench->log, O_RDONLY | O_CLOEXEC | O_DIRECT);
    if (fd >= 0) (void)close(fd);
    return fd >= 0;
}

static enum ch_err backup_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    struct bench *bench = context;
    struct ch_child child = {0};
    char *const words[] = {bench->program,    (char[]){"backup"},  bench->file, (char[]){"--data"},
                           bench->daemon.dir, (char[]){"--quiet"}, NULL};
    enum ch_err err = cool(bench, why);
    if (err != CH_OK) return err;
    const uint64_t began_ns = ch_interrupt_now_ns();
    err = ch_child_start(bench->program, words, NULL, false, &child, why);
    if (err != CH_OK) return err;
    const bool good = ch_child_wait(&child);
    ret->per_second =
        (double)bench->log_bytes / 1e6 / ((double)(ch_interrupt_now_ns() - began_ns) / 1e9);
    (void)unlink(bench->file);
    return good ? CH_OK : ch_fail(why, CH_ERR_FILE_IO, 0, "the backup failed");
}

static enum ch_err load_row(struct bench *bench, bool beside, struct ch_sample *ret,
                            struct ch_why *why)
{
    char script[SCRIPT_BYTES];
    struct charter *connection = NULL;
    struct ch_child child = {0};
    (void)snprintf(script, sizeof script,
                   "while '%s' backup '%s' --data '%s' --quiet; do rm -f '%s'; done",
                   bench->program, bench->file, bench->daemon.dir, bench->file);
    char *const words[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
    enum ch_err err = ch_daemon_start(&bench->daemon, &connection, why);
    if (err == CH_OK && beside) err = ch_child_start("/bin/sh", words, NULL, false, &child, why);
    if (err == CH_OK) err = ch_grants_run(bench->grants, bench->daemon.url, ret, why);
    if (err == CH_OK && beside && !ch_child_runs(&child)) {
        err = ch_fail(why, CH_ERR_STOPPED, 0, "a backup failed meanwhile");
    }
    if (child.pid > 0) (void)kill(-child.pid, SIGKILL); /* with what it runs */
    ch_child_kill(&child);
    (void)unlink(bench->file);
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(&bench->daemon, why);
    return err;
}

static enum ch_err alone_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    return load_row(context, false, ret, why);
}

static enum ch_err beside_row(void *context, struct ch_sample *ret, struct ch_why *why)
{
    return load_row(context, true, ret, why);
}

/* The log, with the accounts that the load is for. */
static enum ch_err make_log(struct bench *bench, const struct ch_options *options,
                            const struct ch_workdir *workdir, struct ch_why *why)
{
    struct ch_daemon_status status;
    struct charter *connection = NULL;
    struct ch_options own = *options;
    own.log = NULL; /* the load goes into it, so it is never somebody's */
    const uint64_t events = options->events > 0 ? options->events : EVENTS;
    enum ch_err err = ch_long_log_open(&own, events, workdir, &bench->daemon, why);
    if (err == CH_OK) err = ch_daemon_start(&bench->daemon, &connection, why);
    if (err == CH_OK) {
        err = ch_grants_create(options, IN_FLIGHT, connection, &bench->grants, why);
    }
    if (err == CH_OK) err = ch_daemon_status(connection, &status, why);
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(&bench->daemon, why);
    if (err == CH_OK) bench->log_bytes = status.log_bytes;
    return err;
}

enum ch_err ch_backup_run(const struct ch_options *options, struct ch_why *why)
{
    struct ch_workdir workdir = {0};
    struct ch_rounds *rounds = NULL;
    struct bench bench = {.log_bytes = 0};
    enum ch_err err = ch_workdir_open(options->dir, &workdir, why);
    if (err == CH_OK) err = ch_daemon_program("charter-keep", bench.program, why);
    if (err != CH_OK) goto out;
    ch_workdir_name(&workdir, "backup", bench.file);
    err = make_log(&bench, options, &workdir, why);
    (void)snprintf(bench.log, sizeof bench.log, "%s/log.mdb", bench.daemon.dir);
    if (err == CH_OK) err = ch_rounds_create(&rounds, why);
    if (err != CH_OK) goto out;
    ch_rounds_section(rounds, "log file, caches cold", "MB/s");
    const uint32_t raw = ch_rounds_add(rounds, "raw read", read_row, &bench);
    const bool directly = reads_directly(&bench);
    const uint32_t direct =
        directly ? ch_rounds_add(rounds, "direct read", direct_row, &bench) : raw;
    const uint32_t copied = ch_rounds_add(rounds, "backup", backup_row, &bench);
    ch_rounds_section(rounds, "commands, 32 in flight", "a second");
    const uint32_t alone = ch_rounds_add(rounds, "alone", alone_row, &bench);
    const uint32_t beside = ch_rounds_add(rounds, "beside a backup", beside_row, &bench);
    ch_rounds_ratio(rounds, "backup / raw read", copied, raw);
    if (directly) ch_rounds_ratio(rounds, "backup / direct read", copied, direct);
    ch_rounds_ratio(rounds, "commands a second, beside a backup / alone", beside, alone);
    ch_rounds_ratio_p99(rounds, "p99 of commands, beside a backup / alone", beside, alone);
    err = ch_rounds_run(rounds, options->rounds, why);
    ch_rounds_print(rounds);
out:
    ch_grants_destroy(bench.grants);
    ch_rounds_destroy(rounds);
    ch_daemon_discard(&bench.daemon);
    ch_workdir_close(&workdir);
    return err;
}
