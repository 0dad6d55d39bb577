/* sp_frame: see sp_frame.h. SPDX-License-Identifier: MIT */
#include "daemon/edge/sp_frame.h"

enum { LENGTH_BYTES = 8, IPC_MESSAGE = 1, LAST_WORD = 0x80 };

const uint8_t ch_sp_greeting[CH_SP_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

static const uint8_t greeting_of_req[CH_SP_GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

bool ch_sp_greets(const uint8_t greeting[CH_SP_GREETING_BYTES])
{
    return memcmp(greeting, greeting_of_req, CH_SP_GREETING_BYTES) == 0;
}

enum ch_sp_verdict ch_sp_read(bool is_ipc, struct ch_bytes in, size_t payload_max,
                              struct ch_sp_frame *ret)
{
    const size_t head = is_ipc ? LENGTH_BYTES + 1 : LENGTH_BYTES;
    const size_t most = payload_max == 0 || payload_max > SIZE_MAX / 8 ? SIZE_MAX / 8 : payload_max;
    if (is_ipc && in.len > 0 && in.ptr[0] != IPC_MESSAGE) return CH_SP_NO_FRAME;
    if (in.len < head) return CH_SP_PART;
    const uint64_t declared = ch_get_be64(in.ptr + head - LENGTH_BYTES);
    if (declared > most + CH_SP_BACKTRACE_BYTES_MAX) return CH_SP_NO_FRAME;
    const size_t len = (size_t)declared;
    if (in.len - head < len) return CH_SP_PART;
    const uint8_t *body = in.ptr + head;
    ret->bytes = head + len;
    for (size_t at = 0; at < CH_SP_BACKTRACE_BYTES_MAX; at += CH_SP_WORD_BYTES) {
        if (len - at < CH_SP_WORD_BYTES) return CH_SP_NO_FRAME;
        if ((body[at] & LAST_WORD) == 0) continue;
        const size_t words = at + CH_SP_WORD_BYTES;
        if (len - words > most) return CH_SP_NO_FRAME;
        ret->backtrace = (struct ch_bytes){.ptr = body, .len = words};
        ret->payload = (struct ch_bytes){.ptr = body + words, .len = len - words};
        return CH_SP_WHOLE;
    }
    return CH_SP_TOO_FAR;
}

size_t ch_sp_put_head(bool is_ipc, uint64_t body_bytes, uint8_t out[CH_SP_HEAD_BYTES_MAX])
{
    size_t at = 0;
    if (is_ipc) out[at++] = IPC_MESSAGE;
    ch_put_be64(out + at, body_bytes);
    return at + LENGTH_BYTES;
}
