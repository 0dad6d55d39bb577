/* test_client: libcharter against a small server of the test's own, behind charterd's ingress.
 * SPDX-License-Identifier: MIT
 * The server answers each call with the number of calls it has seen, except as `plan` says. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "client/include/charter/charter.h"
#include "daemon/edge/ingress.h"
#include "schema/pack.h"
#include "schema/reply.h"
#include "schema/request.h"

enum { PATH_BYTES = 96, ARRIVALS = 16 };

/* What the server does with the messages to come; set before they are sent. */
struct plan {
    unsigned busy;     /* answers busy so many times */
    unsigned silent;   /* then gives so many messages no answer */
    uint64_t page_end; /* events.read: the last event there is */
};

struct world {
    char folder[PATH_BYTES];
    char url[PATH_BYTES + 16];
    struct ch_ingress *ingress; /* the thread's, while it runs */
    int stop_fd;                /* readable: the thread ends */
    pthread_t thread;
    pthread_mutex_t lock;
    struct plan plan;
    uint64_t messages;
    uint64_t calls;
    uint8_t last_id[16];
    bool same_id; /* every message had the id of the one before */
};

static void answer_events(struct ch_buf *out, const struct ch_qry_events_read *args, uint64_t end)
{
    const uint64_t from = args->has_from ? args->from : 1;
    const uint64_t limit = args->has_limit ? args->limit : 100;
    uint64_t to = from + limit - 1 < end ? from + limit - 1 : end;
    if (from > end) to = from - 1;
    ch_pack_map(out, 3);
    ch_pack_chars(out, "events");
    ch_pack_array(out, to + 1 - from);
    for (uint64_t seq = from; seq <= to; seq++) {
        ch_pack_map(out, 3);
        ch_pack_chars(out, "seq");
        ch_pack_uint(out, seq);
        ch_pack_chars(out, "type");
        ch_pack_chars(out, "share_given");
        ch_pack_chars(out, "at");
        ch_pack_chars(out, "2020-01-01T00:00:00Z");
    }
    ch_pack_chars(out, "next");
    ch_pack_uint(out, to + 1);
    ch_pack_chars(out, "head");
    ch_pack_uint(out, end);
}

static void answer_call(struct world *world, const struct ch_call *call, struct ch_buf *out)
{
    world->calls++;
    if (call->why != NULL) {
        ch_reply_failure(out, call->why);
    } else if (call->type == CH_CMD_user_lock) {
        const struct ch_reject reject = {.code = CH_REJ_not_found, .field = "user"};
        ch_reply_rejection(out, &reject);
    } else if (call->type == CH_QRY_events_read) {
        ch_reply_result_head(out);
        answer_events(out, call->args, world->plan.page_end);
    } else {
        ch_reply_result_head(out);
        ch_pack_map(out, 2);
        ch_pack_chars(out, "seq");
        ch_pack_uint(out, world->calls);
        ch_pack_chars(out, "type");
        ch_pack_chars(out, ch_calls[call->type].args.name);
    }
}

/* The reply to one message; false: none. */
static bool answer(struct world *world, struct ch_bytes bytes, struct ch_buf *out)
{
    struct ch_arena arena = {0};
    struct ch_request request;
    struct ch_why why = {0};
    bool any = true;
    enum ch_err err = ch_request_decode(bytes, &arena, &request, &why);
    world->same_id = world->messages == 0 || memcmp(request.id, world->last_id, 16) == 0;
    memcpy(world->last_id, request.id, 16);
    world->messages++;
    if (err != CH_OK) {
        ch_reply_error(out, NULL, 0, &why);
    } else if (world->plan.busy > 0) {
        world->plan.busy--;
        (void)ch_fail(&why, CH_ERR_BUSY, 0, "too many");
        ch_reply_error(out, request.id, 0, &why);
    } else if (world->plan.silent > 0) {
        world->plan.silent--;
        any = false;
    } else {
        ch_reply_begin(out, request.id, true, 42, request.call_count);
        for (uint32_t i = 0; i < request.call_count; i++) {
            answer_call(world, &request.calls[i], out);
        }
    }
    ch_arena_deinit(&arena);
    return any;
}

static void serve_one(struct world *world, const struct ch_ingress_arrival *arrival)
{
    struct ch_buf out = {0};
    (void)pthread_mutex_lock(&world->lock);
    const bool any = answer(world, arrival->message, &out);
    (void)pthread_mutex_unlock(&world->lock);
    const struct ch_bytes reply = ch_buf_view(&out);
    struct ch_why why;
    if (!any || ch_ingress_reply(world->ingress, arrival->slot, &reply, 1, &why) != CH_OK) {
        ch_ingress_drop(world->ingress, arrival->slot);
    }
    ch_buf_deinit(&out);
}

