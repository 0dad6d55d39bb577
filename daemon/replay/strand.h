/* strand: a past state that holds only what a few questions need. SPDX-License-Identifier: MIT
 * Most answers are decided by few of the log's events. What somebody may do on an account: what
 * holds for the whole log, what holds on the account and those above it, and what the user or key
 * and the groups they are in are and have there. Who has to do with an account: its shares, groups
 * and keys, and what the users among them are. Its settings, its credits: those of its tree.
 * touched.h puts each of these in a stream of its own, so that the events of these streams alone,
 * applied in their order, give the answer that the whole log gives. strand_ask.c says for each
 * query which it needs.
 * The streams are found by following what the events name: the accounts above, the groups, where
 * facts are told also the owner and whoever caused them. An event about somebody else's rights, or
 * on an account elsewhere, is left out.
 * Where that would not be exact it is not done, and the answer is found from the whole log, by the
 * same code and with the same bytes: a name that led elsewhere then, an account half dissolved,
 * somebody who is shown to the asker only for their shares elsewhere, more people or accounts than
 * a strand follows.
 * No answer depends on the numbers of rows: in a part of the log they are others.
 * A few states are kept, so that a later question of the same strand goes on from there.
 * Threads: belongs to the worker. */
#ifndef CH_REPLAY_STRAND_H
#define CH_REPLAY_STRAND_H
#include "daemon/core/state.h"
#include "schema/event.h"
#include "schema/request.h"

struct ch_reader;
struct ch_streams;
struct ch_strands; /* opaque */

/* What is asked, and by whom: who asks now. */
struct ch_strand_asked {
    const struct ch_request *request;
    struct ch_actor asker;
};

/* After an event was applied: opens what of it is sealed, if that is kept; as
 * ch_directory_learn. */
typedef enum ch_err ch_strand_learn(void *arg, struct ch_state *state, const struct ch_event *event,
                                    struct ch_why *why);

/* All borrowed; must outlive it. */
struct ch_strands_options {
    struct ch_streams *streams;
    struct ch_reader *reader;
    ch_strand_learn *learn; /* NULL: names stay closed */
    void *arg;
};
/* errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_strands_create(const struct ch_strands_options *options,
                                          struct ch_strands **ret, struct ch_why *why);
void ch_strands_destroy(struct ch_strands *strands); /* NULL is a no-op */
/* Forgets every state that is kept; also after a key was destroyed. */
void ch_strands_clear(struct ch_strands *strands);

/* The state in which the request is answered as in the whole one at `seq`; NULL: it takes the whole
 * one, also where something of the log or the index could not be read, which the other way tells.
 * head: the present state, at seq or later; names are looked up there
 * most: not worth it beyond so many events
 * ret:  good until the next call */
const struct ch_state *ch_strands_at(struct ch_strands *strands,
                                     const struct ch_strand_asked *asked,
                                     const struct ch_state *head, uint64_t seq, uint64_t most);

/* Of the last answer of ch_strands_at: events in its streams, and how many of them were read for
 * it. */
uint64_t ch_strands_events(const struct ch_strands *strands);
uint64_t ch_strands_read(const struct ch_strands *strands);
#endif
