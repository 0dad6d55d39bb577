/* diff: charter diff, what changed between two moments. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_DIFF_H
#define CH_CHARTER_DIFF_H
#include "tools/charter/help.h"

extern const struct special diff_special;
enum exit_code diff_run(struct command_line *line);
#endif
