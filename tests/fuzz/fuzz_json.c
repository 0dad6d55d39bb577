/* fuzz_json: any bytes as JSON arguments of a call, and as a value that is shown as JSON.
 * SPDX-License-Identifier: MIT
 * What is taken from JSON is msgpack that can be shown as JSON again. */
#include "schema/json.h"
#include "tests/fuzz/_fuzz.h"
#include "tests/unit/schema_samples.h"

const unsigned ch_fuzz_weight = 1;

/* First byte: the call's type. */
bool ch_fuzz_seed(size_t at, struct ch_buf *out)
{
    if (at >= CH_CALL_TYPES) return false;
    union {
        uint64_t align;
        uint8_t bytes[4096];
    } args;
    struct sampler s = {.state = at, .wire = true};
    struct ch_buf map = {0};
    const uint8_t type = (uint8_t)at;
    sample_record(&s, &ch_calls[at].args, &args);
    ch_encode_map(&map, &ch_calls[at].args, &args);
    ch_buf_put(out, &type, 1);
    CH_CHECK(ch_json_write(out, ch_buf_view(&map), 0, NULL) == CH_OK);
    ch_buf_deinit(&map);
    ch_arena_deinit(&s.arena);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ch_buf map = {0};
    struct ch_buf text = {0};
    if (size == 0) return 0;
    const struct ch_record *record = &ch_calls[data[0] % CH_CALL_TYPES].args;
    const struct ch_text json = {(const char *)data + 1, size - 1};
    if (ch_json_read_record(&map, record, json, NULL) == CH_OK) {
        const enum ch_err err = ch_json_write(&text, ch_buf_view(&map), 0, NULL);
        CH_CHECK(err == CH_OK && !text.failed);
    }
    ch_buf_reset(&text);
    struct ch_why why = {0};
    const enum ch_err shown = ch_json_write(&text, (struct ch_bytes){data + 1, size - 1}, 2, &why);
    CH_CHECK(shown == CH_OK || why.text[0] != '\0');
    ch_buf_deinit(&map);
    ch_buf_deinit(&text);
    return 0;
}
