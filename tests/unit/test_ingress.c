/* test_ingress: real nng clients against the request socket. SPDX-License-Identifier: MIT */
#include "daemon/edge/ingress.h"
#include "daemon/host/clock.h"
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

enum { SLOTS = 64, WAIT_MS = 20000, PATH_BYTES = 96, MESSAGE_MAX = 4 << 20 };

struct world {
    char folder[PATH_BYTES];
    char path[PATH_BYTES]; /* of the socket file */
    char url[PATH_BYTES + 8];
    const char *urls[2];
    struct ch_ingress_options options;
    struct ch_ingress *ingress;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/ch-ingress-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%.80s/sock", world->folder);
    snprintf(world->url, sizeof world->url, "ipc://%s", world->path);
    world->urls[0] = world->url;
    world->options = (struct ch_ingress_options){
        .urls = world->urls,
        .url_count = 1,
        .listen = {.receive_bytes_max = MESSAGE_MAX},
    };
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    static const char *const files[] = {"sock", "cert.pem", "key.pem"};
    char path[PATH_BYTES + 16];
    ch_ingress_close(world->ingress);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", world->folder, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(world->folder), 0);
    free(world);
    return 0;
}

static void open_ingress(struct world *world)
{
    struct ch_why why = {0};
    if (ch_ingress_open(&world->options, &world->ingress, &why) != CH_OK) fail_msg("%s", why.text);
}

/* ---- clients ---- */

static uint64_t deadline_ns(void)
{
    return ch_clock_monotonic_ns() + (uint64_t)WAIT_MS * 1000000u;
}

/* What the loop does in a turn, but taking no request. */
static void turn(const struct world *world)
{
    struct ch_ingress_arrival none;
    assert_int_equal(ch_ingress_drain(world->ingress, &none, 0), 0);
}

#define WAIT_UNTIL(condition)                                                                      \
    for (uint64_t until_ns = deadline_ns(); !(condition); turn(world), sched_yield())              \
    assert_true(ch_clock_monotonic_ns() < until_ns)

