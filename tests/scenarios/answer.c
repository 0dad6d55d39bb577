/* answer: see answer.h. SPDX-License-Identifier: MIT */
#include "tests/scenarios/answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "schema/json.h"

bool answer_read(struct ch_bytes bytes, struct outcome *ret)
{
    struct ch_reply reply;
    struct ch_why why = {0};
    *ret = (struct outcome){0};
    if (ch_reply_decode(bytes, &reply, &why) != CH_OK) {
        (void)fprintf(stderr, "scenario: the reply cannot be read: %s\n", why.text);
        return false;
    }
    ret->seq = reply.seq;
    if (reply.failed) {
        *ret = (struct outcome){true, CH_OUTCOME_FAILURE, reply.failure, reply.seq, 0};
        return true;
    }
    struct ch_cursor walk = ch_reply_walk(&reply);
    bool found = false;
    for (uint32_t i = 0; i < reply.result_count; i++) {
        struct ch_reply_result result;
        struct ch_reply_no no = {0};
        if (ch_reply_next(&walk, &result, &why) != CH_OK) return false;
        if (result.outcome != CH_OUTCOME_RESULT &&
            ch_reply_read_no(result.value, &no, &why) != CH_OK) {
            return false;
        }
        const bool bad = result.outcome != CH_OUTCOME_RESULT;
        if (found && (!bad || ret->kind != CH_OUTCOME_RESULT)) continue;
        if (ch_text_is(no.code, "not_decided")) continue; /* another call says why */
        found = true;
        ret->kind = result.outcome;
        ret->value = result.value;
        ret->place = i;
    }
    if (!found) (void)fprintf(stderr, "scenario: the reply holds no result\n");
    return found;
}

void answer_show(struct ch_bytes reply)
{
    struct ch_buf json = {0};
    struct ch_why why = {0};
    if (ch_json_write(&json, reply, 2, &why) == CH_OK) {
        (void)fprintf(stderr, "  the answer was %.*s\n", (int)json.len, (const char *)json.ptr);
    }
    ch_buf_deinit(&json);
}

static void put_number(struct ch_buf *out, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, number);
    ch_buf_put(out, text, (size_t)len);
}

bool answer_text(struct ch_bytes value, struct ch_text path, struct ch_buf *out)
{
    struct ch_cursor c = ch_cursor_of(value);
    bool found = false;
    uint32_t items;
    switch (ch_cursor_peek(&c)) {
    case CH_VALUE_ARRAY:
        items = ch_read_array(&c);
        for (uint32_t i = 0; i < items; i++) {
            const size_t before = out->len;
            if (found) ch_buf_put(out, ",", 1);
            bool one = answer_text(ch_read_value(&c), path, out);
            if (!one) out->len = before;
            found = found || one;
        }
        return found || path.len == 0;
    case CH_VALUE_MAP: {
        const struct ch_text name = text_cut(&path, ".");
        items = ch_read_map(&c);
        for (uint32_t i = 0; i < items; i++) {
            const struct ch_text key = ch_read_text(&c);
            const struct ch_bytes inner = ch_read_value(&c);
            if (name.len > 0 && ch_text_equal(key, name)) return answer_text(inner, path, out);
        }
        return false;
    }
    case CH_VALUE_TEXT: ch_buf_put_text(out, ch_read_text(&c)); return path.len == 0;
    case CH_VALUE_UINT: put_number(out, ch_read_uint(&c)); return path.len == 0;
    case CH_VALUE_BOOL:
        ch_buf_put_text(out, ch_text_of(ch_read_bool(&c) ? "true" : "false"));
        return path.len == 0;
    case CH_VALUE_BIN: ch_hex_write(out, ch_read_bytes(&c)); return path.len == 0;
    case CH_VALUE_END:
    case CH_VALUE_NIL:
    case CH_VALUE_NEGATIVE:
    case CH_VALUE_FLOAT:
    case CH_VALUE_EXT: break;
    }
    return false;
}

