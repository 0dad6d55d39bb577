/* test_log_seal: what is sealed opens, and nothing else does. SPDX-License-Identifier: MIT
 * Runs Project Wycheproof's XChaCha20-Poly1305 vectors where they are at hand. */
#include "daemon/log/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define VECTORS CH_SOURCE_DIR "/../shared/vectors/wycheproof/xchacha20_poly1305_test.json"

enum { PLAIN_BYTES = 40, SEALED_BYTES = PLAIN_BYTES + CH_SEAL_TAG_BYTES };

static const uint8_t key[CH_SEAL_KEY_BYTES] = {1, 2, 3};
static const uint8_t nonce[CH_SEAL_NONCE_BYTES] = {4, 5};
static const uint8_t aad_bytes[] = "user 7";
static const struct ch_bytes aad = {.ptr = aad_bytes, .len = 6};

static void seal(uint8_t plain[PLAIN_BYTES], uint8_t sealed[SEALED_BYTES])
{
    for (size_t i = 0; i < PLAIN_BYTES; i++) {
        plain[i] = (uint8_t)(i * 5);
    }
    ch_seal(key, nonce, aad, (struct ch_bytes){.ptr = plain, .len = PLAIN_BYTES}, sealed);
}

static void what_is_sealed_opens_and_any_flipped_bit_is_refused(void **state)
{
    (void)state;
    uint8_t plain[PLAIN_BYTES];
    uint8_t sealed[SEALED_BYTES];
    uint8_t opened[PLAIN_BYTES];
    seal(plain, sealed);
    struct ch_bytes view = {.ptr = sealed, .len = sizeof sealed};
    assert_int_equal(ch_seal_open(key, nonce, aad, view, opened, NULL), CH_OK);
    assert_memory_equal(opened, plain, sizeof plain);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(ch_seal_open(key, nonce, aad, view, opened, NULL), CH_ERR_SEAL_BROKEN);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(ch_seal_open(key, nonce, aad, view, opened, NULL), CH_OK);
}

static void another_key_nonce_aad_or_length_does_not_open_it(void **state)
{
    (void)state;
    uint8_t plain[PLAIN_BYTES];
    uint8_t sealed[SEALED_BYTES];
    uint8_t opened[PLAIN_BYTES];
    seal(plain, sealed);
    struct ch_bytes view = {.ptr = sealed, .len = sizeof sealed};
    struct ch_bytes shorter_aad = {.ptr = aad_bytes, .len = 5};
    const uint8_t other_key[CH_SEAL_KEY_BYTES] = {1, 2, 4};
    const uint8_t other_nonce[CH_SEAL_NONCE_BYTES] = {4, 6};
    enum ch_err broken = CH_ERR_SEAL_BROKEN;
    assert_int_equal(ch_seal_open(other_key, nonce, aad, view, opened, NULL), broken);
    assert_int_equal(ch_seal_open(key, other_nonce, aad, view, opened, NULL), broken);
    assert_int_equal(ch_seal_open(key, nonce, shorter_aad, view, opened, NULL), broken);
    for (view.len = 0; view.len < sizeof sealed; view.len++) {
        assert_int_equal(ch_seal_open(key, nonce, aad, view, opened, NULL), broken);
    }
}

static void the_empty_text_can_be_sealed(void **state)
{
    (void)state;
    uint8_t sealed[CH_SEAL_TAG_BYTES];
    uint8_t opened[1];
    struct ch_bytes view = {.ptr = sealed, .len = sizeof sealed};
    ch_seal(key, nonce, (struct ch_bytes){0}, (struct ch_bytes){0}, sealed);
    assert_int_equal(ch_seal_open(key, nonce, (struct ch_bytes){0}, view, opened, NULL), CH_OK);
}

static void a_name_hash_depends_on_installation_kind_and_name(void **state)
{
    (void)state;
    const uint8_t other_installation[CH_SEAL_KEY_BYTES] = {9};
    uint8_t name_key[CH_NAME_KEY_BYTES];
    uint8_t other_name_key[CH_NAME_KEY_BYTES];
    uint8_t hash[CH_NAME_HASH_BYTES];
    uint8_t other[CH_NAME_HASH_BYTES];
    ch_seal_name_key(key, name_key);
    ch_seal_name_key(other_installation, other_name_key);
    ch_seal_name_hash(name_key, 1, ch_text_of("ada"), hash);
    ch_seal_name_hash(name_key, 1, ch_text_of("ada"), other);
    assert_memory_equal(other, hash, sizeof hash);
    ch_seal_name_hash(name_key, 1, ch_text_of("adb"), other);
    assert_memory_not_equal(other, hash, sizeof hash);
    ch_seal_name_hash(name_key, 2, ch_text_of("ada"), other);
    assert_memory_not_equal(other, hash, sizeof hash);
    ch_seal_name_hash(other_name_key, 1, ch_text_of("ada"), other);
    assert_memory_not_equal(other, hash, sizeof hash);
}

