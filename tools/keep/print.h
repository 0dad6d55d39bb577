/* print: what was done, for people and as JSON. SPDX-License-Identifier: MIT */
#ifndef CH_KEEP_PRINT_H
#define CH_KEEP_PRINT_H
#include "tools/keep/job.h"

/* On standard output; on standard error where that is the backup. False: it could not be, which is
 * told. */
bool print_backup(const struct job *job);
bool print_restore(const struct job *job);
#endif
