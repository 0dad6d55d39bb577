/* test_schema_reply: replies, written as the daemon does and read as a client does.
 * SPDX-License-Identifier: MIT */
#include "schema/reply.h"

#include "schema/limits.h"
#include "schema/pack.h"
#include "tests/unit/schema_samples.h"

static const uint8_t id[16] = {16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};

/* One result of each sort. */
static void write_reply(struct ch_buf *buf)
{
    struct ch_reject reject = {.code = CH_REJ_uncovered_scopes, .field = "scopes"};
    ch_scopes_add(&reject.scopes, CH_SCOPE_campaigns_send);
    struct ch_why why = {0};
    enum ch_err err = ch_fail_field(&why, CH_ERR_MISSING_FIELD, "calls[2].args.name", "is missing");
    assert_int_equal(err, CH_ERR_MISSING_FIELD);
    ch_reply_begin(buf, id, /* ok= */ false, /* seq= */ 77, /* results= */ 3);
    ch_reply_result_head(buf);
    ch_pack_map(buf, 1);
    ch_pack_chars(buf, "seq");
    ch_pack_uint(buf, 77);
    ch_reply_rejection(buf, &reject);
    ch_reply_failure(buf, &why);
}

static void a_reply_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    struct ch_reply reply;
    struct ch_reply_result result;
    struct ch_reply_no no;
    struct ch_why why;
    write_reply(&buf);
    assert_int_equal(ch_reply_decode(ch_buf_view(&buf), &reply, &why), CH_OK);
    assert_true(reply.has_id);
    assert_memory_equal(reply.id, id, sizeof id);
    assert_false(reply.ok);
    assert_false(reply.failed);
    assert_int_equal(reply.seq, 77);
    assert_int_equal(reply.result_count, 3);
    struct ch_cursor walk = ch_reply_walk(&reply);
    assert_int_equal(ch_reply_next(&walk, &result, &why), CH_OK);
    assert_int_equal(result.outcome, CH_OUTCOME_RESULT);
    assert_memory_equal(result.value.ptr, "\x81\xa3seq\x4d", 6);
    assert_int_equal(ch_reply_next(&walk, &result, &why), CH_OK);
    assert_int_equal(result.outcome, CH_OUTCOME_REJECTION);
    assert_int_equal(ch_reply_read_no(result.value, &no, &why), CH_OK);
    assert_true(ch_text_is(no.code, "uncovered_scopes"));
    assert_true(ch_text_is(no.text, ch_rejections[CH_REJ_uncovered_scopes].text));
    assert_true(ch_text_is(no.field, "scopes"));
    assert_memory_equal(no.detail.ptr,
                        "\x91\xae"
                        "campaigns.send",
                        16);
    assert_int_equal(ch_reply_next(&walk, &result, &why), CH_OK);
    assert_int_equal(result.outcome, CH_OUTCOME_FAILURE);
    assert_int_equal(ch_reply_read_no(result.value, &no, &why), CH_OK);
    assert_true(ch_text_is(no.code, "missing_field"));
    assert_true(ch_text_is(no.text, "is missing"));
    assert_true(ch_text_is(no.field, "calls[2].args.name"));
    assert_int_equal(no.detail.len, 0);
    assert_int_equal(ch_reply_next(&walk, &result, &why), CH_ERR_UNDECODABLE);
    ch_buf_deinit(&buf);
}

static void a_rejection_has_a_field_and_a_detail_only_where_there_are_any(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    for (size_t code = 1; code < ch_rejection_count; code++) {
        for (int detail = 0; detail < 2; detail++) {
            const struct ch_reject reject = {.code = (enum ch_rejection_code)code,
                                             .limit = detail == 1 ? "GRANTS_OF_SHARE" : NULL};
            ch_buf_reset(&buf);
            ch_reply_rejection(&buf, &reject);
            struct ch_cursor c = ch_cursor_of(ch_buf_view(&buf));
            struct ch_reply_result result;
            struct ch_reply_no no;
            struct ch_why why;
            assert_int_equal(ch_reply_next(&c, &result, &why), CH_OK);
            assert_int_equal(ch_reply_read_no(result.value, &no, &why), CH_OK);
            assert_true(ch_text_is(no.code, ch_rejections[code].name));
            assert_int_equal(no.field.len, 0);
            assert_int_equal(no.detail.len, detail == 1 ? 16 : 0);
        }
    }
    ch_buf_deinit(&buf);
}

