/* backup: writes a log out, as backup or export. SPDX-License-Identifier: MIT */
#ifndef CH_KEEP_BACKUP_H
#define CH_KEEP_BACKUP_H
#include "tools/keep/options.h"

/* Verifies the directory's log, and what passes goes into the file. */
enum exit_code backup_run(const struct options *options);
#endif
