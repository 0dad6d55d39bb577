/* whatif: see whatif.h. SPDX-License-Identifier: MIT
 * The commands go in one message with dry_run, and the query `whatif` behind them; each further
 * page of the answer is the same message again. */
#include "tools/charter/whatif.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/buf.h"
#include "schema/json.h"
#include "schema/limits.h"
#include "schema/records.h"
#include "tools/charter/arguments.h"
#include "tools/charter/ask.h"
#include "tools/charter/difference.h"
#include "tools/charter/lines.h"
#include "tools/charter/pages.h"
#include "tools/charter/ref.h"
#include "tools/lib/jsonout.h"

enum { OPTION_FILE, OPTION_EACH, OPTIONS };

static const struct option_row rows[] = {
    [OPTION_FILE] = {"file", "FILE",
                     "commands, one JSON object a line with type, on, args, expect, note; gzip or "
                     "plain, - is standard input"},
    [OPTION_EACH] = {"each", NULL,
                     "each command stands for itself; else one that is refused ends "
                     "all"},
};

const struct special whatif_special = {
    .words = "whatif",
    .usage = "whatif COMMAND [--option VALUE]...\n       charter whatif [--each] --file FILE",
    .doc = "Tells what commands would change of what anybody may do, and of credits; changes\n"
           "nothing. Say the command behind it as you would say it to be done.",
    .rows = rows,
    .row_count = OPTIONS,
};

/* One command as it goes into the message. */
struct supposed {
    char type[64];
    char *on; /* path, or NULL */
    uint64_t on_id;
    bool has_expect;
    uint64_t expect;
    char *note;
    char *json;          /* its arguments; or */
    struct ch_buf pairs; /* the same as msgpack pairs */
    size_t pair_count;
};

struct whatif {
    struct options *options;
    const char *path;
    bool each;
    struct supposed *commands;
    size_t count;
    size_t cap;
    struct pages pages;
};

static enum exit_code tell_no_memory(void)
{
    (void)fprintf(stderr, "charter: failed: out of memory\n");
    return EXIT_FAILED;
}

static struct supposed *add_command(struct whatif *w)
{
    if (w->count == w->cap) {
        const size_t cap = w->cap == 0 ? 16 : 2 * w->cap;
        struct supposed *more = realloc(w->commands, cap * sizeof *more);
        if (more == NULL) return NULL;
        w->commands = more;
        w->cap = cap;
    }
    struct supposed *command = &w->commands[w->count++];
    *command = (struct supposed){0};
    return command;
}

/* False: no memory. */
static bool set_on(struct supposed *command, const char *text)
{
    const struct ref account = ref_of(CH_KIND_account_ref, text);
    command->on_id = account.id;
    if (account.id != 0) return true;
    command->on = strdup(account.name);
    return command->on != NULL;
}

/* ---- the commands of a file ------------------------------------------------------------------ */

/* EXIT_USAGE: it is none. */
static enum exit_code read_object(struct supposed *command, const json_t *line)
{
    const char *key;
    json_t *value;
    bool kept = true; /* in memory */
    const char *type = json_string_value(json_object_get(line, "type"));
    if (type == NULL || strlen(type) >= sizeof command->type) return EXIT_USAGE;
    (void)snprintf(command->type, sizeof command->type, "%s", type);
    json_object_foreach((json_t *)line, key, value)
    {
        if (strcmp(key, "on") == 0 && json_is_string(value)) {
            kept = set_on(command, json_string_value(value));
        } else if (strcmp(key, "on") == 0 && json_is_integer(value)) {
            command->on_id = (uint64_t)json_integer_value(value);
        } else if (strcmp(key, "args") == 0 && json_is_object(value)) {
            command->json = json_dumps(value, JSON_COMPACT);
            kept = command->json != NULL;
        } else if (strcmp(key, "note") == 0 && json_is_string(value)) {
            command->note = strdup(json_string_value(value));
            kept = command->note != NULL;
        } else if (strcmp(key, "expect") == 0 && json_is_integer(value)) {
            command->has_expect = true;
            command->expect = (uint64_t)json_integer_value(value);
        } else if (strcmp(key, "type") != 0) {
            return EXIT_USAGE;
        }
        if (!kept) return tell_no_memory();
    }
    return EXIT_DONE;
}

static enum exit_code read_line(struct whatif *w, struct ch_text text, uint64_t number)
{
    json_t *line = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    struct supposed *command = add_command(w);
    enum exit_code code = EXIT_USAGE;
    if (command == NULL) {
        code = tell_no_memory();
    } else if (json_is_object(line)) {
        code = read_object(command, line);
    }
    json_decref(line);
    if (code == EXIT_FAILED) return code;
    const int type = code == EXIT_DONE ? ch_call_find(ch_text_of(command->type)) : -1;
    if (type >= 0 && !ch_calls[type].query) return EXIT_DONE;
    lines_tell("no command", number, text);
    return EXIT_USAGE;
}

