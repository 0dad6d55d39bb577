/* note: see note.h. SPDX-License-Identifier: MIT */
#include "daemon/log/note.h"

#include "schema/base/base64.h"
#include "schema/base/check.h"
#include "schema/text.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

enum {
    LINE_RAW_MOST = CH_NOTE_ID_BYTES + 8 + CH_NOTE_SIGNATURE_BYTES,
    KEY_RAW_BYTES = 1 + CH_NOTE_PUBLIC_BYTES,
};

static const char dash[] = "\xe2\x80\x94 "; /* U+2014 and a space */

bool ch_ed25519_check(const uint8_t public_key[CH_NOTE_PUBLIC_BYTES], struct ch_bytes message,
                      const uint8_t signature[CH_NOTE_SIGNATURE_BYTES])
{
    return crypto_sign_verify_detached(signature, message.ptr, message.len, public_key) == 0;
}

/* ---- keys --------------------------------------------------------------------------------- */

/* A name of the schema holds no white space but plain spaces. */
bool ch_note_name_good(struct ch_text name)
{
    return name.len >= 1 && name.len <= CH_NOTE_NAME_MOST && ch_text_is_name(name) &&
           memchr(name.ptr, ' ', name.len) == NULL && memchr(name.ptr, '+', name.len) == NULL;
}

void ch_verifier_make(uint8_t type, struct ch_text name,
                      const uint8_t public_key[CH_NOTE_PUBLIC_BYTES], struct ch_verifier *ret)
{
    static const uint8_t newline = '\n';
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    CH_CHECK(ch_note_name_good(name));
    *ret = (struct ch_verifier){.type = type};
    memcpy(ret->name, name.ptr, name.len);
    memcpy(ret->public_key, public_key, sizeof ret->public_key);
    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)name.ptr, name.len);
    (void)crypto_hash_sha256_update(&state, &newline, 1);
    (void)crypto_hash_sha256_update(&state, &type, 1);
    (void)crypto_hash_sha256_update(&state, public_key, CH_NOTE_PUBLIC_BYTES);
    (void)crypto_hash_sha256_final(&state, hash);
    memcpy(ret->id, hash, sizeof ret->id);
}

static void write_id(const uint8_t id[CH_NOTE_ID_BYTES], char out[9])
{
    (void)snprintf(out, 9, "%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
}

bool ch_verifier_read(struct ch_text text, struct ch_verifier *ret)
{
    uint8_t raw[KEY_RAW_BYTES];
    size_t raw_len = 0;
    char id[9];
    const char *plus = text.len == 0 ? NULL : memchr(text.ptr, '+', text.len);
    if (plus == NULL) return false;
    const struct ch_text name = {text.ptr, (size_t)(plus - text.ptr)};
    const struct ch_text rest = {plus + 1, text.len - name.len - 1};
    if (!ch_note_name_good(name) || rest.len < 9 || rest.ptr[8] != '+') return false;
    const struct ch_text key = {rest.ptr + 9, rest.len - 9};
    if (!ch_base64_read(key, raw, sizeof raw, &raw_len) || raw_len != sizeof raw) return false;
    if (raw[0] != CH_NOTE_ED25519 && raw[0] != CH_NOTE_COSIGNATURE) return false;
    struct ch_verifier made;
    ch_verifier_make(raw[0], name, raw + 1, &made);
    write_id(made.id, id);
    if (memcmp(id, rest.ptr, 8) != 0) return false;
    *ret = made;
    return true;
}

size_t ch_verifier_write(const struct ch_verifier *verifier, char out[CH_VERIFIER_TEXT_BYTES])
{
    uint8_t raw[KEY_RAW_BYTES] = {verifier->type};
    char id[9];
    char key[CH_BASE64_LEN(KEY_RAW_BYTES) + 1];
    memcpy(raw + 1, verifier->public_key, sizeof verifier->public_key);
    ch_base64_write((struct ch_bytes){raw, sizeof raw}, key);
    write_id(verifier->id, id);
    const int len = snprintf(out, CH_VERIFIER_TEXT_BYTES, "%s+%s+%s", verifier->name, id, key);
    CH_CHECK(len > 0 && len < CH_VERIFIER_TEXT_BYTES);
    return (size_t)len;
}

bool ch_verifier_equal(const struct ch_verifier *a, const struct ch_verifier *b)
{
    return a->type == b->type && strcmp(a->name, b->name) == 0 &&
           memcmp(a->public_key, b->public_key, sizeof a->public_key) == 0;
}

/* ---- signing ------------------------------------------------------------------------------ */

enum ch_err ch_signer_init(struct ch_text name, const uint8_t seed[CH_NOTE_SEED_BYTES],
                           struct ch_signer *ret, struct ch_why *why)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    if (sodium_init() < 0) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "libsodium does not start");
    uint8_t *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    if (secret == NULL) return ch_fail(why, CH_ERR_NO_MEMORY, 0, "no memory for a signing key");
    (void)crypto_sign_seed_keypair(public_key, secret, seed);
    ch_verifier_make(CH_NOTE_ED25519, name, public_key, &ret->verifier);
    ret->secret = secret;
    return CH_OK;
}

void ch_signer_deinit(struct ch_signer *signer)
{
    if (signer == NULL) return;
    sodium_free(signer->secret); /* clears it; NULL is a no-op */
    *signer = (struct ch_signer){.secret = NULL};
}

