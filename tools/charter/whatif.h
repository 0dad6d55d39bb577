/* whatif: charter whatif, what commands would change. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_WHATIF_H
#define CH_CHARTER_WHATIF_H
#include "tools/charter/help.h"

extern const struct special whatif_special;

/* Runs the rest of the line: a command, or --file FILE. */
enum exit_code whatif_run(struct command_line *line);
#endif