static enum exit_code read_file(struct whatif *w)
{
    struct lines *lines = NULL;
    struct ch_why why = {0};
    enum exit_code code = EXIT_DONE;
    enum ch_err err = lines_open(w->path, &lines, &why);
    for (uint64_t number = 1; err == CH_OK && code == EXIT_DONE; number++) {
        struct ch_text text;
        err = lines_next(lines, &text, &why);
        if (err != CH_OK || text.len == 0) break;
        if (text.len == 1 && text.ptr[0] == '\n') continue;
        code = read_line(w, text, number);
    }
    lines_close(lines);
    if (err == CH_OK) return code;
    (void)fprintf(stderr, "charter: failed: %s\n", why.text);
    return EXIT_FAILED;
}

/* ---- the command of the line ----------------------------------------------------------------- */

static enum exit_code read_command(struct whatif *w, struct command_line *line, const char *group)
{
    char words[CALL_WORDS_BYTES];
    int type = help_find(group, NULL);
    const char *word = type < 0 ? option_word(line) : NULL;
    if (word != NULL) type = help_find(group, word);
    if (type < 0 || ch_calls[type].query) {
        (void)fprintf(stderr, "charter: whatif takes a command, which '%s%s%s' is not\n", group,
                      word == NULL ? "" : " ", word == NULL ? "" : word);
        return EXIT_USAGE;
    }
    struct supposed *command = add_command(w);
    if (command == NULL) return tell_no_memory();
    const int count =
        arguments_read(line, &ch_calls[type].args, help_words(type, words), &command->pairs);
    if (line->options.help) {
        help_call(stdout, type);
        return EXIT_DONE;
    }
    if (count < 0) return EXIT_USAGE;
    command->pair_count = (size_t)count;
    (void)snprintf(command->type, sizeof command->type, "%s", ch_calls[type].args.name);
    command->has_expect = line->options.has_expect;
    command->expect = line->options.expect;
    if (line->options.note != NULL) {
        command->note = strdup(line->options.note);
        if (command->note == NULL) return tell_no_memory();
    }
    if (!ch_calls[type].on) return EXIT_DONE;
    if (line->options.on != NULL && !set_on(command, line->options.on)) return tell_no_memory();
    const struct charter_head head = ask_head(&line->options);
    if (line->options.on != NULL || head.key != NULL || head.session != NULL) return EXIT_DONE;
    (void)fprintf(stderr, "charter: %s needs --on ACCOUNT\n", words);
    return EXIT_USAGE;
}

static enum exit_code read_commands(struct whatif *w, struct command_line *line)
{
    const char *group = NULL;
    while (group == NULL) {
        const char *value = NULL;
        group = option_word(line);
        if (group != NULL) break;
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_BAD) return EXIT_USAGE;
        if (place == OPTION_END) break;
        if (place == OPTION_FILE) w->path = value;
        if (place == OPTION_EACH) w->each = true;
    }
    if (line->options.help && group == NULL) {
        help_special(stdout, &whatif_special);
        return EXIT_DONE;
    }
    if ((group == NULL) == (w->path == NULL)) {
        (void)fprintf(stderr, "charter: whatif takes a command or --file FILE\n");
        return EXIT_USAGE;
    }
    return group != NULL ? read_command(w, line, group) : read_file(w);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static struct charter_message *message_of(const struct whatif *w, uint64_t after)
{
    struct charter_head head = ask_head(w->options);
    head.dry_run = true;
    head.each = w->each;
    head.id = NULL;
    struct charter_message *m = charter_message_create(&head);
    for (size_t i = 0; m != NULL && i < w->count; i++) {
        const struct supposed *command = &w->commands[i];
        charter_message_call(m, &(struct charter_call_head){.type = command->type,
                                                            .on = command->on,
                                                            .on_id = command->on_id,
                                                            .has_expect = command->has_expect,
                                                            .expect = command->expect,
                                                            .note = command->note});
        if (command->json != NULL) charter_args_json(m, command->json);
        charter_args_pairs(m, command->pairs.ptr, command->pairs.len, command->pair_count);
    }
    if (m == NULL) return NULL;
    charter_message_call(m, &(struct charter_call_head){.type = "whatif"});
    charter_arg_uint(m, "limit", LIMIT_LIST_ITEMS);
    if (after > 0) charter_arg_uint(m, "after", after);
    return m;
}

