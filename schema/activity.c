/* activity: see activity.h. SPDX-License-Identifier: MIT */
#include "schema/activity.h"

#include "schema/base/check.h"

/* clang-format off */
const struct ch_activity_row ch_activities[CH_EVENT_TAGS] = {
#define EVENT_BEGIN(name, tag, makes, text)
#define EVENT_END(name)
#include "schema/words_none.h"
#undef ACTIVITY
#define ACTIVITY(event, words, thing) [CH_EV_##event] = {.path = (words), .object = #thing},
#include "schema/events.def"
};
/* clang-format on */

bool ch_activity_is_act(uint16_t tag)
{
    return ch_activity_path(tag).len > 0;
}

struct ch_text ch_activity_path(uint16_t tag)
{
    CH_CHECK(tag < CH_EVENT_TAGS && ch_activities[tag].path != NULL);
    return ch_text_of(ch_activities[tag].path);
}

const struct ch_field *ch_activity_object(uint16_t tag, bool *ret_made)
{
    const struct ch_record *record = &ch_events[tag].record;
    const char *object = ch_activities[tag].object;
    CH_CHECK(object != NULL);
    *ret_made = strcmp(object, "made") == 0;
    for (uint16_t i = 0; i < record->count; i++) {
        if (strcmp(record->fields[i].name, object) == 0) return &record->fields[i];
    }
    return NULL;
}
