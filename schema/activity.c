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

static const struct {
    const char *noun;
    const char *section;
} sections[] = {
#define SECTION(name, words) {#name, (words)},
#include "schema/sections.def"
};
/* clang-format on */

bool ch_activity_is_act(uint16_t tag)
{
    CH_CHECK(tag < CH_EVENT_TAGS);
    const char *path = ch_activities[tag].path;
    return path == NULL || path[0] != '\0';
}

static size_t put(char out[CH_ACTIVITY_PATH_BYTES], size_t at, const char *words)
{
    const size_t len = strlen(words);
    CH_CHECK(at + len <= CH_ACTIVITY_PATH_BYTES);
    memcpy(out + at, words, len); /* NOLINT(bugprone-not-null-terminated-result): has a length */
    return at + len;
}

static const char *section_of(const char *name)
{
    const char *end = strchr(name, '_');
    const size_t len = end == NULL ? strlen(name) : (size_t)(end - name);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strlen(sections[i].noun) == len && memcmp(sections[i].noun, name, len) == 0) {
            return sections[i].section;
        }
    }
    return "Other";
}

size_t ch_activity_path(uint16_t tag, char out[CH_ACTIVITY_PATH_BYTES])
{
    CH_CHECK(tag < CH_EVENT_TAGS && ch_events[tag].record.name != NULL);
    if (ch_activities[tag].path != NULL) return put(out, 0, ch_activities[tag].path);
    return ch_activity_path_of_name(ch_events[tag].record.name, out);
}

size_t ch_activity_path_of_name(const char *name, char out[CH_ACTIVITY_PATH_BYTES])
{
    size_t len = put(out, put(out, 0, section_of(name)), " > ");
    const size_t first = len;
    len = put(out, len, name);
    for (size_t i = first; i < len; i++) {
        if (out[i] == '_') out[i] = ' ';
    }
    if (out[first] >= 'a' && out[first] <= 'z') out[first] = (char)(out[first] - 'a' + 'A');
    return len;
}

const struct ch_field *ch_activity_object(uint16_t tag, bool *ret_made)
{
    const struct ch_record *record = &ch_events[tag].record;
    const char *object = ch_activities[tag].object;
    *ret_made = object != NULL && strcmp(object, "made") == 0;
    for (uint16_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (object == NULL) {
            if (!field->list && ch_kinds[field->kind].form == CH_FORM_ID) return field;
        } else if (strcmp(field->name, object) == 0) {
            return field;
        }
    }
    return NULL;
}
