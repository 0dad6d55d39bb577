/* message: see message.h. SPDX-License-Identifier: MIT */
#include "tests/scenarios/message.h"

#include "schema/json.h"
#include "schema/pack.h"
#include "schema/request.h"

enum { CALLS_MOST = 16, PAIRS_MOST = 16 };

struct pair {
    struct ch_text key;
    struct ch_text value; /* as it stands */
};

struct spoken_call {
    struct ch_call_head head;
    struct pair pairs[PAIRS_MOST];
    uint32_t pair_count;
};

struct spoken {
    struct ch_request_head head;
    uint8_t id[16];
    struct spoken_call calls[CALLS_MOST];
    uint32_t call_count;
    const struct labels *labels;
    struct ch_arena *arena;
    const char *problem;
};

static bool wrong(struct spoken *s, const char *problem)
{
    s->problem = problem;
    return false;
}

static bool take_as_of(struct spoken *s, struct ch_text raw)
{
    if (!word_number(s->labels, raw, &s->head.as_of_seq)) {
        s->head.as_of_time = word_value(raw, s->arena);
    }
    return true;
}

/* The keys that are no arguments: of the message, or of the call beside its arguments. */
static bool take_special(struct spoken *s, struct spoken_call *call, struct pair pair,
                         bool *ret_special)
{
    const struct ch_text value = word_value(pair.value, s->arena);
    *ret_special = true;
    if (ch_text_is(pair.key, "on")) {
        if (!word_number(s->labels, pair.value, &call->head.on_id)) call->head.on_name = value;
    } else if (ch_text_is(pair.key, "expect")) {
        call->head.has_expect = true;
        if (!word_number(s->labels, pair.value, &call->head.expect)) {
            return wrong(s, "expect= takes a seq or $label");
        }
    } else if (ch_text_is(pair.key, "note")) {
        call->head.note = value;
    } else if (ch_text_is(pair.key, "as_of")) {
        return take_as_of(s, pair.value);
    } else if (ch_text_is(pair.key, "at_least")) {
        if (!word_number(s->labels, pair.value, &s->head.at_least)) {
            return wrong(s, "at_least= takes a seq or $label");
        }
    } else if (ch_text_is(pair.key, "at")) {
        s->head.at = value;
    } else if (ch_text_is(pair.key, "via")) {
        s->head.channel = value;
    } else if (ch_text_is(pair.key, "mode")) {
        s->head.each = ch_text_is(value, "each");
    } else if (ch_text_is(pair.key, "dry_run")) {
        s->head.dry_run = ch_text_is(value, "true");
    } else if (ch_text_is(pair.key, "id")) {
        memset(s->id, 0, sizeof s->id);
        memcpy(s->id, value.ptr, value.len > sizeof s->id ? sizeof s->id : value.len);
    } else {
        *ret_special = false;
    }
    return true;
}

static bool take_call(struct spoken *s, struct ch_text text)
{
    if (s->call_count == CALLS_MOST) return wrong(s, "too many calls in one message");
    struct spoken_call *call = &s->calls[s->call_count++];
    call->head.type = word_next(&text);
    if (call->head.type.len == 0) return wrong(s, "a call begins with its type");
    for (struct ch_text word = word_next(&text); word.len > 0; word = word_next(&text)) {
        struct pair pair = {.value = word};
        pair.key = text_cut(&pair.value, "=");
        if (pair.key.len == word.len) return wrong(s, "after the type stand key=value only");
        bool special = false;
        if (!take_special(s, call, pair, &special)) return false;
        if (special) continue;
        if (call->pair_count == PAIRS_MOST) return wrong(s, "too many arguments");
        call->pairs[call->pair_count++] = pair;
    }
    return true;
}

static const struct ch_field *find_field(struct ch_text type, struct ch_text name)
{
    int found = ch_call_find(type);
    if (found < 0) return NULL;
    const struct ch_record *args = &ch_calls[found].args;
    for (uint16_t i = 0; i < args->count; i++) {
        if (ch_text_is(name, args->fields[i].name)) return &args->fields[i];
    }
    return NULL;
}

static void pack_one(const struct spoken *s, struct ch_buf *buf, enum ch_form form,
                     struct ch_text raw)
{
    uint64_t number;
    struct ch_text value = word_value(raw, s->arena);
    if (word_remembered(s->labels, raw, &value)) {
        ch_pack_text(buf, value);
        return;
    }
    const bool is_number = word_number(s->labels, raw, &number);
    const bool bare = form == CH_FORM_UINT || form == CH_FORM_ID || form == CH_FORM_REF;
    if (form == CH_FORM_FLAG && (ch_text_is(value, "true") || ch_text_is(value, "false"))) {
        ch_pack_bool(buf, ch_text_is(value, "true"));
    } else if (bare && is_number) {
        ch_pack_uint(buf, number);
    } else if (form == CH_FORM_BYTES) {
        uint8_t *bytes = ch_arena_take(s->arena, value.len / 2 + 1);
        if (bytes != NULL && ch_hex_read(value, bytes, value.len / 2)) {
            ch_pack_bytes(buf, (struct ch_bytes){bytes, value.len / 2});
        } else {
            ch_pack_text(buf, value);
        }
    } else {
        ch_pack_text(buf, value);
    }
}

