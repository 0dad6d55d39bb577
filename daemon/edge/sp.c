/* sp: requests in, replies out, by our own SP on one epoll descriptor. SPDX-License-Identifier: MIT
 * What a drain does: writes the replies that wait; looks once at what is ready; then takes one
 * request after another from the connections in `ready`, in turn, until there is no slot, no place
 * in `arrivals`, or no request. A connection that comes to its end is read once in a drain; what it
 * still holds keeps it in `ready`. While all slots are held, who has something to read is not
 * listened to, so its bytes stay in the kernel and fill its socket: that is the bound.
 * The bell makes the descriptor readable where a request waits in our own memory, where no socket
 * tells of it. */
#include "daemon/edge/sp_impl.h"
#include "daemon/host/clock.h"
#include "schema/base/check.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    EVENTS = 128,
    ACCEPTS = 64, /* of one listener in one drain */
    NS_PER_S = 1000000000,
};

void ch_sp_ring(struct ch_sp *sp)
{
    const uint64_t one = 1;
    if (sp->is_rung) return;
    CH_CHECK(write(sp->bell_fd, &one, sizeof one) == sizeof one);
    sp->is_rung = true;
    sp->counters.wakes++;
}

static void silence(struct ch_sp *sp)
{
    uint64_t rings;
    if (!sp->is_rung) return;
    CH_CHECK(read(sp->bell_fd, &rings, sizeof rings) == sizeof rings);
    sp->is_rung = false;
}

void ch_sp_arm_timer(struct ch_sp *sp, uint64_t wait_ns)
{
    if (sp->is_timed) return;
    if (wait_ns == 0) wait_ns = 1; /* 0 would disarm it */
    const struct itimerspec at = {.it_value = {.tv_sec = (time_t)(wait_ns / NS_PER_S),
                                               .tv_nsec = (long)(wait_ns % NS_PER_S)}};
    CH_CHECK(timerfd_settime(sp->timer_fd, 0, &at, NULL) == 0);
    sp->is_timed = true;
}

/* ---- what became ready ---- */

static void listen_again(struct ch_sp *sp, bool wanted)
{
    for (size_t i = 0; i < sp->listener_count; i++) {
        struct ch_sp_listener *listener = &sp->listeners[i];
        struct epoll_event event = {.events = wanted ? EPOLLIN : 0, .data.ptr = listener};
        CH_CHECK(epoll_ctl(sp->epoll_fd, EPOLL_CTL_MOD, listener->listen.fd, &event) == 0);
    }
    sp->is_deaf = !wanted;
}

/* Disconnects who has asked nothing for the longest time, and owes and is owed nothing; they may
 * dial again. False: there is nobody whom that would do no harm. */
static bool make_room(struct ch_sp *sp)
{
    struct ch_sp_conn *conn = NULL;
    const uint64_t now = ch_clock_monotonic_ns();
    TAILQ_FOREACH(conn, &sp->live, all)
    { /* by when they asked last */
        if (now - conn->asked_ns < sp->timeout_ns) return false;
        if (conn->held == 0 && conn->in.len == 0 && conn->out.len == 0) break;
    }
    if (conn == NULL) return false;
    ch_sp_conn_close(sp, conn);
    return true;
}

