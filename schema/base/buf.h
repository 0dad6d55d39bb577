/* buf: a byte buffer that grows, with a sticky failure. SPDX-License-Identifier: MIT
 * After the first failed growth it takes nothing more; check `failed` once, at the end. */
#ifndef CH_BASE_BUF_H
#define CH_BASE_BUF_H
#include "schema/base/bytes.h"

struct ch_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    bool failed; /* out of memory; what was appended since is lost */
};

/* A zeroed struct ch_buf is empty and ready. */
void ch_buf_deinit(struct ch_buf *buf); /* NULL and zeroed are no-ops */

static inline void ch_buf_reset(struct ch_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* Clears the memory behind len: what was there is nowhere in it. */
void ch_buf_wipe(struct ch_buf *buf);

/* Makes room for `more` bytes behind len; false (and failed set) when out of memory. */
bool ch_buf_reserve(struct ch_buf *buf, size_t more);

static inline void ch_buf_put(struct ch_buf *buf, const void *ptr, size_t len)
{
    if (buf->cap - buf->len < len && !ch_buf_reserve(buf, len)) return;
    if (len > 0 && buf->ptr != NULL) memcpy(buf->ptr + buf->len, ptr, len);
    buf->len += len;
}

static inline void ch_buf_put_text(struct ch_buf *buf, struct ch_text text)
{
    ch_buf_put(buf, text.ptr, text.len);
}

static inline struct ch_bytes ch_buf_view(const struct ch_buf *buf)
{
    return (struct ch_bytes){.ptr = buf->ptr, .len = buf->len};
}
#endif
