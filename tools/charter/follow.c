/* follow: see follow.h. SPDX-License-Identifier: MIT */
#include "tools/charter/follow.h"

#include <stdlib.h>
#include <string.h>

#include "schema/text.h"
#include "tools/charter/ask.h"
#include "tools/charter/cell.h"
#include "tools/lib/interrupt.h"
#include "tools/charter/ref.h"

enum { OPTION_FROM, OPTION_FOLLOW, OPTION_TYPE, OPTION_ACCOUNT, OPTION_LIMIT, OPTIONS };

static const struct option_row rows[] = {
    [OPTION_FROM] = {"from", "SEQ", "the first event's seq; 1 unless said"},
    [OPTION_FOLLOW] = {"follow", NULL, "wait for more at the end, until interrupted"},
    [OPTION_TYPE] = {"type", "TYPE", "only events of this type, such as share_given"},
    [OPTION_ACCOUNT] = {"account", "ACCOUNT", "only events of this account; --on says the same"},
    [OPTION_LIMIT] = {"limit", "NUMBER", "stop after so many"},
};

const struct special follow_special = {
    .words = "events",
    .usage = "events [--from SEQ] [--follow] [--type TYPE] [--account ACCOUNT] [--limit NUMBER]",
    .doc = "Prints the log's events, one a line.",
    .rows = rows,
    .row_count = OPTIONS,
};

struct follow {
    bool json;
    uint64_t left; /* events still wanted */
};

static void print_event(const struct charter_event *event)
{
    const struct ch_record *record = NULL;
    const struct ch_record *result = &ch_calls[CH_QRY_events_read].result;
    for (size_t i = 0; i < result->count; i++) {
        if (result->fields[i].record != NULL) record = result->fields[i].record;
    }
    struct ch_buf line = {0};
    for (size_t i = 0; record != NULL && i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        struct charter_bytes value;
        if (field->optional && !charter_get(event->record, field->name, &value)) continue;
        if (i > 0) ch_buf_put(&line, "  ", 2);
        const size_t start = line.len;
        cell_write(&line, field, event->record, false);
        const size_t least = field->kind == CH_KIND_seq ? 7 : field->kind == CH_KIND_token ? 20 : 0;
        while (line.len - start < least && !line.failed) {
            ch_buf_put(&line, " ", 1);
        }
    }
    (void)printf("%.*s\n", (int)line.len, line.ptr == NULL ? "" : (const char *)line.ptr);
    ch_buf_deinit(&line);
}

static bool on_event(void *context, const struct charter_event *event)
{
    struct follow *follow = context;
    if (follow->json) {
        char *json = charter_json(event->record, 0);
        (void)printf("%s\n", json == NULL ? "null" : json);
        free(json);
    } else {
        print_event(event);
    }
    (void)fflush(stdout);
    follow->left--;
    return follow->left > 0 && !ferror(stdout) && !interrupted();
}

static bool go_on(void *context)
{
    (void)context;
    return !interrupted();
}

static void set_account(struct charter_events_options *events, const char *name)
{
    const struct ref account = ref_of(CH_KIND_account_ref, name);
    events->account_id = account.id;
    events->account = account.name;
}

/* What is for every command, and not for this one. */
static bool is_possible(const struct options *o)
{
    if (o->as_of != NULL) {
        (void)fprintf(stderr,
                      "charter: events has no answer about the past: --from and --limit say "
                      "which events\n");
        return false;
    }
    if (o->csv) {
        (void)fprintf(stderr, "charter: events has no CSV form; try charter replay --csv\n");
        return false;
    }
    return true;
}

static bool read_options(struct command_line *line, struct charter_events_options *events,
                         struct follow *follow)
{
    const char *value = NULL;
    const char *account = NULL;
    bool good = true;
    while (good) {
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_END) break;
        if (place == OPTION_BAD) return false;
        if (place == OPTION_GLOBAL) continue;
        if (place == OPTION_FROM) {
            good = option_number(value, &events->from);
        } else if (place == OPTION_FOLLOW) {
            events->follow = strcmp(value, "false") != 0;
        } else if (place == OPTION_TYPE) {
            events->type = value;
        } else if (place == OPTION_ACCOUNT) {
            account = value;
        } else {
            good = option_number(value, &follow->left) && follow->left > 0;
        }
        if (!good) (void)fprintf(stderr, "charter: '%s' is no number from 1\n", value);
    }
    if (account == NULL) account = line->options.on;
    if (account != NULL) set_account(events, account);
    return good && (line->options.help || is_possible(&line->options));
}

enum exit_code follow_run(struct command_line *line)
{
    struct follow follow = {.left = UINT64_MAX};
    struct charter_events_options events = {.go_on = go_on};
    if (!read_options(line, &events, &follow)) return EXIT_USAGE;
    if (line->options.help) {
        help_special(stdout, &follow_special);
        return EXIT_DONE;
    }
    follow.json = line->options.json;
    const struct charter_head head = ask_head(&line->options);
    events.as_user = head.as_user;
    events.as_user_id = head.as_user_id;
    events.key = head.key;
    events.session = head.session;
    if (follow.left < 1000) events.page = (unsigned)follow.left;
    struct charter *c = NULL;
    enum exit_code code = ask_connect(&line->options, 1, &c);
    if (code != EXIT_DONE) return code;
    interrupt_watch();
    struct charter_error error;
    uint64_t next = 0;
    const int number = charter_events(c, &events, on_event, &follow, &next, &error);
    charter_close(c);
    if (number != 0) {
        (void)ask_tell_error(&error);
        code = number < 0 ? EXIT_REJECTED : EXIT_FAILED;
    }
    if (interrupted() || number != 0) {
        (void)fprintf(stderr, "charter: go on with --from %llu\n", (unsigned long long)next);
    }
    return code;
}
