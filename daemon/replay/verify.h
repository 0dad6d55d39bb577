/* verify: everything that a data directory or a bundle holds of the log, checked from its bytes.
 * SPDX-License-Identifier: MIT
 * Writes nothing; but what has passed can be handed on, to be copied: a backup or a restore is a
 * verification, too. Goes once through the log: each record is read, its checksum, canonical form,
 * place and time are checked, and it is applied to a state of its own, while a second thread hashes
 * the records and compares the tree with the stored tiles and with the roots that checkpoints, the
 * head file and notes from elsewhere name. The state's hash is compared where a checkpoint names
 * it; where there is a snapshot its bytes are. A long log that has a snapshot near its middle is
 * gone through in two halves at the same time: see verify_half.c. A damaged LMDB file can crash
 * liblmdb, and a forged record or snapshot can break an assertion of apply: call it in a process of
 * its own. */
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
    CH_VERIFY_AGAINST,  /* number: the size of the note from elsewhere */
    CH_VERIFY_SNAPSHOT, /* number: its seq */
    CH_VERIFY_BUNDLE,   /* the form of a bundle or an export, as the text says */
};

/* What is read while it works, by any thread or process that shares the memory. */
struct ch_verify_progress {
    atomic_uint_fast64_t done;  /* records */
    atomic_uint_fast64_t total; /* 0: not known yet */
    atomic_bool stop;           /* set it, and the work ends with CH_ERR_STOPPED */
};

struct ch_bundle_item;
struct ch_evlog;
struct ch_log_end;
struct ch_stored;

/* Where records come from, if not from a directory: items in the order of a bundle (bundle.h).
 * next: as ch_bundle_next; CH_ERR_LOG_CORRUPT is a fault of the item in ret */
struct ch_verify_source {
    enum ch_err (*next)(void *arg, struct ch_bundle_item *ret, struct ch_why *why);
    void *arg;
    bool tiles; /* it has them */
};

/* Who gets what has passed its own checks, in order: first all checkpoints, then all records. What
 * only the tree can tell may be told later: nothing of it counts before ch_verify has returned and
 * found no fault. A failure ends the work. */
struct ch_verify_copy {
    /* log: of the directory, good until `end`; NULL with a source
     * size: how many records will come */
    enum ch_err (*begin)(void *arg, struct ch_evlog *log, uint64_t size, struct ch_why *why);
    enum ch_err (*checkpoint)(void *arg, const struct ch_stored *stored, struct ch_why *why);
    enum ch_err (*record)(void *arg, uint64_t seq, uint64_t at_ns, struct ch_bytes record,
                          struct ch_why *why);
    void (*end)(void *arg); /* nothing more comes, whatever happened; NULL: not wanted */
    void *arg;
};

struct ch_verify_options {
    const char *dir;
    const struct ch_verify_source *source; /* NULL: the directory */
    const struct ch_verify_copy *copy;     /* NULL: nobody wants it */
    uint64_t size; /* of a directory: only so many records, and the checkpoints of them; 0: all */
    const struct ch_verifier *keys; /* of the log; those that follow are learnt from checkpoints */
    size_t key_count;
    const struct ch_verifier *witnesses;
    size_t witness_count;
    const struct ch_text *against; /* whole notes of checkpoints kept elsewhere */
    size_t against_count;
    const struct ch_log_end *heads; /* what head files elsewhere say */
    size_t head_count;
    bool replay;          /* false: no state is made, so no state hash is checked */
    bool forms_later;     /* of a record that is not replayed the form is not checked, only what it
                           * says of its place and time: whoever reads the copy will do it */
    bool last_state;      /* only the newest state hash */
    unsigned threads;     /* 1, or 2 */
    uint64_t halves_from; /* a log of so many records is taken in two halves at the same time, each
                           * with a state; 0: never. Needs two threads, and no copy */
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
    uint64_t states;             /* of checkpoints */
    uint64_t snapshots;
    uint64_t other_states; /* made by another dump version: not checked */
    uint64_t newer;        /* records of a later charterd's types: from the first on nothing is
                            * replayed, and of these the form is not checked */
    uint64_t against;
    bool in_halves;   /* two at the same time */
    uint64_t covered; /* the size of the newest checkpoint that is signed by a key known */
    struct ch_hash root;
    char origin[CH_NOTE_NAME_MOST + 1];
    char key[CH_VERIFIER_TEXT_BYTES];  /* the newest key that follows from those given */
    char remark[CH_VERIFY_TEXT_BYTES]; /* what is worth a look and no fault; empty: nothing */
    /* the first fault */
    enum ch_verify_part part;
    uint64_t number;
    char text[CH_VERIFY_TEXT_BYTES];
};

/* errors: CH_ERR_FILE_IO (no log there, or it may not be read), CH_ERR_LOG_IO, CH_ERR_NO_MEMORY,
 *         CH_ERR_STOPPED; those of the source and of the copy. A fault of the log is none: see
 *         ret->part */
CH_MUST_USE enum ch_err ch_verify(const struct ch_verify_options *options,
                                  struct ch_verify_report *ret, struct ch_why *why);
#endif
