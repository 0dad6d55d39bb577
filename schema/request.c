/* request: see request.h. SPDX-License-Identifier: MIT */
#include "schema/request.h"

#include <stdio.h>

#include "schema/base/check.h"
#include "schema/limits.h"
#include "schema/pack.h"
#include "schema/text.h"

/* The keys of a request, in the order of the fingerprint. */
enum key {
    KEY_v,
    KEY_id,
    KEY_auth,
    KEY_channel,
    KEY_calls,
    KEY_mode,
    KEY_at_least,
    KEY_as_of,
    KEY_at,
    KEY_dry_run,
    KEY_trace,
    KEYS,
};

static const char *const key_names[KEYS] = {"v",        "id",    "auth", "channel", "calls", "mode",
                                            "at_least", "as_of", "at",   "dry_run", "trace"};

static enum ch_err fail(struct ch_why *why, enum ch_err err, const char *field, const char *text)
{
    return ch_fail_field(why, err, field, "%s: %s", field, text);
}

static enum ch_err check_kind(const struct ch_cursor *c, const char *field, struct ch_why *why)
{
    if (c->err == CH_OK) return CH_OK;
    return fail(why, c->err, field,
                c->err == CH_ERR_WRONG_KIND ? "holds a value of another kind"
                                            : "ends early or is not msgpack");
}

/* A key as an answer shows it: cut, and nothing that is not clean text, also where it was cut. */
static struct ch_text shown(struct ch_text key)
{
    struct ch_text cut = {key.ptr, key.len > 32 ? 32 : key.len};
    return ch_text_is_clean(cut) ? cut : (struct ch_text){"", 0};
}

/* An unsigned integer of a request or call: below 2^53, as everywhere. */
static enum ch_err read_integer(struct ch_cursor *c, const char *field, uint64_t *ret,
                                struct ch_why *why)
{
    *ret = ch_read_uint(c);
    if (*ret <= CH_MAX_INTEGER) return check_kind(c, field, why);
    return fail(why, CH_ERR_OUT_OF_BOUNDS, field, "is 2^53 or more");
}

/* A reference where no row of a .def file stands for it: `on` and the user of `auth`. */
static enum ch_err read_ref(struct ch_cursor *c, size_t most, const char *field, struct ch_ref *ret,
                            struct ch_why *why)
{
    if (ch_cursor_peek(c) == CH_VALUE_TEXT) {
        ret->name = ch_read_text(c);
        if (c->err != CH_OK) return check_kind(c, field, why);
        if (ret->name.len == 0 || ret->name.len > most) {
            return fail(why, CH_ERR_OUT_OF_BOUNDS, field, "is empty or too long");
        }
        if (!ch_text_is_name(ret->name)) return fail(why, CH_ERR_NOT_TEXT, field, "is no name");
        return CH_OK;
    }
    ret->id = ch_read_uint(c);
    if (c->err != CH_OK) return check_kind(c, field, why);
    if (ret->id == 0 || ret->id > CH_MAX_INTEGER) {
        return fail(why, CH_ERR_OUT_OF_BOUNDS, field, "is no id");
    }
    return CH_OK;
}

static enum ch_err read_auth(struct ch_cursor *c, struct ch_request *ret, struct ch_why *why)
{
    uint32_t items = ch_read_array(c);
    struct ch_text kind = items > 0 ? ch_read_text(c) : (struct ch_text){0};
    enum ch_err err = check_kind(c, "auth", why);
    if (err != CH_OK) return err;
    if (items == 1 && ch_text_is(kind, "peer")) {
        ret->auth = CH_AUTH_PEER;
        return CH_OK;
    }
    if (ch_text_is(kind, "as")) {
        struct ch_text what = items == 3 ? ch_read_text(c) : (struct ch_text){0};
        if (items != 3 || c->err != CH_OK) {
            return fail(why, CH_ERR_WRONG_KIND, "auth", "takes [\"as\", \"user\", id or name]");
        }
        if (ch_text_is(what, "key")) {
            ret->auth = CH_AUTH_AS_KEY;
            return read_integer(c, "auth", &ret->auth_key, why);
        }
        if (!ch_text_is(what, "user")) {
            return fail(why, CH_ERR_AUTH_UNSUPPORTED, "auth", "a service acts for a user or a key");
        }
        ret->auth = CH_AUTH_AS_USER;
        return read_ref(c, ch_kinds[CH_KIND_user_ref].most, "auth", &ret->auth_user, why);
    }
    if (ch_text_is(kind, "key") || ch_text_is(kind, "session")) {
        ret->auth = ch_text_is(kind, "key") ? CH_AUTH_KEY : CH_AUTH_SESSION;
        struct ch_text secret = items == 2 ? ch_read_text(c) : (struct ch_text){0};
        if (items != 2 || c->err != CH_OK) {
            return fail(why, CH_ERR_WRONG_KIND, "auth", "takes a kind and its secret");
        }
        if (secret.len == 0 || secret.len > ch_kinds[CH_KIND_secret].most) {
            return fail(why, CH_ERR_OUT_OF_BOUNDS, "auth", "is no secret");
        }
        ret->auth_secret.text = secret;
        return CH_OK;
    }
    if (ch_text_is(kind, "signed")) {
        return fail(why, CH_ERR_AUTH_UNSUPPORTED, "auth", "the kind \"signed\" does not exist yet");
    }
    return fail(why, CH_ERR_OUT_OF_BOUNDS, "auth", "takes peer, as, key or session");
}

