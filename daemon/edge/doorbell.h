/* doorbell: tells subscribers that something was appended, never what. SPDX-License-Identifier: MIT
 * One PUB socket. nng drops for slow subscribers without a word, so a ring is a hint: content and
 * gaps are read with events.read. Each message is a msgpack map {seq, at, account, type}.
 * Threads: the loop thread. */
#ifndef CH_EDGE_DOORBELL_H
#define CH_EDGE_DOORBELL_H
#include "daemon/edge/listen.h"
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_doorbell; /* opaque */

enum {
    CH_DOORBELL_TYPE_BYTES_MAX = 64,
    CH_DOORBELL_QUEUE = 4096, /* messages nng keeps for one subscriber that does not keep up */
    CH_DOORBELL_PEERS_MAX = 256,
};

struct ch_doorbell_ring {
    uint64_t seq;
    uint64_t at_ns;
    uint64_t account; /* 0: of no account; sent as nil */
    struct ch_text type;
};

struct ch_doorbell_counters {
    uint64_t rung;     /* messages given to nng */
    uint64_t unheard;  /* rings while nobody was connected: not even packed */
    uint64_t failures; /* no memory, or nng refused */
    uint64_t subscribers;
    uint64_t subscribers_refused; /* more than CH_DOORBELL_PEERS_MAX */
};

/* Opens the socket and listens. tls+tcp needs a CA file: rings go to whoever connects.
 * options: receive_bytes_max is not used; the rest as for ch_listen_start
 * ret:     owned by the caller, close with ch_doorbell_close; untouched on failure
 * errors:  as ch_listen_start, and CH_ERR_NO_MEMORY */
CH_MUST_USE enum ch_err ch_doorbell_open(const char *url, const struct ch_listen_options *options,
                                         struct ch_doorbell **ret, struct ch_why *why);
void ch_doorbell_close(struct ch_doorbell *doorbell); /* NULL is a no-op */

/* Rings once; never waits, never fails: a ring that is lost is counted. */
void ch_doorbell_ring(struct ch_doorbell *doorbell, const struct ch_doorbell_ring *ring);

struct ch_doorbell_counters ch_doorbell_counters(const struct ch_doorbell *doorbell);
const char *ch_doorbell_url(
    const struct ch_doorbell *doorbell); /* as it can be dialled; borrowed */
#endif
