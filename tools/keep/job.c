/* job: see job.h. SPDX-License-Identifier: MIT */
#include "tools/keep/job.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/replay/apart.h"
#include "tools/keep/known.h"
#include "tools/lib/interrupt.h"

enum {
    STOP_LOOKS = 30, /* three to four seconds */
    IOPRIO_WHO_PROCESS = 1,
    IOPRIO_IDLE = 3 << 13
};

void job_yield(void)
{
    /* Whoever else wakes up has the processor at once; where that may not be, the last in turn. */
    const struct sched_param none = {.sched_priority = 0};
    if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) {
        (void)setpriority(PRIO_PROCESS, 0, PRIO_MAX);
    }
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

static void work(void *arg)
{
    struct job *job = arg;
    job->err = job->steps->work(job, &job->why);
    job->finished = true;
}

/* Told to stop, the work does so at its next record; but it may wait for one that never comes. Told
 * twice, it is ended. */
static bool look(void *arg)
{
    struct job *job = arg;
    if (interrupted()) atomic_store(&job->progress.stop, true);
    bar_show(&job->bar, atomic_load(&job->progress.done), atomic_load(&job->progress.total));
    return !interrupted() || (!interrupted_twice() && ++job->waited < STOP_LOOKS);
}

static enum exit_code tell(const char *how, enum exit_code code, const char *text)
{
    (void)fprintf(stderr, "charter: %s: %s\n", how, text);
    return code;
}

static enum exit_code judge(const struct job *job)
{
    const enum ch_err err = job->err;
    const bool in_the_way =
        err == CH_ERR_FILE_IO && (job->why.code == EEXIST || job->why.code == ENOTEMPTY);
    if (err == CH_OK && job->report.part == CH_VERIFY_NOTHING) return EXIT_DONE;
    const bool foreign =
        job->options->what == KEEP_RESTORE && job->report.part == CH_VERIFY_AGAINST;
    if (err == CH_OK && foreign) return tell("refused", EXIT_REFUSED, job->report.text);
    if (err == CH_OK) return tell("damaged", EXIT_FALSE, job->report.text);
    if (err == CH_ERR_LOG_CORRUPT) return tell("damaged", EXIT_FALSE, job->why.text);
    if (err == CH_ERR_STOPPED) return tell("interrupted", EXIT_INTERRUPTED, job->why.text);
    if (err == CH_ERR_LOG_BEHIND || err == CH_ERR_SEAL_BROKEN || in_the_way)
        return tell("refused", EXIT_REFUSED, job->why.text);
    (void)fprintf(stderr, "charter: failed: %s: %s\n", ch_err_code(job->err), job->why.text);
    return EXIT_FAILED;
}

static enum exit_code run(struct job *job)
{
    const struct ch_apart apart = {.work = work, .look = look, .arg = job};
    interrupt_watch_twice();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* it is no damage when a file may not grow */
    bar_begin(&job->bar, job->options->quiet);
    const int died = ch_apart_run(&apart);
    bar_end(&job->bar);
    if (job->notice[0] != '\0') (void)fprintf(stderr, "charter: %s\n", job->notice);
    if (died == 0 && job->finished) return judge(job);
    if (died > 0 && interrupted()) {
        return tell("interrupted", EXIT_INTERRUPTED, "the process that did the work was ended");
    }
    if (died == SIGKILL || died == SIGTERM || died < 0) {
        return tell("failed", EXIT_FAILED,
                    died > 0 ? "the process that did the work was ended" : strerror(errno));
    }
    (void)fprintf(stderr,
                  "charter: damaged: near record %" PRIu64 ": the process that read it died there "
                  "(%s)\n",
                  (uint64_t)atomic_load(&job->progress.done) + 1, strsignal(died));
    return EXIT_FALSE;
}

enum exit_code job_run(const struct options *options, const struct job_steps *steps)
{
    struct known known;
    enum exit_code code = EXIT_USAGE;
    struct job *job = NULL;
    if (!known_read(options, &known)) goto out;
    code = EXIT_FAILED;
    job = ch_apart_memory(sizeof *job);
    if (job == NULL) {
        (void)fprintf(stderr, "charter: out of memory\n");
        goto out;
    }
    job->options = options;
    job->known = &known;
    job->steps = steps;
    code = run(job);
    steps->clean_up(job);
    if (code == EXIT_DONE && !steps->print(job)) code = EXIT_FAILED;
out:
    ch_apart_free(job, sizeof *job);
    known_deinit(&known);
    return code;
}
