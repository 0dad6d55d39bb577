/* rep: see rep.h. SPDX-License-Identifier: MIT */
#include "tools/bench/rep.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <event2/event.h>
#include <nng/protocol/reqrep0/rep.h>

#include "schema/base/check.h"

enum { SLOT_MAGIC = 0x5e9510f5 };

bool ch_rep_list_append(struct ch_rep_list *into, struct ch_rep_list *take)
{
    if (take->head == NULL) return false;
    bool was_empty = into->head == NULL;
    if (was_empty) {
        into->head = take->head;
    } else {
        into->tail->next = take->head;
    }
    into->tail = take->tail;
    *take = (struct ch_rep_list){0};
    return was_empty;
}

void ch_rep_ring(struct ch_rep *rep)
{
    const uint64_t one = 1;
    /* Full (EAGAIN) means that it rings already. */
    if (write(rep->ring_fd, &one, sizeof one) < 0) CH_CHECK(errno == EAGAIN);
}

struct ch_bytes ch_rep_request(const struct ch_rep_slot *slot)
{
    nng_msg *message = nng_aio_get_msg(slot->aio);
    return (struct ch_bytes){.ptr = nng_msg_body(message), .len = nng_msg_len(message)};
}

static void send_back(struct ch_rep_slot *slot)
{
    slot->next = NULL;
    slot->sending = true;
    nng_ctx_send(slot->context, slot->aio); /* the message is still in the aio */
}

void ch_rep_answer(struct ch_rep_list *list)
{
    struct ch_rep_slot *slot = list->head;
    *list = (struct ch_rep_list){0};
    while (slot != NULL) {
        struct ch_rep_slot *next = slot->next;
        send_back(slot);
        slot = next;
    }
}

static void arrives(struct ch_rep_slot *slot)
{
    struct ch_rep *rep = slot->rep;
    struct ch_rep_list one = {.head = slot, .tail = slot};
    slot->next = NULL;
    (void)pthread_mutex_lock(&rep->lock);
    bool ring = ch_rep_list_append(&rep->arrived, &one);
    (void)pthread_mutex_unlock(&rep->lock);
    if (ring) ch_rep_ring(rep);
}

static void on_aio(void *arg)
{
    struct ch_rep_slot *slot = arg;
    CH_CHECK(slot->magic == SLOT_MAGIC);
    int code = nng_aio_result(slot->aio);
    if (code == NNG_ECLOSED || code == NNG_ECANCELED) return;
    if (slot->sending) {
        /* A client that went away has no use for its answer. */
        if (code != 0) nng_msg_free(nng_aio_get_msg(slot->aio));
        nng_aio_set_msg(slot->aio, NULL);
        slot->sending = false;
        nng_ctx_recv(slot->context, slot->aio);
    } else if (code != 0) {
        nng_ctx_recv(slot->context, slot->aio);
    } else if (slot->rep->turn == NULL) {
        send_back(slot);
    } else {
        arrives(slot);
    }
}

static void on_ring(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct ch_rep *rep = arg;
    uint64_t rings;
    /* First the counter, then the list: a ring in between is only one turn too many. */
    if (read(fd, &rings, sizeof rings) < 0) CH_CHECK(errno == EAGAIN);
    (void)pthread_mutex_lock(&rep->lock);
    struct ch_rep_list arrived = rep->arrived;
    rep->arrived = (struct ch_rep_list){0};
    (void)pthread_mutex_unlock(&rep->lock);
    rep->turn(rep->turn_context, &arrived);
}

static void on_term(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    struct ch_rep *rep = arg;
    (void)event_base_loopbreak(rep->base);
}

static enum ch_err open_loop(struct ch_rep *rep, struct ch_why *why)
{
    rep->ring_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (rep->ring_fd < 0) {
        return ch_fail(why, CH_ERR_FILE_IO, errno, "eventfd: %s", strerror(errno));
    }
    rep->base = event_base_new();
    if (rep->base == NULL) return ch_fail(why, CH_ERR_FILE_IO, 0, "no event base");
    rep->ring_event = event_new(rep->base, rep->ring_fd, EV_READ | EV_PERSIST, on_ring, rep);
    rep->term_event = evsignal_new(rep->base, SIGTERM, on_term, rep);
    if (rep->ring_event == NULL || rep->term_event == NULL ||
        event_add(rep->ring_event, NULL) != 0 || event_add(rep->term_event, NULL) != 0) {
        return ch_fail(why, CH_ERR_FILE_IO, 0, "no events");
    }
    return CH_OK;
}

static enum ch_err open_contexts(struct ch_rep *rep, uint32_t contexts, struct ch_why *why)
{
    rep->slots = calloc(contexts, sizeof *rep->slots);
    if (rep->slots == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "REP contexts");
    int code = nng_rep0_open(&rep->socket);
    for (uint32_t i = 0; i < contexts && code == 0; i++) {
        struct ch_rep_slot *slot = &rep->slots[i];
        slot->magic = SLOT_MAGIC;
        slot->rep = rep;
        code = nng_ctx_open(&slot->context, rep->socket);
        if (code == 0) code = nng_aio_alloc(&slot->aio, on_aio, slot);
        rep->slots_len = i + 1;
        if (code == 0) nng_ctx_recv(slot->context, slot->aio);
    }
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NET_IO, code, "REP contexts: %s", nng_strerror(code));
}

enum ch_err ch_rep_open(struct ch_rep *rep, const char *url, uint32_t contexts, ch_rep_turn *turn,
                        void *turn_context, struct ch_why *why)
{
    *rep = (struct ch_rep){.turn = turn,
                           .turn_context = turn_context,
                           .ring_fd = -1,
                           .lock = PTHREAD_MUTEX_INITIALIZER};
    enum ch_err err = open_loop(rep, why);
    if (err == CH_OK) err = open_contexts(rep, contexts, why);
    if (err != CH_OK) return err;
    int code = nng_listen(rep->socket, url, NULL, 0);
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NET_IO, code, "%s: %s", url, nng_strerror(code));
}

void ch_rep_run(struct ch_rep *rep)
{
    (void)event_base_dispatch(rep->base);
}

void ch_rep_close(struct ch_rep *rep)
{
    for (uint32_t i = 0; i < rep->slots_len; i++) {
        struct ch_rep_slot *slot = &rep->slots[i];
        nng_aio_stop(slot->aio);
        nng_msg_free(nng_aio_get_msg(slot->aio)); /* a request that was never answered */
        if (nng_ctx_id(slot->context) > 0) (void)nng_ctx_close(slot->context);
        nng_aio_free(slot->aio);
    }
    if (nng_socket_id(rep->socket) > 0) (void)nng_close(rep->socket);
    if (rep->ring_event != NULL) event_free(rep->ring_event);
    if (rep->term_event != NULL) event_free(rep->term_event);
    if (rep->base != NULL) event_base_free(rep->base);
    if (rep->ring_fd >= 0) (void)close(rep->ring_fd);
    free(rep->slots);
}
