/* doorbell: tells subscribers that something was appended, never what. SPDX-License-Identifier: MIT
 */
#include "daemon/edge/doorbell.h"
#include "schema/base/check.h"
#include <msgpack.h>
#include <nng/protocol/pubsub0/pub.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    DOORBELL_MAGIC = 0x62656c6c,
    RING_FIELDS = 4,
    CLOSE_WAIT_MS = 500,
    /* a map head, four keys with heads, three integers of nine bytes, a text with its head */
    RING_BYTES_MAX = 1 + 4 + 3 + 8 + 5 + 3 * 9 + 2 + CH_DOORBELL_TYPE_BYTES_MAX,
};

struct ch_doorbell {
    uint32_t magic;
    bool has_socket;
    nng_socket socket;
    struct ch_listen listen;
    atomic_bool closing;
    atomic_uint subscribers;
    atomic_uint_fast64_t refused;
    uint64_t rung;
    uint64_t unheard;
    uint64_t failures;
};

/* nng's threads. Every connection is counted, also one that is refused, so that its end counts
 * back. */
static void subscriber_came(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ch_doorbell *doorbell = arg;
    (void)event;
    CH_CHECK(doorbell->magic == DOORBELL_MAGIC);
    bool full = atomic_fetch_add(&doorbell->subscribers, 1) >= CH_DOORBELL_PEERS_MAX;
    if (full) atomic_fetch_add(&doorbell->refused, 1);
    if (full || atomic_load(&doorbell->closing)) nng_pipe_close(pipe);
}

static void subscriber_went(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct ch_doorbell *doorbell = arg;
    (void)pipe;
    (void)event;
    CH_CHECK(doorbell->magic == DOORBELL_MAGIC);
    CH_CHECK(atomic_fetch_sub(&doorbell->subscribers, 1) > 0);
}

enum ch_err ch_doorbell_open(const char *url, const struct ch_listen_options *options,
                             struct ch_doorbell **ret, struct ch_why *why)
{
    CH_CHECK(url != NULL && options != NULL && ret != NULL);
    enum ch_err err = CH_OK;
    struct ch_listen_options listen = *options;
    listen.receive_bytes_max = 1; /* subscribers have nothing to say */
    listen.needs_client_certificate = true;
    struct ch_doorbell *doorbell = calloc(1, sizeof *doorbell);
    if (doorbell == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, /* code= */ 0, "doorbell");
    doorbell->magic = DOORBELL_MAGIC;
    int rv = nng_pub0_open(&doorbell->socket);
    if (rv == 0) {
        doorbell->has_socket = true;
        rv = nng_socket_set_int(doorbell->socket, NNG_OPT_SENDBUF, CH_DOORBELL_QUEUE);
    }
    if (rv == 0) {
        rv = nng_pipe_notify(doorbell->socket, NNG_PIPE_EV_ADD_PRE, subscriber_came, doorbell);
    }
    if (rv == 0) {
        rv = nng_pipe_notify(doorbell->socket, NNG_PIPE_EV_REM_POST, subscriber_went, doorbell);
    }
    if (rv != 0) {
        err = ch_fail(why, rv == NNG_ENOMEM ? CH_ERR_NO_MEMORY : CH_ERR_NET_IO, rv, "doorbell: %s",
                      nng_strerror(rv));
        goto out;
    }
    err = ch_listen_start(doorbell->socket, url, &listen, &doorbell->listen, why);
    if (err != CH_OK) goto out;
    *ret = doorbell;
    doorbell = NULL; /* given to the caller */
out:
    ch_doorbell_close(doorbell);
    return err;
}

void ch_doorbell_close(struct ch_doorbell *doorbell)
{
    if (doorbell == NULL) return;
    CH_CHECK(doorbell->magic == DOORBELL_MAGIC);
    atomic_store(&doorbell->closing, true);
    if (doorbell->has_socket && !ch_listen_close_socket(doorbell->socket, CLOSE_WAIT_MS)) {
        return; /* nng hangs and may call back: its memory stays */
    }
    doorbell->magic = 0;
    free(doorbell);
}

/* msgpack-c packs into what was measured to hold the largest ring. */
struct ring_bytes {
    size_t len;
    uint8_t bytes[RING_BYTES_MAX];
};

static int append(void *data, const char *bytes, size_t len)
{
    struct ring_bytes *out = data;
    CH_CHECK(len <= sizeof out->bytes - out->len);
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
    return 0;
}

static void pack_text(msgpack_packer *packer, struct ch_text text)
{
    msgpack_pack_str(packer, text.len);
    msgpack_pack_str_body(packer, text.ptr, text.len);
}

static void pack_ring(const struct ch_doorbell_ring *ring, struct ring_bytes *ret)
{
    msgpack_packer packer;
    ret->len = 0;
    msgpack_packer_init(&packer, ret, append);
    msgpack_pack_map(&packer, RING_FIELDS);
    pack_text(&packer, ch_text_of("seq"));
    msgpack_pack_uint64(&packer, ring->seq);
    pack_text(&packer, ch_text_of("at"));
    msgpack_pack_uint64(&packer, ring->at_ns);
    pack_text(&packer, ch_text_of("account"));
    if (ring->account == 0) {
        msgpack_pack_nil(&packer);
    } else {
        msgpack_pack_uint64(&packer, ring->account);
    }
    pack_text(&packer, ch_text_of("type"));
    pack_text(&packer, ring->type);
}

void ch_doorbell_ring(struct ch_doorbell *doorbell, const struct ch_doorbell_ring *ring)
{
    CH_CHECK(doorbell->magic == DOORBELL_MAGIC);
    CH_CHECK(ring->type.len <= CH_DOORBELL_TYPE_BYTES_MAX);
    if (atomic_load(&doorbell->subscribers) == 0) {
        doorbell->unheard++;
        return;
    }
    struct ring_bytes packed;
    pack_ring(ring, &packed);
    nng_msg *message = NULL;
    int rv = nng_msg_alloc(&message, 0);
    if (rv == 0) rv = nng_msg_append(message, packed.bytes, packed.len);
    if (rv == 0) rv = nng_sendmsg(doorbell->socket, message, NNG_FLAG_NONBLOCK);
    if (rv == 0) {
        doorbell->rung++;
        return;
    }
    if (message != NULL) nng_msg_free(message);
    doorbell->failures++;
}

struct ch_doorbell_counters ch_doorbell_counters(const struct ch_doorbell *doorbell)
{
    CH_CHECK(doorbell->magic == DOORBELL_MAGIC);
    return (struct ch_doorbell_counters){
        .rung = doorbell->rung,
        .unheard = doorbell->unheard,
        .failures = doorbell->failures,
        .subscribers = atomic_load(&doorbell->subscribers),
        .subscribers_refused = atomic_load(&doorbell->refused),
    };
}

const char *ch_doorbell_url(const struct ch_doorbell *doorbell)
{
    return doorbell->listen.url;
}
