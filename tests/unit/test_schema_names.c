/* test_schema_names: the tables made of the .def rows, and finding things in them by name.
 * SPDX-License-Identifier: MIT */
#include "schema/records.h"

#include "schema/limits.h"
#include "tests/unit/schema_samples.h"

static void every_call_event_and_scope_is_found_by_its_name_and_nothing_else(void **state)
{
    (void)state;
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        assert_non_null(ch_calls[type].args.name);
        assert_int_equal(ch_call_find(ch_text_of(ch_calls[type].args.name)), type);
        assert_int_equal(ch_calls[type].query, type >= CH_COMMANDS);
    }
    int events = 0;
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const char *name = ch_events[tag].record.name;
        if (name == NULL) continue;
        events++;
        assert_int_equal(ch_event_find(ch_text_of(name)), tag);
        assert_true(ch_events[tag].makes <= CH_KINDS);
    }
    assert_true(events > 0);
    for (int scope = 0; scope <= (int)CH_MAX_SCOPE; scope++) {
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (row->name == NULL) continue;
        assert_int_equal(row->name_len, strlen(row->name));
        assert_int_equal(ch_scope_find(ch_text_of(row->name)), scope);
    }
    static const char *const nothing[] = {"", "share", "share.giv", "share.givee", "Share.give"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        assert_int_equal(ch_call_find(ch_text_of(nothing[i])), -1);
        assert_int_equal(ch_event_find(ch_text_of(nothing[i])), -1);
        assert_int_equal(ch_scope_find(ch_text_of(nothing[i])), -1);
    }
    assert_int_equal(ch_scope_find((struct ch_text){NULL, 0}), -1);
}

static void every_value_of_an_enum_is_found_by_its_name(void **state)
{
    (void)state;
    for (int number = 0; number < CH_KINDS; number++) {
        const uint8_t kind = (uint8_t)number;
        if (ch_kinds[kind].form != CH_FORM_ENUM) continue;
        for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
            assert_int_equal(ch_enum_find(kind, ch_text_of(v->name)), v->number);
            assert_string_equal(ch_enum_name(kind, v->number), v->name);
        }
        assert_int_equal(ch_enum_find(kind, ch_text_of("no such value")), -1);
        assert_int_equal(ch_enum_find(kind, (struct ch_text){NULL, 0}), -1);
        assert_string_equal(ch_enum_name(kind, 254), "?");
    }
}

static void check_record(const struct ch_record *record)
{
    assert_true(record->count <= 64);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        assert_int_equal(field->name_len, strlen(field->name));
        assert_true(field->kind < CH_KINDS);
        assert_true(field->doc[0] != '\0');
        assert_true(field->offset < record->size && field->has_offset < record->size);
        assert_int_equal(field->record != NULL, field->kind == CH_KIND_record);
        assert_int_equal(field->max > 0, field->list);
        if (field->record != NULL) check_record(field->record);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(field->name, record->fields[k].name);
        }
    }
}

static void every_row_is_whole(void **state)
{
    (void)state;
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        const struct ch_call_row *row = &ch_calls[type];
        check_record(&row->args);
        check_record(&row->result);
        assert_non_null(ch_scopes_table[row->scope].name);
        assert_true(row->who != CH_WHO_SCOPE || row->on); /* a scope needs its account */
    }
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const struct ch_record *record = &ch_events[tag].record;
        if (record->name == NULL) continue;
        check_record(record);
        for (size_t i = 0; i < record->count; i++) {
            const struct ch_field *field = &record->fields[i];
            const enum ch_form form = ch_kinds[field->kind].form;
            assert_int_equal(form == CH_FORM_NAMED, field->personal); /* never in the clear */
            assert_true(form != CH_FORM_SECRET);
            assert_true(form != CH_FORM_REF && form != CH_FORM_VALUE && form != CH_FORM_RECORD);
        }
    }
}

