/* receipt: see receipt.h. SPDX-License-Identifier: MIT */
#include "tools/charter/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "tools/charter/arguments.h"
#include "tools/charter/ask.h"
#include "tools/charter/outfile.h"

static const struct option_row rows[] = {
    {"user", "USER", "who is asked about; either this or --key"},
    {"key", "ID", "the API key that is asked about"},
    {"scope", "SCOPE", "what is asked (needed)"},
    {"resource", "TEXT", "on which resource; all of the scope's kind unless said"},
    {"any", NULL, "on at least one resource"},
    {"channel", "CHANNEL", "how the act would arrive; api unless said"},
    {"names", NULL, "with the names of people, which stay in the file whoever is erased"},
    {"out", "FILE", "write it there; to standard output unless said, or with -"},
};

const struct special receipt_special = {
    .words = "receipt",
    .usage = "receipt --on ACCOUNT --user USER|--key ID --scope SCOPE [--resource TEXT] [--any]\n"
             "       [--channel CHANNEL] [--as-of SEQ|TIME] [--names] [--out FILE]",
    .doc = "Writes a signed file that says what the answer is, or with --as-of was, and why, with\n"
           "the events and what proves them. charter-verify receipt FILE checks it, and says what\n"
           "it proves and what not.",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
};

/* Takes --out and its value off the line. False: told on standard error. */
static bool take_out(struct command_line *line, const char **ret)
{
    int kept = line->at;
    for (int i = line->at; i < line->argc; i++) {
        const char *word = line->argv[i];
        if (strncmp(word, "--out=", 6) == 0) {
            *ret = word + 6;
        } else if (strcmp(word, "--out") == 0) {
            *ret = i + 1 < line->argc ? line->argv[++i] : "";
        } else {
            line->argv[kept++] = line->argv[i];
            continue;
        }
        if ((*ret)[0] == '\0') {
            (void)fprintf(stderr, "charter: --out takes a value: FILE\n");
            return false;
        }
    }
    line->argc = kept;
    return true;
}

static enum exit_code write_answer(const struct options *o, const char *out,
                                   struct charter_bytes answer)
{
    struct charter_bytes file;
    struct charter_text decision;
    struct charter_text reason;
    uint64_t revision = 0;
    if (o->json) {
        struct ch_buf text = {0};
        char *json = charter_json(answer, 2);
        ch_buf_put_text(&text, ch_text_of(json));
        ch_buf_put(&text, "\n", 1);
        const bool good = json != NULL && !text.failed;
        const enum exit_code code = good ? outfile_write(out, text.ptr, text.len) : EXIT_FAILED;
        free(json);
        ch_buf_deinit(&text);
        return code;
    }
    if ((!o->dry_run && !charter_get_bytes(answer, "receipt", &file)) ||
        !charter_get_text(answer, "decision", &decision) ||
        !charter_get_text(answer, "reason", &reason) ||
        !charter_get_uint(answer, "revision", &revision)) {
        (void)fprintf(stderr, "charter: failed: the answer is no receipt\n");
        return EXIT_FAILED;
    }
    const enum exit_code code = o->dry_run ? EXIT_DONE : outfile_write(out, file.ptr, file.len);
    if (code == EXIT_DONE && (o->dry_run || !outfile_is_stdout(out))) {
        (void)printf("%s: %.*s (%.*s) as of event %llu\n", o->dry_run ? "not written" : out,
                     (int)decision.len, decision.ptr, (int)reason.len, reason.ptr,
                     (unsigned long long)revision);
    }
    return code;
}

enum exit_code receipt_run(struct command_line *line)
{
    const struct ch_call_row *call = &ch_calls[CH_QRY_access_receipt];
    const char *out = NULL;
    struct ch_buf pairs = {0};
    struct charter *c = NULL;
    struct charter_reply *reply = NULL;
    enum exit_code code = EXIT_USAGE;
    if (!take_out(line, &out)) return EXIT_USAGE;
    const int count = arguments_read(line, &call->args, "receipt", &pairs);
    if (line->options.help) {
        help_special(stdout, &receipt_special);
        code = EXIT_DONE;
        goto out;
    }
    if (count < 0) goto out;
    const struct charter_head head = ask_head(&line->options);
    if (line->options.on == NULL && head.key == NULL && head.session == NULL) {
        (void)fprintf(stderr, "charter: receipt needs --on ACCOUNT\n");
        goto out;
    }
    code = ask_connect(&line->options, 1, &c);
    if (code == EXIT_DONE) {
        code =
            ask_call(c, &line->options, call->args.name, call->on, &pairs, (size_t)count, &reply);
    }
    if (code == EXIT_DONE) {
        code = write_answer(&line->options, out, charter_reply_result(reply, 0)->value);
    }
out:
    charter_reply_destroy(reply);
    charter_close(c);
    ch_buf_deinit(&pairs);
    return code;
}
