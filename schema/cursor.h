/* cursor: reads msgpack, bounds-checked, from untrusted bytes. SPDX-License-Identifier: MIT
 * Every reader has a sticky `err`: after the first failure it reads zeros and empty views, so a
 * caller checks once, at the end. Depth is bounded by LIMIT_DEPTH where values are skipped. With
 * `canonical` set, only the shortest form of each integer and length is taken. msgpack-c packs; it
 * does not read here: it maps 2 GiB for five bytes and takes duplicate keys. source:
 * github.com/msgpack/msgpack/blob/master/spec.md */
#ifndef CH_SCHEMA_CURSOR_H
#define CH_SCHEMA_CURSOR_H
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_cursor {
    const uint8_t *at;
    const uint8_t *end;
    enum ch_err err; /* CH_ERR_UNDECODABLE (ends early, bad byte), CH_ERR_WRONG_KIND */
    bool canonical;
};

enum ch_value_kind {
    CH_VALUE_END, /* nothing left, or failed */
    CH_VALUE_NIL,
    CH_VALUE_BOOL,
    CH_VALUE_UINT,
    CH_VALUE_NEGATIVE,
    CH_VALUE_FLOAT,
    CH_VALUE_TEXT,
    CH_VALUE_BIN,
    CH_VALUE_ARRAY,
    CH_VALUE_MAP,
    CH_VALUE_EXT,
};

static inline struct ch_cursor ch_cursor_of(struct ch_bytes bytes)
{
    /* NULL + 0 is undefined in C17. */
    return (struct ch_cursor){.at = bytes.ptr,
                              .end = bytes.len == 0 ? bytes.ptr : bytes.ptr + bytes.len};
}

/* What stands next; does not move. */
enum ch_value_kind ch_cursor_peek(const struct ch_cursor *c);

void ch_read_nil(struct ch_cursor *c);
bool ch_read_bool(struct ch_cursor *c);
uint64_t ch_read_uint(struct ch_cursor *c);
struct ch_text ch_read_text(struct ch_cursor *c);   /* borrowed; not checked for UTF-8 */
struct ch_bytes ch_read_bytes(struct ch_cursor *c); /* borrowed */
/* Items, or pairs; never more than bytes are left. */
uint32_t ch_read_array(struct ch_cursor *c);
uint32_t ch_read_map(struct ch_cursor *c);

/* The whole next value, whatever it is; borrowed. */
struct ch_bytes ch_read_value(struct ch_cursor *c);

static inline size_t ch_cursor_left(const struct ch_cursor *c)
{
    return (size_t)(c->end - c->at);
}
#endif
