/* activity: how the activity log tells an event, from the rows ACTIVITY of events.def.
 * SPDX-License-Identifier: MIT */
#ifndef CH_SCHEMA_ACTIVITY_H
#define CH_SCHEMA_ACTIVITY_H
#include "schema/records.h"

enum { CH_ACTIVITY_PATH_BYTES = 256 };

struct ch_activity_row {
    const char *path;   /* "Section > Action"; empty: nobody's act; NULL: it has no row */
    const char *object; /* the name of a field; "made": the thing it makes; "none" */
};
extern const struct ch_activity_row ch_activities[CH_EVENT_TAGS]; /* by tag */

/* Whether an event is an act of somebody's, to be told at all. */
bool ch_activity_is_act(uint16_t tag);

/* The path of an event. Returns its length. */
size_t ch_activity_path(uint16_t tag, char out[CH_ACTIVITY_PATH_BYTES]);
/* The path of an event that has no row: its section by the noun of its name, then its name. */
size_t ch_activity_path_of_name(const char *name, char out[CH_ACTIVITY_PATH_BYTES]);

/* The field that says towards whom; of an event without a row, its first field that is an id of a
 * thing. NULL: none, or the thing made, then *ret_made is true. */
const struct ch_field *ch_activity_object(uint16_t tag, bool *ret_made);
#endif
