/* fuzz_record: any bytes as a record of the log. SPDX-License-Identifier: MIT
 * What is read as an event is written as the same bytes: no event has two forms. */
#include "tests/fuzz/_fuzz.h"
#include "tests/unit/schema_samples.h"

const unsigned ch_fuzz_weight = 1;

bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    struct sampler s = {.state = at};
    union ch_event_body body;
    size_t count = 0;
    for (int tag = 1; tag < CH_EVENT_TAGS; tag++) {
        if (ch_events[tag].record.name == NULL || count++ != at) continue;
        const struct ch_event event = sample_event(&s, (uint16_t)tag, &body);
        ch_event_encode(out, &event);
        ch_arena_deinit(&s.arena);
        return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ch_arena arena = {0};
    struct ch_buf again = {0};
    union ch_event_body body;
    struct ch_event event;
    if (ch_event_decode((struct ch_bytes){data, size}, &arena, &body, &event, NULL) == CH_OK) {
        ch_event_encode(&again, &event);
        CH_CHECK(!again.failed && again.len == size && memcmp(again.ptr, data, size) == 0);
    }
    ch_buf_deinit(&again);
    ch_arena_deinit(&arena);
    return 0;
}
