/* test_schema_request: reading and writing of whole requests. SPDX-License-Identifier: MIT */
#include "schema/request.h"

#include "schema/limits.h"
#include "schema/pack.h"
#include "tests/unit/schema_samples.h"

static const uint8_t id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct read_back {
    struct ch_arena arena;
    struct ch_request request;
    struct ch_why why;
};

static enum ch_err read_request(struct read_back *r, struct ch_bytes bytes)
{
    ch_arena_reset(&r->arena);
    r->why = (struct ch_why){0};
    return ch_request_decode(bytes, &r->arena, &r->request, &r->why);
}

/* The pieces of a request, each the raw value of its key; a NULL leaves the key out. `more` holds
 * further keys and their values. */
enum piece { PIECE_v, PIECE_id, PIECE_auth, PIECE_calls, PIECE_more, PIECES };

struct pieces {
    struct ch_text raw[PIECES];
    size_t more_pairs;
};

/* clang-format off */
#define RAW(literal) ((struct ch_text){"" literal, sizeof(literal) - 1})
#define CALLS_STATUS "\x91\x81\xa4type\xa6status"
#define PLAIN_BUT(piece, literal) plain_but(PIECE_##piece, RAW(literal), 1)

static struct pieces plain_but(enum piece piece, struct ch_text raw, size_t more_pairs)
{
    struct pieces p = {.raw = {RAW("\x01"), RAW("\xc4\x10" "0123456789abcdef"),
                               RAW("\x91\xa4peer"), RAW(CALLS_STATUS)}};
    p.raw[piece] = raw;
    if (piece == PIECE_more) p.more_pairs = more_pairs;
    return p;
}
/* clang-format on */

static void put_piece(struct ch_buf *buf, const struct pieces *p, enum piece piece)
{
    static const char *const keys[PIECES] = {"v", "id", "auth", "calls", NULL};
    if (p->raw[piece].ptr == NULL) return;
    if (keys[piece] != NULL) ch_pack_chars(buf, keys[piece]);
    ch_buf_put_text(buf, p->raw[piece]);
}

static void put_head(struct ch_buf *buf, const struct pieces *p)
{
    size_t pairs = p->more_pairs;
    for (int piece = 0; piece < PIECE_more; piece++) {
        pairs += p->raw[piece].ptr != NULL;
    }
    ch_pack_map(buf, pairs);
}

static enum ch_err read_pieces(struct read_back *r, struct pieces p)
{
    static const enum piece order[] = {PIECE_id, PIECE_v, PIECE_auth, PIECE_more, PIECE_calls};
    struct ch_buf buf = {0};
    put_head(&buf, &p);
    for (size_t i = 0; i < PIECES; i++) {
        put_piece(&buf, &p, order[i]);
    }
    struct ch_bytes exact = sample_exact(ch_buf_view(&buf), buf.len);
    enum ch_err err = read_request(r, exact);
    ch_buf_deinit(&buf);
    sample_free(exact);
    return err;
}

static void expect_failure(struct pieces p, enum ch_err err, const char *field)
{
    struct read_back r = {0};
    enum ch_err found = read_pieces(&r, p);
    if (found != err) print_message("%s: %s\n", field, r.why.text);
    assert_int_equal(found, err);
    assert_int_equal(r.why.err, err);
    assert_string_equal(r.why.field, field);
    assert_true(r.why.text[0] != '\0');
    ch_arena_deinit(&r.arena);
}

#define EXPECT_MORE(pairs, literal, err, field)                                                    \
    expect_failure(plain_but(PIECE_more, RAW(literal), pairs), err, field)
#define PLAIN PLAIN_BUT(v, "\x01")

