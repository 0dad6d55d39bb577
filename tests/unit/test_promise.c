/* test_promise: what a command's row says that it may come to. SPDX-License-Identifier: MIT */
#include "schema/promise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void every_command_says_its_events(void **test)
{
    (void)test;
    for (int type = 0; type < CH_COMMANDS; type++) {
        bool any = false;
        for (uint16_t tag = 0; tag < (uint16_t)CH_EVENT_TAGS; tag++) {
            if (ch_events[tag].record.name == NULL) continue;
            any = any || ch_promise_event(type, tag);
        }
        if (!ch_promise_is_told(type) || !any) {
            fail_msg("%s: python3 tests/golden/promises.py --write", ch_calls[type].args.name);
        }
    }
}

static void a_name_is_found_whole(void **test)
{
    (void)test;
    assert_true(ch_promise_event(CH_CMD_account_open_master, CH_EV_account_opened));
    assert_true(ch_promise_event(CH_CMD_account_open_master, CH_EV_share_given));
    assert_false(ch_promise_event(CH_CMD_account_open_master, CH_EV_account_closed));
    assert_true(ch_promise_rule(CH_CMD_share_grant, CH_REJ_uncovered_scopes));
    assert_false(ch_promise_rule(CH_CMD_share_grant, CH_REJ_cycle));
}

static void admission_follows_from_the_row(void **test)
{
    (void)test;
    assert_true(ch_promise_admission(CH_CMD_user_lock, CH_REJ_operator_only));
    assert_true(ch_promise_admission(CH_CMD_user_lock, CH_REJ_not_found)); /* its user */
    assert_false(ch_promise_admission(CH_CMD_user_lock, CH_REJ_account_closed));
    assert_true(ch_promise_admission(CH_CMD_share_give, CH_REJ_not_allowed));
    assert_true(ch_promise_admission(CH_CMD_share_give, CH_REJ_account_closed));
    assert_true(ch_promise_admission(CH_CMD_access_request, CH_REJ_self_only));
    assert_false(ch_promise_admission(CH_CMD_import_begin, CH_REJ_not_found));
    assert_true(ch_promise_keeps(CH_CMD_import_end, CH_REJ_no_import));
    assert_false(ch_promise_keeps(CH_CMD_import_begin, CH_REJ_no_import));
}

static void a_scope_is_asked_on_the_resource_that_an_argument_names(void **test)
{
    (void)test;
    const struct ch_field *field = ch_call_resource(CH_CMD_campaign_submit);
    assert_non_null(field);
    assert_string_equal(field->name, "campaign");
    assert_int_equal(field->kind, CH_KIND_resource_id);
    assert_null(ch_call_resource(CH_CMD_share_grant));
    assert_null(ch_call_resource(CH_QRY_check));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_says_its_events),
        cmocka_unit_test(a_name_is_found_whole),
        cmocka_unit_test(admission_follows_from_the_row),
        cmocka_unit_test(a_scope_is_asked_on_the_resource_that_an_argument_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
