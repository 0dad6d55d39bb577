/* keep: see keep.h. SPDX-License-Identifier: MIT */
#include "tools/charter/keep.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/charter/ask.h"

static const char program[] = "charter-keep";

const struct special backup_special = {
    .words = "backup",
    .usage = "backup FILE --data DIR [--vault FILE] [--signing-key FILE]",
    .doc = "Writes the whole log to one file, checked on the way, while charterd runs.",
};
const struct special restore_special = {
    .words = "restore",
    .usage = "restore FILE --data DIR [--vault FILE] [--signing-key FILE] [--against WHAT]...",
    .doc = "Makes a data directory from a backup or an export.",
};
const struct special export_special = {
    .words = "export",
    .usage = "export --data DIR [--format bundle|jsonl] [--out FILE]",
    .doc = "Writes the whole log as JSON lines, or as a bundle with proofs.",
};

bool keep_wanted(const char *word)
{
    return strcmp(word, backup_special.words) == 0 || strcmp(word, restore_special.words) == 0 ||
           strcmp(word, export_special.words) == 0;
}

/* An option, with its value behind it or after =. */
static bool has_option(char *const *words, const char *name)
{
    const size_t len = strlen(name);
    for (; *words != NULL; words++) {
        if (strncmp(*words, name, len) == 0 && ((*words)[len] == '\0' || (*words)[len] == '=')) {
            return true;
        }
    }
    return false;
}

/* The note of a checkpoint of all there is now; false: there is none to be had, which is told and
 * no reason not to go on. */
static bool ask_checkpoint(const struct options *o, struct ch_buf *ret)
{
    struct charter *c = NULL;
    struct charter_error error;
    struct charter_reply *reply = NULL;
    struct charter_text note = {.ptr = NULL};
    const struct charter_options options = {.timeout_ms = o->timeout_ms};
    struct charter_message *message = charter_message_create(NULL);
    const char *url = ask_url(o);
    charter_message_call(message, &(struct charter_call_head){.type = "checkpoint.make"});
    bool good = charter_connect(url, &options, &c, &error) == 0;
    good = good && charter_call(c, message, &reply, &error) == 0;
    if (good && charter_reply_result(reply, 0)->outcome != CHARTER_RESULT) {
        const struct charter_result *result = charter_reply_result(reply, 0);
        (void)snprintf(error.text, sizeof error.text, "%.*s", (int)result->text.len,
                       result->text.ptr);
        good = false;
    }
    if (good && charter_get_text(charter_reply_result(reply, 0)->value, "note", &note)) {
        ch_buf_put(ret, note.ptr, note.len);
        ch_buf_put(ret, "", 1);
    }
    if (!good) {
        (void)fprintf(stderr,
                      "charter: no checkpoint from charterd at %s (%s); it ends with what is "
                      "durable\n",
                      url, error.text);
    }
    charter_reply_destroy(reply);
    charter_message_destroy(message);
    charter_close(c);
    return good && ret->len > 0 && !ret->failed;
}

/* The program beside this one. */
static bool find_program(char ret[PATH_MAX])
{
    const ssize_t len = readlink("/proc/self/exe", ret, PATH_MAX - sizeof program);
    if (len <= 0) return false;
    ret[len] = '\0';
    char *name = strrchr(ret, '/');
    if (name == NULL) return false;
    memcpy(name + 1, program, sizeof program);
    return true;
}

/* Takes a global option of a connection, which charter-keep does not know. */
static bool take_connect(struct command_line *line, int *at)
{
    static const char connect[] = "--connect";
    const char *word = line->argv[*at];
    const size_t len = sizeof connect - 1;
    if (strncmp(word, connect, len) != 0 || (word[len] != '=' && word[len] != '\0')) return false;
    if (word[len] == '=') {
        line->options.url = word + len + 1;
    } else if (*at + 1 < line->argc) {
        line->options.url = line->argv[++*at];
    }
    return true;
}

enum exit_code keep_run(struct command_line *line, const char *word)
{
    char path[PATH_MAX];
    struct ch_buf note = {0};
    size_t count = 0;
    const char **words = calloc((size_t)line->argc + 8, sizeof *words);
    if (words == NULL || !find_program(path)) {
        (void)fprintf(stderr, "charter: failed: %s is not to be found beside charter\n", program);
        free(words);
        return EXIT_FAILED;
    }
    words[count++] = program;
    words[count++] = word;
    for (int at = line->at; at < line->argc; at++) {
        if (!take_connect(line, &at)) words[count++] = line->argv[at];
    }
    if (line->options.json) words[count++] = "--json"; /* it stood before the word */
    if (line->options.help) words[count++] = "--help";
    char *const *passed = (char *const *)(const void *)words; /* exec changes none of them */
    const bool asks = strcmp(word, restore_special.words) != 0 && has_option(passed, "--data") &&
                      !has_option(passed, "--offline") && !has_option(passed, "--help");
    if (asks && ask_checkpoint(&line->options, &note)) {
        words[count++] = "--made";
        words[count++] = (const char *)note.ptr;
    }
    (void)execv(path, passed);
    (void)fprintf(stderr, "charter: failed: %s: %s\n", path, strerror(errno));
    ch_buf_deinit(&note);
    free(words);
    return EXIT_FAILED;
}
