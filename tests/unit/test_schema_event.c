/* test_schema_event: records of the log, and their sealed part. SPDX-License-Identifier: MIT */
#include "schema/event.h"

#include "schema/pack.h"
#include "tests/unit/schema_samples.h"

enum { ROUNDS = 100 };

struct read_back {
    struct ch_arena arena;
    union ch_event_body body;
    struct ch_event event;
    struct ch_why why;
};

static enum ch_err read_event(struct read_back *r, struct ch_bytes bytes)
{
    ch_arena_reset(&r->arena);
    r->why = (struct ch_why){0};
    return ch_event_decode(bytes, &r->arena, &r->body, &r->event, &r->why);
}

static void assert_same_event(const struct ch_event *one, const struct ch_event *two)
{
    assert_int_equal(one->seq, two->seq);
    assert_int_equal(one->at, two->at);
    assert_int_equal(one->tag, two->tag);
    assert_int_equal(one->channel, two->channel);
    assert_int_equal(one->account, two->account);
    assert_int_equal(one->actor.kind, two->actor.kind);
    assert_int_equal(one->actor.id, two->actor.id);
    assert_int_equal(one->actor.has_via, two->actor.has_via);
    assert_int_equal(one->actor.via, two->actor.via);
    assert_int_equal(one->cause.kind, two->cause.kind);
    assert_int_equal(one->cause.index, two->cause.index);
    assert_int_equal(one->cause.first, two->cause.first);
    assert_memory_equal(one->cause.id, two->cause.id, sizeof one->cause.id);
    assert_memory_equal(one->cause.fingerprint, two->cause.fingerprint,
                        sizeof one->cause.fingerprint);
    assert_int_equal(one->personal.present, two->personal.present);
    assert_int_equal(one->personal.number, two->personal.number);
    assert_memory_equal(one->personal.nonce, two->personal.nonce, CH_NONCE_BYTES);
    assert_true(ch_bytes_equal(one->personal.cipher, two->personal.cipher));
    assert_same_record(&ch_events[one->tag].record, one->body, two->body, /* personal= */ false);
}

static void events_of_every_tag_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    struct read_back r = {0};
    struct ch_buf buf = {0};
    for (unsigned tag = 0; tag < CH_EVENT_TAGS; tag++) {
        for (int round = 0; round < ROUNDS && ch_events[tag].record.name != NULL; round++) {
            union ch_event_body body;
            struct ch_event event = sample_event(&s, (uint16_t)tag, &body);
            ch_buf_reset(&buf);
            ch_event_encode(&buf, &event);
            assert_int_equal(read_event(&r, ch_buf_view(&buf)), CH_OK);
            assert_same_event(&event, &r.event);
            ch_arena_reset(&s.arena);
        }
    }
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
    ch_arena_deinit(&s.arena);
}

static void a_record_that_is_cut_or_followed_by_a_byte_is_corrupt(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    struct read_back r = {0};
    struct ch_buf buf = {0};
    for (unsigned tag = 0; tag < CH_EVENT_TAGS; tag++) {
        if (ch_events[tag].record.name == NULL) continue;
        union ch_event_body body;
        struct ch_event event = sample_event(&s, (uint16_t)tag, &body);
        ch_buf_reset(&buf);
        ch_event_encode(&buf, &event);
        for (size_t len = 0; len < buf.len; len++) {
            struct ch_bytes cut = sample_exact(ch_buf_view(&buf), len);
            assert_int_equal(read_event(&r, cut), CH_ERR_LOG_CORRUPT);
            sample_free(cut);
        }
        ch_pack_nil(&buf);
        assert_int_equal(read_event(&r, ch_buf_view(&buf)), CH_ERR_LOG_CORRUPT);
        ch_arena_reset(&s.arena);
    }
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
    ch_arena_deinit(&s.arena);
}

