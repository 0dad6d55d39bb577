/* words: see words.h. SPDX-License-Identifier: MIT */
#include "tests/scenarios/words.h"

#include "schema/json.h"
#include "schema/pack.h"

enum { REPEAT_MOST = 2000000, DEPTH_MOST = 64 };

bool labels_set(struct labels *labels, struct ch_text name, uint64_t seq)
{
    struct label *free_place = NULL;
    for (size_t i = 0; i < labels->count; i++) {
        if (ch_text_is(name, labels->all[i].name)) free_place = &labels->all[i];
    }
    if (free_place == NULL) {
        if (labels->count == sizeof labels->all / sizeof labels->all[0]) return false;
        free_place = &labels->all[labels->count];
        if (name.len == 0 || name.len >= sizeof free_place->name) return false;
        memcpy(free_place->name, name.ptr, name.len);
        free_place->name[name.len] = '\0';
        labels->count++;
    }
    free_place->seq = seq;
    free_place->text[0] = '\0';
    return true;
}

bool labels_set_text(struct labels *labels, struct ch_text name, struct ch_text text)
{
    if (!labels_set(labels, name, 0)) return false;
    for (size_t i = 0; i < labels->count; i++) {
        struct label *label = &labels->all[i];
        if (!ch_text_is(name, label->name) || text.len >= sizeof label->text) continue;
        memcpy(label->text, text.ptr, text.len);
        label->text[text.len] = '\0';
        return true;
    }
    return false;
}

bool word_remembered(const struct labels *labels, struct ch_text raw, struct ch_text *ret)
{
    if (raw.len == 0 || raw.ptr[0] != '$') return false;
    const struct ch_text name = {raw.ptr + 1, raw.len - 1};
    for (size_t i = 0; i < labels->count; i++) {
        if (!ch_text_is(name, labels->all[i].name) || labels->all[i].text[0] == '\0') continue;
        *ret = ch_text_of(labels->all[i].text);
        return true;
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct ch_text text_trim(struct ch_text text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Length up to `mark` outside quotes, or all of it. */
static size_t length_before(struct ch_text text, const char *mark)
{
    const size_t mark_len = strlen(mark);
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && quoted) {
            i++;
        } else if (text.ptr[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text.len - i >= mark_len &&
                   memcmp(text.ptr + i, mark, mark_len) == 0) {
            return i;
        }
    }
    return text.len;
}

struct ch_text text_cut(struct ch_text *text, const char *mark)
{
    const size_t len = length_before(*text, mark);
    const struct ch_text before = {text->ptr, len};
    const size_t skip = len == text->len ? len : len + strlen(mark);
    text->ptr += skip;
    text->len -= skip;
    return before;
}

struct ch_text word_next(struct ch_text *line)
{
    *line = text_trim(*line);
    return text_cut(line, " ");
}

bool word_is(struct ch_text *line, const char *word)
{
    struct ch_text rest = *line;
    if (!ch_text_is(word_next(&rest), word)) return false;
    *line = text_trim(rest);
    return true;
}

static bool read_decimal(struct ch_text text, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > UINT64_MAX / 10 - 1) return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret = value;
    return text.len > 0;
}

bool word_number(const struct labels *labels, struct ch_text raw, uint64_t *ret)
{
    if (raw.len == 0 || raw.ptr[0] != '$') return read_decimal(raw, ret);
    const struct ch_text name = {raw.ptr + 1, raw.len - 1};
    for (size_t i = 0; i < labels->count; i++) {
        if (!ch_text_is(name, labels->all[i].name)) continue;
        *ret = labels->all[i].seq;
        return true;
    }
    return false;
}

/* What stands between the quotes, \" \\ \n \xNN written out. */
static size_t unquote(struct ch_text inner, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        if (c == '\\' && i + 1 < inner.len) {
            c = inner.ptr[++i];
            uint8_t byte = 0;
            if (c == 'n') {
                c = '\n';
            } else if (c == 'x' && i + 2 < inner.len &&
                       ch_hex_read((struct ch_text){inner.ptr + i + 1, 2}, &byte, 1)) {
                c = (char)byte;
                i += 2;
            }
        }
        out[len++] = c;
    }
    return len;
}

