/* questions: see questions.h. SPDX-License-Identifier: MIT */
#include "tools/charter/questions.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/buf.h"
#include "schema/limits.h"
#include "tools/charter/ask.h"
#include "tools/charter/levels.h"
#include "tools/charter/lines.h"
#include "tools/lib/clean.h"
#include "tools/lib/interrupt.h"

enum { MESSAGES_IN_FLIGHT = 32, QUESTION_BYTES_MOST = 4096, PATH_BYTES = 1024, UNKNOWN_SHOWN = 5 };
enum { AS_OF_BYTES = 64 };
enum { OPTION_FROM, OPTION_UNDER, OPTIONS };

static const struct option_row rows[] = {
    [OPTION_FROM] = {"from", "FILE",
                     "lines with as_of, user, account, resource, level, allowed; "
                     "gzip or plain, - is standard input"},
    [OPTION_UNDER] = {"under", "NAME", "the account that the accounts named stand below"},
};

const struct special questions_special = {
    .words = "check --from",
    .usage = "check --from FILE [--under NAME]",
    .doc =
        "Asks the questions of a file and compares the answers with those given there. Ends with\n"
        "0 if all agree, 1 if some differ, 3 if accounts that are named are not there.",
    .rows = rows,
    .row_count = OPTIONS,
};

/* The questions of one message. */
struct round {
    bool taken;
    struct charter_message *m;
    uint64_t first_line;
    size_t count;
    char as_of[AS_OF_BYTES];
    bool due[1024];      /* LIMIT_CALLS answers */
    struct ch_buf texts; /* the questions, with their newlines, for telling */
};

struct asker {
    const char *path;
    const char *under;
    const struct options *options;
    struct charter *c;
    struct charter *other; /* for what is asked between answers; made when it is needed first */
    struct lines *lines;
    struct round *rounds; /* MESSAGES_IN_FLIGHT + 1: the last is the one being filled */
    uint64_t line_count;
    uint64_t asked;
    uint64_t agree;
    uint64_t differ;
    uint64_t unknown;   /* about accounts that are not there */
    json_t *there;      /* by path: whether an account is there now, where that was asked */
    uint64_t not_there; /* of these */
};

bool questions_wanted(const struct command_line *line)
{
    for (int i = line->at; i < line->argc; i++) {
        const char *word = line->argv[i];
        if (strcmp(word, "--from") == 0 || strncmp(word, "--from=", 7) == 0) return true;
    }
    return false;
}

static enum exit_code tell_no_memory(void)
{
    (void)fprintf(stderr, "charter: failed: out of memory\n");
    return EXIT_FAILED;
}

static const char *text_of(const json_t *question, const char *name)
{
    return json_string_value(json_object_get(question, name));
}

static void round_reset(struct round *round)
{
    charter_message_destroy(round->m);
    round->m = NULL;
    round->taken = false;
    round->count = 0;
    round->as_of[0] = '\0';
    ch_buf_reset(&round->texts);
}

/* False for one that is longer than any: cut short it might be another's. */
static bool path_of(const struct asker *a, const char *account, char out[PATH_BYTES])
{
    const int len = snprintf(out, PATH_BYTES, "%s%s%s", a->under == NULL ? "" : a->under,
                             a->under == NULL ? "" : "/", account);
    return len >= 0 && len < PATH_BYTES;
}

/* Adds the question's call; false if it is no question. */
static bool add_call(struct asker *a, struct round *round, const json_t *question)
{
    char on[PATH_BYTES];
    const char *const *scopes = NULL;
    const char *user = text_of(question, "user");
    const char *account = text_of(question, "account");
    const char *resource = text_of(question, "resource");
    const char *level = text_of(question, "level");
    const json_t *allowed = json_object_get(question, "allowed");
    const size_t count = level == NULL ? 0 : levels_scopes(level, &scopes);
    if (user == NULL || account == NULL || count == 0 || !json_is_boolean(allowed)) return false;
    if (!path_of(a, account, on)) return false;
    charter_message_call(round->m, &(struct charter_call_head){.type = "check", .on = on});
    charter_arg_text(round->m, "user", user);
    charter_arg_texts(round->m, "scopes", scopes, count);
    if (resource != NULL) charter_arg_text(round->m, "resource", resource);
    charter_arg_text(round->m, "channel", "api");
    round->due[round->count] = json_is_true(allowed);
    return true;
}

