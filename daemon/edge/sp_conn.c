/* sp_conn: one connection of our own SP: greeting, frames in, replies out.
 * SPDX-License-Identifier: MIT */
#include "daemon/edge/sp_impl.h"
#include "daemon/host/clock.h"
#include "schema/base/check.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void ch_sp_conn_listen_for(struct ch_sp *sp, struct ch_sp_conn *conn, uint32_t interest)
{
    if (conn->gone || conn->interest == interest) return;
    struct epoll_event event = {.events = interest, .data.ptr = conn};
    CH_CHECK(epoll_ctl(sp->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) == 0);
    conn->interest = interest;
}

static void set_deadline(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    conn->deadline_ns = ch_clock_monotonic_ns() + sp->timeout_ns;
    ch_sp_arm_timer(sp, sp->timeout_ns); /* all wait equally long: an earlier one comes first */
}

static int64_t uid_of(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) return -1;
    return peer.uid == (uid_t)-1 ? -1 : (int64_t)peer.uid;
}

void ch_sp_conn_open(struct ch_sp *sp, int fd, bool is_ipc)
{
    const int on = 1;
    CH_CHECK(sp->counters.peers < sp->peers_max);
    struct ch_sp_conn *conn = calloc(1, sizeof *conn);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    if (conn == NULL || epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        sp->counters.peers_refused++;
        free(conn);
        close(fd);
        return;
    }
    conn->source = (struct ch_sp_source){.magic = CH_SP_MAGIC, .kind = CH_SP_CONN};
    conn->fd = fd;
    conn->is_ipc = is_ipc;
    conn->interest = EPOLLIN;
    conn->peer_uid = is_ipc ? uid_of(fd) : -1;
    if (!is_ipc) { /* without these it only is slower to answer, or to see a peer that vanished */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    conn->asked_ns = ch_clock_monotonic_ns();
    TAILQ_INSERT_TAIL(&sp->live, conn, all);
    sp->counters.peers++;
    set_deadline(sp, conn);
    /* eight bytes into an empty socket: they fit, or the peer is gone */
    ssize_t sent = send(fd, ch_sp_greeting, CH_SP_GREETING_BYTES, MSG_NOSIGNAL);
    if (sent != CH_SP_GREETING_BYTES) ch_sp_conn_close(sp, conn);
}

void ch_sp_conn_set_ready(struct ch_sp *sp, struct ch_sp_conn *conn, bool is_ready)
{
    if (conn->is_ready == is_ready) return;
    conn->is_ready = is_ready;
    if (is_ready) {
        TAILQ_INSERT_TAIL(&sp->ready, conn, ready);
    } else {
        TAILQ_REMOVE(&sp->ready, conn, ready);
    }
}

static void set_unsent(struct ch_sp *sp, struct ch_sp_conn *conn, bool is_unsent)
{
    if (conn->is_unsent == is_unsent) return;
    conn->is_unsent = is_unsent;
    if (is_unsent) {
        TAILQ_INSERT_TAIL(&sp->unsent, conn, writing);
    } else {
        TAILQ_REMOVE(&sp->unsent, conn, writing);
    }
}

void ch_sp_conn_close(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    CH_CHECK(!conn->gone);
    ch_sp_conn_set_ready(sp, conn, false);
    set_unsent(sp, conn, false);
    sp->counters.send_failures += conn->unsent;
    CH_CHECK(sp->counters.peers > 0);
    sp->counters.peers--;
    close(conn->fd); /* which takes it out of the epoll set */
    conn->fd = -1;
    conn->gone = true;
    sp->has_left = true;
    ch_sp_wipe(&conn->in, 0, conn->in.len);
    ch_sp_wipe(&conn->out, 0, conn->out.len);
    ch_buf_deinit(&conn->in);
    ch_buf_deinit(&conn->out);
    TAILQ_REMOVE(&sp->live, conn, all);
    TAILQ_INSERT_TAIL(&sp->gone, conn, all);
}

void ch_sp_conn_free(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    CH_CHECK(conn->gone);
    CH_CHECK(conn->held == 0);
    TAILQ_REMOVE(&sp->gone, conn, all);
    conn->source.magic = 0;
    free(conn);
}

/* ---- in ---- */

static void refuse(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    sp->counters.receive_failures++;
    ch_sp_conn_close(sp, conn);
}

void ch_sp_conn_greet(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    ssize_t got = recv(conn->fd, conn->greeting + conn->greeting_len,
                       CH_SP_GREETING_BYTES - conn->greeting_len, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (got <= 0) {
        ch_sp_conn_close(sp, conn);
        return;
    }
    conn->greeting_len += (uint32_t)got;
    if (conn->greeting_len < CH_SP_GREETING_BYTES) return;
    if (ch_sp_greets(conn->greeting)) {
        conn->greeted = true;
        conn->deadline_ns = 0;
    } else {
        refuse(sp, conn);
    }
}

/* Most connections are idle, so a read buffer is lent while there is something in it. */
static void give_back_buffer(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    conn->in_from = 0;
    ch_sp_wipe(&conn->in, 0, conn->in.len);
    if (sp->spare.ptr == NULL && conn->in.cap <= 2 * CH_SP_READ_BYTES) {
        sp->spare = conn->in;
        sp->spare.len = 0;
        conn->in = (struct ch_buf){0};
    } else {
        ch_buf_deinit(&conn->in);
    }
}

bool ch_sp_conn_read(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    struct ch_buf *in = &conn->in;
    if (in->ptr == NULL) {
        *in = sp->spare;
        sp->spare = (struct ch_buf){0};
    }
    if (conn->in_from > 0) {
        in->len -= conn->in_from;
        memmove(in->ptr, in->ptr + conn->in_from, in->len);
        ch_sp_wipe(in, in->len, conn->in_from);
        conn->in_from = 0;
    }
    /* Grows with what came, not with what a head declares. */
    if (!ch_buf_reserve(in, CH_SP_READ_BYTES)) {
        refuse(sp, conn);
        return false;
    }
    ssize_t got;
    do {
        got = recv(conn->fd, in->ptr + in->len, in->cap - in->len, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (in->len == 0) give_back_buffer(sp, conn);
        return false;
    }
    if (got <= 0) {
        ch_sp_conn_close(sp, conn);
        return false;
    }
    in->len += (size_t)got;
    return true;
}

void ch_sp_conn_skip(struct ch_sp *sp, struct ch_sp_conn *conn, size_t bytes)
{
    conn->in_from += bytes;
    conn->frame_deadline_ns = 0;
    CH_CHECK(conn->in_from <= conn->in.len);
    if (conn->in_from == conn->in.len) give_back_buffer(sp, conn);
}

static struct ch_bytes unread(const struct ch_sp_conn *conn)
{
    if (conn->in.ptr == NULL) return (struct ch_bytes){0};
    return (struct ch_bytes){.ptr = conn->in.ptr + conn->in_from,
                             .len = conn->in.len - conn->in_from};
}

/* A large one may take longer, as long as it comes. */
void ch_sp_conn_expect_rest(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    const size_t has = unread(conn).len;
    if (has == 0) return;
    if (conn->frame_deadline_ns != 0 && has < conn->frame_had + CH_SP_READ_BYTES) return;
    conn->frame_had = has;
    conn->frame_deadline_ns = ch_clock_monotonic_ns() + sp->timeout_ns;
    ch_sp_arm_timer(sp, sp->timeout_ns);
}

bool ch_sp_conn_next(struct ch_sp *sp, struct ch_sp_conn *conn, struct ch_sp_frame *ret)
{
    for (;;) {
        switch (ch_sp_read(conn->is_ipc, unread(conn), sp->payload_max, ret)) {
        case CH_SP_PART: return false;
        case CH_SP_WHOLE: return true;
        case CH_SP_TOO_FAR:
            sp->counters.receive_failures++;
            ch_sp_conn_skip(sp, conn, ret->bytes);
            break;
        case CH_SP_NO_FRAME: refuse(sp, conn); return false;
        }
    }
}

/* ---- out ---- */

bool ch_sp_conn_is_choked(const struct ch_sp_conn *conn)
{
    return conn->out.len - conn->out_from >= CH_SP_CHOKE_BYTES;
}

bool ch_sp_conn_put(struct ch_sp *sp, struct ch_sp_conn *conn, struct ch_bytes backtrace,
                    const struct ch_bytes *parts, size_t part_count)
{
    struct ch_buf *out = &conn->out;
    uint8_t head[CH_SP_HEAD_BYTES_MAX];
    size_t len = backtrace.len;
    for (size_t i = 0; i < part_count; i++) {
        len += parts[i].len;
    }
    if (conn->out_from > 0 && conn->out_from >= out->len / 2) { /* each byte moves once or less */
        out->len -= conn->out_from;
        memmove(out->ptr, out->ptr + conn->out_from, out->len);
        ch_sp_wipe(out, out->len, conn->out_from);
        conn->out_from = 0;
    }
    const size_t head_len = ch_sp_put_head(conn->is_ipc, len, head);
    if (!ch_buf_reserve(out, head_len + len)) {
        out->failed = false; /* what is in it is whole */
        return false;
    }
    ch_buf_put(out, head, head_len);
    ch_buf_put(out, backtrace.ptr, backtrace.len);
    for (size_t i = 0; i < part_count; i++) {
        ch_buf_put(out, parts[i].ptr, parts[i].len);
    }
    conn->unsent++;
    /* who does not take more now is written to when it does */
    if ((conn->interest & EPOLLOUT) == 0) set_unsent(sp, conn, true);
    return true;
}

static void all_sent(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    sp->counters.replied += conn->unsent;
    conn->unsent = 0;
    conn->out_from = 0;
    ch_sp_wipe(&conn->out, 0, conn->out.len);
    conn->out.len = 0;
    if (conn->out.cap > CH_SP_KEEP_BYTES) ch_buf_deinit(&conn->out);
    conn->deadline_ns = 0;
    ch_sp_conn_listen_for(sp, conn, conn->interest & ~(uint32_t)EPOLLOUT);
}

void ch_sp_conn_write(struct ch_sp *sp, struct ch_sp_conn *conn)
{
    const bool was_choked = ch_sp_conn_is_choked(conn);
    set_unsent(sp, conn, false);
    while (conn->out_from < conn->out.len) {
        ssize_t sent = send(conn->fd, conn->out.ptr + conn->out_from,
                            conn->out.len - conn->out_from, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (sent < 0) {
            ch_sp_conn_close(sp, conn);
            return;
        }
        conn->out_from += (size_t)sent;
        conn->deadline_ns = 0; /* it reads */
    }
    if (conn->out_from == conn->out.len) {
        all_sent(sp, conn);
    } else {
        if (conn->deadline_ns == 0) set_deadline(sp, conn);
        ch_sp_conn_listen_for(sp, conn, conn->interest | EPOLLOUT);
    }
    if (was_choked && !ch_sp_conn_is_choked(conn)) {
        ch_sp_conn_set_ready(sp, conn, true);
        ch_sp_ring(sp);
    }
}
