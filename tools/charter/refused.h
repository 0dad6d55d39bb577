/* refused: the lines of an import that were refused: counted, named, written to a file.
 * SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_REFUSED_H
#define CH_CHARTER_REFUSED_H
#include <stdint.h>
#include <stdio.h>

#include "schema/base/bytes.h"

enum { REFUSED_REASONS = 64, REFUSED_SHOWN = 5 };

struct refused { /* zeroed: empty; without a file */
    FILE *file;
    const char *before; /* written before a line that tells of one; NULL: nothing */
    uint64_t count;
    struct {
        char name[48];
        uint64_t count;
    } reasons[REFUSED_REASONS];
    size_t reason_count;
    bool write_failed;
};

/* Opens the file of refused lines. append: what it holds already stays */
bool refused_open(struct refused *refused, const char *path, bool append);
/* False if something could not be written. */
bool refused_close(struct refused *refused);

/* One more. The first few are told on standard error.
 * line:   its number, from 1
 * source: the line itself
 * field:  the argument at fault, or empty */
void refused_add(struct refused *refused, uint64_t line, struct ch_text reason, struct ch_text text,
                 struct ch_text field, struct ch_text source);
#endif
