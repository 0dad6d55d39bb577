/* test_doorbell: what a subscriber hears. SPDX-License-Identifier: MIT */
#include "daemon/edge/doorbell.h"
#include "daemon/host/clock.h"
#include <msgpack.h>
#include <nng/protocol/pubsub0/sub.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { WAIT_MS = 20000, PATH_BYTES = 96 };

struct world {
    char folder[PATH_BYTES];
    char path[PATH_BYTES];
    char url[PATH_BYTES + 8];
    struct ch_doorbell *doorbell;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/ch-doorbell-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%.80s/sock", world->folder);
    snprintf(world->url, sizeof world->url, "ipc://%s", world->path);
    const struct ch_listen_options options = {0};
    struct ch_why why = {0};
    if (ch_doorbell_open(world->url, &options, &world->doorbell, &why) != CH_OK) {
        fail_msg("%s", why.text);
    }
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    ch_doorbell_close(world->doorbell);
    assert_int_equal(rmdir(world->folder), 0); /* the socket file is gone */
    free(world);
    return 0;
}

/* Not nng_close alone, which can hang: see ch_listen_close_socket. */
static void leave(nng_socket client)
{
    if (!ch_listen_close_socket(client, 500)) print_message("nng_close hung (nng 1.5.2)\n");
}

static struct ch_doorbell_ring ring_of(uint64_t seq)
{
    return (struct ch_doorbell_ring){.seq = seq,
                                     .at_ns = 1577836800000000000u + seq,
                                     .account = seq % 3,
                                     .type = ch_text_of("share_invited")};
}

static bool key_is(const msgpack_object_kv *pair, const char *key)
{
    assert_int_equal(pair->key.type, MSGPACK_OBJECT_STR);
    const struct ch_text text = {.ptr = pair->key.via.str.ptr, .len = pair->key.via.str.size};
    return ch_text_is(text, key);
}