static void *serve(void *context)
{
    struct world *world = context;
    struct pollfd ready[2] = {{.fd = ch_ingress_fd(world->ingress), .events = POLLIN},
                              {.fd = world->stop_fd, .events = POLLIN}};
    while (poll(ready, 2, -1) > 0 && ready[1].revents == 0) {
        struct ch_ingress_arrival arrivals[ARRIVALS];
        const size_t count = ch_ingress_drain(world->ingress, arrivals, ARRIVALS);
        for (size_t i = 0; i < count; i++) {
            serve_one(world, &arrivals[i]);
        }
        ch_ingress_flush(world->ingress);
    }
    return NULL;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    (void)snprintf(world->folder, sizeof world->folder, "/tmp/ch-client-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->url, sizeof world->url, "ipc://%.80s/sock", world->folder);
    (void)pthread_mutex_init(&world->lock, NULL);
    const char *const urls[] = {world->url};
    const struct ch_ingress_options options = {.urls = urls, .url_count = 1};
    struct ch_why why;
    if (ch_ingress_open(&options, &world->ingress, &why) != CH_OK) fail_msg("%s", why.text);
    world->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(world->stop_fd >= 0);
    assert_int_equal(pthread_create(&world->thread, NULL, serve, world), 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    const uint64_t one = 1;
    assert_int_equal(write(world->stop_fd, &one, sizeof one), sizeof one);
    (void)pthread_join(world->thread, NULL);
    ch_ingress_close(world->ingress);
    (void)close(world->stop_fd);
    (void)rmdir(world->folder);
    (void)pthread_mutex_destroy(&world->lock);
    free(world);
    return 0;
}

static struct charter *connect_to(const struct world *world, struct charter_options options)
{
    struct charter *c = NULL;
    struct charter_error error;
    if (charter_connect(world->url, &options, &c, &error) != 0) fail_msg("%s", error.text);
    return c;
}

static void plan(struct world *world, struct plan plan)
{
    (void)pthread_mutex_lock(&world->lock);
    world->plan = plan;
    (void)pthread_mutex_unlock(&world->lock);
}

static uint64_t messages_of(struct world *world)
{
    (void)pthread_mutex_lock(&world->lock);
    const uint64_t messages = world->messages;
    (void)pthread_mutex_unlock(&world->lock);
    return messages;
}

static bool had_same_id(struct world *world)
{
    (void)pthread_mutex_lock(&world->lock);
    const bool same = world->same_id;
    (void)pthread_mutex_unlock(&world->lock);
    return same;
}

static struct charter_message *message_of(const char *type)
{
    struct charter_message *m = charter_message_create(NULL);
    assert_non_null(m);
    charter_message_call(m, &(struct charter_call_head){.type = type});
    return m;
}

static void client_gets_a_result_for_each_call_in_order(void **state)
{
    struct world *world = *state;
    struct charter *c = connect_to(world, (struct charter_options){0});
    struct charter_message *m = message_of("status");
    charter_message_call(m, &(struct charter_call_head){.type = "user.lock"});
    charter_arg_text(m, "user", "eve");
    charter_message_call(m, &(struct charter_call_head){.type = "user.create"});
    charter_args_json(m, "{\"username\": \"eve\"}");
    charter_message_call(m, &(struct charter_call_head){.type = "user.create"});
    charter_arg_uint(m, "username", 7);
    assert_int_equal(charter_message_calls(m), 4);

    struct charter_reply *reply = NULL;
    struct charter_error error;
    if (charter_call(c, m, &reply, &error) != 0) fail_msg("%s", error.text);
    assert_int_equal(charter_reply_count(reply), 4);
    assert_int_equal(charter_reply_seq(reply), 42);
    const struct charter_result *result = charter_reply_result(reply, 0);
    struct charter_text type;
    uint64_t seq;
    assert_int_equal(result->outcome, CHARTER_RESULT);
    assert_true(charter_get_uint(result->value, "seq", &seq));
    assert_int_equal(seq, 1);
    assert_true(charter_get_text(result->value, "type", &type));
    assert_int_equal(type.len, 6);
    assert_false(charter_get_uint(result->value, "type", &seq));
    result = charter_reply_result(reply, 1);
    assert_int_equal(result->outcome, CHARTER_REJECTION);
    assert_memory_equal(result->code.ptr, "not_found", result->code.len);
    assert_memory_equal(result->field.ptr, "user", result->field.len);
    assert_int_equal(charter_reply_result(reply, 2)->outcome, CHARTER_RESULT);
    result = charter_reply_result(reply, 3);
    assert_int_equal(result->outcome, CHARTER_FAILURE);
    assert_memory_equal(result->code.ptr, "wrong_kind", result->code.len);
    char *json = charter_json(charter_reply_result(reply, 0)->value, 0);
    assert_string_equal(json, "{\"seq\":1,\"type\":\"status\"}");
    free(json);
    charter_reply_destroy(reply);
    charter_message_destroy(m);
    charter_close(c);
}

static void client_keeps_many_messages_in_flight_and_gives_each_its_reply(void **state)
{
    struct world *world = *state;
    enum { IN_FLIGHT = 16, MESSAGES = 200 };
    struct charter *c = connect_to(world, (struct charter_options){.in_flight = IN_FLIGHT});
    bool seen[MESSAGES] = {false};
    struct charter_error error;
    uint64_t sent = 0;
    uint64_t collected = 0;
    while (collected < MESSAGES) {
        while (sent < MESSAGES && charter_in_flight(c) < IN_FLIGHT) {
            struct charter_message *m = message_of("status");
            assert_int_equal(charter_submit(c, m, sent++, &error), 0);
            charter_message_destroy(m);
        }
        uint64_t tag;
        struct charter_reply *reply = NULL;
        if (charter_collect(c, &tag, &reply, &error) != 0) fail_msg("%s", error.text);
        assert_true(tag < MESSAGES && !seen[tag]);
        seen[tag] = true;
        collected++;
        charter_reply_destroy(reply);
    }
    assert_int_equal(charter_in_flight(c), 0);
    charter_close(c);
}

static void client_refuses_more_messages_than_may_be_in_flight(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.silent = 100});
    struct charter *c = connect_to(world, (struct charter_options){.in_flight = 2});
    struct charter_error error;
    for (uint64_t i = 0; i < 3; i++) {
        struct charter_message *m = message_of("status");
        const int number = charter_submit(c, m, i, &error);
        assert_int_equal(number, i < 2 ? 0 : CH_ERR_BUSY);
        charter_message_destroy(m);
    }
    assert_string_equal(error.code, "busy");
    charter_close(c); /* gives up what is in flight */
}

