/* sp_open: our own SP, its begin and its end. SPDX-License-Identifier: MIT */
#include "daemon/edge/sp_impl.h"
#include "daemon/host/clock.h"
#include "schema/base/check.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EVENTS = 128,
    CLOSE_GOODBYE_MS = 100,
    NS_PER_MS = 1000000,
};

static enum ch_err fail_errno(struct ch_why *why, const char *what)
{
    return ch_fail(why, CH_ERR_NET_IO, errno, "%s: %s", what, strerror(errno));
}

static bool watch(const struct ch_sp *sp, int fd, struct ch_sp_source *source, enum ch_sp_kind kind)
{
    *source = (struct ch_sp_source){.magic = CH_SP_MAGIC, .kind = kind};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum ch_err open_descriptors(struct ch_sp *sp, struct ch_why *why)
{
    sp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (sp->epoll_fd < 0) return fail_errno(why, "epoll");
    sp->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (sp->bell_fd < 0) return fail_errno(why, "eventfd");
    sp->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (sp->timer_fd < 0) return fail_errno(why, "timerfd");
    if (!watch(sp, sp->bell_fd, &sp->bell, CH_SP_BELL) ||
        !watch(sp, sp->timer_fd, &sp->timer, CH_SP_TIMER)) {
        return fail_errno(why, "epoll");
    }
    return CH_OK;
}

static enum ch_err open_listeners(struct ch_sp *sp, const struct ch_ingress_options *options,
                                  struct ch_why *why)
{
    for (size_t i = 0; i < options->url_count; i++) {
        struct ch_sp_listener *listener = &sp->listeners[i];
        enum ch_err err =
            ch_sp_listen_open(options->urls[i], &options->listen, &listener->listen, why);
        if (err != CH_OK) return err;
        sp->listener_count = i + 1;
        if (!watch(sp, listener->listen.fd, &listener->source, CH_SP_LISTENER)) {
            return fail_errno(why, "epoll");
        }
    }
    return CH_OK;
}

enum ch_err ch_sp_open(const struct ch_ingress_options *options, struct ch_sp **ret,
                       struct ch_why *why)
{
    struct ch_sp *sp = calloc(1, sizeof *sp);
    if (sp == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "ingress");
    enum ch_err err = CH_OK;
    const uint32_t slots = options->slots == 0 ? CH_INGRESS_SLOTS_DEFAULT : options->slots;
    const uint32_t timeout_ms = options->send_timeout_ms == 0 ? CH_INGRESS_SEND_TIMEOUT_MS_DEFAULT
                                                              : options->send_timeout_ms;
    *sp = (struct ch_sp){
        .magic = CH_SP_MAGIC,
        .epoll_fd = -1,
        .bell_fd = -1,
        .timer_fd = -1,
        .payload_max = options->listen.receive_bytes_max,
        .timeout_ns = (uint64_t)timeout_ms * NS_PER_MS,
        .peers_max = options->peers == 0 ? CH_INGRESS_PEERS_DEFAULT : options->peers,
    };
    TAILQ_INIT(&sp->live);
    TAILQ_INIT(&sp->gone);
    TAILQ_INIT(&sp->ready);
    TAILQ_INIT(&sp->unsent);
    sp->slots = calloc(slots, sizeof *sp->slots);
    sp->listeners = calloc(options->url_count + 1, sizeof *sp->listeners);
    if (sp->slots == NULL || sp->listeners == NULL) {
        err = ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "slots");
        goto out;
    }
    sp->slot_count = slots;
    for (uint32_t i = slots; i > 0; i--) {
        ch_sp_free_slot(sp, &sp->slots[i - 1]);
    }
    if ((err = open_descriptors(sp, why)) != CH_OK) goto out;
    if ((err = open_listeners(sp, options, why)) != CH_OK) goto out;
    *ret = sp;
    sp = NULL; /* given to the caller */
out:
    ch_sp_close(sp);
    return err;
}

/* ---- closing ---- */