static void what_is_read_is_canonical_whatever_bit_is_flipped(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    struct read_back r = {0};
    struct ch_buf buf = {0};
    struct ch_buf again = {0};
    for (unsigned tag = 0; tag < CH_EVENT_TAGS; tag++) {
        for (int round = 0; round < 3 && ch_events[tag].record.name != NULL; round++) {
            union ch_event_body body;
            struct ch_event event = sample_event(&s, (uint16_t)tag, &body);
            ch_buf_reset(&buf);
            ch_event_encode(&buf, &event);
            struct ch_bytes bytes = sample_exact(ch_buf_view(&buf), buf.len);
            uint8_t *flipped = (uint8_t *)(uintptr_t)bytes.ptr;
            for (size_t bit = 0; bit < bytes.len * 8; bit++) {
                flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
                if (read_event(&r, bytes) == CH_OK) {
                    ch_buf_reset(&again);
                    ch_event_encode(&again, &r.event);
                    assert_true(ch_bytes_equal(bytes, ch_buf_view(&again)));
                }
                flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
            sample_free(bytes);
            ch_arena_reset(&s.arena);
        }
    }
    ch_buf_deinit(&buf);
    ch_buf_deinit(&again);
    ch_arena_deinit(&r.arena);
    ch_arena_deinit(&s.arena);
}

/* A user_locked record, built by hand with one item of the array put by the caller. */
struct by_hand {
    uint64_t seq, at, tag, actor_kind, actor_id, channel, account;
    size_t actor_items;
    const uint8_t *cause;
    size_t cause_len;
};

static const uint8_t nil[1] = {0xc0};
static const struct by_hand plain = {.seq = 9,
                                     .at = 5,
                                     .tag = CH_EV_user_locked,
                                     .actor_kind = 1,
                                     .channel = 5,
                                     .actor_items = 2,
                                     .cause = nil,
                                     .cause_len = 1};

static enum ch_err read_by_hand(const struct by_hand *h)
{
    struct read_back r = {0};
    struct ch_buf buf = {0};
    ch_pack_array(&buf, 9);
    ch_pack_uint(&buf, h->seq);
    ch_pack_uint(&buf, h->at);
    ch_pack_uint(&buf, h->tag);
    ch_pack_array(&buf, h->actor_items);
    ch_pack_uint(&buf, h->actor_kind);
    for (size_t i = 1; i < h->actor_items; i++) {
        ch_pack_uint(&buf, h->actor_id);
    }
    ch_pack_uint(&buf, h->channel);
    ch_pack_uint(&buf, h->account);
    ch_buf_put(&buf, h->cause, h->cause_len);
    ch_pack_array(&buf, 1);
    ch_pack_uint(&buf, 7);
    ch_pack_nil(&buf);
    enum ch_err err = read_event(&r, ch_buf_view(&buf));
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
    return err;
}

static void numbers_beyond_their_bounds_are_refused_not_cut_off(void **state)
{
    (void)state;
    struct by_hand h = plain;
    assert_int_equal(read_by_hand(&h), CH_OK);
    h.seq = CH_MAX_INTEGER + 1;
    assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
    h = plain;
    h.at = CH_MAX_TIME + 1;
    assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
    h = plain;
    h.actor_kind = 256 + 1;
    assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
    h = plain;
    h.actor_id = CH_MAX_INTEGER + 1;
    assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
    h = plain;
    h.channel = 256 + 5;
    assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
    h = plain;
    h.account = CH_MAX_INTEGER + 1;
    assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
}

static void an_actor_has_two_or_three_items_and_a_cause_one_of_three_forms(void **state)
{
    (void)state;
    struct by_hand h = plain;
    for (size_t items = 1; items <= 4; items++) {
        h.actor_items = items;
        assert_int_equal(read_by_hand(&h), items == 2 || items == 3 ? CH_OK : CH_ERR_LOG_CORRUPT);
    }
    static const struct {
        uint8_t bytes[32];
        size_t len;
        enum ch_err err;
    } causes[] = {
        {{0x07}, 1, CH_OK},
        {{0xc3}, 1, CH_ERR_LOG_CORRUPT},
        {{0x90}, 1, CH_ERR_LOG_CORRUPT},
        {{0x93, 0xc4, 16, [19] = 0x01, 0xc4, 8, [29] = 0}, 30, CH_OK},
        {{0x93, 0xc4, 16, [19] = 0x01, 0xc4, 7, [28] = 0}, 29, CH_ERR_LOG_CORRUPT},
    };
    h = plain;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        h.cause = causes[i].bytes;
        h.cause_len = causes[i].len;
        assert_int_equal(read_by_hand(&h), causes[i].err);
    }
}

static void a_tag_that_is_not_known_is_corrupt_and_said_so(void **state)
{
    (void)state;
    struct by_hand h = plain;
    static const uint64_t tags[] = {0, 7, 63, 255, 65535, 65536 + CH_EV_user_locked};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        h.tag = tags[i];
        assert_int_equal(read_by_hand(&h), CH_ERR_LOG_CORRUPT);
    }
}

/* The record in schema/README.md, "Events in the log". */
static void the_record_of_the_document_is_read_as_it_says(void **state)
{
    (void)state;
    static const uint8_t record[] = {
        0x99, 0x78, 0xcf, 0x15, 0x4d, 0x68, 0x17, 0xb3, 0x02, 0x0e, 0x00, 0x0a, 0x92, 0x01, 0x00,
        0x05, 0x78, 0x93, 0xc4, 0x10, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
        0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x00, 0xc4, 0x08, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
        0x77, 0x88, 0x93, 0xa5, 0x6e, 0x6f, 0x72, 0x74, 0x68, 0xc0, 0x01, 0xc0};
    struct read_back r = {0};
    assert_int_equal(read_event(&r, (struct ch_bytes){record, sizeof record}), CH_OK);
    assert_int_equal(r.event.seq, 120);
    assert_int_equal(r.event.at, UINT64_C(1534997499000000000));
    assert_int_equal(r.event.tag, CH_EV_account_opened);
    assert_int_equal(r.event.actor.kind, CH_actor_kind_operator);
    assert_int_equal(r.event.channel, CH_channel_operator);
    assert_int_equal(r.event.account, 120);
    assert_int_equal(r.event.cause.kind, CH_CAUSE_COMMAND);
    assert_true(ch_text_is(r.body.account_opened.name, "north"));
    assert_false(r.body.account_opened.has_parent);
    assert_int_equal(r.body.account_opened.sub_depth, 1);
    ch_arena_deinit(&r.arena);
}

