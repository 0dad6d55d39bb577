/* help: see help.h. SPDX-License-Identifier: MIT */
#include "tools/charter/help.h"

#include <string.h>

#include "schema/records.h"
#include "tools/charter/arguments.h"

static const char exit_text[] =
    "Exit status: 0 done; 1 the answer is no (check, explain: denied; check --from: answers "
    "differ;\n"
    "diff: something changed); 2 the command line is wrong; 3 refused by a rule; 4 failed\n"
    "(connection, busy, bad request); 130 interrupted.\n";

const char *help_words(int type, char out[CALL_WORDS_BYTES])
{
    (void)snprintf(out, CALL_WORDS_BYTES, "%s", ch_calls[type].args.name);
    for (char *at = out; *at != '\0'; at++) {
        if (*at == '.') *at = ' ';
        if (*at == '_') *at = '-';
    }
    return out;
}

int help_find(const char *group, const char *word)
{
    char wanted[CALL_WORDS_BYTES];
    char words[CALL_WORDS_BYTES];
    (void)snprintf(wanted, sizeof wanted, "%s%s%s", group, word == NULL ? "" : " ",
                   word == NULL ? "" : word);
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        if (strcmp(help_words(type, words), wanted) == 0) return type;
    }
    return -1;
}

static bool in_group(int type, const char *group)
{
    const char *name = ch_calls[type].args.name;
    const size_t len = strlen(group);
    return strncmp(name, group, len) == 0 && name[len] == '.';
}

bool help_is_group(const char *group)
{
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        if (in_group(type, group)) return true;
    }
    return false;
}

/* A name and what is said of it, which goes on below itself. */
static void print_line(FILE *out, const char *left, const char *doc, const char *more)
{
    enum { INDENT = 27, WIDTH = 100 };
    int column = fprintf(out, "  %-24s", left);
    for (const char *part = doc; part != NULL; part = part == doc ? more : NULL) {
        for (const char *at = part; *at != '\0';) {
            const size_t gap = strspn(at, " \n");
            const size_t len = strcspn(at + gap, " \n");
            if (len == 0) break;
            if (column > INDENT && column + 1 + (int)len > WIDTH) {
                (void)fprintf(out, "\n%*s", INDENT - 1, "");
                column = INDENT - 1;
            }
            column += fprintf(out, " %.*s", (int)len, at + gap);
            at += gap + len;
        }
    }
    (void)fprintf(out, "\n");
}

static void print_rows(FILE *out, const struct option_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "--%s%s%s", rows[i].name,
                       rows[i].value == NULL ? "" : " ",
                       rows[i].value == NULL ? "" : rows[i].value);
        print_line(out, left, rows[i].doc, NULL);
    }
}

static bool is_special(const char *words, const struct special *specials, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(specials[i].words, words) == 0) return true;
    }
    return false;
}

static void print_call_line(FILE *out, int type)
{
    char words[CALL_WORDS_BYTES];
    print_line(out, help_words(type, words), ch_calls[type].args.doc, NULL);
}

void help_all(FILE *out, const struct special *specials, size_t count)
{
    (void)fprintf(out, "charter: asks charterd who may do what, and changes it.\n\n"
                       "Usage: charter [--connect URL] COMMAND [--option VALUE]...\n\n");
    for (size_t i = 0; i < count; i++) {
        print_line(out, specials[i].words, specials[i].doc, NULL);
    }
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        char words[CALL_WORDS_BYTES];
        if (is_special(help_words(type, words), specials, count)) continue;
        print_call_line(out, type);
    }
    (void)fprintf(out, "  %-24s %s\n", "help scopes|roles|pages", "What these names stand for.");
    (void)fprintf(out, "\nOptions of every command:\n");
    print_rows(out, global_options, global_option_count);
    (void)fprintf(out, "\n%s", exit_text);
}

void help_group(FILE *out, const char *group, const struct special *specials, size_t count)
{
    (void)fprintf(out, "Usage: charter %s COMMAND [--option VALUE]...\n\n", group);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(specials[i].words, group) == 0) {
            print_line(out, specials[i].words, specials[i].doc, NULL);
        }
    }
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        if (in_group(type, group)) print_call_line(out, type);
    }
    (void)fprintf(out, "\ncharter %s COMMAND --help says more.\n", group);
}

