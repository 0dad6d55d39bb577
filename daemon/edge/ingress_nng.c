/* ingress_nng: requests in, replies out, by nng's threads. SPDX-License-Identifier: MIT
 * Who owns a slot's plain members changes with its state: nng's
 * callback (RECEIVING, SENDING), the queue under its lock (QUEUED), the loop thread (HELD). nng's
 * and the queue's locks order the changes. Only `pipe_id` and `peer_gone` are touched from
 * elsewhere, by the callback that hears of a connection's end, so they are atomic. */
#include "daemon/edge/ingress_nng.h"
#include "daemon/edge/peers.h"
#include "daemon/host/clock.h"
#include "schema/base/check.h"
#include <errno.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    INGRESS_MAGIC = 0x696e6772,
    SLOT_MAGIC = 0x736c6f74,
    SETTLE_MS = 10,
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
};

enum slot_state { SLOT_IDLE, SLOT_RECEIVING, SLOT_QUEUED, SLOT_HELD, SLOT_SENDING };

struct slot {
    uint32_t magic;
    enum slot_state state;
    struct ch_ingress_nng *ingress;
    struct slot *next; /* in the queue */
    nng_ctx context;
    nng_aio *aio;
    nng_msg *request;
    uint32_t turn;
    bool has_context;
    bool is_ipc;
    int64_t peer_uid;
    _Atomic uint32_t pipe_id; /* of the request's connection */
    atomic_bool peer_gone;
};

struct ch_ingress_nng {
    uint32_t magic;
    bool has_socket;
    nng_socket socket;
    int wake_fd;
    nng_duration send_timeout_ms;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t held;
    struct ch_listen *listens;
    size_t listen_count;

    pthread_mutex_t lock; /* of the queue and of peers */
    pthread_cond_t sent;  /* the last send under way ended, while closing */
    struct slot *first;
    struct slot *last;
    struct ch_peers peers;

    atomic_bool closing;
    atomic_uint sending;
    uint64_t received; /* these two by the loop thread alone */
    uint64_t dropped;
    atomic_uint_fast64_t replied;
    atomic_uint_fast64_t send_failures;
    atomic_uint_fast64_t receive_failures;
    atomic_uint_fast64_t peers_refused;
    atomic_uint_fast64_t wakes;
};

