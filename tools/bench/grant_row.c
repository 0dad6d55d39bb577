/* grant_row: see grant_row.h. SPDX-License-Identifier: MIT */
#include "tools/bench/grant_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schema/base/check.h"
#include "schema/pack.h"
#include "schema/request.h"
#include "tools/bench/answer.h"
#include "tools/bench/daemon.h"
#include "tools/bench/population.h"

/* 10 masters of 100 people each. A share takes at most 4,096 grants (LIMIT_GRANTS_OF_SHARE), so
 * after 4 million commands the same resources come again, with the other scope. */
enum { ACCOUNTS = 10, USERS = 1000, RESOURCES = 4000, STEP = 7919, RESOURCE_BYTES = 13 };

static const char scope_even[] = "lists.update";
static const char scope_odd[] = "lists.delete"; /* as long, so that it is patched in place */

/* Where in the message the values of a call stand. */
struct place {
    size_t account;
    size_t user;
    size_t resource;
    size_t scope;
};

struct run {
    const struct ch_grant_row *row;
    struct ch_population population;
    struct ch_buf template;
    size_t id_at;
    struct place places[CH_GRANT_CALLS_MAX];
    uint64_t begin; /* number of the first command */
};

/* An id in its five-byte form, so that any other fits in its place; the wire takes any form. */
static void patch_id(uint8_t *at, uint64_t id)
{
    CH_CHECK(id <= UINT32_MAX);
    at[0] = 0xce; /* uint 32, github.com/msgpack/msgpack/blob/master/spec.md */
    for (int i = 0; i < 4; i++) {
        at[1 + i] = (uint8_t)(id >> (24 - 8 * i));
    }
}

static size_t pack_id(struct ch_buf *buf, const char *key)
{
    static const uint8_t room[5];
    ch_pack_chars(buf, key);
    size_t at = buf->len;
    ch_buf_put(buf, room, sizeof room);
    return at;
}

/* The place of the bytes of a short text, behind its head. */
static size_t pack_text(struct ch_buf *buf, const char *text)
{
    ch_pack_chars(buf, text);
    return buf->len - strlen(text);
}

static void make_template(struct ch_buf *buf, uint32_t calls, size_t *ret_id_at,
                          struct place places[CH_GRANT_CALLS_MAX])
{
    uint8_t id[CH_ANSWER_ID_BYTES];
    memset(id, 0xa5, sizeof id); /* found again below */
    ch_request_begin(buf, &(struct ch_request_head){.id = id}, calls);
    *ret_id_at = 0;
    while (!buf->failed && memcmp(buf->ptr + *ret_id_at, id, sizeof id) != 0) {
        (*ret_id_at)++;
    }
    for (uint32_t i = 0; i < calls; i++) {
        ch_pack_map(buf, 3);
        ch_pack_chars(buf, "type");
        ch_pack_chars(buf, "share.grant");
        places[i].account = pack_id(buf, "on");
        ch_pack_chars(buf, "args");
        ch_pack_map(buf, 4);
        places[i].user = pack_id(buf, "user");
        ch_pack_chars(buf, "kind");
        ch_pack_chars(buf, "list");
        ch_pack_chars(buf, "resource");
        places[i].resource = pack_text(buf, "list-00000000");
        ch_pack_chars(buf, "scopes");
        ch_pack_array(buf, 1);
        places[i].scope = pack_text(buf, scope_even);
    }
}

static void patch_call(const struct run *run, uint8_t *bytes, const struct place *place,
                       uint64_t number)
{
    const uint64_t person = number * STEP % USERS; /* STEP and USERS share no divisor */
    const uint64_t pass = number / USERS / RESOURCES;
    uint64_t resource = number / USERS % RESOURCES;
    const struct ch_population *population = &run->population;
    patch_id(bytes + place->account, population->accounts[person % ACCOUNTS]);
    patch_id(bytes + place->user, population->users[person]);
    for (size_t i = RESOURCE_BYTES; resource > 0; resource /= 10) {
        bytes[place->resource + --i] = (uint8_t)('0' + resource % 10);
    }
    memcpy(bytes + place->scope, pass % 2 == 0 ? scope_even : scope_odd, strlen(scope_even));
}

static void make(void *context, struct ch_load_turn *turn)
{
    const struct run *run = context;
    const struct ch_grant_row *row = run->row;
    struct ch_buf *request = &turn->request;
    ch_buf_reset(request);
    ch_buf_put(request, run->template.ptr, run->template.len);
    if (request->failed) return;
    ch_answer_id(request->ptr + run->id_at, run->begin, turn);
    for (uint32_t i = 0; i < row->calls; i++) {
        uint64_t number =
            run->begin + (turn->serial * row->calls + i) * row->in_flight + turn->slot;
        patch_call(run, request->ptr, &run->places[i], number);
    }
}

