/* telling: an event as a line of the activity log: who, what, towards whom.
 * SPDX-License-Identifier: MIT
 * Names are those of the moment the state is of; what is gone from the state is told from the event
 * that made it. What is sealed is opened with the vault; what can no longer be opened says so.
 * Threads: the worker's. */
#ifndef CH_DAEMON_TELLING_H
#define CH_DAEMON_TELLING_H
#include "daemon/log/reader.h"
#include "schema/base/arena.h"
#include "schema/base/buf.h"
#include "schema/event.h"

struct ch_receipts;
struct ch_state;
struct ch_vault;

/* What is told from; borrowed. Texts made live in the arena. */
struct ch_telling {
    const struct ch_state *state;
    struct ch_vault *vault;
    struct ch_reader *reader;
    struct ch_arena *arena;
    const struct ch_receipts *receipts; /* what receipts are made with; NULL: none are */
};

/* The section in which an event is told. */
struct ch_text ch_tell_section(const struct ch_event *event);

/* Who an actor is, in words: "Ann Miller (ann)", "erased user #7". False: it failed, why says so.
 * */
CH_MUST_USE bool ch_tell_actor(const struct ch_telling *telling, const struct ch_actor *actor,
                               struct ch_text *ret, struct ch_why *why);

/* Fills in user and details.
 * body:  the event's own, to which its sealed texts are added
 * event: its bytes must not be the reader's, which reads others on the way
 * False: it failed, why says so. */
CH_MUST_USE bool ch_tell(const struct ch_telling *telling, struct ch_event *event,
                         union ch_event_body *body, struct ch_rec_activity_row *ret,
                         struct ch_why *why);
#endif
