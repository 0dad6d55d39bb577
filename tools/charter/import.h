/* import: charter import, a history taken through ordinary commands. SPDX-License-Identifier: MIT
 * Lines that share a time go in one message of mode `each`, which ends with import.advance: how
 * many lines, and their digest. So what was taken is known exactly, and a second run goes on
 * behind it. One message is in flight while the next is made ready.
 * source: schema/README.md, "Import" */
#ifndef CH_CHARTER_IMPORT_H
#define CH_CHARTER_IMPORT_H
#include "tools/charter/help.h"

extern const struct special import_special;
enum exit_code import_run(struct command_line *line);
#endif
