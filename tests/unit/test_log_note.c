/* test_log_note: signed notes, checkpoints and cosignatures. SPDX-License-Identifier: MIT */
#include "daemon/log/checkpoint.h"
#include "daemon/log/note.h"
#include "schema/base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t zeros[CH_NOTE_SEED_BYTES];

static const char crypto_text[] = "If you think cryptography is the answer to your problem,\n"
                                  "then you don't know what your problem is.\n";
/* The published examples of Go's note package. */
static const char neumann_key[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char neumann_line[] =
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
/* The key whose seed is all zeros. */
static const char enoch_line[] = "\xe2\x80\x94 EnochRoot "
                                 "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/"
                                 "5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

/* A note of several parts, NUL-terminated; the caller frees. */
static char *joined(const char *text, const char *lines)
{
    struct ch_buf buf = {0};
    ch_buf_put_text(&buf, ch_text_of(text));
    ch_buf_put(&buf, "\n", 1);
    ch_buf_put_text(&buf, ch_text_of(lines));
    ch_buf_put(&buf, "", 1);
    assert_false(buf.failed);
    return (char *)buf.ptr;
}

static void the_published_note_verifies(void **state)
{
    (void)state;
    struct ch_verifier verifier;
    char key[CH_VERIFIER_TEXT_BYTES];
    assert_true(ch_verifier_read(ch_text_of(neumann_key), &verifier));
    (void)ch_verifier_write(&verifier, key);
    assert_string_equal(key, neumann_key);
    char *whole = joined(crypto_text, neumann_line);
    struct ch_note note;
    assert_true(ch_note_split(ch_text_of(whole), &note));
    assert_true(ch_text_is(note.text, crypto_text));
    assert_int_equal(ch_note_check(note.text, note.lines, &verifier, NULL), CH_NOTE_GOOD);
    /* over another text it does not */
    assert_int_equal(ch_note_check(ch_text_of("other\n"), note.lines, &verifier, NULL),
                     CH_NOTE_BAD);
    /* another name or id: somebody else's line */
    verifier.id[0] ^= 1;
    assert_int_equal(ch_note_check(note.text, note.lines, &verifier, NULL), CH_NOTE_UNSIGNED);
    free(whole);
}

static void a_key_signs_as_the_published_one(void **state)
{
    (void)state;
    struct ch_signer signer = {.secret = NULL};
    struct ch_buf line = {0};
    uint8_t seed[CH_NOTE_SEED_BYTES];
    assert_int_equal(ch_signer_init(ch_text_of("EnochRoot"), zeros, &signer, NULL), CH_OK);
    ch_signer_put_line(&signer, ch_text_of(crypto_text), &line);
    ch_buf_put(&line, "", 1);
    assert_string_equal((const char *)line.ptr, enoch_line);
    ch_signer_seed(&signer, seed);
    assert_memory_equal(seed, zeros, sizeof seed);
    ch_signer_deinit(&signer);
    ch_buf_deinit(&line);
}

static void every_flipped_bit_of_a_note_is_found(void **state)
{
    (void)state;
    struct ch_verifier verifier;
    assert_true(ch_verifier_read(ch_text_of(neumann_key), &verifier));
    char *whole = joined(crypto_text, neumann_line);
    const size_t len = strlen(whole);
    for (size_t i = 0; i < len * 8; i++) {
        struct ch_note note;
        whole[i / 8] = (char)(whole[i / 8] ^ 1 << i % 8);
        if (ch_note_split((struct ch_text){whole, len}, &note) &&
            ch_note_check(note.text, note.lines, &verifier, NULL) == CH_NOTE_GOOD) {
            fail_msg("bit %zu of the note changes nothing", i);
        }
        whole[i / 8] = (char)(whole[i / 8] ^ 1 << i % 8);
    }
    free(whole);
}

static void what_is_no_verifier_key_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  /* another id */
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  /* capitals */
        "PeterNeumam+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",   /* another name */
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* a space */
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T=",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* type 2 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ch_verifier verifier;
        if (ch_verifier_read(ch_text_of(bad[i]), &verifier)) fail_msg("%s", bad[i]);
    }
}

