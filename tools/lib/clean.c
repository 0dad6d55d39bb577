/* clean: see clean.h. SPDX-License-Identifier: MIT */
#include "tools/lib/clean.h"

#include "schema/base/clean.h"

void clean_print(FILE *to, struct ch_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        (void)fputc(ch_clean_at(text, i), to);
    }
}
