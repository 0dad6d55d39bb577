/* ask: one call to the daemon, and what to tell when it does not go well. SPDX-License-Identifier:
 * MIT */
#ifndef CH_CHARTER_ASK_H
#define CH_CHARTER_ASK_H
#include "client/include/charter/charter.h"
#include "schema/base/buf.h"
#include "tools/charter/options.h"

/* The daemon's address: of --connect, of the environment, or the usual one. */
const char *ask_url(const struct options *o);

/* Connects as the options say; a failure is told. in_flight: 0: one at a time */
enum exit_code ask_connect(const struct options *o, unsigned in_flight, struct charter **ret);

/* The message's head as the options say; its texts are borrowed from them. */
struct charter_head ask_head(const struct options *o);

/* The moment that a head asks about: a seq, of which 0 is before the first event, or a time.
 * as_of: borrowed by the head */
void ask_as_of(struct charter_head *head, const char *as_of);

/* Sends one call and waits.
 * pairs, count: its arguments as msgpack pairs
 * on:           whether the call takes the account of --on
 * ret:          a reply whose only result is CHARTER_RESULT; release with charter_reply_destroy
 * returns:      EXIT_DONE, or EXIT_REJECTED, EXIT_FAILED: told on standard error */
enum exit_code ask_call(struct charter *c, const struct options *o, const char *type, bool on,
                        const struct ch_buf *pairs, size_t count, struct charter_reply **ret);

/* Tells a failure; EXIT_FAILED. */
enum exit_code ask_tell_error(const struct charter_error *error);
/* Tells a rejection (EXIT_REJECTED) or a call's failure (EXIT_FAILED). */
enum exit_code ask_tell_no(const struct charter_result *result);
#endif
