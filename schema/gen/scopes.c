/* scopes: prints schema/SCOPES.md: every scope with the roles and pages that hold it.
 * SPDX-License-Identifier: MIT */
#include "schema/gen/print.h"

#include <stdio.h>

/* The names of the sets (roles, pages, masks) that hold a scope, in one cell. */
static void holders(uint8_t scope, size_t count, struct ch_set_row (*at)(size_t place))
{
    const char *before = " ";
    for (size_t i = 0; i < count; i++) {
        const struct ch_set_row row = at(i);
        if (row.name == NULL || !ch_scopes_has(row.scopes, scope)) continue;
        (void)printf("%s%s", before, row.name);
        before = ", ";
    }
    (void)printf(" |");
}

/* The commands and queries that ask for it on their account, in one cell. */
static void askers(uint8_t scope)
{
    const char *before = " ";
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        const struct ch_call_row *row = &ch_calls[type];
        if (row->who != CH_WHO_SCOPE || row->scope != scope) continue;
        (void)printf("%s`%s`", before, row->args.name);
        before = ", ";
    }
    (void)printf(" |");
}

static void sets(const char *what, size_t count, struct ch_set_row (*at)(size_t place))
{
    (void)printf("| %s | what it is | scopes |\n|---|---|---|\n", what);
    for (size_t i = 0; i < count; i++) {
        const struct ch_set_row row = at(i);
        if (row.name == NULL) continue; /* masks' numbers have gaps */
        unsigned held = 0;
        for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
            held += ch_scopes_has(row.scopes, scope);
        }
        (void)printf("|");
        print_code_cell(row.name);
        print_cell(row.text);
        (void)printf(" %u |\n", held);
    }
    print_line("");
}

void print_scopes(void)
{
    print_line("# Scopes\n");
    print_line("Made by `charter-gen scopes` from `schema/*.def`; not to be edited. Every scope, "
               "the kind of resource that a grant or a\nlimit can name for it, the built-in roles "
               "that give it and the pages that hide it in a new log, and the calls that ask\nfor "
               "it on their account. What decides is in the log: `role.list` and `role.show` tell "
               "what a role gives there now.\n");
    print_line("Sending and exporting are scopes of their own, never implied by reading. One is "
               "implied: `campaigns.send` carries\n`lists.select` on the same lists, so that one "
               "is in no page and cannot be restricted alone.\n");
    print_line("| scope | number | resource | what it allows | roles | pages | asked for by |");
    print_line("|---|---|---|---|---|---|---|");
    for (uint8_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        const struct ch_scope_row *row = &ch_scopes_table[scope];
        if (row->name == NULL) continue;
        (void)printf("|");
        print_code_cell(row->name);
        (void)printf(" %u |", scope);
        print_cell(ch_enum_name(CH_KIND_resource_kind, row->resource_kind));
        print_cell(row->text);
        holders(scope, ch_role_count(), ch_role_at);
        holders(scope, ch_page_count(), ch_page_at);
        askers(scope);
        print_line("");
    }
    print_line("\n## Roles\n");
    sets("role", ch_role_count(), ch_role_at);
    print_line("## Pages\n");
    sets("page", ch_page_count(), ch_page_at);
    print_line("## Masks\n\nWhat a state of things takes away, whatever gives it.\n");
    sets("mask", ch_mask_count(), ch_mask_at);
}