static void a_name_hash_never_changes_from_version_to_version(void **state)
{
    (void)state;
    uint8_t name_key[CH_NAME_KEY_BYTES];
    uint8_t hash[CH_NAME_HASH_BYTES];
    char hex[2 * CH_NAME_HASH_BYTES + 1];
    ch_seal_name_key(key, name_key);
    ch_seal_name_hash(name_key, 1, ch_text_of("ada@example.org"), hash);
    assert_string_equal(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash),
                        "070c759565e12a8144d6069a7e02d3f7");
}

/* The value of the next "name": "…" at or behind *at, before `end`; moves *at behind it. The file
 * is regular: one test after another, strings without escapes. */
static bool take_field(const char **at, const char *end, const char *name, struct ch_text *ret)
{
    char quoted[32];
    int len = snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *found = memmem(*at, (size_t)(end - *at), quoted, (size_t)len);
    if (found == NULL) return false;
    const char *open = memchr(found + len, '"', (size_t)(end - found - len));
    if (open == NULL) return false;
    const char *close = memchr(open + 1, '"', (size_t)(end - open - 1));
    if (close == NULL) return false;
    *ret = (struct ch_text){.ptr = open + 1, .len = (size_t)(close - open - 1)};
    *at = close + 1;
    return true;
}

static struct ch_bytes from_hex(struct ch_text hex, uint8_t *room, size_t room_bytes)
{
    size_t len = 0;
    assert_int_equal(sodium_hex2bin(room, room_bytes, hex.ptr, hex.len, NULL, &len, NULL), 0);
    assert_int_equal(2 * len, hex.len);
    return (struct ch_bytes){.ptr = room, .len = len};
}

/* One vector: fields in the order of the file. */
static void check_vector(struct ch_text fields[7])
{
    enum { ROOM = 2048 };
    static uint8_t rooms[6][ROOM];
    static uint8_t sealed[2 * ROOM];
    static uint8_t plain[2 * ROOM];
    struct ch_bytes in[6]; /* key, iv, aad, msg, ct, tag */
    for (size_t i = 0; i < 6; i++) {
        in[i] = from_hex(fields[i], rooms[i], ROOM);
    }
    bool valid = ch_text_is(fields[6], "valid");
    if (in[0].len != CH_SEAL_KEY_BYTES || in[1].len != CH_SEAL_NONCE_BYTES) {
        assert_false(valid); /* our interface has no way to say such a key or nonce */
        return;
    }
    memcpy(sealed, in[4].ptr, in[4].len);
    memcpy(sealed + in[4].len, in[5].ptr, in[5].len);
    struct ch_bytes view = {.ptr = sealed, .len = in[4].len + in[5].len};
    enum ch_err err = ch_seal_open(in[0].ptr, in[1].ptr, in[2], view, plain, NULL);
    assert_int_equal(err, valid ? CH_OK : CH_ERR_SEAL_BROKEN);
    if (!valid) return;
    assert_memory_equal(plain, in[3].ptr, in[3].len);
    ch_seal(in[0].ptr, in[1].ptr, in[2], in[3], plain);
    assert_memory_equal(plain, sealed, view.len);
}

static void the_vectors_of_wycheproof_hold(void **state)
{
    (void)state;
    static const char *const names[7] = {"key", "iv", "aad", "msg", "ct", "tag", "result"};
    FILE *file = fopen(VECTORS, "rb");
    if (file == NULL) {
        print_message("SKIPPED: no Wycheproof vectors at " VECTORS "\n");
        skip();
        return;
    }
    static char text[1 << 20];
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_true(len < sizeof text);
    const char *at = memmem(text, len, "\"testGroups\"", 12);
    assert_non_null(at);
    size_t count = 0;
    for (;;) {
        struct ch_text fields[7];
        size_t got = 0;
        while (got < 7 && take_field(&at, text + len, names[got], &fields[got])) {
            got++;
        }
        if (got < 7) {
            assert_int_equal(got, 0);
            break;
        }
        check_vector(fields);
        count++;
    }
    print_message("%zu vectors\n", count);
    assert_true(count > 200);
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_opens_and_any_flipped_bit_is_refused),
        cmocka_unit_test(another_key_nonce_aad_or_length_does_not_open_it),
        cmocka_unit_test(the_empty_text_can_be_sealed),
        cmocka_unit_test(a_name_hash_depends_on_installation_kind_and_name),
        cmocka_unit_test(a_name_hash_never_changes_from_version_to_version),
        cmocka_unit_test(the_vectors_of_wycheproof_hold),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
