/* authenticate: who speaks. SPDX-License-Identifier: MIT
 * Kinds here: peer (the uid of an ipc peer: the operator, or a service) and as (an operator or a
 * service acts for a user). The others are refused by name when the request is read. */
#ifndef CH_EDGE_AUTHENTICATE_H
#define CH_EDGE_AUTHENTICATE_H
#include "daemon/core/decide.h"
#include "daemon/host/config.h"

/* Finds the actor and the channel of a request in the state that it asks about.
 * peer_uid: of the ipc peer, -1: none; own_uid: the daemon's
 * request:  auth_user.hash must be in place where auth names a user
 * ret:      actor, user_row and channel are set; the rest is left as it was
 * errors:   CH_ERR_AUTH_REFUSED */
CH_MUST_USE enum ch_err ch_authenticate(const struct ch_config *config, uint32_t own_uid,
                                        int64_t peer_uid, const struct ch_state *state,
                                        const struct ch_request *request, struct ch_moment *ret,
                                        struct ch_why *why);
#endif
