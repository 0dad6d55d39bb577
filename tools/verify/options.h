/* options: what charter-verify was told. SPDX-License-Identifier: MIT */
#ifndef CH_VERIFY_OPTIONS_H
#define CH_VERIFY_OPTIONS_H
#include "daemon/replay/verify.h"
#include "schema/base/buf.h"

/* What the program ends with; charter-verify.1 lists them. */
enum exit_code {
    EXIT_GOOD = 0,
    EXIT_FALSE = 1,
    EXIT_USAGE = 2,
    EXIT_PARTLY = 3, /* nothing false was found, but not all could be checked */
    EXIT_FAILED = 4,
    EXIT_INTERRUPTED = 130,
};

enum verify_what {
    VERIFY_DIR,
    VERIFY_BUNDLE,
    VERIFY_PROOF,
    VERIFY_CONSISTENCY,
    VERIFY_RECEIPT,
};

enum { AGAINST_MOST = 16 };

struct options {
    enum verify_what what;
    const char *path; /* the directory, or the file */
    struct ch_verifier keys[CH_VERIFY_KEYS_MOST];
    size_t key_count;
    struct ch_verifier witnesses[CH_VERIFY_KEYS_MOST];
    size_t witness_count;
    struct ch_buf against[AGAINST_MOST]; /* whole files */
    size_t against_count;
    const char *record; /* a file with the record that a proof is about; NULL: the proof has it */
    bool no_replay;
    bool last_state;
    bool quiet;
    bool json;
    bool help;
    bool version;
    unsigned threads; /* 0: as many as there are processors, at most two */
};

/* False: told on standard error. Release with options_deinit, whatever it says. */
bool options_read(int argc, char **argv, struct options *ret);
void options_deinit(struct options *options);
void options_help(void);
#endif