static enum ch_err read_as_of(struct ch_cursor *c, struct ch_request *ret, struct ch_why *why)
{
    if (ch_cursor_peek(c) == CH_VALUE_UINT) {
        ret->as_of_kind = CH_AS_OF_SEQ;
        ret->as_of = ch_read_uint(c);
        if (ret->as_of > CH_MAX_INTEGER) {
            return fail(why, CH_ERR_OUT_OF_BOUNDS, "as_of", "is no seq");
        }
        return check_kind(c, "as_of", why);
    }
    struct ch_text text = ch_read_text(c);
    if (c->err != CH_OK) return check_kind(c, "as_of", why);
    ret->as_of_kind = CH_AS_OF_TIME;
    if (!ch_time_read(text, &ret->as_of)) {
        return fail(why, CH_ERR_OUT_OF_BOUNDS, "as_of", "is neither a seq nor an RFC 3339 time");
    }
    return CH_OK;
}

/* What a call's map may hold; args is kept as bytes until the type is known. */
struct call_keys {
    bool has_type, has_args;
    struct ch_text type;
    struct ch_bytes args;
};

/* Where a call is at fault; only made when somebody will read it, for a call is read in less time
 * than its path is printed. */
static const char *join(char field[CH_WHY_FIELD_BYTES], const char *path, struct ch_text name,
                        const struct ch_why *why)
{
    field[0] = '\0';
    if (why == NULL) return field;
    (void)snprintf(field, CH_WHY_FIELD_BYTES, "%s.%.*s", path, (int)name.len, name.ptr);
    return field;
}

static enum ch_err read_call_key(struct ch_cursor *c, struct ch_text key, struct ch_call *ret,
                                 struct call_keys *keys, const char *path, struct ch_why *why)
{
    char room[CH_WHY_FIELD_BYTES];
    const char *field = why == NULL ? "" : join(room, path, shown(key), why);
    if (ch_text_is(key, "type") && !keys->has_type) {
        keys->has_type = true;
        keys->type = ch_read_text(c);
    } else if (ch_text_is(key, "args") && !keys->has_args) {
        keys->has_args = true;
        keys->args = ch_read_value(c);
    } else if (ch_text_is(key, "on") && !ret->has_on) {
        ret->has_on = true;
        return read_ref(c, ch_kinds[CH_KIND_account_ref].most, field, &ret->on, why);
    } else if (ch_text_is(key, "expect") && !ret->has_expect) {
        ret->has_expect = true;
        return read_integer(c, field, &ret->expect, why);
    } else if (ch_text_is(key, "note") && ret->note.len == 0) {
        ret->note = ch_read_text(c);
        if (c->err == CH_OK &&
            (ret->note.len > ch_kinds[CH_KIND_line].most || !ch_text_is_clean(ret->note))) {
            return fail(why, CH_ERR_NOT_TEXT, field, "is too long, or not clean UTF-8");
        }
    } else {
        bool known = ch_text_is(key, "type") || ch_text_is(key, "args") || ch_text_is(key, "on") ||
                     ch_text_is(key, "expect") || ch_text_is(key, "note");
        return fail(why, known ? CH_ERR_REPEATED_FIELD : CH_ERR_UNKNOWN_FIELD, field,
                    known ? "stands twice" : "a call knows no such field");
    }
    return check_kind(c, field, why);
}

