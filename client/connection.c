/* connection: messages in flight over one REQ socket. SPDX-License-Identifier: MIT
 * A message takes a slot: a context, two aios and its bytes. The slot moves on only in their
 * callbacks, on nng's threads: sending, receiving, and after a busy answer a pause, then sending
 * again. At the end the slot is done, and charter_collect, woken by the condition, takes it. The
 * lock guards `use` and `finished_as`; the rest of a slot that is taken belongs to the callback. */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "client/failure.h"
#include "client/message.h"
#include "client/reply.h"
#include "schema/base/check.h"

enum {
    SLOT_MAGIC = 0x51075107,
    IN_FLIGHT = 32,
    IN_FLIGHT_MOST = 256,
    TIMEOUT_MS = 30000,
    RESEND_MS = 5000,
    BUSY_WAIT_MOST_MS = 500,
    REPLY_BYTES_MOST = 64 << 20, /* no answer that the limits allow comes near it */
    RECONNECT_LEAST_MS = 20,
    RECONNECT_MOST_MS = 500,
    CLOSE_WAIT_S = 1,
    ID_BYTES = 16,
};

enum slot_use { SLOT_IDLE, SLOT_TAKEN, SLOT_DONE };
enum slot_phase { PHASE_SENDING, PHASE_RECEIVING };

struct slot {
    uint32_t magic;
    enum slot_use use;
    enum slot_phase phase;
    struct charter *owner;
    nng_ctx ctx;
    nng_aio *aio;
    nng_aio *pause; /* of a busy answer; an own one, see on_received */
    uint8_t id[ID_BYTES];
    uint64_t tag;
    nng_time deadline; /* ms, nng's clock */
    unsigned busy_count;
    struct ch_buf bytes;
    nng_msg *reply;       /* if done well */
    int failed_with;      /* nng's code, else */
    bool was_sent;        /* at least once */
    uint64_t finished_as; /* order of finishing, for collecting in that order */
};

struct charter {
    nng_socket socket;
    bool opened;
    unsigned timeout_ms;
    pthread_mutex_t lock;
    pthread_cond_t done;
    uint64_t finished;
    unsigned in_flight;
    unsigned slot_count;
    struct slot *slots;
};

static void finish(struct slot *slot, nng_msg *reply, int failed_with)
{
    struct charter *c = slot->owner;
    (void)pthread_mutex_lock(&c->lock);
    slot->reply = reply;
    slot->failed_with = failed_with;
    slot->finished_as = ++c->finished;
    slot->use = SLOT_DONE;
    (void)pthread_cond_signal(&c->done);
    (void)pthread_mutex_unlock(&c->lock);
}

/* Milliseconds left, or 0. */
static nng_duration left_ms(const struct slot *slot)
{
    const nng_time now = nng_clock();
    return now >= slot->deadline ? 0 : (nng_duration)(slot->deadline - now);
}

static void start_sending(struct slot *slot)
{
    nng_msg *msg = NULL;
    const nng_duration left = left_ms(slot);
    int rv = left == 0 ? NNG_ETIMEDOUT : nng_msg_alloc(&msg, 0);
    if (rv == 0) rv = nng_msg_append(msg, slot->bytes.ptr, slot->bytes.len);
    if (rv != 0) {
        nng_msg_free(msg);
        finish(slot, NULL, rv);
        return;
    }
    slot->phase = PHASE_SENDING;
    nng_aio_set_timeout(slot->aio, left);
    nng_aio_set_msg(slot->aio, msg);
    nng_ctx_send(slot->ctx, slot->aio);
}

/* Twice as long each time, and not all slots at once. */
static nng_duration busy_wait_ms(const struct slot *slot, uint64_t retry_ms)
{
    uint64_t wait = retry_ms == 0 ? 1 : retry_ms;
    wait <<= slot->busy_count < 8 ? slot->busy_count : 8;
    if (wait > BUSY_WAIT_MOST_MS) wait = BUSY_WAIT_MOST_MS;
    return (nng_duration)(wait / 2 + 1 + nng_random() % wait);
}

