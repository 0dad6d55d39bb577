/* test_line: requests for which the line has no memory. SPDX-License-Identifier: MIT
 * Each is answered, or let go so that its client asks again; none keeps its slot, none is done
 * twice, and no answer lacks a part. Events of its own wait for memory. */
#include "daemon/edge/sp_frame.h"
#include "schema/json.h"
#include "schema/reply.h"
#include "schema/text.h"
#include "tests/unit/line_world.h"

#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

/* ---- an allocator that may fail on this thread -------------------------------------------- */

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 0
#else
#define OWN_ALLOCATOR 1
#endif

static _Thread_local int allocations_left = -1; /* -1: no end */

#if OWN_ALLOCATOR
void *__libc_calloc(size_t count, size_t size);
void *__libc_malloc(size_t size);
void *__libc_realloc(void *ptr, size_t size);

static bool allocation_fails(void)
{
    if (allocations_left < 0) return false;
    if (allocations_left == 0) return true;
    allocations_left--;
    return false;
}

void *calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(count, size);
}

void *malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}

void *realloc(void *ptr, size_t size)
{
    return allocation_fails() ? NULL : __libc_realloc(ptr, size);
}
#endif

/* ---- a client on the loop's own thread ---------------------------------------------------- */

enum { WAIT_NS = 20000000, WAITS_MOST = 1500, IN_BYTES = 1 << 20 };

struct client {
    struct world *world;
    int fd;
    struct ch_loop_watch *watch;
    struct ch_loop_timer *timer;
    struct ch_buf in; /* with room for any reply of these tests */
    bool greeted;
    uint64_t asked;
    unsigned waits, without_slot;
    struct ch_reply reply;
    bool answered;
};

/* The reply that has arrived, if it is whole. */
static void look(struct client *client)
{
    struct ch_sp_frame frame;
    if (!client->greeted || client->answered ||
        ch_sp_read(true, ch_buf_view(&client->in), 0, &frame) != CH_SP_WHOLE) {
        return;
    }
    client->answered = true;
    GOOD(ch_reply_decode(frame.payload, &client->reply, &why));
}

static void read_some(struct client *client)
{
    const ssize_t got = recv(client->fd, client->in.ptr + client->in.len,
                             client->in.cap - client->in.len, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    assert_true(got > 0);
    client->in.len += (size_t)got;
    if (!client->greeted && client->in.len >= CH_SP_GREETING_BYTES) {
        client->greeted = true;
        client->in.len -= CH_SP_GREETING_BYTES;
        ch_loop_stop(client->world->loop);
    }
    look(client);
    if (client->answered) ch_loop_stop(client->world->loop);
}

static void on_readable(void *arg)
{
    read_some(arg);
}

/* No answer comes where the request has had no slot for a whole turn, at whose end all are
 * written. */
static void on_timer(void *arg)
{
    struct client *client = arg;
    struct ch_ingress *ingress = client->world->ingress;
    const bool came = ch_ingress_counters(ingress).received == client->asked;
    read_some(client);
    if (client->greeted && came && ch_ingress_held(ingress) == 0 && client->without_slot++ > 0) {
        ch_loop_stop(client->world->loop);
        return;
    }
    allocations_left = client->waits > 10 ? -1 : allocations_left; /* what waits can go on */
    assert_true(client->waits++ < WAITS_MOST);
    GOOD(ch_loop_timer_set(client->timer, ch_clock_monotonic_ns() + WAIT_NS, &why));
}

static void run_loop(struct client *client)
{
    client->waits = client->without_slot = 0;
    GOOD(ch_loop_timer_set(client->timer, ch_clock_monotonic_ns() + WAIT_NS, &why));
    GOOD(ch_loop_run(client->world->loop, &why));
    assert_int_equal(client->world->line.stop_err, CH_OK);
}

static void join(struct client *client, struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *client = (struct client){.world = world};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.90s/ipc", world->scratch.dir);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(client->fd, "\0SP\0\0\x30\0\0", CH_SP_GREETING_BYTES, 0),
                     CH_SP_GREETING_BYTES);
    assert_true(ch_buf_reserve(&client->in, IN_BYTES));
    GOOD(ch_loop_watch_fd(world->loop, client->fd, on_readable, client, &client->watch, &why));
    GOOD(ch_loop_timer_create(world->loop, on_timer, client, &client->timer, &why));
    while (!client->greeted) {
        run_loop(client);
    }
}

