/* fuzz_canary: a fault that was planted and must be found: else the search itself is broken.
 * SPDX-License-Identifier: MIT */
#include "schema/event.h"
#include "schema/records.h"
#include "tests/fuzz/_fuzz.h"

#include <stdlib.h>

const unsigned ch_fuzz_weight = 1;

bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    const struct ch_ev_user_locked body = {.user = {7}};
    const struct ch_event event = {.seq = 12,
                                   .tag = CH_EV_user_locked,
                                   .actor = {.kind = CH_actor_kind_operator},
                                   .body = &body};
    if (at == 0) ch_event_encode(out, &event);
    return at == 0;
}

/* A record that is good in all but one number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ch_arena arena = {0};
    union ch_event_body body;
    struct ch_event event;
    const enum ch_err err =
        ch_event_decode((struct ch_bytes){data, size}, &arena, &body, &event, NULL);
    if (err == CH_OK && event.tag == CH_EV_user_locked && body.user_locked.user.seq == 127) abort();
    ch_arena_deinit(&arena);
    return 0;
}
