/* use: when shares were last used and certified, and what follows. SPDX-License-Identifier: MIT
 * A share is used by a command that its subject, of a group any member, sends for an account where
 * the share counts, and by a check that it allows; a person's own also where it makes them a member
 * of the group whose share is used. Commands are events of their own; of checks the
 * log learns once a day, by access_used. Both leave the UTC day in the share's row, which is not
 * `changed` by it: an answer that tells of use waits for all that is decided, so that no check has
 * to wait for the commands of whom it asks about. */
#ifndef CH_CORE_USE_H
#define CH_CORE_USE_H
#include "daemon/core/reputation.h"
#include "schema/event.h"

static inline uint32_t ch_day_in(uint32_t day) /* without the bit */
{
    return day & ~CH_DAY_GIVEN;
}

/* The account, itself or above, that says how often its shares are to be certified: the one with
 * the shortest time, of equal ones the nearest. 0: none */
uint32_t ch_review_account(const struct ch_state *state, uint32_t account);
uint32_t ch_review_days(const struct ch_state *state, uint32_t account); /* 0: none */

/* Days since a share was last used, or was given or made active. */
uint32_t ch_unused_days(const struct ch_row_share *share, uint64_t now);
/* The day from which a share is to be certified; every_days: of its account, 0: never. 0: it need
 * not be. The owner's need not, for nobody decides of it. */
uint32_t ch_due_day(const struct ch_state *state, uint32_t share, uint32_t every_days);

/* For apply, behind an event's own effect: notes what the actor used. Room: ch_uses_room. */
void ch_note_use(struct ch_state *state, const struct ch_event *event);
/* For a part of a state: the same of the shares of one account alone. The event itself need not fit
 * the part, but the account that it is meant for is there, with those above it. */
uint64_t ch_account_meant(const struct ch_event *event); /* an id; 0: none */
void ch_note_use_of(struct ch_state *state, const struct ch_event *event, uint32_t account);
uint64_t ch_uses_room(const struct ch_state *state); /* bytes of the journal, for one command */

/* Before an event is applied: the accounts whose shares' use it may note, so that of no others it
 * does. Ids; one may stand twice. */
enum { CH_USED_MOST = 80 };
struct ch_used {
    uint64_t account[CH_USED_MOST];
    uint32_t count;
    uint32_t over; /* 1: of these accounts more is used than one command notes */
};
void ch_used_by(const struct ch_state *before, const struct ch_event *event, struct ch_used *ret);
#endif
