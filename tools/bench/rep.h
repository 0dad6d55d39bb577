/* rep: a bare nng server of REP contexts. SPDX-License-Identifier: MIT
 * As charterd's edge receives: a callback only puts the request on a queue and rings one eventfd;
 * the libevent loop takes all that arrived and sends the answers. Or, to see what that hop costs,
 * the callback answers by itself. An answer is the request's own message: nothing is decoded.
 * Threads: everything here on the loop thread, except ch_rep_ring. */
#ifndef CH_BENCH_REP_H
#define CH_BENCH_REP_H
#include <pthread.h>
#include <nng/nng.h>
#include "schema/base/bytes.h"
#include "schema/base/err.h"

struct event_base;
struct event;
struct ch_rep;

/* One context with at most one request in it. */
struct ch_rep_slot {
    uint32_t magic;
    bool sending;
    struct ch_rep *rep;
    nng_ctx context;
    nng_aio *aio;
    struct ch_rep_slot *next; /* in whatever list it stands; lists own nothing */
};

struct ch_rep_list {
    struct ch_rep_slot *head;
    struct ch_rep_slot *tail;
};

/* Appends all of `take` and empties it. ret: whether `into` was empty before and is not now. */
bool ch_rep_list_append(struct ch_rep_list *into, struct ch_rep_list *take);

/* What happens on the loop at each ring. arrived: the requests since the last ring, maybe none;
 * whoever empties the list answers them later with ch_rep_answer. */
typedef void ch_rep_turn(void *context, struct ch_rep_list *arrived);

struct ch_rep {
    nng_socket socket;
    struct ch_rep_slot *slots;
    uint32_t slots_len;
    ch_rep_turn *turn; /* NULL: the callback answers */
    void *turn_context;
    int ring_fd;
    struct event_base *base;
    struct event *ring_event;
    struct event *term_event;
    pthread_mutex_t lock; /* guards arrived */
    struct ch_rep_list arrived;
};

/* Opens the socket, the loop and `contexts` REP contexts and listens.
 * rep:    the caller's; close with ch_rep_close also after a failure; must not move
 * errors: CH_ERR_NET_IO, CH_ERR_NO_MEMORY, CH_ERR_FILE_IO (eventfd, libevent) */
CH_MUST_USE enum ch_err ch_rep_open(struct ch_rep *rep, const char *url, uint32_t contexts,
                                    ch_rep_turn *turn, void *turn_context, struct ch_why *why);
void ch_rep_close(struct ch_rep *rep);

/* Turns the loop until SIGTERM. */
void ch_rep_run(struct ch_rep *rep);

/* Makes the loop take a turn soon. Any thread. */
void ch_rep_ring(struct ch_rep *rep);

/* Sends each slot's message back and empties the list. */
void ch_rep_answer(struct ch_rep_list *list);

/* The request in a slot that stands in a list; lives until the slot is answered. */
struct ch_bytes ch_rep_request(const struct ch_rep_slot *slot);
#endif
