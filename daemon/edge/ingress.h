/* ingress: requests in, replies out; the only place where requests meet nng.
 * SPDX-License-Identifier: MIT One REP socket with a fixed number of contexts, called slots. A slot
 * goes round:
 *
 *     RECEIVING -> QUEUED -> HELD -> SENDING -> RECEIVING
 *
 * A callback of nng only puts its slot on the queue, and writes the eventfd when the queue was
 * empty; after a send it receives again. It takes no lock but the queue's and never waits. The loop
 * thread drains the queue, and owes each slot it got exactly one ch_ingress_reply or
 * ch_ingress_drop, at any later time and in any order. While all slots are held, nng leaves further
 * requests in the connections: that is the bound, so whoever holds many must answer some with
 * `busy`.
 *
 * Threads: everything here is called by the loop thread; nng's own threads run the callbacks.
 * A peer that does not read its replies for send_timeout_ms is disconnected, so it cannot keep
 * slots. */
#ifndef CH_EDGE_INGRESS_H
#define CH_EDGE_INGRESS_H
#include "daemon/edge/listen.h"
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct ch_ingress; /* opaque */

enum {
    CH_INGRESS_SLOTS_DEFAULT =
        64, /* more only adds latency: 256 in flight was 5 times slower at p50 */
    CH_INGRESS_SLOTS_MAX = 1024,
    CH_INGRESS_PEERS_DEFAULT = 512, /* each costs a descriptor of the default limit of 1024 */
    CH_INGRESS_PEERS_MAX = 65536,
    CH_INGRESS_SEND_TIMEOUT_MS_DEFAULT = 5000,
    CH_INGRESS_CLOSE_WAIT_MS = 500, /* for replies under way when it is closed */
    CH_INGRESS_URLS_MAX = 16,
};

/* A zeroed struct takes the defaults, but needs a URL. */
struct ch_ingress_options {
    const char *const *urls; /* borrowed for the call */
    size_t url_count;        /* 1 .. CH_INGRESS_URLS_MAX */
    struct ch_listen_options listen;
    uint32_t slots; /* 0: default */
    uint32_t peers; /* connections at a time; further ones are closed at once; 0: default */
    uint32_t send_timeout_ms; /* 0: default */
};

/* One turn of one slot. A slot of an earlier turn is a bug and stops the process. */
struct ch_ingress_slot {
    uint32_t index; /* below ch_ingress_slots() */
    uint32_t turn;
};

struct ch_ingress_arrival {
    struct ch_ingress_slot slot;
    struct ch_bytes message; /* borrowed until the slot is replied or dropped */
    int64_t peer_uid;        /* the kernel's word for an ipc peer; -1: none */
    bool is_ipc;
};

struct ch_ingress_counters {
    uint64_t received;
    uint64_t replied;       /* handed to a connection that was there */
    uint64_t send_failures; /* the peer was gone, did not read, or nng refused */
    uint64_t dropped;       /* ch_ingress_drop */
    uint64_t receive_failures;
    uint64_t peers;         /* connections now */
    uint64_t peers_refused; /* more than options.peers */
    uint64_t wakes;         /* writes of the eventfd by callbacks */
};

/* Opens the socket and listens at every URL.
 * ret:    owned by the caller, close with ch_ingress_close; untouched on failure
 * errors: CH_ERR_NO_MEMORY, CH_ERR_CONFIG, CH_ERR_NET_IO, CH_ERR_FILE_IO (see ch_listen_start) */
CH_MUST_USE enum ch_err ch_ingress_open(const struct ch_ingress_options *options,
                                        struct ch_ingress **ret, struct ch_why *why);

/* Stops and joins: after it no callback runs, every view of a message is dead, the socket files are
 * gone. Replies under way get CH_INGRESS_CLOSE_WAIT_MS to leave; held requests get none.
 * Where nng itself hangs (ch_listen_close_socket) it gives up after the same time; memory that nng
 * may still touch is then never freed.
 * NULL is a no-op. */
void ch_ingress_close(struct ch_ingress *ingress);

/* Readable while requests wait to be drained; read by ch_ingress_drain only. */
int ch_ingress_fd(const struct ch_ingress *ingress);

/* Takes up to `max` requests, in the order in which nng's threads handed them over: two messages of
 * one connection may change places. Fewer where they are large, so that a turn of the loop stays
 * short. If more wait, the descriptor stays readable.
 * returns: how many of `arrivals` were filled */
CH_MUST_USE size_t ch_ingress_drain(struct ch_ingress *ingress, struct ch_ingress_arrival *arrivals,
                                    size_t max);

/* Sends the parts, one after another, as one message, and gives the slot back. They are copied, and
 * may lie in the request itself. Whether the peer is still there does not matter: see
 * send_failures. errors: CH_ERR_NO_MEMORY: the slot is still held */
CH_MUST_USE enum ch_err ch_ingress_reply(struct ch_ingress *ingress, struct ch_ingress_slot slot,
                                         const struct ch_bytes *parts, size_t part_count,
                                         struct ch_why *why);

/* Gives the slot back without a reply: the peer is gone, or there is no memory for one. */
void ch_ingress_drop(struct ch_ingress *ingress, struct ch_ingress_slot slot);

/* True when the connection of a held request is known to be closed; its reply would reach nobody.
 */
bool ch_ingress_peer_gone(const struct ch_ingress *ingress, struct ch_ingress_slot slot);

uint32_t ch_ingress_held(
    const struct ch_ingress *ingress); /* drained, neither replied nor dropped */
uint32_t ch_ingress_slots(const struct ch_ingress *ingress); /* how many there are */
struct ch_ingress_counters ch_ingress_counters(const struct ch_ingress *ingress);

/* The n-th URL as it can be dialled, borrowed until close; n < options.url_count. */
const char *ch_ingress_url(const struct ch_ingress *ingress, size_t n);
#endif
