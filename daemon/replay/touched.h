/* touched: which streams an event belongs to. SPDX-License-Identifier: MIT
 * An account's: events whose account it is, that name it or made it. A user's and a group's: events
 * that name them or made them, and every event of a share that is theirs. Not a user's: what they
 * did to others, and what follows from an event by cascade (whose membership a deleted group
 * ends).
 * Three more are the events that decide about rights, and those alone, so that a question about the
 * past reads no others (strand.h); every event that changes what access.h reads is in one of them:
 * what holds for the whole log; what holds on one account for everybody; and what one user, group
 * or key is and has. A membership is its user's, not its group's. */
#ifndef CH_REPLAY_TOUCHED_H
#define CH_REPLAY_TOUCHED_H
#include "daemon/core/state.h"
#include "daemon/log/streams.h"
#include "schema/event.h"

/* The kinds of streams, the top byte of their keys; numbers stand in files. */
enum ch_touch {
    CH_TOUCH_ACCOUNT = 1,
    CH_TOUCH_USER = 2,
    CH_TOUCH_GROUP = 3,
    CH_TOUCH_SYSTEM = 4, /* scopes, masks, roles that are built in; the id is 1 */
    CH_TOUCH_PLACE = 5,  /* of an account: its own standing, roles, guardrail, owner, plan */
    CH_TOUCH_RIGHTS = 6, /* of a user, a group or a key */
};

/* before: the state in which the event is applied next; it knows whose a share is
 * returns how many keys there are; one may stand twice */
size_t ch_touched(const struct ch_state *before, const struct ch_event *event,
                  uint64_t keys[CH_STREAMS_KEYS]);
#endif
