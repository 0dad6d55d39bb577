/* levels: see levels.h. SPDX-License-Identifier: MIT */
#include "tools/charter/levels.h"

#include <string.h>

static const char *const scopes[] = {
    "lists.read",      "contacts.read",        "lists.update",    "contacts.create",
    "contacts.update", "contacts.unsubscribe", "contacts.delete", "contacts.import",
    "contacts.export", "lists.delete",         "lists.share",
};

/* How many of the scopes, from the first, a level has. */
static const struct {
    const char *name;
    size_t count;
} levels[] = {{"read", 1}, {"triage", 2}, {"write", 6}, {"maintain", 9}, {"admin", 11}};

size_t levels_scopes(const char *level, const char *const **ret)
{
    *ret = scopes;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i].name, level) == 0) return levels[i].count;
    }
    return 0;
}