static bool is_waited_at(const struct ch_sp_listener *listener)
{
    struct pollfd fd = {.fd = listener->listen.fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

static void accept_some(struct ch_sp *sp, const struct ch_sp_listener *listener)
{
    for (int i = 0; i < ACCEPTS; i++) {
        if (sp->counters.peers == sp->peers_max && !is_waited_at(listener)) return;
        if (sp->counters.peers == sp->peers_max && !make_room(sp)) {
            sp->counters.peers_refused++;
            listen_again(sp, false);
            ch_sp_arm_timer(sp, sp->timeout_ns); /* when somebody may have been idle so long */
            return;
        }
        /* cppcheck-suppress nullPointer ; accept4 takes NULL where nobody asks for the address */
        int fd = accept4(listener->listen.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            ch_sp_conn_open(sp, fd, listener->listen.is_ipc);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* it would stay readable: asked again when somebody left, or after a while */
            listen_again(sp, false);
            ch_sp_arm_timer(sp, sp->timeout_ns);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

void ch_sp_reap(struct ch_sp *sp)
{
    struct ch_sp_conn *next = NULL;
    if (sp->is_deaf && sp->has_left) listen_again(sp, true);
    sp->has_left = false;
    for (struct ch_sp_conn *conn = TAILQ_FIRST(&sp->gone); conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, all);
        if (conn->held == 0) ch_sp_conn_free(sp, conn);
    }
}

static uint64_t first_of(uint64_t a, uint64_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

/* Disconnects who neither greeted, nor read, nor went on with a request for too long. Who waits for
 * us, because all slots are held, has time. */
static void look_at_deadlines(struct ch_sp *sp)
{
    uint64_t ends;
    uint64_t first = UINT64_MAX;
    struct ch_sp_conn *next = NULL;
    if (read(sp->timer_fd, &ends, sizeof ends) != sizeof ends) return;
    sp->is_timed = false;
    if (sp->is_deaf) listen_again(sp, true);
    const uint64_t now = ch_clock_monotonic_ns();
    for (struct ch_sp_conn *conn = TAILQ_FIRST(&sp->live); conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, all);
        const bool waits = conn->is_ready || (conn->interest & EPOLLIN) == 0;
        if (waits && conn->frame_deadline_ns != 0) conn->frame_deadline_ns = now + sp->timeout_ns;
        const uint64_t deadline = first_of(conn->deadline_ns, conn->frame_deadline_ns);
        if (deadline == 0) continue;
        if (deadline <= now) {
            ch_sp_conn_close(sp, conn);
        } else if (deadline < first) {
            first = deadline;
        }
    }
    if (first != UINT64_MAX) ch_sp_arm_timer(sp, first - now);
}

static void conn_event(struct ch_sp *sp, struct ch_sp_conn *conn, uint32_t events)
{
    if (conn->gone) return; /* its deadline came in the same drain */
    if ((events & EPOLLOUT) != 0) ch_sp_conn_write(sp, conn);
    if (conn->gone) return;
    if ((events & EPOLLIN) != 0) {
        if (!conn->greeted) {
            ch_sp_conn_greet(sp, conn);
        } else if (!conn->is_ready) {
            ch_sp_conn_set_ready(sp, conn, true);
        } else if (sp->first_free == 0) {
            ch_sp_conn_listen_for(sp, conn, conn->interest & ~(uint32_t)EPOLLIN);
        }
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        ch_sp_conn_close(sp, conn);
    }
}

static void look(struct ch_sp *sp)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(sp->epoll_fd, events, EVENTS, 0);
    for (int i = 0; i < count; i++) {
        struct ch_sp_source *source = events[i].data.ptr;
        if (source == NULL) continue;
        CH_CHECK(source->magic == CH_SP_MAGIC);
        switch (source->kind) {
        case CH_SP_LISTENER: accept_some(sp, (struct ch_sp_listener *)source); break;
        case CH_SP_CONN: conn_event(sp, (struct ch_sp_conn *)source, events[i].events); break;
        case CH_SP_BELL: break; /* silenced already, or rung since */
        case CH_SP_TIMER: look_at_deadlines(sp); break;
        }
    }
}

/* ---- taking requests ---- */

/* Puts the request into a free slot; false: no memory, and the connection is closed. */
static bool take(struct ch_sp *sp, struct ch_sp_conn *conn, const struct ch_sp_frame *frame,
                 struct ch_ingress_arrival *ret)
{
    CH_CHECK(sp->first_free > 0);
    struct ch_sp_slot *slot = &sp->slots[sp->first_free - 1];
    CH_CHECK(!slot->is_held);
    ch_buf_reset(&slot->message);
    if (ch_buf_reserve(&slot->message, frame->payload.len + 1)) { /* never a view of NULL */
        ch_buf_put(&slot->message, frame->payload.ptr, frame->payload.len);
    }
    if (slot->message.failed) {
        sp->counters.receive_failures++;
        ch_sp_conn_close(sp, conn);
        return false;
    }
    sp->first_free = slot->next_free;
    memcpy(slot->backtrace, frame->backtrace.ptr, frame->backtrace.len);
    slot->backtrace_len = (uint32_t)frame->backtrace.len;
    slot->is_held = true;
    slot->conn = conn;
    conn->held++;
    sp->held++;
    sp->counters.received++;
    *ret = (struct ch_ingress_arrival){
        .slot = {.index = (uint32_t)(slot - sp->slots), .turn = slot->turn},
        .message = ch_buf_view(&slot->message),
        .peer_uid = conn->peer_uid,
        .is_ipc = conn->is_ipc,
    };
    ch_sp_conn_skip(sp, conn, frame->bytes);
    conn->asked_ns = ch_clock_monotonic_ns();
    TAILQ_REMOVE(&sp->live, conn, all);
    TAILQ_INSERT_TAIL(&sp->live, conn, all);
    return true;
}

/* The connection's turn: gives one request, or leaves the list. */
static bool serve(struct ch_sp *sp, struct ch_sp_conn *conn, struct ch_ingress_arrival *ret)
{
    struct ch_sp_frame frame;
    ch_sp_conn_set_ready(sp, conn, false);
    if (ch_sp_conn_is_choked(conn)) {
        ch_sp_conn_listen_for(sp, conn, conn->interest & ~(uint32_t)EPOLLIN);
        return false;
    }
    bool has_frame = ch_sp_conn_next(sp, conn, &frame);
    if (!has_frame && !conn->gone && conn->read_in_turn != sp->turn) {
        conn->read_in_turn = sp->turn;
        has_frame = ch_sp_conn_read(sp, conn) && ch_sp_conn_next(sp, conn, &frame);
    }
    if (conn->gone) return false;
    if (!has_frame) {
        ch_sp_conn_expect_rest(sp, conn);
        ch_sp_conn_listen_for(sp, conn, conn->interest | EPOLLIN);
        return false;
    }
    if (!take(sp, conn, &frame, ret)) return false;
    if (conn->in.len > 0) {
        ch_sp_conn_set_ready(sp, conn, true); /* behind the others */
    } else {
        ch_sp_conn_listen_for(sp, conn, conn->interest | EPOLLIN);
    }
    return true;
}

size_t ch_sp_drain(struct ch_sp *sp, struct ch_ingress_arrival *arrivals, size_t max)
{
    CH_CHECK(sp->magic == CH_SP_MAGIC);
    size_t taken = 0;
    size_t bytes = 0;
    sp->turn++;
    ch_sp_flush(sp);
    silence(sp);
    look(sp);
    while (taken < max && bytes < CH_INGRESS_TURN_BYTES && sp->first_free != 0 &&
           !TAILQ_EMPTY(&sp->ready)) {
        if (serve(sp, TAILQ_FIRST(&sp->ready), &arrivals[taken])) {
            bytes += arrivals[taken++].message.len;
        }
    }
    if (sp->first_free != 0 && !TAILQ_EMPTY(&sp->ready)) ch_sp_ring(sp);
    ch_sp_reap(sp);
    return taken;
}

/* ---- giving slots back ---- */

void ch_sp_free_slot(struct ch_sp *sp, struct ch_sp_slot *slot)
{
    slot->is_held = false;
    slot->conn = NULL;
    slot->next_free = sp->first_free;
    sp->first_free = (uint32_t)(slot - sp->slots) + 1;
}

static struct ch_sp_slot *held_slot(const struct ch_sp *sp, struct ch_ingress_slot id)
{
    CH_CHECK(sp->magic == CH_SP_MAGIC);
    CH_CHECK(id.index < sp->slot_count);
    struct ch_sp_slot *slot = &sp->slots[id.index];
    CH_CHECK(slot->turn == id.turn); /* replied twice? */
    CH_CHECK(slot->is_held);
    return slot;
}

static void let_go(struct ch_sp *sp, struct ch_sp_slot *slot)
{
    struct ch_sp_conn *conn = slot->conn;
    CH_CHECK(sp->held > 0);
    CH_CHECK(conn->held > 0);
    sp->held--;
    conn->held--;
    if (conn->gone && conn->held == 0) ch_sp_conn_free(sp, conn);
    ch_sp_wipe(&slot->message, 0, slot->message.len);
    if (slot->message.cap > CH_SP_KEEP_BYTES) ch_buf_deinit(&slot->message);
    slot->turn++;
    ch_sp_free_slot(sp, slot);
    if (!TAILQ_EMPTY(&sp->ready)) ch_sp_ring(sp);
}

enum ch_err ch_sp_reply(struct ch_sp *sp, struct ch_ingress_slot id, const struct ch_bytes *parts,
                        size_t part_count, struct ch_why *why)
{
    struct ch_sp_slot *slot = held_slot(sp, id);
    struct ch_sp_conn *conn = slot->conn;
    const struct ch_bytes backtrace = {.ptr = slot->backtrace, .len = slot->backtrace_len};
    if (conn->gone) {
        sp->counters.send_failures++;
    } else if (!ch_sp_conn_put(sp, conn, backtrace, parts, part_count)) {
        return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "reply");
    } else if (conn->is_unsent && conn->out.len >= CH_SP_SEND_BYTES) {
        ch_sp_conn_write(sp, conn);
    }
    let_go(sp, slot);
    return CH_OK;
}

void ch_sp_drop(struct ch_sp *sp, struct ch_ingress_slot id)
{
    let_go(sp, held_slot(sp, id));
    sp->counters.dropped++;
}

void ch_sp_flush(struct ch_sp *sp)
{
    CH_CHECK(sp->magic == CH_SP_MAGIC);
    struct ch_sp_conn *conn = NULL;
    while ((conn = TAILQ_FIRST(&sp->unsent)) != NULL) {
        ch_sp_conn_write(sp, conn); /* takes it off the list */
    }
    ch_sp_reap(sp);
}

/* ---- asking ---- */

int ch_sp_fd(const struct ch_sp *sp)
{
    CH_CHECK(sp->magic == CH_SP_MAGIC);
    return sp->epoll_fd;
}

/* Asks the kernel, too: the loop may not have come to look. */
bool ch_sp_peer_gone(const struct ch_sp *sp, struct ch_ingress_slot id)
{
    const struct ch_sp_conn *conn = held_slot(sp, id)->conn;
    if (conn->gone) return true;
    struct pollfd end = {.fd = conn->fd, .events = POLLRDHUP};
    return poll(&end, 1, 0) > 0;
}

uint32_t ch_sp_held(const struct ch_sp *sp)
{
    return sp->held;
}

uint32_t ch_sp_slots(const struct ch_sp *sp)
{
    return sp->slot_count;
}

struct ch_ingress_counters ch_sp_counters(const struct ch_sp *sp)
{
    CH_CHECK(sp->magic == CH_SP_MAGIC);
    return sp->counters;
}

const char *ch_sp_url(const struct ch_sp *sp, size_t n)
{
    CH_CHECK(n < sp->listener_count);
    return sp->listeners[n].listen.url;
}
