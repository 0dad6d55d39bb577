/* sending: may this content go out? One function for campaign.send and its query.
 * SPDX-License-Identifier: MIT
 * By the sender's own right on the list; or, for one who may submit the campaign, by an approval
 * of this very content, from somebody who may send it to this list at the moment of the question:
 * so an approval lapses with the right of who gave it, and is given anew by another. No approval
 * lets a master key transmit, nor mail go out that is stopped. */
#ifndef CH_CORE_SENDING_H
#define CH_CORE_SENDING_H
#include "daemon/core/access.h"

struct ch_sending {
    uint32_t user; /* rows; neither user nor key: the operator */
    uint32_t key;
    uint32_t account;
    struct ch_text campaign;
    struct ch_text list;
    struct ch_bytes content_hash;
    uint8_t channel;
    uint64_t now;
};

/* granted, approved; or not_granted, not_approved, approval_void, or why the right is taken away.
 * read_seq: newest change of what was read is added */
enum ch_reason ch_may_send(const struct ch_state *state, const struct ch_sending *sending,
                           uint64_t *read_seq);

/* Whether this user may approve it: has campaigns.approve on the campaign and campaigns.send on at
 * least one list. */
bool ch_may_approve(const struct ch_state *state, uint32_t user, uint32_t account,
                    struct ch_text campaign, uint64_t now, uint64_t *read_seq);
#endif
