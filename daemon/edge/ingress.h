/* ingress: requests in, replies out; the only place where requests meet the wire.
 * SPDX-License-Identifier: MIT
 * Speaks the scalability protocols, as nng's REQ does (sp_frame.h). ipc:// and tcp:// are served by
 * our own code on one epoll descriptor (sp.h), tls+tcp:// by nng (ingress_nng.h); both feed one
 * drain. A request's way:
 *
 *     bytes in a connection -> a whole frame -> a free slot (ch_ingress_drain) -> reply or drop
 *
 * The loop thread drains, and owes each slot it got exactly one ch_ingress_reply or
 * ch_ingress_drop, at any later time and in any order. While all slots are held, further requests
 * stay in the connections: that is the bound, so whoever holds many must answer some with `busy`.
 * Nothing of ipc and tcp happens but in a drain and in a flush: a new connection is greeted, a
 * deadline is kept, by the drain that follows when the descriptor becomes readable.
 *
 * Threads: everything here is called by the loop thread. nng's own threads exist only where a URL
 * is tls+tcp://.
 * A peer that does not greet, does not read its replies, or (not over TLS) does not go on with a
 * request of which a part has come, for send_timeout_ms is disconnected; one that has a megabyte of
 * replies to read gives no further requests until it has read some. So what is kept for one peer is
 * bounded by that, one frame, and the slots. Where options.peers are connected and one more comes,
 * who has asked nothing for the longest time, and for send_timeout_ms at least, gives up its place
 * (not over TLS). What was received and sent is cleared from our memory. */
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
    /* What one drain hands over, the last message whole: the work of a turn of the loop grows with
     * the bytes of its messages, and three of 1,024 commands in one turn stopped it for 20 to 40 ms
     */
    CH_INGRESS_TURN_BYTES = 40960,
};

/* A zeroed struct takes the defaults, but needs a URL. */
struct ch_ingress_options {
    const char *const *urls; /* borrowed for the call */
    size_t url_count;        /* 1 .. CH_INGRESS_URLS_MAX */
    struct ch_listen_options listen;
    uint32_t slots; /* 0: default; with tls+tcp:// URLs, as many again for those */
    uint32_t peers; /* connections at a time; of further ones those at a tls+tcp:// URL are closed,
                  the others wait until one of the peers leaves or is idle: nng 1.5.2 never dials
                  again when it is closed before it could greet. With TLS as many again; 0: default
                  */
    uint32_t send_timeout_ms; /* 0: default */
};

/* One turn of one slot. A slot of an earlier turn is a bug and stops the process. */
struct ch_ingress_slot {
    uint32_t index; /* means nothing to others */
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
    uint64_t replied;          /* written to a connection that was there */
    uint64_t send_failures;    /* the peer was gone or did not read; perhaps it got some of them */
    uint64_t dropped;          /* ch_ingress_drop */
    uint64_t receive_failures; /* no greeting of a REQ, no frame, or one too long */
    uint64_t peers;            /* connections now */
    uint64_t peers_refused;    /* times that there were more than options.peers */
    uint64_t wakes;            /* writes of the eventfds */
};

/* Opens the socket and listens at every URL.
 * ret:    owned by the caller, close with ch_ingress_close; untouched on failure
 * errors: CH_ERR_NO_MEMORY, CH_ERR_CONFIG, CH_ERR_NET_IO, CH_ERR_FILE_IO (see ch_listen_start) */
CH_MUST_USE enum ch_err ch_ingress_open(const struct ch_ingress_options *options,
                                        struct ch_ingress **ret, struct ch_why *why);

/* After it every view of a message is dead and the socket files are gone. Replies under way get
 * CH_INGRESS_CLOSE_WAIT_MS to leave (TLS apart: as long again); held requests get none. NULL is a
 * no-op. */
void ch_ingress_close(struct ch_ingress *ingress);

/* Readable while there is something for ch_ingress_drain to do. It is an epoll descriptor: to be
 * waited for, never read. */
int ch_ingress_fd(const struct ch_ingress *ingress);

/* Writes replies that wait, accepts, reads, keeps deadlines, and takes up to `max` requests, those
 * of one connection in their order (over TLS two may change places), the connections in turn. Fewer
 * where they are large, so that a turn of the loop stays short. If more wait and slots are free,
 * the descriptor stays readable.
 * returns: how many of `arrivals` were filled; 0 is usual */
CH_MUST_USE size_t ch_ingress_drain(struct ch_ingress *ingress, struct ch_ingress_arrival *arrivals,
                                    size_t max);

/* Appends the parts, one after another, as one message to what the connection is to get, and gives
 * the slot back. They are copied, and may lie in the request itself. They leave with the next flush
 * or drain. Whether the peer is still there does not matter: see send_failures.
 * errors: CH_ERR_NO_MEMORY: the slot is still held */
CH_MUST_USE enum ch_err ch_ingress_reply(struct ch_ingress *ingress, struct ch_ingress_slot slot,
                                         const struct ch_bytes *parts, size_t part_count,
                                         struct ch_why *why);

/* Writes the replies that wait, one write a connection. To be called at the end of each turn of the
 * loop: nothing else makes the loop come back for them. */
void ch_ingress_flush(struct ch_ingress *ingress);

/* Gives the slot back without a reply: the peer is gone, or there is no memory for one. */
void ch_ingress_drop(struct ch_ingress *ingress, struct ch_ingress_slot slot);

/* True when the connection of a held request is known to be closed; its reply would reach nobody.
 */
bool ch_ingress_peer_gone(const struct ch_ingress *ingress, struct ch_ingress_slot slot);

uint32_t ch_ingress_held(
    const struct ch_ingress *ingress); /* drained, neither replied nor dropped */
uint32_t ch_ingress_slots(const struct ch_ingress *ingress); /* as asked for in the options */
struct ch_ingress_counters ch_ingress_counters(const struct ch_ingress *ingress);

/* The n-th URL as it can be dialled, borrowed until close; n < options.url_count. */
const char *ch_ingress_url(const struct ch_ingress *ingress, size_t n);
#endif