static bool differs(const char *what, struct ch_text wanted, struct ch_text got)
{
    (void)fprintf(stderr, "scenario: %s: expected '%.*s', got '%.*s'\n", what, (int)wanted.len,
                  wanted.ptr, (int)got.len, got.ptr);
    return false;
}

static bool has_item(struct ch_text list, struct ch_text item)
{
    while (list.len > 0) {
        if (ch_text_equal(text_cut(&list, ","), item)) return true;
    }
    return false;
}

/* One `key=value`, `key~item` or `key!~item` against a map. */
static bool matches(struct ch_bytes map, struct ch_text word, const struct labels *labels,
                    struct ch_arena *arena)
{
    char name[96];
    char number[24];
    struct ch_buf got = {0};
    struct ch_text raw = word;
    struct ch_text key = text_cut(&raw, "=");
    const bool listed = raw.ptr == word.ptr + word.len && key.len == word.len;
    if (listed) {
        raw = word;
        key = text_cut(&raw, "~");
    }
    const bool absent = listed && key.len > 0 && key.ptr[key.len - 1] == '!';
    if (absent) key.len--;
    struct ch_text wanted = word_value(raw, arena);
    uint64_t seq;
    if (raw.len > 0 && raw.ptr[0] == '$' && word_number(labels, raw, &seq)) {
        int len = snprintf(number, sizeof number, "%" PRIu64, seq);
        wanted = (struct ch_text){number, (size_t)len};
    }
    if (!answer_text(map, key, &got)) {
        ch_buf_reset(&got);
        if (listed || wanted.len > 0) ch_buf_put(&got, "absent", 6);
    }
    const struct ch_text text = {(const char *)got.ptr, got.len};
    bool good = listed ? has_item(text, wanted) != absent : ch_text_equal(text, wanted);
    (void)snprintf(name, sizeof name, "%.*s%s", (int)key.len, key.ptr,
                   !listed ? "" : (absent ? " (not in the list)" : " (in the list)"));
    if (!good) (void)differs(name, wanted, text);
    ch_buf_deinit(&got);
    return good;
}

static const char *const kind_names[] = {
    [CH_OUTCOME_RESULT] = "accepted",
    [CH_OUTCOME_REJECTION] = "refused",
    [CH_OUTCOME_FAILURE] = "failure",
};

bool answer_is(const struct outcome *outcome, struct ch_text expected, const struct labels *labels,
               struct ch_arena *arena)
{
    const struct ch_text what = word_next(&expected);
    struct ch_reply_no no = {0};
    struct ch_why why = {0};
    const char *kind = kind_names[outcome->kind];
    if (outcome->kind != CH_OUTCOME_RESULT &&
        ch_reply_read_no(outcome->value, &no, &why) != CH_OK) {
        return differs("the answer", what, ch_text_of("something that cannot be read"));
    }
    if (!ch_text_is(what, kind)) {
        (void)differs("the answer", what, ch_text_of(kind));
        if (no.code.len > 0) (void)fprintf(stderr, "  %.*s\n", (int)no.text.len, no.text.ptr);
        return false;
    }
    if (outcome->kind == CH_OUTCOME_RESULT) return true;
    const struct ch_text code = word_next(&expected);
    if (!ch_text_equal(code, no.code)) return differs("the answer", code, no.code);
    for (struct ch_text word = word_next(&expected); word.len > 0; word = word_next(&expected)) {
        if (!matches(outcome->value, word, labels, arena)) return false;
    }
    return true;
}

bool answer_holds(const struct outcome *outcome, struct ch_text expected,
                  const struct labels *labels, struct ch_arena *arena)
{
    struct ch_text rest = expected;
    const struct ch_text first = word_next(&rest);
    if (ch_text_is(first, "refused") || ch_text_is(first, "failure")) {
        return answer_is(outcome, expected, labels, arena);
    }
    if (outcome->kind != CH_OUTCOME_RESULT) {
        return answer_is(outcome, ch_text_of("accepted"), labels, arena);
    }
    bool good = true;
    for (struct ch_text word = word_next(&expected); word.len > 0; word = word_next(&expected)) {
        good = matches(outcome->value, word, labels, arena) && good;
    }
    return good;
}
