/* test_sp: bytes on the wire against the request socket. SPDX-License-Identifier: MIT
 * Clients without nng, most of which misbehave; test_ingress.c has the real ones. */
#include "daemon/edge/ingress.h"
#include "daemon/edge/sp_frame.h"
#include "daemon/host/clock.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { WAIT_MS = 20000, PATH_BYTES = 96, SLOTS = 64, ARRIVALS = 300, FRAME_BYTES = 17 };

struct world {
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    char url[PATH_BYTES + 8];
    const char *urls[2];
    struct ch_ingress_options options;
    struct ch_ingress *ingress;
    struct ch_ingress_arrival arrivals[ARRIVALS];
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/ch-sp-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%.80s/sock", world->folder);
    snprintf(world->url, sizeof world->url, "ipc://%s", world->path);
    world->urls[0] = world->url;
    world->urls[1] = "tcp://127.0.0.1:0";
    world->options = (struct ch_ingress_options){
        .urls = world->urls,
        .url_count = 2,
        .listen = {.receive_bytes_max = 4 << 20},
    };
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    ch_ingress_close(world->ingress);
    assert_int_not_equal(access(world->path, F_OK), 0);
    assert_int_equal(rmdir(world->folder), 0);
    free(world);
    return 0;
}

static void open_ingress(struct world *world)
{
    struct ch_why why = {0};
    if (ch_ingress_open(&world->options, &world->ingress, &why) != CH_OK) fail_msg("%s", why.text);
}

static struct ch_ingress_counters counters(const struct world *world)
{
    return ch_ingress_counters(world->ingress);
}

/* A turn of the loop that takes no request. */
static void turn(struct world *world)
{
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, 0), 0);
}

static uint64_t deadline_ns(void)
{
    return ch_clock_monotonic_ns() + (uint64_t)WAIT_MS * 1000000u;
}

static size_t serve(struct world *world)
{
    size_t count = ch_ingress_drain(world->ingress, world->arrivals, ARRIVALS);
    for (size_t i = 0; i < count; i++) {
        const struct ch_ingress_arrival *arrival = &world->arrivals[i];
        assert_int_equal(
            ch_ingress_reply(world->ingress, arrival->slot, &arrival->message, 1, NULL), CH_OK);
    }
    ch_ingress_flush(world->ingress);
    return count;
}

#define WAIT_UNTIL(condition)                                                                      \
    for (uint64_t until_ns = deadline_ns(); !(condition); (void)serve(world), sched_yield())       \
    assert_true(ch_clock_monotonic_ns() < until_ns)

static void serve_exactly(struct world *world, size_t wanted)
{
    for (size_t served = 0; served < wanted;) {
        struct pollfd ready = {.fd = ch_ingress_fd(world->ingress), .events = POLLIN};
        assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
        served += serve(world);
        assert_true(served <= wanted);
    }
}

/* ---- clients ---- */