static void the_least_request_is_read(void **state)
{
    (void)state;
    struct read_back r = {0};
    assert_int_equal(read_pieces(&r, PLAIN), CH_OK);
    assert_true(r.request.has_id);
    assert_int_equal(r.request.auth, CH_AUTH_PEER);
    assert_int_equal(r.request.mode, CH_MODE_ALL);
    assert_int_equal(r.request.as_of_kind, CH_AS_OF_NOW);
    assert_int_equal(r.request.call_count, 1);
    assert_null(r.request.calls[0].why);
    assert_int_equal(r.request.calls[0].type, CH_QRY_status);
    ch_arena_deinit(&r.arena);
}

/* The request in schema/README.md, "An example". */
static void the_request_of_the_document_is_read_as_it_says(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x84, 0xa2, 0x69, 0x64, 0xc4, 0x10, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
        0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0xa1, 0x76, 0x01, 0xa4, 0x61, 0x75, 0x74, 0x68,
        0x91, 0xa4, 0x70, 0x65, 0x65, 0x72, 0xa5, 0x63, 0x61, 0x6c, 0x6c, 0x73, 0x91, 0x82, 0xa4,
        0x74, 0x79, 0x70, 0x65, 0xb3, 0x61, 0x63, 0x63, 0x6f, 0x75, 0x6e, 0x74, 0x2e, 0x6f, 0x70,
        0x65, 0x6e, 0x5f, 0x6d, 0x61, 0x73, 0x74, 0x65, 0x72, 0xa4, 0x61, 0x72, 0x67, 0x73, 0x81,
        0xa4, 0x6e, 0x61, 0x6d, 0x65, 0xa5, 0x6e, 0x6f, 0x72, 0x74, 0x68};
    struct read_back r = {0};
    assert_int_equal(read_request(&r, (struct ch_bytes){bytes, sizeof bytes}), CH_OK);
    assert_int_equal(r.request.call_count, 1);
    assert_null(r.request.calls[0].why);
    assert_int_equal(r.request.calls[0].type, CH_CMD_account_open_master);
    const struct ch_cmd_account_open_master *args = r.request.calls[0].args;
    assert_true(ch_text_is(args->name, "north"));
    assert_false(args->has_owner || args->has_sub_depth);
    ch_arena_deinit(&r.arena);
}

static void a_key_that_a_request_needs_is_named_when_it_is_missing(void **state)
{
    (void)state;
    expect_failure(plain_but(PIECE_v, (struct ch_text){NULL, 0}, 0), CH_ERR_MISSING_FIELD, "v");
    expect_failure(plain_but(PIECE_id, (struct ch_text){NULL, 0}, 0), CH_ERR_MISSING_FIELD, "id");
    expect_failure(plain_but(PIECE_auth, (struct ch_text){NULL, 0}, 0), CH_ERR_MISSING_FIELD,
                   "auth");
    expect_failure(plain_but(PIECE_calls, (struct ch_text){NULL, 0}, 0), CH_ERR_MISSING_FIELD,
                   "calls");
}

static void a_key_that_is_unknown_or_stands_twice_is_named(void **state)
{
    (void)state;
    EXPECT_MORE(1,
                "\xa5moode\xa3"
                "all",
                CH_ERR_UNKNOWN_FIELD, "moode");
    EXPECT_MORE(1, "\xa1v\x01", CH_ERR_REPEATED_FIELD, "v");
    EXPECT_MORE(2, "\xa5trace\xa0\xa5trace\xa0", CH_ERR_REPEATED_FIELD, "trace");
    EXPECT_MORE(1, "\x07\x07", CH_ERR_UNDECODABLE, "");
}