static bool begin_round(struct asker *a, struct round *round, const char *as_of)
{
    (void)snprintf(round->as_of, sizeof round->as_of, "%s", as_of);
    struct charter_head head = ask_head(a->options);
    if (as_of[0] != '\0') ask_as_of(&head, round->as_of);
    head.id = NULL;
    round->m = charter_message_create(&head);
    return round->m != NULL;
}

static bool has_room(const struct round *round)
{
    return round->count < LIMIT_CALLS &&
           charter_message_bytes(round->m) + QUESTION_BYTES_MOST <= LIMIT_MESSAGE_BYTES;
}

/* ---- answers ------------------------------------------------------------------------------ */

/* The line of a question. */
static struct ch_text line_of(const struct round *round, size_t place)
{
    const char *at = (const char *)round->texts.ptr;
    const char *end = at + round->texts.len;
    for (size_t i = 0; i < place && at < end; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline == NULL ? end : newline + 1;
    }
    const char *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    return (struct ch_text){at, (size_t)((newline == NULL ? end : newline) - at)};
}

static void tell_differing(struct asker *a, const struct round *round, size_t place,
                           const struct charter_result *result)
{
    const struct ch_text line = line_of(round, place);
    struct charter_text answer = result->code;
    struct charter_text reason = {"", 0};
    if (result->outcome == CHARTER_RESULT) {
        (void)charter_get_text(result->value, "decision", &answer);
        (void)charter_get_text(result->value, "reason", &reason);
    }
    (void)printf(
        "differs: line %llu: answered %.*s %.*s: ", (unsigned long long)round->first_line + place,
        (int)answer.len, answer.ptr, (int)reason.len, reason.ptr);
    clean_print(stdout, line);
    (void)putchar('\n');
    a->differ++;
}

/* Whether the answer may be due to an account that is not there: it did not exist then, or nothing
 * leads the asker to it. */
static bool lacks_account(const struct charter_result *result)
{
    struct charter_text reason = {"", 0};
    struct charter_text field = {"", 0};
    if (result->outcome == CHARTER_RESULT) {
        (void)charter_get_text(result->value, "reason", &reason);
        (void)charter_get_text(result->value, "field", &field);
        return ch_text_is((struct ch_text){reason.ptr, reason.len}, "unknown_name") &&
               ch_text_is((struct ch_text){field.ptr, field.len}, "on");
    }
    return ch_text_is((struct ch_text){result->code.ptr, result->code.len}, "not_found") &&
           ch_text_is((struct ch_text){result->field.ptr, result->field.len}, "on");
}

/* Whether the account is there now. */
static enum exit_code ask_account(struct asker *a, const char *path, bool *ret_there)
{
    struct charter_reply *reply = NULL;
    struct charter_error error;
    enum exit_code code = a->other == NULL ? ask_connect(a->options, 1, &a->other) : EXIT_DONE;
    if (code != EXIT_DONE) return code;
    struct charter_head head = ask_head(a->options);
    head.as_of_time = NULL;
    head.as_of_seq = 0;
    head.has_as_of = false;
    head.id = NULL;
    struct charter_message *m = charter_message_create(&head);
    if (m == NULL) return tell_no_memory();
    charter_message_call(m, &(struct charter_call_head){.type = "account.show", .on = path});
    const int number = charter_call(a->other, m, &reply, &error);
    charter_message_destroy(m);
    if (number != 0) return ask_tell_error(&error);
    const struct charter_result *result = charter_reply_result(reply, 0);
    const struct ch_text refused = {result->code.ptr, result->code.len};
    *ret_there = !ch_text_is(refused, "not_found");
    charter_reply_destroy(reply);
    return EXIT_DONE;
}

static void tell_unknown(struct asker *a, const char *path, uint64_t line)
{
    a->not_there++;
    if (a->not_there <= UNKNOWN_SHOWN) {
        (void)fprintf(stderr, "charter: line %llu: there is no account %s\n",
                      (unsigned long long)line, path);
    } else if (a->not_there == UNKNOWN_SHOWN + 1) {
        (void)fprintf(stderr, "charter: further accounts are not there\n");
    }
}