void ch_signer_seed(const struct ch_signer *signer, uint8_t ret[CH_NOTE_SEED_BYTES])
{
    (void)crypto_sign_ed25519_sk_to_seed(ret, signer->secret);
}

void ch_signer_put_line(const struct ch_signer *signer, struct ch_text text, struct ch_buf *out)
{
    uint8_t raw[CH_NOTE_ID_BYTES + CH_NOTE_SIGNATURE_BYTES];
    memcpy(raw, signer->verifier.id, CH_NOTE_ID_BYTES);
    (void)crypto_sign_detached(raw + CH_NOTE_ID_BYTES, NULL, (const uint8_t *)text.ptr, text.len,
                               signer->secret);
    ch_buf_put_text(out, ch_text_of(dash));
    ch_buf_put_text(out, ch_text_of(signer->verifier.name));
    ch_buf_put(out, " ", 1);
    ch_base64_put(out, (struct ch_bytes){raw, sizeof raw});
    ch_buf_put(out, "\n", 1);
}

/* ---- reading ------------------------------------------------------------------------------ */

bool ch_note_next(struct ch_text lines, size_t *at, struct ch_note_line *ret)
{
    const size_t dash_len = sizeof dash - 1;
    if (*at >= lines.len) return false;
    const char *start = lines.ptr + *at;
    const char *end = memchr(start, '\n', lines.len - *at);
    if (end == NULL) return false;
    const size_t len = (size_t)(end - start);
    if (len < dash_len || memcmp(start, dash, dash_len) != 0) return false;
    const char *name = start + dash_len;
    const char *space = memchr(name, ' ', (size_t)(end - name));
    if (space == NULL) return false;
    ret->line = (struct ch_text){start, len + 1};
    ret->name = (struct ch_text){name, (size_t)(space - name)};
    ret->signature = (struct ch_text){space + 1, (size_t)(end - space) - 1};
    /* The first 8 characters hold the id and two bytes more. A signature of a type that is not
     * known here may be longer than any of ours. */
    uint8_t head[6];
    size_t head_len = 0;
    const struct ch_text first = {ret->signature.ptr, 8};
    if (ret->signature.len < 8 || ret->signature.len % 4 != 0 || !ch_note_name_good(ret->name) ||
        !ch_base64_read(first, head, sizeof head, &head_len) || head_len < CH_NOTE_ID_BYTES) {
        return false;
    }
    memcpy(ret->id, head, sizeof ret->id);
    *at += len + 1;
    return true;
}

bool ch_note_split(struct ch_text whole, struct ch_note *ret)
{
    if (whole.len == 0 || whole.len > CH_NOTE_MOST_BYTES || !ch_text_is_passage(whole) ||
        memchr(whole.ptr, '\t', whole.len) != NULL || whole.ptr[whole.len - 1] != '\n') {
        return false;
    }
    size_t middle = 0; /* of the last empty line */
    for (size_t i = 1; i < whole.len; i++) {
        if (whole.ptr[i] == '\n' && whole.ptr[i - 1] == '\n') middle = i;
    }
    if (middle == 0 || middle + 1 == whole.len) return false;
    const struct ch_note note = {.text = {whole.ptr, middle},
                                 .lines = {whole.ptr + middle + 1, whole.len - middle - 1}};
    struct ch_note_line line;
    size_t at = 0;
    while (ch_note_next(note.lines, &at, &line)) {
    }
    if (at != note.lines.len) return false;
    *ret = note;
    return true;
}

static bool line_good(struct ch_text text, const struct ch_note_line *line,
                      const struct ch_verifier *verifier, uint64_t *ret_time)
{
    uint8_t raw[LINE_RAW_MOST];
    size_t len = 0;
    if (!ch_base64_read(line->signature, raw, sizeof raw, &len)) return false;
    if (verifier->type == CH_NOTE_ED25519) {
        const struct ch_bytes message = {(const uint8_t *)text.ptr, text.len};
        return len == CH_NOTE_ID_BYTES + CH_NOTE_SIGNATURE_BYTES &&
               ch_ed25519_check(verifier->public_key, message, raw + CH_NOTE_ID_BYTES);
    }
    if (len != LINE_RAW_MOST) return false;
    const uint64_t at = ch_get_be64(raw + CH_NOTE_ID_BYTES);
    char head[64];
    const int head_len = snprintf(head, sizeof head, "cosignature/v1\ntime %" PRIu64 "\n", at);
    struct ch_buf message = {0};
    ch_buf_put(&message, head, (size_t)head_len);
    ch_buf_put_text(&message, text);
    const bool good =
        at <= INT64_MAX && !message.failed &&
        ch_ed25519_check(verifier->public_key, ch_buf_view(&message), raw + CH_NOTE_ID_BYTES + 8);
    ch_buf_deinit(&message);
    if (good && ret_time != NULL) *ret_time = at;
    return good;
}

enum ch_note_answer ch_note_check(struct ch_text text, struct ch_text lines,
                                  const struct ch_verifier *verifier, uint64_t *ret_time)
{
    enum ch_note_answer answer = CH_NOTE_UNSIGNED;
    struct ch_note_line line;
    size_t at = 0;
    if (ret_time != NULL) *ret_time = 0;
    while (ch_note_next(lines, &at, &line)) {
        if (!ch_text_is(line.name, verifier->name)) continue;
        if (memcmp(line.id, verifier->id, sizeof line.id) != 0) continue;
        if (!line_good(text, &line, verifier, ret_time)) return CH_NOTE_BAD;
        answer = CH_NOTE_GOOD;
    }
    return answer;
}
