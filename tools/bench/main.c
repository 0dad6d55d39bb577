/* main: charter-bench, its subcommands and help. SPDX-License-Identifier: MIT
 * One file a subcommand, found through the table below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/backup.h"
#include "tools/bench/checks.h"
#include "tools/bench/commands.h"
#include "tools/bench/evidence.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/limits.h"
#include "tools/bench/options.h"
#include "tools/bench/past.h"
#include "tools/bench/replay.h"
#include "tools/bench/serve.h"
#include "tools/bench/stalls.h"

struct subcommand {
    const char *name;
    const char *summary;
    const char *help;
    enum ch_err (*run)(const struct ch_options *options, struct ch_why *why);
};

static const struct subcommand subcommands[] = {
    {"commands", "durable commands a second, and what limits them", ch_commands_help,
     ch_commands_run},
    {"checks", "answered checks a second, on a real history", ch_checks_help, ch_checks_run},
    {"evidence", "verifying, starting and holding a log of ten million events", ch_evidence_help,
     ch_evidence_run},
    {"limits", "the limits underneath: nng, LMDB and both without charterd", ch_limits_help,
     ch_limits_run},
    {"past", "milliseconds of a question about the past, by how many events decide it",
     ch_past_help, ch_past_run},
    {"replay", "events a second of a start on a long log", ch_replay_help, ch_replay_run},
    {"backup", "how fast a backup is, and what it costs commands", ch_backup_help, ch_backup_run},
    {"stalls", "the longest stop of the loop while shares are added", ch_stalls_help,
     ch_stalls_run},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static const char help_head[] =
    "charter-bench: measures charterd and what lies under it, on this machine.\n"
    "\n"
    "Usage: charter-bench SUBCOMMAND [OPTION]...\n"
    "\n"
    "Rows are run in interleaved rounds, because a machine drifts by more than the differences "
    "that\n"
    "matter; a figure is the median of the rounds with the range behind it. Compare figures of "
    "one\n"
    "run only, best by the ratios it prints. The last line says how busy other programs kept the\n"
    "machine: above about 0.2 processors, measure again. Ctrl-C prints what there is until then.\n";

static void print_help(void)
{
    (void)printf("%s\nSubcommands (charter-bench SUBCOMMAND --help says more):\n", help_head);
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        (void)printf("  %-18s %s\n", subcommands[i].name, subcommands[i].summary);
    }
    (void)printf("\n%s", ch_options_help);
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(subcommands[i].name, name) == 0) return &subcommands[i];
    }
    return NULL;
}

/* Exit status: 0 measured, 1 could not be measured, 2 wrong command line. */
int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--serve") == 0) return ch_serve_main(argc, argv);
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help();
        return EXIT_SUCCESS;
    }
    const struct subcommand *subcommand = argc < 2 ? NULL : find(argv[1]);
    if (subcommand == NULL) {
        (void)fprintf(
            stderr, "charter-bench: %s%s; try --help\n",
            argc < 2 ? "a subcommand is needed" : "no such subcommand: ", argc < 2 ? "" : argv[1]);
        return 2;
    }
    struct ch_options options;
    struct ch_why why = {0};
    if (ch_options_read(argc - 1, argv + 1, &options, &why) != CH_OK) {
        (void)fprintf(stderr, "charter-bench %s: %s; try --help\n", argv[1], why.text);
        return 2;
    }
    if (options.help) {
        (void)printf("charter-bench %s: %s\n\n%s\n%s", subcommand->name, subcommand->summary,
                     subcommand->help, ch_options_help);
        return EXIT_SUCCESS;
    }
    ch_interrupt_install();
    if (subcommand->run(&options, &why) == CH_OK) return EXIT_SUCCESS;
    (void)fprintf(stderr, "charter-bench %s: %s\n", subcommand->name, why.text);
    return EXIT_FAILURE;
}