static void what_is_no_note_is_refused(void **state)
{
    (void)state;
    static const char line[] = "\xe2\x80\x94 a AAAAAAAA\n";
    static const char *const bad[] = {
        "",
        "text\n",
        "text\n\n",
        "text",
        "\n\n\xe2\x80\x94 a AAAAAAAA", /* the last line feed is missing */
        "text\n\n\xe2\x80\x94 a AAAAAAAA\nmore\n",
        "text\n\n- a AAAAAAAA\n",
        "text\n\n\xe2\x80\x94  AAAAAAAA\n",
        "text\n\n\xe2\x80\x94 a b+c AAAAAAAA\n",
        "text\n\n\xe2\x80\x94 a AAAAAAA\n",
        "text\n\n\xe2\x80\x94 a AA==\n",
        "te\txt\n\n\xe2\x80\x94 a AAAAAAAA\n",
        "te\x01xt\n\n\xe2\x80\x94 a AAAAAAAA\n",
        "te\xff\n\n\xe2\x80\x94 a AAAAAAAA\n",
    };
    struct ch_note note;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (ch_note_split(ch_text_of(bad[i]), &note)) fail_msg("%s", bad[i]);
    }
    /* the text may hold empty lines; the last one divides */
    char *whole = joined("text\n\nmore\n", line);
    assert_true(ch_note_split(ch_text_of(whole), &note));
    assert_true(ch_text_is(note.text, "text\n\nmore\n"));
    assert_true(ch_text_is(note.lines, line));
    free(whole);
}

/* A witness's signature line over the text, as tlog-cosignature says. */
static void put_cosignature(const char *name, uint64_t at, const char *text, struct ch_buf *out,
                            struct ch_verifier *ret)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t raw[4 + 8 + 64];
    char message[1024];
    assert_int_equal(crypto_sign_seed_keypair(public_key, secret, zeros), 0);
    ch_verifier_make(CH_NOTE_COSIGNATURE, ch_text_of(name), public_key, ret);
    const int len = snprintf(message, sizeof message, "cosignature/v1\ntime %llu\n%s",
                             (unsigned long long)at, text);
    const size_t message_len = (size_t)len;
    memcpy(raw, ret->id, 4);
    ch_put_be64(raw + 4, at);
    (void)crypto_sign_detached(raw + 12, NULL, (const uint8_t *)message, message_len, secret);
    ch_buf_put_text(out, ch_text_of("\xe2\x80\x94 "));
    ch_buf_put_text(out, ch_text_of(name));
    ch_buf_put(out, " ", 1);
    ch_base64_put(out, (struct ch_bytes){raw, sizeof raw});
    ch_buf_put(out, "\n", 1);
}

static void a_cosignature_verifies_with_its_time_only(void **state)
{
    (void)state;
    static const char text[] = "example.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    struct ch_buf lines = {0};
    struct ch_verifier witness;
    uint64_t at = 0;
    put_cosignature("witness.example", 1700000000, text, &lines, &witness);
    const struct ch_text view = {(const char *)lines.ptr, lines.len};
    assert_int_equal(ch_note_check(ch_text_of(text), view, &witness, &at), CH_NOTE_GOOD);
    assert_int_equal(at, 1700000000);
    assert_int_equal(ch_note_check(ch_text_of("x\n"), view, &witness, &at), CH_NOTE_BAD);
    /* the same key as a log's is another key */
    struct ch_verifier log;
    ch_verifier_make(CH_NOTE_ED25519, ch_text_of("witness.example"), witness.public_key, &log);
    assert_int_equal(ch_note_check(ch_text_of(text), view, &log, &at), CH_NOTE_UNSIGNED);
    ch_buf_deinit(&lines);
}

