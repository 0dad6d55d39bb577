/* command: see command.h. SPDX-License-Identifier: MIT */
#include "tools/charter/command.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "schema/pack.h"
#include "tools/charter/arguments.h"
#include "tools/charter/ask.h"
#include "tools/charter/csv.h"
#include "tools/charter/help.h"
#include "tools/charter/pages.h"
#include "tools/charter/proof.h"
#include "tools/charter/table.h"
#include "tools/charter/tree.h"
#include "tools/lib/jsonout.h"

/* ---- printing ----------------------------------------------------------------------------- */

/* The text of an enum value by its name. */
static const char *enum_text(uint8_t kind, struct charter_text name)
{
    for (const struct ch_enum_value *v = ch_kinds[kind].values; v->name != NULL; v++) {
        if (ch_text_is((struct ch_text){name.ptr, name.len}, v->name)) return v->text;
    }
    return "";
}

static void print_check(const struct pages *pages)
{
    struct charter_text decision = {0};
    struct charter_text reason = {0};
    struct charter_text until;
    uint64_t revision = 0;
    const struct charter_bytes value = pages->values[0];
    (void)charter_get_text(value, "decision", &decision);
    (void)charter_get_text(value, "reason", &reason);
    (void)charter_get_uint(value, "revision", &revision);
    const bool allowed = ch_text_is((struct ch_text){decision.ptr, decision.len}, "allowed");
    struct charter_text field;
    (void)printf("%s: %s (%.*s, %.*s)\n", allowed ? "allowed" : "denied",
                 enum_text(CH_KIND_reason, reason), (int)decision.len, decision.ptr,
                 (int)reason.len, reason.ptr);
    if (charter_get_text(value, "field", &field)) {
        (void)printf("  field: %.*s\n", (int)field.len, field.ptr);
    }
    (void)printf("known up to seq %llu", (unsigned long long)revision);
    if (charter_get_text(value, "valid_until", &until)) {
        (void)printf("; time alone changes nothing before %.*s", (int)until.len, until.ptr);
    }
    (void)printf("\n");
    const struct ch_record *record = &ch_calls[CH_QRY_check].result;
    struct charter_bytes facts;
    if (!charter_get(value, "facts", &facts)) return;
    (void)printf("\n");
    for (size_t i = 0; i < record->count; i++) {
        if (record->fields[i].record != NULL) table_print_list(&record->fields[i], &value, 1);
    }
}

static void tell_more(const struct options *o, struct charter_bytes last)
{
    uint64_t next;
    if (o->all || !charter_get_uint(last, "next", &next)) return;
    (void)fprintf(stderr, "there is more: --after %llu, or --all\n", (unsigned long long)next);
}

/* False: it could not be printed, which is told. */
static bool print_answer(const struct options *o, int type, const struct pages *pages)
{
    const struct charter_bytes last = pages->values[pages->count - 1];
    if (o->json) return jsonout_print("charter", stdout, pages_join(pages), JSON_INDENT(2));
    if (o->csv) {
        if (!csv_print(csv_list(&ch_calls[type].result), pages->values, pages->count)) {
            (void)fprintf(stderr, "charter: failed: out of memory\n");
            return false;
        }
        tell_more(o, last);
        return true;
    }
    if (!ch_calls[type].query) {
        if (o->dry_run) (void)printf("it would be done; nothing was changed\n");
        table_print_made(last);
    } else if (type == CH_QRY_check) {
        print_check(pages);
    } else if (type == CH_QRY_checkpoint_show || type == CH_QRY_checkpoint_make ||
               type == CH_QRY_checkpoint_cosign) {
        (void)proof_print_note(last); /* as a file that others can check */
    } else if (type == CH_QRY_checkpoint_rotate) {
        struct charter_text key;
        if (charter_get_text(last, "key", &key)) {
            (void)fprintf(stderr, "the new verifier key: %.*s\n", (int)key.len, key.ptr);
        }
        (void)proof_print_note(last);
    } else if (type == CH_QRY_access_explain) {
        tree_print(pages->values, pages->count);
        tell_more(o, last);
    } else {
        table_print(&ch_calls[type].result, pages->values, pages->count);
        if (type != CH_QRY_events_read) tell_more(o, last);
    }
    return true;
}

/* ---- asking ------------------------------------------------------------------------------- */

static bool takes_cursor(const struct ch_record *args)
{
    for (size_t i = 0; i < args->count; i++) {
        if (strcmp(args->fields[i].name, "after") == 0) return true;
    }
    return false;
}

/* Asks once, and on while there is a next page and --all. */
static enum exit_code ask_pages(struct charter *c, const struct options *o, int type,
                                struct ch_buf *pairs, size_t count, struct pages *pages)
{
    const struct ch_call_row *call = &ch_calls[type];
    const size_t own_len = pairs->len;
    size_t total = count;
    for (;;) {
        struct charter_reply *reply = NULL;
        const enum exit_code code = ask_call(c, o, call->args.name, call->on, pairs, total, &reply);
        if (code != EXIT_DONE) return code;
        if (!pages_add(pages, reply, 0)) return EXIT_FAILED;
        uint64_t next;
        if (!o->all || !takes_cursor(&call->args) ||
            !charter_get_uint(pages->values[pages->count - 1], "next", &next)) {
            return EXIT_DONE;
        }
        pairs->len = own_len;
        ch_pack_chars(pairs, "after");
        ch_pack_uint(pairs, next);
        total = count + 1;
    }
}

enum exit_code command_run(struct command_line *line, int type)
{
    const struct ch_call_row *call = &ch_calls[type];
    struct ch_buf pairs = {0};
    struct pages pages = {0};
    struct charter *c = NULL;
    char words[CALL_WORDS_BYTES];
    enum exit_code code = EXIT_USAGE;
    const int count = arguments_read(line, &call->args, help_words(type, words), &pairs);
    if (line->options.help) {
        help_call(stdout, type);
        code = EXIT_DONE;
        goto out;
    }
    if (count < 0) goto out;
    const struct charter_head head = ask_head(&line->options);
    const bool stands = head.key != NULL || head.session != NULL; /* for an account of its own */
    if (call->on && line->options.on == NULL && !stands) {
        (void)fprintf(stderr, "charter: %s needs --on ACCOUNT\n", words);
        goto out;
    }
    if (line->options.csv && csv_list(&call->result) == NULL) {
        (void)fprintf(stderr, "charter: %s has no list to print as CSV; try --json\n", words);
        goto out;
    }
    code = ask_connect(&line->options, 1, &c);
    if (code == EXIT_DONE) {
        code = ask_pages(c, &line->options, type, &pairs, (size_t)count, &pages);
    }
    if (code == EXIT_DONE && !print_answer(&line->options, type, &pages)) code = EXIT_FAILED;
    if (code == EXIT_DONE && (type == CH_QRY_check || type == CH_QRY_access_explain)) {
        struct charter_text decision = {0};
        (void)charter_get_text(pages.values[0], "decision", &decision);
        if (!ch_text_is((struct ch_text){decision.ptr, decision.len}, "allowed")) code = EXIT_NO;
    }
out:
    charter_close(c);
    pages_deinit(&pages);
    ch_buf_deinit(&pairs);
    return code;
}