static void a_value_of_another_kind_or_out_of_bounds_is_named(void **state)
{
    (void)state;
    expect_failure(PLAIN_BUT(v, "\x02"), CH_ERR_BAD_VERSION, "v");
    expect_failure(PLAIN_BUT(v, "\xa1"
                                "1"),
                   CH_ERR_BAD_VERSION, "v");
    expect_failure(PLAIN_BUT(id, "\xc4\x02zz"), CH_ERR_OUT_OF_BOUNDS, "id");
    expect_failure(PLAIN_BUT(id, "\xa2zz"), CH_ERR_WRONG_KIND, "id");
    expect_failure(PLAIN_BUT(calls, "\x90"), CH_ERR_OUT_OF_BOUNDS, "calls");
    expect_failure(PLAIN_BUT(calls, "\x80"), CH_ERR_WRONG_KIND, "calls");
    EXPECT_MORE(1, "\xa4mode\xa4some", CH_ERR_OUT_OF_BOUNDS, "mode");
    EXPECT_MORE(1, "\xa4mode\x01", CH_ERR_WRONG_KIND, "mode");
    EXPECT_MORE(1,
                "\xa7"
                "channel\xa6system",
                CH_ERR_OUT_OF_BOUNDS, "channel");
    EXPECT_MORE(1,
                "\xa7"
                "channel\xa3"
                "fax",
                CH_ERR_OUT_OF_BOUNDS, "channel");
    EXPECT_MORE(1,
                "\xa5"
                "as_of\xa5never",
                CH_ERR_OUT_OF_BOUNDS, "as_of");
    EXPECT_MORE(1,
                "\xa5"
                "as_of\xc3",
                CH_ERR_WRONG_KIND, "as_of");
    EXPECT_MORE(1,
                "\xa5"
                "as_of\xcf\0\x20\0\0\0\0\0\0",
                CH_ERR_OUT_OF_BOUNDS, "as_of");
    EXPECT_MORE(1,
                "\xa8"
                "at_least\xa1"
                "1",
                CH_ERR_WRONG_KIND, "at_least");
    EXPECT_MORE(1,
                "\xa8"
                "at_least\xcf\0\x20\0\0\0\0\0\0",
                CH_ERR_OUT_OF_BOUNDS, "at_least");
    EXPECT_MORE(1,
                "\xa2"
                "at\x01",
                CH_ERR_WRONG_KIND, "at");
    EXPECT_MORE(1,
                "\xa2"
                "at\xa1x",
                CH_ERR_OUT_OF_BOUNDS, "at");
    EXPECT_MORE(1,
                "\xa7"
                "dry_run\x01",
                CH_ERR_WRONG_KIND, "dry_run");
    EXPECT_MORE(1, "\xa5trace\xa2\xff\xff", CH_ERR_OUT_OF_BOUNDS, "trace");
}

static void every_kind_of_authentication_is_taken_or_refused_by_name(void **state)
{
    (void)state;
    struct read_back r = {0};
    struct pieces p = PLAIN_BUT(auth, "\x93\xa2"
                                      "as\xa4user\x2a");
    assert_int_equal(read_pieces(&r, p), CH_OK);
    assert_int_equal(r.request.auth, CH_AUTH_AS_USER);
    assert_int_equal(r.request.auth_user.id, 42);
    ch_arena_deinit(&r.arena);
    r = (struct read_back){0};
#define AUTH(literal, err) expect_failure(PLAIN_BUT(auth, literal), err, "auth")
    AUTH("\x93\xa2"
         "as\xa3hat\x2a",
         CH_ERR_AUTH_UNSUPPORTED);
    AUTH("\x92\xa3key\xa0", CH_ERR_OUT_OF_BOUNDS);
    AUTH("\x92\xa3key\x07", CH_ERR_WRONG_KIND);
    AUTH("\x91\xa7session", CH_ERR_WRONG_KIND);
    AUTH("\x91\xa6signed", CH_ERR_AUTH_UNSUPPORTED);
    AUTH("\x91\xa5magic", CH_ERR_OUT_OF_BOUNDS);
    AUTH("\x92\xa4peer\x01", CH_ERR_OUT_OF_BOUNDS);
    AUTH("\x90", CH_ERR_OUT_OF_BOUNDS);
    AUTH("\xa4peer", CH_ERR_WRONG_KIND);
    AUTH("\x91\x01", CH_ERR_WRONG_KIND);
    AUTH("\x91\xa2"
         "as",
         CH_ERR_WRONG_KIND);
    AUTH("\x92\xa2"
         "as\xa4user",
         CH_ERR_WRONG_KIND);
    AUTH("\x93\xa2"
         "as\xa4user\x00",
         CH_ERR_OUT_OF_BOUNDS);
    AUTH("\x93\xa2"
         "as\xa4user\xa0",
         CH_ERR_OUT_OF_BOUNDS);
    AUTH("\x93\xa2"
         "as\xa4user\xc0",
         CH_ERR_WRONG_KIND);
#undef AUTH
}

