/* test_activity: every event has its words in the activity log. SPDX-License-Identifier: MIT */
#include "schema/activity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void every_path_has_a_section_and_an_action(void **state)
{
    (void)state;
    uint32_t lacking = 0;
    for (uint16_t tag = 0; tag < (uint16_t)CH_EVENT_TAGS; tag++) {
        char path[CH_ACTIVITY_PATH_BYTES + 1];
        const char *name = ch_events[tag].record.name;
        if (name == NULL || !ch_activity_is_act(tag)) continue;
        if (ch_activities[tag].path == NULL) {
            print_message("%s has no ACTIVITY row in schema/events.def\n", name);
            lacking++;
        }
        path[ch_activity_path(tag, path)] = '\0';
        const char *sign = strstr(path, " > ");
        assert_non_null(sign);
        if (sign == path || sign[3] == '\0' || sign[3] == ' ') {
            fail_msg("%s is told as '%s'", name, path);
        }
        assert_true(path[0] >= 'A' && path[0] <= 'Z' && sign[3] >= 'A' && sign[3] <= 'Z');
    }
    print_message("%u events have no words of their own\n", lacking);
}

static void an_object_is_a_field_of_its_event_or_what_it_makes(void **state)
{
    (void)state;
    for (uint16_t tag = 0; tag < (uint16_t)CH_EVENT_TAGS; tag++) {
        bool made = false;
        if (ch_events[tag].record.name == NULL || ch_activities[tag].object == NULL) continue;
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

static void an_event_without_words_is_told_by_its_noun_and_name(void **state)
{
    (void)state;
    char path[CH_ACTIVITY_PATH_BYTES + 1];
    path[ch_activity_path_of_name("key_rotated", path)] = '\0';
    assert_string_equal(path, "API keys > Key rotated");
    path[ch_activity_path_of_name("plan_was_changed", path)] = '\0';
    assert_string_equal(path, "Billing > Plan was changed");
    path[ch_activity_path_of_name("keyring_lost", path)] = '\0';
    assert_string_equal(path, "Other > Keyring lost");
    path[ch_activity_path_of_name("share", path)] = '\0';
    assert_string_equal(path, "Users > Share");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_has_a_section_and_an_action),
        cmocka_unit_test(an_object_is_a_field_of_its_event_or_what_it_makes),
        cmocka_unit_test(an_event_without_words_is_told_by_its_noun_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
