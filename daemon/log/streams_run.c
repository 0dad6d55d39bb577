/* streams_run: see streams_run.h. SPDX-License-Identifier: MIT */
#include "daemon/log/streams_run.h"

#include "daemon/log/crc.h"
#include "daemon/log/streams.h"

enum { BLOCK_BYTES = 4096, CRC_AT = 12, COVERED_AT = 16, VARINT_MOST = 10 };
static const char magic[8] = {'c', 'h', 's', 't', 'r', 'e', 'a', 'm'};

static void put(struct ch_buf *buf, uint64_t value)
{
    uint8_t bytes[VARINT_MOST];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    ch_buf_put(buf, bytes, len);
}

static size_t size_of(uint64_t value)
{
    size_t len = 1;
    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}

/* Takes a number off the front; false when there is none. */
static bool take(struct ch_bytes *bytes, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < VARINT_MOST && i < bytes->len; i++) {
        value |= (uint64_t)(bytes->ptr[i] & 0x7f) << (7 * i);
        if (bytes->ptr[i] >= 0x80) continue;
        bytes->ptr += i + 1;
        bytes->len -= i + 1;
        *ret = value;
        return true;
    }
    return false;
}

/* By bytes of the key, from the lowest: ids are small, so most bytes are all equal and skipped. */
void ch_run_sort(struct ch_posting *postings, struct ch_posting *spare, size_t count)
{
    struct ch_posting *from = postings;
    struct ch_posting *to = spare;
    for (unsigned shift = 0; count > 0 && shift < 64; shift += 8) {
        size_t places[256] = {0};
        for (size_t i = 0; i < count; i++) {
            places[from[i].key >> shift & 0xff]++;
        }
        if (places[from[0].key >> shift & 0xff] == count) continue;
        size_t at = 0;
        for (size_t digit = 0; digit < 256; digit++) {
            const size_t here = places[digit];
            places[digit] = at;
            at += here;
        }
        for (size_t i = 0; i < count; i++) {
            to[places[from[i].key >> shift & 0xff]++] = from[i];
        }
        struct ch_posting *other = from;
        from = to;
        to = other;
    }
    if (from != postings) memcpy(postings, from, count * sizeof *postings);
}

void ch_run_write(struct ch_buf *buf, uint64_t first_seq, uint32_t mark,
                  const struct ch_posting *postings, size_t count)
{
    uint8_t head[CH_RUN_HEAD_BYTES] = {0};
    uint64_t keys = 0;
    uint64_t before = 0;
    ch_buf_put(buf, head, sizeof head);
    for (size_t i = 0; i < count && !buf->failed;) {
        const uint64_t key = postings[i].key;
        size_t end = i;
        size_t bytes = 0;
        for (uint64_t last = 0; end < count && postings[end].key == key; end++) {
            bytes += size_of(postings[end].at - last);
            last = postings[end].at;
        }
        put(buf, key - before);
        put(buf, end - i);
        put(buf, bytes);
        for (uint64_t last = 0; i < end; i++) {
            put(buf, postings[i].at - last);
            last = postings[i].at;
        }
        before = key;
        keys++;
    }
    if (buf->failed) return;
    memcpy(head, magic, sizeof magic);
    ch_put_le32(head + 8, CH_STREAMS_VERSION);
    ch_put_le64(head + 16, first_seq);
    ch_put_le64(head + 24, buf->len - sizeof head);
    ch_put_le64(head + 32, keys);
    ch_put_le64(head + 40, mark);
    memcpy(buf->ptr, head, sizeof head);
    const struct ch_bytes covered = {buf->ptr + COVERED_AT, buf->len - COVERED_AT};
    ch_put_le32(buf->ptr + CRC_AT, ch_crc(covered));
}

bool ch_run_head(const uint8_t head[CH_RUN_HEAD_BYTES], uint64_t first_seq, uint64_t *ret_body)
{
    if (memcmp(head, magic, sizeof magic) != 0) return false;
    if (ch_get_le32(head + 8) != CH_STREAMS_VERSION) return false;
    if (ch_get_le64(head + 16) != first_seq) return false;
    *ret_body = ch_get_le64(head + 24);
    return *ret_body <= CH_RUN_BODY_MOST;
}

bool ch_run_check(struct ch_bytes run, struct ch_buf *fences, uint32_t *ret_mark)
{
    const struct ch_bytes covered = {run.ptr + COVERED_AT, run.len - COVERED_AT};
    if (ch_get_le32(run.ptr + CRC_AT) != ch_crc(covered)) return false;
    struct ch_bytes left = {run.ptr + CH_RUN_HEAD_BYTES, run.len - CH_RUN_HEAD_BYTES};
    const uint8_t *const body = left.ptr;
    uint64_t fence_at = 0;
    uint64_t key = 0;
    uint64_t keys = 0;
    while (left.len > 0) {
        uint64_t more;
        uint64_t count;
        uint64_t bytes;
        const uint64_t at = (uint64_t)(left.ptr - body);
        if (!take(&left, &more) || !take(&left, &count) || !take(&left, &bytes)) return false;
        if (bytes > left.len) return false;
        key += more;
        left.ptr += bytes;
        left.len -= bytes;
        if (keys == 0 || at - fence_at >= BLOCK_BYTES) {
            const struct ch_fence fence = {.key = key, .at = at};
            ch_buf_put(fences, &fence, sizeof fence);
            fence_at = at;
        }
        keys++;
    }
    *ret_mark = ch_get_le32(run.ptr + 40);
    return keys == ch_get_le64(run.ptr + 32) && !fences->failed;
}

bool ch_run_find(struct ch_bytes block, uint64_t first_key, uint64_t key, uint64_t first_seq,
                 uint64_t from_seq, uint64_t *seqs, size_t most, size_t *ret_count)
{
    uint64_t at_key = first_key;
    for (bool first = true; block.len > 0; first = false) {
        uint64_t more;
        uint64_t count;
        uint64_t bytes;
        if (!take(&block, &more) || !take(&block, &count) || !take(&block, &bytes)) return false;
        if (bytes > block.len) return false;
        if (!first) at_key += more;
        if (at_key > key) return true;
        if (at_key == key) {
            struct ch_bytes postings = {block.ptr, bytes};
            uint64_t seq = first_seq;
            for (; count > 0 && *ret_count < most; count--) {
                if (!take(&postings, &more)) return false;
                seq += more;
                if (seq - first_seq >= CH_STREAMS_RUN) return false;
                if (seq >= from_seq) seqs[(*ret_count)++] = seq;
            }
            return true;
        }
        block.ptr += bytes;
        block.len -= bytes;
    }
    return true;
}
