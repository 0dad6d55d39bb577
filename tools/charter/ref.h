/* ref: how people name a thing on the command line. SPDX-License-Identifier: MIT
 * acc_..., usr_..., shr_..., grp_..., rol_..., pag_..., or a number, is an id; everything else is a
 * name. A name that looks like an id is written with = before it. */
#ifndef CH_CHARTER_REF_H
#define CH_CHARTER_REF_H
#include <stdint.h>

#include "schema/records.h"

struct ref {
    uint64_t id;      /* or 0: */
    const char *name; /* borrowed from the text */
};

/* kind: of an id or a ref, "account" or "account_ref" */
struct ref ref_of(uint8_t kind, const char *text);

/* "acc" for the kind account or account_ref; NULL for a kind that is no id. */
const char *ref_prefix(uint8_t kind);
/* The same by the name that a result gives a thing: "account". */
const char *ref_prefix_of(struct ch_text name);
#endif
