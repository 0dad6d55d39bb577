/* touched: which streams an event belongs to. SPDX-License-Identifier: MIT
 * An account's: events whose account it is, that name it or made it. A user's and a group's: events
 * that name them or made them, and every event of a share that is theirs. Not a user's: what they
 * did to others, and what follows from an event by cascade (whose membership a deleted group
 * ends). */
#ifndef CH_REPLAY_TOUCHED_H
#define CH_REPLAY_TOUCHED_H
#include "daemon/core/state.h"
#include "daemon/log/streams.h"
#include "schema/event.h"

/* The kinds of streams, the top byte of their keys; numbers stand in files. */
enum ch_touch { CH_TOUCH_ACCOUNT = 1, CH_TOUCH_USER = 2, CH_TOUCH_GROUP = 3 };

/* before: the state in which the event is applied next; it knows whose a share is
 * returns how many keys there are; one may stand twice */
size_t ch_touched(const struct ch_state *before, const struct ch_event *event,
                  uint64_t keys[CH_STREAMS_KEYS]);
#endif