static void pack_argument(const struct spoken *s, struct ch_buf *buf, struct ch_text type,
                          struct pair pair)
{
    const struct ch_field *field = find_field(type, pair.key);
    const enum ch_form form = field == NULL ? CH_FORM_TEXT : ch_kinds[field->kind].form;
    ch_pack_text(buf, pair.key);
    if (field == NULL || (!field->list && form != CH_FORM_SCOPES)) {
        pack_one(s, buf, form, pair.value);
        return;
    }
    struct ch_buf items = {0};
    size_t count = 0;
    while (pair.value.len > 0) {
        pack_one(s, &items, form, text_cut(&pair.value, ","));
        count++;
    }
    ch_pack_array(buf, count);
    ch_buf_put(buf, items.ptr, items.len);
    ch_buf_deinit(&items);
}

/* The head of a call whose `on` is twisted; such lines say neither expect nor note. */
static void begin_call(struct ch_buf *buf, const struct spoken_call *call,
                       const struct twist *twist)
{
    const bool on = twist->how != TWIST_DROP;
    ch_pack_map(buf, (size_t)2 + on);
    ch_pack_chars(buf, "type");
    ch_pack_text(buf, call->head.type);
    if (on) {
        ch_pack_chars(buf, "on");
        ch_buf_put(buf, twist->value.ptr, twist->value.len);
    }
    ch_pack_chars(buf, "args");
}

/* The arguments of a call, one of them twisted. */
static void pack_twisted(const struct spoken *s, struct ch_buf *buf, const struct spoken_call *call,
                         const struct twist *twist)
{
    struct ch_buf items = {0};
    size_t count = 0;
    for (uint32_t k = 0; k < call->pair_count; k++) {
        const bool meant = ch_text_is(call->pairs[k].key, twist->key);
        const uint32_t times = !meant ? 1 : twist->how == TWIST_TWICE ? 2 : 0;
        for (uint32_t i = 0; i < times; i++) {
            pack_argument(s, &items, call->head.type, call->pairs[k]);
        }
        count += times;
    }
    if (twist->how == TWIST_SET) {
        ch_pack_chars(&items, twist->key);
        ch_buf_put(&items, twist->value.ptr, twist->value.len);
        count++;
    }
    ch_pack_map(buf, count);
    ch_buf_put(buf, items.ptr, items.len);
    ch_buf_deinit(&items);
}

static void pack_call(const struct spoken *s, struct ch_buf *buf, const struct spoken_call *call,
                      const struct twist *twist)
{
    const bool on = twist != NULL && strcmp(twist->key, "on") == 0;
    if (on) {
        begin_call(buf, call, twist);
    } else {
        ch_request_call(buf, &call->head);
    }
    if (twist != NULL && !on) {
        pack_twisted(s, buf, call, twist);
        return;
    }
    ch_pack_map(buf, call->pair_count);
    for (uint32_t k = 0; k < call->pair_count; k++) {
        pack_argument(s, buf, call->head.type, call->pairs[k]);
    }
}

bool message_build(struct ch_text line, const struct labels *labels, uint64_t number,
                   struct ch_arena *arena, struct ch_buf *buf, const char **problem)
{
    return message_twist(line, labels, number, /* twists= */ NULL, 0, arena, buf, problem);
}

bool message_twist(struct ch_text line, const struct labels *labels, uint64_t number,
                   const struct twist *twists, uint32_t twist_count, struct ch_arena *arena,
                   struct ch_buf *buf, const char **problem)
{
    struct spoken *s = ch_arena_take(arena, sizeof *s);
    if (s == NULL) {
        *problem = "out of memory";
        return false;
    }
    *s = (struct spoken){.labels = labels, .arena = arena};
    memcpy(s->id, "scenario", 8);
    ch_put_be64(s->id + 8, number);
    s->head.id = s->id;
    const struct ch_text actor = text_trim(text_cut(&line, ": "));
    struct ch_text named = actor;
    const bool key = word_is(&named, "key");
    if (key || word_is(&named, "session")) {
        struct ch_text *secret = key ? &s->head.key : &s->head.session;
        if (!word_remembered(labels, text_trim(named), secret)) *secret = text_trim(named);
    } else if (word_is(&named, "as-key")) {
        named = text_trim(named);
        if (!word_number(labels, named, &s->head.as_key_id)) {
            *problem = "as-key takes a key's id";
            return false;
        }
    } else if (!ch_text_is(actor, "operator") && !word_number(labels, actor, &s->head.as_user_id)) {
        s->head.as_user = actor;
    }
    bool good = text_trim(line).len > 0 || wrong(s, "takes ACTOR: TYPE key=value ...");
    while (good && line.len > 0) {
        good = take_call(s, text_trim(text_cut(&line, "&&")));
    }
    *problem = s->problem;
    if (!good) return false;
    const uint32_t before = s->call_count - 1;
    const uint32_t times = twist_count == 0 ? 1 : twist_count;
    s->head.each = s->head.each || times > 1;
    ch_request_begin(buf, &s->head, before + times);
    for (uint32_t i = 0; i < before; i++) {
        pack_call(s, buf, &s->calls[i], NULL);
    }
    for (uint32_t i = 0; i < times; i++) {
        pack_call(s, buf, &s->calls[before], twist_count == 0 ? NULL : &twists[i]);
    }
    return true;
}