/* why: NULL: the caller asks again for it if this fails */
static enum ch_err read_call_body(struct ch_cursor *c, int hint, const char *path,
                                  struct ch_arena *arena, struct ch_call *ret, struct ch_why *why)
{
    struct call_keys keys = {0};
    char field[CH_WHY_FIELD_BYTES];
    uint32_t pairs = ch_read_map(c);
    ret->type = -1;
    if (c->err != CH_OK) return fail(why, c->err, path, "is not a map");
    for (uint32_t i = 0; i < pairs; i++) {
        struct ch_text key = ch_read_text(c);
        if (c->err != CH_OK) return fail(why, c->err, path, "a key is not text");
        enum ch_err err = read_call_key(c, key, ret, &keys, path, why);
        if (err != CH_OK) return err;
    }
    (void)join(field, path, ch_text_of("type"), why);
    if (!keys.has_type) return fail(why, CH_ERR_MISSING_FIELD, field, "is missing");
    bool same = hint >= 0 && ch_text_is(keys.type, ch_calls[hint].args.name);
    ret->type = same ? hint : ch_call_find(keys.type);
    if (ret->type < 0) return fail(why, CH_ERR_UNKNOWN_TYPE, field, "no command or query has it");
    const struct ch_call_row *row = &ch_calls[ret->type];
    (void)join(field, path, ch_text_of("on"), why);
    if (!row->on && ret->has_on) {
        return fail(why, CH_ERR_UNKNOWN_FIELD, field, "this type takes no account");
    }
    (void)join(field, path, ch_text_of("expect"), why);
    if (ret->has_expect && (row->query || !row->on)) {
        return fail(why, CH_ERR_UNKNOWN_FIELD, field, "only commands on an account take it");
    }
    (void)join(field, path, ch_text_of("note"), why);
    if (ret->note.len > 0 && row->query) {
        return fail(why, CH_ERR_UNKNOWN_FIELD, field, "only commands take it");
    }
    ret->args = ch_arena_take(arena, row->args.size);
    if (ret->args == NULL) return fail(why, CH_ERR_NO_MEMORY, path, "no memory");
    static const uint8_t empty_map[1] = {0x80};
    struct ch_cursor args =
        ch_cursor_of(keys.has_args ? keys.args : (struct ch_bytes){empty_map, 1});
    (void)join(field, path, ch_text_of("args"), why);
    return ch_decode_map(&args, &row->args, field, arena, ret->args, why);
}

static enum ch_err read_calls(struct ch_cursor *c, struct ch_arena *arena, struct ch_request *ret,
                              struct ch_why *why)
{
    uint32_t count = ch_read_array(c);
    if (c->err != CH_OK) return check_kind(c, "calls", why);
    if (count == 0 || count > LIMIT_CALLS) {
        return fail(why, CH_ERR_OUT_OF_BOUNDS, "calls", "takes 1 to 1,024 calls");
    }
    ret->calls = ch_arena_take(arena, count * sizeof *ret->calls);
    if (ret->calls == NULL) return fail(why, CH_ERR_NO_MEMORY, "calls", "no memory");
    ret->call_count = count;
    int hint = -1;
    for (uint32_t i = 0; i < count; i++) {
        struct ch_call *call = &ret->calls[i];
        struct ch_cursor body = *c;
        if (read_call_body(&body, hint, "", arena, call, NULL) == CH_OK) {
            c->at = body.at;
            hint = call->type;
            continue;
        }
        /* Read again for its fault's sake; the calls behind it still stand. */
        body = ch_cursor_of(ch_read_value(c));
        if (c->err != CH_OK) return check_kind(c, "calls", why);
        char path[32];
        (void)snprintf(path, sizeof path, "calls[%u]", i);
        struct ch_why *call_why = ch_arena_take(arena, sizeof *call_why);
        if (call_why == NULL) return fail(why, CH_ERR_NO_MEMORY, "calls", "no memory");
        *call = (struct ch_call){0};
        if (read_call_body(&body, hint, path, arena, call, call_why) == CH_OK) continue;
        call->why = call_why;
    }
    return CH_OK;
}

static enum ch_err read_id(struct ch_cursor *c, struct ch_request *ret, struct ch_why *why)
{
    struct ch_bytes id = ch_read_bytes(c);
    if (c->err != CH_OK) return check_kind(c, "id", why);
    if (id.len != sizeof ret->id) return fail(why, CH_ERR_OUT_OF_BOUNDS, "id", "takes 16 bytes");
    memcpy(ret->id, id.ptr, sizeof ret->id);
    ret->has_id = true;
    return CH_OK;
}

