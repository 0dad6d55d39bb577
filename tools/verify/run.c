/* run: see run.h. SPDX-License-Identifier: MIT */
#include "tools/verify/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log/bundle.h"
#include "daemon/replay/apart.h"
#include "tools/lib/bar.h"
#include "tools/lib/interrupt.h"
#include "tools/verify/print.h"

enum { STOP_LOOKS = 30 }; /* three to four seconds */

enum { HALVES_FROM = 1 << 17 }; /* records; fewer take no second */

enum way {
    IN_HALVES, /* where that can be */
    IN_ONE_RUN,
    WITHOUT_A_STATE,
};

/* What both processes see. */
struct shared {
    const struct options *options; /* the same in both */
    enum way way;
    struct bar shown; /* of the one that waits */
    unsigned waited;  /* looks since it was told to stop */
    struct ch_verify_progress progress;
    bool finished; /* report, err and why are set */
    struct ch_verify_report report;
    enum ch_err err;
    struct ch_why why;
};

static enum ch_err next_item(void *arg, struct ch_bundle_item *ret, struct ch_why *why)
{
    return ch_bundle_next(arg, ret, why);
}

/* A bundle is read from its file; that it does not begin as one is a fault of it. */
static enum ch_err verify_bundle(const struct ch_verify_options *options, struct shared *shared)
{
    struct ch_bundle_reader *bundle = NULL;
    const char *path = options->dir;
    const bool piped = strcmp(path, "-") == 0;
    const int fd = piped ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ch_fail(&shared->why, CH_ERR_FILE_IO, errno, "%s: %s", path, strerror(errno));
    }
    enum ch_err err = ch_bundle_open(fd, &bundle, &shared->why);
    if (err == CH_ERR_LOG_CORRUPT) {
        shared->report.part = CH_VERIFY_BUNDLE;
        (void)snprintf(shared->report.text, sizeof shared->report.text, "%s", shared->why.text);
        err = CH_OK;
    } else if (err == CH_OK) {
        const struct ch_verify_source source = {.next = next_item, .arg = bundle, .tiles = true};
        struct ch_verify_options verify = *options;
        verify.source = &source;
        err = ch_verify(&verify, &shared->report, &shared->why);
    }
    ch_bundle_close(bundle);
    if (!piped) (void)close(fd);
    return err;
}

static void work(void *arg)
{
    struct shared *shared = arg;
    const struct options *options = shared->options;
    struct ch_text against[AGAINST_MOST];
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    for (size_t i = 0; i < options->against_count; i++) {
        against[i] =
            (struct ch_text){(const char *)options->against[i].ptr, options->against[i].len};
    }
    const struct ch_verify_options verify = {
        .dir = options->path,
        .keys = options->keys,
        .key_count = options->key_count,
        .witnesses = options->witnesses,
        .witness_count = options->witness_count,
        .against = against,
        .against_count = options->against_count,
        .replay = shared->way != WITHOUT_A_STATE,
        .last_state = options->last_state,
        .threads = options->threads != 0 ? options->threads
                   : processors > 1      ? 2
                                         : 1,
        .halves_from = shared->way == IN_HALVES ? HALVES_FROM : 0,
        .progress = &shared->progress,
    };
    shared->err = options->what == VERIFY_BUNDLE
                      ? verify_bundle(&verify, shared)
                      : ch_verify(&verify, &shared->report, &shared->why);
    shared->finished = true;
}

/* Told to stop, the work does so at its next record; but it may wait for one that never comes. */
static bool look(void *arg)
{
    struct shared *shared = arg;
    if (interrupted()) atomic_store(&shared->progress.stop, true);
    bar_show(&shared->shown, atomic_load(&shared->progress.done),
             atomic_load(&shared->progress.total));
    return !interrupted() || ++shared->waited < STOP_LOOKS;
}

/* Returns the signal that the process which reads died of, 0 for none, -1 if it cannot be told. */
static int run(const struct options *options, enum way way, struct shared *shared)
{
    const struct ch_apart apart = {.work = work, .look = look, .arg = shared};
    memset(shared, 0, sizeof *shared);
    shared->options = options;
    shared->way = way;
    bar_begin(&shared->shown, options->quiet);
    const int died = ch_apart_run(&apart);
    bar_end(&shared->shown);
    return died;
}

static enum exit_code judge(const struct options *options, const struct shared *shared)
{
    if (shared->err == CH_ERR_STOPPED) {
        (void)fprintf(stderr, "charter-verify: %s; nothing false until there\n", shared->why.text);
        return EXIT_INTERRUPTED;
    }
    if (shared->err != CH_OK) {
        (void)fprintf(stderr, "charter-verify: %s: %s\n", ch_err_code(shared->err),
                      shared->why.text);
        return EXIT_FAILED;
    }
    return print_report(options, &shared->report);
}

/* The process that read died. In one run, for perhaps a snapshot was false that the second half had
 * begun with; then without a state: perhaps that names what is false. */
static enum exit_code after_crash(const struct options *options, int number, struct shared *shared)
{
    const bool piped = strcmp(options->path, "-") == 0; /* what was read is gone */
    int again = number;
    if (shared->way == IN_HALVES && !piped) {
        again = run(options, IN_ONE_RUN, shared);
        if (again == 0 && shared->finished) return judge(options, shared);
    }
    const uint64_t near = atomic_load(&shared->progress.done);
    if (shared->way != WITHOUT_A_STATE && !piped) again = run(options, WITHOUT_A_STATE, shared);
    if (again == 0 && shared->finished &&
        (shared->err != CH_OK || shared->report.part != CH_VERIFY_NOTHING)) {
        return judge(options, shared);
    }
    struct ch_verify_report report = {.records = near, .part = CH_VERIFY_LOG, .number = near + 1};
    (void)snprintf(report.text, sizeof report.text,
                   "damage near record %" PRIu64 ": the process that reads the log died there "
                   "(%s)%s",
                   near + 1, strsignal(number),
                   again == 0 ? "; its bytes agree with the tree, so its content is false" : "");
    return print_report(options, &report);
}

enum exit_code run_log(const struct options *options)
{
    struct shared *shared = ch_apart_memory(sizeof *shared);
    if (shared == NULL) {
        (void)fprintf(stderr, "charter-verify: out of memory\n");
        return EXIT_FAILED;
    }
    interrupt_watch();
    enum exit_code code = EXIT_FAILED;
    const int died = run(options, options->no_replay ? WITHOUT_A_STATE : IN_HALVES, shared);
    if (died > 0 && interrupted()) {
        code = EXIT_INTERRUPTED;
    } else if (died > 0 && died != SIGKILL && died != SIGTERM) {
        code = after_crash(options, died, shared);
    } else if (died == 0 && shared->finished) {
        code = judge(options, shared);
    } else {
        (void)fprintf(stderr, "charter-verify: the process that reads was ended: %s\n",
                      died > 0 ? strsignal(died) : strerror(errno));
    }
    ch_apart_free(shared, sizeof *shared);
    return code;
}