static int open_ipc(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, world->path, sizeof world->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void give(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void expect(int fd, const void *bytes, size_t len)
{
    uint8_t got[64];
    assert_true(len <= sizeof got);
    assert_int_equal(recv(fd, got, len, MSG_WAITALL), len);
    assert_memory_equal(got, bytes, len);
}

static void expect_end(int fd)
{
    uint8_t byte;
    ssize_t got = recv(fd, &byte, 1, 0);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    close(fd);
}

static void greet(struct world *world, int fd)
{
    give(fd, "\0SP\0\0\x30\0\0", CH_SP_GREETING_BYTES);
    turn(world); /* accepts */
    turn(world); /* hears the greeting */
    expect(fd, "\0SP\0\0\x31\0\0", CH_SP_GREETING_BYTES);
}

static int join(struct world *world)
{
    int fd = open_ipc(world);
    greet(world, fd);
    return fd;
}

/* A frame whose body is a request's id and four bytes. */
static void make_frame(uint32_t id, uint8_t out[FRAME_BYTES])
{
    const uint32_t words[2] = {htonl(id | 0x80000000u), htonl(id)};
    assert_int_equal(ch_sp_put_head(true, sizeof words, out), CH_SP_HEAD_BYTES_MAX);
    memcpy(out + CH_SP_HEAD_BYTES_MAX, words, sizeof words);
}

static void ask(int fd, uint32_t id)
{
    uint8_t frame[FRAME_BYTES];
    make_frame(id, frame);
    give(fd, frame, sizeof frame);
}

static void hear(int fd, uint32_t id)
{
    uint8_t frame[FRAME_BYTES];
    make_frame(id, frame);
    expect(fd, frame, sizeof frame);
}

static void a_request_works(struct world *world)
{
    int fd = join(world);
    ask(fd, 77);
    serve_exactly(world, 1);
    hear(fd, 77);
    close(fd);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    /* cppcheck-suppress readdirCalled ; one thread reads this stream */
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* ---- frames ---- */

static void frames_that_come_byte_by_byte_are_read(void **state)
{
    struct world *world = *state;
    uint8_t bytes[CH_SP_GREETING_BYTES + 2 * FRAME_BYTES] = "\0SP\0\0\x30\0\0";
    make_frame(1, bytes + CH_SP_GREETING_BYTES);
    make_frame(2, bytes + CH_SP_GREETING_BYTES + FRAME_BYTES);
    open_ingress(world);
    int fd = open_ipc(world);
    size_t served = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        give(fd, &bytes[i], 1);
        served += serve(world);
        served += serve(world); /* the first may only have accepted */
    }
    assert_int_equal(served, 2);
    expect(fd, "\0SP\0\0\x31\0\0", CH_SP_GREETING_BYTES);
    hear(fd, 1);
    hear(fd, 2);
    close(fd);
}

static void requests_of_one_write_come_in_their_order(void **state)
{
    struct world *world = *state;
    uint8_t bytes[3 * FRAME_BYTES];
    open_ingress(world);
    int fd = join(world);
    for (uint32_t i = 0; i < 3; i++) {
        make_frame(i, bytes + i * FRAME_BYTES);
    }
    give(fd, bytes, sizeof bytes);
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, ARRIVALS), 3);
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t text = htonl(i);
        assert_int_equal(world->arrivals[i].message.len, sizeof text);
        assert_memory_equal(world->arrivals[i].message.ptr, &text, sizeof text);
    }
    for (uint32_t i = 3; i > 0; i--) {
        const struct ch_ingress_arrival *arrival = &world->arrivals[i - 1];
        assert_int_equal(
            ch_ingress_reply(world->ingress, arrival->slot, &arrival->message, 1, NULL), CH_OK);
    }
    ch_ingress_flush(world->ingress);
    for (uint32_t i = 3; i > 0; i--) {
        hear(fd, i - 1);
    }
    close(fd);
}

static void a_reply_repeats_the_whole_backtrace(void **state)
{
    struct world *world = *state;
    static const uint8_t far[] = {1, 0, 0, 0, 0, 0,    0, 0, 14, 0,   0,  0,
                                  7, 0, 0, 0, 9, 0x80, 0, 0, 3,  'h', 'i'};
    uint8_t too_far[9 + 40] = {1, 0, 0, 0, 0, 0, 0, 0, 40};
    too_far[9 + 32] = 0x80; /* in the ninth word */
    open_ingress(world);
    int fd = join(world);
    give(fd, too_far, sizeof too_far);
    give(fd, far, sizeof far);
    serve_exactly(world, 1);
    expect(fd, far, sizeof far);
    assert_int_equal(counters(world).receive_failures, 1);
    close(fd);
}