static void what_is_no_map_or_goes_on_behind_it_is_undecodable(void **state)
{
    (void)state;
    struct read_back r = {0};
    static const uint8_t bytes[] = {0x01};
    assert_int_equal(read_request(&r, (struct ch_bytes){bytes, 1}), CH_ERR_UNDECODABLE);
    assert_int_equal(read_request(&r, (struct ch_bytes){NULL, 0}), CH_ERR_UNDECODABLE);
    struct ch_buf buf = {0};
    ch_request_begin(&buf, &(struct ch_request_head){.id = id}, 1);
    ch_request_call(&buf, &(struct ch_call_head){.type = ch_text_of("status")});
    ch_pack_map(&buf, 0);
    assert_int_equal(read_request(&r, ch_buf_view(&buf)), CH_OK);
    ch_pack_nil(&buf);
    assert_int_equal(read_request(&r, ch_buf_view(&buf)), CH_ERR_UNDECODABLE);
    assert_true(r.request.has_id);
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
}

static void the_past_is_named_by_a_seq_or_by_a_time(void **state)
{
    (void)state;
    struct read_back r = {0};
    struct ch_buf buf = {0};
    struct ch_request_head head = {.id = id, .as_user = ch_text_of("ann@example.org")};
    for (int round = 0; round < 3; round++) {
        ch_buf_reset(&buf);
        head.as_of_seq = round == 1 ? 42 : 0;
        head.as_of_time = ch_text_of(round == 2 ? "2018-08-23T06:11:39.5+02:00" : "");
        ch_request_begin(&buf, &head, 1);
        ch_request_call(&buf, &(struct ch_call_head){.type = ch_text_of("status")});
        ch_pack_map(&buf, 0);
        assert_int_equal(read_request(&r, ch_buf_view(&buf)), CH_OK);
        assert_int_equal(r.request.auth, CH_AUTH_AS_USER);
        assert_true(ch_text_is(r.request.auth_user.name, "ann@example.org"));
        assert_int_equal(r.request.as_of_kind, round == 0   ? CH_AS_OF_NOW
                                               : round == 1 ? CH_AS_OF_SEQ
                                                            : CH_AS_OF_TIME);
        assert_int_equal(r.request.as_of, round == 0   ? 0
                                          : round == 1 ? 42
                                                       : UINT64_C(1534997499500000000));
    }
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
}

/* Reads one call given as msgpack and returns its failure, or NULL; the request itself is good. */
static const struct ch_why *read_call(struct read_back *r, const char *call, size_t len)
{
    struct ch_buf buf = {0};
    ch_pack_array(&buf, 3);
    ch_buf_put(&buf, &CALLS_STATUS[1], sizeof CALLS_STATUS - 2);
    ch_buf_put(&buf, call, len);
    ch_buf_put(&buf, &CALLS_STATUS[1], sizeof CALLS_STATUS - 2);
    struct pieces p = plain_but(PIECE_calls, (struct ch_text){(const char *)buf.ptr, buf.len}, 0);
    assert_int_equal(read_pieces(r, p), CH_OK);
    ch_buf_deinit(&buf);
    assert_int_equal(r->request.call_count, 3);
    assert_null(r->request.calls[0].why);
    assert_null(r->request.calls[2].why);
    return r->request.calls[1].why;
}

