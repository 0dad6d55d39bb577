/* load: see load.h. SPDX-License-Identifier: MIT */
#include "tools/bench/load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>

#include "schema/base/check.h"
#include "tools/bench/interrupt.h"

enum { SLOT_MAGIC = 0x51077e57, DRAIN_TIMEOUT_S = 5, DIAL_TIMEOUT_MS = 10000 };

enum phase { SENDING, RECEIVING, PAUSING };

struct slot {
    uint32_t magic;
    enum phase phase;
    struct run *run;
    nng_ctx context;
    nng_aio *aio;
    nng_msg *message; /* ours between an answer and the next sending; NULL while nng has it */
    uint64_t sent_at_ns;
    uint64_t messages; /* counted while measuring */
    uint64_t busy;
    struct ch_load_turn turn;
    struct ch_hist latency;
};

struct run {
    struct ch_load_ops ops;
    nng_socket socket;
    struct slot *slots;
    uint32_t slots_len; /* open ones */
    atomic_bool measuring;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t idle;
    uint32_t active;
    enum ch_err err; /* the first failure of any slot */
    struct ch_why why;
};

static void slot_ends(struct slot *slot)
{
    struct run *run = slot->run;
    (void)pthread_mutex_lock(&run->lock);
    run->active--;
    if (run->active == 0) (void)pthread_cond_signal(&run->idle);
    (void)pthread_mutex_unlock(&run->lock);
}

static void run_fails(struct run *run, enum ch_err err, const struct ch_why *why)
{
    (void)pthread_mutex_lock(&run->lock);
    if (run->err == CH_OK) {
        run->err = err;
        run->why = *why;
    }
    (void)pthread_cond_broadcast(&run->idle);
    (void)pthread_mutex_unlock(&run->lock);
    atomic_store(&run->stopping, true);
}

static void slot_fails(struct slot *slot, enum ch_err err, const struct ch_why *why)
{
    run_fails(slot->run, err, why);
    slot_ends(slot);
}

static void slot_net_fails(struct slot *slot, const char *doing, int code)
{
    struct ch_why why;
    enum ch_err err =
        code == NNG_ECANCELED
            ? ch_fail(&why, CH_ERR_TIMED_OUT, code, "no answer within %d s", DRAIN_TIMEOUT_S)
            : ch_fail(&why, CH_ERR_NET_IO, code, "%s: %s", doing, nng_strerror(code));
    slot_fails(slot, err, &why);
}

/* Sends turn.request. The message of the last answer is filled again: no allocation where it fits.
 */
static void slot_sends(struct slot *slot)
{
    nng_msg_clear(slot->message);
    const struct ch_buf *request = &slot->turn.request;
    int code =
        request->failed ? NNG_ENOMEM : nng_msg_append(slot->message, request->ptr, request->len);
    if (code != 0) {
        slot_net_fails(slot, "building a request", code);
        return;
    }
    slot->phase = SENDING;
    nng_aio_set_msg(slot->aio, slot->message);
    slot->message = NULL;
    nng_ctx_send(slot->context, slot->aio);
}

static void slot_begins_next(struct slot *slot)
{
    struct run *run = slot->run;
    if (atomic_load_explicit(&run->stopping, memory_order_relaxed)) {
        slot_ends(slot);
        return;
    }
    run->ops.make(run->ops.context, &slot->turn);
    slot->sent_at_ns = ch_interrupt_now_ns();
    slot_sends(slot);
}

static void slot_answered(struct slot *slot)
{
    struct run *run = slot->run;
    slot->message = nng_aio_get_msg(slot->aio);
    if (slot->message == NULL) { /* nng 1.5.2, of an aio that has slept and then timed out */
        slot_net_fails(slot, "waiting for an answer", NNG_ETIMEDOUT);
        return;
    }
    nng_aio_set_msg(slot->aio, NULL);
    struct ch_bytes reply = {.ptr = nng_msg_body(slot->message), .len = nng_msg_len(slot->message)};
    struct ch_why why = {0};
    bool measuring = atomic_load_explicit(&run->measuring, memory_order_relaxed);
    switch (run->ops.look(run->ops.context, &slot->turn, reply, &why)) {
    case CH_LOAD_DONE:
        if (measuring) {
            ch_hist_add(&slot->latency, ch_interrupt_now_ns() - slot->sent_at_ns);
            slot->messages++;
        }
        slot->turn.serial++;
        slot_begins_next(slot);
        return;
    case CH_LOAD_BUSY:
        if (measuring) slot->busy++;
        if (atomic_load_explicit(&run->stopping, memory_order_relaxed)) {
            slot_ends(slot);
        } else if (slot->turn.retry_ms == 0) {
            slot_sends(slot);
        } else {
            slot->phase = PAUSING;
            nng_sleep_aio((nng_duration)slot->turn.retry_ms, slot->aio);
        }
        return;
    case CH_LOAD_FAILED: slot_fails(slot, why.err, &why); return;
    }
}

