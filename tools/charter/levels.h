/* levels: read, triage, write, maintain, admin, as scopes on one list. SPDX-License-Identifier: MIT
 * Each level holds the ones before it. */
#ifndef CH_CHARTER_LEVELS_H
#define CH_CHARTER_LEVELS_H
#include <stddef.h>

/* The scopes of a level. Returns how many; 0: there is no such level. ret: static */
size_t levels_scopes(const char *level, const char *const **ret);
#endif