static void expect_call(const char *call, size_t len, enum ch_err err, const char *field)
{
    struct read_back r = {0};
    const struct ch_why *why = read_call(&r, call, len);
    if (err == CH_OK) {
        assert_null(why);
    } else {
        assert_non_null(why);
        if (why->err != err) print_message("%s: %s\n", field, why->text);
        assert_int_equal(why->err, err);
        assert_string_equal(why->field, field);
    }
    ch_arena_deinit(&r.arena);
}

#define CALL(literal, err, field) expect_call(literal, sizeof(literal) - 1, err, field)
#define USER_LOCK "\xa4type\xa9user.lock"
#define PAGES "\xa4type\xa9page.list"
#define CLOSE                                                                                      \
    "\xa4type\xad"                                                                                 \
    "account.close"

static void a_call_that_is_wrong_carries_its_own_failure_and_the_others_are_read(void **state)
{
    (void)state;
    CALL("\x82" USER_LOCK "\xa4"
         "args\x81\xa4user\x01",
         CH_OK, "");
    CALL("\x82" CLOSE "\xa2on\x07", CH_OK, "");
    CALL("\x83" CLOSE "\xa2on\xa9north/one\xa6"
         "expect\x07",
         CH_OK, "");
    CALL("\x07", CH_ERR_WRONG_KIND, "calls[1]");
    CALL("\x80", CH_ERR_MISSING_FIELD, "calls[1].type");
    CALL("\x81\xa4type\xa4nope", CH_ERR_UNKNOWN_TYPE, "calls[1].type");
    CALL("\x81\xa4type\x01", CH_ERR_WRONG_KIND, "calls[1].type");
    CALL("\x81" USER_LOCK, CH_ERR_MISSING_FIELD, "calls[1].args.user");
    CALL("\x82" USER_LOCK "\xa4"
         "args\x90",
         CH_ERR_WRONG_KIND, "calls[1].args");
    CALL("\x82" USER_LOCK "\xa4"
         "args\x81\xa4who!\x01",
         CH_ERR_UNKNOWN_FIELD, "calls[1].args.who!");
    CALL("\x82" USER_LOCK "\xa4"
         "args\x81\xa4user\x00",
         CH_ERR_OUT_OF_BOUNDS, "calls[1].args.user");
    CALL("\x82" USER_LOCK "\xa2on\x07", CH_ERR_UNKNOWN_FIELD, "calls[1].on");
    CALL("\x81" CLOSE, CH_ERR_MISSING_FIELD, "calls[1].on");
    CALL("\x82" CLOSE "\xa2on\x00", CH_ERR_OUT_OF_BOUNDS, "calls[1].on");
    CALL("\x82" CLOSE "\xa2on\xa0", CH_ERR_OUT_OF_BOUNDS, "calls[1].on");
    CALL("\x82" CLOSE "\xa2on\xa2 x", CH_ERR_NOT_TEXT, "calls[1].on");
    CALL("\x82" CLOSE "\xa2on\xc0", CH_ERR_WRONG_KIND, "calls[1].on");
    CALL("\x82" USER_LOCK "\xa4type\xa9user.lock", CH_ERR_REPEATED_FIELD, "calls[1].type");
    CALL("\x82" USER_LOCK "\xa4tipo\x01", CH_ERR_UNKNOWN_FIELD, "calls[1].tipo");
    CALL("\x82" USER_LOCK "\xa6"
         "expect\xff",
         CH_ERR_WRONG_KIND, "calls[1].expect");
    CALL("\x82" USER_LOCK "\xa6"
         "expect\xcf\0\x20\0\0\0\0\0\0",
         CH_ERR_OUT_OF_BOUNDS, "calls[1].expect");
    CALL("\x83" USER_LOCK "\xa4"
         "args\x81\xa4user\x01\xa6"
         "expect\x07",
         CH_ERR_UNKNOWN_FIELD, "calls[1].expect");
    CALL("\x82" PAGES "\xa6"
         "expect\x07",
         CH_ERR_UNKNOWN_FIELD, "calls[1].expect");
    CALL("\x82" PAGES "\xa4note\xa1x", CH_ERR_UNKNOWN_FIELD, "calls[1].note");
    CALL("\x82" USER_LOCK "\xa4note\xa1\n", CH_ERR_NOT_TEXT, "calls[1].note");
    CALL("\x82" USER_LOCK "\xa4note\x01", CH_ERR_WRONG_KIND, "calls[1].note");
    CALL("\x81\x01\x01", CH_ERR_WRONG_KIND, "calls[1]");
}

