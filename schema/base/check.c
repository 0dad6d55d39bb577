/* check: see check.h. SPDX-License-Identifier: MIT */
#include "schema/base/check.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local const char *panic_note; /* what this thread was doing; only printed */

void ch_check_note(const char *note)
{
    panic_note = note;
}

_Noreturn void ch_check_failed(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "charterd: bug at %s:%d: %s does not hold%s%s\n", file, line, condition,
                  panic_note == NULL ? "" : "; while: ", panic_note == NULL ? "" : panic_note);
    abort();
}