static void tcp_frames_have_no_first_byte(void **state)
{
    struct world *world = *state;
    static const uint8_t frame[] = {0, 0, 0, 0, 0, 0, 0, 6, 0x80, 0, 0, 1, 'h', 'i'};
    open_ingress(world);
    const char *url = ch_ingress_url(world->ingress, 1);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port =
                                      htons((uint16_t)strtol(strrchr(url, ':') + 1, NULL, 10))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    greet(world, fd);
    give(fd, frame, sizeof frame);
    serve_exactly(world, 1);
    assert_false(world->arrivals[0].is_ipc);
    assert_int_equal(world->arrivals[0].peer_uid, -1);
    expect(fd, frame, sizeof frame);
    close(fd);
}

static void a_frame_that_is_none_ends_only_its_connection(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\1\0\0\0\0\0\x40\0\x25", 9},             /* one more than the most */
        {"\1\xff\xff\xff\xff\xff\xff\xff\xff", 9}, /* longer than memory */
        {"\1\x7f\xff\xff\xff\xff\xff\xff\xff", 9}, /* the same, with a sign */
        {"\2\0\0\0\0\0\0\0\4\x80\0\0\0", 13},      /* no message */
        {"\1\0\0\0\0\0\0\0\0", 9},                 /* no id */
        {"\1\0\0\0\0\0\0\0\3\x80\0\0", 12},        /* a part of one */
        {"\1\0\0\0\0\0\0\0\4\0\0\0\1", 13},        /* one that does not end */
    };
    open_ingress(world);
    int other = join(world);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = join(world);
        give(fd, bad[i].bytes, bad[i].len);
        while (counters(world).receive_failures == i) {
            assert_int_equal(serve(world), 0);
        }
        expect_end(fd);
        ask(other, (uint32_t)i);
        serve_exactly(world, 1);
        hear(other, (uint32_t)i);
    }
    close(other);
}

static void who_is_no_req_is_disconnected(void **state)
{
    struct world *world = *state;
    static const char greetings[][CH_SP_GREETING_BYTES] = {
        {0, 'S', 'P', 0, 0, 0x31, 0, 0},          {0, 'S', 'P', 0, 0, 0x20, 0, 0},
        {0, 'S', 'P', 1, 0, 0x30, 0, 0},          {0, 'S', 'P', 0, 0, 0x30, 0, 1},
        {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'},
    };
    open_ingress(world);
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        int fd = open_ipc(world);
        give(fd, greetings[i], CH_SP_GREETING_BYTES);
        while (counters(world).receive_failures == i) {
            assert_int_equal(serve(world), 0);
        }
        expect(fd, "\0SP\0\0\x31\0\0", CH_SP_GREETING_BYTES);
        expect_end(fd);
    }
    a_request_works(world);
}

/* ---- bounds ---- */

static void not_more_than_the_slots_are_held(void **state)
{
    struct world *world = *state;
    enum { CLIENTS = 4, EACH = 64 };
    int fds[CLIENTS];
    struct pollfd ready = {.events = POLLIN};
    open_ingress(world);
    ready.fd = ch_ingress_fd(world->ingress);
    for (size_t i = 0; i < CLIENTS; i++) {
        fds[i] = join(world);
        for (uint32_t id = 0; id < EACH; id++) {
            ask(fds[i], id);
        }
    }
    for (int round = 0; round < CLIENTS; round++) {
        assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, ARRIVALS), SLOTS);
        assert_int_equal(ch_ingress_held(world->ingress), SLOTS);
        struct ch_ingress_arrival none[1];
        assert_int_equal(ch_ingress_drain(world->ingress, none, 1), 0);
        assert_int_equal(poll(&ready, 1, 0), 0); /* the loop sleeps, whatever waits */
        for (size_t i = 0; i < SLOTS; i++) {
            const struct ch_ingress_arrival *arrival = &world->arrivals[i];
            assert_int_equal(
                ch_ingress_reply(world->ingress, arrival->slot, &arrival->message, 1, NULL), CH_OK);
        }
        ch_ingress_flush(world->ingress);
        assert_int_equal(poll(&ready, 1, 0), round < CLIENTS - 1 ? 1 : 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        for (uint32_t id = 0; id < EACH; id++) {
            hear(fds[i], id);
        }
        close(fds[i]);
    }
}