static void a_call_of_unknown_type_has_no_type(void **state)
{
    (void)state;
    struct read_back r = {0};
    const char unknown_key[] = "\x81\xa4tipo\x01";
    assert_non_null(read_call(&r, unknown_key, sizeof unknown_key - 1));
    assert_int_equal(r.request.calls[1].type, -1);
    ch_arena_deinit(&r.arena);
}

static void a_message_has_as_many_calls_as_the_limit(void **state)
{
    (void)state;
    for (uint32_t count = (uint32_t)LIMIT_CALLS; count <= LIMIT_CALLS + 1; count++) {
        struct ch_buf buf = {0};
        ch_pack_array(&buf, count);
        for (uint32_t i = 0; i < count; i++) {
            ch_buf_put(&buf, &CALLS_STATUS[1], sizeof CALLS_STATUS - 2);
        }
        struct pieces p =
            plain_but(PIECE_calls, (struct ch_text){(const char *)buf.ptr, buf.len}, 0);
        if (count <= LIMIT_CALLS) {
            struct read_back r = {0};
            assert_int_equal(read_pieces(&r, p), CH_OK);
            assert_int_equal(r.request.call_count, count);
            ch_arena_deinit(&r.arena);
        } else {
            expect_failure(p, CH_ERR_OUT_OF_BOUNDS, "calls");
        }
        ch_buf_deinit(&buf);
    }
}

static void an_id_that_was_read_before_the_fault_can_be_answered(void **state)
{
    (void)state;
    struct read_back r = {0};
    struct pieces p = PLAIN_BUT(v, "\x07");
    assert_int_equal(read_pieces(&r, p), CH_ERR_BAD_VERSION);
    assert_true(r.request.has_id);
    assert_memory_equal(r.request.id, "0123456789abcdef", 16);
    ch_arena_deinit(&r.arena);
}

static void long_and_unclean_keys_are_shown_as_clean_text(void **state)
{
    (void)state;
    static const uint8_t smile_and_nil[] = {0xf0, 0x9f, 0x99, 0x82, 0xc0};
    char more[64];
    for (size_t letters = 29; letters <= 32; letters++) {
        more[0] = (char)(uint8_t)(0xd9);
        more[1] = (char)(letters + 4);
        memset(more + 2, 'k', letters);
        memcpy(more + 2 + letters, smile_and_nil,
               sizeof smile_and_nil); /* cut inside of it, or not */
        struct pieces p = plain_but(PIECE_more, (struct ch_text){more, letters + 7}, 1);
        struct read_back r = {0};
        assert_int_equal(read_pieces(&r, p), CH_ERR_UNKNOWN_FIELD);
        assert_true(ch_text_is_clean(ch_text_of(r.why.text)));
        char call[64];
        call[0] = (char)(uint8_t)0x81;
        memcpy(call + 1, more, letters + 7);
        const struct ch_why *why = read_call(&r, call, letters + 8);
        assert_non_null(why);
        assert_int_equal(why->err, CH_ERR_UNKNOWN_FIELD);
        assert_true(ch_text_is_clean(ch_text_of(why->text)));
        ch_arena_deinit(&r.arena);
    }
}