static void leave(struct client *client)
{
    ch_loop_watch_destroy(client->watch);
    ch_loop_timer_destroy(client->timer);
    (void)close(client->fd);
    ch_buf_deinit(&client->in);
}

/* Sends {v, auth, calls, ...}, written as JSON with ' for ", under the id, and waits for what
 * becomes of it.
 * allocations: that succeed until then; -1: all */
static void ask(struct client *client, uint64_t id, const char *json, int allocations)
{
    struct ch_buf bytes = {0};
    uint8_t head[CH_SP_HEAD_BYTES_MAX];
    uint8_t number[16] = {0};
    uint8_t word[4];
    const char *key;
    json_t *value;
    char text[1024];
    const size_t json_len = strlen(json);
    assert_true(json_len < sizeof text);
    for (size_t i = 0; i <= json_len; i++) {
        text[i] = json[i];
        if (json[i] == '\'') text[i] = '"';
    }
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    ch_put_be64(number, id);
    ch_pack_map(&bytes, (uint32_t)json_object_size(tree) + 1);
    ch_pack_chars(&bytes, "id");
    ch_pack_bytes(&bytes, (struct ch_bytes){number, sizeof number});
    json_object_foreach(tree, key, value)
    {
        ch_pack_text(&bytes, ch_text_of(key));
        GOOD(ch_json_pack(&bytes, value, &why));
    }
    json_decref(tree);
    const uint32_t request = (uint32_t)++client->asked | 0x80000000u;
    for (int i = 0; i < 4; i++) {
        word[i] = (uint8_t)(request >> (24 - 8 * i));
    }
    const size_t len = ch_sp_put_head(true, sizeof word + bytes.len, head);
    assert_int_equal(send(client->fd, head, len, 0), len);
    assert_int_equal(send(client->fd, word, sizeof word, 0), sizeof word);
    assert_int_equal(send(client->fd, bytes.ptr, bytes.len, 0), bytes.len);
    ch_buf_deinit(&bytes);
    client->in.len = 0;
    client->answered = false;
    allocations_left = allocations;
    run_loop(client);
    allocations_left = -1;
    assert_int_equal(ch_ingress_held(client->world->ingress), 0);
}

static bool is_ok(const struct client *client)
{
    return client->answered && client->reply.ok;
}

static bool says(const struct client *client, const char *word)
{
    return client->answered && memmem(client->in.ptr, client->in.len, word, strlen(word)) != NULL;
}

/* The reply as far as it is text. */
static const char *text_of(const struct client *client)
{
    static char text[2000];
    size_t len = 0;
    for (size_t i = 0; i < client->in.len && len + 1 < sizeof text; i++) {
        const uint8_t byte = client->in.ptr[i];
        text[len++] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
    }
    text[len] = '\0';
    return text;
}

/* It is refused for want of memory, whole or in one of its calls, or it was let go. */
static void assert_no_memory(const struct client *client)
{
    if (client->answered && !says(client, "out_of_memory") && !says(client, "not_decided")) {
        fail_msg("%s", text_of(client));
    }
}

static uint64_t ids = 1000;

static void done(struct client *client, const char *json)
{
    ask(client, ++ids, json, -1);
    if (!is_ok(client)) fail_msg("%s: %s", json, text_of(client));
}

#define OPERATOR "{'v':1,'auth':['peer'],"
#define AS_MAX "{'v':1,'auth':['as','user','max'],"

