/* peers: who is connected now. SPDX-License-Identifier: MIT
 * A bounded hash table from nng's pipe id to what the kernel said of the peer. A pipe is asked
 * once, when it connects, instead of at every message. Threads: the caller holds its own lock. */
#ifndef CH_EDGE_PEERS_H
#define CH_EDGE_PEERS_H
#include "schema/base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct ch_peer {
    uint32_t pipe_id; /* 0: an empty cell */
    bool is_ipc;
    int64_t uid; /* -1: none */
};

struct ch_peers {
    struct ch_peer *cells;
    uint32_t mask; /* cells - 1; at most half of the cells are used */
    uint32_t max;
    uint32_t count;
};

/* errors: CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_peers_init(struct ch_peers *peers, uint32_t max, struct ch_why *why);
void ch_peers_deinit(struct ch_peers *peers); /* NULL and zeroed are no-ops */

/* false when there are `max` already. The pipe id is not 0 and not in the table. */
CH_MUST_USE bool ch_peers_add(struct ch_peers *peers, struct ch_peer peer);
void ch_peers_remove(struct ch_peers *peers, uint32_t pipe_id); /* one that is not there: no-op */

/* NULL when not there. ret: borrowed until the next add or remove */
const struct ch_peer *ch_peers_find(const struct ch_peers *peers, uint32_t pipe_id);
#endif
