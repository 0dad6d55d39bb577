/* clean: prints text that came from elsewhere. SPDX-License-Identifier: MIT */
#ifndef CH_TOOLS_CLEAN_H
#define CH_TOOLS_CLEAN_H
#include <stdio.h>

#include "schema/base/bytes.h"

/* As ch_clean_at says. */
void clean_print(FILE *to, struct ch_text text);
#endif