/* nng_dial would wait for the greeting, which comes in a drain. */
static nng_socket dial_client(const char *url)
{
    nng_socket client;
    assert_int_equal(nng_req0_open(&client), 0);
    assert_int_equal(nng_socket_set_ms(client, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_socket_set_ms(client, NNG_OPT_SENDTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_socket_set_size(client, NNG_OPT_RECVMAXSZ, 0), 0);
    assert_int_equal(nng_dial(client, url, NULL, NNG_FLAG_NONBLOCK), 0);
    return client;
}

static nng_socket connect_client(const struct world *world, const char *url)
{
    const struct ch_ingress_counters before = ch_ingress_counters(world->ingress);
    nng_socket client = dial_client(url);
    WAIT_UNTIL(ch_ingress_counters(world->ingress).peers > before.peers ||
               ch_ingress_counters(world->ingress).peers_refused > before.peers_refused);
    return client;
}

/* Not nng_close alone, which can hang: see ch_listen_close_socket. */
static void leave(nng_socket client)
{
    if (!ch_listen_close_socket(client, 500)) print_message("nng_close hung (nng 1.5.2)\n");
}

/* Both take turns of the loop meanwhile: it has to accept, and to write on. */
static void send_bytes(const struct world *world, nng_socket client, const void *bytes, size_t len)
{
    nng_msg *message = NULL;
    assert_int_equal(nng_msg_alloc(&message, 0), 0);
    assert_int_equal(nng_msg_append(message, bytes, len), 0);
    WAIT_UNTIL(nng_sendmsg(client, message, NNG_FLAG_NONBLOCK) == 0);
}

static void expect_bytes(const struct world *world, nng_socket client, const void *bytes,
                         size_t len)
{
    nng_msg *message = NULL;
    WAIT_UNTIL(nng_recvmsg(client, &message, NNG_FLAG_NONBLOCK) == 0);
    assert_int_equal(nng_msg_len(message), len);
    assert_memory_equal(nng_msg_body(message), bytes, len);
    nng_msg_free(message);
}

/* Waits for at least one request. */
static size_t drain_some(struct world *world, struct ch_ingress_arrival *arrivals, size_t max)
{
    size_t count = 0;
    while (count == 0) { /* a wake may come for what an earlier drain took */
        struct pollfd ready = {.fd = ch_ingress_fd(world->ingress), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
        count = ch_ingress_drain(world->ingress, arrivals, max);
    }
    return count;
}

static void drain_exactly(struct world *world, struct ch_ingress_arrival *arrivals, size_t wanted)
{
    size_t count = 0;
    while (count < wanted) {
        count += drain_some(world, arrivals + count, wanted - count);
    }
}

static void echo(struct world *world, const struct ch_ingress_arrival *arrival)
{
    assert_int_equal(ch_ingress_reply(world->ingress, arrival->slot, &arrival->message, 1, NULL),
                     CH_OK);
    ch_ingress_flush(world->ingress);
}

/* One socket, many requests in flight. */
struct flight {
    nng_ctx context;
    nng_aio *aio;
};

static void take_off(struct flight *flight, nng_socket client, const void *bytes, size_t len)
{
    nng_msg *message = NULL;
    assert_int_equal(nng_ctx_open(&flight->context, client), 0);
    assert_int_equal(nng_aio_alloc(&flight->aio, NULL, NULL), 0);
    nng_aio_set_timeout(flight->aio, WAIT_MS);
    assert_int_equal(nng_msg_alloc(&message, 0), 0);
    assert_int_equal(nng_msg_append(message, bytes, len), 0);
    nng_aio_set_msg(flight->aio, message);
    nng_ctx_send(flight->context, flight->aio);
    nng_aio_wait(flight->aio);
    assert_int_equal(nng_aio_result(flight->aio), 0);
    nng_ctx_recv(flight->context, flight->aio);
}

static void crash(struct flight *flight)
{
    nng_aio_stop(flight->aio);
    if (nng_aio_result(flight->aio) == 0) nng_msg_free(nng_aio_get_msg(flight->aio));
    nng_aio_free(flight->aio);
    nng_ctx_close(flight->context);
}

static void land(struct flight *flight, const void *bytes, size_t len)
{
    nng_aio_wait(flight->aio);
    assert_int_equal(nng_aio_result(flight->aio), 0);
    nng_msg *message = nng_aio_get_msg(flight->aio);
    assert_int_equal(nng_msg_len(message), len);
    assert_memory_equal(nng_msg_body(message), bytes, len);
    nng_msg_free(message);
    nng_aio_free(flight->aio);
    nng_ctx_close(flight->context);
}

/* ---- requests and replies ---- */

static void as_many_requests_as_slots_are_echoed_in_any_order(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrivals[SLOTS];
    struct flight flights[SLOTS];
    open_ingress(world);
    assert_int_equal(ch_ingress_slots(world->ingress), SLOTS);
    nng_socket client = connect_client(world, world->url);
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < SLOTS; i++) {
            const uint32_t text[2] = {round, i};
            take_off(&flights[i], client, text, sizeof text);
        }
        drain_exactly(world, arrivals, SLOTS);
        assert_int_equal(ch_ingress_held(world->ingress), SLOTS);
        for (uint32_t i = 0; i < SLOTS; i++) {
            echo(world, &arrivals[(i * 37 + round) % SLOTS]);
        }
        assert_int_equal(ch_ingress_held(world->ingress), 0);
        for (uint32_t i = 0; i < SLOTS; i++) {
            const uint32_t text[2] = {round, i};
            land(&flights[i], text, sizeof text);
        }
    }
    WAIT_UNTIL(ch_ingress_counters(world->ingress).replied == 5 * SLOTS);
    struct ch_ingress_counters counters = ch_ingress_counters(world->ingress);
    assert_int_equal(counters.received, 5 * SLOTS);
    assert_int_equal(counters.send_failures, 0);
    assert_int_equal(counters.peers, 1);
    leave(client);
}

static void requests_beyond_the_slots_wait_and_are_answered(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrivals[2];
    struct flight flights[20];
    world->options.slots = 2;
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    for (uint32_t i = 0; i < 20; i++) {
        take_off(&flights[i], client, &i, sizeof i);
    }
    for (uint32_t answered = 0; answered < 20;) {
        size_t count = drain_some(world, arrivals, 2);
        assert_true(ch_ingress_held(world->ingress) <= 2);
        for (size_t i = 0; i < count; i++) {
            echo(world, &arrivals[i]);
            answered++;
        }
    }
    for (uint32_t i = 0; i < 20; i++) {
        land(&flights[i], &i, sizeof i);
    }
    leave(client);
}

static void a_reply_of_parts_arrives_as_one_message(void **state)
{
    struct world *world = *state;
    static const size_t sizes[] = {0, 1, 31, 1023, 1024, 1025, 4096, 65536, 1 << 20};
    struct ch_ingress_arrival arrival;
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *expected = malloc(sizes[i] + 8);
        assert_non_null(expected);
        memset(expected, 'h', 4);
        memset(expected + 4, (int)i, sizes[i]);
        memset(expected + 4 + sizes[i], 't', 4);
        send_bytes(world, client, expected + 4, sizes[i]);
        drain_exactly(world, &arrival, 1);
        assert_int_equal(arrival.message.len, sizes[i]);
        const struct ch_bytes parts[] = {
            {.ptr = (const uint8_t *)"hhhh", .len = 4},
            arrival.message, /* the request itself */
            {.ptr = NULL, .len = 0},
            {.ptr = (const uint8_t *)"tttt", .len = 4},
        };
        assert_int_equal(ch_ingress_reply(world->ingress, arrival.slot, parts, 4, NULL), CH_OK);
        ch_ingress_flush(world->ingress);
        expect_bytes(world, client, expected, sizes[i] + 8);
        free(expected);
    }
    leave(client);
}

