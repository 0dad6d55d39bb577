/* json: see json.h. SPDX-License-Identifier: MIT */
#include "schema/json.h"

#include <jansson.h>

#include "schema/cursor.h"
#include "schema/limits.h"
#include "schema/pack.h"

static const char hex_digits[] = "0123456789abcdef";

void ch_hex_write(struct ch_buf *buf, struct ch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        const char pair[2] = {hex_digits[bytes.ptr[i] >> 4], hex_digits[bytes.ptr[i] & 15]};
        ch_buf_put(buf, pair, sizeof pair);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool ch_hex_read(struct ch_text hex, uint8_t *out, size_t len)
{
    if (hex.len != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(hex.ptr[2 * i]);
        int low = hex_digit(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum ch_err no_memory(struct ch_why *why)
{
    return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for JSON");
}

/* ---- msgpack to JSON ---------------------------------------------------------------------- */

static enum ch_err read_any(struct ch_cursor *c, unsigned depth, json_t **ret, struct ch_why *why);

static enum ch_err read_hex(struct ch_cursor *c, json_t **ret, struct ch_why *why)
{
    struct ch_buf hex = {0};
    ch_hex_write(&hex, ch_read_bytes(c));
    if (!hex.failed) *ret = json_stringn(hex.len == 0 ? "" : (const char *)hex.ptr, hex.len);
    ch_buf_deinit(&hex);
    return *ret == NULL ? no_memory(why) : CH_OK;
}

/* Big-endian, sign-extended from `len` bytes. */
static int64_t signed_of(const uint8_t *ptr, size_t len)
{
    uint64_t value = (ptr[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | ptr[i];
    }
    return (int64_t)value;
}

/* Negative integers and floats, which no row of the schema has, but which any msgpack may hold. */
static enum ch_err read_number(struct ch_cursor *c, json_t **ret, struct ch_why *why)
{
    struct ch_bytes raw = ch_read_value(c);
    if (c->err != CH_OK) return ch_fail(why, c->err, 0, "the value ends early");
    const uint8_t first = raw.ptr[0];
    if (first >= 0xe0) {
        *ret = json_integer((int64_t)first - 256);
    } else if (first == 0xca) {
        uint32_t bits = (uint32_t)signed_of(raw.ptr + 1, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        *ret = json_real((double)value);
    } else if (first == 0xcb) {
        uint64_t bits = ch_get_be64(raw.ptr + 1);
        double value;
        memcpy(&value, &bits, sizeof value);
        *ret = json_real(value); /* NULL for infinities: JSON has none */
    } else {
        *ret = json_integer(signed_of(raw.ptr + 1, raw.len - 1));
    }
    return *ret == NULL ? ch_fail(why, CH_ERR_OUT_OF_BOUNDS, 0, "no JSON number for it") : CH_OK;
}

static enum ch_err read_text(struct ch_cursor *c, json_t **ret, struct ch_why *why)
{
    struct ch_text text = ch_read_text(c);
    if (c->err != CH_OK) return ch_fail(why, c->err, 0, "the text ends early");
    *ret = json_stringn(text.len == 0 ? "" : text.ptr, text.len);
    return *ret == NULL ? ch_fail(why, CH_ERR_NOT_TEXT, 0, "a text is not valid UTF-8") : CH_OK;
}

static enum ch_err read_array(struct ch_cursor *c, unsigned depth, json_t **ret, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    json_t *array = json_array();
    uint32_t items = ch_read_array(c);
    if (array == NULL) err = no_memory(why);
    for (uint32_t i = 0; err == CH_OK && i < items; i++) {
        json_t *item = NULL;
        err = read_any(c, depth + 1, &item, why);
        if (err == CH_OK && json_array_append_new(array, item) != 0) err = no_memory(why);
    }
    if (err == CH_OK && c->err != CH_OK) err = ch_fail(why, c->err, 0, "the array ends early");
    if (err != CH_OK) {
        json_decref(array);
        return err;
    }
    *ret = array;
    return CH_OK;
}

static enum ch_err read_pair(struct ch_cursor *c, unsigned depth, json_t *map, struct ch_why *why)
{
    struct ch_text key = ch_read_text(c);
    if (c->err != CH_OK) return ch_fail(why, CH_ERR_UNDECODABLE, 0, "a map's key is not text");
    const char *chars = key.len == 0 ? "" : key.ptr;
    if (json_object_getn(map, chars, key.len) != NULL) {
        return ch_fail(why, CH_ERR_REPEATED_FIELD, 0, "a map's key stands twice");
    }
    json_t *value = NULL;
    enum ch_err err = read_any(c, depth + 1, &value, why);
    if (err != CH_OK) return err;
    if (json_object_setn_new(map, chars, key.len, value) == 0) return CH_OK;
    return ch_fail(why, CH_ERR_NOT_TEXT, 0, "a map's key is not valid UTF-8");
}

static enum ch_err read_map(struct ch_cursor *c, unsigned depth, json_t **ret, struct ch_why *why)
{
    enum ch_err err = CH_OK;
    json_t *map = json_object();
    uint32_t pairs = ch_read_map(c);
    if (map == NULL) err = no_memory(why);
    for (uint32_t i = 0; err == CH_OK && i < pairs; i++) {
        err = read_pair(c, depth, map, why);
    }
    if (err == CH_OK && c->err != CH_OK) err = ch_fail(why, c->err, 0, "the map ends early");
    if (err != CH_OK) {
        json_decref(map);
        return err;
    }
    *ret = map;
    return CH_OK;
}

static enum ch_err read_any(struct ch_cursor *c, unsigned depth, json_t **ret, struct ch_why *why)
{
    if (depth > LIMIT_DEPTH) return ch_fail(why, CH_ERR_UNDECODABLE, 0, "nested too deep");
    switch (ch_cursor_peek(c)) {
    case CH_VALUE_NIL:
        ch_read_nil(c);
        *ret = json_null();
        return CH_OK;
    case CH_VALUE_BOOL: *ret = json_boolean(ch_read_bool(c)); return CH_OK;
    case CH_VALUE_UINT: {
        uint64_t value = ch_read_uint(c);
        if (value > INT64_MAX) {
            return ch_fail(why, CH_ERR_OUT_OF_BOUNDS, 0, "an integer is 2^63 or more");
        }
        *ret = json_integer((json_int_t)value);
        return *ret == NULL ? no_memory(why) : CH_OK;
    }
    case CH_VALUE_NEGATIVE:
    case CH_VALUE_FLOAT: return read_number(c, ret, why);
    case CH_VALUE_TEXT: return read_text(c, ret, why);
    case CH_VALUE_BIN: return read_hex(c, ret, why);
    case CH_VALUE_ARRAY: return read_array(c, depth, ret, why);
    case CH_VALUE_MAP: return read_map(c, depth, ret, why);
    case CH_VALUE_EXT:
    case CH_VALUE_END: break;
    }
    return ch_fail(why, CH_ERR_UNDECODABLE, 0, "not a msgpack value that JSON has a form for");
}

enum ch_err ch_json_tree(struct ch_bytes value, struct json_t **ret, struct ch_why *why)
{
    struct ch_cursor c = ch_cursor_of(value);
    json_t *tree = NULL;
    enum ch_err err = read_any(&c, 0, &tree, why);
    if (err == CH_OK && (c.err != CH_OK || c.at != c.end)) {
        json_decref(tree);
        return ch_fail(why, CH_ERR_UNDECODABLE, 0, "not one whole msgpack value");
    }
    if (err == CH_OK) *ret = tree;
    return err;
}

static int put_chunk(const char *chars, size_t len, void *context)
{
    struct ch_buf *buf = context;
    ch_buf_put(buf, chars, len);
    return buf->failed ? -1 : 0;
}

enum ch_err ch_json_write(struct ch_buf *buf, struct ch_bytes value, unsigned indent,
                          struct ch_why *why)
{
    json_t *tree = NULL;
    enum ch_err err = ch_json_tree(value, &tree, why);
    if (err != CH_OK) return err;
    size_t flags = indent == 0 ? JSON_COMPACT : JSON_INDENT(indent > 8 ? 8 : indent);
    if (json_dump_callback(tree, put_chunk, buf, flags | JSON_ENCODE_ANY) != 0) {
        err = no_memory(why);
    }
    json_decref(tree);
    return err;
}

/* ---- JSON to msgpack ---------------------------------------------------------------------- */

static void pack_marked(struct ch_buf *buf, uint8_t mark, uint64_t bits)
{
    uint8_t bytes[9] = {mark};
    ch_put_be64(bytes + 1, bits);
    ch_buf_put(buf, bytes, sizeof bytes);
}

static void pack_scalar(struct ch_buf *buf, const json_t *tree)
{
    if (json_is_string(tree)) {
        ch_pack_text(buf, (struct ch_text){json_string_value(tree), json_string_length(tree)});
    } else if (json_is_boolean(tree)) {
        ch_pack_bool(buf, json_is_true(tree));
    } else if (json_is_integer(tree)) {
        json_int_t value = json_integer_value(tree);
        if (value >= 0) {
            ch_pack_uint(buf, (uint64_t)value);
        } else {
            pack_marked(buf, 0xd3, (uint64_t)value);
        }
    } else if (json_is_real(tree)) {
        double value = json_real_value(tree);
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        pack_marked(buf, 0xcb, bits);
    } else {
        ch_pack_nil(buf);
    }
}

static bool pack_any(struct ch_buf *buf, const json_t *tree, unsigned depth)
{
    if (depth > LIMIT_DEPTH) return false;
    if (json_is_array(tree)) {
        const size_t items = json_array_size(tree);
        ch_pack_array(buf, items);
        for (size_t i = 0; i < items; i++) {
            if (!pack_any(buf, json_array_get(tree, i), depth + 1)) return false;
        }
        return true;
    }
    if (!json_is_object(tree)) {
        pack_scalar(buf, tree);
        return true;
    }
    ch_pack_map(buf, json_object_size(tree));
    void *iter = json_object_iter((json_t *)(uintptr_t)tree);
    for (; iter != NULL; iter = json_object_iter_next((json_t *)(uintptr_t)tree, iter)) {
        ch_pack_text(buf,
                     (struct ch_text){json_object_iter_key(iter), json_object_iter_key_len(iter)});
        if (!pack_any(buf, json_object_iter_value(iter), depth + 1)) return false;
    }
    return true;
}

enum ch_err ch_json_pack(struct ch_buf *buf, const struct json_t *tree, struct ch_why *why)
{
    if (!pack_any(buf, tree, 0)) {
        return ch_fail(why, CH_ERR_OUT_OF_BOUNDS, 0, "nested too deep");
    }
    return buf->failed ? no_memory(why) : CH_OK;
}

static enum ch_err pack_hex(struct ch_buf *buf, const char *name, const json_t *value,
                            struct ch_why *why)
{
    struct ch_text hex = {json_string_value(value), json_string_length(value)};
    uint8_t *bytes = hex.len % 2 != 0 || !json_is_string(value) ? NULL : malloc(hex.len / 2 + 1);
    if (bytes == NULL || !ch_hex_read(hex, bytes, hex.len / 2)) {
        free(bytes);
        return ch_fail_field(why, CH_ERR_WRONG_KIND, name, "%s takes bytes as hexadecimal text",
                             name);
    }
    ch_pack_bytes(buf, (struct ch_bytes){bytes, hex.len / 2});
    free(bytes);
    return CH_OK;
}

static enum ch_err pack_item(struct ch_buf *buf, const struct ch_field *field, const json_t *value,
                             struct ch_why *why)
{
    if (field->record != NULL) return ch_json_pack_record(buf, field->record, value, why);
    if (ch_kinds[field->kind].form == CH_FORM_BYTES) return pack_hex(buf, field->name, value, why);
    return ch_json_pack(buf, value, why);
}

static const struct ch_field *find_field(const struct ch_record *record, struct ch_text name)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct ch_field *field = &record->fields[i];
        if (ch_text_equal(name, (struct ch_text){field->name, field->name_len})) return field;
    }
    return NULL;
}

static enum ch_err pack_field(struct ch_buf *buf, const struct ch_record *record, const char *key,
                              const json_t *value, struct ch_why *why)
{
    const struct ch_field *field = find_field(record, ch_text_of(key));
    if (field == NULL) {
        return ch_fail_field(why, CH_ERR_UNKNOWN_FIELD, key, "%s has no such field", record->name);
    }
    ch_pack_text(buf, (struct ch_text){field->name, field->name_len});
    if (!field->list || !json_is_array(value)) return pack_item(buf, field, value, why);
    const size_t items = json_array_size(value);
    ch_pack_array(buf, items);
    for (size_t i = 0; i < items; i++) {
        enum ch_err err = pack_item(buf, field, json_array_get(value, i), why);
        if (err != CH_OK) return err;
    }
    return CH_OK;
}

enum ch_err ch_json_pack_record(struct ch_buf *buf, const struct ch_record *record,
                                const struct json_t *object, struct ch_why *why)
{
    if (!json_is_object(object)) {
        return ch_fail(why, CH_ERR_WRONG_KIND, 0, "%s takes a JSON object", record->name);
    }
    json_t *map = (json_t *)(uintptr_t)object; /* jansson's iterators take no const */
    size_t present = 0;
    for (void *i = json_object_iter(map); i != NULL; i = json_object_iter_next(map, i)) {
        if (!json_is_null(json_object_iter_value(i))) present++;
    }
    ch_pack_map(buf, present);
    for (void *i = json_object_iter(map); i != NULL; i = json_object_iter_next(map, i)) {
        const json_t *value = json_object_iter_value(i);
        if (json_is_null(value)) continue;
        enum ch_err err = pack_field(buf, record, json_object_iter_key(i), value, why);
        if (err != CH_OK) return err;
    }
    return buf->failed ? no_memory(why) : CH_OK;
}

enum ch_err ch_json_read_record(struct ch_buf *buf, const struct ch_record *record,
                                struct ch_text json, struct ch_why *why)
{
    json_error_t where;
    json_t *tree =
        json_loadb(json.len == 0 ? "" : json.ptr, json.len, JSON_REJECT_DUPLICATES, &where);
    if (tree == NULL) {
        return ch_fail(why, CH_ERR_UNDECODABLE, 0, "not JSON: line %d, column %d: %s", where.line,
                       where.column, where.text);
    }
    enum ch_err err = ch_json_pack_record(buf, record, tree, why);
    json_decref(tree);
    return err;
}