static void count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t counted(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void wake_loop(const struct ch_ingress_nng *ingress)
{
    const uint64_t one = 1;
    ssize_t written = write(ingress->wake_fd, &one, sizeof one);
    /* EAGAIN: the counter is full, so the loop has been woken often enough */
    CH_CHECK(written == sizeof one || errno == EAGAIN);
}

static void receive(struct slot *slot)
{
    slot->state = SLOT_RECEIVING;
    nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
    nng_ctx_recv(slot->context, slot->aio);
}

/* ---- nng's threads ---- */

/* Asks for what the kernel says of a new connection, before it may send. */
static void peer_came(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ch_ingress_nng *ingress = arg;
    (void)event;
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    struct ch_peer peer = {.pipe_id = (uint32_t)nng_pipe_id(pipe), .uid = -1};
    nng_sockaddr address;
    uint64_t uid = 0;
    if (nng_pipe_get_addr(pipe, NNG_OPT_LOCADDR, &address) == 0) {
        peer.is_ipc = address.s_family == NNG_AF_IPC;
    }
    if (peer.is_ipc && nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0 &&
        uid < UINT32_MAX) { /* (uid_t)-1 is nobody */
        peer.uid = (int64_t)uid;
    }
    if (atomic_load(&ingress->closing)) {
        nng_pipe_close(pipe);
        return;
    }
    pthread_mutex_lock(&ingress->lock);
    bool added = ch_peers_add(&ingress->peers, peer);
    pthread_mutex_unlock(&ingress->lock);
    if (!added) {
        count(&ingress->peers_refused);
        nng_pipe_close(pipe);
    }
}

static void peer_went(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ch_ingress_nng *ingress = arg;
    (void)event;
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    uint32_t pipe_id = (uint32_t)nng_pipe_id(pipe);
    pthread_mutex_lock(&ingress->lock);
    ch_peers_remove(&ingress->peers, pipe_id);
    for (uint32_t i = 0; i < ingress->slot_count; i++) {
        struct slot *slot = &ingress->slots[i];
        if (atomic_load_explicit(&slot->pipe_id, memory_order_relaxed) == pipe_id) {
            atomic_store_explicit(&slot->peer_gone, true, memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&ingress->lock);
}

static void request_arrived(struct slot *slot)
{
    struct ch_ingress_nng *ingress = slot->ingress;
    int rv = nng_aio_result(slot->aio);
    if (rv != 0) {
        slot->state = SLOT_IDLE;
        if (rv == NNG_ECLOSED || rv == NNG_ECANCELED) return; /* ch_ingress_nng_close */
        count(&ingress->receive_failures);
        if (!atomic_load(&ingress->closing)) receive(slot);
        return;
    }
    slot->request = nng_aio_get_msg(slot->aio);
    CH_CHECK(slot->request != NULL);
    nng_aio_set_msg(slot->aio, NULL);
    uint32_t pipe_id = (uint32_t)nng_pipe_id(nng_msg_get_pipe(slot->request));
    slot->state = SLOT_QUEUED;
    slot->next = NULL;

    pthread_mutex_lock(&ingress->lock);
    const struct ch_peer *peer = ch_peers_find(&ingress->peers, pipe_id);
    slot->is_ipc = peer != NULL && peer->is_ipc;
    slot->peer_uid = peer != NULL ? peer->uid : -1;
    atomic_store_explicit(&slot->pipe_id, pipe_id, memory_order_relaxed);
    atomic_store_explicit(&slot->peer_gone, peer == NULL, memory_order_relaxed);
    bool was_empty = ingress->first == NULL;
    if (was_empty) {
        ingress->first = slot;
    } else {
        ingress->last->next = slot;
    }
    ingress->last = slot;
    pthread_mutex_unlock(&ingress->lock);

    if (was_empty) {
        count(&ingress->wakes);
        wake_loop(ingress);
    }
}

/* nng calls a reply to a connection that is gone a success, so peer_gone is asked as well. */
static void reply_left(struct slot *slot)
{
    struct ch_ingress_nng *ingress = slot->ingress;
    int rv = nng_aio_result(slot->aio);
    if (rv != 0) {
        nng_msg *reply = nng_aio_get_msg(slot->aio);
        nng_aio_set_msg(slot->aio, NULL);
        if (reply != NULL) nng_msg_free(reply);
        if (rv == NNG_ETIMEDOUT) { /* it does not read: its other replies would wait as long */
            nng_pipe pipe = {.id = atomic_load_explicit(&slot->pipe_id, memory_order_relaxed)};
            nng_pipe_close(pipe);
        }
    }
    bool reached = rv == 0 && !atomic_load_explicit(&slot->peer_gone, memory_order_relaxed);
    count(reached ? &ingress->replied : &ingress->send_failures);
    slot->state = SLOT_IDLE;
    bool was_last = atomic_fetch_sub(&ingress->sending, 1) == 1;
    if (!atomic_load(&ingress->closing)) {
        receive(slot);
    } else if (was_last) {
        pthread_mutex_lock(&ingress->lock);
        pthread_cond_signal(&ingress->sent);
        pthread_mutex_unlock(&ingress->lock);
    }
}

static void slot_done(void *arg)
{
    struct slot *slot = arg;
    CH_CHECK(slot->magic == SLOT_MAGIC);
    CH_CHECK(slot->ingress->magic == INGRESS_MAGIC);
    CH_CHECK(slot->state == SLOT_RECEIVING || slot->state == SLOT_SENDING);
    if (slot->state == SLOT_RECEIVING) {
        request_arrived(slot);
    } else {
        reply_left(slot);
    }
}

/* ---- the loop thread ---- */

static enum ch_err fail_nng(struct ch_why *why, int rv, const char *what)
{
    return ch_fail(why, rv == NNG_ENOMEM ? CH_ERR_NO_MEMORY : CH_ERR_NET_IO, rv, "%s: %s", what,
                   nng_strerror(rv));
}

static enum ch_err open_slots(struct ch_ingress_nng *ingress, uint32_t slot_count,
                              struct ch_why *why)
{
    ingress->slots = calloc(slot_count, sizeof *ingress->slots);
    if (ingress->slots == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "slots");
    for (uint32_t i = 0; i < slot_count; i++) {
        struct slot *slot = &ingress->slots[i];
        slot->magic = SLOT_MAGIC;
        slot->ingress = ingress;
        ingress->slot_count = i + 1;
        int rv = nng_aio_alloc(&slot->aio, slot_done, slot);
        if (rv != 0) return fail_nng(why, rv, "slot");
        rv = nng_ctx_open(&slot->context, ingress->socket);
        if (rv != 0) return fail_nng(why, rv, "context of a slot");
        slot->has_context = true;
    }
    return CH_OK;
}

static enum ch_err open_socket(struct ch_ingress_nng *ingress, struct ch_why *why)
{
    int rv = nng_rep0_open(&ingress->socket);
    if (rv != 0) return fail_nng(why, rv, "request socket");
    ingress->has_socket = true;
    rv = nng_pipe_notify(ingress->socket, NNG_PIPE_EV_ADD_PRE, peer_came, ingress);
    if (rv == 0) rv = nng_pipe_notify(ingress->socket, NNG_PIPE_EV_REM_POST, peer_went, ingress);
    return rv == 0 ? CH_OK : fail_nng(why, rv, "request socket");
}

static struct ch_ingress_nng *make(const struct ch_ingress_options *options)
{
    struct ch_ingress_nng *ingress = calloc(1, sizeof *ingress);
    if (ingress == NULL) return NULL;
    ingress->magic = INGRESS_MAGIC;
    ingress->wake_fd = -1;
    ingress->send_timeout_ms = options->send_timeout_ms == 0
                                   ? CH_INGRESS_SEND_TIMEOUT_MS_DEFAULT
                                   : (nng_duration)options->send_timeout_ms;
    pthread_condattr_t monotonic;
    CH_CHECK(pthread_condattr_init(&monotonic) == 0);
    CH_CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CH_CHECK(pthread_cond_init(&ingress->sent, &monotonic) == 0);
    CH_CHECK(pthread_mutex_init(&ingress->lock, NULL) == 0);
    pthread_condattr_destroy(&monotonic);
    return ingress;
}

enum ch_err ch_ingress_nng_open(const struct ch_ingress_options *options,
                                struct ch_ingress_nng **ret, struct ch_why *why)
{
    CH_CHECK(options != NULL && ret != NULL);
    enum ch_err err = CH_OK;
    struct ch_ingress_nng *ingress = make(options);
    if (ingress == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "ingress");
    ingress->listens = calloc(options->url_count, sizeof *ingress->listens);
    if (ingress->listens == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "listeners");
        goto out;
    }
    ingress->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ingress->wake_fd < 0) {
        err = ch_fail(why, CH_ERR_NET_IO, errno, "eventfd: %s", strerror(errno));
        goto out;
    }
    uint32_t peers = options->peers == 0 ? CH_INGRESS_PEERS_DEFAULT : options->peers;
    if ((err = ch_peers_init(&ingress->peers, peers, why)) != CH_OK) goto out;
    if ((err = open_socket(ingress, why)) != CH_OK) goto out;
    err = open_slots(ingress, options->slots == 0 ? CH_INGRESS_SLOTS_DEFAULT : options->slots, why);
    if (err != CH_OK) goto out;
    for (uint32_t i = 0; i < ingress->slot_count; i++) {
        receive(&ingress->slots[i]);
    }
    for (size_t i = 0; i < options->url_count; i++) {
        err = ch_listen_start(ingress->socket, options->urls[i], &options->listen,
                              &ingress->listens[i], why);
        if (err != CH_OK) goto out;
        ingress->listen_count = i + 1;
    }
    *ret = ingress;
    ingress = NULL; /* given to the caller */
out:
    ch_ingress_nng_close(ingress);
    return err;
}

/* nng has no linger of its own: what it still holds when the socket closes is lost. */
static void wait_for_sends(struct ch_ingress_nng *ingress)
{
    uint64_t until_ns = ch_clock_monotonic_ns() + (uint64_t)CH_INGRESS_CLOSE_WAIT_MS * NS_PER_MS;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                                   .tv_nsec = (long)(until_ns % NS_PER_S)};
    int rc = 0;
    pthread_mutex_lock(&ingress->lock);
    while (atomic_load(&ingress->sending) > 0 && rc == 0) {
        rc = pthread_cond_timedwait(&ingress->sent, &ingress->lock, &until);
    }
    pthread_mutex_unlock(&ingress->lock);
}

