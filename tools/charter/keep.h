/* keep: charter backup, restore and export. SPDX-License-Identifier: MIT
 * The work is done by the program charter-keep, which stands beside this one; here charterd is
 * asked for a checkpoint first, so that the backup ends with a signed one. */
#ifndef CH_CHARTER_KEEP_H
#define CH_CHARTER_KEEP_H
#include "tools/charter/help.h"

extern const struct special backup_special, restore_special, export_special;
/* Whether it is one of the three words. */
bool keep_wanted(const char *word);
enum exit_code keep_run(struct command_line *line, const char *word);
#endif
