/* progress: how far a long work has come, on standard error. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_PROGRESS_H
#define CH_CHARTER_PROGRESS_H
#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;
    bool terminal; /* one line that is written over; else a line now and then */
    uint64_t began_ns;
    uint64_t told_ns;
    uint64_t first;   /* lines done before */
    const char *noun; /* what is counted; "lines" unless set */
};

/* wanted: shown although standard error is no terminal */
void progress_begin(struct progress *progress, bool wanted, uint64_t first);
/* lines: done in all; permille: of the whole, -1: not known */
void progress_tell(struct progress *progress, uint64_t lines, int permille);
void progress_end(struct progress *progress); /* ends the line */
double progress_seconds(const struct progress *progress);
#endif
