/* reference: prints schema/REFERENCE.md from the tables. SPDX-License-Identifier: MIT
 * Run by hand as `charter-gen > schema/REFERENCE.md`; the test golden.reference compares. */
#include "schema/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/base/err.h"

static void line(const char *text)
{
    (void)printf("%s\n", text);
}

/* One cell of a table; a bar would end it. */
static void cell(const char *text)
{
    (void)fputs(" ", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '|') (void)fputc('\\', stdout);
        (void)fputc(*text, stdout);
    }
    (void)fputs(" |", stdout);
}

static void code_cell(const char *text)
{
    (void)printf(" `%s` |", text);
}

/* What bounds a value of a kind, as words; nothing where the kind's own text says it all. */
static void bounds(const struct ch_kind *kind)
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
    bounds(&ch_kinds[field->kind]);
    (void)printf(" |");
}

static const char *field_need(const struct ch_field *field)
{
    if (field->personal) return "sealed";
    return field->optional || field->list ? "optional" : "needed";
}

static void fields(const struct ch_record *record, const char *what)
{
    if (record->count == 0) {
        (void)printf("No %ss.\n\n", what);
        return;
    }
    (void)printf("| %s | kind | | what it is |\n|---|---|---|---|\n", what);
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        (void)printf("|");
        code_cell(field->name);
        field_kind(field);
        cell(field_need(field));
        cell(field->doc);
        line("");
    }
    line("");
}

static void who(const struct ch_call_row *row)
{
    const char *scope = ch_scopes_table[row->scope].name;
    switch (row->who) {
    case CH_WHO_OPERATOR: line("- Who: the operator."); break;
    case CH_WHO_SERVICE: line("- Who: the operator, or a service for itself (`peer`)."); break;
    case CH_WHO_SCOPE:
        (void)printf("- Who: the operator, %sor a user who has the scope `%s` on the account.\n",
                     row->query ? "a service for itself (`peer`), " : "", scope);
        break;
    case CH_WHO_SELF: line("- Who: a user, about themselves."); break;
    case CH_WHO_ANYONE:
        line(row->query ? "- Who: anyone; answered by what the asker may see."
                        : "- Who: anyone whom its own rules let.");
        break;
    }
    line(row->on ? "- `on`: the account, needed." : "- `on`: not taken.");
    line("");
}

static void calls(bool query)
{
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        const struct ch_call_row *row = &ch_calls[type];
        if (row->query != query) continue;
        (void)printf("### %s\n\n%s\n\n", row->args.name, row->args.doc);
        who(row);
        fields(&row->args, "argument");
        if (!query) continue;
        line("Answer:\n");
        fields(&row->result, "field");
    }
}

static void records(void)
{
    line("## Records\n\nMaps inside answers.\n");
    /* The tables of nested records are reached through the fields that use them: the first use of
     * each is printed, in the order of the queries. */
    const struct ch_record *seen[64];
    size_t count = 0;
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        const struct ch_record *answer = &ch_calls[type].result;
        for (size_t i = 0; i < answer->count; i++) {
            const struct ch_record *record = answer->fields[i].record;
            bool known = record == NULL;
            for (size_t k = 0; k < count && !known; k++) {
                known = seen[k] == record;
            }
            if (known || count == sizeof seen / sizeof seen[0]) continue;
            seen[count++] = record;
            (void)printf("### %s\n\n%s\n\n", record->name, record->doc);
            fields(record, "field");
        }
    }
}

static void events(void)
{
    line("## Events\n");
    line("Fields stand in this order in the log. `optional`: nil where absent (a list: the empty "
         "array). `sealed`: not in\nthe fields, but in the personal part, in this order.\n");
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const struct ch_event_row *row = &ch_events[tag];
        if (row->record.name == NULL) continue;
        (void)printf("### %d %s\n\n%s\n\n", tag, row->record.name, row->record.doc);
        if (row->makes < CH_KINDS) {
            (void)printf("Its seq is the id of the %s that it makes.\n\n",
                         ch_kinds[row->makes].name);
        }
        fields(&row->record, "field");
    }
}

static void enums(void)
{
    line("## Enums\n\nOn the wire the name, in the log the number.\n");
    for (int kind = 0; kind < CH_KINDS; kind++) {
        if (ch_kinds[kind].form != CH_FORM_ENUM) continue;
        (void)printf("### %s\n\n%s\n\n| number | name | meaning |\n|---|---|---|\n",
                     ch_kinds[kind].name, ch_kinds[kind].text);
        for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
            (void)printf("| %u |", v->number);
            code_cell(v->name);
            cell(v->text);
            line("");
        }
        line("");
    }
}

