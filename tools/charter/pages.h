/* pages: the answers to one question that come page by page. SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_PAGES_H
#define CH_CHARTER_PAGES_H
#include <stdbool.h>
#include <stddef.h>

#include "client/include/charter/charter.h"

enum { PAGES_MOST = 100000 };

struct json_t;

struct pages { /* zeroed: none; deinit it */
    struct charter_reply **replies;
    struct charter_bytes *values; /* of the result that is the page */
    size_t count;
};

void pages_deinit(struct pages *pages);

/* place: of the result in the reply, which is taken over, whatever comes of it
 * returns: false: there is no memory, or there are PAGES_MOST already; told */
bool pages_add(struct pages *pages, struct charter_reply *reply, size_t place);

/* One answer: the lists of all pages joined, everything else as the last page has it. NULL: out of
 * memory */
struct json_t *pages_join(const struct pages *pages);
#endif
