/* test_log_receipt: the form of a receipt's file. SPDX-License-Identifier: MIT */
#include "daemon/log/checkpoint.h"
#include "daemon/log/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdlib.h>

static const char statement[] = "log example.com/log\nseq 7\ndecision allowed\n";
static const char explanation[] = "way open campaigns.send\nneeds share 2 share 2: words\n";

struct made {
    struct ch_hasher hasher;
    struct ch_signer signer;
    struct ch_buf file;
};

static void make(struct made *made, const char *lines)
{
    static const uint8_t seed[CH_NOTE_SEED_BYTES] = {7};
    struct ch_buf attached = {0};
    struct ch_buf note = {0};
    struct ch_buf signature = {0};
    struct ch_receipt_record record = {.seq = 2, .bytes = {(const uint8_t *)"record", 6}};
    *made = (struct made){.file = {0}};
    assert_int_equal(ch_hasher_init(&made->hasher, NULL), CH_OK);
    assert_int_equal(ch_signer_init(ch_text_of("example.com/log"), seed, &made->signer, NULL),
                     CH_OK);
    struct ch_checkpoint checkpoint = {.origin = ch_text_of("example.com/log"), .size = 7};
    ch_checkpoint_put(&note, &checkpoint);
    ch_signer_put_line(&made->signer, (struct ch_text){(const char *)note.ptr, note.len},
                       &signature);
    ch_buf_put(&note, "\n", 1);
    ch_buf_put(&note, signature.ptr, signature.len);
    ch_receipt_begin(&attached, ch_text_of(lines));
    record.proof.count = 2;
    ch_receipt_add(&attached, &record);
    const struct ch_receipt_record withheld = {
        .seq = 5, .withheld = true, .bytes = {made->signer.verifier.public_key, CH_HASH_BYTES}};
    ch_receipt_add(&attached, &withheld);
    ch_receipt_end(&attached, ch_text_of(statement),
                   (struct ch_text){(const char *)note.ptr, note.len}, &made->signer, &made->hasher,
                   &made->file);
    assert_false(made->file.failed);
    ch_buf_deinit(&attached);
    ch_buf_deinit(&note);
    ch_buf_deinit(&signature);
}

static void unmake(struct made *made)
{
    ch_hasher_deinit(&made->hasher);
    ch_signer_deinit(&made->signer);
    ch_buf_deinit(&made->file);
}

static struct ch_text text_of(const struct made *made)
{
    return (struct ch_text){(const char *)made->file.ptr, made->file.len};
}

/* As charter-verify looks at it: the form, then the signature. */
static bool is_good(struct made *made, struct ch_text file)
{
    struct ch_receipt receipt;
    const char *why = NULL;
    return ch_receipt_split(file, &made->hasher, &receipt, &why) &&
           ch_note_check(receipt.text, receipt.line, &made->signer.verifier, NULL) == CH_NOTE_GOOD;
}

static void what_was_written_is_read(void **state)
{
    struct made made;
    struct ch_receipt receipt;
    struct ch_receipt_record record;
    struct ch_note note;
    struct ch_checkpoint checkpoint;
    struct ch_buf room = {0};
    const char *why = NULL;
    size_t at = 0;
    (void)state;
    make(&made, explanation);
    assert_true(ch_receipt_split(text_of(&made), &made.hasher, &receipt, &why));
    assert_true(ch_text_is(receipt.statement, statement));
    assert_true(ch_text_is(receipt.explanation, explanation));
    assert_int_equal(ch_note_check(receipt.text, receipt.line, &made.signer.verifier, NULL),
                     CH_NOTE_GOOD);
    assert_true(ch_receipt_next(&receipt, &at, &room, &record));
    assert_true(record.seq == 2 && !record.withheld && record.proof.count == 2);
    assert_int_equal(record.bytes.len, 6);
    assert_memory_equal(record.bytes.ptr, "record", 6);
    assert_true(ch_receipt_next(&receipt, &at, &room, &record));
    assert_true(record.seq == 5 && record.withheld && record.proof.count == 0);
    assert_false(ch_receipt_next(&receipt, &at, &room, &record));
    assert_int_equal(at, receipt.records.len);
    assert_true(ch_checkpoint_read_note(receipt.note, &note, &checkpoint));
    assert_int_equal(checkpoint.size, 7);
    ch_buf_deinit(&room);
    unmake(&made);
}

static void an_explanation_may_be_empty(void **state)
{
    struct made made;
    struct ch_receipt receipt;
    const char *why = NULL;
    (void)state;
    make(&made, "");
    assert_true(ch_receipt_split(text_of(&made), &made.hasher, &receipt, &why));
    assert_int_equal(receipt.explanation.len, 0);
    unmake(&made);
}

static void every_flipped_bit_is_found(void **state)
{
    struct made made;
    (void)state;
    make(&made, explanation);
    assert_true(is_good(&made, text_of(&made)));
    for (size_t bit = 0; bit < 8 * made.file.len; bit++) {
        made.file.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(is_good(&made, text_of(&made)));
        made.file.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(is_good(&made, text_of(&made)));
    unmake(&made);
}

static void a_file_that_was_cut_or_goes_on_is_found(void **state)
{
    struct made made;
    (void)state;
    make(&made, explanation);
    for (size_t len = 0; len < made.file.len; len++) {
        /* In memory of its own, so that nothing is read behind its end. */
        char *part = malloc(len + 1);
        assert_non_null(part);
        memcpy(part, made.file.ptr, len);
        char *exact = realloc(part, len == 0 ? 1 : len);
        assert_non_null(exact);
        assert_false(is_good(&made, (struct ch_text){exact, len}));
        free(exact);
    }
    ch_buf_put(&made.file, "\n", 1);
    assert_false(is_good(&made, text_of(&made)));
    unmake(&made);
}

static void a_second_signature_line_is_another_form(void **state)
{
    struct made made;
    struct ch_receipt receipt;
    struct ch_buf file = {0};
    const char *why = NULL;
    (void)state;
    make(&made, explanation);
    assert_true(ch_receipt_split(text_of(&made), &made.hasher, &receipt, &why));
    const size_t end = (size_t)(receipt.line.ptr - (const char *)made.file.ptr) + receipt.line.len;
    ch_buf_put(&file, made.file.ptr, end);
    ch_buf_put_text(&file, receipt.line);
    ch_buf_put(&file, made.file.ptr + end, made.file.len - end);
    assert_false(is_good(&made, (struct ch_text){(const char *)file.ptr, file.len}));
    ch_buf_deinit(&file);
    unmake(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(an_explanation_may_be_empty),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(a_file_that_was_cut_or_goes_on_is_found),
        cmocka_unit_test(a_second_signature_line_is_another_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