static enum ch_err read_named_value(struct ch_cursor *c, enum key key, struct ch_request *ret,
                                    struct ch_why *why)
{
    struct ch_text text = ch_read_text(c);
    if (c->err != CH_OK) return check_kind(c, key_names[key], why);
    if (key == KEY_mode) {
        ret->mode = ch_text_is(text, "each") ? CH_MODE_EACH : CH_MODE_ALL;
        if (ret->mode == CH_MODE_EACH || ch_text_is(text, "all")) return CH_OK;
        return fail(why, CH_ERR_OUT_OF_BOUNDS, "mode", "takes \"all\" or \"each\"");
    }
    if (key == KEY_channel) {
        int channel = ch_enum_find(CH_KIND_channel, text);
        if (channel <= CH_channel_system) {
            return fail(why, CH_ERR_OUT_OF_BOUNDS, "channel", "is none that a request can have");
        }
        ret->has_channel = true;
        ret->channel = (uint8_t)channel;
        return CH_OK;
    }
    if (key == KEY_trace) {
        ret->trace = text;
        if (text.len <= 256 && ch_text_is_clean(text)) return CH_OK;
        return fail(why, CH_ERR_OUT_OF_BOUNDS, "trace", "takes clean text of at most 256 bytes");
    }
    ret->has_at = true;
    if (ch_time_read(text, &ret->at)) return CH_OK;
    return fail(why, CH_ERR_OUT_OF_BOUNDS, "at", "is no RFC 3339 time");
}

static enum ch_err read_key(struct ch_cursor *c, enum key key, struct ch_arena *arena,
                            struct ch_request *ret, struct ch_why *why)
{
    switch (key) {
    case KEY_v:
        if (ch_read_uint(c) == 1 && c->err == CH_OK) return CH_OK;
        if (c->err == CH_ERR_UNDECODABLE) return check_kind(c, "v", why);
        return fail(why, CH_ERR_BAD_VERSION, "v", "this daemon speaks version 1");
    case KEY_id: return read_id(c, ret, why);
    case KEY_auth: return read_auth(c, ret, why);
    case KEY_calls: return read_calls(c, arena, ret, why);
    case KEY_as_of: return read_as_of(c, ret, why);
    case KEY_channel:
    case KEY_mode:
    case KEY_trace:
    case KEY_at: return read_named_value(c, key, ret, why);
    case KEY_at_least:
        ret->has_at_least = true;
        return read_integer(c, "at_least", &ret->at_least, why);
    case KEY_dry_run: ret->dry_run = ch_read_bool(c); return check_kind(c, "dry_run", why);
    case KEYS: break;
    }
    return CH_ERR_UNKNOWN_FIELD;
}

static enum key find_key(struct ch_text name)
{
    for (int key = 0; key < KEYS; key++) {
        if (ch_text_is(name, key_names[key])) return (enum key)key;
    }
    return KEYS;
}

/* Only a key or a session stands for an account where a call names none. */
static enum ch_err check_on(struct ch_arena *arena, struct ch_request *ret, struct ch_why *why)
{
    if (ret->auth != CH_AUTH_PEER && ret->auth != CH_AUTH_AS_USER) return CH_OK;
    for (uint32_t i = 0; i < ret->call_count; i++) {
        struct ch_call *call = &ret->calls[i];
        if (call->why != NULL || !ch_calls[call->type].on || call->has_on) continue;
        char field[CH_WHY_FIELD_BYTES];
        (void)snprintf(field, sizeof field, "calls[%u].on", i);
        struct ch_why *call_why = ch_arena_take(arena, sizeof *call_why);
        if (call_why == NULL) return fail(why, CH_ERR_NO_MEMORY, "calls", "no memory");
        (void)fail(call_why, CH_ERR_MISSING_FIELD, field, "is missing");
        call->type = -1;
        call->why = call_why;
    }
    return CH_OK;
}

enum ch_err ch_request_decode(struct ch_bytes bytes, struct ch_arena *arena, struct ch_request *ret,
                              struct ch_why *why)
{
    _Static_assert(KEYS <= sizeof ret->spans / sizeof ret->spans[0], "a span for every key");
    struct ch_cursor c = ch_cursor_of(bytes);
    *ret = (struct ch_request){0};
    uint32_t pairs = ch_read_map(&c);
    if (c.err != CH_OK)
        return fail(why, CH_ERR_UNDECODABLE, "", "the message is not a msgpack map");
    for (uint32_t i = 0; i < pairs; i++) {
        struct ch_text name = ch_read_text(&c);
        if (c.err != CH_OK) return fail(why, CH_ERR_UNDECODABLE, "", "a key is not text");
        enum key key = find_key(name);
        if (key == KEYS) {
            char field[CH_WHY_FIELD_BYTES];
            (void)snprintf(field, sizeof field, "%.*s", (int)shown(name).len, shown(name).ptr);
            return fail(why, CH_ERR_UNKNOWN_FIELD, field, "a request knows no such field");
        }
        if (ret->spans[key].len != 0) {
            return fail(why, CH_ERR_REPEATED_FIELD, key_names[key], "stands twice");
        }
        const uint8_t *start = c.at;
        enum ch_err err = read_key(&c, key, arena, ret, why);
        if (err != CH_OK) return err;
        ret->spans[key] = (struct ch_bytes){start, (size_t)(c.at - start)};
    }
    if (c.at != c.end) return fail(why, CH_ERR_UNDECODABLE, "", "something follows the map");
    static const enum key needed[] = {KEY_v, KEY_id, KEY_auth, KEY_calls};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (ret->spans[needed[i]].len == 0) {
            return fail(why, CH_ERR_MISSING_FIELD, key_names[needed[i]], "is missing");
        }
    }
    return check_on(arena, ret, why);
}