static void who_reads_nothing_gives_no_more_requests(void **state)
{
    struct world *world = *state;
    static uint8_t large[1 << 20];
    const struct ch_bytes reply = {.ptr = large, .len = sizeof large};
    open_ingress(world);
    int lazy = join(world);
    int other = join(world);
    for (uint32_t i = 0; i < 200; i++) {
        ask(lazy, i);
    }
    size_t served = 0;
    for (int i = 0; i < 20; i++) {
        size_t count = ch_ingress_drain(world->ingress, world->arrivals, 1);
        served += count;
        if (count == 0) continue;
        assert_int_equal(ch_ingress_reply(world->ingress, world->arrivals[0].slot, &reply, 1, NULL),
                         CH_OK);
    }
    assert_true(served >= 1);
    assert_true(served <= 3);
    ask(other, 5);
    serve_exactly(world, 1);
    hear(other, 5);
    for (size_t left = served * (sizeof large + 13); left > 0;) {
        ssize_t got = recv(lazy, large, left < sizeof large ? left : sizeof large, MSG_DONTWAIT);
        assert_true(got > 0 || (got < 0 && errno == EAGAIN));
        if (got > 0) left -= (size_t)got;
        turn(world);
    }
    const size_t told = served;
    while (served < 200) {
        served += serve(world);
    }
    for (size_t i = told; i < 200; i++) {
        hear(lazy, (uint32_t)i);
    }
    close(lazy);
    close(other);
}

static void who_does_not_greet_is_disconnected_in_time(void **state)
{
    struct world *world = *state;
    world->options.send_timeout_ms = 200;
    open_ingress(world);
    int silent = open_ipc(world);
    WAIT_UNTIL(counters(world).peers == 1);
    int joined = join(world);
    int half = open_ipc(world);
    give(half, "\0SP", 3);
    WAIT_UNTIL(counters(world).peers == 3);
    WAIT_UNTIL(counters(world).peers == 1);
    expect(silent, "\0SP\0\0\x31\0\0", CH_SP_GREETING_BYTES);
    expect(half, "\0SP\0\0\x31\0\0", CH_SP_GREETING_BYTES);
    expect_end(silent);
    expect_end(half);
    ask(joined, 1);
    serve_exactly(world, 1);
    hear(joined, 1);
    close(joined);
}

static void a_lack_of_descriptors_only_delays(void **state)
{
    struct world *world = *state;
    struct rlimit before;
    open_ingress(world);
    int first = join(world);
    int second = open_ipc(world);
    int highest = dup(first);
    close(highest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = (rlim_t)highest, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct pollfd ready = {.fd = ch_ingress_fd(world->ingress), .events = POLLIN};
    turn(world);
    assert_int_equal(counters(world).peers, 1);
    assert_int_equal(poll(&ready, 1, 0), 0); /* it does not spin */
    ask(first, 1);
    serve_exactly(world, 1);
    hear(first, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(first);
    WAIT_UNTIL(counters(world).peers == 0);
    WAIT_UNTIL(counters(world).peers == 1); /* the second, in the place of the first */
    greet(world, second);
    ask(second, 2);
    serve_exactly(world, 1);
    hear(second, 2);
    close(second);
}

static void half_a_request_is_not_waited_for_for_ever(void **state)
{
    enum { PAYLOAD = 1 << 20, PIECE = 1 << 16 };
    struct world *world = *state;
    static uint8_t piece[PIECE];
    uint8_t head[CH_SP_HEAD_BYTES_MAX];
    world->options.send_timeout_ms = 400;
    world->options.slots = 1;
    open_ingress(world);
    const size_t head_len = ch_sp_put_head(true, PAYLOAD, head);
    int silent = join(world);
    give(silent, head, head_len);
    give(silent, piece, PIECE);
    WAIT_UNTIL(counters(world).peers == 0);
    expect_end(silent);
    /* one that goes on has time */
    int slow = join(world);
    give(slow, head, head_len);
    piece[0] = 0x80; /* the end of the backtrace */
    for (size_t given = 0; given < PAYLOAD; given += PIECE) {
        give(slow, piece, PIECE);
        const uint64_t until_ns = ch_clock_monotonic_ns() + 60000000;
        while (given + PIECE < PAYLOAD && ch_clock_monotonic_ns() < until_ns) {
            assert_int_equal(serve(world), 0);
        }
    }
    serve_exactly(world, 1);
    assert_int_equal(counters(world).peers, 1);
    close(slow);
    WAIT_UNTIL(counters(world).peers == 0);
    /* and so has one whom we do not read, because all slots are held */
    int holder = join(world);
    int waiter = join(world);
    ask(holder, 1);
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, 1), 1);
    const struct ch_ingress_arrival held = world->arrivals[0];
    ask(waiter, 2);
    const uint64_t until_ns = ch_clock_monotonic_ns() + 1000000000;
    while (ch_clock_monotonic_ns() < until_ns) {
        turn(world);
    }
    assert_int_equal(counters(world).peers, 2);
    assert_int_equal(ch_ingress_reply(world->ingress, held.slot, &held.message, 1, NULL), CH_OK);
    serve_exactly(world, 1);
    hear(holder, 1);
    hear(waiter, 2);
    close(holder);
    close(waiter);
}

