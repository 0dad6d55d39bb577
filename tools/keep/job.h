/* job: the work of a subcommand, in a process of its own. SPDX-License-Identifier: MIT
 * A damaged log can crash the library that reads it; the one that waits shows progress, hears
 * signals, tells what happened and cleans up. */
#ifndef CH_KEEP_JOB_H
#define CH_KEEP_JOB_H
#include "tools/keep/options.h"
#include "tools/lib/bar.h"

enum { JOB_NOTICE_BYTES = 512 };

/* In memory that both processes see; pointers in it were there before the work began. */
struct job {
    const struct options *options;
    const struct known *known;
    enum ch_err (*work)(struct job *job, struct ch_why *why);
    struct bar bar;
    unsigned waited; /* looks since it was told to stop */
    struct ch_verify_progress progress;
    /* what the work finds */
    bool finished;
    enum ch_err err;
    struct ch_why why;
    struct ch_verify_report report;
    char notice[JOB_NOTICE_BYTES]; /* for people; empty: none */
    uint64_t bytes;                /* written */
    bool made;     /* there is something half done to be removed, should the process die */
    bool made_dir; /* with it the directory */
};

/* NULL: no memory, which is told. */
struct job *job_create(const struct options *options, const struct known *known,
                       enum ch_err (*work)(struct job *job, struct ch_why *why));
void job_destroy(struct job *job); /* NULL is a no-op */

/* Runs it; tells what went wrong. EXIT_DONE: it is done, and no fault was found. */
enum exit_code job_run(struct job *job);

/* In the work: lets charterd go first, for the processor and the disk. */
void job_yield(void);
#endif
