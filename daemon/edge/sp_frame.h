/* sp_frame: the bytes of the scalability protocols, as nng speaks them. SPDX-License-Identifier:
 * MIT Pure. On connect both sides send eight bytes: 00 'S' 'P' 00, the protocol as be16, 00 00.
 * Then each message is a frame: over ipc 0x01, the length as be64, the body; over tcp the same
 * without the 0x01. The body of a request is a backtrace of be32 words, of which the last has bit
 * 31 set and is the request's id (a device between puts the id of its connection before it), then
 * the payload. A reply repeats the backtrace. source: the SP RFCs sp-tcp-mapping-01 and
 * sp-request-reply-01; nng 1.5.2 for ipc */
#ifndef CH_EDGE_SP_FRAME_H
#define CH_EDGE_SP_FRAME_H
#include "schema/base/bytes.h"

enum {
    CH_SP_GREETING_BYTES = 8,
    CH_SP_HEAD_BYTES_MAX = 9,
    CH_SP_WORD_BYTES = 4,
    CH_SP_WORDS_MAX = 8, /* of a backtrace; nng's own limit of hops */
    CH_SP_BACKTRACE_BYTES_MAX = CH_SP_WORDS_MAX * CH_SP_WORD_BYTES,
};

enum ch_sp_verdict {
    CH_SP_PART,     /* more bytes are needed */
    CH_SP_WHOLE,    /* a request */
    CH_SP_TOO_FAR,  /* a whole frame that passed too many devices: to be left out */
    CH_SP_NO_FRAME, /* not the protocol, or longer than allowed: to be disconnected */
};

struct ch_sp_frame {
    size_t bytes; /* with its head */
    struct ch_bytes backtrace;
    struct ch_bytes payload;
};

/* What a REP socket says first. */
extern const uint8_t ch_sp_greeting[CH_SP_GREETING_BYTES];

/* Is it what a REQ socket says first? */
bool ch_sp_greets(const uint8_t greeting[CH_SP_GREETING_BYTES]);

/* Reads the frame at the begin of `in`.
 * payload_max: longer ones are CH_SP_NO_FRAME as soon as their head is there; 0: unlimited
 * ret:         views of `in`; filled where the answer is CH_SP_WHOLE, `bytes` also at CH_SP_TOO_FAR
 */
enum ch_sp_verdict ch_sp_read(bool is_ipc, struct ch_bytes in, size_t payload_max,
                              struct ch_sp_frame *ret);

/* Writes the head of a frame; returns its length. */
size_t ch_sp_put_head(bool is_ipc, uint64_t body_bytes, uint8_t out[CH_SP_HEAD_BYTES_MAX]);
#endif
