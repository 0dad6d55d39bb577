/* receipt_check: the checks of a receipt, without its file. SPDX-License-Identifier: MIT */
#ifndef CH_VERIFY_RECEIPT_CHECK_H
#define CH_VERIFY_RECEIPT_CHECK_H
#include "daemon/log/checkpoint.h"
#include "tools/verify/known.h"
#include "tools/verify/receipt_read.h"

enum { RECEIPT_TEXT_BYTES = 256 };

struct checked {
    struct ch_receipt receipt;
    struct statement statement;
    struct ch_note note;
    struct ch_checkpoint checkpoint;
    char key[CH_VERIFIER_TEXT_BYTES]; /* that signed the statement */
    uint64_t records;                 /* proved to be in the log */
    uint64_t withheld;                /* of these, such as are not shown */
    uint64_t unknown;                 /* of these, such as this program cannot read */
    uint64_t facts;
    size_t apart;                  /* checkpoints kept elsewhere that it was not compared with */
    char text[RECEIPT_TEXT_BYTES]; /* what is false; empty: nothing */
};

/* False: something is false, ret->text says what. A view of the file. */
bool receipt_check(const struct options *options, struct ch_text file, struct ch_hasher *hasher,
                   struct checked *ret);
#endif
