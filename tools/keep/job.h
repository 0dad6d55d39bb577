/* job: the work of a subcommand, in a process of its own. SPDX-License-Identifier: MIT
 * A damaged log can crash the library that reads it; the one that waits shows progress, hears
 * signals, tells what happened and cleans up. */
#ifndef CH_KEEP_JOB_H
#define CH_KEEP_JOB_H
#include "tools/keep/options.h"
#include "tools/lib/bar.h"

enum { JOB_NOTICE_BYTES = 512 };

struct job;

/* What a subcommand is made of. */
struct job_steps {
    enum ch_err (*work)(struct job *job, struct ch_why *why); /* in the process of its own */
    void (*clean_up)(const struct job *job); /* what the work left, should its process have died */
    bool (*print)(const struct job *job);    /* it is done, and no fault was found; false: told */
};

/* In memory that both processes see; pointers in it were there before the work began. */
struct job {
    const struct options *options;
    const struct known *known;
    const struct job_steps *steps;
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
    bool made;         /* there is something half done to be removed, should the process die */
    bool made_dir;     /* with it the directory */
    bool copied_vault; /* beside a backup that is not whole yet */
    bool copied_key;
};

/* Does it all; tells what went wrong. */
enum exit_code job_run(const struct options *options, const struct job_steps *steps);

/* In the work: lets charterd go first, for the processor and the disk. */
void job_yield(void);
#endif