static void every_rejection_has_a_number_of_its_own_and_a_rank_by_its_row(void **state)
{
    (void)state;
    unsigned last = 0;
#define REJECTION(id, place, class, doc)                                                           \
    assert_int_equal(ch_rejections[place].rank, ++last);                                           \
    assert_string_equal(ch_rejections[place].name, #id);
#include "schema/rejections.def"
    assert_true(last < ch_rejection_count);
}

static void every_failure_has_a_code_a_text_and_a_status_of_its_own_row(void **state)
{
    (void)state;
    assert_string_equal(ch_err_code(CH_OK), "ok");
    assert_int_equal(ch_err_http(CH_OK), 200);
#define FAILURE(id, place, http, code, text)                                                       \
    assert_string_equal(ch_err_code(CH_ERR_##id), code);                                           \
    assert_string_equal(ch_err_text(CH_ERR_##id), text);                                           \
    assert_int_equal(ch_err_http(CH_ERR_##id), http);                                              \
    assert_true((http) >= 400 && (http) < 600);
#include "schema/failures.def"
}

static const struct ch_set_row *find_set(struct ch_set_row *row, size_t count,
                                         struct ch_set_row (*at)(size_t place), const char *name)
{
    for (size_t i = 0; i < count; i++) {
        *row = at(i);
        if (strcmp(row->name, name) == 0) return row;
    }
    return NULL;
}

static struct ch_scopes role(const char *name)
{
    struct ch_set_row row;
    assert_non_null(find_set(&row, ch_role_count(), ch_role_at, name));
    return row.scopes;
}

static void roles_and_pages_hold_the_scopes_of_their_rows(void **state)
{
    (void)state;
    struct ch_scopes all = {{0, 0}};
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_table[scope].name != NULL) ch_scopes_add(&all, scope);
    }
    assert_true(ch_scopes_equal(role("owner"), all));
    assert_false(ch_scopes_has(role("account_manager"), CH_SCOPE_account_close));
    assert_true(ch_scopes_has(role("account_manager"), CH_SCOPE_shares_create));
    assert_true(ch_scopes_has(role("user"), CH_SCOPE_campaigns_send));
    assert_false(ch_scopes_has(role("collaborator"), CH_SCOPE_campaigns_send));
    assert_true(ch_scopes_has(role("collaborator"), CH_SCOPE_campaigns_update));
    assert_false(ch_scopes_has(role("watcher"), CH_SCOPE_contacts_export));
    for (size_t i = 0; i < ch_role_count(); i++) {
        assert_false(ch_scopes_empty(ch_role_at(i).scopes));
        assert_true(ch_scopes_empty(ch_scopes_but(ch_role_at(i).scopes, all)));
    }
    struct ch_set_row page;
    assert_non_null(find_set(&page, ch_page_count(), ch_page_at, "complaints"));
    assert_true(ch_scopes_equal(page.scopes, ch_scopes_of(CH_SCOPE_complaints_read)));
}

static void limits_are_positive_and_the_cursor_keeps_to_its_depth(void **state)
{
    (void)state;
    for (size_t i = 0; i < ch_limit_count; i++) {
        assert_true(ch_limits[i].value > 0);
        assert_true(ch_limits[i].text[0] != '\0');
    }
    assert_int_equal(LIMIT_DEPTH, 16); /* as many levels as ch_read_value has room for */
}

static void sets_of_scopes_are_joined_and_parted_bit_by_bit(void **state)
{
    (void)state;
    for (uint8_t one = 0; one <= CH_MAX_SCOPE; one++) {
        for (uint8_t two = 0; two <= CH_MAX_SCOPE; two++) {
            const struct ch_scopes a = ch_scopes_of(one);
            const struct ch_scopes b = ch_scopes_of(two);
            const struct ch_scopes both = ch_scopes_or(a, b);
            assert_true(ch_scopes_has(both, one) && ch_scopes_has(both, two));
            assert_int_equal(ch_scopes_equal(a, b), one == two);
            assert_int_equal(ch_scopes_empty(ch_scopes_and(a, b)), one != two);
            assert_true(ch_scopes_equal(ch_scopes_but(both, a),
                                        one == two ? (struct ch_scopes){{0, 0}} : b));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_event_and_scope_is_found_by_its_name_and_nothing_else),
        cmocka_unit_test(every_value_of_an_enum_is_found_by_its_name),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(every_rejection_has_a_number_of_its_own_and_a_rank_by_its_row),
        cmocka_unit_test(every_failure_has_a_code_a_text_and_a_status_of_its_own_row),
        cmocka_unit_test(roles_and_pages_hold_the_scopes_of_their_rows),
        cmocka_unit_test(limits_are_positive_and_the_cursor_keeps_to_its_depth),
        cmocka_unit_test(sets_of_scopes_are_joined_and_parted_bit_by_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
