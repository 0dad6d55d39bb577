/* commands: prints schema/COMMANDS.md: what each command takes, needs, appends and may be refused
 * with. SPDX-License-Identifier: MIT */
#include "schema/gen/print.h"

#include <stdio.h>

#include "schema/promise.h"

/* Rejections by their place in the order of precedence. */
static int at_rank(size_t rank)
{
    for (size_t code = 1; code < ch_rejection_count; code++) {
        if (ch_rejections[code].name != NULL && ch_rejections[code].rank == rank) return (int)code;
    }
    return 0;
}

static void events(int type)
{
    if (!ch_promise_is_told(type)) return;
    (void)printf("Events: ");
    const char *before = "";
    for (uint16_t tag = 0; tag < (uint16_t)CH_EVENT_TAGS; tag++) {
        if (ch_events[tag].record.name == NULL || !ch_promise_event(type, tag)) continue;
        (void)printf("%s`%s`", before, ch_events[tag].record.name);
        before = ", ";
    }
    print_line(".\n");
}

/* Those of the command's own rules with their texts, in their order. */
static void rules(int type)
{
    bool any = false;
    for (size_t rank = 1; rank < ch_rejection_count; rank++) {
        const int code = at_rank(rank);
        if (code == 0 || !ch_promise_rule(type, code)) continue;
        if (!any) print_line("| rejection | what is refused, and what to do |\n|---|---|");
        any = true;
        (void)printf("|");
        print_code_cell(ch_rejections[code].name);
        print_cell(ch_rejections[code].text);
        print_line("");
    }
    if (any) print_line("");
}

static void admission(int type)
{
    (void)printf("And of admission: ");
    const char *before = "";
    for (size_t rank = 1; rank < ch_rejection_count; rank++) {
        const int code = at_rank(rank);
        if (code == 0 || ch_promise_rule(type, code) || !ch_promise_admission(type, code)) continue;
        (void)printf("%s`%s`", before, ch_rejections[code].name);
        before = ", ";
    }
    print_line(".\n");
}

static void secret(int type)
{
    switch (ch_call_mints(type)) {
    case CH_MINT_nothing: return;
    case CH_MINT_token:
        print_line("Makes a token, which goes, sealed, to the mailer and is never shown.\n");
        return;
    case CH_MINT_key:
    case CH_MINT_session:
        print_line("Makes a secret, which its answer shows once, as `secret`.\n");
        return;
    }
}

void print_commands(void)
{
    print_line("# Commands\n");
    print_line("Made by `charter-gen commands` from `schema/*.def`; not to be edited. For each "
               "command its arguments, the scope it\nneeds, the events it may append (none where "
               "nothing has to change), and its rejections in order of precedence: the\nfirst "
               "broken rule is the answer. Tests hold the daemon to these lists. Queries, kinds "
               "and the fields of events:\n`REFERENCE.md`; which roles hold a scope: "
               "`SCOPES.md`.\n");
    for (int type = 0; type < CH_COMMANDS; type++) {
        const struct ch_call_row *row = &ch_calls[type];
        (void)printf("## %s\n\n%s\n\n", row->args.name, row->args.doc);
        print_who(row);
        print_fields(&row->args, "argument");
        secret(type);
        events(type);
        rules(type);
        admission(type);
    }
}