static void make_people(struct client *client)
{
    static const char people[] =
        OPERATOR "'calls':[{'type':'user.create','args':{'username':'ann'}},"
                 "{'type':'user.create','args':{'username':'max'}},"
                 "{'type':'user.create','args':{'username':'cleo'}},"
                 "{'type':'account.open_master','args':{'name':'agency','owner':'ann'}},"
                 "{'type':'share.give','on':'agency',"
                 "'args':{'user':'max','role':'account_manager'}}]}";
    static const char given[] = AS_MAX "'calls':[{'type':'share.give','on':'agency',"
                                       "'args':{'user':'cleo','role':'watcher'}}]}";
    done(client, people);
    done(client, given);
}

/* ---- the tests ---------------------------------------------------------------------------- */

/* What each side road of the line has: commands, queries, the past, the worker, a wait, a
 * checkpoint. # is another number for each, @ the seq where it begins. */
static const char *const requests[] = {
    OPERATOR "'calls':[{'type':'group.create','on':'agency','args':{'name':'group-#'}}]}",
    OPERATOR "'mode':'each',"
             "'calls':[{'type':'group.create','on':'agency','args':{'name':'a-#'}},"
             "{'type':'group.create','on':'agency','args':{'name':'b-#'}}]}",
    OPERATOR "'calls':[{'type':'group.list','on':'agency','args':{}}]}",
    AS_MAX "'calls':[{'type':'check','on':'agency',"
           "'args':{'user':'max','scopes':['users.read']}}]}",
    OPERATOR "'as_of':@,'calls':[{'type':'group.list','on':'agency','args':{}}]}",
    OPERATOR "'calls':[{'type':'check','on':'agency',"
             "'args':{'user':'max','scopes':['users.read'],'explain':true}}]}",
    OPERATOR "'calls':[{'type':'status','args':{'state_hash':true}}]}",
    OPERATOR "'calls':[{'type':'events.read','args':{'from':100000,'wait_ms':1}}]}",
    OPERATOR "'calls':[{'type':'checkpoint.make','args':{}}]}",
    OPERATOR "'dry_run':true,"
             "'calls':[{'type':'group.create','on':'agency','args':{'name':'w-#'}},"
             "{'type':'whatif','args':{}}]}",
};

static void fill_in(const char *request, int number, int began, char *out, size_t size)
{
    size_t len = 0;
    for (; *request != '\0'; request++) {
        const bool is_number = *request == '#';
        if (!is_number && *request != '@') {
            out[len++] = *request;
        } else {
            len += (size_t)snprintf(out + len, size - len, "%d", is_number ? number : began);
        }
        assert_true(len + 1 < size);
    }
    out[len] = '\0';
}

static void whichever_allocation_fails_no_slot_is_lost(void **state)
{
    struct world *world = *state;
    struct client client;
    int number = 0;
    if (!OWN_ALLOCATOR) skip();
    join(&client, world);
    make_people(&client);
    const int began = (int)ch_meta(&world->follower.state)->head;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        bool good = false;
        for (int allocations = 0; !good; allocations++) {
            char json[1024];
            assert_true(allocations < 3000);
            fill_in(requests[i], ++number, began, json, sizeof json);
            const uint64_t id = ++ids;
            ask(&client, id, json, allocations);
            good = is_ok(&client);
            if (!good) assert_no_memory(&client);
            ask(&client, id, json, -1); /* the same again, as a client does */
            if (!is_ok(&client)) fail_msg("%s: %s", json, text_of(&client));
        }
    }
    assert_null(ch_invariant_broken(&world->follower.state));
    leave(&client);
}

