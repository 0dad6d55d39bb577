/* flips: what a list of commands would change of what anybody may do, and of credits.
 * SPDX-License-Identifier: MIT
 * The commands are run under a mark and taken back; nothing is left of them. Which rows they wrote
 * says whom they touch: of these, and of nobody else, every right is looked at before and after.
 * The two states are not there at one time, so the commands are run twice: first to learn whom to
 * look at, in either state, then to see what these have.
 * A question without a resource is about all resources of the scope's kind, and so is one about a
 * resource that nothing names. A resource that something names gets lines of its own, but only
 * where it goes another way than all: so the lines say of every question how it goes.
 * tests/model holds this against everybody's rights everywhere. */
#ifndef CH_CORE_FLIPS_H
#define CH_CORE_FLIPS_H
#include "daemon/core/state.h"
#include "schema/base/buf.h"

/* Of one user or key on one account, over the web, about all resources or about one. */
struct ch_flip {
    uint64_t account; /* ids; of user and key one */
    uint64_t user;
    uint64_t key;
    uint8_t kind; /* enum ch_resource_kind of the resource; 0: all of each scope's kind */
    struct ch_text resource;
    struct ch_scopes gained;
    struct ch_scopes lost;
    struct ch_scopes same; /* of one resource: what flips for all, and for this does not */
};

/* What a plan's pool or an account's allocation held, or holds. */
struct ch_ledger_side {
    bool there;
    uint8_t type; /* enum ch_allocation_type; of a pool 0 */
    uint64_t total;
    uint64_t used;
    uint64_t reserved;
    uint64_t remain;
};

struct ch_ledger_move {
    uint64_t account; /* id */
    bool pool;        /* of the account's plan; false: its allocation */
    struct ch_ledger_side had;
    struct ch_ledger_side has;
};

struct ch_flips {
    const struct ch_flip *flip; /* by account, users before keys, by id, by resource */
    size_t flip_count;
    const struct ch_ledger_move *move; /* by account, the pool first */
    size_t move_count;
    uint64_t uncompared; /* pairs of subject and account, or resources of such, beyond `most` */
    /* its own */
    struct ch_buf flips;
    struct ch_buf moves;
};

struct ch_flips_way {
    uint64_t now;           /* the moment at which rights are judged */
    size_t most;            /* questions that are compared */
    struct ch_arena *arena; /* for the texts of resources; must outlive the answer */
    /* Runs the commands; twice, and both times it must do the same. false: no memory */
    bool (*run)(void *arg);
    /* Called once while what the commands made is there, with the flips found; or NULL. */
    void (*there)(void *arg, const struct ch_flips *found);
    void *arg;
};

/* The state's journal must be on; its tables are afterwards as they were, byte for byte.
 * ret:    release with ch_flips_deinit, also after a failure
 * errors: false when out of memory */
CH_MUST_USE bool ch_flips_find(struct ch_state *state, const struct ch_flips_way *way,
                               struct ch_flips *ret);
void ch_flips_deinit(struct ch_flips *flips); /* NULL and zeroed are no-ops */
#endif
