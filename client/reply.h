/* reply: the inside of a reply that was read. SPDX-License-Identifier: MIT */
#ifndef CH_CLIENT_REPLY_H
#define CH_CLIENT_REPLY_H
#include "client/include/charter/charter.h"
#include "schema/base/bytes.h"

/* Reads a reply; copies it. id: 16 bytes that it must answer. Returns 0 or a wire number: also the
 * failure that the daemon answers the whole message with. */
int ch_client_reply_read(struct ch_bytes bytes, const uint8_t *id, struct charter_reply **ret,
                         struct charter_error *error);

/* Whether it answers the whole message with busy, and the wait that it asks for. */
bool ch_client_reply_busy(struct ch_bytes bytes, uint64_t *ret_retry_ms);
#endif
