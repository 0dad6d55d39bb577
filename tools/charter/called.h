/* called: the names of ids, asked for once each. SPDX-License-Identifier: MIT
 * What an event tells of names is learned from it; the rest is asked of the daemon when it is shown
 * first: the names are those of now. What has none, or none any more, stays an id. */
#ifndef CH_CHARTER_CALLED_H
#define CH_CHARTER_CALLED_H
#include "client/include/charter/charter.h"
#include "tools/charter/options.h"

struct called; /* opaque */

/* c, o: borrowed. NULL when out of memory. */
struct called *called_create(struct charter *c, const struct options *o);
void called_destroy(struct called *called); /* NULL is a no-op */

/* What an event of events.read tells of names. */
void called_event(struct called *called, struct charter_bytes event);
/* prefix: of the id's kind: "usr", "acc", "grp", "rol", "key", "shr", ...
 * returns: NULL: it has no name; until the next call, which may learn another */
const char *called_name(struct called *called, const char *prefix, uint64_t id);
#endif