/* nng 1.5.2: an aio that has slept reports later timeouts as done well, without a message. So
 * waits have an aio of their own, and a missing message is a timeout. */
static void on_received(struct slot *slot)
{
    nng_msg *msg = nng_aio_get_msg(slot->aio);
    if (msg == NULL) {
        finish(slot, NULL, NNG_ETIMEDOUT);
        return;
    }
    nng_aio_set_msg(slot->aio, NULL);
    uint64_t retry_ms = 0;
    if (!ch_client_reply_busy((struct ch_bytes){nng_msg_body(msg), nng_msg_len(msg)}, &retry_ms)) {
        finish(slot, msg, 0);
        return;
    }
    const nng_duration wait = busy_wait_ms(slot, retry_ms);
    if (wait + wait / 2 >= left_ms(slot)) { /* so that another try has time for its answer */
        finish(slot, msg, 0);               /* the busy answer is the answer */
        return;
    }
    nng_msg_free(msg);
    slot->busy_count++;
    nng_sleep_aio(wait, slot->pause);
}

static void on_pause(void *context)
{
    struct slot *slot = context;
    CH_CHECK(slot->magic == SLOT_MAGIC);
    const int rv = nng_aio_result(slot->pause);
    if (rv == 0) {
        start_sending(slot);
    } else {
        finish(slot, NULL, rv);
    }
}

static void on_aio(void *context)
{
    struct slot *slot = context;
    CH_CHECK(slot->magic == SLOT_MAGIC);
    const int rv = nng_aio_result(slot->aio);
    if (slot->phase == PHASE_SENDING && rv != 0) {
        nng_msg_free(nng_aio_get_msg(slot->aio)); /* a message not sent is still ours */
        nng_aio_set_msg(slot->aio, NULL);
        finish(slot, NULL, rv);
    } else if (rv != 0) {
        finish(slot, NULL, rv);
    } else if (slot->phase == PHASE_SENDING) {
        slot->was_sent = true;
        slot->phase = PHASE_RECEIVING;
        nng_aio_set_timeout(slot->aio, left_ms(slot) + 1);
        nng_ctx_recv(slot->ctx, slot->aio);
    } else {
        on_received(slot);
    }
}

/* ---- opening and closing ------------------------------------------------------------------ */

static enum ch_err fail_nng(struct ch_why *why, int rv, const char *what)
{
    const enum ch_err err = rv == NNG_ENOMEM ? CH_ERR_NO_MEMORY
                            : rv == NNG_EADDRINVAL || rv == NNG_ENOTSUP || rv == NNG_EINVAL
                                ? CH_ERR_CONFIG
                                : CH_ERR_NET_IO;
    return ch_fail(why, err, rv, "%s: %s", what, nng_strerror(rv));
}

static enum ch_err open_socket(struct charter *c, const char *url, unsigned resend_ms,
                               struct ch_why *why)
{
    int rv = nng_req0_open(&c->socket);
    if (rv != 0) return fail_nng(why, rv, "no socket");
    c->opened = true;
    rv = nng_socket_set_ms(c->socket, NNG_OPT_REQ_RESENDTIME, (nng_duration)resend_ms);
    if (rv == 0) rv = nng_socket_set_ms(c->socket, NNG_OPT_RECONNMINT, RECONNECT_LEAST_MS);
    if (rv == 0) rv = nng_socket_set_ms(c->socket, NNG_OPT_RECONNMAXT, RECONNECT_MOST_MS);
    if (rv == 0) rv = nng_socket_set_size(c->socket, NNG_OPT_RECVMAXSZ, REPLY_BYTES_MOST);
    if (rv != 0) return fail_nng(why, rv, "socket options");
    rv = nng_dial(c->socket, url, NULL, 0);
    return rv == 0 ? CH_OK : fail_nng(why, rv, url);
}

