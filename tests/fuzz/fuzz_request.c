/* fuzz_request: any bytes as a message to the daemon. SPDX-License-Identifier: MIT
 * A call is read, or carries its own failure with a field; never neither. */
#include "schema/request.h"
#include "tests/fuzz/_fuzz.h"
#include "tests/unit/schema_samples.h"

const unsigned ch_fuzz_weight = 1;

/* One message for every type of call, with arguments by chance. */
bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    static const uint8_t id[16] = {1, 2, 3};
    if (at >= CH_CALL_TYPES) return false;
    const struct ch_call_row *row = &ch_calls[at];
    union {
        uint64_t align;
        uint8_t bytes[4096];
    } args;
    CH_CHECK(row->args.size <= sizeof args);
    struct sampler s = {.state = at, .wire = true};
    sample_record(&s, &row->args, &args);
    const struct ch_request_head head = {.id = id, .as_user_id = at, .each = at % 2 == 0};
    struct ch_call_head call = {.type = ch_text_of(row->args.name)};
    if (row->on) call.on_id = at + 1;
    ch_request_begin(out, &head, 1);
    ch_request_call(out, &call);
    ch_encode_map(out, &row->args, &args);
    ch_arena_deinit(&s.arena);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ch_arena arena = {0};
    struct ch_buf print = {0};
    struct ch_request request;
    struct ch_why why = {0};
    const enum ch_err err =
        ch_request_decode((struct ch_bytes){data, size}, &arena, &request, &why);
    if (err == CH_OK) {
        for (uint32_t i = 0; i < request.call_count; i++) {
            const struct ch_call *call = &request.calls[i];
            CH_CHECK(call->why != NULL || (call->type >= 0 && call->type < CH_CALL_TYPES));
            CH_CHECK(call->why == NULL || call->why->err != CH_OK);
        }
        ch_request_fingerprint(&print, &request);
        CH_CHECK(!print.failed && print.len <= size + sizeof request);
    } else {
        CH_CHECK(why.err == err && why.text[0] != '\0');
    }
    ch_buf_deinit(&print);
    ch_arena_deinit(&arena);
    return 0;
}