static void a_checkpoint_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct ch_checkpoint made = {.origin = ch_text_of("example.com/log"),
                                 .size = 20852163,
                                 .has_state = true,
                                 .dump_version = 7,
                                 .state_seq = 20852160,
                                 .has_next_key = true};
    struct ch_checkpoint back;
    struct ch_buf text = {0};
    memset(made.root.bytes, 0xa5, sizeof made.root.bytes);
    memset(made.state_hash, 0x5a, sizeof made.state_hash);
    assert_true(ch_verifier_read(ch_text_of(neumann_key), &made.next_key));
    ch_checkpoint_put(&text, &made);
    const struct ch_text view = {(const char *)text.ptr, text.len};
    assert_true(ch_checkpoint_read(view, &back));
    assert_true(ch_text_equal(back.origin, made.origin));
    assert_int_equal(back.size, made.size);
    assert_true(ch_hash_equal(&back.root, &made.root));
    assert_true(back.has_state && back.has_next_key);
    assert_int_equal(back.dump_version, 7);
    assert_int_equal(back.state_seq, 20852160);
    assert_memory_equal(back.state_hash, made.state_hash, sizeof made.state_hash);
    assert_true(ch_verifier_equal(&back.next_key, &made.next_key));
    ch_buf_deinit(&text);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

static void what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
    static const char *const good[] = {
        "example.com/behind-the-sofa\n20852163\n" ROOT,
        "o\n0\n" ROOT,
        "o\n5\n" ROOT "some other line\n",
        "o\n5\n" ROOT "word\n",
    };
    static const char *const bad[] = {
        "",
        "o\n5\n",
        "\n5\n" ROOT,
        "o\n05\n" ROOT,
        "o\n-5\n" ROOT,
        "o\n 5\n" ROOT,
        "o\n9223372036854775808\n" ROOT,
        "o\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2=\n",
        "o\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
        "o\n5\n" ROOT "\n",
        "o\n5\n" ROOT "unfinished",
        "o\n5\n" ROOT "charterd-state 1 6 " ROOT, /* beyond the size */
        "o\n5\n" ROOT "charterd-state 1 5\n",
        "o\n5\n" ROOT "charterd-state 1 5 " ROOT "charterd-state 1 5 " ROOT,
        "o\n5\n" ROOT "charterd-next-key o+00000000+AAAA\n",
    };
    struct ch_checkpoint checkpoint;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!ch_checkpoint_read(ch_text_of(good[i]), &checkpoint)) fail_msg("%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (ch_checkpoint_read(ch_text_of(bad[i]), &checkpoint)) fail_msg("%s", bad[i]);
    }
}

/* Bytes put anywhere into a good note: it is read or not, and nothing else happens. */
static void notes_of_any_bytes_are_read_or_refused(void **state)
{
    (void)state;
    static const char text[] =
        "example.com/log\n5\n" ROOT "charterd-state 1 5 " ROOT "charterd-next-key "
        "PeterNeumann+c74f20a3+"
        "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n";
    static const char letters[] = "\n +=AZaz09/\xe2\x80\x94\xff\t";
    struct ch_verifier verifier;
    uint64_t random = 77;
    size_t good = 0;
    char *whole = joined(text, neumann_line);
    const size_t len = strlen(whole);
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    assert_true(ch_verifier_read(ch_text_of(neumann_key), &verifier));
    for (size_t turn = 0; turn < 20000; turn++) {
        struct ch_note note;
        struct ch_checkpoint read;
        memcpy(copy, whole, len + 1);
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        for (uint64_t i = 0; i < random >> 62; i++) {
            const uint64_t word = random >> (i * 16 + 8);
            copy[word % len] = letters[word / len % (sizeof letters - 1)];
        }
        const size_t cut = turn % 3 == 0 ? (size_t)(random >> 33) % (len + 1) : len;
        char *exact = malloc(cut + 1); /* so that a read behind it is seen */
        assert_non_null(exact);
        memcpy(exact, copy, cut);
        const struct ch_text view = {exact, cut};
        if (ch_checkpoint_read_note(view, &note, &read)) good++;
        if (ch_note_split(view, &note)) {
            (void)ch_note_check(note.text, note.lines, &verifier, NULL);
        }
        free(exact);
    }
    assert_true(good > 1000 && good < 19000);
    free(copy);
    free(whole);
}

