/* bare_row: see bare_row.h. SPDX-License-Identifier: MIT */
#include "tools/bench/bare_row.h"

#include <stdio.h>

#include "schema/base/check.h"
#include "tools/bench/load.h"

enum { CONTEXTS_LEAST = 4, CONTEXTS_MOST = 256, STAMP_BYTES = 16 };

/* Slot and serial, so that an answer to another request is noticed. */
static void stamp(uint8_t out[STAMP_BYTES], const struct ch_load_turn *turn)
{
    ch_put_be64(out, turn->slot);
    ch_put_be64(out + 8, turn->serial);
}

static void make(void *context, struct ch_load_turn *turn)
{
    const struct ch_bare_row *row = context;
    struct ch_buf *request = &turn->request;
    if (request->len == 0) {
        /* Any bytes do; these are no run of one value, in case a disk below compresses. */
        for (size_t i = 0; i < row->calls * row->record_bytes; i++) {
            uint8_t byte = (uint8_t)(i * 167 + (i >> 8) * 59 + turn->slot);
            ch_buf_put(request, &byte, 1);
        }
    }
    if (!request->failed) stamp(request->ptr, turn);
}

static enum ch_load_verdict look(void *context, struct ch_load_turn *turn, struct ch_bytes reply,
                                 struct ch_why *why)
{
    (void)context;
    uint8_t wanted[STAMP_BYTES];
    stamp(wanted, turn);
    if (reply.len == turn->request.len && memcmp(reply.ptr, wanted, sizeof wanted) == 0) {
        return CH_LOAD_DONE;
    }
    (void)ch_fail(why, CH_ERR_NET_IO, 0, "an answer of %zu bytes is not that to its request",
                  reply.len);
    return CH_LOAD_FAILED;
}

static uint32_t contexts_of(const struct ch_bare_row *row)
{
    if (row->contexts > 0) return row->contexts;
    if (row->in_flight < CONTEXTS_LEAST) return CONTEXTS_LEAST;
    return row->in_flight > CONTEXTS_MOST ? CONTEXTS_MOST : row->in_flight;
}

static enum ch_err load(const struct ch_bare_row *row, const char *url, struct ch_sample *ret,
                        struct ch_why *why)
{
    struct ch_bare_row copy = *row;
    struct ch_load_config config = {
        .url = url,
        .in_flight = row->in_flight,
        .calls = row->calls,
        .warm_up_seconds = row->warm_up_seconds,
        .seconds = row->seconds,
        .ops = {.make = make, .look = look, .context = &copy},
    };
    struct ch_load_result result;
    enum ch_err err = ch_load_run(&config, &result, why);
    if (err == CH_OK) *ret = ch_load_sample(&result);
    return err;
}

enum ch_err ch_bare_row_run(void *context, struct ch_sample *ret, struct ch_why *why)
{
    const struct ch_bare_row *row = context;
    CH_CHECK(row->record_bytes >= STAMP_BYTES && row->calls >= 1);
    char socket[CH_WORKDIR_NAME_BYTES];
    char url[CH_WORKDIR_NAME_BYTES + 8];
    char dir[CH_WORKDIR_NAME_BYTES];
    ch_workdir_name(row->workdir, "bare.ipc", socket);
    ch_workdir_name(row->workdir, "bare", dir);
    (void)snprintf(url, sizeof url, "ipc://%s", socket);
    struct ch_serve serve = {.kind = row->kind,
                             .url = url,
                             .dir = dir,
                             .contexts = contexts_of(row),
                             .record_bytes = row->record_bytes};
    struct ch_child child = {0};
    enum ch_err err = ch_workdir_make(dir, why);
    if (err != CH_OK) return err;
    err = ch_serve_start(&serve, &child, why);
    if (err == CH_OK) err = load(row, url, ret, why);
    bool ended_well = ch_child_stop(&child);
    if (err == CH_OK && !ended_well) {
        err = ch_fail(why, CH_ERR_NET_IO, 0, "the server at %s did not end in order", url);
    }
    ch_workdir_remove(dir);
    ch_workdir_remove(socket);
    return err;
}
