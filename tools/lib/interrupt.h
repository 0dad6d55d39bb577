/* interrupt: SIGINT and SIGTERM as a flag. SPDX-License-Identifier: MIT */
#ifndef CH_LIB_INTERRUPT_H
#define CH_LIB_INTERRUPT_H
#include <stdbool.h>

/* From now on the first signal only sets the flag; a second one removes the file that partial.h has
 * begun in this process, and ends the program. */
void interrupt_watch(void);
/* The same, but a third one does: the second is for who has a process to end and to clean up after,
 * and looks often. */
void interrupt_watch_twice(void);
bool interrupted(void);
bool interrupted_twice(void);
#endif