static void a_drain_of_fewer_leaves_the_descriptor_readable(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrivals[8];
    struct flight flights[8];
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    for (uint32_t i = 0; i < 8; i++) {
        take_off(&flights[i], client, &i, sizeof i);
    }
    for (uint32_t i = 0; i < 8; i++) {
        drain_exactly(world, &arrivals[i], 1);
    }
    struct pollfd ready = {.fd = ch_ingress_fd(world->ingress), .events = POLLIN};
    assert_int_equal(ch_ingress_drain(world->ingress, arrivals, 8), 0);
    assert_int_equal(poll(&ready, 1, 0), 0);
    for (uint32_t i = 0; i < 8; i++) {
        echo(world, &arrivals[i]);
    }
    for (uint32_t i = 0; i < 8; i++) {
        land(&flights[i], &i, sizeof i);
    }
    leave(client);
}

static void a_dropped_request_gets_no_reply_and_its_slot_receives_again(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    struct flight unlucky;
    world->options.slots = 1;
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    take_off(&unlucky, client, "drop", 4);
    drain_exactly(world, &arrival, 1);
    ch_ingress_drop(world->ingress, arrival.slot);
    assert_int_equal(ch_ingress_held(world->ingress), 0);
    send_bytes(world, client, "echo", 4);
    drain_exactly(world, &arrival, 1);
    echo(world, &arrival);
    expect_bytes(world, client, "echo", 4);
    nng_aio_stop(unlucky.aio);
    assert_int_equal(nng_aio_result(unlucky.aio), NNG_ECANCELED); /* it was still waiting */
    crash(&unlucky);
    assert_int_equal(ch_ingress_counters(world->ingress).dropped, 1);
    leave(client);
}

static void a_message_beyond_the_limit_is_dropped_and_others_go_on(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    static uint8_t large[5000];
    world->options.listen.receive_bytes_max = 4096;
    open_ingress(world);
    nng_socket liar = connect_client(world, world->url);
    send_bytes(world, liar, large, sizeof large);
    nng_socket client = connect_client(world, world->url);
    send_bytes(world, client, large, 4000);
    drain_exactly(world, &arrival, 1);
    assert_int_equal(arrival.message.len, 4000);
    echo(world, &arrival);
    expect_bytes(world, client, large, 4000);
    leave(liar);
    leave(client);
}

static void the_kernel_says_who_an_ipc_peer_is(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    world->urls[1] = "tcp://127.0.0.1:0";
    world->options.url_count = 2;
    open_ingress(world);
    nng_socket local = connect_client(world, world->url);
    send_bytes(world, local, "who", 3);
    drain_exactly(world, &arrival, 1);
    assert_true(arrival.is_ipc);
    assert_int_equal(arrival.peer_uid, getuid());
    echo(world, &arrival);
    expect_bytes(world, local, "who", 3);
    nng_socket remote = connect_client(world, ch_ingress_url(world->ingress, 1));
    send_bytes(world, remote, "who", 3);
    drain_exactly(world, &arrival, 1);
    assert_false(arrival.is_ipc);
    assert_int_equal(arrival.peer_uid, -1);
    echo(world, &arrival);
    expect_bytes(world, remote, "who", 3);
    leave(local);
    leave(remote);
}