void ch_ingress_nng_close(struct ch_ingress_nng *ingress)
{
    if (ingress == NULL) return;
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    atomic_store(&ingress->closing, true);
    wait_for_sends(ingress);
    for (uint32_t i = 0; i < ingress->slot_count; i++) { /* waits for each callback */
        if (ingress->slots[i].aio != NULL) nng_aio_stop(ingress->slots[i].aio);
    }
    /* Nobody receives now, so each connection reads one more message at most and then rests: past
     * that, closing it cannot meet the fault that ch_listen_close_socket tells of, unless a message
     * comes in at that very moment. */
    const struct timespec settle = {.tv_nsec = (long)SETTLE_MS * NS_PER_MS};
    nanosleep(&settle, NULL);
    for (uint32_t i = 0; i < ingress->slot_count; i++) {
        if (ingress->slots[i].has_context) nng_ctx_close(ingress->slots[i].context);
    }
    /* waits for peer_went of each */
    if (ingress->has_socket && !ch_listen_close_socket(ingress->socket, CH_INGRESS_CLOSE_WAIT_MS)) {
        return; /* nng hangs and may call back: what it could touch is left where it is */
    }
    for (uint32_t i = 0; i < ingress->slot_count; i++) {
        struct slot *slot = &ingress->slots[i];
        if (slot->request != NULL) nng_msg_free(slot->request);
        if (slot->aio != NULL) nng_aio_free(slot->aio);
        slot->magic = 0;
    }
    if (ingress->wake_fd >= 0) close(ingress->wake_fd);
    ch_peers_deinit(&ingress->peers);
    pthread_cond_destroy(&ingress->sent);
    pthread_mutex_destroy(&ingress->lock);
    free(ingress->slots);
    free(ingress->listens);
    ingress->magic = 0;
    free(ingress);
}

