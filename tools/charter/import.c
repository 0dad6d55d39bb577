/* import: see import.h. SPDX-License-Identifier: MIT */
#include "tools/charter/import.h"

#include <stdlib.h>
#include <string.h>

#include "schema/pack.h"
#include "tools/charter/ask.h"
#include "tools/charter/history.h"
#include "tools/lib/interrupt.h"
#include "tools/charter/progress.h"

enum { BATCH_LINES = 400, BATCH_LINES_MOST = 511 };
enum { OPTION_FORMAT, OPTION_UNDER, OPTION_REJECTS, OPTION_BATCH, OPTION_PROGRESS, OPTIONS };

static const char format_name[] = "access-ndjson";

static const struct option_row rows[] = {
    [OPTION_FORMAT] = {"format", "FORMAT", "access-ndjson: one JSON object a line (needed)"},
    [OPTION_UNDER] = {"under", "NAME", "the master account for it; opened if missing (needed)"},
    [OPTION_REJECTS] = {"rejects", "FILE", "keeps the lines that were refused, and why"},
    [OPTION_BATCH] = {"batch", "NUMBER", "lines of one message at most; 400 unless said"},
    [OPTION_PROGRESS] = {"progress", NULL, "tell how far it is, also where no terminal is"},
};

const struct special import_special = {
    .words = "import",
    .usage = "import --format access-ndjson FILE|- --under NAME [--rejects FILE]",
    .doc = "Takes a history of access changes, with its own times; run again, it goes on.",
    .rows = rows,
    .row_count = OPTIONS,
};

struct importer {
    const char *path;
    const char *under;
    const char *rejects;
    uint64_t batch_lines;
    bool tell_progress;
    const struct options *options;
    struct charter *c;
    struct history history;
    struct refused refused;
    struct progress progress;
    uint64_t skipped;
    uint64_t taken; /* lines that the daemon has */
    bool running;   /* between import.begin and import.end */
    bool begun;     /* this run has sent what must come before the first line */
    struct ch_why why;
};

static enum exit_code fail_why(const struct importer *i)
{
    (void)fprintf(stderr, "charter: failed: %s\n", i->why.text);
    return EXIT_FAILED;
}

/* ---- one call of its own ------------------------------------------------------------------ */

/* Sends a message of one call; *ret, if any, whatever the result is. */
static int send_one(struct importer *i, struct charter_message *m, struct charter_reply **ret)
{
    struct charter_error error;
    const int number = charter_call(i->c, m, ret, &error);
    charter_message_destroy(m);
    if (number != 0) (void)ask_tell_error(&error);
    return number;
}

static struct charter_message *message_of(const char *type, const char *at)
{
    const struct charter_head head = {.each = true, .at = at};
    struct charter_message *m = charter_message_create(&head);
    if (m != NULL) charter_message_call(m, &(struct charter_call_head){.type = type});
    return m;
}

/* may_be: a rejection that is as good; NULL: none */
static enum exit_code send_command(struct importer *i, struct charter_message *m,
                                   const char *may_be)
{
    struct charter_reply *reply = NULL;
    if (send_one(i, m, &reply) != 0) return EXIT_FAILED;
    const struct charter_result *result = charter_reply_result(reply, 0);
    enum exit_code code = EXIT_DONE;
    if (result->outcome != CHARTER_RESULT &&
        (may_be == NULL ||
         !ch_text_is((struct ch_text){result->code.ptr, result->code.len}, may_be))) {
        code = ask_tell_no(result);
    }
    charter_reply_destroy(reply);
    return code;
}

/* import.begin, unless one is running, and the master account, unless it is there. */
static enum exit_code begin(struct importer *i, const char *at)
{
    struct charter_message *m;
    enum exit_code code = EXIT_DONE;
    if (!i->running) {
        m = message_of("import.begin", at);
        if (m == NULL) return EXIT_FAILED;
        charter_arg_text(m, "format", format_name);
        code = send_command(i, m, NULL);
        if (code != EXIT_DONE) return code;
        i->running = true;
    }
    m = message_of("account.open_master", at);
    if (m == NULL) return EXIT_FAILED;
    charter_arg_text(m, "name", i->under);
    i->begun = true;
    return send_command(i, m, "name_taken");
}

static enum exit_code end(struct importer *i)
{
    struct charter_message *m = message_of("import.end", NULL);
    if (m == NULL) return EXIT_FAILED;
    charter_arg_uint(m, "line", i->taken);
    const enum exit_code code = send_command(i, m, NULL);
    if (code == EXIT_DONE) i->running = false;
    return code;
}

/* ---- what was taken before ---------------------------------------------------------------- */

struct before {
    uint64_t line;
    bool has_digest;
    uint8_t digest[CHARTER_DIGEST_BYTES];
};

