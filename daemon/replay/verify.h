/* verify: everything that a data directory holds of the log, checked from its bytes.
 * SPDX-License-Identifier: MIT
 * Writes nothing. Goes once through the log: each record is read, its checksum, canonical form,
 * place and time are checked, and it is applied to a state of its own, while a second thread hashes
 * the records and compares the tree with the stored tiles and with the roots that checkpoints, the
 * head file and notes from elsewhere name. The state's hash is compared where a checkpoint names
 * it. A damaged LMDB file can crash liblmdb, and a forged record can break an assertion of apply:
 * call it in a process of its own. */
#ifndef CH_REPLAY_VERIFY_H
#define CH_REPLAY_VERIFY_H
#include <stdatomic.h>

#include "daemon/log/hasher.h"
#include "daemon/log/note.h"

enum { CH_VERIFY_KEYS_MOST = 16, CH_VERIFY_TEXT_BYTES = 480 };

enum ch_verify_part {
    CH_VERIFY_NOTHING, /* all is good */
    CH_VERIFY_LOG,     /* the file as a whole: its tables, how many records */
    CH_VERIFY_RECORD,  /* number: the seq */
    CH_VERIFY_TILE,    /* number: the tile's index; the text has its level */
    CH_VERIFY_CHECKPOINT,
    CH_VERIFY_STATE, /* number: the seq behind which the state is another */
    CH_VERIFY_HEAD,
    CH_VERIFY_AGAINST, /* number: the size of the note from elsewhere */
};

/* What is read while it works, by any thread or process that shares the memory. */
struct ch_verify_progress {
    atomic_uint_fast64_t done;  /* records */
    atomic_uint_fast64_t total; /* 0: not known yet */
    atomic_bool stop;           /* set it, and the work ends with CH_ERR_STOPPED */
};

struct ch_verify_options {
    const char *dir;
    const struct ch_verifier *keys; /* of the log; those that follow are learnt from checkpoints */
    size_t key_count;
    const struct ch_verifier *witnesses;
    size_t witness_count;
    const struct ch_text *against; /* whole notes of checkpoints kept elsewhere */
    size_t against_count;
    bool replay;                         /* false: no state is made, so no state hash is checked */
    bool last_state;                     /* only the newest state hash */
    unsigned threads;                    /* 1, or 2 */
    struct ch_verify_progress *progress; /* NULL: nobody looks */
};

/* Plain memory, so that a process can share it. */
struct ch_verify_report {
    /* what was checked; up to the fault, if there is one */
    uint64_t records;
    uint64_t bytes;
    uint64_t tiles;
    uint64_t checkpoints;
    uint64_t signed_checkpoints; /* by a key that was given, or follows from one */
    uint64_t cosignatures;       /* by the witnesses given */
    uint64_t states;
    uint64_t other_states; /* made by another dump version: not checked */
    uint64_t newer;        /* records of a later charterd's types: from the first on nothing is
                            * replayed, and of these the form is not checked */
    uint64_t against;
    uint64_t covered; /* the size of the newest checkpoint that is signed by a key known */
    struct ch_hash root;
    char origin[CH_NOTE_NAME_MOST + 1];
    char key[CH_VERIFIER_TEXT_BYTES]; /* the newest key that follows from those given */
    /* the first fault */
    enum ch_verify_part part;
    uint64_t number;
    char text[CH_VERIFY_TEXT_BYTES];
};

/* errors: CH_ERR_FILE_IO (no log there, or it may not be read), CH_ERR_LOG_IO, CH_ERR_NO_MEMORY,
 *         CH_ERR_STOPPED. A fault of the log is none: see ret->part */
CH_MUST_USE enum ch_err ch_verify(const struct ch_verify_options *options,
                                  struct ch_verify_report *ret, struct ch_why *why);
#endif