static void on_aio(void *arg)
{
    struct slot *slot = arg;
    CH_CHECK(slot->magic == SLOT_MAGIC);
    int code = nng_aio_result(slot->aio);
    if (code != 0) {
        if (slot->phase == SENDING) slot->message = nng_aio_get_msg(slot->aio);
        slot_net_fails(slot, slot->phase == SENDING ? "sending" : "waiting for an answer", code);
        return;
    }
    switch (slot->phase) {
    case SENDING:
        slot->phase = RECEIVING;
        nng_ctx_recv(slot->context, slot->aio);
        return;
    case RECEIVING: slot_answered(slot); return;
    case PAUSING: slot_sends(slot); return;
    }
}

/* Without this a dead server would only show as silence: req0 waits for it to come back. */
static void on_pipe_gone(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    (void)pipe;
    (void)event;
    struct run *run = arg;
    if (atomic_load(&run->stopping)) return;
    struct ch_why why;
    enum ch_err err = ch_fail(&why, CH_ERR_NET_IO, 0, "the server closed the connection");
    run_fails(run, err, &why);
}

/* The server may still be on its way up: dials again until the limit. */
static enum ch_err dial(nng_socket socket, const char *url, struct ch_why *why)
{
    int code = 0;
    for (int waited_ms = 0; waited_ms < DIAL_TIMEOUT_MS; waited_ms += 5) {
        code = nng_dial(socket, url, NULL, 0);
        if (code != NNG_ECONNREFUSED && code != NNG_ENOENT) break;
        if (ch_interrupt_seen()) break;
        nng_msleep(5);
    }
    if (code == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NET_IO, code, "%s: %s", url, nng_strerror(code));
}

static enum ch_err run_open(struct run *run, const struct ch_load_config *config,
                            struct ch_why *why)
{
    run->slots = calloc(config->in_flight, sizeof *run->slots);
    if (run->slots == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "slots of the load");
    int code = nng_req0_open(&run->socket);
    if (code != 0) return ch_fail(why, CH_ERR_NET_IO, code, "req0: %s", nng_strerror(code));
    enum ch_err err = dial(run->socket, config->url, why);
    if (err != CH_OK) return err;
    code = nng_pipe_notify(run->socket, NNG_PIPE_EV_REM_POST, on_pipe_gone, run);
    if (code != 0) return ch_fail(why, CH_ERR_NET_IO, code, "notify: %s", nng_strerror(code));
    for (uint32_t i = 0; i < config->in_flight; i++) {
        struct slot *slot = &run->slots[i];
        slot->magic = SLOT_MAGIC;
        slot->run = run;
        slot->turn.slot = i;
        code = nng_ctx_open(&slot->context, run->socket);
        if (code == 0) code = nng_aio_alloc(&slot->aio, on_aio, slot);
        if (code == 0) code = nng_msg_alloc(&slot->message, 0);
        run->slots_len = i + 1;
        if (code != 0) {
            return ch_fail(why, CH_ERR_NET_IO, code, "REQ context: %s", nng_strerror(code));
        }
    }
    return CH_OK;
}

/* Waits until every slot had its last answer. One that has none by then is cut off, and a failure.
 */
static void run_drain(struct run *run)
{
    atomic_store(&run->stopping, true);
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DRAIN_TIMEOUT_S;
    int code = 0;
    (void)pthread_mutex_lock(&run->lock);
    while (run->active > 0 && run->err == CH_OK && code == 0) {
        code = pthread_cond_clockwait(&run->idle, &run->lock, CLOCK_MONOTONIC, &until);
    }
    (void)pthread_mutex_unlock(&run->lock);
}

