/* print: see print.h. SPDX-License-Identifier: MIT */
#include "schema/gen/print.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/promise.h"

void print_line(const char *text)
{
    (void)printf("%s\n", text);
}

/* One cell of a table; a bar would end it. */
void print_cell(const char *text)
{
    (void)fputs(" ", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '|') (void)fputc('\\', stdout);
        (void)fputc(*text, stdout);
    }
    (void)fputs(" |", stdout);
}

void print_code_cell(const char *text)
{
    (void)printf(" `%s` |", text);
}

/* What bounds a value of a kind, as words; nothing where the kind's own text says it all. */
void print_bounds(const struct ch_kind *kind)
{
    switch (kind->form) {
    case CH_FORM_UINT:
    case CH_FORM_ID: (void)printf(", %" PRIu64 " to %" PRIu64, kind->least, kind->most); break;
    case CH_FORM_TEXT:
    case CH_FORM_NAME:
    case CH_FORM_NAMED:
    case CH_FORM_SECRET:
    case CH_FORM_BYTES:
    case CH_FORM_VALUE:
        if (kind->least == kind->most) {
            (void)printf(", %" PRIu64 " bytes", kind->most);
        } else {
            (void)printf(", %" PRIu64 " to %" PRIu64 " bytes", kind->least, kind->most);
        }
        break;
    case CH_FORM_REF:
        (void)printf(", id from 1 or text of %" PRIu64 " to %" PRIu64 " bytes", kind->least,
                     kind->most);
        break;
    case CH_FORM_SCOPES: (void)printf(", at most %" PRIu64 " items", kind->most + 1); break;
    case CH_FORM_FLAG:
    case CH_FORM_MOMENT:
    case CH_FORM_SCOPE:
    case CH_FORM_ENUM:
    case CH_FORM_RECORD: break;
    }
}

static void field_kind(const struct ch_field *field)
{
    if (field->list) (void)printf(" array of at most %" PRIu32 ":", field->max);
    if (field->record != NULL) {
        (void)printf(" record `%s` |", field->record->name);
        return;
    }
    (void)printf(" `%s`", ch_kinds[field->kind].name);
    print_bounds(&ch_kinds[field->kind]);
    (void)printf(" |");
}

static const char *field_need(const struct ch_field *field)
{
    if (field->personal) return "sealed";
    return field->optional || field->list ? "optional" : "needed";
}

void print_fields(const struct ch_record *record, const char *what)
{
    if (record->count == 0) {
        (void)printf("No %ss.\n\n", what);
        return;
    }
    (void)printf("| %s | kind | | what it is |\n|---|---|---|---|\n", what);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        (void)printf("|");
        print_code_cell(field->name);
        field_kind(field);
        print_cell(field_need(field));
        print_cell(field->doc);
        print_line("");
    }
    print_line("");
}

void print_who(const struct ch_call_row *row)
{
    const char *scope = ch_scopes_table[row->scope].name;
    const struct ch_field *resource = ch_call_resource((int)(row - ch_calls));
    switch (row->who) {
    case CH_WHO_OPERATOR: print_line("- Who: the operator."); break;
    case CH_WHO_SERVICE:
        print_line("- Who: the operator, or a service for itself (`peer`).");
        break;
    case CH_WHO_SCOPE:
        (void)printf("- Who: the operator, %sor a user who has the scope `%s` on the account",
                     row->query ? "a service for itself (`peer`), " : "", scope);
        if (resource != NULL) (void)printf(", for the resource in `%s`", resource->name);
        print_line(".");
        break;
    case CH_WHO_SELF: print_line("- Who: a user, about themselves."); break;
    case CH_WHO_ANYONE:
        print_line(row->query ? "- Who: anyone; answered by what the asker may see."
                              : "- Who: anyone whom its own rules let.");
        break;
    }
    print_line(row->on ? "- `on`: the account, needed." : "- `on`: not taken.");
    print_line("");
}