/* nng 1.5.2 hangs when it closes a connection on which an answer is coming in. */
static void client_can_be_closed_while_answers_come_in(void **state)
{
    struct world *world = *state;
    enum { TIMES = 40, IN_FLIGHT = 8 };
    struct charter_error error;
    for (int i = 0; i < TIMES; i++) {
        struct charter *c = connect_to(world, (struct charter_options){.in_flight = IN_FLIGHT});
        for (uint64_t tag = 0; tag < IN_FLIGHT; tag++) {
            struct charter_message *m = message_of("status");
            assert_int_equal(charter_submit(c, m, tag, &error), 0);
            charter_message_destroy(m);
        }
        charter_close(c);
    }
}

static void client_sends_a_busy_message_again_with_the_same_id(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.busy = 3});
    struct charter *c = connect_to(world, (struct charter_options){0});
    struct charter_message *m = message_of("status");
    struct charter_reply *reply = NULL;
    struct charter_error error;
    if (charter_call(c, m, &reply, &error) != 0) fail_msg("%s", error.text);
    assert_int_equal(messages_of(world), 4);
    assert_true(had_same_id(world));
    assert_memory_equal(world->last_id, charter_message_id(m), 16);
    charter_reply_destroy(reply);
    charter_message_destroy(m);
    charter_close(c);
}

static void client_answers_busy_when_it_never_ends(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.busy = 1000000});
    struct charter *c = connect_to(world, (struct charter_options){.timeout_ms = 2000});
    struct charter_message *m = message_of("status");
    struct charter_reply *reply = NULL;
    struct charter_error error;
    assert_int_equal(charter_call(c, m, &reply, &error), CH_ERR_BUSY);
    assert_string_equal(error.code, "busy");
    charter_message_destroy(m);
    charter_close(c);
}

static void client_times_out_and_the_same_message_can_be_sent_again(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.silent = 1});
    struct charter *c = connect_to(world, (struct charter_options){.timeout_ms = 1000});
    struct charter_message *m = message_of("status");
    struct charter_reply *reply = NULL;
    struct charter_error error;
    assert_int_equal(charter_call(c, m, &reply, &error), CH_ERR_TIMED_OUT);
    if (charter_call(c, m, &reply, &error) != 0) fail_msg("%s", error.text);
    assert_true(had_same_id(world));
    charter_reply_destroy(reply);
    charter_message_destroy(m);
    charter_close(c);
}

/* nng 1.5.2 says of an aio that has slept that it was done well when it timed out. */
static void client_times_out_after_a_busy_answer_too(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.busy = 2, .silent = 1000});
    struct charter *c = connect_to(world, (struct charter_options){.timeout_ms = 300});
    struct charter_message *m = message_of("status");
    struct charter_reply *reply = NULL;
    struct charter_error error;
    assert_int_equal(charter_call(c, m, &reply, &error), CH_ERR_TIMED_OUT);
    assert_string_equal(error.code, "timed_out");
    charter_message_destroy(m);
    charter_close(c);
}

