/* tree: the answer of access.explain as an indented tree, for people. SPDX-License-Identifier: MIT
 */
#ifndef CH_CHARTER_TREE_H
#define CH_CHARTER_TREE_H
#include <stddef.h>

#include "client/include/charter/charter.h"

/* pages: the answers of one question, page by page */
void tree_print(const struct charter_bytes *pages, size_t count);
#endif
