/* main: charter, the command line of charterd. SPDX-License-Identifier: MIT
 * The words choose a command made by hand (import, check --from, events, proof, backup, whatif) or
 * a call of the schema's rows; everything about the latter, its options, help and printing, comes
 * from the rows. */
#include <stdio.h>
#include <string.h>

#include "schema/records.h"
#include "tools/charter/command.h"
#include "tools/charter/diff.h"
#include "tools/charter/follow.h"
#include "tools/charter/help.h"
#include "tools/charter/import.h"
#include "tools/charter/keep.h"
#include "tools/charter/proof.h"
#include "tools/charter/questions.h"
#include "tools/charter/receipt.h"
#include "tools/charter/replay.h"
#include "tools/charter/review.h"
#include "tools/charter/whatif.h"
#include "tools/lib/file.h"

#ifndef CHARTER_VERSION
#define CHARTER_VERSION "0.1.0"
#endif

/* Short words for what is asked most about rights. */
static const struct special explain_special = {
    .words = "explain",
    .usage = "explain --on ACCOUNT --user U --scope S [--resource R]",
    .doc = "As access explain: why somebody may do something or not, as a tree.",
};
static const struct special who_special = {
    .words = "who",
    .usage = "who --on ACCOUNT --scope S [--resource R] [--as-of SEQ|TIME]",
    .doc = "As access holders: who can do this, users and keys, and by what.",
};
static const struct special orphans_special = {
    .words = "orphans",
    .usage = "orphans --on ACCOUNT --user U",
    .doc = "As access orphans: what somebody made there and below that is still there.",
};

/* The call of a short word; -1: it is none. */
static int call_of(const char *word)
{
    if (strcmp(word, explain_special.words) == 0) return CH_QRY_access_explain;
    if (strcmp(word, who_special.words) == 0) return CH_QRY_access_holders;
    return strcmp(word, orphans_special.words) == 0 ? CH_QRY_access_orphans : -1;
}

static enum exit_code print_help(FILE *out, const char *group, const char *word)
{
    const struct special specials[] = {
        import_special,  questions_special, follow_special,  explain_special, proof_special,
        receipt_special, backup_special,    restore_special, export_special,  replay_special,
        diff_special,    who_special,       orphans_special, review_special,  whatif_special};
    const size_t count = sizeof specials / sizeof specials[0];
    if (group == NULL) {
        help_all(out, specials, count);
        return EXIT_DONE;
    }
    for (size_t i = 0; word == NULL && i < count; i++) {
        if (strcmp(specials[i].words, group) != 0 || help_is_group(group)) continue;
        help_special(out, &specials[i]);
        return EXIT_DONE;
    }
    const int type = help_find(group, word);
    if (type >= 0) {
        help_call(out, type);
        return EXIT_DONE;
    }
    if (word == NULL && help_topic(group)) return EXIT_DONE;
    if (word == NULL && help_is_group(group)) {
        help_group(out, group, specials, count);
        return EXIT_DONE;
    }
    (void)fprintf(stderr, "charter: there is no command '%s%s%s'; charter --help lists them\n",
                  group, word == NULL ? "" : " ", word == NULL ? "" : word);
    return EXIT_USAGE;
}

/* The commands made by hand; false if it is none of them. */
static bool run_special(struct command_line *line, const char *group, enum exit_code *ret)
{
    static const struct {
        const char *word;
        enum exit_code (*run)(struct command_line *line);
    } whole[] = {{"receipt", receipt_run},
                 {"replay", replay_run},
                 {"diff", diff_run},
                 {"whatif", whatif_run}};
    const char *word = line->at < line->argc ? line->argv[line->at] : "--";
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if (strcmp(group, whole[i].word) != 0) continue;
        *ret = whole[i].run(line);
        return true;
    }
    if (keep_wanted(group)) {
        *ret = keep_run(line, group);
        return true;
    }
    if (strcmp(group, "check") == 0 && questions_wanted(line)) {
        *ret = questions_run(line);
        return true;
    }
    if (strcmp(group, "access-review") == 0) {
        *ret = review_run(line);
        return true;
    }
    if (strcmp(group, "proof") == 0 && proof_wanted(line)) {
        *ret = proof_run(line);
        return true;
    }
    if (word[0] != '-' && help_find(group, word) >= 0) return false;
    if (strcmp(group, "import") == 0) {
        *ret = import_run(line);
        return true;
    }
    if (strcmp(group, "events") == 0) {
        *ret = follow_run(line);
        return true;
    }
    return false;
}

static enum exit_code run(struct command_line *line)
{
    const char *value = NULL;
    enum exit_code code;
    /* Global options may stand before the command. */
    while (line->at < line->argc && line->argv[line->at][0] == '-') {
        if (option_next(line, NULL, 0, &value) == OPTION_BAD) return EXIT_USAGE;
    }
    if (line->options.version) {
        (void)printf("charter %s\n", CHARTER_VERSION);
        return EXIT_DONE;
    }
    const char *group = option_word(line);
    if (group == NULL) {
        (void)print_help(line->options.help ? stdout : stderr, NULL, NULL);
        return line->options.help ? EXIT_DONE : EXIT_USAGE;
    }
    if (strcmp(group, "help") == 0) {
        const char *first = option_word(line);
        return print_help(stdout, first, first == NULL ? NULL : option_word(line));
    }
    if (run_special(line, group, &code)) return code;
    if (call_of(group) >= 0) return command_run(line, call_of(group));
    int type = help_find(group, NULL);
    const char *word = NULL;
    if (type < 0) {
        word = option_word(line);
        if (word != NULL) type = help_find(group, word);
    }
    if (type == CH_QRY_access_receipt) return receipt_run(line);
    if (type >= 0) return command_run(line, type);
    if (word == NULL && help_is_group(group)) {
        const bool asked = line->at < line->argc && strcmp(line->argv[line->at], "--help") == 0;
        (void)print_help(asked || line->options.help ? stdout : stderr, group, NULL);
        return asked || line->options.help ? EXIT_DONE : EXIT_USAGE;
    }
    return print_help(stderr, group, word);
}

int main(int argc, char **argv)
{
    struct command_line line = {.argc = argc, .argv = argv, .at = 1};
    enum exit_code code = run(&line);
    if (!file_printed("charter") && (code == EXIT_DONE || code == EXIT_NO)) code = EXIT_FAILED;
    return (int)code;
}
