/* restore: makes a data directory from a backup or an export. SPDX-License-Identifier: MIT */
#ifndef CH_KEEP_RESTORE_H
#define CH_KEEP_RESTORE_H
#include "tools/keep/options.h"

/* Verifies the file, and what passes goes into a new log; it is read once more before it counts. */
enum exit_code restore_run(const struct options *options);
#endif
