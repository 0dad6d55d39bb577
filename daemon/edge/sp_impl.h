/* sp_impl: what sp.c, sp_conn.c and sp_open.c share. SPDX-License-Identifier: MIT
 * A connection stands in up to three lists: `live` (or `gone`, when its descriptor is closed),
 * `ready` (it may have a request for a free slot), `unsent` (it has replies to write). It is freed
 * when it is gone and no slot holds a request of it. */
#ifndef CH_EDGE_SP_IMPL_H
#define CH_EDGE_SP_IMPL_H
#include "daemon/edge/sp.h"
#include "daemon/edge/sp_frame.h"
#include "daemon/edge/sp_listen.h"
#include "schema/base/buf.h"
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>

enum {
    CH_SP_MAGIC = 0x73707370,
    CH_SP_READ_BYTES = 1 << 16,
    CH_SP_KEEP_BYTES = 1 << 14,  /* of a buffer that is empty */
    CH_SP_SEND_BYTES = 1 << 18,  /* replies of this size are not held back for the flush */
    CH_SP_CHOKE_BYTES = 1 << 20, /* who has as much to read gives no more requests */
};

enum ch_sp_kind { CH_SP_LISTENER = 0x6c69, CH_SP_CONN, CH_SP_BELL, CH_SP_TIMER };

/* What an epoll event points at; the first member of whatever it is. */
struct ch_sp_source {
    uint32_t magic;
    enum ch_sp_kind kind;
};

struct ch_sp_listener {
    struct ch_sp_source source;
    struct ch_sp_listen listen;
};

struct ch_sp_conn {
    struct ch_sp_source source;
    int fd;
    uint32_t interest; /* EPOLLIN, EPOLLOUT */
    bool is_ipc;
    bool greeted;
    uint8_t greeting[CH_SP_GREETING_BYTES];
    uint32_t greeting_len;
    bool gone;
    bool is_ready;
    bool is_unsent;
    uint32_t held;              /* slots with a request of it */
    uint32_t unsent;            /* replies in `out` */
    uint64_t read_in_turn;      /* the drain in which it was read last */
    uint64_t deadline_ns;       /* to greet, or to read on; 0: none */
    uint64_t frame_deadline_ns; /* to go on with a request of which only a part came; 0: none */
    size_t frame_had;           /* bytes of it when that was set */
    uint64_t asked_ns;          /* when its last request was taken, or it came */
    int64_t peer_uid;
    struct ch_buf in;
    size_t in_from;
    struct ch_buf out;
    size_t out_from;
    TAILQ_ENTRY(ch_sp_conn) all;
    TAILQ_ENTRY(ch_sp_conn) ready;
    TAILQ_ENTRY(ch_sp_conn) writing;
};
TAILQ_HEAD(ch_sp_conns, ch_sp_conn);

struct ch_sp_slot {
    uint32_t turn;
    bool is_held;
    uint32_t next_free; /* index + 1; 0: none */
    struct ch_sp_conn *conn;
    uint8_t backtrace[CH_SP_BACKTRACE_BYTES_MAX];
    uint32_t backtrace_len;
    struct ch_buf message;
};

struct ch_sp {
    uint32_t magic;
    int epoll_fd;
    int bell_fd; /* readable: drain again, though no socket may say so */
    int timer_fd;
    bool is_rung;
    bool is_timed;
    bool is_deaf;  /* no descriptor or no place, so nobody is accepted for a while */
    bool has_left; /* somebody, since ch_sp_reap looked: there may be one again */
    struct ch_sp_source bell;
    struct ch_sp_source timer;
    size_t payload_max;
    uint64_t timeout_ns;
    uint32_t peers_max;
    uint64_t turn; /* drains so far */
    struct ch_sp_listener *listeners;
    size_t listener_count;
    struct ch_sp_slot *slots;
    uint32_t slot_count;
    uint32_t first_free; /* as next_free */
    uint32_t held;
    struct ch_sp_conns live; /* by asked_ns */
    struct ch_sp_conns gone;
    struct ch_sp_conns ready;
    struct ch_sp_conns unsent;
    struct ch_buf spare; /* a read buffer between two uses */
    struct ch_ingress_counters counters;
};

/* Takes over `fd`, also when it fails, which only counts. */
void ch_sp_conn_open(struct ch_sp *sp, int fd, bool is_ipc);

/* Closes the descriptor and takes it off the lists; the memory stays until ch_sp_reap. */
void ch_sp_conn_close(struct ch_sp *sp, struct ch_sp_conn *conn);
void ch_sp_conn_free(struct ch_sp *sp, struct ch_sp_conn *conn);

/* Reads the greeting, and not a byte more: it is read also while all slots are held. */
void ch_sp_conn_greet(struct ch_sp *sp, struct ch_sp_conn *conn);

/* Reads once; false when there was nothing, or the connection is closed now. */
CH_MUST_USE bool ch_sp_conn_read(struct ch_sp *sp, struct ch_sp_conn *conn);

/* The next whole request that was read; false when there is none, or the connection is closed now.
 * ret: views until ch_sp_conn_skip or the next read */
CH_MUST_USE bool ch_sp_conn_next(struct ch_sp *sp, struct ch_sp_conn *conn,
                                 struct ch_sp_frame *ret);
void ch_sp_conn_skip(struct ch_sp *sp, struct ch_sp_conn *conn, size_t bytes);

/* There is no whole request: the rest of one that began must come in time. */
void ch_sp_conn_expect_rest(struct ch_sp *sp, struct ch_sp_conn *conn);

/* Requests and replies may hold passwords, tokens and keys: nothing of them stays in memory. */
static inline void ch_sp_wipe(struct ch_buf *buf, size_t from, size_t len)
{
    if (buf->ptr != NULL) explicit_bzero(buf->ptr + from, len);
}

/* Appends a reply; it leaves with the next ch_sp_conn_write. false: no memory, nothing appended. */
CH_MUST_USE bool ch_sp_conn_put(struct ch_sp *sp, struct ch_sp_conn *conn,
                                struct ch_bytes backtrace, const struct ch_bytes *parts,
                                size_t part_count);
/* Writes what the peer takes now; may close the connection. */
void ch_sp_conn_write(struct ch_sp *sp, struct ch_sp_conn *conn);

bool ch_sp_conn_is_choked(const struct ch_sp_conn *conn);
void ch_sp_conn_set_ready(struct ch_sp *sp, struct ch_sp_conn *conn, bool is_ready);
void ch_sp_conn_listen_for(struct ch_sp *sp, struct ch_sp_conn *conn, uint32_t interest);

void ch_sp_free_slot(struct ch_sp *sp, struct ch_sp_slot *slot);
/* Frees the connections that are gone and hold no slot. */
void ch_sp_reap(struct ch_sp *sp);

/* Makes the descriptor readable, until the next drain. */
void ch_sp_ring(struct ch_sp *sp);
/* Makes sure that the deadlines are looked at in time. */
void ch_sp_arm_timer(struct ch_sp *sp, uint64_t wait_ns);
#endif
