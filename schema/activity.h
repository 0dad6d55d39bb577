/* activity: how the activity log tells an event, from the rows ACTIVITY of events.def.
 * SPDX-License-Identifier: MIT */
#ifndef CH_SCHEMA_ACTIVITY_H
#define CH_SCHEMA_ACTIVITY_H
#include "schema/records.h"

struct ch_activity_row {
    const char *path;   /* "Section > Action"; empty: nobody's act */
    const char *object; /* the name of a field; "made": the thing it makes; "none" */
};
extern const struct ch_activity_row ch_activities[CH_EVENT_TAGS]; /* by tag; each event has one */

/* Whether an event is an act of somebody's, to be told at all. */
bool ch_activity_is_act(uint16_t tag);

/* The path of an event. */
struct ch_text ch_activity_path(uint16_t tag);

/* The field that says towards whom. NULL: none, or the thing made, then *ret_made is true. */
const struct ch_field *ch_activity_object(uint16_t tag, bool *ret_made);
#endif
