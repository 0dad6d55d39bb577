/* sp: requests in, replies out, by our own SP on one epoll descriptor. SPDX-License-Identifier: MIT
 * Behind ingress.h, which says what each call does; see there for a request's way.
 * Threads: the loop thread alone, no locks. Nothing here waits but ch_sp_close. */
#ifndef CH_EDGE_SP_H
#define CH_EDGE_SP_H
#include "daemon/edge/ingress.h"

struct ch_sp; /* opaque */

/* options: as for ch_ingress_open, which has checked the bounds; url_count may be 0
 * ret:     owned by the caller, close with ch_sp_close; untouched on failure
 * errors:  CH_ERR_NO_MEMORY, CH_ERR_CONFIG, CH_ERR_NET_IO, CH_ERR_FILE_IO (see ch_sp_listen_open)
 */
CH_MUST_USE enum ch_err ch_sp_open(const struct ch_ingress_options *options, struct ch_sp **ret,
                                   struct ch_why *why);
void ch_sp_close(struct ch_sp *sp); /* NULL is a no-op */

/* An epoll descriptor. Others may be added to it with data.ptr == NULL; a drain passes them over.
 */
int ch_sp_fd(const struct ch_sp *sp);
CH_MUST_USE size_t ch_sp_drain(struct ch_sp *sp, struct ch_ingress_arrival *arrivals, size_t max);
CH_MUST_USE enum ch_err ch_sp_reply(struct ch_sp *sp, struct ch_ingress_slot slot,
                                    const struct ch_bytes *parts, size_t part_count,
                                    struct ch_why *why);
void ch_sp_drop(struct ch_sp *sp, struct ch_ingress_slot slot);
void ch_sp_flush(struct ch_sp *sp);
bool ch_sp_peer_gone(const struct ch_sp *sp, struct ch_ingress_slot slot);
uint32_t ch_sp_held(const struct ch_sp *sp);
uint32_t ch_sp_slots(const struct ch_sp *sp);
struct ch_ingress_counters ch_sp_counters(const struct ch_sp *sp);
const char *ch_sp_url(const struct ch_sp *sp, size_t n);
#endif