/* The answer that is made again from the log is whole, or none. */
static void a_repeated_answer_is_whole_or_none(void **state)
{
    struct world *world = *state;
    struct client client;
    static const char end[] =
        OPERATOR "'calls':[{'type':'share.deactivate','on':'agency','args':{'user':'max'}}]}";
    join(&client, world);
    make_people(&client);
    const uint64_t id = ++ids;
    ask(&client, id, end, -1);
    assert_true(is_ok(&client) && says(&client, "made"));
    bool good = false;
    for (size_t bytes = 16; !good; bytes += 16) {
        assert_true(bytes < 100000);
        world->line.arena.limit_bytes = bytes;
        ask(&client, id, end, -1);
        good = is_ok(&client);
        if (good && !says(&client, "made")) fail_msg("with %zu bytes nothing was made", bytes);
        if (!good) assert_no_memory(&client);
    }
    world->line.arena.limit_bytes = 0;
    leave(&client);
}

/* ---- events of its own -------------------------------------------------------------------- */

enum { LOOK_NS = 20000000 };

/* The loop runs, with nobody asking, and what is due is looked at. */
struct watcher {
    struct world *world;
    struct ch_loop_timer *timer;
    uint64_t until_ns;
    uint64_t retry_ns; /* what the line said last: not before this */
    unsigned tries;
};

static void on_look(void *arg)
{
    struct watcher *watcher = arg;
    const uint64_t now = ch_clock_monotonic_ns();
    const uint64_t retry_ns = watcher->world->line.own_retry_ns;
    if (retry_ns != watcher->retry_ns) watcher->tries++;
    watcher->retry_ns = retry_ns;
    if (now >= watcher->until_ns) {
        ch_loop_stop(watcher->world->loop);
        return;
    }
    GOOD(ch_loop_timer_set(watcher->timer, now + LOOK_NS, &why));
}

/* allocations: that succeed until then; -1: all. Returns how often an event of its own was tried in
 * vain. */
static unsigned watch_for(struct world *world, uint64_t ms, int allocations)
{
    struct watcher watcher = {.world = world,
                              .until_ns = ch_clock_monotonic_ns() + ms * 1000000u,
                              .retry_ns = world->line.own_retry_ns};
    GOOD(ch_loop_timer_create(world->loop, on_look, &watcher, &watcher.timer, &why));
    GOOD(ch_loop_timer_set(watcher.timer, ch_clock_monotonic_ns() + LOOK_NS, &why));
    allocations_left = allocations;
    GOOD(ch_loop_run(world->loop, &why));
    allocations_left = -1;
    ch_loop_timer_destroy(watcher.timer);
    assert_int_equal(world->line.stop_err, CH_OK);
    return watcher.tries;
}

static void without_memory_its_own_events_wait_half_a_second(void **state)
{
    enum { SOON_S = 1, TRIED_MS = 1300, AFTER_MS = 700 };
    struct world *world = *state;
    struct client client;
    char json[512];
    if (!OWN_ALLOCATOR) skip();
    join(&client, world);
    make_people(&client);
    char ends[CH_TIME_TEXT_BYTES];
    (void)ch_time_write(ch_clock_now_ns(&world->clock) + SOON_S * 1000000000u, ends);
    (void)snprintf(json, sizeof json,
                   OPERATOR "'calls':[{'type':'user.create','args':{'username':'eve'}},"
                            "{'type':'share.give','on':'agency','args':{'user':'eve',"
                            "'role':'watcher','expires_at':'%s'}}]}",
                   ends);
    done(&client, json);
    leave(&client); /* nobody asks: the loop turns for what is due alone */
    const uint64_t head = ch_meta(&world->follower.state)->head;
    const unsigned tries = watch_for(world, SOON_S * 1000 + TRIED_MS, 0);
    if (tries < 2 || tries > 3) fail_msg("it was tried %u times in 1.3 seconds", tries);
    assert_int_equal(ch_meta(&world->follower.state)->head, head);
    assert_int_equal(watch_for(world, AFTER_MS, -1), 0);
    assert_int_equal(ch_meta(&world->follower.state)->head, head + 1);
    assert_null(ch_invariant_broken(&world->follower.state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whichever_allocation_fails_no_slot_is_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_answer_is_whole_or_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_its_own_events_wait_half_a_second, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
