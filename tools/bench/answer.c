/* answer: see answer.h. SPDX-License-Identifier: MIT */
#include "tools/bench/answer.h"

#include <string.h>

#include "schema/reply.h"

void ch_answer_id(uint8_t out[CH_ANSWER_ID_BYTES], uint64_t run, const struct ch_load_turn *turn)
{
    ch_put_be64(out, run << 32 | turn->slot);
    ch_put_be64(out + 8, turn->serial);
}

/* {"id": bin16, "ok": true, ...}; true: this is the answer to it, and every call succeeded. */
static bool all_well(const uint8_t *id, struct ch_bytes reply)
{
    struct ch_cursor c = ch_cursor_of(reply);
    (void)ch_read_map(&c);
    if (!ch_text_is(ch_read_text(&c), "id")) return false;
    struct ch_bytes its_id = ch_read_bytes(&c);
    if (its_id.len != CH_ANSWER_ID_BYTES || memcmp(its_id.ptr, id, CH_ANSWER_ID_BYTES) != 0) {
        return false;
    }
    return ch_text_is(ch_read_text(&c), "ok") && ch_read_bool(&c) && c.err == CH_OK;
}

static enum ch_load_verdict fail_no(const char *what, struct ch_bytes value, struct ch_why *why)
{
    struct ch_reply_no no;
    if (ch_reply_read_no(value, &no, why) != CH_OK) return CH_LOAD_FAILED;
    (void)ch_fail(why, CH_ERR_NET_IO, 0, "%s: %.*s (%.*s): %.*s", what, (int)no.code.len,
                  no.code.ptr, (int)no.field.len, no.field.ptr, (int)no.text.len, no.text.ptr);
    return CH_LOAD_FAILED;
}

enum ch_load_verdict ch_answer_look(const uint8_t *id, struct ch_load_turn *turn,
                                    struct ch_bytes bytes, struct ch_why *why)
{
    if (all_well(id, bytes)) return CH_LOAD_DONE;
    struct ch_reply reply;
    if (ch_reply_decode(bytes, &reply, why) != CH_OK) return CH_LOAD_FAILED;
    if (reply.failed) {
        struct ch_reply_no no;
        if (ch_reply_read_no(reply.failure, &no, why) != CH_OK) return CH_LOAD_FAILED;
        if (!ch_text_is(no.code, "busy")) {
            return fail_no("charterd refused a message", reply.failure, why);
        }
        turn->retry_ms = (uint32_t)no.retry_ms;
        return CH_LOAD_BUSY;
    }
    struct ch_cursor walk = ch_reply_walk(&reply);
    for (uint32_t i = 0; i < reply.result_count; i++) {
        struct ch_reply_result result;
        if (ch_reply_next(&walk, &result, why) != CH_OK) return CH_LOAD_FAILED;
        if (result.outcome == CH_OUTCOME_RESULT) continue;
        return fail_no("charterd refused a call", result.value, why);
    }
    (void)ch_fail(why, CH_ERR_NET_IO, 0, "an answer is not that to its request");
    return CH_LOAD_FAILED;
}