/* ---- who comes and goes ---- */

static void who_is_idle_gives_up_its_place(void **state)
{
    struct world *world = *state;
    world->options.send_timeout_ms = 300;
    world->options.peers = 2;
    open_ingress(world);
    int first = join(world);
    int second = join(world);
    ask(first, 1); /* so the second is the one that asked nothing for longer */
    serve_exactly(world, 1);
    hear(first, 1);
    int third = open_ipc(world);
    turn(world);
    assert_int_equal(counters(world).peers_refused, 1); /* nobody is idle for long enough */
    const uint64_t until_ns = deadline_ns();
    struct pollfd ended = {.fd = second, .events = POLLRDHUP};
    while (poll(&ended, 1, 1) == 0) {
        assert_true(ch_clock_monotonic_ns() < until_ns);
        turn(world);
    }
    expect_end(second);
    greet(world, third);
    ask(first, 2);
    serve_exactly(world, 1);
    hear(first, 2);
    ask(third, 3);
    serve_exactly(world, 1);
    hear(third, 3);
    close(first);
    close(third);
}

/* A connection that ends while a reply is written frees a place, too. */
static void a_place_that_is_free_at_a_reply_is_taken(void **state)
{
    struct world *world = *state;
    static uint8_t large[1 << 19];
    const struct ch_bytes reply = {.ptr = large, .len = sizeof large};
    world->options.peers = 1;
    open_ingress(world);
    int first = join(world);
    ask(first, 1);
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, 1), 1);
    const struct ch_ingress_slot slot = world->arrivals[0].slot;
    int second = open_ipc(world);
    turn(world);
    assert_int_equal(counters(world).peers_refused, 1);
    close(first);
    assert_int_equal(ch_ingress_reply(world->ingress, slot, &reply, 1, NULL), CH_OK);
    ch_ingress_flush(world->ingress);
    greet(world, second);
    assert_int_equal(counters(world).peers, 1);
    close(second);
}

/* One that is gone while its request is held frees its place once. */
static void who_is_gone_and_held_makes_nobody_spin(void **state)
{
    struct world *world = *state;
    world->options.peers = 2;
    open_ingress(world);
    int first = join(world);
    int second = join(world);
    ask(first, 1);
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, 1), 1);
    const struct ch_ingress_slot slot = world->arrivals[0].slot;
    close(first);
    WAIT_UNTIL(counters(world).peers == 1);
    int third = join(world);
    int fourth = open_ipc(world);
    struct pollfd ready = {.fd = ch_ingress_fd(world->ingress), .events = POLLIN};
    int turns = 0;
    while (poll(&ready, 1, 50) > 0 && turns < 100) {
        turn(world);
        turns++;
    }
    assert_true(turns < 10);
    assert_int_equal(counters(world).peers, 2);
    ch_ingress_drop(world->ingress, slot);
    close(second);
    WAIT_UNTIL(counters(world).peers == 1);
    greet(world, fourth);
    close(third);
    close(fourth);
}