static void run_close(struct run *run)
{
    for (uint32_t i = 0; i < run->slots_len; i++) {
        struct slot *slot = &run->slots[i];
        nng_aio_stop(slot->aio); /* its callback has ended, or never begins */
        if (nng_ctx_id(slot->context) > 0) (void)nng_ctx_close(slot->context);
        nng_aio_free(slot->aio);
        nng_msg_free(slot->message);
        ch_buf_deinit(&slot->turn.request);
    }
    if (nng_socket_id(run->socket) > 0) (void)nng_close(run->socket);
    free(run->slots);
}

static uint64_t ns_of(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

/* Sleeps until then; false: interrupted, or a slot failed. */
static bool run_until(const struct run *run, uint64_t moment_ns)
{
    const uint64_t slice_ns = 50000000;
    for (;;) {
        uint64_t now_ns = ch_interrupt_now_ns();
        if (now_ns >= moment_ns) return true;
        uint64_t left_ns = moment_ns - now_ns;
        if (!ch_interrupt_sleep_until(now_ns + (left_ns < slice_ns ? left_ns : slice_ns)) ||
            atomic_load(&run->stopping)) {
            return false;
        }
    }
}

/* Starts all slots and lets them run; *ret_seconds is the time in which answers counted. */
static enum ch_err run_measure(struct run *run, const struct ch_load_config *config,
                               double *ret_seconds, struct ch_why *why)
{
    uint64_t begin_ns = ch_interrupt_now_ns() + ns_of(config->warm_up_seconds);
    run->active = run->slots_len;
    for (uint32_t i = 0; i < run->slots_len; i++) {
        slot_begins_next(&run->slots[i]);
    }
    bool whole = run_until(run, begin_ns);
    begin_ns = ch_interrupt_now_ns();
    atomic_store(&run->measuring, true);
    whole = whole && run_until(run, begin_ns + ns_of(config->seconds));
    atomic_store(&run->measuring, false);
    *ret_seconds = (double)(ch_interrupt_now_ns() - begin_ns) / 1e9;
    run_drain(run);
    if (whole || run->err != CH_OK) return CH_OK; /* a slot's failure is told by ch_load_run */
    return ch_fail(why, CH_ERR_STOPPED, 0, "interrupted");
}

enum ch_err ch_load_run(const struct ch_load_config *config, struct ch_load_result *ret,
                        struct ch_why *why)
{
    CH_CHECK(config->in_flight >= 1 && config->in_flight <= CH_LOAD_IN_FLIGHT_MAX);
    CH_CHECK(config->seconds > 0);
    struct run run = {
        .ops = config->ops, .lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};
    struct ch_load_result result = {0};
    enum ch_err err = run_open(&run, config, why);
    if (err == CH_OK) err = run_measure(&run, config, &result.seconds, why);
    /* Callbacks are over after the stop, so the slots can be read without a lock. */
    for (uint32_t i = 0; i < run.slots_len; i++) {
        nng_aio_stop(run.slots[i].aio);
        result.messages += run.slots[i].messages;
        result.busy += run.slots[i].busy;
        ch_hist_merge(&result.latency, &run.slots[i].latency);
    }
    result.operations = result.messages * config->calls;
    if (err == CH_OK && run.err != CH_OK) {
        err = run.err;
        if (why != NULL) *why = run.why;
    }
    if (err == CH_OK && result.messages == 0) {
        err = ch_fail(why, CH_ERR_TIMED_OUT, 0, "%s gave no answer that counts in %.1f s",
                      config->url, config->seconds);
    }
    run_close(&run);
    if (err == CH_OK) *ret = result;
    return err;
}

struct ch_sample ch_load_sample(const struct ch_load_result *result)
{
    return (struct ch_sample){
        .per_second = (double)result->operations / result->seconds,
        .p50_us = ch_hist_quantile_ns(&result->latency, 0.50) / 1e3,
        .p99_us = ch_hist_quantile_ns(&result->latency, 0.99) / 1e3,
        .busy = result->busy,
    };
}
