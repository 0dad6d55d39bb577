/* review: charter access-review, shares to be looked at again by who can decide about them, ended
 * in one act. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_REVIEW_H
#define CH_CHARTER_REVIEW_H
#include "tools/charter/help.h"

extern const struct special review_special;
enum exit_code review_run(struct command_line *line);
#endif
