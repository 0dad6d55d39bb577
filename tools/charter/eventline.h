/* eventline: an event for people or programs, with the names of what it is about.
 * SPDX-License-Identifier: MIT */
#ifndef CH_CHARTER_EVENTLINE_H
#define CH_CHARTER_EVENTLINE_H
#include "client/include/charter/charter.h"
#include "tools/charter/options.h"

struct eventline; /* opaque */

enum eventline_format { EVENTLINE_TABLE, EVENTLINE_JSON, EVENTLINE_CSV };

/* Of CSV the header is printed with the first event.
 * c, o: borrowed; names are asked for with them. NULL when out of memory. */
struct eventline *eventline_create(struct charter *c, const struct options *o,
                                   enum eventline_format format);
void eventline_destroy(struct eventline *out); /* NULL is a no-op; ends what was begun */

/* event: a record of events.read. Nothing of it is cut. False: it could not be printed, which is
 * told. */
bool eventline_print(struct eventline *out, struct charter_bytes event);
/* Only the names that it tells. */
void eventline_learn(struct eventline *out, struct charter_bytes event);

/* Whether some event's type is like the pattern. */
bool eventline_knows(const char *pattern, bool (*like)(const char *, struct charter_text));
#endif