/* Whether the question's account is not there at all, which is told once for each. */
static enum exit_code look_up(struct asker *a, const struct round *round, size_t place,
                              bool *ret_unknown)
{
    char path[PATH_BYTES];
    bool there = true;
    const struct ch_text line = line_of(round, place);
    json_t *question = json_loadb(line.ptr, line.len, 0, NULL);
    if (question == NULL) return tell_no_memory();
    (void)path_of(a, text_of(question, "account"), path); /* it was asked about, so it is one */
    json_decref(question);
    const json_t *known = json_object_get(a->there, path);
    if (known == NULL) {
        const enum exit_code code = ask_account(a, path, &there);
        if (code != EXIT_DONE) return code;
        if (json_object_set_new(a->there, path, json_boolean(there)) != 0) return tell_no_memory();
        if (!there) tell_unknown(a, path, round->first_line + place);
    } else {
        there = json_is_true(known);
    }
    *ret_unknown = !there;
    return EXIT_DONE;
}

static enum exit_code collect(struct asker *a)
{
    struct charter_reply *reply = NULL;
    struct charter_error error;
    uint64_t tag = 0;
    if (charter_collect(a->c, &tag, &reply, &error) != 0) return ask_tell_error(&error);
    struct round *round = &a->rounds[tag];
    enum exit_code code = EXIT_DONE;
    for (size_t i = 0; i < round->count && code == EXIT_DONE; i++) {
        bool unknown = false;
        const struct charter_result *result = charter_reply_result(reply, i);
        struct charter_text decision = {"", 0};
        const bool answered = result->outcome == CHARTER_RESULT &&
                              charter_get_text(result->value, "decision", &decision);
        const bool allowed = ch_text_is((struct ch_text){decision.ptr, decision.len}, "allowed");
        a->asked++;
        if (lacks_account(result)) code = look_up(a, round, i, &unknown);
        if (unknown) {
            a->unknown++;
        } else if (answered && allowed == round->due[i]) {
            a->agree++;
        } else {
            tell_differing(a, round, i, result);
        }
    }
    charter_reply_destroy(reply);
    round_reset(round);
    return code;
}

/* Sends the round that is filled, last of the array, by a free place. */
static enum exit_code submit(struct asker *a)
{
    struct round *filled = &a->rounds[MESSAGES_IN_FLIGHT];
    if (filled->count == 0) return EXIT_DONE;
    if (charter_in_flight(a->c) == MESSAGES_IN_FLIGHT) {
        const enum exit_code code = collect(a);
        if (code != EXIT_DONE) return code;
    }
    size_t place = 0;
    while (a->rounds[place].taken) {
        place++;
    }
    struct round swap = a->rounds[place];
    a->rounds[place] = *filled;
    *filled = swap;
    a->rounds[place].taken = true;
    struct charter_error error;
    if (charter_submit(a->c, a->rounds[place].m, place, &error) == 0) return EXIT_DONE;
    return ask_tell_error(&error);
}

/* The moment asked about, a time or a seq; empty: none is named. False: it is something else. */
static bool read_as_of(const json_t *question, char out[AS_OF_BYTES])
{
    const json_t *as_of = json_object_get(question, "as_of");
    const char *text = json_string_value(as_of);
    int len = 0;
    if (as_of == NULL) return true;
    if (json_is_integer(as_of) && json_integer_value(as_of) >= 0) {
        len = snprintf(out, AS_OF_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(as_of));
    } else if (text != NULL) {
        len = snprintf(out, AS_OF_BYTES, "%s", text);
    }
    return len > 0 && len < AS_OF_BYTES;
}

static enum exit_code ask_line(struct asker *a, struct ch_text text)
{
    struct round *round = &a->rounds[MESSAGES_IN_FLIGHT];
    json_t *question = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    char as_of[AS_OF_BYTES] = "";
    enum exit_code code = read_as_of(question, as_of) ? EXIT_DONE : EXIT_USAGE;
    if (code == EXIT_DONE && round->m != NULL &&
        (strcmp(round->as_of, as_of) != 0 || !has_room(round))) {
        code = submit(a);
    }
    if (code == EXIT_DONE && round->m == NULL) {
        round->first_line = a->line_count;
        if (!begin_round(a, round, as_of)) code = tell_no_memory();
    }
    if (code == EXIT_DONE && !add_call(a, round, question)) code = EXIT_USAGE;
    if (code == EXIT_USAGE) {
        lines_tell("no question", a->line_count, text);
    } else if (code == EXIT_DONE) {
        round->count++;
        ch_buf_put_text(&round->texts, text);
    }
    json_decref(question);
    return code;
}

