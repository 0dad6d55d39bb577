/* replay: charter replay, the log's events for people who look into what happened.
 * SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_REPLAY_H
#define CH_CHARTER_REPLAY_H
#include "tools/charter/help.h"

extern const struct special replay_special;
enum exit_code replay_run(struct command_line *line);
#endif
