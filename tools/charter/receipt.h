/* receipt: charter receipt, an answer as a signed file that others can check.
 * SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_RECEIPT_H
#define CH_CHARTER_RECEIPT_H
#include "tools/charter/help.h"

extern const struct special receipt_special;
enum exit_code receipt_run(struct command_line *line);
#endif
