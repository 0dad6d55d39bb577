/* base64: standard base 64 with padding (RFC 4648, section 4). SPDX-License-Identifier: MIT */
#ifndef CH_BASE_BASE64_H
#define CH_BASE_BASE64_H
#include "schema/base/buf.h"

/* How many characters `len` bytes take, without a NUL. */
#define CH_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes CH_BASE64_LEN(bytes.len) characters and a NUL. */
void ch_base64_write(struct ch_bytes bytes, char *out);

/* Appends the characters, without a NUL. */
void ch_base64_put(struct ch_buf *buf, struct ch_bytes bytes);

/* Reads text that is the one encoding of its bytes: padded, no other characters, spare bits zero.
 * out:     gets at most `most` bytes
 * ret_len: how many
 * returns: false for any other text, and for one that holds more than `most` bytes */
bool ch_base64_read(struct ch_text text, uint8_t *out, size_t most, size_t *ret_len);
#endif
