/* text: what a text may be, and the text forms of times. Pure. SPDX-License-Identifier: MIT */
#ifndef CH_SCHEMA_TEXT_H
#define CH_SCHEMA_TEXT_H
#include "schema/base/bytes.h"

/* Well-formed UTF-8 (no overlong forms, no surrogates), without control characters (C0, DEL, C1).
 * source: RFC 3629 */
bool ch_text_is_clean(struct ch_text text);

/* As clean, but line feeds and tabs are taken: text of several lines. */
bool ch_text_is_passage(struct ch_text text);

/* Clean, and neither starts nor ends with white space, nor holds any but the plain space (so that
 * no two names look alike but for a no-break or zero-width space). */
bool ch_text_is_name(struct ch_text text);

/* A username in canonical form: a to z, 0 to 9, . _ - ; capitals are made small in place.
 * Returns false if it holds anything else. */
bool ch_username_fold(char *chars, size_t len);

/* An e-mail address for comparison: ASCII letters made small in place. False unless it has one @
 * with something on both sides, a dot-atom or quoted local part is not checked further. */
bool ch_email_fold(char *chars, size_t len);

/* A domain name in ASCII form, at least two labels, without a dot at the end; capitals are made
 * small in place. False for anything else, also for a label that only looks like an A-label.
 * source: RFC 1035 section 2.3.1, RFC 5890 section 2.3.1 */
bool ch_domain_fold(char *chars, size_t len);

/* RFC 3339 with T and Z or an offset, to nanoseconds since 1970 UTC; leap seconds count as the next
 * second. False for anything else or outside 1970 to 2261. source: RFC 3339 section 5.6 */
bool ch_time_read(struct ch_text text, uint64_t *ret_ns);

enum { CH_TIME_TEXT_BYTES = 32 };
/* "2018-08-23T04:11:39Z", with nine decimals only where they are not zero; returns the length. */
size_t ch_time_write(uint64_t ns, char out[CH_TIME_TEXT_BYTES]);

/* Ids as people see them: prefix "acc", "usr", "shr", "key" and so on, then _, base 32 (Crockford's
 * alphabet, small letters) and a check character. */
enum { CH_ID_TEXT_BYTES = 24 };
size_t ch_id_write(const char *prefix, uint64_t id, char out[CH_ID_TEXT_BYTES]);
/* False unless the prefix and the check character agree. */
bool ch_id_read(const char *prefix, struct ch_text text, uint64_t *ret_id);
#endif
