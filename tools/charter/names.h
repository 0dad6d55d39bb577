/* names: a set of texts. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_NAMES_H
#define CH_CHARTER_NAMES_H
#include <stdbool.h>
#include <stddef.h>

struct names { /* zeroed: empty and ready */
    char **cells;
    size_t count;
    size_t cap; /* a power of two */
};

void names_deinit(struct names *names);
/* Adds a copy; false if it was there. When out of memory it says true and keeps nothing. */
bool names_add(struct names *names, const char *name);
#endif
