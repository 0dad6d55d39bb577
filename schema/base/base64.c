/* base64: see base64.h. SPDX-License-Identifier: MIT */
#include "schema/base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ch_base64_write(struct ch_bytes bytes, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        const size_t left = bytes.len - i;
        const uint32_t b1 = left > 1 ? bytes.ptr[i + 1] : 0;
        const uint32_t b2 = left > 2 ? bytes.ptr[i + 2] : 0;
        const uint32_t word = (uint32_t)bytes.ptr[i] << 16 | b1 << 8 | b2;
        out[at++] = digits[word >> 18];
        out[at++] = digits[word >> 12 & 63];
        out[at++] = left > 1 ? digits[word >> 6 & 63] : '=';
        out[at++] = left > 2 ? digits[word & 63] : '=';
    }
    out[at] = '\0';
}

void ch_base64_put(struct ch_buf *buf, struct ch_bytes bytes)
{
    const size_t len = CH_BASE64_LEN(bytes.len);
    if (!ch_buf_reserve(buf, len + 1)) return;
    ch_base64_write(bytes, (char *)buf->ptr + buf->len);
    buf->len += len;
}

static bool value_of(char digit, uint32_t *ret)
{
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);
    if (at == NULL) return false;
    *ret = (uint32_t)(at - digits);
    return true;
}

bool ch_base64_read(struct ch_text text, uint8_t *out, size_t most, size_t *ret_len)
{
    size_t at = 0;
    if (text.len % 4 != 0) return false;
    for (size_t i = 0; i < text.len; i += 4) {
        const bool last = i + 4 == text.len;
        const unsigned pads = !last || text.ptr[i + 3] != '=' ? 0 : text.ptr[i + 2] == '=' ? 2 : 1;
        const unsigned count = 3 - pads;
        uint32_t word = 0;
        for (unsigned k = 0; k < 4 - pads; k++) {
            uint32_t value;
            if (!value_of(text.ptr[i + k], &value)) return false;
            word |= value << (18 - 6 * k);
        }
        if ((word & ((UINT32_C(1) << (8 * pads)) - 1)) != 0) return false; /* spare bits */
        if (most - at < count) return false;
        for (unsigned k = 0; k < count; k++) {
            out[at++] = (uint8_t)(word >> (16 - 8 * k));
        }
    }
    *ret_len = at;
    return true;
}