void ch_request_fingerprint(struct ch_buf *buf, const struct ch_request *request)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        if (key == KEY_auth || key == KEY_trace || request->spans[key].len == 0) continue;
        const uint8_t mark = (uint8_t)key;
        ch_buf_put(buf, &mark, 1);
        ch_buf_put(buf, request->spans[key].ptr, request->spans[key].len);
    }
}

static void pack_text_key(struct ch_buf *buf, const char *key, struct ch_text text)
{
    if (text.len == 0) return;
    ch_pack_chars(buf, key);
    ch_pack_text(buf, text);
}

void ch_request_begin(struct ch_buf *buf, const struct ch_request_head *head, uint32_t calls)
{
    const bool as_of_seq = head->has_as_of || head->as_of_seq != 0;
    const bool as_of = as_of_seq || head->as_of_time.len != 0;
    size_t pairs = (size_t)5 + (head->channel.len != 0) + head->dry_run + (head->at_least != 0) +
                   as_of + (head->at.len != 0);
    ch_pack_map(buf, pairs);
    ch_pack_chars(buf, "v");
    ch_pack_uint(buf, 1);
    ch_pack_chars(buf, "id");
    ch_pack_bytes(buf, (struct ch_bytes){head->id, 16});
    ch_pack_chars(buf, "auth");
    if (head->key.len != 0 || head->session.len != 0) {
        ch_pack_array(buf, 2);
        ch_pack_chars(buf, head->key.len != 0 ? "key" : "session");
        ch_pack_text(buf, head->key.len != 0 ? head->key : head->session);
    } else if (head->as_key_id != 0) {
        ch_pack_array(buf, 3);
        ch_pack_chars(buf, "as");
        ch_pack_chars(buf, "key");
        ch_pack_uint(buf, head->as_key_id);
    } else if (head->as_user_id == 0 && head->as_user.len == 0) {
        ch_pack_array(buf, 1);
        ch_pack_chars(buf, "peer");
    } else {
        ch_pack_array(buf, 3);
        ch_pack_chars(buf, "as");
        ch_pack_chars(buf, "user");
        if (head->as_user_id != 0) {
            ch_pack_uint(buf, head->as_user_id);
        } else {
            ch_pack_text(buf, head->as_user);
        }
    }
    pack_text_key(buf, "channel", head->channel);
    pack_text_key(buf, "mode", ch_text_of(head->each ? "each" : "all"));
    if (head->dry_run) {
        ch_pack_chars(buf, "dry_run");
        ch_pack_bool(buf, true);
    }
    if (head->at_least != 0) {
        ch_pack_chars(buf, "at_least");
        ch_pack_uint(buf, head->at_least);
    }
    if (as_of_seq) {
        ch_pack_chars(buf, "as_of");
        ch_pack_uint(buf, head->as_of_seq);
    } else {
        pack_text_key(buf, "as_of", head->as_of_time);
    }
    pack_text_key(buf, "at", head->at);
    ch_pack_chars(buf, "calls");
    ch_pack_array(buf, calls);
}

void ch_request_call(struct ch_buf *buf, const struct ch_call_head *head)
{
    const bool on = head->on_id != 0 || head->on_name.len != 0;
    ch_pack_map(buf, (size_t)2 + on + head->has_expect + (head->note.len != 0));
    pack_text_key(buf, "type", head->type);
    if (on) {
        ch_pack_chars(buf, "on");
        if (head->on_id != 0) {
            ch_pack_uint(buf, head->on_id);
        } else {
            ch_pack_text(buf, head->on_name);
        }
    }
    if (head->has_expect) {
        ch_pack_chars(buf, "expect");
        ch_pack_uint(buf, head->expect);
    }
    pack_text_key(buf, "note", head->note);
    ch_pack_chars(buf, "args");
}