static void a_failed_request_is_answered_with_nil_where_its_id_is_not_known(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    struct ch_reply reply;
    struct ch_reply_no no;
    struct ch_why why = {.err = CH_ERR_UNDECODABLE};
    ch_reply_error(&buf, NULL, 5, &why);
    assert_non_null(memmem(buf.ptr, buf.len, "\xa2id\xc0", 4));
    assert_int_equal(ch_reply_decode(ch_buf_view(&buf), &reply, &why), CH_OK);
    assert_false(reply.has_id);
    assert_true(reply.failed);
    assert_int_equal(reply.result_count, 0);
    assert_int_equal(ch_reply_read_no(reply.failure, &no, &why), CH_OK);
    assert_true(ch_text_is(no.code, "undecodable"));
    assert_true(ch_text_is(no.text, ch_err_text(CH_ERR_UNDECODABLE)));
    struct ch_cursor walk = ch_reply_walk(&reply);
    struct ch_reply_result result;
    assert_int_equal(ch_reply_next(&walk, &result, &why), CH_ERR_UNDECODABLE);
    ch_buf_deinit(&buf);
}

static void busy_says_when_to_try_again_and_nothing_else_does(void **state)
{
    (void)state;
    static const enum ch_err codes[] = {CH_ERR_BUSY, CH_ERR_NOT_YET, CH_ERR_STORAGE_FULL};
    struct ch_buf buf = {0};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct ch_why why = {.err = codes[i]};
        struct ch_reply reply;
        struct ch_reply_no no;
        ch_buf_reset(&buf);
        ch_reply_error(&buf, id, 5, &why);
        assert_int_equal(ch_reply_decode(ch_buf_view(&buf), &reply, &why), CH_OK);
        assert_int_equal(ch_reply_read_no(reply.failure, &no, &why), CH_OK);
        assert_int_equal(no.retry_ms, codes[i] == CH_ERR_BUSY ? LIMIT_RETRY_MS : 0);
    }
    ch_buf_deinit(&buf);
}

static void a_client_passes_over_what_a_later_daemon_says_more(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    struct ch_reply reply;
    struct ch_why why;
    ch_pack_map(&buf, 4);
    ch_pack_chars(&buf, "hint");
    ch_pack_array(&buf, 1);
    ch_pack_nil(&buf);
    ch_pack_chars(&buf, "id");
    ch_pack_nil(&buf);
    ch_pack_chars(&buf, "ok");
    ch_pack_bool(&buf, true);
    ch_pack_chars(&buf, "seq");
    ch_pack_uint(&buf, 3);
    assert_int_equal(ch_reply_decode(ch_buf_view(&buf), &reply, &why), CH_OK);
    assert_true(reply.ok);
    assert_int_equal(reply.seq, 3);
    ch_buf_deinit(&buf);
}

static void walk_all(struct ch_bytes bytes)
{
    struct ch_reply reply;
    struct ch_why why;
    if (ch_reply_decode(bytes, &reply, &why) != CH_OK) return;
    struct ch_cursor walk = ch_reply_walk(&reply);
    for (uint32_t i = 0; i < reply.result_count; i++) {
        struct ch_reply_result result;
        struct ch_reply_no no;
        if (ch_reply_next(&walk, &result, &why) != CH_OK) return;
        enum ch_err err = ch_reply_read_no(result.value, &no, &why);
        assert_true(err == CH_OK || err == CH_ERR_UNDECODABLE);
    }
}

static void no_part_of_a_reply_is_one_and_no_flipped_bit_does_harm(void **state)
{
    (void)state;
    struct ch_buf buf = {0};
    write_reply(&buf);
    for (size_t len = 0; len < buf.len; len++) {
        struct ch_bytes cut = sample_exact(ch_buf_view(&buf), len);
        struct ch_reply reply;
        struct ch_why why;
        assert_int_equal(ch_reply_decode(cut, &reply, &why), CH_ERR_UNDECODABLE);
        sample_free(cut);
    }
    struct ch_bytes bytes = sample_exact(ch_buf_view(&buf), buf.len);
    uint8_t *flipped = (uint8_t *)(uintptr_t)bytes.ptr;
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        walk_all(bytes);
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    sample_free(bytes);
    ch_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read_as_it_was_written),
        cmocka_unit_test(a_rejection_has_a_field_and_a_detail_only_where_there_are_any),
        cmocka_unit_test(a_failed_request_is_answered_with_nil_where_its_id_is_not_known),
        cmocka_unit_test(busy_says_when_to_try_again_and_nothing_else_does),
        cmocka_unit_test(a_client_passes_over_what_a_later_daemon_says_more),
        cmocka_unit_test(no_part_of_a_reply_is_one_and_no_flipped_bit_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
