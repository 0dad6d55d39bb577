/* cursor: see cursor.h. SPDX-License-Identifier: MIT */
#include "schema/cursor.h"

#include "schema/limits.h"

static void fail(struct ch_cursor *c, enum ch_err err)
{
    if (c->err == CH_OK) c->err = err;
    c->at = c->end;
}

enum ch_value_kind ch_cursor_peek(const struct ch_cursor *c)
{
    if (c->err != CH_OK || c->at == c->end) return CH_VALUE_END;
    const uint8_t b = *c->at;
    if (b < 0x80) return CH_VALUE_UINT;
    if (b < 0x90) return CH_VALUE_MAP;
    if (b < 0xa0) return CH_VALUE_ARRAY;
    if (b < 0xc0) return CH_VALUE_TEXT;
    if (b >= 0xe0) return CH_VALUE_NEGATIVE;
    switch (b) {
    case 0xc0: return CH_VALUE_NIL;
    case 0xc2:
    case 0xc3: return CH_VALUE_BOOL;
    case 0xc4:
    case 0xc5:
    case 0xc6: return CH_VALUE_BIN;
    case 0xca:
    case 0xcb: return CH_VALUE_FLOAT;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return CH_VALUE_UINT;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return CH_VALUE_NEGATIVE; /* a positive value in a signed form is not canonical */
    case 0xd9:
    case 0xda:
    case 0xdb: return CH_VALUE_TEXT;
    case 0xdc:
    case 0xdd: return CH_VALUE_ARRAY;
    case 0xde:
    case 0xdf: return CH_VALUE_MAP;
    case 0xc1: return CH_VALUE_END;
    default: return CH_VALUE_EXT;
    }
}

/* The `bytes` bytes after the head byte, big-endian; moves past both. */
static uint64_t read_be(struct ch_cursor *c, size_t bytes)
{
    if (ch_cursor_left(c) < bytes + 1) {
        fail(c, CH_ERR_UNDECODABLE);
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 1; i <= bytes; i++) {
        value = value << 8 | c->at[i];
    }
    c->at += bytes + 1;
    return value;
}

static uint64_t shortest(struct ch_cursor *c, uint64_t value, uint64_t least)
{
    if (c->canonical && value < least) {
        fail(c, CH_ERR_UNDECODABLE);
        return 0;
    }
    return value;
}

static bool expect(struct ch_cursor *c, enum ch_value_kind kind)
{
    enum ch_value_kind found = ch_cursor_peek(c);
    if (found == kind) return true;
    fail(c, found == CH_VALUE_END ? CH_ERR_UNDECODABLE : CH_ERR_WRONG_KIND);
    return false;
}

void ch_read_nil(struct ch_cursor *c)
{
    if (expect(c, CH_VALUE_NIL)) c->at++;
}

bool ch_read_bool(struct ch_cursor *c)
{
    if (!expect(c, CH_VALUE_BOOL)) return false;
    return *c->at++ == 0xc3;
}

uint64_t ch_read_uint(struct ch_cursor *c)
{
    if (!expect(c, CH_VALUE_UINT)) return 0;
    const uint8_t b = *c->at;
    switch (b) {
    case 0xcc: return shortest(c, read_be(c, 1), 0x80);
    case 0xcd: return shortest(c, read_be(c, 2), 0x100);
    case 0xce: return shortest(c, read_be(c, 4), 0x10000);
    case 0xcf: return shortest(c, read_be(c, 8), 0x100000000u);
    default: c->at++; return b;
    }
}

/* The length of what stands next, by its three length forms, or `small` bits of the head byte. */
static uint64_t read_length(struct ch_cursor *c, uint8_t first, size_t forms, uint8_t mask)
{
    const uint8_t b = *c->at;
    if (b < first || b >= first + forms) {
        c->at++;
        return b & mask;
    }
    const size_t form = (size_t)(b - first) + (3 - forms); /* 0: 8 bits, 1: 16, 2: 32 */
    static const uint64_t least8[3] = {32, 0x100, 0x10000};
    static const uint64_t least16[3] = {0, 16, 0x10000};
    uint64_t least = forms == 3 ? least8[form] : least16[form];
    if (first == 0xc4 && form == 0) least = 0;
    return shortest(c, read_be(c, (size_t)1 << form), least);
}