static enum ch_load_verdict look(void *context, struct ch_load_turn *turn, struct ch_bytes reply,
                                 struct ch_why *why)
{
    const struct run *run = context;
    return ch_answer_look(turn->request.ptr + run->id_at, turn, reply, why);
}

static enum ch_err load(struct run *run, const char *url, struct ch_load_result *ret,
                        struct ch_why *why)
{
    const struct ch_grant_row *row = run->row;
    struct ch_load_config config = {
        .url = url,
        .in_flight = row->in_flight,
        .calls = row->calls,
        .warm_up_seconds = row->options->warm_up_seconds,
        .seconds = row->options->seconds,
        .ops = {.make = make, .look = look, .context = run},
    };
    make_template(&run->template, row->calls, &run->id_at, run->places);
    if (run->template.failed) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a message");
    return ch_load_run(&config, ret, why);
}

/* The log grew by at least what was counted; warm-up and the last answers come on top. */
static enum ch_err check_events(struct charter *connection, uint64_t before,
                                const struct ch_load_result *result, struct ch_why *why)
{
    struct ch_daemon_status status = {0};
    enum ch_err err = ch_daemon_status(connection, &status, why);
    if (err != CH_OK || status.revision - before >= result->operations) return err;
    return ch_fail(why, CH_ERR_NET_IO, 0,
                   "%" PRIu64 " commands were answered, but only %" PRIu64 " events were appended",
                   result->operations, status.revision - before);
}

enum ch_err ch_grant_row_run(void *context, struct ch_sample *ret, struct ch_why *why)
{
    const struct ch_grant_row *row = context;
    CH_CHECK(row->calls >= 1 && row->calls <= CH_GRANT_CALLS_MAX);
    struct run run = {.row = row};
    struct ch_daemon daemon = {0};
    struct charter *connection = NULL;
    struct ch_daemon_status status;
    struct ch_load_result result = {0};
    enum ch_err err = ch_daemon_init(row->options, row->workdir, &daemon, why);
    if (err == CH_OK) err = ch_daemon_start(&daemon, &connection, why);
    if (err == CH_OK) {
        err = ch_population_make(connection, ACCOUNTS, USERS, NULL, &run.population, why);
    }
    if (err == CH_OK) err = ch_daemon_status(connection, &status, why);
    if (err == CH_OK) err = load(&run, daemon.url, &result, why);
    if (err == CH_OK) err = check_events(connection, status.revision, &result, why);
    charter_close(connection);
    if (err == CH_OK) err = ch_daemon_stop(&daemon, why);
    ch_daemon_discard(&daemon);
    ch_population_deinit(&run.population);
    ch_buf_deinit(&run.template);
    if (err == CH_OK) *ret = ch_load_sample(&result);
    return err;
}

struct ch_grants {
    struct ch_grant_row row;
    struct run run;
};

enum ch_err ch_grants_create(const struct ch_options *options, uint32_t in_flight,
                             struct charter *connection, struct ch_grants **ret, struct ch_why *why)
{
    struct ch_grants *grants = calloc(1, sizeof *grants);
    if (grants == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a load");
    grants->row = (struct ch_grant_row){.options = options, .in_flight = in_flight, .calls = 1};
    grants->run.row = &grants->row;
    enum ch_err err =
        ch_population_make(connection, ACCOUNTS, USERS, NULL, &grants->run.population, why);
    if (err != CH_OK) {
        ch_grants_destroy(grants);
        return err;
    }
    *ret = grants;
    return CH_OK;
}

void ch_grants_destroy(struct ch_grants *grants)
{
    if (grants == NULL) return;
    ch_population_deinit(&grants->run.population);
    ch_buf_deinit(&grants->run.template);
    free(grants);
}

enum ch_err ch_grants_run(struct ch_grants *grants, const char *url, struct ch_sample *ret,
                          struct ch_why *why)
{
    struct ch_load_result result = {0};
    ch_buf_reset(&grants->run.template);
    enum ch_err err = load(&grants->run, url, &result, why);
    if (err != CH_OK) return err;
    /* The warm-up's are not among the operations; what comes twice is taken, too. */
    grants->run.begin += 2 * result.operations;
    *ret = ch_load_sample(&result);
    return CH_OK;
}

size_t ch_grant_row_message_bytes(uint32_t calls)
{
    struct place places[CH_GRANT_CALLS_MAX];
    struct ch_buf buf = {0};
    size_t id_at;
    make_template(&buf, calls, &id_at, places);
    size_t bytes = buf.len;
    ch_buf_deinit(&buf);
    return bytes;
}