/* The names of the sets (roles or pages) that hold a scope, in one cell. */
static void holders(uint8_t scope, size_t count, struct ch_set_row (*at)(size_t place))
{
    const char *before = " ";
    for (size_t i = 0; i < count; i++) {
        const struct ch_set_row row = at(i);
        if (!ch_scopes_has(row.scopes, scope)) continue;
        (void)printf("%s%s", before, row.name);
        before = ", ";
    }
    (void)printf(" |");
}

static void scopes(void)
{
    line("## Scopes\n");
    line("Resource: the kind of resource that a grant or a limit can name for it. Roles and pages: "
         "those of a new log.\n");
    line("| number | scope | resource | what it allows | roles | pages "
         "|\n|---|---|---|---|---|---|");
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (row->name == NULL) continue;
        (void)printf("| %u |", scope);
        code_cell(row->name);
        cell(ch_enum_name(CH_KIND_resource_kind, row->resource_kind));
        cell(row->text);
        holders(scope, ch_role_count(), ch_role_at);
        holders(scope, ch_page_count(), ch_page_at);
        line("");
    }
    line("");
}

static void sets(const char *what, size_t count, struct ch_set_row (*at)(size_t place))
{
    (void)printf("| %s | what it is | scopes |\n|---|---|---|\n", what);
    for (size_t i = 0; i < count; i++) {
        const struct ch_set_row row = at(i);
        (void)printf("|");
        code_cell(row.name);
        cell(row.text);
        const char *before = " ";
        for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
            if (!ch_scopes_has(row.scopes, scope)) continue;
            (void)printf("%s%s", before, ch_scopes_table[scope].name);
            before = ", ";
        }
        line(" |");
    }
    line("");
}

static void no_row(const char *name, unsigned number, const char *middle, const char *text)
{
    (void)printf("|");
    code_cell(name);
    (void)printf(" %u |", number);
    cell(middle);
    cell(text);
    line("");
}

static void rejections_and_failures(void)
{
    line("## Rejections\n");
    line("The domain's \"no\" to one call, in order of precedence: the first broken rule is the "
         "answer. Class rights: the actor\nlacks a right; it may be logged as "
         "`command_refused`.\n");
    line("| reason | number | class | text |\n|---|---|---|---|");
#define REJECTION(name, number, class, text) no_row(#name, (number), #class, text);
#include "schema/rejections.def"
    line("");
    line("## Failures\n\nWhat is wrong with a request before a rule sees it, or broke.\n");
    line("| code | number | HTTP status | text |\n|---|---|---|---|");
#define FAILURE(name, number, http, code, text) no_row(code, (number), #http, text);
#include "schema/failures.def"
    line("");
}

static void limits(void)
{
    line("## Limits\n");
    line("In the log: the value is that of the log's `limit_defined` event, written when the log "
         "was new.\n");
    line("| limit | value | unit | in the log | why, and what happens beyond it |");
    line("|---|---|---|---|---|");
    for (size_t i = 0; i < ch_limit_count; i++) {
        const struct ch_limit_row *row = &ch_limits[i];
        (void)printf("|");
        code_cell(row->name);
        (void)printf(" %" PRIu64 " |", row->value);
        cell(row->unit);
        cell(row->logged ? "yes" : "");
        cell(row->text);
        line("");
    }
    line("");
}

static void kinds(void)
{
    line("## Kinds\n\nEach enum is a kind of its own name, too.\n");
    line("| kind | what stands on the wire, and its bounds |\n|---|---|");
    for (int number = 0; number < CH_KINDS; number++) {
        const struct ch_kind *kind = &ch_kinds[number];
        if (kind->form == CH_FORM_ENUM || kind->form == CH_FORM_RECORD) continue;
        (void)printf("| `%s` | %s", kind->name, kind->text);
        bounds(kind);
        line(" |");
    }
}

int main(void)
{
    line("# charterd reference\n");
    line("Made by `charter-gen` from `schema/*.def`; not to be edited. How messages and records "
         "are built: `README.md`.\n");
    line("Commands, queries, records, events, enums, scopes, roles, pages, rejections, failures, "
         "limits, kinds, in this order.\n");
    line("## Commands\n");
    line("The result of each is the map described in `README.md` under \"Results of commands\".\n");
    calls(false);
    line("## Queries\n");
    calls(true);
    records();
    events();
    enums();
    scopes();
    line("## Roles\n\nThe built-in roles of a new log.\n");
    sets("role", ch_role_count(), ch_role_at);
    line("## Pages\n\nNamed sets of scopes, for hiding, of a new log.\n");
    sets("page", ch_page_count(), ch_page_at);
    rejections_and_failures();
    limits();
    kinds();
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