int ch_ingress_nng_fd(const struct ch_ingress_nng *ingress)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    return ingress->wake_fd;
}

size_t ch_ingress_nng_drain(struct ch_ingress_nng *ingress, struct ch_ingress_arrival *arrivals,
                            size_t max)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    uint64_t wakes;
    ssize_t got = read(ingress->wake_fd, &wakes, sizeof wakes);
    CH_CHECK(got == sizeof wakes || errno == EAGAIN);
    size_t taken = 0;
    size_t bytes = 0;
    pthread_mutex_lock(&ingress->lock);
    while (ingress->first != NULL && taken < max && bytes < CH_INGRESS_TURN_BYTES) {
        struct slot *slot = ingress->first;
        ingress->first = slot->next;
        CH_CHECK(slot->state == SLOT_QUEUED);
        slot->state = SLOT_HELD;
        arrivals[taken++] = (struct ch_ingress_arrival){
            .slot = {.index = (uint32_t)(slot - ingress->slots), .turn = slot->turn},
            .message = {.ptr = nng_msg_body(slot->request), .len = nng_msg_len(slot->request)},
            .peer_uid = slot->peer_uid,
            .is_ipc = slot->is_ipc,
        };
        bytes += arrivals[taken - 1].message.len;
    }
    bool more = ingress->first != NULL;
    pthread_mutex_unlock(&ingress->lock);
    if (more) wake_loop(ingress); /* callbacks write only when the queue was empty */
    ingress->held += (uint32_t)taken;
    ingress->received += taken;
    return taken;
}