static void client_resends_by_itself_what_gets_no_answer(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.silent = 1});
    struct charter *c = connect_to(world, (struct charter_options){.resend_ms = 50});
    struct charter_message *m = message_of("status");
    struct charter_reply *reply = NULL;
    struct charter_error error;
    if (charter_call(c, m, &reply, &error) != 0) fail_msg("%s", error.text);
    assert_true(messages_of(world) >= 2);
    assert_true(had_same_id(world));
    charter_reply_destroy(reply);
    charter_message_destroy(m);
    charter_close(c);
}

static void client_refuses_a_message_that_is_too_large_before_sending_it(void **state)
{
    struct world *world = *state;
    struct charter *c = connect_to(world, (struct charter_options){0});
    struct charter_message *m = message_of("status");
    char *large = calloc(1, (1 << 20) + 1);
    assert_non_null(large);
    memset(large, 'x', 1 << 20);
    charter_arg_text(m, "state_hash", large);
    struct charter_reply *reply = NULL;
    struct charter_error error;
    assert_int_equal(charter_call(c, m, &reply, &error), CH_ERR_TOO_LARGE);
    assert_int_equal(messages_of(world), 0);
    free(large);
    charter_message_destroy(m);
    charter_close(c);
}

static void client_refuses_a_message_without_calls_and_bad_json(void **state)
{
    struct world *world = *state;
    struct charter *c = connect_to(world, (struct charter_options){0});
    struct charter_reply *reply = NULL;
    struct charter_error error;
    struct charter_message *m = charter_message_create(NULL);
    assert_int_equal(charter_call(c, m, &reply, &error), CH_ERR_OUT_OF_BOUNDS);
    charter_message_call(m, &(struct charter_call_head){.type = "user.create"});
    charter_args_json(m, "{\"user_name\": 1}");
    assert_int_equal(charter_call(c, m, &reply, &error), CH_ERR_UNKNOWN_FIELD);
    assert_string_equal(error.field, "user_name");
    assert_int_equal(messages_of(world), 0);
    charter_message_destroy(m);
    charter_close(c);
}

static void client_says_so_when_nobody_listens(void **state)
{
    (void)state;
    struct charter *c = NULL;
    struct charter_error error;
    assert_int_equal(charter_connect("ipc:///nonexistent/ch-client", NULL, &c, &error),
                     CH_ERR_NET_IO);
    assert_null(c);
    assert_string_equal(error.code, "net_io");
    assert_int_equal(charter_connect("no url", NULL, &c, &error), CH_ERR_CONFIG);
    assert_null(c);
}

struct heard {
    uint64_t next;
    uint64_t most;
};

static bool hear(void *context, const struct charter_event *event)
{
    struct heard *heard = context;
    assert_int_equal(event->seq, heard->next);
    heard->next++;
    return heard->next <= heard->most;
}

static void client_reads_events_page_by_page_without_gaps(void **state)
{
    struct world *world = *state;
    plan(world, (struct plan){.page_end = 2345});
    struct charter *c = connect_to(world, (struct charter_options){0});
    struct charter_error error;
    uint64_t next = 0;
    struct heard heard = {.next = 1, .most = UINT64_MAX};
    const struct charter_events_options all = {.page = 100};
    if (charter_events(c, &all, hear, &heard, &next, &error) != 0) fail_msg("%s", error.text);
    assert_int_equal(heard.next, 2346);
    assert_int_equal(next, 2346);
    heard = (struct heard){.next = 7, .most = 150};
    const struct charter_events_options some = {.from = 7, .page = 100, .follow = true};
    if (charter_events(c, &some, hear, &heard, &next, &error) != 0) fail_msg("%s", error.text);
    assert_int_equal(next, 151);
    charter_close(c);
}

int main(void)
{
#define WITH_SERVER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(client_gets_a_result_for_each_call_in_order),
        WITH_SERVER(client_keeps_many_messages_in_flight_and_gives_each_its_reply),
        WITH_SERVER(client_refuses_more_messages_than_may_be_in_flight),
        WITH_SERVER(client_can_be_closed_while_answers_come_in),
        WITH_SERVER(client_sends_a_busy_message_again_with_the_same_id),
        WITH_SERVER(client_answers_busy_when_it_never_ends),
        WITH_SERVER(client_times_out_and_the_same_message_can_be_sent_again),
        WITH_SERVER(client_times_out_after_a_busy_answer_too),
        WITH_SERVER(client_resends_by_itself_what_gets_no_answer),
        WITH_SERVER(client_refuses_a_message_that_is_too_large_before_sending_it),
        WITH_SERVER(client_refuses_a_message_without_calls_and_bad_json),
        cmocka_unit_test(client_says_so_when_nobody_listens),
        WITH_SERVER(client_reads_events_page_by_page_without_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