static enum exit_code ask_all(struct asker *a)
{
    struct ch_why why = {0};
    enum exit_code code = EXIT_DONE;
    while (code == EXIT_DONE && !interrupted()) {
        struct ch_text text;
        if (lines_next(a->lines, &text, &why) != CH_OK) {
            (void)fprintf(stderr, "charter: failed: %s\n", why.text);
            return EXIT_FAILED;
        }
        if (text.len == 0) break;
        a->line_count++;
        code = ask_line(a, text);
    }
    if (code == EXIT_DONE) code = submit(a);
    while (code == EXIT_DONE && charter_in_flight(a->c) > 0) {
        code = collect(a);
    }
    return code == EXIT_DONE && interrupted() ? EXIT_INTERRUPTED : code;
}

static enum exit_code report(const struct asker *a, enum exit_code code)
{
    if (a->options->json) {
        (void)printf("{\"asked\": %llu, \"agree\": %llu, \"differ\": %llu, \"unknown\": %llu}\n",
                     (unsigned long long)a->asked, (unsigned long long)a->agree,
                     (unsigned long long)a->differ, (unsigned long long)a->unknown);
    } else {
        (void)printf("%llu asked, %llu agree, %llu differ", (unsigned long long)a->asked,
                     (unsigned long long)a->agree, (unsigned long long)a->differ);
        if (a->unknown > 0) {
            (void)printf(", %llu about accounts that are not there",
                         (unsigned long long)a->unknown);
        }
        (void)printf("\n");
    }
    if (a->unknown > 0) {
        (void)fprintf(stderr, "charter: refused: %llu accounts of the file are not there; %s\n",
                      (unsigned long long)a->not_there,
                      a->under == NULL
                          ? "if they stand below another account, name it: --under NAME"
                          : "do they stand below the one that --under names?");
    }
    if (code != EXIT_DONE) return code;
    if (a->unknown > 0) return EXIT_REJECTED;
    return a->differ == 0 ? EXIT_DONE : EXIT_NO;
}

static enum exit_code read_options(struct command_line *line, struct asker *a)
{
    for (;;) {
        const char *value = NULL;
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_END) return EXIT_DONE;
        if (place == OPTION_BAD) return EXIT_USAGE;
        if (place == OPTION_FROM) a->path = value;
        if (place == OPTION_UNDER) a->under = value;
    }
}

enum exit_code questions_run(struct command_line *line)
{
    struct asker a = {.options = &line->options};
    struct ch_why why = {0};
    enum exit_code code = read_options(line, &a);
    if (code != EXIT_DONE) return code;
    if (line->options.help) {
        help_special(stdout, &questions_special);
        return EXIT_DONE;
    }
    a.rounds = calloc(MESSAGES_IN_FLIGHT + 1, sizeof *a.rounds);
    a.there = json_object();
    if (a.rounds == NULL || a.there == NULL) {
        free(a.rounds);
        json_decref(a.there);
        return tell_no_memory();
    }
    interrupt_watch();
    if (lines_open(a.path, &a.lines, &why) != CH_OK) {
        (void)fprintf(stderr, "charter: failed: %s\n", why.text);
        code = EXIT_FAILED;
    }
    if (code == EXIT_DONE) code = ask_connect(&line->options, MESSAGES_IN_FLIGHT, &a.c);
    if (code == EXIT_DONE) code = report(&a, ask_all(&a));
    charter_close(a.c);
    charter_close(a.other);
    json_decref(a.there);
    lines_close(a.lines);
    for (size_t i = 0; i <= MESSAGES_IN_FLIGHT; i++) {
        round_reset(&a.rounds[i]);
        ch_buf_deinit(&a.rounds[i].texts);
    }
    free(a.rounds);
    return code;
}
