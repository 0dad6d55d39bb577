/* print: progress and results, for people and as JSON. SPDX-License-Identifier: MIT */
#ifndef CH_VERIFY_PRINT_H
#define CH_VERIFY_PRINT_H
#include "tools/verify/options.h"

/* A bar on a terminal; nothing elsewhere. */
struct progress {
    bool shown; /* there is something on the line */
    bool wanted;
    uint64_t began_ns;
};

void progress_begin(struct progress *progress, bool quiet);
void progress_show(struct progress *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

/* Says what was checked, or what is false; and what the program ends with. */
enum exit_code print_report(const struct options *options, const struct ch_verify_report *report);
#endif
