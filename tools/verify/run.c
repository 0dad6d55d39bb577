/* run: see run.h. SPDX-License-Identifier: MIT */
#include "tools/verify/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/verify/print.h"

enum { POLL_FIRST_US = 1000, POLL_MOST_US = 100000 };

/* What both processes see. */
struct shared {
    struct ch_verify_progress progress;
    bool finished; /* report, err and why are set */
    struct ch_verify_report report;
    enum ch_err err;
    struct ch_why why;
};

static volatile sig_atomic_t interrupted; /* a signal handler reaches nothing else */

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* The first signal stops the work in an orderly way, a second one ends the program. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static void work(const struct options *options, bool replay, struct shared *shared)
{
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
        .replay = replay,
        .last_state = options->last_state,
        .threads = options->threads != 0 ? options->threads
                   : processors > 1      ? 2
                                         : 1,
        .progress = &shared->progress,
    };
    shared->err = ch_verify(&verify, &shared->report, &shared->why);
    shared->finished = true;
}

/* Starts the process that reads; its number, or -1. It ends when this one does. */
static pid_t start(const struct options *options, bool replay, struct shared *shared)
{
    memset(shared, 0, sizeof *shared);
    (void)fflush(stdout);
    (void)fflush(stderr);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child != 0) return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN); /* the parent is asked, and asks */
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDERR_FILENO); /* its last words are told by the parent */
    (void)signal(SIGTERM, SIG_DFL);
    if (getppid() != parent) _exit(EXIT_FAILED);
    work(options, replay, shared);
    _exit(EXIT_GOOD);
}

/* Waits for the child's end. Returns the signal it died of, 0 for none, -1 if it cannot be told. */
static int wait_for(pid_t child, const struct options *options, struct shared *shared)
{
    struct progress progress;
    long pause_us = POLL_FIRST_US; /* a small log is done at once */
    int status = 0;
    pid_t got;
    progress_begin(&progress, options->quiet);
    while ((got = waitpid(child, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (interrupted) atomic_store(&shared->progress.stop, true);
        progress_show(&progress, atomic_load(&shared->progress.done),
                      atomic_load(&shared->progress.total));
        const struct timespec pause = {.tv_nsec = pause_us * 1000};
        (void)nanosleep(&pause, NULL);
        if (pause_us < POLL_MOST_US) pause_us *= 2;
    }
    progress_end(&progress);
    if (got < 0) return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
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

/* The process that read died. Without a state once more: perhaps that names what is false. */
static enum exit_code after_crash(const struct options *options, int number, struct shared *shared)
{
    const uint64_t near = atomic_load(&shared->progress.done);
    const pid_t child = start(options, /* replay= */ false, shared);
    const int again = child < 0 ? -1 : wait_for(child, options, shared);
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

enum exit_code run_directory(const struct options *options)
{
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        (void)fprintf(stderr, "charter-verify: out of memory\n");
        return EXIT_FAILED;
    }
    watch_signals();
    enum exit_code code = EXIT_FAILED;
    const pid_t child = start(options, !options->no_replay, shared);
    const int died = child < 0 ? -1 : wait_for(child, options, shared);
    if (died > 0 && interrupted) {
        code = EXIT_INTERRUPTED;
    } else if (died > 0 && died != SIGKILL && died != SIGTERM) {
        code = after_crash(options, died, shared);
    } else if (died == 0 && shared->finished) {
        code = judge(options, shared);
    } else {
        (void)fprintf(stderr, "charter-verify: the process that reads was ended: %s\n",
                      died > 0 ? strsignal(died) : strerror(errno));
    }
    (void)munmap(shared, sizeof *shared);
    return code;
}
