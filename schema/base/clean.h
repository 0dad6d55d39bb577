/* clean: text from elsewhere that neither steers a terminal nor ends a line.
 * SPDX-License-Identifier: MIT */
#ifndef CH_BASE_CLEAN_H
#define CH_BASE_CLEAN_H
#include "schema/base/bytes.h"

/* The byte at `at`, or '?' where it is a control character or part of one: C0, DEL, and C1 as the
 * two bytes of its UTF-8, for some terminals obey those as well. at: below text.len */
static inline char ch_clean_at(struct ch_text text, size_t at)
{
    enum { C1_LEAD = 0xc2 };
    const unsigned char c = (unsigned char)text.ptr[at];
    const unsigned char before = at == 0 ? 0 : (unsigned char)text.ptr[at - 1];
    const unsigned char next = at + 1 == text.len ? 0 : (unsigned char)text.ptr[at + 1];
    const bool leads_c1 = c == C1_LEAD && next >= 0x80 && next < 0xa0;
    const bool ends_c1 = before == C1_LEAD && c >= 0x80 && c < 0xa0;
    return c < ' ' || c == 0x7f || leads_c1 || ends_c1 ? '?' : (char)c;
}
#endif