/* Hears the ring `expected`, after any knocks. */
static void hear(nng_socket subscriber, const struct ch_doorbell_ring *expected)
{
    for (;;) {
        nng_msg *heard = NULL;
        msgpack_unpacked unpacked;
        size_t offset = 0;
        assert_int_equal(nng_recvmsg(subscriber, &heard, 0), 0);
        msgpack_unpacked_init(&unpacked);
        assert_int_equal(
            msgpack_unpack_next(&unpacked, nng_msg_body(heard), nng_msg_len(heard), &offset),
            MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(offset, nng_msg_len(heard));
        assert_int_equal(unpacked.data.type, MSGPACK_OBJECT_MAP);
        assert_int_equal(unpacked.data.via.map.size, 4);
        const msgpack_object_kv *pairs = unpacked.data.via.map.ptr;
        const struct ch_text type = {.ptr = pairs[3].val.via.str.ptr,
                                     .len = pairs[3].val.via.str.size};
        assert_true(key_is(&pairs[0], "seq") && key_is(&pairs[1], "at"));
        assert_true(key_is(&pairs[2], "account") && key_is(&pairs[3], "type"));
        bool knock = ch_text_is(type, "knock");
        if (!knock) {
            assert_int_equal(pairs[0].val.via.u64, expected->seq);
            assert_int_equal(pairs[1].val.via.u64, expected->at_ns);
            assert_int_equal(pairs[2].val.type, expected->account == 0
                                                    ? MSGPACK_OBJECT_NIL
                                                    : MSGPACK_OBJECT_POSITIVE_INTEGER);
            if (expected->account != 0) {
                assert_int_equal(pairs[2].val.via.u64, expected->account);
            }
            assert_true(ch_text_equal(type, expected->type));
        }
        msgpack_unpacked_destroy(&unpacked);
        nng_msg_free(heard);
        if (!knock) return;
    }
}

/* Rings until the subscriber hears, because connecting ends some time after dialling did.
 * returns: the last seq rung; the subscriber has nothing left to hear */
static uint64_t subscribe(struct world *world, nng_socket *ret)
{
    nng_socket subscriber;
    assert_int_equal(nng_sub0_open(&subscriber), 0);
    assert_int_equal(nng_socket_set(subscriber, NNG_OPT_SUB_SUBSCRIBE, "", 0), 0);
    assert_int_equal(nng_socket_set_ms(subscriber, NNG_OPT_RECVTIMEO, WAIT_MS), 0);
    assert_int_equal(nng_socket_set_int(subscriber, NNG_OPT_RECVBUF, 4096), 0);
    assert_int_equal(nng_dial(subscriber, world->url, NULL, 0), 0);
    nng_msg *heard = NULL;
    uint64_t until_ns = ch_clock_monotonic_ns() + (uint64_t)WAIT_MS * 1000000u;
    struct ch_doorbell_ring knock = ring_of(0);
    knock.type = ch_text_of("knock");
    while (nng_recvmsg(subscriber, &heard, NNG_FLAG_NONBLOCK) != 0) {
        assert_true(ch_clock_monotonic_ns() < until_ns);
        knock.seq++;
        ch_doorbell_ring(world->doorbell, &knock);
        sched_yield();
    }
    nng_msg_free(heard);
    knock.seq++;
    knock.type = ch_text_of("last knock");
    ch_doorbell_ring(world->doorbell, &knock);
    hear(subscriber, &knock); /* and nothing is on its way, when it is closed now */
    *ret = subscriber;
    return knock.seq;
}

static void a_subscriber_hears_every_ring_in_order(void **state)
{
    struct world *world = *state;
    nng_socket subscriber;
    uint64_t last = subscribe(world, &subscriber);
    for (uint64_t seq = last + 1; seq <= last + 1000; seq++) { /* as after one commit */
        struct ch_doorbell_ring ring = ring_of(seq);
        ch_doorbell_ring(world->doorbell, &ring);
    }
    for (uint64_t seq = last + 1; seq <= last + 1000; seq++) {
        struct ch_doorbell_ring ring = ring_of(seq);
        hear(subscriber, &ring);
    }
    assert_int_equal(ch_doorbell_counters(world->doorbell).failures, 0);
    leave(subscriber);
}

static void the_largest_ring_fits(void **state)
{
    struct world *world = *state;
    nng_socket subscriber;
    char type[CH_DOORBELL_TYPE_BYTES_MAX + 1];
    memset(type, 't', sizeof type - 1);
    type[sizeof type - 1] = '\0';
    subscribe(world, &subscriber);
    const struct ch_doorbell_ring ring = {
        .seq = UINT64_MAX, .at_ns = UINT64_MAX, .account = UINT64_MAX, .type = ch_text_of(type)};
    ch_doorbell_ring(world->doorbell, &ring);
    hear(subscriber, &ring);
    leave(subscriber);
}

static void a_ring_that_nobody_hears_is_counted(void **state)
{
    struct world *world = *state;
    struct ch_doorbell_ring ring = ring_of(1);
    ch_doorbell_ring(world->doorbell, &ring);
    struct ch_doorbell_counters counters = ch_doorbell_counters(world->doorbell);
    assert_int_equal(counters.unheard, 1);
    assert_int_equal(counters.rung, 0);
    assert_int_equal(counters.subscribers, 0);
}

static void a_subscriber_that_does_not_read_stops_nobody(void **state)
{
    struct world *world = *state;
    nng_socket deaf;
    uint64_t last = subscribe(world, &deaf);
    for (uint64_t i = 1; i <= 50000; i++) {
        struct ch_doorbell_ring ring = ring_of(last + i);
        ch_doorbell_ring(world->doorbell, &ring);
    }
    assert_int_equal(ch_doorbell_counters(world->doorbell).failures, 0);
    assert_int_equal(ch_doorbell_counters(world->doorbell).rung,
                     last + 50000 - ch_doorbell_counters(world->doorbell).unheard);
    leave(deaf);
}

static void subscribers_come_and_go(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 5; i++) {
        nng_socket subscriber;
        subscribe(world, &subscriber);
        assert_int_equal(ch_doorbell_counters(world->doorbell).subscribers, 1);
        leave(subscriber);
        uint64_t until_ns = ch_clock_monotonic_ns() + (uint64_t)WAIT_MS * 1000000u;
        while (ch_doorbell_counters(world->doorbell).subscribers != 0) {
            assert_true(ch_clock_monotonic_ns() < until_ns);
            sched_yield();
        }
    }
}

static void tls_without_a_ca_file_is_refused(void **state)
{
    (void)state;
    const struct ch_listen_options options = {.tls_certificate_file = "/dev/null"};
    struct ch_doorbell *none = NULL;
    struct ch_why why = {0};
    assert_int_equal(ch_doorbell_open("tls+tcp://127.0.0.1:0", &options, &none, &why),
                     CH_ERR_CONFIG);
    assert_non_null(strstr(why.text, "CA file"));
    assert_null(none);
    ch_doorbell_close(NULL);
}

static void the_socket_file_is_for_owner_and_group(void **state)
{
    struct world *world = *state;
    struct stat found;
    assert_string_equal(ch_doorbell_url(world->doorbell), world->url);
    assert_int_equal(stat(world->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(a_subscriber_hears_every_ring_in_order),
        WITH_WORLD(the_largest_ring_fits),
        WITH_WORLD(a_ring_that_nobody_hears_is_counted),
        WITH_WORLD(subscribers_come_and_go),
        WITH_WORLD(the_socket_file_is_for_owner_and_group),
        cmocka_unit_test(tls_without_a_ca_file_is_refused),
        /* last: its client closes while rings come in, after which nng may not close anything */
        WITH_WORLD(a_subscriber_that_does_not_read_stops_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