/* Tells what was refused; EXIT_DONE if nothing was. */
static enum exit_code tell_refused(const struct whatif *w, const struct charter_reply *reply)
{
    enum exit_code code = EXIT_DONE;
    for (size_t i = 0; i <= w->count; i++) {
        const struct charter_result *result = charter_reply_result(reply, i);
        const struct ch_text reason = {result->code.ptr, result->code.len};
        if (result->outcome == CHARTER_RESULT || ch_text_is(reason, "not_decided")) continue;
        if (w->count > 1 && i < w->count) {
            (void)fprintf(stderr, "command %zu, %s:\n", i + 1, w->commands[i].type);
        }
        const enum exit_code one = ask_tell_no(result);
        if (code == EXIT_DONE || one == EXIT_FAILED) code = one;
    }
    return code;
}

/* Each page is of the state that it found. */
static void tell_moved(const struct whatif *w)
{
    uint64_t before = 0;
    uint64_t now = 0;
    if (w->pages.count < 2 ||
        !charter_get_uint(w->pages.values[w->pages.count - 2], "revision", &before) ||
        !charter_get_uint(w->pages.values[w->pages.count - 1], "revision", &now) || before == now) {
        return;
    }
    (void)fprintf(stderr,
                  "charter: events %llu to %llu came between two pages, so rows may lack or be "
                  "there twice\n",
                  (unsigned long long)before + 1, (unsigned long long)now);
}

static enum exit_code ask_pages(struct whatif *w, struct charter *c)
{
    uint64_t after = 0;
    for (;;) {
        struct charter_reply *reply = NULL;
        struct charter_error error;
        struct charter_message *m = message_of(w, after);
        if (m == NULL) return tell_no_memory();
        const int number = charter_call(c, m, &reply, &error);
        charter_message_destroy(m);
        if (number != 0) return ask_tell_error(&error);
        const bool answered = charter_reply_result(reply, w->count)->outcome == CHARTER_RESULT;
        if (!answered && w->pages.count > 0) { /* the first page alone is no answer */
            const enum exit_code code = tell_refused(w, reply);
            charter_reply_destroy(reply);
            return code;
        }
        if (!pages_add(&w->pages, reply, w->count)) return EXIT_FAILED;
        tell_moved(w);
        if (!answered || !w->options->all ||
            !charter_get_uint(w->pages.values[w->pages.count - 1], "next", &after)) {
            return EXIT_DONE;
        }
    }
}

static bool print_json(const struct whatif *w)
{
    static const char *const names[] = {"result", "rejection", "failure"};
    json_t *results = json_array();
    for (size_t i = 0; i < w->count; i++) {
        const struct charter_result *result = charter_reply_result(w->pages.replies[0], i);
        json_t *value = NULL;
        json_t *one = json_object();
        const struct ch_bytes bytes = {result->value.ptr, result->value.len};
        if (bytes.len == 0) {
            value = json_null();
        } else if (ch_json_tree(bytes, &value, NULL) != CH_OK) {
            value = NULL;
        }
        jsonout_put(&one, names[result->outcome], value);
        jsonout_add(&results, one);
    }
    json_t *whole = json_object();
    jsonout_put(&whole, "results", results);
    if (charter_reply_result(w->pages.replies[0], w->count)->outcome == CHARTER_RESULT) {
        jsonout_put(&whole, "whatif", pages_join(&w->pages));
    }
    return jsonout_print("charter", stdout, whole, JSON_INDENT(2));
}

static enum exit_code print(const struct whatif *w)
{
    const enum exit_code code = tell_refused(w, w->pages.replies[0]);
    const bool answered =
        charter_reply_result(w->pages.replies[0], w->count)->outcome == CHARTER_RESULT;
    if (w->options->json) return print_json(w) ? code : EXIT_FAILED;
    if (!answered) return code;
    if (!difference_print(w->pages.values, w->pages.count)) return tell_no_memory();
    uint64_t next;
    if (!w->options->all && charter_get_uint(w->pages.values[w->pages.count - 1], "next", &next)) {
        (void)fprintf(stderr, "there is more: --all\n");
    }
    return code;
}

static void deinit(struct whatif *w)
{
    for (size_t i = 0; i < w->count; i++) {
        free(w->commands[i].on);
        free(w->commands[i].note);
        free(w->commands[i].json);
        ch_buf_deinit(&w->commands[i].pairs);
    }
    pages_deinit(&w->pages);
    free(w->commands);
}

enum exit_code whatif_run(struct command_line *line)
{
    struct whatif w = {.options = &line->options};
    struct charter *c = NULL;
    enum exit_code code = read_commands(&w, line);
    if (code == EXIT_DONE && line->options.csv) {
        (void)fprintf(stderr, "charter: whatif has no one list to print as CSV; try --json\n");
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE && !line->options.help) {
        code = ask_connect(&line->options, 1, &c);
        if (code == EXIT_DONE) code = ask_pages(&w, c);
        if (code == EXIT_DONE && w.pages.count > 0) code = print(&w);
    }
    charter_close(c);
    deinit(&w);
    return code;
}