static void connecting_and_leaving_a_thousand_times_harms_nobody(void **state)
{
    struct world *world = *state;
    open_ingress(world);
    const size_t before = open_descriptors();
    for (int i = 0; i < 1000; i++) {
        int fd = open_ipc(world);
        if (i % 3 == 1) turn(world);
        if (i % 3 == 2) give(fd, "\0SP\0\0\x30\0\0\1\0", 10);
        close(fd);
        if (i % 50 == 0) turn(world);
    }
    WAIT_UNTIL(counters(world).peers == 0 && open_descriptors() == before);
    a_request_works(world);
}

/* The child's life: requests as fast as they are answered, until it is killed. */
_Noreturn static void live_busily(const struct world *world)
{
    enum { BURST = 16 };
    uint8_t bytes[BURST * FRAME_BYTES];
    int fd = open_ipc(world);
    if (write(fd, "\0SP\0\0\x30\0\0", CH_SP_GREETING_BYTES) != CH_SP_GREETING_BYTES) _exit(1);
    if (recv(fd, bytes, CH_SP_GREETING_BYTES, MSG_WAITALL) != CH_SP_GREETING_BYTES) _exit(1);
    for (uint32_t i = 0; i < BURST; i++) {
        make_frame(i, bytes + i * FRAME_BYTES);
    }
    for (;;) {
        if (write(fd, bytes, sizeof bytes) != sizeof bytes) _exit(1);
        if (recv(fd, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes) _exit(1);
    }
}

static void clients_killed_under_load_leave_nothing_behind(void **state)
{
    struct world *world = *state;
    enum { ROUNDS = 8, CLIENTS = 10, REQUESTS = 300 };
    open_ingress(world);
    const size_t before = open_descriptors();
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[CLIENTS];
        const uint64_t served = counters(world).received;
        for (int i = 0; i < CLIENTS; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) live_busily(world);
        }
        while (counters(world).received < served + REQUESTS) {
            (void)serve(world);
        }
        for (int i = 0; i < CLIENTS; i++) {
            assert_int_equal(kill(children[i], SIGKILL), 0);
            assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
            (void)serve(world);
        }
        for (uint64_t until_ns = deadline_ns(); counters(world).peers > 0; (void)serve(world)) {
            assert_true(ch_clock_monotonic_ns() < until_ns);
        }
        assert_int_equal(ch_ingress_held(world->ingress), 0);
        assert_int_equal(open_descriptors(), before);
    }
    a_request_works(world);
}

static void a_reply_to_who_is_gone_is_counted(void **state)
{
    struct world *world = *state;
    open_ingress(world);
    int fd = join(world);
    ask(fd, 1);
    ask(fd, 2);
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, 2), 2);
    assert_false(ch_ingress_peer_gone(world->ingress, world->arrivals[0].slot));
    close(fd);
    assert_true(ch_ingress_peer_gone(world->ingress, world->arrivals[0].slot));
    struct ch_ingress_slot slots[2] = {world->arrivals[0].slot, world->arrivals[1].slot};
    WAIT_UNTIL(counters(world).peers == 0);
    assert_true(ch_ingress_peer_gone(world->ingress, slots[1]));
    const struct ch_bytes reply = {.ptr = (const uint8_t *)"x", .len = 1};
    assert_int_equal(ch_ingress_reply(world->ingress, slots[0], &reply, 1, NULL), CH_OK);
    assert_int_equal(counters(world).send_failures, 1);
    ch_ingress_drop(world->ingress, slots[1]);
    assert_int_equal(ch_ingress_held(world->ingress), 0);
}

