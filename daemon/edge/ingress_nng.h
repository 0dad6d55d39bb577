/* ingress_nng: requests in, replies out, by nng's threads; used where TLS is wanted.
 * SPDX-License-Identifier: MIT
 * Behind ingress.h, which says what each call does. One REP socket with a fixed number of contexts,
 * called slots. A slot goes round:
 *
 *     RECEIVING -> QUEUED -> HELD -> SENDING -> RECEIVING
 *
 * A callback of nng only puts its slot on the queue, and writes the eventfd when the queue was
 * empty; after a send it receives again. It takes no lock but the queue's and never waits. While
 * all slots are held, nng leaves further requests in the connections. A peer that does not read its
 * replies for send_timeout_ms is disconnected, so it cannot keep slots.
 * Threads: everything here is called by the loop thread; nng's own threads run the callbacks. */
#ifndef CH_EDGE_INGRESS_NNG_H
#define CH_EDGE_INGRESS_NNG_H
#include "daemon/edge/ingress.h"

struct ch_ingress_nng; /* opaque */

/* options: as for ch_ingress_open, which has checked the bounds
 * ret:     owned by the caller, close with ch_ingress_nng_close; untouched on failure
 * errors:  CH_ERR_NO_MEMORY, CH_ERR_CONFIG, CH_ERR_NET_IO, CH_ERR_FILE_IO (see ch_listen_start) */
CH_MUST_USE enum ch_err ch_ingress_nng_open(const struct ch_ingress_options *options,
                                            struct ch_ingress_nng **ret, struct ch_why *why);

/* Joins nng's callbacks; replies under way get CH_INGRESS_CLOSE_WAIT_MS. Where nng itself hangs
 * (ch_listen_close_socket) it gives up after the same time; memory that nng may still touch is then
 * never freed. NULL is a no-op. */
void ch_ingress_nng_close(struct ch_ingress_nng *ingress);

int ch_ingress_nng_fd(const struct ch_ingress_nng *ingress);
CH_MUST_USE size_t ch_ingress_nng_drain(struct ch_ingress_nng *ingress,
                                        struct ch_ingress_arrival *arrivals, size_t max);
CH_MUST_USE enum ch_err ch_ingress_nng_reply(struct ch_ingress_nng *ingress,
                                             struct ch_ingress_slot slot,
                                             const struct ch_bytes *parts, size_t part_count,
                                             struct ch_why *why);
void ch_ingress_nng_drop(struct ch_ingress_nng *ingress, struct ch_ingress_slot slot);
bool ch_ingress_nng_peer_gone(const struct ch_ingress_nng *ingress, struct ch_ingress_slot slot);
uint32_t ch_ingress_nng_held(const struct ch_ingress_nng *ingress);
struct ch_ingress_counters ch_ingress_nng_counters(const struct ch_ingress_nng *ingress);
const char *ch_ingress_nng_url(const struct ch_ingress_nng *ingress, size_t n);
#endif
