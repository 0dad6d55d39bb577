/* follow: charter events, the log's events one a line. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_FOLLOW_H
#define CH_CHARTER_FOLLOW_H
#include "tools/charter/help.h"

extern const struct special follow_special;
enum exit_code follow_run(struct command_line *line);
#endif
