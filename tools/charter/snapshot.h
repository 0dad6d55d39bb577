/* snapshot: what there was at a moment, by as-of queries: accounts, settings, plans and credits,
 * people, shares with their grants, groups with their members, keys, roles, limits.
 * SPDX-License-Identifier: MIT
 * A thing is an object {kind, id, number, account, title, values}; number is the id as in the
 * protocol. A value is an object {text, raw}: for people a text, or a list of texts for what is a
 * set; for programs what the protocol says. Things are kept by a key that is theirs at every
 * moment. */
#ifndef CH_CHARTER_SNAPSHOT_H
#define CH_CHARTER_SNAPSHOT_H
#include <jansson.h>

#include "client/include/charter/charter.h"
#include "tools/charter/options.h"

struct snapshot {      /* zeroed: empty; deinit it */
    json_t *things;    /* by key */
    json_t *left_out;  /* by call: why it was refused */
    const char *as_of; /* borrowed */
    uint64_t accounts; /* looked at */
};

enum { SNAPSHOT_KINDS = 10 };
/* The kinds, in the order in which they are told. */
extern const char *const snapshot_kinds[SNAPSHOT_KINDS];

/* Of an account and all below it, or of everything.
 * o:       says who asks; as_of: SEQ or TIME
 * account: id; 0: everything that is there to see
 * go_on:   asked behind each account, with how many there were; false stops
 * returns: EXIT_DONE; EXIT_FAILED or EXIT_REJECTED, told; EXIT_INTERRUPTED */
enum exit_code snapshot_take(struct charter *c, const struct options *o, const char *as_of,
                             uint64_t account, bool (*go_on)(void *arg, uint64_t accounts),
                             void *arg, struct snapshot *ret);
void snapshot_deinit(struct snapshot *snapshot);
#endif