struct ch_text word_value(struct ch_text raw, struct ch_arena *arena)
{
    if (raw.len < 2 || raw.ptr[0] != '"') return raw;
    struct ch_text rest = {raw.ptr + 1, raw.len - 1};
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '"') {
        end += rest.ptr[end] == '\\' ? 2 : 1;
    }
    if (end >= rest.len) return raw;
    uint64_t times = 1;
    const struct ch_text behind = {rest.ptr + end + 1, rest.len - end - 1};
    if (behind.len > 1 && behind.ptr[0] == '*' &&
        !read_decimal((struct ch_text){behind.ptr + 1, behind.len - 1}, &times)) {
        return raw;
    }
    char *out = ch_arena_take(arena, end * (times > REPEAT_MOST ? 0 : times) + 1);
    if (out == NULL || times > REPEAT_MOST) return raw;
    const size_t one = unquote((struct ch_text){rest.ptr, end}, out);
    for (uint64_t i = 1; i < times; i++) {
        memcpy(out + i * one, out, one);
    }
    return (struct ch_text){out, one * times};
}

static bool take_mark(struct ch_text *text, char mark)
{
    *text = text_trim(*text);
    if (text->len == 0 || text->ptr[0] != mark) return false;
    text->ptr++;
    text->len--;
    return true;
}

/* Up to a mark that ends a value. */
static struct ch_text take_scalar(struct ch_text *text)
{
    size_t len = text->len;
    static const char *const ends[] = {",", "]", "}", ":", " "};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t before = length_before(*text, ends[i]);
        if (before < len) len = before;
    }
    const struct ch_text scalar = {text->ptr, len};
    text->ptr += len;
    text->len -= len;
    return scalar;
}

static bool pack_scalar(struct ch_text word, struct ch_arena *arena, struct ch_buf *buf)
{
    uint64_t number;
    if (ch_text_is(word, "nil")) {
        ch_pack_nil(buf);
    } else if (ch_text_is(word, "true") || ch_text_is(word, "false")) {
        ch_pack_bool(buf, word.ptr[0] == 't');
    } else if (read_decimal(word, &number)) {
        ch_pack_uint(buf, number);
    } else if (ch_text_is(word, "-1")) {
        ch_buf_put(buf, "\xff", 1);
    } else if (ch_text_is(word, "1.5")) {
        ch_buf_put(buf, "\xca\x3f\xc0\x00\x00", 5);
    } else if (word.len >= 3 && word.ptr[0] == 'h' && word.ptr[1] == '\'') {
        const size_t len = (word.len - 3) / 2;
        uint8_t *out = ch_arena_take(arena, len + 1);
        if (out == NULL || !ch_hex_read((struct ch_text){word.ptr + 2, len * 2}, out, len)) {
            return false;
        }
        ch_pack_bytes(buf, (struct ch_bytes){out, len});
    } else if (word.len >= 2 && word.ptr[0] == '"') {
        ch_pack_text(buf, word_value(word, arena));
    } else {
        return false;
    }
    return true;
}

static bool pack_value(struct ch_text *text, struct ch_arena *arena, struct ch_buf *buf,
                       unsigned depth)
{
    const bool map = take_mark(text, '{');
    if (!map && !take_mark(text, '[')) return pack_scalar(take_scalar(text), arena, buf);
    if (depth == DEPTH_MOST) return false;
    struct ch_buf items = {0};
    size_t count = 0;
    bool good = true;
    while (good && !take_mark(text, map ? '}' : ']')) {
        if (count > 0) good = take_mark(text, ',');
        good = good && pack_value(text, arena, &items, depth + 1);
        if (map) good = good && take_mark(text, ':') && pack_value(text, arena, &items, depth + 1);
        count++;
    }
    if (map) {
        ch_pack_map(buf, count);
    } else {
        ch_pack_array(buf, count);
    }
    ch_buf_put(buf, items.ptr, items.len);
    ch_buf_deinit(&items);
    return good;
}

bool word_msgpack(struct ch_text *text, struct ch_arena *arena, struct ch_buf *buf)
{
    return pack_value(text, arena, buf, 0);
}