static void print_who(FILE *out, const struct ch_call_row *call)
{
    switch (call->who) {
    case CH_WHO_OPERATOR: (void)fprintf(out, "For the operator only.\n"); break;
    case CH_WHO_SERVICE:
        (void)fprintf(out, "For the operator and the services of the platform.\n");
        break;
    case CH_WHO_SCOPE:
        (void)fprintf(out, "Needs the scope %s on the account.\n",
                      ch_scopes_table[call->scope].name);
        break;
    case CH_WHO_SELF: (void)fprintf(out, "For a user, about themselves: --as USER.\n"); break;
    case CH_WHO_ANYONE: break;
    }
}

static void print_field(FILE *out, const struct ch_field *field, const struct option_row *row)
{
    char left[64];
    (void)snprintf(left, sizeof left, "--%s%s%s", row->name, row->value == NULL ? "" : " ",
                   row->value == NULL ? "" : row->value);
    print_line(out, left, row->doc, field->optional || field->list ? NULL : "(needed)");
    const struct ch_kind *kind = &ch_kinds[field->kind];
    if (kind->form != CH_FORM_ENUM) return;
    (void)fprintf(out, "  %-24s one of:", "");
    for (const struct ch_enum_value *v = kind->values; v->name != NULL; v++) {
        (void)fprintf(out, " %s", v->name);
    }
    (void)fprintf(out, "\n");
}

void help_call(FILE *out, int type)
{
    const struct ch_call_row *call = &ch_calls[type];
    struct argument_rows rows;
    char words[CALL_WORDS_BYTES];
    argument_rows_of(&call->args, &rows);
    (void)fprintf(out, "Usage: charter %s%s", help_words(type, words),
                  call->on ? " --on ACCOUNT" : "");
    for (size_t i = 0; i < rows.count; i++) {
        const struct ch_field *field = &call->args.fields[i];
        const bool optional = field->optional || field->list;
        (void)fprintf(out, " %s--%s%s%s%s", optional ? "[" : "", rows.rows[i].name,
                      rows.rows[i].value == NULL ? "" : " ",
                      rows.rows[i].value == NULL ? "" : rows.rows[i].value, optional ? "]" : "");
    }
    (void)fprintf(out, "\n\n%s\n", call->args.doc);
    print_who(out, call);
    if (call->on || rows.count > 0) (void)fprintf(out, "\n");
    if (call->on) {
        (void)fprintf(out, "  %-24s %s\n", "--on ACCOUNT",
                      "the account: path of names root/sub, or id (needed)");
    }
    for (size_t i = 0; i < rows.count; i++) {
        print_field(out, &call->args.fields[i], &rows.rows[i]);
    }
    (void)fprintf(out, "\nThe options of every command: charter --help\n");
}

void help_special(FILE *out, const struct special *special)
{
    (void)fprintf(out, "Usage: charter %s\n\n%s\n\n", special->usage, special->doc);
    print_rows(out, special->rows, special->row_count);
    (void)fprintf(out, "\nThe options of every command: charter --help\n");
}

static void print_set(struct ch_set_row set)
{
    (void)printf("%s: %s\n ", set.name, set.text);
    for (uint32_t scope = 0; scope <= CH_MAX_SCOPE; scope++) {
        if (ch_scopes_has(set.scopes, (uint8_t)scope)) {
            (void)printf(" %s", ch_scopes_table[scope].name);
        }
    }
    (void)printf("\n");
}

bool help_topic(const char *topic)
{
    if (strcmp(topic, "scopes") == 0) {
        for (size_t i = 0; i <= CH_MAX_SCOPE; i++) {
            const struct ch_scope_row *row = &ch_scopes_table[i];
            if (row->name == NULL) continue;
            (void)printf("%-22s %-14s %s\n", row->name,
                         ch_enum_name(CH_KIND_resource_kind, row->resource_kind), row->text);
        }
        return true;
    }
    const bool roles = strcmp(topic, "roles") == 0;
    if (!roles && strcmp(topic, "pages") != 0) return false;
    const size_t count = roles ? ch_role_count() : ch_page_count();
    for (size_t i = 0; i < count; i++) {
        print_set(roles ? ch_role_at(i) : ch_page_at(i));
    }
    return true;
}