static void close_ends_connections_of_every_kind(void **state)
{
    struct world *world = *state;
    static uint8_t large[1 << 20];
    const struct ch_bytes reply = {.ptr = large, .len = sizeof large};
    open_ingress(world);
    int idle = join(world);
    int lazy = join(world);
    int silent = open_ipc(world);
    int gone = join(world);
    for (uint32_t i = 0; i < 100; i++) {
        ask(lazy, i); /* more than there are slots */
    }
    ask(gone, 1);
    assert_int_equal(ch_ingress_drain(world->ingress, world->arrivals, 8), 8);
    assert_int_equal(ch_ingress_reply(world->ingress, world->arrivals[0].slot, &reply, 1, NULL),
                     CH_OK);
    close(gone);
    ch_ingress_close(world->ingress);
    world->ingress = NULL;
    expect_end(idle);
    close(lazy);
    close(silent);
}

/* ---- chance ---- */

static void mangled_streams_in_pieces_harm_nobody(void **state)
{
    struct world *world = *state;
    enum { ROUNDS = 400, FRAMES = 6 };
    const char *given = getenv("CH_TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 20261122u;
    print_message("seed %u\n", seed);
    open_ingress(world);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bytes[CH_SP_GREETING_BYTES + FRAMES * FRAME_BYTES] = "\0SP\0\0\x30\0\0";
        for (uint32_t i = 0; i < FRAMES; i++) {
            make_frame(i, bytes + CH_SP_GREETING_BYTES + i * FRAME_BYTES);
        }
        const int flips = rand_r(&seed) % 4;
        for (int i = 0; i < flips; i++) {
            bytes[(size_t)rand_r(&seed) % sizeof bytes] ^= (uint8_t)(1 << rand_r(&seed) % 8);
        }
        int fd = open_ipc(world);
        for (size_t at = 0; at < sizeof bytes;) {
            size_t len = 1 + (size_t)rand_r(&seed) % 30;
            if (len > sizeof bytes - at) len = sizeof bytes - at;
            if (send(fd, bytes + at, len, MSG_NOSIGNAL) < 0) break; /* it was disconnected */
            at += len;
            if (rand_r(&seed) % 2 == 0) (void)serve(world);
        }
        (void)serve(world);
        size_t served = serve(world);
        if (flips == 0) assert_true(served <= FRAMES);
        close(fd);
    }
    for (uint64_t until_ns = deadline_ns(); counters(world).peers > 0; (void)serve(world)) {
        assert_true(ch_clock_monotonic_ns() < until_ns);
    }
    a_request_works(world);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(frames_that_come_byte_by_byte_are_read),
        WITH_WORLD(requests_of_one_write_come_in_their_order),
        WITH_WORLD(a_reply_repeats_the_whole_backtrace),
        WITH_WORLD(tcp_frames_have_no_first_byte),
        WITH_WORLD(a_frame_that_is_none_ends_only_its_connection),
        WITH_WORLD(who_is_no_req_is_disconnected),
        WITH_WORLD(not_more_than_the_slots_are_held),
        WITH_WORLD(who_reads_nothing_gives_no_more_requests),
        WITH_WORLD(who_does_not_greet_is_disconnected_in_time),
        WITH_WORLD(a_lack_of_descriptors_only_delays),
        WITH_WORLD(half_a_request_is_not_waited_for_for_ever),
        WITH_WORLD(who_is_idle_gives_up_its_place),
        WITH_WORLD(a_place_that_is_free_at_a_reply_is_taken),
        WITH_WORLD(who_is_gone_and_held_makes_nobody_spin),
        WITH_WORLD(connecting_and_leaving_a_thousand_times_harms_nobody),
        WITH_WORLD(clients_killed_under_load_leave_nothing_behind),
        WITH_WORLD(a_reply_to_who_is_gone_is_counted),
        WITH_WORLD(close_ends_connections_of_every_kind),
        WITH_WORLD(mangled_streams_in_pieces_harm_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
