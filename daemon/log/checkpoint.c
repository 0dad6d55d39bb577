/* checkpoint: see checkpoint.h. SPDX-License-Identifier: MIT */
#include "daemon/log/checkpoint.h"

#include "schema/base/base64.h"

#include <inttypes.h>
#include <stdio.h>

static const char state_word[] = "charterd-state";
static const char next_key_word[] = "charterd-next-key";

bool ch_decimal_read(struct ch_text text, uint64_t *ret)
{
    uint64_t value = 0;
    if (text.len == 0 || text.len > 19 || (text.len > 1 && text.ptr[0] == '0')) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (value > INT64_MAX) return false;
    *ret = value;
    return true;
}

static void put_line(struct ch_buf *out, const char *line)
{
    ch_buf_put_text(out, ch_text_of(line));
    ch_buf_put(out, "\n", 1);
}

void ch_checkpoint_put(struct ch_buf *out, const struct ch_checkpoint *checkpoint)
{
    char line[64 + CH_VERIFIER_TEXT_BYTES];
    char hash[CH_BASE64_LEN(CH_HASH_BYTES) + 1];
    char key[CH_VERIFIER_TEXT_BYTES];
    ch_buf_put_text(out, checkpoint->origin);
    (void)snprintf(line, sizeof line, "\n%" PRIu64, checkpoint->size);
    put_line(out, line);
    ch_base64_write((struct ch_bytes){checkpoint->root.bytes, CH_HASH_BYTES}, hash);
    put_line(out, hash);
    if (checkpoint->has_state) {
        ch_base64_write((struct ch_bytes){checkpoint->state_hash, sizeof checkpoint->state_hash},
                        hash);
        (void)snprintf(line, sizeof line, "%s %" PRIu32 " %" PRIu64 " %s", state_word,
                       checkpoint->dump_version, checkpoint->state_seq, hash);
        put_line(out, line);
    }
    if (checkpoint->has_next_key) {
        (void)ch_verifier_write(&checkpoint->next_key, key);
        (void)snprintf(line, sizeof line, "%s %s", next_key_word, key);
        put_line(out, line);
    }
}

/* Takes what stands before `end` off the text; false if there is no such character. */
static bool take_until(struct ch_text *text, char end, struct ch_text *ret)
{
    const char *at = text->len == 0 ? NULL : memchr(text->ptr, end, text->len);
    if (at == NULL) return false;
    *ret = (struct ch_text){text->ptr, (size_t)(at - text->ptr)};
    text->ptr = at + 1;
    text->len -= ret->len + 1;
    return true;
}

static bool read_hash(struct ch_text text, uint8_t ret[CH_HASH_BYTES])
{
    size_t len = 0;
    return ch_base64_read(text, ret, CH_HASH_BYTES, &len) && len == CH_HASH_BYTES;
}

static bool read_state(struct ch_text line, struct ch_checkpoint *ret)
{
    struct ch_text version;
    struct ch_text seq;
    uint64_t number = 0;
    if (ret->has_state || !take_until(&line, ' ', &version) || !take_until(&line, ' ', &seq) ||
        !ch_decimal_read(version, &number) || number > UINT32_MAX ||
        !ch_decimal_read(seq, &ret->state_seq) || ret->state_seq > ret->size) {
        return false;
    }
    ret->dump_version = (uint32_t)number;
    ret->has_state = true;
    return read_hash(line, ret->state_hash);
}

static bool read_extension(struct ch_text line, struct ch_checkpoint *ret)
{
    struct ch_text rest = line;
    struct ch_text word;
    if (!take_until(&rest, ' ', &word)) return true;
    if (ch_text_is(word, state_word)) return read_state(rest, ret);
    if (!ch_text_is(word, next_key_word)) return true;
    if (ret->has_next_key || !ch_verifier_read(rest, &ret->next_key)) return false;
    ret->has_next_key = true;
    return ret->next_key.type == CH_NOTE_ED25519;
}

bool ch_checkpoint_read(struct ch_text text, struct ch_checkpoint *ret)
{
    struct ch_checkpoint made = {.size = 0};
    struct ch_text size;
    struct ch_text root;
    struct ch_text line;
    if (!take_until(&text, '\n', &made.origin) || made.origin.len == 0 ||
        !take_until(&text, '\n', &size) || !ch_decimal_read(size, &made.size) ||
        !take_until(&text, '\n', &root) || !read_hash(root, made.root.bytes)) {
        return false;
    }
    while (text.len > 0) {
        if (!take_until(&text, '\n', &line) || line.len == 0 || !read_extension(line, &made)) {
            return false;
        }
    }
    *ret = made;
    return true;
}

bool ch_checkpoint_read_note(struct ch_text whole, struct ch_note *note, struct ch_checkpoint *ret)
{
    return ch_note_split(whole, note) && ch_checkpoint_read(note->text, ret);
}