static enum ch_err open_slots(struct charter *c, unsigned count, struct ch_why *why)
{
    c->slots = calloc(count, sizeof *c->slots);
    if (c->slots == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a connection");
    for (unsigned i = 0; i < count; i++) {
        struct slot *slot = &c->slots[i];
        *slot = (struct slot){.magic = SLOT_MAGIC, .owner = c};
        int rv = nng_ctx_open(&slot->ctx, c->socket);
        if (rv != 0) return fail_nng(why, rv, "no context");
        c->slot_count++;
        rv = nng_aio_alloc(&slot->aio, on_aio, slot);
        if (rv == 0) rv = nng_aio_alloc(&slot->pause, on_pause, slot);
        if (rv != 0) return fail_nng(why, rv, "no aio");
    }
    return CH_OK;
}

int charter_connect(const char *url, const struct charter_options *options, struct charter **ret,
                    struct charter_error *error)
{
    const struct charter_options none = {0};
    const struct charter_options *o = options == NULL ? &none : options;
    struct ch_why why = {0};
    enum ch_err err = CH_OK;
    struct charter *c = NULL;
    const unsigned slots = o->in_flight == 0 ? IN_FLIGHT : o->in_flight;
    if (slots > IN_FLIGHT_MOST || o->timeout_ms > INT32_MAX || o->resend_ms > INT32_MAX) {
        err = ch_fail(&why, CH_ERR_CONFIG, 0, "in_flight is at most %d, times below 2^31 ms",
                      IN_FLIGHT_MOST);
        goto out;
    }
    c = calloc(1, sizeof *c);
    if (c == NULL) {
        err = ch_fail(&why, CH_ERR_NO_MEMORY, 0, "no memory for a connection");
        goto out;
    }
    c->timeout_ms = o->timeout_ms == 0 ? TIMEOUT_MS : o->timeout_ms;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->done, NULL);
    err = open_socket(c, url, o->resend_ms == 0 ? RESEND_MS : o->resend_ms, &why);
    if (err == CH_OK) err = open_slots(c, slots, &why);
    if (err != CH_OK) goto out;
    *ret = c;
    c = NULL; /* given to the caller */
out:
    charter_close(c);
    return err == CH_OK ? 0 : ch_client_fail(error, &why);
}

static bool any_taken(const struct charter *c)
{
    for (unsigned i = 0; i < c->slot_count; i++) {
        if (c->slots[i].use == SLOT_TAKEN) return true;
    }
    return false;
}

/* Waits a little for the answers of what is in flight. nng 1.5.2 loses a completion when a
 * connection is closed between the head and the body of a message that comes in; its one reaper
 * then waits for ever, and with it every nng_close of the process. So none may be coming in. */
static void let_come_in(struct charter *c)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_WAIT_S;
    (void)pthread_mutex_lock(&c->lock);
    while (any_taken(c) &&
           pthread_cond_clockwait(&c->done, &c->lock, CLOCK_MONOTONIC, &until) == 0) {
    }
    (void)pthread_mutex_unlock(&c->lock);
}

void charter_close(struct charter *c)
{
    if (c == NULL) return;
    let_come_in(c);
    for (unsigned i = 0; i < c->slot_count; i++) {
        /* Each waits for its callback; one of them may start the other, which then fails. */
        if (c->slots[i].pause != NULL) nng_aio_stop(c->slots[i].pause);
        if (c->slots[i].aio != NULL) nng_aio_stop(c->slots[i].aio);
    }
    for (unsigned i = 0; i < c->slot_count; i++) {
        struct slot *slot = &c->slots[i];
        nng_aio_free(slot->aio);
        nng_aio_free(slot->pause);
        (void)nng_ctx_close(slot->ctx);
        nng_msg_free(slot->reply);
        ch_buf_deinit(&slot->bytes);
    }
    if (c->opened) (void)nng_close(c->socket);
    free(c->slots);
    (void)pthread_cond_destroy(&c->done);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- sending and collecting --------------------------------------------------------------- */

/* A slot that nobody had; not yet taken. Only the caller's thread takes slots. */
static struct slot *idle_slot(struct charter *c)
{
    struct slot *found = NULL;
    (void)pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < c->slot_count && found == NULL; i++) {
        if (c->slots[i].use == SLOT_IDLE) found = &c->slots[i];
    }
    (void)pthread_mutex_unlock(&c->lock);
    return found;
}

