/* reference: prints schema/REFERENCE.md. SPDX-License-Identifier: MIT */
#include "schema/gen/print.h"

#include <inttypes.h>
#include <stdio.h>

static void calls(bool query)
{
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        const struct ch_call_row *row = &ch_calls[type];
        if (row->query != query) continue;
        (void)printf("### %s\n\n%s\n\n", row->args.name, row->args.doc);
        print_who(row);
        print_fields(&row->args, "argument");
        if (!query) continue;
        print_line("Answer:\n");
        print_fields(&row->result, "field");
    }
}

static void records(void)
{
    print_line("## Records\n\nMaps inside answers.\n");
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
            print_fields(record, "field");
        }
    }
}

static void events(void)
{
    print_line("## Events\n");
    print_line(
        "Fields stand in this order in the log. `optional`: nil where absent (a list: the empty "
        "array). `sealed`: not in\nthe fields, but in the personal part, in this order.\n");
    for (int tag = 0; tag < CH_EVENT_TAGS; tag++) {
        const struct ch_event_row *row = &ch_events[tag];
        if (row->record.name == NULL) continue;
        (void)printf("### %d %s\n\n%s\n\n", tag, row->record.name, row->record.doc);
        if (row->makes < CH_KINDS) {
            (void)printf("Its seq is the id of the %s that it makes.\n\n",
                         ch_kinds[row->makes].name);
        }
        if (row->traffic) print_line("Traffic: `expect` does not see it.\n");
        print_fields(&row->record, "field");
    }
}

static void enums(void)
{
    print_line("## Enums\n\nOn the wire the name, in the log the number.\n");
    for (int kind = 0; kind < CH_KINDS; kind++) {
        if (ch_kinds[kind].form != CH_FORM_ENUM) continue;
        (void)printf("### %s\n\n%s\n\n| number | name | meaning |\n|---|---|---|\n",
                     ch_kinds[kind].name, ch_kinds[kind].text);
        for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
            (void)printf("| %u |", v->number);
            print_code_cell(v->name);
            print_cell(v->text);
            print_line("");
        }
        print_line("");
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
    print_line("## Scopes\n");
    print_line(
        "Resource: the kind of resource that a grant or a limit can name for it. Roles and pages: "
        "those of a new log.\n");
    print_line("| number | scope | resource | what it allows | roles | pages "
               "|\n|---|---|---|---|---|---|");
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (row->name == NULL) continue;
        (void)printf("| %u |", scope);
        print_code_cell(row->name);
        print_cell(ch_enum_name(CH_KIND_resource_kind, row->resource_kind));
        print_cell(row->text);
        holders(scope, ch_role_count(), ch_role_at);
        holders(scope, ch_page_count(), ch_page_at);
        print_line("");
    }
    print_line("");
}

static void sets(const char *what, size_t count, struct ch_set_row (*at)(size_t place))
{
    (void)printf("| %s | what it is | scopes |\n|---|---|---|\n", what);
    for (size_t i = 0; i < count; i++) {
        const struct ch_set_row row = at(i);
        (void)printf("|");
        print_code_cell(row.name);
        print_cell(row.text);
        const char *before = " ";
        for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
            if (!ch_scopes_has(row.scopes, scope)) continue;
            (void)printf("%s%s", before, ch_scopes_table[scope].name);
            before = ", ";
        }
        print_line(" |");
    }
    print_line("");
}

static void no_row(const char *name, unsigned number, const char *middle, const char *text)
{
    (void)printf("|");
    print_code_cell(name);
    (void)printf(" %u |", number);
    print_cell(middle);
    print_cell(text);
    print_line("");
}

static void rejections_and_failures(void)
{
    print_line("## Rejections\n");
    print_line(
        "The domain's \"no\" to one call, in order of precedence: the first broken rule is the "
        "answer. Class rights: the actor\nlacks a right; it may be logged as "
        "`command_refused`.\n");
    print_line("| reason | number | class | text |\n|---|---|---|---|");
#define REJECTION(name, number, class, text) no_row(#name, (number), #class, text);
#include "schema/rejections.def"
    print_line("");
    print_line("## Failures\n\nWhat is wrong with a request before a rule sees it, or broke.\n");
    print_line("| code | number | HTTP status | text |\n|---|---|---|---|");
#define FAILURE(name, number, http, code, text) no_row(code, (number), #http, text);
#include "schema/failures.def"
    print_line("");
}

static void limits(void)
{
    print_line("## Limits\n");
    print_line(
        "In the log: the value is that of the log's `limit_defined` event, written when the log "
        "was new.\n");
    print_line("| limit | value | unit | in the log | why, and what happens beyond it |");
    print_line("|---|---|---|---|---|");
    for (size_t i = 0; i < ch_limit_count; i++) {
        const struct ch_limit_row *row = &ch_limits[i];
        (void)printf("|");
        print_code_cell(row->name);
        (void)printf(" %" PRIu64 " |", row->value);
        print_cell(row->unit);
        print_cell(row->logged ? "yes" : "");
        print_cell(row->text);
        print_line("");
    }
    print_line("");
}

static void kinds(void)
{
    print_line("## Kinds\n\nEach enum is a kind of its own name, too.\n");
    print_line("| kind | what stands on the wire, and its bounds |\n|---|---|");
    for (int number = 0; number < CH_KINDS; number++) {
        const struct ch_kind *kind = &ch_kinds[number];
        if (kind->form == CH_FORM_ENUM || kind->form == CH_FORM_RECORD) continue;
        (void)printf("| `%s` | %s", kind->name, kind->text);
        print_bounds(kind);
        print_line(" |");
    }
}

void print_reference(void)
{
    print_line("# charterd reference\n");
    print_line(
        "Made by `charter-gen` from `schema/*.def`; not to be edited. How messages and records "
        "are built: `README.md`.\n");
    print_line(
        "Commands, queries, records, events, enums, scopes, roles, pages, rejections, failures, "
        "limits, kinds, in this order.\n");
    print_line("## Commands\n");
    print_line(
        "The result of each is the map described in `README.md` under \"Results of commands\".\n");
    calls(false);
    print_line("## Queries\n");
    calls(true);
    records();
    events();
    enums();
    scopes();
    print_line("## Roles\n\nThe built-in roles of a new log.\n");
    sets("role", ch_role_count(), ch_role_at);
    print_line("## Pages\n\nNamed sets of scopes, for hiding, of a new log.\n");
    sets("page", ch_page_count(), ch_page_at);
    rejections_and_failures();
    limits();
    kinds();
}