/* A request with every key that the writer knows, and one call of every type. */
static void write_all(struct sampler *s, struct ch_buf *buf, const struct ch_request_head *head)
{
    ch_buf_reset(buf);
    ch_request_begin(buf, head, CH_CALL_TYPES);
    for (int type = 0; type < CH_CALL_TYPES; type++) {
        const struct ch_call_row *row = &ch_calls[type];
        union {
            uint64_t align;
            uint8_t bytes[1024];
        } args;
        assert_true(row->args.size <= sizeof args);
        s->wire = true;
        sample_record(s, &row->args, &args);
        struct ch_call_head call = {.type = ch_text_of(row->args.name)};
        if (row->on && type % 2 == 0) call.on_id = (uint64_t)type + 1;
        if (row->on && type % 2 == 1) call.on_name = ch_text_of("north/east");
        call.has_expect = row->on && !row->query && type % 3 == 0;
        call.expect = (uint64_t)type;
        if (!row->query && type % 5 == 0) call.note = ch_text_of("as asked");
        ch_request_call(buf, &call);
        ch_encode_map(buf, &row->args, &args);
    }
}

static const struct ch_request_head full = {
    .id = id, .as_user_id = 7, .each = true, .dry_run = true, .at_least = 3, .as_of_seq = 2};

static void calls_of_every_type_are_read_as_they_were_written(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    struct ch_buf buf = {0};
    struct read_back r = {0};
    for (int round = 0; round < 30; round++) {
        struct ch_request_head head = full;
        head.channel = ch_text_of("web");
        head.at = ch_text_of("2018-08-23T04:11:39Z");
        write_all(&s, &buf, &head);
        assert_int_equal(read_request(&r, ch_buf_view(&buf)), CH_OK);
        assert_memory_equal(r.request.id, id, sizeof id);
        assert_int_equal(r.request.auth_user.id, 7);
        assert_int_equal(r.request.mode, CH_MODE_EACH);
        assert_true(r.request.dry_run && r.request.has_at_least && r.request.has_at);
        assert_int_equal(r.request.at_least, 3);
        assert_int_equal(r.request.as_of, 2);
        assert_int_equal(r.request.channel, CH_channel_web);
        assert_int_equal(r.request.call_count, CH_CALL_TYPES);
        for (int type = 0; type < CH_CALL_TYPES; type++) {
            const struct ch_call *call = &r.request.calls[type];
            if (call->why != NULL) print_message("%s\n", call->why->text);
            assert_null(call->why);
            assert_int_equal(call->type, type);
            assert_int_equal(call->has_on, ch_calls[type].on);
            const bool query = ch_calls[type].query;
            assert_int_equal(call->has_expect, ch_calls[type].on && !query && type % 3 == 0);
            if (call->has_expect) assert_int_equal(call->expect, type);
            assert_int_equal(call->note.len > 0, !query && type % 5 == 0);
        }
        ch_arena_reset(&s.arena);
    }
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
    ch_arena_deinit(&s.arena);
}

static void no_part_of_a_request_is_one_and_no_flipped_bit_does_harm(void **state)
{
    (void)state;
    struct sampler s = sample_begin(__func__);
    struct ch_buf buf = {0};
    struct read_back r = {0};
    write_all(&s, &buf, &full);
    for (size_t len = 0; len < buf.len; len++) {
        struct ch_bytes cut = sample_exact(ch_buf_view(&buf), len);
        assert_int_not_equal(read_request(&r, cut), CH_OK);
        sample_free(cut);
    }
    struct ch_bytes bytes = sample_exact(ch_buf_view(&buf), buf.len);
    uint8_t *flipped = (uint8_t *)(uintptr_t)bytes.ptr;
    /* One bit of each byte, not always the same: with all eight the time grows with the square of
     * what can be asked. */
    for (size_t at = 0; at < bytes.len; at++) {
        const uint8_t bit = (uint8_t)(1u << (at + at / 8) % 8);
        flipped[at] ^= bit;
        if (read_request(&r, bytes) != CH_OK) {
            assert_true(ch_text_is_clean(ch_text_of(r.why.text)));
        }
        flipped[at] ^= bit;
    }
    sample_free(bytes);
    ch_buf_deinit(&buf);
    ch_arena_deinit(&r.arena);
    ch_arena_deinit(&s.arena);
}

