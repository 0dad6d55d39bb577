/* receipts: the answers of access.receipt, made by the worker. SPDX-License-Identifier: MIT
 * A receipt is about a state that a checkpoint covers: the loop has one made where there is none
 * yet, and names it with the key that signed it, so that one key signs both. Asked about now, the
 * answer is of the state at that checkpoint's size, whose hash the checkpoint has; the moment is
 * that of the question. source: daemon/log/receipt.h (the form), schema/README.md, "Receipts"
 * (what its lines say) */
#ifndef CH_DAEMON_RECEIPTS_H
#define CH_DAEMON_RECEIPTS_H
#include "daemon/core/decide.h"
#include "daemon/log/note.h"
#include "daemon/telling.h"

struct ch_evlog;
struct ch_prover;

/* What receipts of one request are made with. */
struct ch_receipts {
    struct ch_evlog *log;     /* borrowed */
    struct ch_prover *prover; /* borrowed; the worker's */
    struct ch_signer signer;  /* own */
    uint64_t number;          /* of the checkpoint; signed by the same key */
    uint64_t size;            /* the checkpoint's */
    uint64_t made_at;
};

/* Whether a call is one of ours, and readable. */
bool ch_receipts_wanted(const struct ch_call *call);

/* How the call named what it is about, before it was resolved: what is not there has no id then. */
struct ch_receipts_named {
    struct ch_ref on;
    struct ch_ref user;
};
struct ch_receipts_named ch_receipts_name(const struct ch_call *call);

/* The answer with its file.
 * telling: at the moment and in the state that the call was answered in
 * call:    resolved; result: of core, or that something did not exist
 * False: it failed, why says so; with why->err CH_OK *reject says why it is refused. */
CH_MUST_USE bool ch_receipts_make(const struct ch_receipts *receipts,
                                  const struct ch_telling *telling, const struct ch_moment *moment,
                                  const struct ch_call *call, const struct ch_receipts_named *named,
                                  const void **result, struct ch_reject *reject,
                                  struct ch_why *why);
#endif
