/* questions: charter check --from, a file of questions and the answers that are due.
 * SPDX-License-Identifier: MIT
 * Questions about one moment go in one message; several messages are in flight. */
#ifndef CH_CHARTER_QUESTIONS_H
#define CH_CHARTER_QUESTIONS_H
#include "tools/charter/help.h"

extern const struct special questions_special;
/* Whether the rest of the line asks from a file. */
bool questions_wanted(const struct command_line *line);
enum exit_code questions_run(struct command_line *line);
#endif
