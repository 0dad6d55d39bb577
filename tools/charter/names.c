/* names: see names.h. SPDX-License-Identifier: MIT */
#include "tools/charter/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 1024 };

void names_deinit(struct names *names)
{
    for (size_t i = 0; i < names->cap; i++) {
        free(names->cells[i]);
    }
    free(names->cells);
    *names = (struct names){0};
}

/* FNV-1a; the names are an import's own, so nobody aims at its weakness.
 * source: www.isthe.com/chongo/tech/comp/fnv */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name != '\0'; name++) {
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    }
    return hash;
}

/* The cell of the name, or the empty one where it belongs. */
static size_t place_of(char *const *cells, size_t cap, const char *name)
{
    size_t place = hash_of(name) & (cap - 1);
    while (cells[place] != NULL && strcmp(cells[place], name) != 0) {
        place = (place + 1) & (cap - 1);
    }
    return place;
}

static bool grow(struct names *names)
{
    const size_t cap = names->cap == 0 ? FIRST_CAP : names->cap * 2;
    char **cells = calloc(cap, sizeof *cells);
    if (cells == NULL) return false;
    for (size_t i = 0; i < names->cap; i++) {
        if (names->cells[i] != NULL) cells[place_of(cells, cap, names->cells[i])] = names->cells[i];
    }
    free(names->cells);
    names->cells = cells;
    names->cap = cap;
    return true;
}

bool names_add(struct names *names, const char *name)
{
    if (names->count * 2 >= names->cap && !grow(names)) return true;
    const size_t place = place_of(names->cells, names->cap, name);
    if (names->cells[place] != NULL) return false;
    names->cells[place] = strdup(name);
    if (names->cells[place] != NULL) names->count++;
    return true;
}