static struct ch_buf fingerprint_of(const struct pieces *p)
{
    static const enum piece order[] = {PIECE_more, PIECE_calls, PIECE_auth, PIECE_v, PIECE_id};
    struct ch_buf whole = {0};
    struct ch_buf print = {0};
    struct read_back r = {0};
    put_head(&whole, p);
    for (size_t i = 0; i < PIECES; i++) {
        put_piece(&whole, p, order[i]);
    }
    assert_int_equal(read_request(&r, ch_buf_view(&whole)), CH_OK);
    ch_request_fingerprint(&print, &r.request);
    ch_buf_deinit(&whole);
    ch_arena_deinit(&r.arena);
    return print;
}

static bool same_fingerprint(struct pieces one, struct pieces two)
{
    struct ch_buf prints[2] = {fingerprint_of(&one), fingerprint_of(&two)};
    bool same = ch_bytes_equal(ch_buf_view(&prints[0]), ch_buf_view(&prints[1]));
    ch_buf_deinit(&prints[0]);
    ch_buf_deinit(&prints[1]);
    return same;
}

/* clang-format off */
static void a_fingerprint_covers_everything_but_auth_trace_and_the_order_of_keys(void **state)
{
    (void)state;
    const struct pieces p = PLAIN;
    assert_true(same_fingerprint(p, p));
    assert_true(same_fingerprint(p, PLAIN_BUT(more, "\xa5trace\xa1t")));
    assert_true(same_fingerprint(p, PLAIN_BUT(auth, "\x93\xa2" "as\xa4user\x2a")));
    const struct pieces two =
        plain_but(PIECE_more, RAW("\xa4mode\xa3" "all\xa8" "at_least\x01"), 2);
    const struct pieces swapped =
        plain_but(PIECE_more, RAW("\xa8" "at_least\x01\xa4mode\xa3" "all"), 2);
    assert_true(same_fingerprint(two, swapped));
    assert_false(same_fingerprint(p, two));
    assert_false(same_fingerprint(p, PLAIN_BUT(id, "\xc4\x10" "0123456789abcdeg")));
    assert_false(same_fingerprint(p, PLAIN_BUT(calls, "\x92\x81\xa4type\xa6status"
                                                      "\x81\xa4type\xa6status")));
    /* the bytes count, not what they mean: version 1 in a longer form */
    assert_false(same_fingerprint(p, PLAIN_BUT(v, "\xcc\x01")));
}
/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_request_is_read),
        cmocka_unit_test(the_request_of_the_document_is_read_as_it_says),
        cmocka_unit_test(a_key_that_a_request_needs_is_named_when_it_is_missing),
        cmocka_unit_test(a_key_that_is_unknown_or_stands_twice_is_named),
        cmocka_unit_test(a_value_of_another_kind_or_out_of_bounds_is_named),
        cmocka_unit_test(every_kind_of_authentication_is_taken_or_refused_by_name),
        cmocka_unit_test(the_past_is_named_by_a_seq_or_by_a_time),
        cmocka_unit_test(what_is_no_map_or_goes_on_behind_it_is_undecodable),
        cmocka_unit_test(a_call_that_is_wrong_carries_its_own_failure_and_the_others_are_read),
        cmocka_unit_test(a_call_of_unknown_type_has_no_type),
        cmocka_unit_test(a_message_has_as_many_calls_as_the_limit),
        cmocka_unit_test(an_id_that_was_read_before_the_fault_can_be_answered),
        cmocka_unit_test(long_and_unclean_keys_are_shown_as_clean_text),
        cmocka_unit_test(calls_of_every_type_are_read_as_they_were_written),
        cmocka_unit_test(no_part_of_a_request_is_one_and_no_flipped_bit_does_harm),
        cmocka_unit_test(a_fingerprint_covers_everything_but_auth_trace_and_the_order_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