/* ---- peers that misbehave ---- */

static void a_client_that_goes_away_before_the_reply_is_counted(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    world->options.slots = 1;
    open_ingress(world);
    nng_socket leaver = connect_client(world, world->url);
    send_bytes(world, leaver, "bye", 3);
    drain_exactly(world, &arrival, 1);
    assert_false(ch_ingress_peer_gone(world->ingress, arrival.slot));
    leave(leaver);
    WAIT_UNTIL(ch_ingress_peer_gone(world->ingress, arrival.slot));
    assert_memory_equal(arrival.message.ptr, "bye", 3);
    echo(world, &arrival);
    nng_socket client = connect_client(world, world->url);
    send_bytes(world, client, "hello", 5);
    drain_exactly(world, &arrival, 1);
    assert_false(ch_ingress_peer_gone(world->ingress, arrival.slot));
    echo(world, &arrival);
    expect_bytes(world, client, "hello", 5);
    WAIT_UNTIL(ch_ingress_counters(world->ingress).replied == 1);
    assert_int_equal(ch_ingress_counters(world->ingress).send_failures, 1);
    leave(client);
}

static void connections_beyond_the_limit_wait_for_a_place(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    world->options.peers = 2;
    open_ingress(world);
    nng_socket first = connect_client(world, world->url);
    nng_socket second = connect_client(world, world->url);
    WAIT_UNTIL(ch_ingress_counters(world->ingress).peers == 2);
    nng_socket third = connect_client(world, world->url);
    WAIT_UNTIL(ch_ingress_counters(world->ingress).peers_refused >= 1);
    assert_int_equal(ch_ingress_counters(world->ingress).peers, 2);
    leave(first); /* makes room */
    while (ch_ingress_counters(world->ingress).peers == 2) {
        assert_int_equal(ch_ingress_drain(world->ingress, &arrival, 1), 0);
    }
    send_bytes(world, third, "late", 4);
    drain_exactly(world, &arrival, 1);
    assert_memory_equal(arrival.message.ptr, "late", 4);
    assert_int_equal(arrival.peer_uid, getuid());
    echo(world, &arrival);
    expect_bytes(world, third, "late", 4);
    leave(second);
    leave(third);
}

/* A client without nng: SP's eight bytes of greeting, then frames of 0x01, length, request id,
 * body. */
static int connect_raw(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, world->path, sizeof world->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void a_client_that_does_not_read_keeps_no_slot(void **state)
{
    struct world *world = *state;
    static uint8_t large[1 << 20];
    const struct ch_bytes reply = {.ptr = large, .len = sizeof large};
    struct ch_ingress_arrival arrival;
    struct ch_ingress_arrival arrivals[4];
    world->options.slots = 4;
    world->options.send_timeout_ms = 500;
    open_ingress(world);
    int fd = connect_raw(world);
    assert_int_equal(write(fd, "\0SP\0\0\x30\0\0", 8), 8);
    for (uint8_t i = 0; i < 4; i++) {
        const uint8_t frame[] = {1, 0, 0, 0, 0, 0, 0, 0, 5, 0x80, 0, 0, i, 'x'};
        assert_int_equal(write(fd, frame, sizeof frame), sizeof frame);
    }
    drain_exactly(world, arrivals, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ch_ingress_reply(world->ingress, arrivals[i].slot, &reply, 1, NULL),
                         CH_OK);
    }
    WAIT_UNTIL(ch_ingress_counters(world->ingress).send_failures >= 1);
    WAIT_UNTIL(ch_ingress_counters(world->ingress).peers == 0);
    nng_socket client = connect_client(world, world->url);
    send_bytes(world, client, "hello", 5);
    drain_exactly(world, &arrival, 1);
    echo(world, &arrival);
    expect_bytes(world, client, "hello", 5);
    leave(client);
    close(fd);
}

/* ---- closing ---- */

