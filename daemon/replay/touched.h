/* touched: which streams an event belongs to. SPDX-License-Identifier: MIT
 * An account's: events whose account it is, that name it or made it. A user's and a group's: events
 * that name them or made them, and every event of a share that is theirs. Not a user's: what they
 * did to others, and what follows from an event by cascade (whose membership a deleted group
 * ends).
 * The others are the events that decide certain answers, and those alone, so that a question about
 * the past reads no others (strand.h). Rights: every event that changes what access.h reads is in
 * one of three: what holds for the whole log; what holds on one account for everybody; and what one
 * user, group or key is and has. A membership is its user's, not its group's. People: what an
 * account's shares, groups and keys are. Settings: an account's own. Below: what the accounts right
 * below it are called and have switched on. Credits: the plans of a tree with all that was given
 * and used, and its accounts. Logins: when a user logged in. The rest is named where it stands.
 * A new event has its row in touched.c, or it does not compile. */
#ifndef CH_REPLAY_TOUCHED_H
#define CH_REPLAY_TOUCHED_H
#include "daemon/core/state.h"
#include "daemon/log/streams.h"
#include "schema/event.h"

/* The kinds of streams, the top byte of their keys; numbers stand in files: with a new kind, or
 * another sense of one, CH_STREAMS_VERSION goes up, and the index is made anew. */
enum ch_touch {
    CH_TOUCH_ACCOUNT = 1,
    CH_TOUCH_USER = 2,
    CH_TOUCH_GROUP = 3,
    CH_TOUCH_SYSTEM = 4,     /* scopes, masks, pages, roles that are built in; the id is 1 */
    CH_TOUCH_PLACE = 5,      /* of an account: its own standing, roles, guardrail, owner, plan */
    CH_TOUCH_RIGHTS = 6,     /* of a user, a group or a key */
    CH_TOUCH_PEOPLE = 7,     /* of an account: its shares, groups and keys */
    CH_TOUCH_SETTINGS = 8,   /* of an account */
    CH_TOUCH_CREDITS = 9,    /* of a root */
    CH_TOUCH_LOGINS = 10,    /* of a user */
    CH_TOUCH_BELOW = 11,     /* of an account: those right below it */
    CH_TOUCH_SET = 12,       /* of an account: all but traffic; its last event alone is asked for */
    CH_TOUCH_LIMITS = 13,    /* the log's limits; the id is 1 */
    CH_TOUCH_OFFERS = 14,    /* of a user: of ownership, to them */
    CH_TOUCH_SESSIONS = 15,  /* of a user */
    CH_TOUCH_REQUESTS = 16,  /* of an account, or of a user: for access */
    CH_TOUCH_CAMPAIGNS = 17, /* of an account: submitted ones */
    CH_TOUCH_MAIL = 18,      /* of an account: what was counted, thresholds, stopped streams */
    CH_TOUCH_FEEDS = 19,     /* of an account: what it feeds to those below it */
    CH_TOUCH_TREE = 20,      /* of a root: what accounts there are */
    CH_TOUCH_LIST = 21,      /* of an account: its unsubscribe list */
    CH_TOUCH_MADE = 22,      /* of a user: what they made that may be there yet */
    CH_TOUCH_USES = 23,      /* of an account: when its shares were used and certified */
    CH_TOUCH_OVERUSED = 24,  /* of an account: by a command that used more than is noted */
};

/* before: the state in which the event is applied next; it knows whose a share is
 * returns how many keys there are; one may stand twice */
size_t ch_touched(const struct ch_state *before, const struct ch_event *event,
                  uint64_t keys[CH_STREAMS_KEYS]);

/* Whether events of the tag say what a user is, wherever they were caused. */
bool ch_touched_is_of_user(uint16_t tag);
/* Whether they say what the accounts of a tree are, have as settings or lists, or use. */
bool ch_touched_is_of_tree(uint16_t tag);
/* Whether they say what was counted of mail, or stopped; the key that they name may be gone. */
bool ch_touched_is_of_mail(uint16_t tag);
#endif
