/* buf: see buf.h. SPDX-License-Identifier: MIT */
#include "schema/base/buf.h"

#include <stdlib.h>
#include <string.h>

void ch_buf_deinit(struct ch_buf *buf)
{
    if (buf == NULL) return;
    free(buf->ptr);
    *buf = (struct ch_buf){0};
}

void ch_buf_wipe(struct ch_buf *buf)
{
    if (buf->ptr != NULL) explicit_bzero(buf->ptr + buf->len, buf->cap - buf->len);
}

bool ch_buf_reserve(struct ch_buf *buf, size_t more)
{
    if (buf->failed) return false;
    if (buf->cap - buf->len >= more) return true;
    if (more > SIZE_MAX / 4 - buf->len) {
        buf->failed = true;
        return false;
    }
    size_t cap = buf->cap < 256 ? 256 : buf->cap;
    while (cap - buf->len < more) {
        cap *= 2;
    }
    uint8_t *ptr = realloc(buf->ptr, cap);
    if (ptr == NULL) {
        buf->failed = true;
        return false;
    }
    buf->ptr = ptr;
    buf->cap = cap;
    return true;
}