static void close_lets_held_and_queued_requests_go(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrivals[3];
    struct flight flights[9];
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    for (uint32_t i = 0; i < 9; i++) {
        take_off(&flights[i], client, &i, sizeof i);
    }
    drain_exactly(world, arrivals, 3);
    echo(world, &arrivals[0]);
    ch_ingress_close(world->ingress); /* two held, some queued, one under way */
    world->ingress = NULL;
    assert_int_not_equal(access(world->path, F_OK), 0);
    for (uint32_t i = 0; i < 9; i++) {
        crash(&flights[i]);
    }
    leave(client);
}

static void a_reply_given_just_before_close_arrives(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrivals[32];
    struct flight flights[32];
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    for (uint32_t i = 0; i < 32; i++) {
        take_off(&flights[i], client, &i, sizeof i);
    }
    drain_exactly(world, arrivals, 32);
    for (uint32_t i = 0; i < 32; i++) {
        echo(world, &arrivals[i]);
    }
    ch_ingress_close(world->ingress);
    world->ingress = NULL;
    for (uint32_t i = 0; i < 32; i++) {
        land(&flights[i], &i, sizeof i);
    }
    leave(client);
}

static void closing_at_any_moment_under_load_is_clean(void **state)
{
    struct world *world = *state;
    enum { ROUNDS = 30, FLIGHTS = 24 };
    struct ch_ingress_arrival arrivals[FLIGHTS];
    struct flight flights[FLIGHTS];
    const char *given = getenv("CH_TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 20260702u;
    print_message("seed %u\n", seed);
    world->options.slots = 8;
    for (int round = 0; round < ROUNDS; round++) {
        open_ingress(world);
        nng_socket client = connect_client(world, world->url);
        for (uint32_t i = 0; i < FLIGHTS; i++) {
            take_off(&flights[i], client, &i, sizeof i);
        }
        seed = seed * 1664525u + 1013904223u;
        for (unsigned turns = (seed >> 16) % 5; turns > 0; turns--) {
            size_t count = ch_ingress_drain(world->ingress, arrivals, FLIGHTS);
            for (size_t i = 0; i < count; i++) {
                seed = seed * 1664525u + 1013904223u;
                if ((seed >> 16) % 8 == 0) continue; /* held until the close */
                if ((seed >> 16) % 8 == 1) {
                    ch_ingress_drop(world->ingress, arrivals[i].slot);
                } else {
                    echo(world, &arrivals[i]);
                }
            }
        }
        ch_ingress_close(world->ingress);
        world->ingress = NULL;
        for (uint32_t i = 0; i < FLIGHTS; i++) {
            crash(&flights[i]);
        }
        leave(client); /* not before: replies that come in while a client closes hang nng */
    }
}

/* ---- listening ---- */

static enum ch_err try_open(struct world *world, const char *url, struct ch_why *why)
{
    const char *const urls[] = {url};
    struct ch_ingress_options options = world->options;
    struct ch_ingress *none = NULL;
    options.urls = urls;
    options.url_count = 1;
    enum ch_err err = ch_ingress_open(&options, &none, why);
    if (err == CH_OK) ch_ingress_close(none);
    return err;
}

static void a_stale_socket_file_is_taken_over(void **state)
{
    struct world *world = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, world->path, sizeof world->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    assert_int_equal(access(world->path, F_OK), 0);
    open_ingress(world);
    nng_socket client = connect_client(world, world->url);
    struct ch_ingress_arrival arrival;
    send_bytes(world, client, "hello", 5);
    drain_exactly(world, &arrival, 1);
    echo(world, &arrival);
    expect_bytes(world, client, "hello", 5);
    leave(client);
}

static void a_socket_where_somebody_listens_is_left_alone(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    struct ch_why why = {0};
    open_ingress(world);
    assert_int_equal(try_open(world, world->url, &why), CH_ERR_NET_IO);
    assert_non_null(strstr(why.text, "another process listens"));
    nng_socket client = connect_client(world, world->url);
    send_bytes(world, client, "still", 5);
    drain_exactly(world, &arrival, 1);
    echo(world, &arrival);
    expect_bytes(world, client, "still", 5);
    leave(client);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    struct world *world = *state;
    struct ch_why why = {0};
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(try_open(world, world->url, &why), CH_ERR_FILE_IO);
    assert_int_equal(access(world->path, F_OK), 0);
}

static void the_socket_file_has_the_mode_asked_for(void **state)
{
    struct world *world = *state;
    struct stat found;
    open_ingress(world);
    assert_int_equal(stat(world->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
    ch_ingress_close(world->ingress);
    world->ingress = NULL;
    world->options.listen.socket_mode = 0600;
    open_ingress(world);
    assert_int_equal(stat(world->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
}

static void an_unknown_group_is_refused_and_leaves_no_socket(void **state)
{
    struct world *world = *state;
    struct ch_why why = {0};
    world->options.listen.socket_group = "no such group";
    assert_int_equal(try_open(world, world->url, &why), CH_ERR_CONFIG);
    assert_int_not_equal(access(world->path, F_OK), 0);
}

static void plain_tcp_listens_on_loopback_only_unless_asked(void **state)
{
    struct world *world = *state;
    static const char *const far[] = {"tcp://0.0.0.0:0",   "tcp://:0",     "tcp://*:0",
                                      "tcp://192.0.2.1:0", "tcp://[::]:0", "tcp://128.0.0.1:0"};
    struct ch_why why = {0};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        assert_int_equal(try_open(world, far[i], &why), CH_ERR_CONFIG);
    }
    assert_int_equal(try_open(world, "tcp://127.0.0.1:0", &why), CH_OK);
    assert_int_equal(try_open(world, "tcp://localhost:0", &why), CH_OK);
    world->options.listen.allow_remote = true;
    assert_int_equal(try_open(world, "tcp://0.0.0.0:0", &why), CH_OK);
}

static void what_cannot_be_listened_at_is_refused_by_name(void **state)
{
    struct world *world = *state;
    struct ch_why why = {0};
    char long_url[CH_LISTEN_URL_BYTES];
    assert_int_equal(try_open(world, "ws://127.0.0.1:0", &why), CH_ERR_CONFIG);
    assert_int_equal(try_open(world, "inproc://x", &why), CH_ERR_CONFIG);
    assert_int_equal(try_open(world, "nonsense", &why), CH_ERR_CONFIG);
    assert_int_equal(try_open(world, "", &why), CH_ERR_CONFIG);
    assert_int_equal(try_open(world, "ipc://", &why), CH_ERR_CONFIG);
    assert_int_equal(try_open(world, "tls+tcp://127.0.0.1:0", &why), CH_ERR_CONFIG);
    assert_non_null(strstr(why.text, "certificate"));
    snprintf(long_url, sizeof long_url, "ipc:///tmp/%0120d", 0);
    assert_int_equal(try_open(world, long_url, &why), CH_ERR_CONFIG);
    assert_non_null(strstr(why.text, "at most 107 bytes"));
    snprintf(long_url, sizeof long_url, "ipc://%.80s/none/sock", world->folder);
    assert_int_not_equal(try_open(world, long_url, &why), CH_OK);
    world->options.slots = CH_INGRESS_SLOTS_MAX + 1;
    assert_int_equal(try_open(world, world->url, &why), CH_ERR_CONFIG);
}

static int make_certificate(const struct world *world)
{
    char command[512];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-subj /CN=localhost -keyout %s/key.pem -out %s/cert.pem >%s/sock 2>&1",
             world->folder, world->folder, world->folder);
    return system(command); /* NOLINT(cert-env33-c): the words are the test's own */
}

static nng_socket connect_tls(const char *url, const char *ca, const char *certificate_and_key)
{
    nng_socket client;
    nng_dialer dialer;
    nng_tls_config *config = NULL;
    assert_int_equal(nng_req0_open(&client), 0);
    assert_int_equal(nng_socket_set_ms(client, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_dialer_create(&dialer, client, url), 0);
    assert_int_equal(nng_tls_config_alloc(&config, NNG_TLS_MODE_CLIENT), 0);
    assert_int_equal(nng_tls_config_ca_file(config, ca), 0);
    assert_int_equal(nng_tls_config_server_name(config, "localhost"), 0);
    if (certificate_and_key != NULL) {
        assert_int_equal(nng_tls_config_cert_key_file(config, certificate_and_key, NULL), 0);
    }
    assert_int_equal(nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, config), 0);
    nng_tls_config_free(config);
    assert_int_equal(nng_dialer_start(dialer, NNG_FLAG_NONBLOCK), 0);
    return client;
}

static void tls_listens_with_certificate_key_and_ca_file(void **state)
{
    struct world *world = *state;
    struct ch_ingress_arrival arrival;
    struct ch_why why = {0};
    char certificate[PATH_BYTES + 16];
    char key[PATH_BYTES + 16];
    if (make_certificate(world) != 0) {
        print_message("SKIPPED: openssl is not here, so TLS was not tested\n");
        skip();
    }
    assert_int_equal(unlink(world->path), 0);
    snprintf(certificate, sizeof certificate, "%s/cert.pem", world->folder);
    snprintf(key, sizeof key, "%s/key.pem", world->folder);
    world->urls[0] = "tls+tcp://127.0.0.1:0";
    world->options.listen.tls_certificate_file = certificate;
    assert_int_equal(try_open(world, world->urls[0], &why), CH_ERR_CONFIG); /* no key in it */
    world->options.listen.tls_key_file = key;
    world->urls[1] = world->url; /* both kinds feed one drain */
    world->options.url_count = 2;
    open_ingress(world);
    nng_socket local = connect_client(world, ch_ingress_url(world->ingress, 1));
    send_bytes(world, local, "local", 5);
    drain_exactly(world, &arrival, 1);
    assert_true(arrival.is_ipc);
    echo(world, &arrival);
    expect_bytes(world, local, "local", 5);
    leave(local);
    nng_socket client = connect_tls(ch_ingress_url(world->ingress, 0), certificate, NULL);
    send_bytes(world, client, "hello", 5);
    drain_exactly(world, &arrival, 1);
    assert_false(arrival.is_ipc);
    assert_int_equal(arrival.peer_uid, -1);
    echo(world, &arrival);
    expect_bytes(world, client, "hello", 5);
    leave(client);
    ch_ingress_close(world->ingress);
    world->ingress = NULL;
    world->options.listen.tls_ca_file = certificate; /* it signs itself */
    open_ingress(world);
    nng_socket nobody = connect_tls(ch_ingress_url(world->ingress, 0), certificate, NULL);
    assert_int_equal(nng_socket_set_ms(nobody, NNG_OPT_RECVTIMEO, 300), 0);
    nng_msg *none = NULL;
    nng_msg_alloc(&none, 0);
    if (nng_sendmsg(nobody, none, NNG_FLAG_NONBLOCK) != 0) nng_msg_free(none);
    assert_int_not_equal(nng_recvmsg(nobody, &none, 0), 0);
    assert_int_equal(ch_ingress_drain(world->ingress, &arrival, 1), 0);
    leave(nobody);
}

static void close_takes_null(void **state)
{
    (void)state;
    ch_ingress_close(NULL);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(as_many_requests_as_slots_are_echoed_in_any_order),
        WITH_WORLD(requests_beyond_the_slots_wait_and_are_answered),
        WITH_WORLD(a_reply_of_parts_arrives_as_one_message),
        WITH_WORLD(a_drain_of_fewer_leaves_the_descriptor_readable),
        WITH_WORLD(a_dropped_request_gets_no_reply_and_its_slot_receives_again),
        WITH_WORLD(a_message_beyond_the_limit_is_dropped_and_others_go_on),
        WITH_WORLD(the_kernel_says_who_an_ipc_peer_is),
        WITH_WORLD(a_client_that_goes_away_before_the_reply_is_counted),
        WITH_WORLD(connections_beyond_the_limit_wait_for_a_place),
        WITH_WORLD(a_client_that_does_not_read_keeps_no_slot),
        WITH_WORLD(close_lets_held_and_queued_requests_go),
        WITH_WORLD(a_reply_given_just_before_close_arrives),
        WITH_WORLD(closing_at_any_moment_under_load_is_clean),
        WITH_WORLD(a_stale_socket_file_is_taken_over),
        WITH_WORLD(a_socket_where_somebody_listens_is_left_alone),
        WITH_WORLD(a_file_that_is_no_socket_is_left_alone),
        WITH_WORLD(the_socket_file_has_the_mode_asked_for),
        WITH_WORLD(an_unknown_group_is_refused_and_leaves_no_socket),
        WITH_WORLD(plain_tcp_listens_on_loopback_only_unless_asked),
        WITH_WORLD(what_cannot_be_listened_at_is_refused_by_name),
        WITH_WORLD(tls_listens_with_certificate_key_and_ca_file),
        cmocka_unit_test(close_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
