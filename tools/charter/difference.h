/* difference: the answer of whatif, for people. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_DIFFERENCE_H
#define CH_CHARTER_DIFFERENCE_H
#include "client/include/charter/charter.h"

/* Prints the pages of one answer: a table with + and -, then credits, who is widened, and counts.
 * False: out of memory. */
bool difference_print(const struct charter_bytes *pages, size_t count);
#endif