static uint64_t ms_until(uint64_t until_ns)
{
    const uint64_t now = ch_clock_monotonic_ns();
    return now >= until_ns ? 0 : (until_ns - now) / NS_PER_MS + 1;
}

/* Waits for the peers: with EPOLLOUT to take their replies, with EPOLLIN to hang up, as they are
 * told to. Without the latter nng throws away what it has not read yet: when both directions end at
 * once it does not read on. */
static void see_off(struct ch_sp *sp, uint32_t interest, uint64_t wait_ms)
{
    const uint64_t until_ns = ch_clock_monotonic_ns() + wait_ms * NS_PER_MS;
    struct epoll_event events[EVENTS];
    struct ch_sp_conn *conn = NULL;
    TAILQ_FOREACH(conn, &sp->live, all)
    {
        if (interest == EPOLLIN && shutdown(conn->fd, SHUT_WR) != 0) continue;
        ch_sp_conn_listen_for(sp, conn, interest);
    }
    for (uint64_t left = wait_ms; left > 0 && !TAILQ_EMPTY(&sp->live); left = ms_until(until_ns)) {
        bool is_done = interest == EPOLLOUT;
        TAILQ_FOREACH(conn, &sp->live, all)
        {
            if (conn->unsent > 0) is_done = false;
        }
        if (is_done) return;
        int count = epoll_wait(sp->epoll_fd, events, EVENTS, (int)left);
        for (int i = 0; i < count; i++) {
            conn = events[i].data.ptr;
            if (conn == NULL || conn->source.kind != CH_SP_CONN || conn->gone) continue;
            if (interest == EPOLLOUT && (events[i].events & EPOLLOUT) != 0) {
                ch_sp_conn_write(sp, conn);
            } else if ((events[i].events & EPOLLIN) != 0) {
                uint8_t nobody_reads_this[CH_SP_KEEP_BYTES];
                if (recv(conn->fd, nobody_reads_this, sizeof nobody_reads_this, 0) > 0) continue;
                ch_sp_conn_close(sp, conn);
            } else {
                ch_sp_conn_close(sp, conn);
            }
        }
        ch_sp_reap(sp);
    }
}

void ch_sp_close(struct ch_sp *sp)
{
    if (sp == NULL) return;
    CH_CHECK(sp->magic == CH_SP_MAGIC);
    struct ch_sp_conn *conn = NULL;
    for (size_t i = 0; i < sp->listener_count; i++) {
        ch_sp_listen_close(&sp->listeners[i].listen);
    }
    sp->listener_count = 0;
    sp->is_deaf = false;
    if (!TAILQ_EMPTY(&sp->live)) {
        (void)epoll_ctl(sp->epoll_fd, EPOLL_CTL_DEL, sp->bell_fd, NULL);
        (void)epoll_ctl(sp->epoll_fd, EPOLL_CTL_DEL, sp->timer_fd, NULL);
        ch_sp_flush(sp);
        see_off(sp, EPOLLOUT, CH_INGRESS_CLOSE_WAIT_MS);
        see_off(sp, EPOLLIN, CLOSE_GOODBYE_MS);
    }
    while ((conn = TAILQ_FIRST(&sp->live)) != NULL) {
        ch_sp_conn_close(sp, conn);
    }
    for (uint32_t i = 0; i < sp->slot_count; i++) {
        if (sp->slots[i].conn != NULL) sp->slots[i].conn->held--;
        ch_buf_deinit(&sp->slots[i].message);
    }
    ch_sp_reap(sp);
    CH_CHECK(TAILQ_EMPTY(&sp->gone));
    if (sp->timer_fd >= 0) close(sp->timer_fd);
    if (sp->bell_fd >= 0) close(sp->bell_fd);
    if (sp->epoll_fd >= 0) close(sp->epoll_fd);
    ch_buf_deinit(&sp->spare);
    free(sp->slots);
    free(sp->listeners);
    sp->magic = 0;
    free(sp);
}
