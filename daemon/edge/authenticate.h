/* authenticate: who speaks. SPDX-License-Identifier: MIT
 * Kinds: peer (the uid of an ipc peer: the operator, or a service), as (an operator or a service
 * acts for a user or a key), key and session (whoever has the secret, over any transport). */
#ifndef CH_EDGE_AUTHENTICATE_H
#define CH_EDGE_AUTHENTICATE_H
#include "daemon/core/decide.h"
#include "daemon/host/config.h"

/* Finds the actor and the channel of a request in the state that it asks about.
 * peer_uid: of the ipc peer, -1: none; own_uid: the daemon's
 * now:      against which the ends of keys and sessions are judged
 * request:  auth_user.hash must be in place where auth names a user, auth_secret.hash where it
 *           holds a secret
 * ret:      actor, its row and channel are set; the rest is left as it was
 * errors:   CH_ERR_AUTH_REFUSED */
CH_MUST_USE enum ch_err ch_authenticate(const struct ch_config *config, uint32_t own_uid,
                                        int64_t peer_uid, uint64_t now,
                                        const struct ch_state *state,
                                        const struct ch_request *request, struct ch_moment *ret,
                                        struct ch_why *why);
#endif
