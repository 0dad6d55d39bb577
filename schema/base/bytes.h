/* bytes: borrowed views of memory. SPDX-License-Identifier: MIT
 * A view never owns. It lives as long as what it points into; whoever returns one says what that
 * is. */
#ifndef CH_BASE_BYTES_H
#define CH_BASE_BYTES_H
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ch_bytes {
    const uint8_t *ptr;
    size_t len;
};

/* UTF-8, not NUL-terminated. */
struct ch_text {
    const char *ptr;
    size_t len;
};

/* A view of a string literal or other NUL-terminated text; NULL gives the empty text. */
static inline struct ch_text ch_text_of(const char *chars)
{
    return (struct ch_text){.ptr = chars, .len = chars == NULL ? 0 : strlen(chars)};
}

static inline bool ch_text_equal(struct ch_text a, struct ch_text b)
{
    return a.len == b.len &&
           (a.len == 0 || (a.ptr != NULL && b.ptr != NULL && memcmp(a.ptr, b.ptr, a.len) == 0));
}

static inline bool ch_text_is(struct ch_text a, const char *chars)
{
    return ch_text_equal(a, ch_text_of(chars));
}

static inline bool ch_bytes_equal(struct ch_bytes a, struct ch_bytes b)
{
    return a.len == b.len &&
           (a.len == 0 || (a.ptr != NULL && b.ptr != NULL && memcmp(a.ptr, b.ptr, a.len) == 0));
}

/* Big-endian and little-endian, for keys and file formats; whole words, for a load of what was just
 * stored byte by byte waits for it. */
static inline void ch_put_be64(uint8_t out[8], uint64_t value)
{
    const uint64_t word = htobe64(value);
    memcpy(out, &word, sizeof word);
}

static inline uint64_t ch_get_be64(const uint8_t in[8])
{
    uint64_t word;
    memcpy(&word, in, sizeof word);
    return be64toh(word);
}

static inline void ch_put_le64(uint8_t out[8], uint64_t value)
{
    const uint64_t word = htole64(value);
    memcpy(out, &word, sizeof word);
}

static inline uint64_t ch_get_le64(const uint8_t in[8])
{
    uint64_t word;
    memcpy(&word, in, sizeof word);
    return le64toh(word);
}

static inline void ch_put_le32(uint8_t out[4], uint32_t value)
{
    const uint32_t word = htole32(value);
    memcpy(out, &word, sizeof word);
}

static inline uint32_t ch_get_le32(const uint8_t in[4])
{
    uint32_t word;
    memcpy(&word, in, sizeof word);
    return le32toh(word);
}
#endif
