/* command: any call of the schema's rows, from the command line. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_COMMAND_H
#define CH_CHARTER_COMMAND_H
#include "tools/charter/options.h"

/* Runs the call with the rest of the line; prints its answer. type: below CH_CALL_TYPES */
enum exit_code command_run(struct command_line *line, int type);
#endif