static const uint8_t *take(struct ch_cursor *c, uint64_t len)
{
    if (c->err != CH_OK) return NULL;
    if (len > ch_cursor_left(c)) {
        fail(c, CH_ERR_UNDECODABLE);
        return NULL;
    }
    const uint8_t *ptr = c->at;
    c->at += len;
    return ptr;
}

struct ch_text ch_read_text(struct ch_cursor *c)
{
    /* Keys, scopes and most texts: 0 to 31 bytes, the length in the head byte. */
    if (c->err == CH_OK && c->at != c->end && (*c->at & 0xe0) == 0xa0) {
        const size_t short_len = *c->at & 0x1f;
        if (short_len < ch_cursor_left(c)) {
            const char *chars = (const char *)c->at + 1;
            c->at += 1 + short_len;
            return (struct ch_text){chars, short_len};
        }
    }
    if (!expect(c, CH_VALUE_TEXT)) return (struct ch_text){0};
    uint64_t len = read_length(c, 0xd9, 3, 0x1f);
    const uint8_t *ptr = take(c, len);
    return ptr == NULL ? (struct ch_text){0} : (struct ch_text){(const char *)ptr, (size_t)len};
}

struct ch_bytes ch_read_bytes(struct ch_cursor *c)
{
    if (!expect(c, CH_VALUE_BIN)) return (struct ch_bytes){0};
    uint64_t len = read_length(c, 0xc4, 3, 0);
    const uint8_t *ptr = take(c, len);
    return ptr == NULL ? (struct ch_bytes){0} : (struct ch_bytes){ptr, (size_t)len};
}

uint32_t ch_read_array(struct ch_cursor *c)
{
    if (!expect(c, CH_VALUE_ARRAY)) return 0;
    uint64_t items = read_length(c, 0xdc, 2, 0x0f);
    if (items > ch_cursor_left(c)) fail(c, CH_ERR_UNDECODABLE);
    return c->err == CH_OK ? (uint32_t)items : 0;
}

uint32_t ch_read_map(struct ch_cursor *c)
{
    if (!expect(c, CH_VALUE_MAP)) return 0;
    uint64_t pairs = read_length(c, 0xde, 2, 0x0f);
    if (pairs > ch_cursor_left(c) / 2) fail(c, CH_ERR_UNDECODABLE);
    return c->err == CH_OK ? (uint32_t)pairs : 0;
}

/* Moves past one head and its bytes; returns how many values follow inside it. */
static uint64_t skip_one(struct ch_cursor *c)
{
    switch (ch_cursor_peek(c)) {
    case CH_VALUE_NIL:
    case CH_VALUE_BOOL: c->at++; return 0;
    case CH_VALUE_UINT: (void)ch_read_uint(c); return 0;
    case CH_VALUE_NEGATIVE:
        if (*c->at >= 0xe0) {
            c->at++;
        } else {
            (void)read_be(c, (size_t)1 << (*c->at - 0xd0));
        }
        return 0;
    case CH_VALUE_FLOAT: (void)read_be(c, *c->at == 0xca ? 4 : 8); return 0;
    case CH_VALUE_TEXT: (void)ch_read_text(c); return 0;
    case CH_VALUE_BIN: (void)ch_read_bytes(c); return 0;
    case CH_VALUE_ARRAY: return ch_read_array(c);
    case CH_VALUE_MAP: return 2 * (uint64_t)ch_read_map(c);
    case CH_VALUE_EXT:
    case CH_VALUE_END: fail(c, CH_ERR_UNDECODABLE); return 0;
    }
    return 0;
}

struct ch_bytes ch_read_value(struct ch_cursor *c)
{
    const uint8_t *start = c->at;
    uint64_t left[16]; /* values still to come at each depth */
    _Static_assert(sizeof left / sizeof left[0] == 16, "LIMIT_DEPTH levels");
    size_t depth = 0;
    left[0] = 1;
    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0) {
                return c->err == CH_OK ? (struct ch_bytes){start, (size_t)(c->at - start)}
                                       : (struct ch_bytes){0};
            }
            depth--;
        }
        left[depth]--;
        uint64_t inside = skip_one(c);
        if (c->err != CH_OK) return (struct ch_bytes){0};
        if (inside == 0) continue;
        if (depth + 1 >= LIMIT_DEPTH) {
            fail(c, CH_ERR_UNDECODABLE);
            return (struct ch_bytes){0};
        }
        left[++depth] = inside;
    }
}
