/* options: the bench's command line. SPDX-License-Identifier: MIT */
#ifndef CH_BENCH_OPTIONS_H
#define CH_BENCH_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "schema/base/err.h"

struct ch_options {
    bool help;
    bool is_short;
    uint32_t rounds;
    double seconds;         /* a row and round */
    double warm_up_seconds; /* before them, not counted; follows from seconds */
    const char *dir;        /* NULL: the default of ch_workdir_open */
    size_t record_bytes;    /* of the prototypes; 0: the subcommand's own choice */
    uint32_t contexts;      /* REP contexts of the prototypes; 0: as many as in flight, 4 to 256 */
    const char *charterd;   /* the program; NULL: the one beside the bench */
    const char *history;    /* file of an access history; NULL: the subcommand's own choice */
    const char *log;        /* data directory of a long log; NULL: one of its own */
    uint64_t events;        /* how many to make; 0: the subcommand's own choice */
    uint64_t seed;          /* of what is made by chance */
};

/* Reads what stands behind the subcommand: argv[0] is the subcommand.
 * ret:    views into argv
 * errors: CH_ERR_CONFIG, its text for the person who typed it */
CH_MUST_USE enum ch_err ch_options_read(int argc, char **argv, struct ch_options *ret,
                                        struct ch_why *why);

/* The part of the help that explains the options. */
extern const char ch_options_help[];
#endif