static enum exit_code ask_before(struct importer *i, struct before *ret)
{
    struct charter_reply *reply = NULL;
    struct charter_message *m = message_of("import.status", NULL);
    if (m == NULL) return EXIT_FAILED;
    charter_arg_text(m, "format", format_name);
    if (send_one(i, m, &reply) != 0) return EXIT_FAILED;
    const struct charter_result *result = charter_reply_result(reply, 0);
    enum exit_code code = EXIT_DONE;
    if (result->outcome != CHARTER_RESULT) {
        code = ask_tell_no(result);
    } else {
        struct charter_bytes digest;
        (void)charter_get_bool(result->value, "running", &i->running);
        (void)charter_get_uint(result->value, "line", &ret->line);
        ret->has_digest =
            charter_get_bytes(result->value, "digest", &digest) && digest.len == sizeof ret->digest;
        if (ret->has_digest) memcpy(ret->digest, digest.ptr, sizeof ret->digest);
    }
    charter_reply_destroy(reply);
    return code;
}

/* Goes to the first line that is not taken yet. */
static enum exit_code find_start(struct importer *i)
{
    struct before before = {0};
    uint8_t digest[CHARTER_DIGEST_BYTES];
    enum exit_code code = ask_before(i, &before);
    if (code != EXIT_DONE) return code;
    if (history_open(&i->history, i->path, &i->why) != CH_OK ||
        history_skip(&i->history, before.line, digest, &i->why) != CH_OK) {
        return fail_why(i);
    }
    i->skipped = i->taken = i->history.count;
    if (before.line == 0) return EXIT_DONE;
    if (i->history.count == before.line && before.has_digest &&
        memcmp(digest, before.digest, sizeof digest) == 0) {
        return EXIT_DONE;
    }
    if (i->running) {
        (void)fprintf(stderr,
                      "charter: an import of other lines is running, and has come to its line "
                      "%llu\n  next: go on with that file first\n",
                      (unsigned long long)before.line);
        return EXIT_REJECTED;
    }
    if (strcmp(i->path, "-") == 0) {
        (void)fprintf(stderr, "charter: the last import was of other lines\n"
                              "  next: give these as a file, so that they can be read again\n");
        return EXIT_FAILED;
    }
    i->skipped = i->taken = 0; /* another history, from its first line */
    return history_open(&i->history, i->path, &i->why) == CH_OK ? EXIT_DONE : fail_why(i);
}

/* ---- batches ------------------------------------------------------------------------------ */

static enum ch_err fill(struct importer *i, struct batch *batch)
{
    return history_fill(&i->history, i->under, (size_t)i->batch_lines, batch, &i->why);
}

static enum exit_code settle(struct importer *i, struct batch *batch)
{
    struct charter_reply *reply = NULL;
    struct charter_error error;
    uint64_t tag;
    if (charter_collect(i->c, &tag, &reply, &error) != 0) {
        progress_end(&i->progress);
        return ask_tell_error(&error);
    }
    const struct charter_result *result = batch_settle(batch, reply, &i->refused);
    enum exit_code code = EXIT_DONE;
    if (result->outcome != CHARTER_RESULT) {
        progress_end(&i->progress);
        code = ask_tell_no(result);
    } else {
        i->taken = batch->last_line;
    }
    charter_reply_destroy(reply);
    return code;
}

