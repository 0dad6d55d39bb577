/* options: what charter-keep was told. SPDX-License-Identifier: MIT */
#ifndef CH_KEEP_OPTIONS_H
#define CH_KEEP_OPTIONS_H
#include "daemon/replay/verify.h"
#include "schema/base/buf.h"

/* What the program ends with: as charter, whose subcommands these are. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FALSE = 1, /* the log or the file is damaged */
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3,
    EXIT_FAILED = 4,
    EXIT_INTERRUPTED = 130,
};

enum keep_what { KEEP_NOTHING, KEEP_BACKUP, KEEP_RESTORE, KEEP_EXPORT };

enum { AGAINST_MOST = 16 };

struct options {
    enum keep_what what;
    const char *file; /* "-": standard output or input */
    const char *data;
    const char *vault;       /* NULL: not wanted */
    const char *signing_key; /* NULL: not wanted */
    struct ch_verifier keys[CH_VERIFY_KEYS_MOST];
    size_t key_count;
    const char *against[AGAINST_MOST]; /* checkpoints' files, data directories */
    size_t against_count;
    const char *made; /* the note of a checkpoint that the daemon has just made; NULL: none */
    uint64_t rate;    /* bytes a second; 0: as fast as it goes */
    bool lines;       /* JSON lines, not a bundle */
    bool format_said;
    bool replay;
    bool accept_loss;
    bool json;
    bool quiet;
    bool help;
    bool version;
};

/* False: told on standard error. */
bool options_read(int argc, char **argv, struct options *ret);
void options_help(enum keep_what what);
#endif
