/* crc: see crc.h. SPDX-License-Identifier: MIT */
#include "daemon/log/crc.h"

#include "schema/base/check.h"

#include <isa-l/crc.h>
#include <limits.h>

/* libisal needs 20 ns to get going, which is more than most records take: up to this length the
 * processor's own instruction is asked, where it has one. */
enum { SHORT_BYTES = 256 };

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t more_short(uint32_t crc, const uint8_t *ptr,
                                                             size_t len)
{
    uint64_t wide = crc;
    for (; len >= sizeof wide; len -= sizeof wide, ptr += sizeof wide) {
        uint64_t word;
        memcpy(&word, ptr, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; len--) {
        crc = __builtin_ia32_crc32qi(crc, *ptr++);
    }
    return crc;
}

static bool is_short(size_t len)
{
    return len <= SHORT_BYTES && __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t more_short(uint32_t crc, const uint8_t *ptr, size_t len)
{
    return crc32_iscsi((uint8_t *)(uintptr_t)ptr, (int)len, crc);
}

static bool is_short(size_t len)
{
    return len <= SHORT_BYTES;
}
#endif

/* Neither inverts at the start nor at the end, as CRC32C asks. libisal's argument is not const only
 * because its interface is older than the word. */
static uint32_t more(uint32_t crc, const uint8_t *ptr, size_t len)
{
    CH_CHECK(len <= INT_MAX);
    if (is_short(len)) return more_short(crc, ptr, len);
    return crc32_iscsi((uint8_t *)(uintptr_t)ptr, (int)len, crc);
}

uint32_t ch_crc(struct ch_bytes bytes)
{
    return ~more(UINT32_MAX, bytes.ptr, bytes.len);
}

uint32_t ch_crc_more(uint32_t crc, struct ch_bytes bytes)
{
    return ~more(~crc, bytes.ptr, bytes.len);
}

uint32_t ch_crc_record(uint64_t seq, struct ch_bytes record)
{
    uint8_t place[8];
    ch_put_be64(place, seq);
    return ~more(more(UINT32_MAX, place, sizeof place), record.ptr, record.len);
}