static enum ch_err submit(struct charter *c, struct charter_message *m, uint64_t tag,
                          struct slot **ret, struct ch_why *why)
{
    struct slot *slot = idle_slot(c);
    if (slot == NULL) {
        return ch_fail(why, CH_ERR_BUSY, 0, "%u messages are in flight already; collect one first",
                       c->in_flight);
    }
    ch_buf_reset(&slot->bytes);
    enum ch_err err = ch_message_write(m, &slot->bytes, why);
    if (err != CH_OK) return err;
    memcpy(slot->id, charter_message_id(m), sizeof slot->id);
    slot->tag = tag;
    slot->busy_count = 0;
    slot->was_sent = false;
    slot->deadline = nng_clock() + c->timeout_ms;
    c->in_flight++;
    (void)pthread_mutex_lock(&c->lock);
    slot->use = SLOT_TAKEN;
    (void)pthread_mutex_unlock(&c->lock);
    *ret = slot;
    start_sending(slot);
    return CH_OK;
}

/* The slot that was done first, or this one; waits. Its deadline bounds the wait. */
static struct slot *wait_for(struct charter *c, struct slot *only)
{
    struct slot *found = NULL;
    (void)pthread_mutex_lock(&c->lock);
    for (;;) {
        for (unsigned i = 0; i < c->slot_count; i++) {
            struct slot *slot = &c->slots[i];
            if (slot->use != SLOT_DONE || (only != NULL && slot != only)) continue;
            if (found == NULL || slot->finished_as < found->finished_as) found = slot;
        }
        if (found != NULL) break;
        (void)pthread_cond_wait(&c->done, &c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return found;
}

static int take_reply(struct charter *c, struct slot *slot, struct charter_reply **ret,
                      struct charter_error *error)
{
    int number;
    if (slot->reply != NULL) {
        number = ch_client_reply_read(
            (struct ch_bytes){nng_msg_body(slot->reply), nng_msg_len(slot->reply)}, slot->id, ret,
            error);
    } else {
        struct ch_why why = {0};
        if (slot->failed_with != NNG_ETIMEDOUT) {
            (void)fail_nng(&why, slot->failed_with, "the connection failed");
        } else if (slot->was_sent) {
            (void)ch_fail(&why, CH_ERR_TIMED_OUT, slot->failed_with,
                          "no answer within %u ms; the command may have been done, so send it "
                          "again with the same id",
                          c->timeout_ms);
        } else {
            (void)ch_fail(&why, CH_ERR_NET_IO, slot->failed_with,
                          "no connection within %u ms; the message was not sent", c->timeout_ms);
        }
        number = ch_client_fail(error, &why);
    }
    nng_msg_free(slot->reply);
    slot->reply = NULL;
    c->in_flight--;
    (void)pthread_mutex_lock(&c->lock);
    slot->use = SLOT_IDLE;
    (void)pthread_mutex_unlock(&c->lock);
    return number;
}

int charter_submit(struct charter *c, struct charter_message *m, uint64_t tag,
                   struct charter_error *error)
{
    struct ch_why why = {0};
    struct slot *slot = NULL;
    return submit(c, m, tag, &slot, &why) == CH_OK ? 0 : ch_client_fail(error, &why);
}

int charter_collect(struct charter *c, uint64_t *ret_tag, struct charter_reply **ret,
                    struct charter_error *error)
{
    if (c->in_flight == 0) {
        struct ch_why why = {0};
        (void)ch_fail(&why, CH_ERR_CONFIG, 0, "nothing is in flight to be collected");
        return ch_client_fail(error, &why);
    }
    struct slot *slot = wait_for(c, NULL);
    *ret_tag = slot->tag;
    return take_reply(c, slot, ret, error);
}

int charter_call(struct charter *c, struct charter_message *m, struct charter_reply **ret,
                 struct charter_error *error)
{
    struct ch_why why = {0};
    struct slot *slot = NULL;
    if (submit(c, m, 0, &slot, &why) != CH_OK) return ch_client_fail(error, &why);
    CH_CHECK(slot != NULL);
    return take_reply(c, wait_for(c, slot), ret, error);
}

unsigned charter_in_flight(const struct charter *c)
{
    return c->in_flight;
}
