/* lines: a text that is read from its beginning, line by line. SPDX-License-Identifier: MIT */
#ifndef CH_BASE_LINES_H
#define CH_BASE_LINES_H
#include "schema/base/bytes.h"

/* Takes the first line off a text, without its line feed. False: there is none. */
static inline bool ch_text_take_line(struct ch_text *text, struct ch_text *ret)
{
    const char *end = text->len == 0 ? NULL : memchr(text->ptr, '\n', text->len);
    if (end == NULL) return false;
    *ret = (struct ch_text){text->ptr, (size_t)(end - text->ptr)};
    text->ptr = end + 1;
    text->len -= ret->len + 1;
    return true;
}

/* Takes what a text begins with off it. False: it begins otherwise, and stays. */
static inline bool ch_text_take_prefix(struct ch_text *text, const char *prefix)
{
    const size_t len = strlen(prefix);
    if (text->len < len || (len > 0 && memcmp(text->ptr, prefix, len) != 0)) return false;
    text->ptr += len;
    text->len -= len;
    return true;
}
#endif