static void personal_texts_stand_in_the_sealed_part_only(void **state)
{
    (void)state;
    struct ch_ev_user_created body = {.number = 3, .has_username = true, .has_full_name = true};
    body.username.text = ch_text_of("wanda");
    body.full_name.text = ch_text_of("Wanda Zeta");
    struct ch_event event = {
        .seq = 4, .tag = CH_EV_user_created, .body = &body, .note = ch_text_of("by letter")};
    struct ch_buf record = {0};
    struct ch_buf sealed = {0};
    ch_event_encode(&record, &event);
    assert_null(memmem(record.ptr, record.len, "wanda", 5));
    assert_null(memmem(record.ptr, record.len, "Wanda", 5));
    assert_null(memmem(record.ptr, record.len, "letter", 6));
    ch_event_personal(&sealed, &event);

    struct read_back r = {0};
    assert_int_equal(read_event(&r, ch_buf_view(&record)), CH_OK);
    assert_false(r.body.user_created.has_username);
    assert_int_equal(ch_event_open(ch_buf_view(&sealed), &r.body, &r.event, &r.why), CH_OK);
    assert_same_record(&ch_events[CH_EV_user_created].record, &body, &r.body, true);
    assert_same_text(r.event.note, event.note);
    ch_buf_deinit(&record);
    ch_buf_deinit(&sealed);
    ch_arena_deinit(&r.arena);
}

static void an_event_without_personal_texts_has_nothing_to_seal_but_its_note(void **state)
{
    (void)state;
    struct ch_ev_user_locked body = {.user = {7}};
    struct ch_event event = {.seq = 4, .tag = CH_EV_user_locked, .body = &body};
    struct ch_buf sealed = {0};
    ch_event_personal(&sealed, &event);
    assert_int_equal(sealed.len, 0);
    event.note = ch_text_of("asked by phone");
    ch_event_personal(&sealed, &event);
    assert_int_equal(sealed.ptr[0], 0x91);
    union ch_event_body read = {0};
    struct ch_event opened = {.tag = CH_EV_user_locked};
    struct ch_why why;
    assert_int_equal(ch_event_open(ch_buf_view(&sealed), &read, &opened, &why), CH_OK);
    assert_same_text(opened.note, event.note);
    ch_buf_deinit(&sealed);
}

static void an_opened_text_of_another_form_is_a_broken_seal(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    for (int round = 0; round < 200; round++) {
        union ch_event_body body;
        struct ch_event event = sample_event(&s, CH_EV_user_created, &body);
        event.note = round % 2 == 0 ? sample_name(&s, 1, 40) : (struct ch_text){0};
        struct ch_buf sealed = {0};
        ch_event_personal(&sealed, &event);
        union ch_event_body read = {0};
        struct ch_event opened = {.tag = CH_EV_user_created};
        struct ch_why why;
        if (sealed.len > 0) {
            assert_int_equal(ch_event_open(ch_buf_view(&sealed), &read, &opened, &why), CH_OK);
        }
        for (size_t len = 0; len < sealed.len; len++) {
            struct ch_bytes cut = sample_exact(ch_buf_view(&sealed), len);
            assert_int_equal(ch_event_open(cut, &read, &opened, &why), CH_ERR_SEAL_BROKEN);
            sample_free(cut);
        }
        ch_buf_deinit(&sealed);
        ch_arena_reset(&s.arena);
    }
    ch_arena_deinit(&s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_every_tag_are_read_as_they_were_written),
        cmocka_unit_test(a_record_that_is_cut_or_followed_by_a_byte_is_corrupt),
        cmocka_unit_test(what_is_read_is_canonical_whatever_bit_is_flipped),
        cmocka_unit_test(numbers_beyond_their_bounds_are_refused_not_cut_off),
        cmocka_unit_test(an_actor_has_two_or_three_items_and_a_cause_one_of_three_forms),
        cmocka_unit_test(a_tag_that_is_not_known_is_corrupt_and_said_so),
        cmocka_unit_test(the_record_of_the_document_is_read_as_it_says),
        cmocka_unit_test(personal_texts_stand_in_the_sealed_part_only),
        cmocka_unit_test(an_event_without_personal_texts_has_nothing_to_seal_but_its_note),
        cmocka_unit_test(an_opened_text_of_another_form_is_a_broken_seal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