static struct slot *held_slot(const struct ch_ingress_nng *ingress, struct ch_ingress_slot id)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    CH_CHECK(id.index < ingress->slot_count);
    struct slot *slot = &ingress->slots[id.index];
    CH_CHECK(slot->magic == SLOT_MAGIC);
    CH_CHECK(slot->turn == id.turn); /* replied twice? */
    CH_CHECK(slot->state == SLOT_HELD);
    return slot;
}

static void let_go(struct ch_ingress_nng *ingress, struct slot *slot)
{
    nng_msg_free(slot->request);
    slot->request = NULL;
    slot->turn++;
    CH_CHECK(ingress->held > 0);
    ingress->held--;
}

enum ch_err ch_ingress_nng_reply(struct ch_ingress_nng *ingress, struct ch_ingress_slot id,
                                 const struct ch_bytes *parts, size_t part_count,
                                 struct ch_why *why)
{
    struct slot *slot = held_slot(ingress, id);
    nng_msg *reply = NULL;
    size_t len = 0;
    for (size_t i = 0; i < part_count; i++) {
        len += parts[i].len;
    }
    int rv = nng_msg_alloc(&reply, 0);
    if (rv == 0 && part_count > 1) rv = nng_msg_reserve(reply, len);
    for (size_t i = 0; i < part_count && rv == 0; i++) {
        if (parts[i].len > 0) rv = nng_msg_append(reply, parts[i].ptr, parts[i].len);
    }
    if (rv != 0) {
        if (reply != NULL) nng_msg_free(reply);
        return fail_nng(why, NNG_ENOMEM, "reply"); /* the only way these fail */
    }
    let_go(ingress, slot);
    slot->state = SLOT_SENDING;
    atomic_fetch_add(&ingress->sending, 1);
    nng_aio_set_msg(slot->aio, reply);
    nng_aio_set_timeout(slot->aio, ingress->send_timeout_ms);
    nng_ctx_send(slot->context, slot->aio);
    return CH_OK;
}

void ch_ingress_nng_drop(struct ch_ingress_nng *ingress, struct ch_ingress_slot id)
{
    struct slot *slot = held_slot(ingress, id);
    let_go(ingress, slot);
    ingress->dropped++;
    receive(slot); /* a context that receives again forgets the request */
}

bool ch_ingress_nng_peer_gone(const struct ch_ingress_nng *ingress, struct ch_ingress_slot id)
{
    return atomic_load_explicit(&held_slot(ingress, id)->peer_gone, memory_order_relaxed);
}

uint32_t ch_ingress_nng_held(const struct ch_ingress_nng *ingress)
{
    return ingress->held;
}

struct ch_ingress_counters ch_ingress_nng_counters(const struct ch_ingress_nng *ingress)
{
    CH_CHECK(ingress->magic == INGRESS_MAGIC);
    struct ch_ingress_counters now = {
        .received = ingress->received,
        .replied = counted(&ingress->replied),
        .send_failures = counted(&ingress->send_failures),
        .dropped = ingress->dropped,
        .receive_failures = counted(&ingress->receive_failures),
        .peers_refused = counted(&ingress->peers_refused),
        .wakes = counted(&ingress->wakes),
    };
    pthread_mutex_t *lock =
        (pthread_mutex_t *)&ingress->lock; /* const of the whole, not of the lock */
    pthread_mutex_lock(lock);
    now.peers = ingress->peers.count;
    pthread_mutex_unlock(lock);
    return now;
}

const char *ch_ingress_nng_url(const struct ch_ingress_nng *ingress, size_t n)
{
    CH_CHECK(n < ingress->listen_count);
    return ingress->listens[n].url;
}
