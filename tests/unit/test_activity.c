/* test_activity: every event has its words in the activity log. SPDX-License-Identifier: MIT */
#include "schema/activity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void every_event_has_a_section_and_an_action_or_says_that_it_is_not_told(void **state)
{
    (void)state;
    for (uint16_t tag = 0; tag < (uint16_t)CH_EVENT_TAGS; tag++) {
        const char *name = ch_events[tag].record.name;
        if (name == NULL) continue;
        if (ch_activities[tag].path == NULL) {
            fail_msg("%s has no ACTIVITY row in schema/events.def", name);
        }
        if (!ch_activity_is_act(tag)) continue;
        const char *path = ch_activities[tag].path;
        const char *sign = strstr(path, " > ");
        const char *action = sign == NULL ? "" : sign + 3;
        if (sign == path || action[0] == '\0' || action[0] == ' ') {
            fail_msg("%s is told as '%s'", name, path);
        }
        assert_true(path[0] >= 'A' && path[0] <= 'Z' && action[0] >= 'A' && action[0] <= 'Z');
    }
}

static void an_object_is_a_field_of_its_event_or_what_it_makes(void **state)
{
    (void)state;
    for (uint16_t tag = 0; tag < (uint16_t)CH_EVENT_TAGS; tag++) {
        bool made = false;
        if (ch_events[tag].record.name == NULL) continue;
        const char *object = ch_activities[tag].object;
        const struct ch_field *field = ch_activity_object(tag, &made);
        const bool none = strcmp(object, "none") == 0;
        if ((field != NULL) + made + none != 1) {
            fail_msg("%s has no field %s", ch_events[tag].record.name, object);
        }
        if (made) assert_true(ch_events[tag].makes != CH_KINDS);
        if (field != NULL) assert_false(field->list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_has_a_section_and_an_action_or_says_that_it_is_not_told),
        cmocka_unit_test(an_object_is_a_field_of_its_event_or_what_it_makes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
