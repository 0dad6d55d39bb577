/* interrupt: SIGINT and SIGTERM as a flag. SPDX-License-Identifier: MIT */
#ifndef CH_LIB_INTERRUPT_H
#define CH_LIB_INTERRUPT_H
#include <stdbool.h>

/* From now on the first signal only sets the flag; a second one ends the program. */
void interrupt_watch(void);
bool interrupted(void);
#endif