/* ---- foreign vectors ---------------------------------------------------------------------- */

static json_t *load(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/../shared/vectors/%s", CH_SOURCE_DIR, name);
    if (access(path, R_OK) != 0) {
        print_message("SKIPPED: %s is not there; this test needs the foreign vectors\n", path);
        return NULL;
    }
    json_t *tree = json_load_file(path, 0, NULL);
    assert_non_null(tree);
    return tree;
}

static size_t read_hex(const json_t *text, uint8_t *out, size_t most)
{
    const char *chars = json_string_value(text);
    size_t len = 0;
    assert_non_null(chars);
    assert_int_equal(sodium_hex2bin(out, most, chars, strlen(chars), NULL, &len, NULL), 0);
    return len;
}

static void all_signatures_of_wycheproof_are_judged_right(void **state)
{
    (void)state;
    json_t *tree = load("wycheproof/ed25519_test.json");
    if (tree == NULL) skip();
    size_t total = 0;
    size_t valid = 0;
    size_t i;
    size_t k;
    json_t *group;
    json_t *test;
    json_array_foreach(json_object_get(tree, "testGroups"), i, group)
    {
        uint8_t key[CH_NOTE_PUBLIC_BYTES];
        const json_t *pk = json_object_get(json_object_get(group, "publicKey"), "pk");
        assert_int_equal(read_hex(pk, key, sizeof key), sizeof key);
        json_array_foreach(json_object_get(group, "tests"), k, test)
        {
            uint8_t message[4096];
            uint8_t signature[256];
            const size_t len = read_hex(json_object_get(test, "msg"), message, sizeof message);
            const size_t signature_len =
                read_hex(json_object_get(test, "sig"), signature, sizeof signature);
            const char *result = json_string_value(json_object_get(test, "result"));
            const bool wanted = strcmp(result, "valid") == 0;
            const bool good = signature_len == CH_NOTE_SIGNATURE_BYTES &&
                              ch_ed25519_check(key, (struct ch_bytes){message, len}, signature);
            if (good != wanted) {
                fail_msg("case %d is %s", (int)json_integer_value(json_object_get(test, "tcId")),
                         result);
            }
            total++;
            valid += wanted;
        }
    }
    print_message("%zu signatures, %zu of them valid\n", total, valid);
    assert_true(total >= 150 && valid > 50);
    json_decref(tree);
}

static void the_signed_notes_of_the_vectors_verify(void **state)
{
    (void)state;
    json_t *tree = load("signed-note.json");
    if (tree == NULL) skip();
    size_t i;
    size_t checked = 0;
    json_t *one;
    json_array_foreach(json_object_get(tree, "notes"), i, one)
    {
        const char *text = json_string_value(json_object_get(one, "text"));
        const char *line = json_string_value(json_object_get(one, "signature_line"));
        const char *key = json_string_value(json_object_get(one, "vkey"));
        char with_end[512];
        (void)snprintf(with_end, sizeof with_end, "%s\n", line);
        char *whole = joined(text == NULL ? crypto_text : text, with_end);
        struct ch_note note;
        struct ch_verifier verifier;
        assert_true(ch_note_split(ch_text_of(whole), &note));
        if (key != NULL) {
            assert_true(ch_verifier_read(ch_text_of(key), &verifier));
            assert_int_equal(ch_note_check(note.text, note.lines, &verifier, NULL), CH_NOTE_GOOD);
            checked++;
        }
        free(whole);
    }
    assert_true(checked > 0);
    json_decref(tree);
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_note_verifies),
        cmocka_unit_test(a_key_signs_as_the_published_one),
        cmocka_unit_test(every_flipped_bit_of_a_note_is_found),
        cmocka_unit_test(what_is_no_verifier_key_is_refused),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(a_cosignature_verifies_with_its_time_only),
        cmocka_unit_test(a_checkpoint_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        cmocka_unit_test(notes_of_any_bytes_are_read_or_refused),
        cmocka_unit_test(all_signatures_of_wycheproof_are_judged_right),
        cmocka_unit_test(the_signed_notes_of_the_vectors_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
