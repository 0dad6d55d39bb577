/* options: see options.h. SPDX-License-Identifier: MIT */
#include "tools/bench/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "tools/bench/lmdb_limit.h"
#include "tools/bench/load.h"
#include "tools/bench/rounds.h"

const char ch_options_help[] =
    "Options:\n"
    "  --short            3 rounds of 0.3 s a row instead of 5 of 1 s: for a look, not for a "
    "report\n"
    "  --rounds N         rounds; each runs every row once (1..50)\n"
    "  --seconds S        measured time of a row in each round (0.05..600)\n"
    "  --dir DIR          directory on the disk to measure; a fresh one is made in it and removed\n"
    "                     (default: ./build if there is one, else the current directory)\n"
    "  --record-bytes N   size of a record of the bare prototype and of LMDB alone (16..4096; "
    "256,\n"
    "                     in commands 80: about what charterd's own records have)\n"
    "  --contexts N       REP contexts of the bare servers (default: as many as in flight, "
    "4..256)\n"
    "  --charterd PATH    the daemon to measure (default: the one beside this program)\n"
    "  --history FILE     checks: the history to import (default: ../shared/data's, if there)\n"
    "  --events N         replay, backup: events of the log (3000000), evidence (10000000);\n"
    "                     stalls: shares added (1000000)\n"
    "  --seed N           of the log that is made (1)\n"
    "  --log DIR          replay, evidence: the data directory to use; the log is made if it is "
    "not\n"
    "                     there, and left there (default: one in --dir, removed)\n"
    "  --help             this text\n";

enum {
    OPT_SHORT = 256,
    OPT_ROUNDS,
    OPT_SECONDS,
    OPT_DIR,
    OPT_RECORD_BYTES,
    OPT_CONTEXTS,
    OPT_CHARTERD,
    OPT_HISTORY,
    OPT_EVENTS,
    OPT_SEED,
    OPT_LOG,
    OPT_HELP
};

static const struct option long_options[] = {
    {"short", no_argument, NULL, OPT_SHORT},
    {"rounds", required_argument, NULL, OPT_ROUNDS},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"dir", required_argument, NULL, OPT_DIR},
    {"record-bytes", required_argument, NULL, OPT_RECORD_BYTES},
    {"contexts", required_argument, NULL, OPT_CONTEXTS},
    {"charterd", required_argument, NULL, OPT_CHARTERD},
    {"history", required_argument, NULL, OPT_HISTORY},
    {"events", required_argument, NULL, OPT_EVENTS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"log", required_argument, NULL, OPT_LOG},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* A number in its bounds; the sticky `err` keeps the first complaint. */
static double number(const char *name, const char *text, double least, double most, bool whole,
                     enum ch_err *err, struct ch_why *why)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    bool good = end != text && *end == '\0' && errno == 0 && value >= least && value <= most;
    if (good && whole) good = value == (double)(uint64_t)value;
    if (good) return value;
    if (*err == CH_OK) {
        *err = ch_fail(why, CH_ERR_CONFIG, 0, "%s %s: %s number from %g to %g is needed", name,
                       text, whole ? "a whole" : "a", least, most);
    }
    return least;
}

enum ch_err ch_options_read(int argc, char **argv, struct ch_options *ret, struct ch_why *why)
{
    struct ch_options options = {.seed = 1};
    enum ch_err err = CH_OK;
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
        switch (option) {
        case OPT_SHORT: options.is_short = true; break;
        case OPT_ROUNDS:
            options.rounds =
                (uint32_t)number("--rounds", optarg, 1, CH_ROUNDS_MAX, true, &err, why);
            break;
        case OPT_SECONDS:
            options.seconds = number("--seconds", optarg, 0.05, 600, false, &err, why);
            break;
        case OPT_DIR: options.dir = optarg; break;
        case OPT_RECORD_BYTES:
            options.record_bytes = (size_t)number("--record-bytes", optarg, 16,
                                                  CH_LMDB_LIMIT_RECORD_MAX, true, &err, why);
            break;
        case OPT_CONTEXTS:
            options.contexts =
                (uint32_t)number("--contexts", optarg, 1, CH_LOAD_IN_FLIGHT_MAX, true, &err, why);
            break;
        case OPT_CHARTERD: options.charterd = optarg; break;
        case OPT_HISTORY: options.history = optarg; break;
        case OPT_EVENTS:
            options.events = (uint64_t)number("--events", optarg, 1000, 1e7, true, &err, why);
            break;
        case OPT_SEED:
            options.seed = (uint64_t)number("--seed", optarg, 0, 1e15, true, &err, why);
            break;
        case OPT_LOG: options.log = optarg; break;
        case 'h':
        case OPT_HELP: options.help = true; break;
        default:
            return ch_fail(why, CH_ERR_CONFIG, 0, "%s: no such option, or its value is missing",
                           argv[optind - 1]);
        }
    }
    if (err != CH_OK) return err;
    if (optind < argc) return ch_fail(why, CH_ERR_CONFIG, 0, "%s: not an option", argv[optind]);
    if (options.rounds == 0) options.rounds = options.is_short ? 3 : 5;
    if (options.seconds <= 0) options.seconds = options.is_short ? 0.3 : 1;
    /* nng and the scheduler settle within a tenth of a second; a fifth when there is time for it.
     */
    options.warm_up_seconds = options.seconds < 0.8 ? 0.1 : 0.2;
    *ret = options;
    return CH_OK;
}