/* Sends batch after batch; while one is in flight, the next is made. */
static enum exit_code send_batches(struct importer *i, struct batch *now, struct batch *next)
{
    enum exit_code code = EXIT_DONE;
    while (now->count > 0 && !interrupted()) {
        if (now->m == NULL) { /* no line of it has a time: there is nothing to send */
            batch_refuse(now, &i->refused);
        } else {
            struct charter_error error;
            if (!i->begun) code = begin(i, now->at);
            if (code != EXIT_DONE) return code;
            if (charter_submit(i->c, now->m, 0, &error) != 0) return ask_tell_error(&error);
        }
        const bool filled = fill(i, next) == CH_OK;
        if (now->m != NULL) code = settle(i, now);
        if (code != EXIT_DONE) return code;
        progress_tell(&i->progress, i->taken, lines_permille(i->history.lines));
        if (!filled) {
            progress_end(&i->progress);
            return fail_why(i);
        }
        struct batch swap = *now;
        *now = *next;
        *next = swap;
    }
    return interrupted() ? EXIT_INTERRUPTED : EXIT_DONE;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void print_summary(struct importer *i)
{
    const double seconds = progress_seconds(&i->progress);
    const uint64_t sent = i->taken - i->skipped;
    if (i->options->json) {
        (void)printf("{\"lines\": %llu, \"skipped\": %llu, \"refused\": %llu, \"reasons\": {",
                     (unsigned long long)i->taken, (unsigned long long)i->skipped,
                     (unsigned long long)i->refused.count);
        for (size_t k = 0; k < i->refused.reason_count; k++) {
            (void)printf("%s\"%s\": %llu", k == 0 ? "" : ", ", i->refused.reasons[k].name,
                         (unsigned long long)i->refused.reasons[k].count);
        }
        (void)printf("}, \"seconds\": %.3f}\n", seconds);
        return;
    }
    if (sent == 0 && i->skipped > 0) {
        (void)printf("nothing to do: all %llu lines were taken before\n",
                     (unsigned long long)i->skipped);
        return;
    }
    (void)printf("%llu lines taken under %s in %.2f s (%.0f lines/s), %llu of them before; "
                 "%llu refused\n",
                 (unsigned long long)i->taken, i->under, seconds,
                 seconds > 0 ? (double)sent / seconds : 0, (unsigned long long)i->skipped,
                 (unsigned long long)i->refused.count);
    for (size_t k = 0; k < i->refused.reason_count; k++) {
        (void)printf("  %8llu %s\n", (unsigned long long)i->refused.reasons[k].count,
                     i->refused.reasons[k].name);
    }
}

/* Nothing to send: is it there under this name? A question, so nothing is changed by it. */
static enum exit_code confirm(struct importer *i)
{
    struct charter_message *m = message_of("account.list", NULL);
    if (m == NULL) return EXIT_FAILED;
    charter_arg_text(m, "below", i->under);
    charter_arg_uint(m, "limit", 1);
    const enum exit_code code = send_command(i, m, NULL);
    if (code != EXIT_DONE) {
        (void)fprintf(stderr, "  these lines were imported before, but not under %s\n", i->under);
    }
    return code;
}

static enum exit_code run(struct importer *i, struct batch *now, struct batch *next)
{
    enum exit_code code = find_start(i);
    if (code != EXIT_DONE) return code;
    if (i->rejects != NULL && !refused_open(&i->refused, i->rejects, i->skipped > 0)) {
        (void)fprintf(stderr, "charter: failed: %s cannot be written\n", i->rejects);
        return EXIT_FAILED;
    }
    progress_begin(&i->progress, i->tell_progress, i->skipped);
    i->refused.before = i->progress.terminal ? "\r\033[K" : "";
    if (fill(i, now) != CH_OK) return fail_why(i);
    if (now->m == NULL && now->count == 0 && !i->running) {
        code = i->skipped > 0 ? confirm(i) : EXIT_DONE;
        if (code == EXIT_DONE) print_summary(i);
        return code;
    }
    code = send_batches(i, now, next);
    if (code == EXIT_DONE && i->running) code = end(i);
    progress_end(&i->progress);
    if (code != EXIT_DONE) {
        (void)fprintf(stderr,
                      "charter: stopped after line %llu; the same command again goes on there\n",
                      (unsigned long long)i->taken);
        return code;
    }
    print_summary(i);
    return EXIT_DONE;
}

static enum exit_code read_options(struct command_line *line, struct importer *i)
{
    const char *format = NULL;
    i->path = option_word(line);
    for (;;) {
        const char *value = NULL;
        const bool bare = line->at < line->argc && (line->argv[line->at][0] != '-' ||
                                                    strcmp(line->argv[line->at], "-") == 0);
        if (bare && i->path == NULL) {
            i->path = line->argv[line->at++];
            continue;
        }
        const int place = option_next(line, rows, OPTIONS, &value);
        if (place == OPTION_END) break;
        if (place == OPTION_BAD) return EXIT_USAGE;
        if (place == OPTION_FORMAT) format = value;
        if (place == OPTION_UNDER) i->under = value;
        if (place == OPTION_REJECTS) i->rejects = value;
        if (place == OPTION_PROGRESS) i->tell_progress = true;
        if (place == OPTION_BATCH && (!option_number(value, &i->batch_lines) ||
                                      i->batch_lines == 0 || i->batch_lines > BATCH_LINES_MOST)) {
            (void)fprintf(stderr, "charter: --batch takes 1 to %d\n", BATCH_LINES_MOST);
            return EXIT_USAGE;
        }
    }
    if (line->options.help) return EXIT_DONE;
    if (format == NULL || strcmp(format, format_name) != 0) {
        (void)fprintf(stderr, "charter: import needs --format %s, the only one there is\n",
                      format_name);
        return EXIT_USAGE;
    }
    if (i->path == NULL || i->under == NULL || strchr(i->under, '/') != NULL) {
        (void)fprintf(stderr, "charter: import needs %s\n",
                      i->path == NULL ? "a FILE, or - for standard input"
                                      : "--under NAME, the name of a root account");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

enum exit_code import_run(struct command_line *line)
{
    struct importer i = {.batch_lines = BATCH_LINES, .options = &line->options};
    struct batch now = {0};
    struct batch next = {0};
    enum exit_code code = read_options(line, &i);
    if (code != EXIT_DONE) return code;
    if (line->options.help) {
        help_special(stdout, &import_special);
        return EXIT_DONE;
    }
    interrupt_watch();
    code = ask_connect(&line->options, 2, &i.c);
    if (code == EXIT_DONE) code = run(&i, &now, &next);
    charter_close(i.c);
    if (!refused_close(&i.refused)) {
        (void)fprintf(stderr, "charter: failed: %s could not be written whole\n", i.rejects);
        if (code == EXIT_DONE) code = EXIT_FAILED;
    }
    history_close(&i.history);
    batch_deinit(&now);
    batch_deinit(&next);
    return code;
}
